/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-core-host.h"

#include <errno.h>
#include <string.h>

static char *
show_value (gpointer object, gsize *length, int *errnum)
{
  SimCoreHost *host = object;

  return g_strdup_printf ("value %u\n", ++host->shown);
}

static char *
show_nothing (gpointer object, gsize *length, int *errnum)
{
  *errnum = ENXIO;
  return NULL;
}

static char *
show_bytes (gpointer object, gsize *length, int *errnum)
{
  *length = 5;
  return g_memdup2 ("a\0b\0c", 5);
}

static int
store_value (gpointer object, const char *text, gsize length)
{
  SimCoreHost *host = object;

  if (g_str_equal (text, "bad"))
    return -EINVAL;
  g_free (host->stored);
  host->stored = g_strdup (text);
  return 0;
}

static gboolean
is_shown (gpointer object)
{
  return !((SimCoreHost *) object)->hidden;
}

static const KvmHelperSimAttribute attributes[] = {
  { "value", 0644, show_value, store_value, is_shown },
  { "readonly", 0444, show_value },
  { "trigger", 0200, NULL, store_value },
  { "broken", 0444, show_nothing },
  { "bytes", 0444, show_bytes },
  { NULL },
};

/* --- a device --- */

static void
device_release (KvmHelperSimFile *file)
{
  ((SimCoreHost *) file->object)->released++;
}

static void
device_hang_up (KvmHelperSimFile *file)
{
  ((SimCoreHost *) file->object)->hung_up++;
}

static int
device_ioctl (KvmHelperSimFile *file, KvmHelperSimProcess *process, gulong request, gulong argument)
{
  guint64 number = 42;

  return request == 1 ? kvmhelper_sim_copy_out (argument, &number, sizeof number) : -ENOTTY;
}

static int
device_mmap (KvmHelperSimFile *file, KvmHelperSimProcess *process, gsize length, guint64 offset)
{
  return offset >= 0x100000 ? -EINVAL : 0;
}

static gpointer
device_fault (KvmHelperSimFile *file, guint64 page)
{
  return ((SimCoreHost *) file->object)->page;
}

static const KvmHelperSimFileKind device_kind = {
  .release = device_release,
  .hang_up = device_hang_up,
  .ioctl = device_ioctl,
  .mmap = device_mmap,
  .fault = device_fault,
};

static int
open_device (gpointer object, KvmHelperSimProcess *process, int flags, KvmHelperSimFile **file)
{
  SimCoreHost *host = object;

  if (host->hidden)
    return -EBUSY;
  *file = kvmhelper_sim_file_new (process->sim, &device_kind, host);
  return 0;
}

void
sim_core_host_new (SimCoreHost *host)
{
  KvmHelperSimNode *sys, *device;

  *host = (SimCoreHost){ .sim = kvmhelper_sim_new_bare ("test") };
  sys = kvmhelper_sim_tree_root (host->sim, KVMHELPER_SYS);
  device = kvmhelper_sim_directory (sys, "devices/pci0000:00/0000:00:00.0", attributes, host);
  kvmhelper_sim_link_to (kvmhelper_sim_directory (sys, "bus/pci/devices", NULL, NULL),
                         "0000:00:00.0", device);
  kvmhelper_sim_link (sys, "out", "../proc/1");
  kvmhelper_sim_link (sys, "absolute", "/proc/1/comm");
  kvmhelper_sim_link (sys, "loop", "loop");
  kvmhelper_sim_link (sys, "dangling", "nothing/here");
  kvmhelper_sim_text (sys, "text", 0444, "text\n", -1);
  kvmhelper_sim_directory (sys, "kernel/debug/kvm", NULL, NULL);
  kvmhelper_sim_device_node (kvmhelper_sim_tree_root (host->sim, KVMHELPER_DEV), "device", 0600, 10,
                             196, open_device, host);
  host->process = sim_host_start (host->sim, 0);
  host->kernel = kvmhelper_sim_process_kernel (host->process);
}

void
sim_core_host_clear (SimCoreHost *host)
{
  kvmhelper_sim_free (host->sim);
  g_free (host->stored);
}
