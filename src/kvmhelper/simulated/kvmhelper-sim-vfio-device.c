/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-pci.h"
#include "kvmhelper/simulated/kvmhelper-sim-vfio.h"

/*
 * A function that is open, anon_inode:[vfio-device]: drivers/vfio/pci/vfio_pci_core.c. Whoever has
 * the handle may use it, of whatever address space: what is checked is who could open it.
 */

/* Of an offset in the file, which is in a region. */
#define REGION_MASK ((G_GUINT64_CONSTANT (1) << KVMHELPER_SIM_VFIO_REGION_SHIFT) - 1)
/* The model's BARs are all of this size. */
#define BAR_SIZE 0x10000

gboolean
kvmhelper_sim_vfio_device_gone (const KvmHelperSimVfioDevice *self)
{
  return self->function->absent || self->function->node == NULL;
}

/* Reads of what does not answer give all ones. */
static gboolean
is_silent (const KvmHelperSimVfioDevice *self)
{
  return kvmhelper_sim_vfio_device_gone (self) || kvmhelper_sim_eeh_silent (self->function);
}

guint64
kvmhelper_sim_vfio_region_size (const KvmHelperSimVfioDevice *self, guint index)
{
  if (index == VFIO_PCI_CONFIG_REGION_INDEX)
    return 4096;
  return index < MIN (self->function->regions, 7) ? BAR_SIZE : 0;
}

/* --- what a user reads and writes --- */

/* vfio_pci_bar_rw. The seam has no pread: it is BAR 0 that is read and written, once from its start
 * to its end. */
static gssize
pass_over (KvmHelperSimFile *file, gsize length)
{
  guint64 size = kvmhelper_sim_vfio_region_size (file->object, VFIO_PCI_BAR0_REGION_INDEX);

  if (length == 0)
    return 0;
  if (file->position >= size)
    return -EINVAL;
  length = MIN (length, size - file->position);
  file->position += length;
  return (gssize) length;
}

/* Registers do nothing in the model. */
static gssize
device_read (KvmHelperSimFile *file, void *buffer, gsize length)
{
  gssize count = pass_over (file, length);

  if (count > 0)
    memset (buffer, is_silent (file->object) ? 0xff : 0, (gsize) count);
  return count;
}

static gssize
device_write (KvmHelperSimFile *file, const void *buffer, gsize length)
{
  return pass_over (file, length);
}

/* vfio_pci_core_mmap: BARs alone. */
static int
device_mmap (KvmHelperSimFile *file, KvmHelperSimProcess *process, gsize length, guint64 offset)
{
  KvmHelperSimVfioDevice *self = file->object;
  guint64 index = offset >> KVMHELPER_SIM_VFIO_REGION_SHIFT;
  guint64 start = offset & REGION_MASK;

  if (index >= VFIO_PCI_ROM_REGION_INDEX)
    return -EINVAL;
  return start + length > kvmhelper_sim_vfio_region_size (self, (guint) index) ? -EINVAL : 0;
}

/* vfio_pci_mmap_fault: its memory is switched on as long as it is open. */
static gpointer
device_fault (KvmHelperSimFile *file, guint64 page)
{
  return file->object;
}

static guint64
device_load (KvmHelperSimFile *file, gpointer page, guint64 offset)
{
  return is_silent (page) ? G_MAXUINT64 : 0;
}

/* --- opening and closing --- */

/* vfio_pci_open_device, vfio_pci_core_enable: the function is reset, and EEH knows of it. */
static void
enable (KvmHelperSimVfioDevice *self)
{
  self->function->powered = TRUE;
  kvmhelper_sim_eeh_open (self->function);
}

/* vfio_pci_core_close_device */
static void
disable (KvmHelperSimVfioDevice *self)
{
  kvmhelper_sim_eeh_close (self->function);
  kvmhelper_sim_vfio_disable_irqs (self);
  g_clear_pointer (&self->error, kvmhelper_sim_file_unref);
  g_clear_pointer (&self->request, kvmhelper_sim_file_unref);
  self->function->powered = FALSE;
}

static void
device_release (KvmHelperSimFile *file)
{
  KvmHelperSimVfioDevice *self = file->object;

  if (--self->opens > 0)
    return;
  disable (self);
  kvmhelper_sim_vfio_group_unuse (self->group);
}

/* vfio_pci_core_ioctl_feature knows tokens of VFs and power states, which take a device that the
 * model has not; drivers/vfio/vfio_main.c: vfio_ioctl_device_feature */
static int
feature (gulong argument)
{
  struct vfio_device_feature request;

  if (kvmhelper_sim_copy_in (argument, &request, sizeof request) != 0)
    return -EFAULT;
  return request.argsz < sizeof request ? -EINVAL : -ENOTTY;
}

/* vfio_pci_core_ioctl */
static int
device_ioctl (KvmHelperSimFile *file, KvmHelperSimProcess *process, gulong request, gulong argument)
{
  KvmHelperSimVfioDevice *self = file->object;

  switch ((guint) request)
    {
    case VFIO_DEVICE_GET_INFO:
      return kvmhelper_sim_vfio_get_info (self, argument);
    case VFIO_DEVICE_GET_REGION_INFO:
      return kvmhelper_sim_vfio_get_region_info (self, argument);
    case VFIO_DEVICE_GET_IRQ_INFO:
      return kvmhelper_sim_vfio_get_irq_info (self, argument);
    case VFIO_DEVICE_SET_IRQS:
      return kvmhelper_sim_vfio_set_irqs (self, process, argument);
    case VFIO_DEVICE_RESET:
      return kvmhelper_sim_vfio_reset (self);
    case VFIO_DEVICE_GET_PCI_HOT_RESET_INFO:
      return kvmhelper_sim_vfio_hot_reset_info (self, argument);
    case VFIO_DEVICE_PCI_HOT_RESET:
      return kvmhelper_sim_vfio_hot_reset (self, process, argument);
    case VFIO_DEVICE_FEATURE:
      return feature (argument);
    default:
      return -ENOTTY;
    }
}

