/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-machine.h"
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

#include <linux/vfio.h>
#include <string.h>

/*
 * Interrupts of functions, and /proc/interrupts (kernel/irq/proc.c: show_interrupts).
 */

/* The first number that the kernel has for functions; what is below is its own. */
#define FIRST_VIRQ 24

/* PHB4 has 8 INTx, after the MSIs (skiboot, hw/phb4.c). */
#define INTX_PINS 4

static gboolean
is_taken (const KvmHelperSim *sim, guint virq)
{
  for (guint i = 0; i < sim->irqs->len; i++)
    if (((KvmHelperSimIrq *) sim->irqs->pdata[i])->virq == virq)
      return TRUE;
  return FALSE;
}

/* A partition's PHBs share what the hypervisor has. */
static gboolean
is_hardware_taken (const KvmHelperSim *sim, const KvmHelperSimPhb *phb, guint32 hw)
{
  for (guint i = 0; i < sim->irqs->len; i++)
    {
      const KvmHelperSimIrq *irq = sim->irqs->pdata[i];

      if (irq->hw == hw && (!sim->profile.powernv || irq->function->phb == phb))
        return TRUE;
    }
  return FALSE;
}

static guint32
choose_hardware (const KvmHelperSim *sim, const KvmHelperSimFunction *function, guint index)
{
  const KvmHelperSimPhb *phb = function->phb;
  guint32 hw = phb->msi_base;

  if (index == VFIO_PCI_INTX_IRQ_INDEX)
    return phb->msi_base + phb->msi_count + function->address.function % INTX_PINS;
  while (is_hardware_taken (sim, phb, hw))
    hw++;
  return hw;
}

static const char *
msi_kind (guint index)
{
  return index == VFIO_PCI_MSIX_IRQ_INDEX ? "msix\n" : "msi\n";
}

KvmHelperSimIrq *
kvmhelper_sim_irq_request (KvmHelperSimFunction *function, guint index, guint vector,
                           const char *name)
{
  KvmHelperSim *sim = function->sim;
  KvmHelperSimIrq *irq = g_new0 (KvmHelperSimIrq, 1);

  irq->function = function;
  irq->index = index;
  irq->vector = vector;
  irq->name = g_strdup (name);
  irq->virq = FIRST_VIRQ;
  while (is_taken (sim, irq->virq))
    irq->virq++;
  irq->hw = choose_hardware (sim, function, index);
  g_ptr_array_add (sim->irqs, irq);
  if (index != VFIO_PCI_INTX_IRQ_INDEX && function->node != NULL)
    {
      g_autofree char *number = g_strdup_printf ("%u", irq->virq);

      kvmhelper_sim_text (kvmhelper_sim_directory (function->node, "msi_irqs", NULL, NULL), number,
                          0444, msi_kind (index), -1);
    }
  return irq;
}

/* The directory stays: it goes with the driver (drivers/pci/msi, kernel/irq/msi.c:
 * msi_setup_device_data, whose devres releases it). */
static void
withdraw (const KvmHelperSimIrq *irq)
{
  KvmHelperSimNode *node = irq->function->node;
  g_autofree char *number = g_strdup_printf ("%u", irq->virq);

  if (node != NULL && irq->index != VFIO_PCI_INTX_IRQ_INDEX)
    kvmhelper_sim_remove (kvmhelper_sim_directory (node, "msi_irqs", NULL, NULL), number);
}

void
kvmhelper_sim_irq_free (KvmHelperSimIrq *irq)
{
  g_ptr_array_remove (irq->function->sim->irqs, irq);
  withdraw (irq);
  g_free (irq->name);
  g_free (irq);
}

void
kvmhelper_sim_irq_raise (KvmHelperSimIrq *irq)
{
  if (irq->vcpu != NULL)
    {
      kvmhelper_sim_kvm_passed_irq (irq);
      return;
    }
  if (irq->masked)
    {
      irq->pending = TRUE;
      return;
    }
  irq->count++;
  /* vfio_intx_handler: a level stays until the user has dealt with it, and unmasks it. */
  irq->masked = irq->index == VFIO_PCI_INTX_IRQ_INDEX && irq->function->vfio != NULL;
  if (irq->eventfd != NULL)
    kvmhelper_sim_eventfd_signal (irq->eventfd);
}

/* --- /proc/interrupts --- */

/* How the lines are laid out: Linux 7.2 makes room for the longest name of a chip. */
typedef struct
{
  guint cpus;
  guint digits;  /* of the kernel's numbers */
  guint name;    /* of the chips' names */
  gboolean left; /* the names stand at the left of their column */
} Layout;

/* The number in the domain of the PHB's MSIs (drivers/pci/msi/irqdomain.c:
 * pci_msi_domain_calc_hwirq), or of the function's own; of an INTx that of the hardware. */
static guint64
domain_number (const KvmHelperSimIrq *irq)
{
  const guint key = kvmhelper_sim_key (&irq->function->address);

  if (irq->index == VFIO_PCI_INTX_IRQ_INDEX)
    return irq->hw;
  if (irq->function->sim->profile.msi_devices)
    return irq->vector;
  return irq->vector | (guint64) (key & 0xffff) << 11 | (guint64) (key >> 16) << 27;
}

