/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-machine.h"

#include <errno.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-node.h"
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"
#include "kvmhelper/simulated/kvmhelper-sim-use.h"

/*
 * Files in /proc and /sys that tell what the machine is.
 */

KvmHelperSimMachine *
kvmhelper_sim_machine_new (void)
{
  KvmHelperSimMachine *machine = g_new0 (KvmHelperSimMachine, 1);

  machine->cpus = 1;
  return machine;
}

void
kvmhelper_sim_machine_free (KvmHelperSimMachine *machine)
{
  g_free (machine->cpu);
  g_free (machine->revision);
  g_free (machine->model);
  g_free (machine->machine);
  g_free (machine->firmware);
  g_free (machine->mmu);
  g_free (machine->compatible);
  g_free (machine->consoles);
  g_clear_pointer (&machine->nodes, g_ptr_array_unref);
  g_free (machine);
}

/* --- /proc --- */

/* arch/powerpc/kernel/setup-common.c: show_cpuinfo */
static char *
show_cpuinfo (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSim *sim = object;
  const KvmHelperSimMachine *machine = sim->machine;
  const struct
  {
    const char *key;
    const char *value;
  } lines[] = {
    { "platform\t", sim->profile.powernv ? "PowerNV" : "pSeries" },
    { "model\t\t", machine->model },
    { "machine\t\t", machine->machine },
    { "firmware\t", machine->firmware },
    { "MMU\t\t", machine->mmu },
  };
  GString *text = g_string_new (NULL);

  for (guint cpu = 0; cpu < machine->cpus; cpu++)
    g_string_append_printf (text,
                            "processor\t: %u\ncpu\t\t: %s\nclock\t\t: 1000.000000MHz\n"
                            "revision\t: %s\n\n",
                            cpu, machine->cpu, machine->revision);
  g_string_append (text, "timebase\t: 512000000\n");
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    if (lines[i].value != NULL && *lines[i].value != '\0')
      g_string_append_printf (text, "%s: %s\n", lines[i].key, lines[i].value);
  return g_string_free (text, FALSE);
}

/* fs/proc/meminfo.c: meminfo_proc_show; what is free and what can be made so is one here. */
static char *
show_meminfo (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSim *sim = object;
  const KvmHelperSimMachine *machine = sim->machine;

  return g_strdup_printf ("MemTotal:       %8" G_GUINT64_FORMAT " kB\n"
                          "MemFree:        %8" G_GUINT64_FORMAT " kB\n"
                          "MemAvailable:   %8" G_GUINT64_FORMAT " kB\n",
                          (guint64) machine->memory << 10,
                          (guint64) machine->memory_available << 10,
                          (guint64) machine->memory_available << 10);
}

static char *
show_interrupts (gpointer object, gsize *length, int *errnum)
{
  return kvmhelper_sim_interrupts (object);
}

static char *
show_version (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSim *sim = object;

  return g_strdup_printf ("Linux version %s (simulated) #1 SMP\n", sim->release);
}

static char *
show_command_line (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSim *sim = object;

  return g_strconcat (sim->command_line, "\n", NULL);
}

/* kernel/module/procfs.c: m_show */
static char *
show_modules (gpointer object, gsize *length, int *errnum)
{
  KvmHelperSim *sim = object;
  GString *text = g_string_new (NULL);
  GHashTableIter iter;
  gpointer value;

  if (sim->profile.kvm_hv)
    g_string_append (text, "kvm_hv 393216 0 - Live 0x0000000000000000\n");
  g_hash_table_iter_init (&iter, sim->drivers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const KvmHelperSimDriver *driver = value;
      g_autofree char *name = g_strdelimit (g_strdup (driver->name), "-", '_');

      if (!driver->builtin)
        g_string_append_printf (text, "%s 131072 0 - Live 0x0000000000000000\n", name);
    }
  return g_string_free (text, FALSE);
}

static const KvmHelperSimAttribute proc_attributes[] = {
  { "cpuinfo", 0444, show_cpuinfo, NULL, NULL },
  { "meminfo", 0444, show_meminfo, NULL, NULL },
  { "interrupts", 0444, show_interrupts, NULL, NULL },
  { "version", 0444, show_version, NULL, NULL },
  { "cmdline", 0444, show_command_line, NULL, NULL },
  { "modules", 0444, show_modules, NULL, NULL },
  { NULL, 0, NULL, NULL, NULL },
};

static void
add_line (KvmHelperSimNode *parent, const char *path, const char *name, const char *line)
{
  g_autofree char *text = g_strconcat (line, "\n", NULL);

  kvmhelper_sim_text (kvmhelper_sim_directory (parent, path, NULL, NULL), name, 0444, text, -1);
}

