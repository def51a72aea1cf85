/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>

#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/*
 * VFIO_DEVICE_SET_IRQS: drivers/vfio/pci/vfio_pci_intrs.c of Linux 6.12. One kind of interrupt is
 * enabled at a time. The first call fixes how many vectors there are; each then has an eventfd or
 * none, and is requested of the kernel while it has one.
 */

#define END_OF(type, member) (offsetof (type, member) + sizeof (((type *) NULL)->member))

/* What the user gave, checked; @data is as long as it has to be. */
typedef struct
{
  KvmHelperSimVfioDevice *device;
  KvmHelperSimProcess *process;
  guint8 *data; /* owned */
  struct vfio_irq_set set;
} Request;

static gboolean
has_data (const Request *request, guint type)
{
  return (request->set.flags & type) != 0;
}

static int
handle_of (const Request *request, guint i)
{
  return ((const gint32 *) (gpointer) request->data)[i];
}

/* eventfd_ctx_fdget */
static int
find_eventfd (KvmHelperSimProcess *process, int handle, KvmHelperSimFile **file)
{
  *file = kvmhelper_sim_process_file (process, handle);
  if (*file == NULL)
    return -EBADF;
  return kvmhelper_sim_file_is_eventfd (*file) ? 0 : -EINVAL;
}

static gboolean
is_none (const KvmHelperSimVfioDevice *self)
{
  return self->irq_type == VFIO_PCI_NUM_IRQS;
}

/* --- vectors --- */

static void
free_vector (KvmHelperSimVfioDevice *self, guint vector)
{
  KvmHelperSimIrq *irq = g_steal_pointer (&self->vectors->pdata[vector]);
  KvmHelperSimFile *eventfd;

  if (irq == NULL)
    return;
  eventfd = g_steal_pointer (&irq->eventfd);
  if (self->irq_type != VFIO_PCI_INTX_IRQ_INDEX)
    kvmhelper_sim_bypass_remove_producer (eventfd, irq);
  g_array_index (self->counts, guint64, vector) = irq->count;
  kvmhelper_sim_irq_free (irq);
  if (eventfd != NULL)
    kvmhelper_sim_file_unref (eventfd);
}

static void
request_vector (KvmHelperSimVfioDevice *self, guint vector, KvmHelperSimFile *eventfd)
{
  char address[PCI_ADDRESS_LEN];
  g_autofree char *name = NULL;
  KvmHelperSimIrq *irq;

  pci_address_format (&self->function->address, address);
  if (self->irq_type == VFIO_PCI_INTX_IRQ_INDEX)
    name = g_strdup_printf ("vfio-intx(%s)", address);
  else
    name = g_strdup_printf ("vfio-msi%s[%u](%s)",
                            self->irq_type == VFIO_PCI_MSIX_IRQ_INDEX ? "x" : "", vector, address);
  irq = kvmhelper_sim_irq_request (self->function, self->irq_type, vector, name);
  irq->eventfd = eventfd == NULL ? NULL : kvmhelper_sim_file_ref (eventfd);
  irq->count = g_array_index (self->counts, guint64, vector);
  self->vectors->pdata[vector] = irq;
  if (self->irq_type != VFIO_PCI_INTX_IRQ_INDEX)
    kvmhelper_sim_bypass_add_producer (eventfd, irq);
}

static void
set_type (KvmHelperSimVfioDevice *self, guint type, guint vectors)
{
  self->irq_type = type;
  g_ptr_array_set_size (self->vectors, (int) vectors);
  g_array_set_size (self->counts, 0);
  g_array_set_size (self->counts, vectors);
}

/* vfio_intx_disable, vfio_msi_disable */
void
kvmhelper_sim_vfio_disable_irqs (KvmHelperSimVfioDevice *self)
{
  for (guint i = 0; i < self->vectors->len; i++)
    free_vector (self, i);
  g_clear_pointer (&self->unmask, kvmhelper_sim_file_unref);
  set_type (self, VFIO_PCI_NUM_IRQS, 0);
}

/* --- MSI and MSI-X --- */

/* vfio_msi_set_vector_signal */
static int
set_vector (const Request *request, guint vector, int handle)
{
  KvmHelperSimVfioDevice *self = request->device;
  KvmHelperSimFile *eventfd;
  int result;

  if (vector < self->vectors->len)
    free_vector (self, vector);
  if (handle < 0)
    return 0;
  /* vfio_msi_alloc_irq: no more than there were at first */
  if (vector >= self->vectors->len)
    return -EINVAL;
  result = find_eventfd (request->process, handle, &eventfd);
  if (result == 0)
    request_vector (self, vector, eventfd);
  return result;
}

/* vfio_msi_set_block: where one fails, all of them are without one afterwards. */
static int
set_block (const Request *request)
{
  int result = 0;
  guint i;

  for (i = 0; i < request->set.count && result == 0; i++)
    result = set_vector (request, request->set.start + i, handle_of (request, i));
  if (result != 0)
    for (guint j = 0; j < i; j++)
      set_vector (request, request->set.start + j, -1);
  return result;
}

