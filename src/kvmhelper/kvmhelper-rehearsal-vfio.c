/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-rehearsal-private.h"

#include <errno.h>
#include <fcntl.h>

#include <glib/gi18n-lib.h>

/* The guest's 32-bit window, as QEMU's vPHB has it: 1 GiB at 0, and its table's name there. */
#define WINDOW_SIZE (1024 * 1024 * 1024ULL)
#define LIOBN       0x80000000

static void
open_group (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  g_autofree char *path = g_strdup_printf ("vfio/%u", self->group);

  self->group_handle = kvmhelper_kernel_open (self->kernel, KVMHELPER_DEV, path, O_RDWR);
  kvmhelper_outcome_detail (outcome, "/dev/%s", path);
  if (self->group_handle < 0)
    kvmhelper_outcome_fail (outcome, self->group_handle);
}

static void
check_group (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct vfio_group_status status = { .argsz = sizeof status };

  if (kvmhelper_outcome_ioctl (self, outcome, self->group_handle, VFIO_GROUP_GET_STATUS,
                               (gulong) &status)
          >= 0
      && (status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0)
    {
      outcome->result = KVMHELPER_STEP_FAILED;
      kvmhelper_outcome_detail (
          outcome, _ ("not viable: a function of the group is on a driver of the host"));
    }
}

static void
open_container (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  int version;

  self->container = kvmhelper_kernel_open (self->kernel, KVMHELPER_DEV, "vfio/vfio", O_RDWR);
  if (self->container < 0)
    {
      kvmhelper_outcome_fail (outcome, self->container);
      return;
    }
  version = kvmhelper_outcome_ioctl (self, outcome, self->container, VFIO_GET_API_VERSION, 0);
  if (version >= 0 && version != VFIO_API_VERSION)
    {
      outcome->result = KVMHELPER_STEP_FAILED;
      kvmhelper_outcome_detail (outcome, _ ("VFIO has the version %d, not %d"), version,
                                VFIO_API_VERSION);
    }
}

static void
check_container (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  int v2 = kvmhelper_kernel_ioctl (self->kernel, self->container, VFIO_CHECK_EXTENSION,
                                   VFIO_SPAPR_TCE_v2_IOMMU);
  int eeh = kvmhelper_kernel_ioctl (self->kernel, self->container, VFIO_CHECK_EXTENSION, VFIO_EEH);

  self->has_eeh = eeh > 0;
  kvmhelper_outcome_detail (outcome, "SPAPR_TCE_v2_IOMMU %d, EEH %d", v2, eeh);
  if (v2 <= 0)
    outcome->result = KVMHELPER_STEP_FAILED;
}

static void
set_container (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  gint32 container = self->container;

  kvmhelper_outcome_ioctl (self, outcome, self->group_handle, VFIO_GROUP_SET_CONTAINER,
                           (gulong) &container);
}

static void
set_iommu (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  kvmhelper_outcome_ioctl (self, outcome, self->container, VFIO_SET_IOMMU, VFIO_SPAPR_TCE_v2_IOMMU);
}

static void
register_memory (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct vfio_iommu_spapr_register_memory request = { .argsz = sizeof request };

  self->memory_length = MAX (self->kernel->page_size, 0x10000);
  self->memory = g_aligned_alloc0 (1, self->memory_length, self->memory_length);
  request.vaddr = (guint64) (gulong) self->memory;
  request.size = self->memory_length;
  kvmhelper_outcome_ioctl (self, outcome, self->container, VFIO_IOMMU_SPAPR_REGISTER_MEMORY,
                           (gulong) &request);
}

static void
get_window (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  self->window.argsz = sizeof self->window;
  if (kvmhelper_outcome_ioctl (self, outcome, self->container, VFIO_IOMMU_SPAPR_TCE_GET_INFO,
                               (gulong) &self->window)
      < 0)
    return;
  /* The smallest page: 4 KiB everywhere so far. */
  self->page_shift
      = self->window.ddw.pgsizes == 0 ? 12 : (guint) __builtin_ctzll (self->window.ddw.pgsizes);
  kvmhelper_outcome_detail (
      outcome,
      "32-bit window 0x%x at 0x%x, page sizes 0x%" G_GINT64_MODIFIER "x, windows %u, levels %u",
      self->window.dma32_window_size, self->window.dma32_window_start,
      (guint64) self->window.ddw.pgsizes, self->window.ddw.max_dynamic_windows_supported,
      self->window.ddw.levels);
  kvmhelper_outcome_fact (outcome, "dma32-start",
                          g_variant_new_uint32 (self->window.dma32_window_start));
  kvmhelper_outcome_fact (outcome, "dma32-size",
                          g_variant_new_uint32 (self->window.dma32_window_size));
  kvmhelper_outcome_fact (outcome, "page-sizes", g_variant_new_uint64 (self->window.ddw.pgsizes));
  kvmhelper_outcome_fact (outcome, "windows",
                          g_variant_new_uint32 (self->window.ddw.max_dynamic_windows_supported));
  kvmhelper_outcome_fact (outcome, "levels", g_variant_new_uint32 (self->window.ddw.levels));
}

/* In a fresh container the default window is only promised, and this takes the promise back; QEMU
 * does so too, to make its own (drivers/vfio/vfio_iommu_spapr_tce.c: def_window_pending). */
static void
remove_default (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct vfio_iommu_spapr_tce_remove request
      = { .argsz = sizeof request, .start_addr = self->window.dma32_window_start };

  kvmhelper_outcome_ioctl (self, outcome, self->container, VFIO_IOMMU_SPAPR_TCE_REMOVE,
                           (gulong) &request);
}

static guint64
window_size (const KvmHelperRehearsal *self)
{
  return MIN (WINDOW_SIZE, (guint64) self->window.dma32_window_size);
}

static void
create_table (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct kvm_create_spapr_tce_64 request = {
    .liobn = LIOBN,
    .page_shift = self->page_shift,
    .offset = (guint64) self->window.dma32_window_start >> self->page_shift,
    .size = window_size (self) >> self->page_shift,
  };

  self->table = kvmhelper_outcome_ioctl (self, outcome, self->vm, KVM_CREATE_SPAPR_TCE_64,
                                         (gulong) &request);
}

static void
create_kvm_vfio (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  self->kvm_vfio = kvmhelper_rehearsal_create_device (self, outcome, KVM_DEV_TYPE_VFIO);
}

static void
attach (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct kvm_vfio_spapr_tce request = { .groupfd = self->group_handle, .tablefd = self->table };

  kvmhelper_rehearsal_set_attribute (self, outcome, self->kvm_vfio, KVM_DEV_VFIO_FILE,
                                     KVM_DEV_VFIO_GROUP_SET_SPAPR_TCE, &request);
}

/* A negative control: the kernel must refuse with just this errno, else its yes means nothing. */
static void
attach_must_fail (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, int expected)
{
  attach (self, outcome);
  if (outcome->result == KVMHELPER_STEP_FAILED && outcome->errnum == expected)
    {
      outcome->result = KVMHELPER_STEP_OK;
      kvmhelper_outcome_detail (outcome, _ ("refused, as it must be"));
    }
  else if (outcome->result == KVMHELPER_STEP_OK)
    {
      outcome->result = KVMHELPER_STEP_FAILED;
      kvmhelper_outcome_detail (outcome, _ ("the kernel did not refuse it"));
    }
}

static void
attach_before_add (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  attach_must_fail (self, outcome, ENOENT);
}

static void
attach_before_window (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  attach_must_fail (self, outcome, EINVAL);
}

static void
add_group (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  gint32 handle = self->group_handle;

  kvmhelper_rehearsal_set_attribute (self, outcome, self->kvm_vfio, KVM_DEV_VFIO_FILE,
                                     KVM_DEV_VFIO_FILE_ADD, &handle);
}

static void
create_window (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct vfio_iommu_spapr_tce_create request = {
    .argsz = sizeof request,
    .page_shift = self->page_shift,
    .window_size = window_size (self),
    .levels = 1,
  };

  if (kvmhelper_outcome_ioctl (self, outcome, self->container, VFIO_IOMMU_SPAPR_TCE_CREATE,
                               (gulong) &request)
      < 0)
    return;
  kvmhelper_outcome_detail (outcome, "0x%" G_GINT64_MODIFIER "x at 0x%" G_GINT64_MODIFIER "x",
                            (guint64) request.window_size, (guint64) request.start_addr);
  if (request.start_addr != self->window.dma32_window_start)
    outcome->result = KVMHELPER_STEP_FAILED;
}

const KvmHelperStepKind kvmhelper_rehearsal_vfio_steps[] = {
  { "group", N_ ("Open the IOMMU group"), "", open_group },
  { "group-viable", N_ ("See that the group is viable"), "group", check_group },
  { "container", N_ ("Open a VFIO container"), "", open_container },
  { "container-extensions", N_ ("Ask VFIO for pre-registered memory"), "container",
    check_container },
  { "set-container", N_ ("Put the group into the container"), "group-viable container-extensions",
    set_container },
  { "set-iommu", N_ ("Set the container up for SPAPR TCE, version 2"), "set-container", set_iommu },
  { "register-memory", N_ ("Register memory for DMA"), "set-iommu", register_memory },
  { "window-info", N_ ("Read the DMA windows"), "set-iommu", get_window },
  { "default-window", N_ ("Remove the default window"), "register-memory window-info",
    remove_default },
  { "tce-table", N_ ("Create a TCE table in KVM"), "capabilities window-info", create_table },
  { "kvm-vfio", N_ ("Create the KVM-VFIO device"), "vm", create_kvm_vfio },
  { "attach-unknown", N_ ("Must be refused: the table for a group that KVM does not know"),
    "tce-table kvm-vfio set-iommu", attach_before_add },
  { "group-add", N_ ("Make the group known to KVM"), "kvm-vfio set-iommu", add_group },
  { "attach-no-window", N_ ("Must be refused: the table where no window matches"),
    "tce-table group-add default-window", attach_before_window },
  { "window", N_ ("Create a DMA window"), "default-window", create_window },
  { "attach", N_ ("Attach the table to the group's window"), "tce-table group-add window", attach },
  { NULL, NULL, NULL, NULL },
};