static const KvmHelperSimFileKind device_kind = {
  .link = "anon_inode:[vfio-device]",
  .release = device_release,
  .ioctl = device_ioctl,
  .read = device_read,
  .write = device_write,
  .mmap = device_mmap,
  .fault = device_fault,
  .load = device_load,
};

int
kvmhelper_sim_vfio_device_open (KvmHelperSimVfioDevice *self, KvmHelperSimFile **file)
{
  int result;

  /* vfio_df_group_open: the container first, then its driver */
  if (self->group->container == NULL)
    return -EINVAL;
  if (self->opens == 0)
    {
      result = kvmhelper_sim_vfio_group_use (self->group);
      if (result != 0)
        return result;
      enable (self);
    }
  self->opens++;
  *file = kvmhelper_sim_file_new (self->function->sim, &device_kind, self);
  return 0;
}

/* vfio_pci_core_match: the address, and after a blank options, of which there is one,
 * vf_token=UUID: wanted of a VF whose PF is on vfio-pci, which then makes none, and refused of all
 * others. */
int
kvmhelper_sim_vfio_device_match (KvmHelperSimVfioDevice *self, const char *name)
{
  char address[PCI_ADDRESS_LEN];

  pci_address_format (&self->function->address, address);
  if (!g_str_has_prefix (name, address))
    return 0;
  name += strlen (address);
  if (*name != '\0' && *name != ' ')
    return 0;
  while (*name == ' ')
    name++;
  return *name == '\0' ? 1 : -EINVAL;
}

/* --- to and from the driver --- */

/* ida_alloc_max: the lowest that no device has, of whatever group. */
static guint
free_index (KvmHelperSim *sim)
{
  const GPtrArray *groups = sim->vfio;
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; i < groups->len; i++)
    {
      const GPtrArray *devices = ((const KvmHelperSimVfioGroup *) groups->pdata[i])->devices;

      for (guint j = 0; j < devices->len; j++)
        g_array_append_val (taken, ((KvmHelperSimVfioDevice *) devices->pdata[j])->index);
    }
  return kvmhelper_sim_vfio_lowest_free (taken);
}

/* vfio_pci_probe: the function may be opened. */
int
kvmhelper_sim_vfio_probe (KvmHelperSimFunction *function)
{
  KvmHelperSimVfioDevice *self;

  /* vfio_group_find_or_alloc; Linux 5.19 to 6.3 ask for a capability that no IOMMU of POWER has */
  if (function->group == NULL || !function->sim->profile.vfio_binds)
    return EINVAL;
  self = g_new0 (KvmHelperSimVfioDevice, 1);
  self->function = function;
  self->index = free_index (function->sim);
  self->irq_type = VFIO_PCI_NUM_IRQS;
  self->vectors = g_ptr_array_new ();
  self->counts = g_array_new (FALSE, TRUE, sizeof (guint64));
  self->group = kvmhelper_sim_vfio_group_join (function);
  g_ptr_array_add (self->group->devices, self);
  function->vfio = self;
  function->powered = FALSE; /* until it is opened: disable_idle_d3 is not set */
  kvmhelper_sim_vfio_publish_device (self);
  return 0;
}

/* vfio_pci_core_request: the user is asked to give it back; the kernel asks every ten seconds. */
static void
ask_back (KvmHelperSimVfioDevice *self)
{
  char address[PCI_ADDRESS_LEN];

  pci_address_format (&self->function->address, address);
  if (self->request != NULL)
    {
      if (self->requests++ % 10 == 0)
        kvmhelper_sim_log (self->function->sim,
                           "vfio-pci %s: Relaying device request to user (#%u)", address,
                           self->requests - 1);
      kvmhelper_sim_eventfd_signal (self->request);
    }
  else if (self->requests++ == 0)
    kvmhelper_sim_log (self->function->sim,
                       "vfio-pci %s: No device request channel registered, blocked until released "
                       "by user",
                       address);
}

/* vfio_unregister_group_dev: nobody opens it any more, and when the last user has closed it, it is
 * gone. */
gboolean
kvmhelper_sim_vfio_remove (KvmHelperSimFunction *function)
{
  KvmHelperSimVfioDevice *self = function->vfio;

  if (self == NULL)
    return TRUE;
  if (!self->leaving)
    {
      self->leaving = TRUE;
      g_ptr_array_remove (self->group->devices, self);
      kvmhelper_sim_vfio_withdraw_device (self);
      if (self->opens > 0)
        ask_back (self);
    }
  if (self->opens > 0)
    return FALSE;
  function->vfio = NULL;
  kvmhelper_sim_vfio_group_leave (self->group);
  g_ptr_array_unref (self->vectors);
  g_array_unref (self->counts);
  g_free (self);
  return TRUE;
}

KvmHelperSimGroup *
kvmhelper_sim_vfio_group (const KvmHelperSimFile *file, gboolean *is_device)
{
  KvmHelperSimVfioGroup *group = kvmhelper_sim_vfio_group_of (file);

  if (is_device != NULL)
    *is_device = file->kind == &device_kind;
  if (file->kind == &device_kind)
    group = ((KvmHelperSimVfioDevice *) file->object)->group;
  return group == NULL ? NULL : group->group;
}