/* vfio_pci_set_msi_trigger */
static int
trigger_msi (const Request *request)
{
  KvmHelperSimVfioDevice *self = request->device;
  const guint count = request->set.count, end = request->set.start + count;
  gboolean enabled = self->irq_type == request->set.index;
  int result;

  if (enabled && count == 0 && has_data (request, VFIO_IRQ_SET_DATA_NONE))
    {
      kvmhelper_sim_vfio_disable_irqs (self);
      return 0;
    }
  if (!enabled && !is_none (self))
    return -EINVAL;
  if (has_data (request, VFIO_IRQ_SET_DATA_EVENTFD))
    {
      if (enabled)
        return set_block (request);
      /* vfio_msi_enable; __pci_enable_msix_range: from 1 to 0 vectors */
      if (end == 0)
        return -ERANGE;
      set_type (self, request->set.index, end);
      result = set_block (request);
      if (result != 0)
        kvmhelper_sim_vfio_disable_irqs (self);
      return result;
    }
  if (!enabled)
    return -EINVAL;
  for (guint i = request->set.start; i < MIN (end, self->vectors->len); i++)
    {
      const KvmHelperSimIrq *irq = self->vectors->pdata[i];

      if (irq != NULL
          && (has_data (request, VFIO_IRQ_SET_DATA_NONE)
              || request->data[i - request->set.start] != 0))
        kvmhelper_sim_eventfd_signal (irq->eventfd);
    }
  return 0;
}

/* --- INTx --- */

static KvmHelperSimIrq *
intx_of (const KvmHelperSimVfioDevice *self)
{
  return self->irq_type == VFIO_PCI_INTX_IRQ_INDEX ? self->vectors->pdata[0] : NULL;
}

/* vfio_intx_enable, vfio_intx_set_signal */
static int
set_intx (const Request *request, int handle)
{
  KvmHelperSimVfioDevice *self = request->device;
  KvmHelperSimFile *eventfd = NULL;
  int result = handle < 0 ? 0 : find_eventfd (request->process, handle, &eventfd);

  if (result != 0)
    return result;
  if (is_none (self))
    set_type (self, VFIO_PCI_INTX_IRQ_INDEX, 1);
  free_vector (self, 0);
  request_vector (self, 0, eventfd);
  return 0;
}

/* vfio_pci_intx_mask, _unmask: what came while it was masked comes now. */
static void
set_masked (KvmHelperSimIrq *irq, gboolean masked)
{
  irq->masked = masked;
  if (masked || !irq->pending)
    return;
  irq->pending = FALSE;
  kvmhelper_sim_irq_raise (irq);
}

static gboolean
says_yes (const Request *request)
{
  return has_data (request, VFIO_IRQ_SET_DATA_NONE) || request->data[0] != 0;
}

/* vfio_pci_set_intx_trigger */
static int
trigger_intx (const Request *request)
{
  KvmHelperSimVfioDevice *self = request->device;
  const KvmHelperSimIrq *irq = intx_of (self);
  gboolean enabled = self->irq_type == VFIO_PCI_INTX_IRQ_INDEX;

  if (enabled && request->set.count == 0 && has_data (request, VFIO_IRQ_SET_DATA_NONE))
    {
      kvmhelper_sim_vfio_disable_irqs (self);
      return 0;
    }
  if ((!enabled && !is_none (self)) || request->set.start != 0 || request->set.count != 1)
    return -EINVAL;
  if (has_data (request, VFIO_IRQ_SET_DATA_EVENTFD))
    return set_intx (request, handle_of (request, 0));
  if (!enabled)
    return -EINVAL;
  if (says_yes (request) && irq->eventfd != NULL)
    kvmhelper_sim_eventfd_signal (irq->eventfd);
  return 0;
}

/* vfio_virqfd_enable: an eventfd that unmasks when it is signalled. Nobody on POWER signals one:
 * for that KVM would have to have KVM_CAP_IRQFD_RESAMPLE. */
static int
set_unmask (const Request *request)
{
  KvmHelperSimVfioDevice *self = request->device;
  KvmHelperSimFile *eventfd;
  int result;

  if (handle_of (request, 0) < 0)
    {
      g_clear_pointer (&self->unmask, kvmhelper_sim_file_unref);
      return 0;
    }
  result = find_eventfd (request->process, handle_of (request, 0), &eventfd);
  if (result == 0 && self->unmask != NULL)
    result = -EBUSY;
  if (result == 0)
    self->unmask = kvmhelper_sim_file_ref (eventfd);
  return result;
}

/* vfio_pci_set_intx_mask, vfio_pci_set_intx_unmask */
static int
mask_intx (const Request *request, gboolean mask)
{
  KvmHelperSimIrq *irq = intx_of (request->device);

  if (irq == NULL || request->set.start != 0 || request->set.count != 1)
    return -EINVAL;
  if (has_data (request, VFIO_IRQ_SET_DATA_EVENTFD))
    return mask ? -ENOTTY : set_unmask (request);
  if (says_yes (request))
    set_masked (irq, mask);
  return 0;
}

