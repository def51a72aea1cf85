/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "kvmhelper/simulated/kvmhelper-sim-xive.h"

/* The IRQ bypass manager, virt/lib/irqbypass.c: VFIO registers a producer for each interrupt of a
 * device that signals an eventfd, KVM a consumer for each irqfd. Nobody tells them of each other:
 * both carry the eventfd as a token, and whoever comes second is connected with the first. It makes
 * no difference who comes first, and a failure only means that interrupts go the long way, by the
 * eventfd: nobody but the kernel's log says so. */

typedef struct
{
  KvmHelperSimFile *token;
  KvmHelperSimIrq *irq;
} Producer;

static KvmHelperSimIrqfd *
find_consumer (const KvmHelperSimKvm *kvm, const KvmHelperSimFile *token)
{
  for (guint i = 0; i < kvm->consumers->len; i++)
    {
      KvmHelperSimIrqfd *irqfd = kvm->consumers->pdata[i];

      if (irqfd->eventfd == token)
        return irqfd;
    }
  return NULL;
}

static Producer *
find_producer (const KvmHelperSimKvm *kvm, const KvmHelperSimFile *token)
{
  for (guint i = 0; i < kvm->producers->len; i++)
    {
      Producer *producer = kvm->producers->pdata[i];

      if (producer->token == token)
        return producer;
    }
  return NULL;
}

/* kvmppc_irq_bypass_add_producer_hv */
static int
connect (KvmHelperSimIrqfd *irqfd, KvmHelperSimIrq *irq)
{
  int result = kvmhelper_sim_passthru_set (irqfd->vm, irq, irqfd->gsi);

  if (result != 0)
    {
      kvmhelper_sim_log (irqfd->vm->sim, "kvmppc_set_passthru_irq (irq %u, gsi %u) fails: %d",
                         irq->virq, irqfd->gsi, result);
      return result;
    }
  irqfd->producer = irq;
  return 0;
}

/* kvmppc_irq_bypass_del_producer_hv */
static void
disconnect (KvmHelperSimIrqfd *irqfd)
{
  KvmHelperSimIrq *irq = irqfd->producer;
  int result = kvmhelper_sim_passthru_clear (irqfd->vm, irq, irqfd->gsi);

  irqfd->producer = NULL;
  if (result != 0)
    kvmhelper_sim_log (irqfd->vm->sim, "kvmppc_clr_passthru_irq (irq %u, gsi %u) fails: %d",
                       irq->virq, irqfd->gsi, result);
}

/* The kernel prints pointers as hashes of them. */
static guint
token_name (const KvmHelperSimFile *token)
{
  return g_direct_hash (token);
}

void
kvmhelper_sim_bypass_add_consumer (KvmHelperSimIrqfd *irqfd)
{
  KvmHelperSimKvm *kvm = irqfd->vm->sim->kvm;
  Producer *producer = find_producer (kvm, irqfd->eventfd);
  int result = 0;

  if (irqfd->vm->sim->profile.no_bypass)
    return;
  if (find_consumer (kvm, irqfd->eventfd) != NULL)
    result = -EBUSY;
  else if (producer != NULL)
    result = connect (irqfd, producer->irq);
  if (result == 0)
    {
      irqfd->consumer = TRUE;
      g_ptr_array_add (kvm->consumers, irqfd);
    }
  else
    kvmhelper_sim_log (irqfd->vm->sim, "irq bypass consumer (token %016x) registration fails: %d",
                       token_name (irqfd->eventfd), result);
}

void
kvmhelper_sim_bypass_remove_consumer (KvmHelperSimIrqfd *irqfd)
{
  KvmHelperSimKvm *kvm = irqfd->vm->sim->kvm;

  if (!irqfd->consumer)
    return;
  if (irqfd->producer != NULL)
    disconnect (irqfd);
  irqfd->consumer = FALSE;
  g_ptr_array_remove (kvm->consumers, irqfd);
}

void
kvmhelper_sim_bypass_add_producer (KvmHelperSimFile *eventfd, KvmHelperSimIrq *irq)
{
  KvmHelperSim *sim = eventfd->sim;
  KvmHelperSimKvm *kvm = sim->kvm;
  KvmHelperSimIrqfd *irqfd = find_consumer (kvm, eventfd);
  int result = 0;

  if (find_producer (kvm, eventfd) != NULL)
    result = -EBUSY;
  else if (irqfd != NULL)
    result = connect (irqfd, irq);
  if (result == 0)
    {
      Producer *producer = g_new0 (Producer, 1);

      producer->token = eventfd;
      producer->irq = irq;
      g_ptr_array_add (kvm->producers, producer);
    }
  else
    {
      char address[PCI_ADDRESS_LEN];

      /* drivers/vfio/pci/vfio_pci_intrs.c: vfio_msi_set_vector_signal */
      kvmhelper_sim_log (sim, "%s %s: irq bypass producer (token %016x) registration fails: %d",
                         irq->function->driver == NULL ? "vfio-pci" : irq->function->driver->name,
                         pci_address_format (&irq->function->address, address),
                         token_name (eventfd), result);
    }
}

void
kvmhelper_sim_bypass_remove_producer (KvmHelperSimFile *eventfd, KvmHelperSimIrq *irq)
{
  KvmHelperSimKvm *kvm = eventfd->sim->kvm;
  Producer *producer = find_producer (kvm, eventfd);
  KvmHelperSimIrqfd *irqfd = find_consumer (kvm, eventfd);

  if (producer != NULL && producer->irq == irq)
    {
      if (irqfd != NULL && irqfd->producer == irq)
        disconnect (irqfd);
      g_ptr_array_remove (kvm->producers, producer);
    }
  /* The host frees the interrupt next. Where the way back failed, or was switched off meanwhile, a
   * guest keeps the hardware's page, but not what is freed. */
  for (guint i = 0; i < kvm->vms->len; i++)
    {
      KvmHelperSimVm *vm = kvm->vms->pdata[i];

      if (vm->xive != NULL)
        kvmhelper_sim_xive_forget_irq (vm->xive, irq);
    }
}
