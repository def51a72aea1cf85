/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-rehearsal-private.h"

#include <errno.h>
#include <fcntl.h>

#include <glib/gi18n-lib.h>

static void
open_kvm (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  self->kvm = kvmhelper_kernel_open (self->kernel, KVMHELPER_DEV, "kvm", O_RDWR);
  if (self->kvm < 0)
    kvmhelper_outcome_fail (outcome, self->kvm);
}

static void
create_vm (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  self->vm = kvmhelper_outcome_ioctl (self, outcome, self->kvm, KVM_CREATE_VM, KVM_VM_PPC_HV);
}

static int
extension (KvmHelperRehearsal *self, gulong capability)
{
  return kvmhelper_kernel_ioctl (self->kernel, self->vm, KVM_CHECK_EXTENSION, capability);
}

static void
check_capabilities (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  int tce = extension (self, KVM_CAP_SPAPR_TCE_64);
  int vfio = extension (self, KVM_CAP_SPAPR_TCE_VFIO);
  int xive = extension (self, KVM_CAP_PPC_IRQ_XIVE);

  self->has_xive = xive > 0;
  kvmhelper_outcome_detail (outcome, "SPAPR_TCE_64 %d, SPAPR_TCE_VFIO %d, PPC_IRQ_XIVE %d", tce,
                            vfio, xive);
  if (tce <= 0 || vfio <= 0)
    outcome->result = KVMHELPER_STEP_FAILED;
}

int
kvmhelper_rehearsal_create_device (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, guint type)
{
  struct kvm_create_device device = { .type = type };
  int answer
      = kvmhelper_outcome_ioctl (self, outcome, self->vm, KVM_CREATE_DEVICE, (gulong) &device);

  return answer < 0 ? -1 : (int) device.fd;
}

/* With smaller pages KVM makes the device all the same: no guest can set its event queues up
 * (arch/powerpc/kvm/book3s_xive_native.c: kvmppc_xive_native_set_queue_config), and to touch a
 * source is to be killed (SIGBUS). */
static void
create_xive (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  if (!self->has_xive)
    kvmhelper_outcome_skip (
        outcome, _ ("this host has no native XIVE for guests (KVM_CAP_PPC_IRQ_XIVE is 0)"));
  else if (self->kernel->page_size != KVMHELPER_ESB_PAGE)
    {
      g_autofree char *reason = g_strdup_printf (
          _ ("the kernel has pages of %zu bytes; KVM's XIVE needs one with 64 KiB pages"),
          self->kernel->page_size);

      kvmhelper_outcome_skip (outcome, reason);
    }
  else
    self->xive = kvmhelper_rehearsal_create_device (self, outcome, KVM_DEV_TYPE_XIVE);
}

void
kvmhelper_rehearsal_set_attribute (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, int handle,
                                   guint group, guint64 attribute, const void *value)
{
  struct kvm_device_attr request
      = { .group = group, .attr = attribute, .addr = (guint64) (gulong) value };

  kvmhelper_outcome_ioctl (self, outcome, handle, KVM_SET_DEVICE_ATTR, (gulong) &request);
}

static void
set_servers (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  guint32 servers = 1;

  kvmhelper_rehearsal_set_attribute (self, outcome, self->xive, KVM_DEV_XIVE_GRP_CTRL,
                                     KVM_DEV_XIVE_NR_SERVERS, &servers);
}

static void
create_vcpu (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  self->vcpu = kvmhelper_outcome_ioctl (self, outcome, self->vm, KVM_CREATE_VCPU, 0);
}

/* A vCPU takes its interrupt controller only when its registers were set once and it is a PAPR one:
 * before that the kernel answers EINVAL and has it half connected. */
static void
set_up_vcpu (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct kvm_sregs registers = { 0 };
  struct kvm_enable_cap papr = { .cap = KVM_CAP_PPC_PAPR };

  if (kvmhelper_outcome_ioctl (self, outcome, self->vcpu, KVM_GET_SREGS, (gulong) &registers) >= 0
      && kvmhelper_outcome_ioctl (self, outcome, self->vcpu, KVM_SET_SREGS, (gulong) &registers)
             >= 0)
    kvmhelper_outcome_ioctl (self, outcome, self->vcpu, KVM_ENABLE_CAP, (gulong) &papr);
}

static void
connect_vcpu (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  struct kvm_enable_cap xive = { .cap = KVM_CAP_PPC_IRQ_XIVE, .args = { (guint64) self->xive, 0 } };

  kvmhelper_outcome_ioctl (self, outcome, self->vcpu, KVM_ENABLE_CAP, (gulong) &xive);
}

static void
create_source (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  guint64 state = 0; /* a message, not a level */

  kvmhelper_rehearsal_set_attribute (self, outcome, self->xive, KVM_DEV_XIVE_GRP_SOURCE,
                                     KVMHELPER_LISN_MSI, &state);
  kvmhelper_outcome_detail (outcome, "LISN 0x%x", KVMHELPER_LISN_MSI);
}

/* The whole of the sources is mapped up to ours, as QEMU does: the kernel wants the mapping to
 * begin with the first (arch/powerpc/kvm/book3s_xive_native.c: kvmppc_xive_native_mmap). */
static gsize
esb_length (void)
{
  return 2 * (gsize) KVMHELPER_ESB_PAGE * (KVMHELPER_LISN_MSI + 1);
}

static void
map_esb (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  guint64 offset = (guint64) KVM_XIVE_ESB_PAGE_OFFSET * self->kernel->page_size;
  const char *manage;
  int answer;

  answer = self->kernel->calls->mmap (self->kernel->data, self->xive, esb_length (), offset,
                                      &self->esb);
  if (answer < 0)
    {
      self->esb = NULL;
      kvmhelper_outcome_fail (outcome, answer);
      return;
    }
  manage = (const char *) self->esb + (2 * KVMHELPER_LISN_MSI + 1) * (gsize) KVMHELPER_ESB_PAGE;
  kvmhelper_outcome_detail (
      outcome, "PQ %" G_GINT64_MODIFIER "x",
      self->kernel->calls->load (self->kernel->data, manage + KVMHELPER_ESB_GET));
}

void
kvmhelper_rehearsal_unmap_esb (KvmHelperRehearsal *self, KvmHelperOutcome *outcome)
{
  int answer = self->kernel->calls->munmap (self->kernel->data, self->esb, esb_length ());

  self->esb = NULL;
  if (answer < 0)
    kvmhelper_outcome_fail (outcome, answer);
}

const KvmHelperStepKind kvmhelper_rehearsal_kvm_steps[] = {
  { "kvm", N_ ("Open /dev/kvm"), "", open_kvm },
  { "vm", N_ ("Create a virtual machine (KVM HV)"), "kvm", create_vm },
  { "capabilities", N_ ("Ask KVM for TCE tables that drive a device"), "vm", check_capabilities },
  { "xive", N_ ("Create the native XIVE device"), "vm", create_xive },
  { "xive-servers", N_ ("Set the number of vCPUs of XIVE"), "xive", set_servers },
  { "vcpu", N_ ("Create a vCPU"), "vm", create_vcpu },
  { "vcpu-papr", N_ ("Set up the vCPU as a pSeries one"), "vcpu", set_up_vcpu },
  { "vcpu-xive", N_ ("Connect the vCPU to XIVE"), "xive-servers vcpu-papr", connect_vcpu },
  { "xive-source", N_ ("Create an interrupt source"), "vcpu-xive", create_source },
  { "xive-esb", N_ ("Map the source's pages"), "xive-source", map_esb },
  { NULL, NULL, NULL, NULL },
};