/* --- the device's own --- */

/* vfio_pci_set_ctx_trigger_single: for VFIO_PCI_ERR_IRQ_INDEX and _REQ_ */
static int
trigger_single (const Request *request, KvmHelperSimFile **slot)
{
  KvmHelperSimFile *eventfd;
  int handle, result;

  if (has_data (request, VFIO_IRQ_SET_DATA_NONE))
    {
      if (*slot == NULL)
        return -EINVAL;
      if (request->set.count > 0)
        kvmhelper_sim_eventfd_signal (*slot);
      else
        g_clear_pointer (slot, kvmhelper_sim_file_unref);
      return 0;
    }
  if (request->set.count == 0)
    return -EINVAL;
  if (has_data (request, VFIO_IRQ_SET_DATA_BOOL))
    {
      if (request->data[0] != 0 && *slot != NULL)
        kvmhelper_sim_eventfd_signal (*slot);
      return 0;
    }
  handle = handle_of (request, 0);
  if (handle >= 0)
    {
      result = find_eventfd (request->process, handle, &eventfd);
      if (result != 0)
        return result;
      kvmhelper_sim_file_ref (eventfd);
      g_clear_pointer (slot, kvmhelper_sim_file_unref);
      *slot = eventfd;
    }
  else if (handle == -1)
    g_clear_pointer (slot, kvmhelper_sim_file_unref);
  return 0;
}

/* vfio_pci_set_irqs_ioctl */
static int
run (const Request *request)
{
  KvmHelperSimVfioDevice *self = request->device;
  guint action = request->set.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;

  if (request->set.index == VFIO_PCI_INTX_IRQ_INDEX && action == VFIO_IRQ_SET_ACTION_MASK)
    return mask_intx (request, TRUE);
  if (request->set.index == VFIO_PCI_INTX_IRQ_INDEX && action == VFIO_IRQ_SET_ACTION_UNMASK)
    return mask_intx (request, FALSE);
  if (action != VFIO_IRQ_SET_ACTION_TRIGGER)
    return -ENOTTY;
  switch (request->set.index)
    {
    case VFIO_PCI_INTX_IRQ_INDEX:
      return trigger_intx (request);
    case VFIO_PCI_MSI_IRQ_INDEX:
    case VFIO_PCI_MSIX_IRQ_INDEX:
      return trigger_msi (request);
    case VFIO_PCI_ERR_IRQ_INDEX:
      return trigger_single (request, &self->error);
    default:
      return trigger_single (request, &self->request);
    }
}

/* drivers/vfio/vfio_main.c: vfio_set_irqs_validate_and_prepare. *@size: bytes of data */
static int
validate (const Request *request, gsize *size)
{
  const struct vfio_irq_set *set = &request->set;
  const gsize header = END_OF (struct vfio_irq_set, count);
  guint count;

  if (set->argsz < header || set->index >= VFIO_PCI_NUM_IRQS
      || set->count >= G_MAXUINT32 - set->start
      || (set->flags & ~(guint) (VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK)) != 0)
    return -EINVAL;
  count = kvmhelper_sim_vfio_irq_count (request->device, set->index);
  if (set->start >= count || set->start + set->count > count)
    return -EINVAL;
  switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK)
    {
    case VFIO_IRQ_SET_DATA_NONE:
      *size = 0;
      return 0;
    case VFIO_IRQ_SET_DATA_BOOL:
      *size = set->count;
      break;
    case VFIO_IRQ_SET_DATA_EVENTFD:
      *size = set->count * sizeof (gint32);
      break;
    default:
      return -EINVAL;
    }
  return set->argsz - header < *size ? -EINVAL : 0;
}

int
kvmhelper_sim_vfio_set_irqs (KvmHelperSimVfioDevice *self, KvmHelperSimProcess *process,
                             gulong argument)
{
  const gsize header = END_OF (struct vfio_irq_set, count);
  Request request = { self, process, NULL, { 0 } };
  gsize size;
  int result;

  if (kvmhelper_sim_copy_in (argument, &request.set, header) != 0)
    return -EFAULT;
  result = validate (&request, &size);
  if (result != 0)
    return result;
  request.data = g_malloc (size);
  if (kvmhelper_sim_copy_in (argument + header, request.data, size) != 0)
    result = -EFAULT;
  else
    result = run (&request);
  g_free (request.data);
  return result;
}

KvmHelperSimIrq *
kvmhelper_sim_vfio_irq (KvmHelperSimFunction *function, guint index, guint vector)
{
  const KvmHelperSimVfioDevice *self = function->vfio;

  return self == NULL || self->irq_type != index || vector >= self->vectors->len
             ? NULL
             : self->vectors->pdata[vector];
}