static void
start_proc (KvmHelperSim *sim)
{
  KvmHelperSimNode *proc = kvmhelper_sim_tree_root (sim, KVMHELPER_PROC);

  kvmhelper_sim_directory_add (proc, proc_attributes, sim);
  add_line (proc, "sys/kernel", "ostype", "Linux");
  add_line (proc, "sys/kernel", "osrelease", sim->release);
  add_line (proc, "sys/kernel/random", "boot_id", sim->boot_id);
}

/* --- /sys/module/kvm_hv --- */

/* param_set_int and _get_int: one of the parameter's own callbacks there is none. */
static char *
show_bypass (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSim *sim = object;

  return g_strdup (sim->profile.bypass == KVMHELPER_SIM_BYPASS_OFF ? "0\n" : "1\n");
}

/* What breaks the bypass is not mended by switching it off and on. */
static int
store_bypass (gpointer object, const char *text, gsize length)
{
  KvmHelperSim *sim = object;
  gboolean negative = *text == '-';
  guint64 value;

  if (!kvmhelper_sim_parse_ul (negative ? text + 1 : text, &value))
    return -EINVAL;
  if (value > (guint64) G_MAXINT + (negative ? 1 : 0))
    return -ERANGE;
  if (value == 0)
    {
      if (sim->profile.bypass != KVMHELPER_SIM_BYPASS_OFF)
        sim->machine->bypass = sim->profile.bypass;
      sim->profile.bypass = KVMHELPER_SIM_BYPASS_OFF;
    }
  else if (sim->profile.bypass == KVMHELPER_SIM_BYPASS_OFF)
    sim->profile.bypass = sim->machine->bypass;
  return 0;
}

static const KvmHelperSimAttribute kvm_parameters[] = {
  { "kvm_irq_bypass", 0644, show_bypass, store_bypass, NULL },
  { NULL, 0, NULL, NULL, NULL },
};

/* --- the device tree --- */

static void
put_cells (KvmHelperSimNode *node, const char *name, const guint32 *cells, guint count)
{
  g_autofree guint32 *big = g_new (guint32, count);

  for (guint i = 0; i < count; i++)
    big[i] = GUINT32_TO_BE (cells[i]);
  kvmhelper_sim_text (node, name, 0444, (const char *) big, (gssize) (count * sizeof *big));
}

/* A list of strings, each with its NUL. */
static void
put_strings (KvmHelperSimNode *node, const char *name, const char *words)
{
  gsize length = strlen (words) + 1;
  g_autofree char *text = g_strdelimit (g_strdup (words), " ", '\0');

  kvmhelper_sim_text (node, name, 0444, text, (gssize) length);
}

static void
start_device_tree (KvmHelperSim *sim)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (sim, KVMHELPER_SYS);
  KvmHelperSimNode *base = kvmhelper_sim_directory (sys, "firmware/devicetree/base", NULL, NULL);

  put_strings (base, "compatible", sim->machine->compatible);
  put_strings (base, "model", sim->machine->model);
  if (!sim->profile.powernv)
    {
      put_strings (base, "device_type", "chrp");
      kvmhelper_sim_directory (base, "rtas", NULL, NULL);
      return;
    }
  kvmhelper_sim_directory (base, "ibm,opal", NULL, NULL);
  kvmhelper_sim_directory (sys, "firmware/opal", NULL, NULL);
}

KvmHelperSimNode *
kvmhelper_sim_phb_of_node (const KvmHelperSimPhb *phb)
{
  KvmHelperSim *sim = phb->sim;
  KvmHelperSimNode *base = kvmhelper_sim_directory (kvmhelper_sim_tree_root (sim, KVMHELPER_SYS),
                                                    "firmware/devicetree/base", NULL, NULL);
  const guint64 unit = sim->profile.powernv
                           ? G_GUINT64_CONSTANT (0x600c3c0000000) + phb->domain * 0x100000ull
                           : G_GUINT64_CONSTANT (0x800000020000000) + phb->domain;
  g_autofree char *name = g_strdup_printf ("%s@%" G_GINT64_MODIFIER "x",
                                           sim->profile.powernv ? "pciex" : "pci", unit);
  KvmHelperSimNode *node = kvmhelper_sim_directory (base, name, NULL, NULL);
  const guint32 msis[] = { phb->msi_base, phb->msi_count };
  const guint32 domain[] = { phb->domain };

  if (!sim->profile.powernv)
    {
      put_cells (node, "linux,pci-domain", domain, 1);
      return node;
    }
  put_cells (node, "linux,pci-domain", domain, 1);
  put_cells (node, "ibm,opal-msi-ranges", msis, 2);
  return node;
}

void
kvmhelper_sim_machine_start (KvmHelperSim *sim)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (sim, KVMHELPER_SYS);

  start_proc (sim);
  start_device_tree (sim);
  add_line (sys, "class/tty/console", "active", sim->machine->consoles);
  if (sim->profile.kvm_hv)
    kvmhelper_sim_directory (sys, "module/kvm_hv/parameters", kvm_parameters, sim);
  kvmhelper_sim_nodes_start (sim);
  kvmhelper_sim_uses_start (sim);
}
