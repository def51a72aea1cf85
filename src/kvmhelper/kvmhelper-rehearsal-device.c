/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-rehearsal-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kvmhelper/kvmhelper-capability.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-xive-table.h"

#include <glib/gi18n-lib.h>

static void
open_device (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&self->address, name);
  self->device = kvmhelper_outcome_ioctl (self, outcome, self->group_handle,
                                          VFIO_GROUP_GET_DEVICE_FD, (gulong) name);
}

/* How many vectors the device has of a kind; negative errno. */
static int
count_vectors (KvmHelperRehearsal *self, guint index)
{
  struct vfio_irq_info info = { .argsz = sizeof info, .index = index };
  int answer = kvmhelper_kernel_ioctl (self->kernel, self->device, VFIO_DEVICE_GET_IRQ_INFO,
                                       (gulong) &info);

  return answer < 0 ? answer : (int) MIN (info.count, G_MAXINT);
}

static void
choose_vectors (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  int msix = count_vectors (self, VFIO_PCI_MSIX_IRQ_INDEX);
  int msi = count_vectors (self, VFIO_PCI_MSI_IRQ_INDEX);

  if (msix < 0 && msi < 0)
    {
      kvmhelper_outcome_fail (outcome, msix);
      return;
    }
  self->irq_index = msix > 0 ? VFIO_PCI_MSIX_IRQ_INDEX : VFIO_PCI_MSI_IRQ_INDEX;
  if (msix <= 0 && msi <= 0)
    kvmhelper_outcome_skip (outcome, _ ("the function has neither MSI-X nor MSI"));
  else
    kvmhelper_outcome_detail (outcome, "MSI-X %d, MSI %d", msix, msi);
}

static int
eeh (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, guint operation)
{
  struct vfio_eeh_pe_op request = { .argsz = sizeof request, .op = operation };

  if (!self->has_eeh)
    {
      kvmhelper_outcome_skip (outcome, _ ("this host has no EEH to pass on (VFIO_EEH is 0)"));
      return -1;
    }
  return kvmhelper_outcome_ioctl (self, outcome, self->container, VFIO_EEH_PE_OP,
                                  (gulong) &request);
}

static void
enable_eeh (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  eeh (self, outcome, VFIO_EEH_PE_ENABLE);
}

static void
check_eeh (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  int state = eeh (self, outcome, VFIO_EEH_PE_GET_STATE);

  if (state < 0)
    return;
  kvmhelper_outcome_detail (outcome, _ ("state %d"), state);
  if (state != VFIO_EEH_PE_STATE_NORMAL)
    outcome->result = KVMHELPER_STEP_FAILED;
}

/* Gives the first vector to an eventfd, or with @event -1 takes all away. */
static int
set_vector (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, int event)
{
  union
  {
    struct vfio_irq_set set;
    char bytes[sizeof (struct vfio_irq_set) + sizeof (gint32)];
  } request = { .set = { .index = self->irq_index, .flags = VFIO_IRQ_SET_ACTION_TRIGGER } };
  gint32 value = event;

  if (event >= 0)
    {
      request.set.argsz = sizeof request.bytes;
      request.set.flags |= VFIO_IRQ_SET_DATA_EVENTFD;
      request.set.count = 1;
      memcpy (request.set.data, &value, sizeof value);
    }
  else
    {
      request.set.argsz = sizeof request.set;
      request.set.flags |= VFIO_IRQ_SET_DATA_NONE;
    }
  return kvmhelper_outcome_ioctl (self, outcome, self->device, VFIO_DEVICE_SET_IRQS,
                                  (gulong) &request);
}

static void
enable_vector (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  self->event = self->kernel->calls->eventfd (self->kernel->data);
  if (self->event < 0)
    kvmhelper_outcome_fail (outcome, self->event);
  else if (set_vector (self, outcome, self->event) >= 0)
    kvmhelper_outcome_detail (outcome,
                              self->irq_index == VFIO_PCI_MSIX_IRQ_INDEX ? "MSI-X" : "MSI");
}

static void
set_irqfd (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, guint flags)
{
  struct kvm_irqfd request
      = { .fd = (guint32) self->event, .gsi = KVMHELPER_LISN_MSI, .flags = flags };

  kvmhelper_outcome_ioctl (self, outcome, self->vm, KVM_IRQFD, (gulong) &request);
}

static void
assign_irqfd (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  set_irqfd (self, outcome, 0);
}

/* What KVM's table has for our source: TRUE where it can be read; *passed and *hw. */
static gboolean
read_source (KvmHelperRehearsal *self, char **path, gboolean *passed, guint *hw)
{
  g_autofree char *text = NULL;
  g_autoptr (KvmHelperXiveTable) table = NULL;
  const KvmHelperSource *source;

  *path = g_strdup_printf ("kernel/debug/kvm/%u-%d/xive", self->kernel->pid, self->vm);
  text
      = kvmhelper_kernel_read (self->kernel, KVMHELPER_SYS, *path, KVMHELPER_MAX_TABLE, NULL, NULL);
  if (text == NULL)
    return FALSE;
  table = kvmhelper_xive_table_parse (text);
  source = kvmhelper_xive_table_find (table, KVMHELPER_LISN_MSI);
  if (source == NULL)
    return FALSE;
  *passed = source->passed;
  *hw = source->hw;
  return TRUE;
}

