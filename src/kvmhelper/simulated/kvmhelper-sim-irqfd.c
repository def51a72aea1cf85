/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* KVM_IRQFD: an eventfd that interrupts the guest (virt/kvm/eventfd.c). Where its number is one
 * that a device's interrupt signals, irqbypass lets both meet, and then neither the eventfd nor
 * KVM has any more to do with it. */

/* kvm_set_irq: there is no routing: the gsi is the number of the guest's source. */
static void
set_irq (KvmHelperSimVm *vm, guint32 gsi, guint32 level)
{
  if (vm->xive != NULL)
    kvmhelper_sim_xive_set_irq (vm->xive, gsi, level);
  else if (vm->xics != NULL)
    kvmhelper_sim_xics_set_irq (vm->xics, gsi, level);
}

/* kvm_vm_ioctl_irq_line: what became of it is not told. */
int
kvmhelper_sim_irq_line (KvmHelperSimVm *vm, gulong argument)
{
  struct kvm_irq_level request;

  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  if (vm->xive == NULL && vm->xics == NULL)
    return -ENXIO;
  set_irq (vm, request.irq, request.level);
  return 0;
}

static KvmHelperSimIrqfd *
find_on (const KvmHelperSimVm *vm, const KvmHelperSimFile *eventfd)
{
  for (guint i = 0; i < vm->irqfds->len; i++)
    {
      KvmHelperSimIrqfd *irqfd = vm->irqfds->pdata[i];

      if (irqfd->eventfd == eventfd)
        return irqfd;
    }
  return NULL;
}

/* An eventfd is one irqfd of a VM, and since Linux 6.17 of all VMs (kvm_irqfd_register). */
static gboolean
is_taken (const KvmHelperSimVm *vm, const KvmHelperSimFile *eventfd)
{
  const KvmHelperSimKvm *kvm = vm->sim->kvm;
  guint major = 0, minor = 0;

  if (sscanf (vm->sim->profile.name, "%u.%u", &major, &minor) != 2 || major < 6
      || (major == 6 && minor < 17))
    return find_on (vm, eventfd) != NULL;
  for (guint i = 0; i < kvm->vms->len; i++)
    if (find_on (kvm->vms->pdata[i], eventfd) != NULL)
      return TRUE;
  return FALSE;
}

/* irqfd_shutdown: it hears no signal any more when irqbypass takes its leave. */
void
kvmhelper_sim_irqfd_remove (KvmHelperSimIrqfd *irqfd)
{
  g_autofree KvmHelperSimIrqfd *gone = NULL;
  guint index;

  g_ptr_array_find (irqfd->vm->irqfds, irqfd, &index);
  gone = g_ptr_array_steal_index (irqfd->vm->irqfds, index);
  kvmhelper_sim_bypass_remove_consumer (gone);
}

static int
assign (KvmHelperSimVm *vm, KvmHelperSimProcess *process, const struct kvm_irqfd *request)
{
  KvmHelperSimFile *eventfd;
  KvmHelperSimIrqfd *irqfd;

  /* kvm_arch_intc_initialized: a controller has to be there, a vCPU needs not. */
  if (vm->xive == NULL && vm->xics == NULL)
    return -EAGAIN;
  eventfd = kvmhelper_sim_process_file (process, (int) request->fd);
  if (eventfd == NULL)
    return -EBADF;
  if (!kvmhelper_sim_file_is_eventfd (eventfd))
    return -EINVAL;
  if ((request->flags & KVM_IRQFD_FLAG_RESAMPLE) != 0)
    {
      KvmHelperSimFile *resample = kvmhelper_sim_process_file (process, (int) request->resamplefd);

      if (resample == NULL)
        return -EBADF;
      if (!kvmhelper_sim_file_is_eventfd (resample))
        return -EINVAL;
    }
  if (is_taken (vm, eventfd))
    return -EBUSY;
  irqfd = g_new0 (KvmHelperSimIrqfd, 1);
  irqfd->vm = vm;
  irqfd->eventfd = eventfd;
  irqfd->gsi = request->gsi;
  g_ptr_array_add (vm->irqfds, irqfd);
  /* What was signalled before counts, by another way: irqfd_inject, up and down again. */
  if (kvmhelper_sim_eventfd_take (eventfd) > 0)
    {
      set_irq (vm, irqfd->gsi, 1);
      set_irq (vm, irqfd->gsi, 0);
    }
  kvmhelper_sim_bypass_add_consumer (irqfd);
  return 0;
}

/* One that is not there is no error. */
static int
deassign (KvmHelperSimVm *vm, KvmHelperSimProcess *process, const struct kvm_irqfd *request)
{
  KvmHelperSimFile *eventfd = kvmhelper_sim_process_file (process, (int) request->fd);
  KvmHelperSimIrqfd *irqfd;

  if (eventfd == NULL)
    return -EBADF;
  if (!kvmhelper_sim_file_is_eventfd (eventfd))
    return -EINVAL;
  irqfd = find_on (vm, eventfd);
  if (irqfd != NULL && irqfd->gsi == request->gsi)
    kvmhelper_sim_irqfd_remove (irqfd);
  return 0;
}

int
kvmhelper_sim_irqfd_ioctl (KvmHelperSimVm *vm, KvmHelperSimProcess *process, gulong argument)
{
  struct kvm_irqfd request;

  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  if ((request.flags & ~(guint32) (KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE)) != 0)
    return -EINVAL;
  return (request.flags & KVM_IRQFD_FLAG_DEASSIGN) != 0 ? deassign (vm, process, &request)
                                                        : assign (vm, process, &request);
}

void
kvmhelper_sim_kvm_irqfd (KvmHelperSimFile *eventfd)
{
  KvmHelperSimKvm *kvm = eventfd->sim->kvm;

  if (kvm == NULL)
    return;
  for (guint i = 0; i < kvm->vms->len; i++)
    {
      KvmHelperSimIrqfd *irqfd = find_on (kvm->vms->pdata[i], eventfd);

      /* irqfd_wakeup: up, and never down again: powerpc does it on the spot
       * (kvm_arch_set_irq_inatomic). */
      if (irqfd != NULL && kvmhelper_sim_eventfd_take (eventfd) > 0)
        set_irq (irqfd->vm, irqfd->gsi, 1);
    }
}

void
kvmhelper_sim_kvm_hang_up (KvmHelperSimFile *eventfd)
{
  KvmHelperSimKvm *kvm = eventfd->sim->kvm;

  if (kvm == NULL)
    return;
  for (guint i = 0; i < kvm->vms->len; i++)
    {
      KvmHelperSimIrqfd *irqfd = find_on (kvm->vms->pdata[i], eventfd);

      if (irqfd != NULL)
        kvmhelper_sim_irqfd_remove (irqfd);
    }
}