/* To be freed. */
static char *
chip_name (const KvmHelperSimIrq *irq)
{
  const KvmHelperSimProfile *profile = &irq->function->sim->profile;
  const char *platform = profile->powernv ? "PNV" : "pSeries";
  const char *kind = irq->index == VFIO_PCI_MSIX_IRQ_INDEX ? "MSIX" : "MSI";
  char name[PCI_ADDRESS_LEN];

  if (irq->index == VFIO_PCI_INTX_IRQ_INDEX)
    return g_strdup (profile->xive ? "XIVE-IRQ" : "XICS");
  if (!profile->msi_devices)
    return g_strconcat (platform, "-PCI-MSI", NULL);
  return g_strconcat (platform, "-PCI-", kind, "-",
                      pci_address_format (&irq->function->address, name), NULL);
}

static void
append_counts (GString *text, const Layout *layout, guint64 first)
{
  for (guint cpu = 0; cpu < layout->cpus; cpu++)
    g_string_append_printf (text, " %10" G_GUINT64_FORMAT, cpu == 0 ? first : 0);
}

static void
append_line (GString *text, const Layout *layout, guint virq, guint64 count, const char *chip,
             guint64 number, gboolean level, const char *action)
{
  const int width = (int) layout->name;

  g_string_append_printf (text, "%*u:", (int) layout->digits, virq);
  append_counts (text, layout, count);
  g_string_append_printf (text, "  %*s %*" G_GUINT64_FORMAT " %-8s  %s\n",
                          layout->left ? -width : width, chip, (int) layout->digits, number,
                          level ? "Level" : "Edge", action);
}

/* What every host has (arch/powerpc/kernel/irq.c: arch_show_interrupts). */
static void
append_sums (GString *text, const Layout *layout, gboolean powernv)
{
  static const struct
  {
    const char *name;
    const char *meaning;
    gboolean powernv;
  } sums[] = {
    { "LOC", "Local timer interrupts for timer event device", FALSE },
    { "BCT", "Broadcast timer interrupts for timer event device", FALSE },
    { "LOC", "Local timer interrupts for others", FALSE },
    { "SPU", "Spurious interrupts", FALSE },
    { "PMI", "Performance monitoring interrupts", FALSE },
    { "MCE", "Machine check exceptions", FALSE },
    { "HMI", "Hypervisor Maintenance Interrupts", TRUE },
    { "NMI", "System Reset interrupts", FALSE },
    { "WDG", "Watchdog soft-NMI interrupts", FALSE },
    { "DBL", "Doorbell interrupts", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (sums); i++)
    {
      if (sums[i].powernv && !powernv)
        continue;
      g_string_append_printf (text, "%*s:", (int) layout->digits, sums[i].name);
      append_counts (text, layout, 0);
      g_string_append_printf (text, "%s%s\n", layout->left ? "  " : "   ", sums[i].meaning);
    }
}

static int
compare_irqs (gconstpointer a, gconstpointer b)
{
  const KvmHelperSimIrq *first = *(const KvmHelperSimIrq *const *) a;
  const KvmHelperSimIrq *second = *(const KvmHelperSimIrq *const *) b;

  return (first->virq > second->virq) - (first->virq < second->virq);
}

static Layout
lay_out (const KvmHelperSim *sim)
{
  Layout layout = { sim->machine->cpus, 3, 8, sim->profile.msi_devices };

  if (!layout.left)
    return layout;
  layout.digits = 4;
  for (guint i = 0; i < sim->irqs->len; i++)
    {
      g_autofree char *chip = chip_name (sim->irqs->pdata[i]);

      layout.name = MAX (layout.name, strlen (chip));
    }
  return layout;
}

char *
kvmhelper_sim_interrupts (KvmHelperSim *sim)
{
  g_autoptr (GPtrArray) irqs = g_ptr_array_copy (sim->irqs, NULL, NULL);
  const Layout layout = lay_out (sim);
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%*s", (int) layout.digits + 8, "");
  for (guint cpu = 0; cpu < layout.cpus; cpu++)
    g_string_append_printf (text, "CPU%-8u", cpu);
  g_string_append_c (text, '\n');
  append_line (text, &layout, 16, 0, sim->profile.xive ? "XIVE-IPI" : "XICS", 0, FALSE, "IPI-0");
  g_ptr_array_sort (irqs, compare_irqs);
  for (guint i = 0; i < irqs->len; i++)
    {
      const KvmHelperSimIrq *irq = irqs->pdata[i];
      g_autofree char *chip = chip_name (irq);

      append_line (text, &layout, irq->virq, irq->count, chip, domain_number (irq),
                   irq->index == VFIO_PCI_INTX_IRQ_INDEX, irq->name);
    }
  append_sums (text, &layout, sim->profile.powernv);
  return g_string_free (text, FALSE);
}