static void
check_bypass (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  g_autofree char *path = NULL;
  gboolean passed;
  guint hw;

  if (kvmhelper_irq_bypass_off (self->kernel))
    kvmhelper_outcome_skip (outcome, _ ("switched off by the module parameter "
                                        "kvm_hv.kvm_irq_bypass=0"));
  else if (!read_source (self, &path, &passed, &hw))
    {
      kvmhelper_outcome_skip (outcome, "");
      kvmhelper_outcome_detail (outcome, _ ("cannot be told: /sys/%s does not show the source"),
                                path);
    }
  else if (passed)
    {
      kvmhelper_outcome_detail (outcome, _ ("PT, hardware interrupt %08x"), hw);
      kvmhelper_outcome_fact (outcome, "passed", g_variant_new_boolean (TRUE));
    }
  else
    {
      kvmhelper_outcome_fact (outcome, "passed", g_variant_new_boolean (FALSE));
      outcome->result = KVMHELPER_STEP_FAILED;
      kvmhelper_outcome_detail (outcome, _ ("the source is an IPI still (/sys/%s)"), path);
    }
}

static void
remove_irqfd (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  set_irqfd (self, outcome, KVM_IRQFD_FLAG_DEASSIGN);
}

static void
disable_vector (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  set_vector (self, outcome, -1);
}

static void
close_handle (KvmHelperRehearsal *self, int *handle)
{
  if (*handle >= 0)
    kvmhelper_kernel_close (self->kernel, *handle);
  *handle = -1;
}

static void
close_device (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  close_handle (self, &self->device);
}

static void
remove_group (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  gint32 handle = self->group_handle;

  kvmhelper_rehearsal_set_attribute (self, outcome, self->kvm_vfio, KVM_DEV_VFIO_FILE,
                                     KVM_DEV_VFIO_FILE_DEL, &handle);
}

static void
remove_window (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct vfio_iommu_spapr_tce_remove request
      = { .argsz = sizeof request, .start_addr = self->window.dma32_window_start };

  kvmhelper_outcome_ioctl (self, outcome, self->container, VFIO_IOMMU_SPAPR_TCE_REMOVE,
                           (gulong) &request);
}

static void
unregister_memory (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct vfio_iommu_spapr_register_memory request = {
    .argsz = sizeof request,
    .vaddr = (guint64) (gulong) self->memory,
    .size = self->memory_length,
  };

  kvmhelper_outcome_ioctl (self, outcome, self->container, VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY,
                           (gulong) &request);
}

static void
unset_container (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  kvmhelper_outcome_ioctl (self, outcome, self->group_handle, VFIO_GROUP_UNSET_CONTAINER, 0);
}

static void
close_all (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  if (self->esb != NULL)
    kvmhelper_rehearsal_unmap_esb (self, outcome);
  close_handle (self, &self->group_handle);
  close_handle (self, &self->container);
  close_handle (self, &self->kvm_vfio);
  close_handle (self, &self->table);
  close_handle (self, &self->vcpu);
  close_handle (self, &self->xive);
  close_handle (self, &self->vm);
  close_handle (self, &self->kvm);
  close_handle (self, &self->event);
  g_clear_pointer (&self->memory, g_aligned_free);
}

static void
check_free (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  g_autofree char *path = g_strdup_printf ("vfio/%u", self->group);
  int handle = kvmhelper_kernel_open (self->kernel, KVMHELPER_DEV, path, O_RDWR);

  if (handle < 0)
    kvmhelper_outcome_fail (outcome, handle);
  else
    kvmhelper_kernel_close (self->kernel, handle);
}

const KvmHelperStepKind kvmhelper_rehearsal_device_steps[] = {
  { "device", N_ ("Open the function (which resets it)"), "set-iommu", open_device },
  { "vectors", N_ ("Read its interrupts"), "device", choose_vectors },
  { "eeh-enable", N_ ("Enable EEH for the group"), "device", enable_eeh },
  { "eeh-state", N_ ("See that EEH has it as normal"), "eeh-enable", check_eeh },
  { "vector", N_ ("Give an interrupt of it to an eventfd"), "vectors", enable_vector },
  { "irqfd", N_ ("Give the same eventfd to the guest's source"), "xive-source vector",
    assign_irqfd },
  { "bypass", N_ ("See that the interrupt goes straight to the guest"), "xive-esb irqfd",
    check_bypass },
  { NULL, NULL, NULL, NULL },
};

const KvmHelperStepKind kvmhelper_rehearsal_undo_steps[] = {
  { "undo-irqfd", N_ ("Undo: the guest's source"), "irqfd", remove_irqfd },
  { "undo-vector", N_ ("Undo: the interrupt"), "vector", disable_vector },
  { "undo-device", N_ ("Undo: close the function"), "device", close_device },
  { "undo-group-add", N_ ("Undo: the group in KVM"), "group-add", remove_group },
  { "undo-window", N_ ("Undo: the DMA window"), "window", remove_window },
  { "undo-memory", N_ ("Undo: the registered memory"), "register-memory", unregister_memory },
  { "undo-container", N_ ("Undo: take the group out of the container"), "set-container",
    unset_container },
  { "undo-rest", N_ ("Undo: close the rest"), "", close_all },
  { "group-free", N_ ("See that the group is free again"), "group undo-rest", check_free },
  { NULL, NULL, NULL, NULL },
};
