/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper-double-private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VFIO_MAJOR 246
#define MISC_MAJOR 10
#define VFIO_MINOR 196

/* --- how it reacts --- */

static int
unbind (KvmHelperDouble *self, const char *driver, const char *address)
{
  g_autofree char *bound = kvmhelper_double_driver (self, address);

  if (!g_str_equal (bound, driver))
    return -ENODEV;
  kvmhelper_double_set_driver (self, address, "");
  return 0;
}

static int
bind (KvmHelperDouble *self, const char *driver, const char *address)
{
  g_autofree char *bound = kvmhelper_double_driver (self, address);
  g_autofree char *override = kvmhelper_double_override (self, address);

  if (!kvmhelper_double_device_exists (self, address) || *bound != '\0'
      || (*override != '\0' && !g_str_equal (override, driver)))
    return -ENODEV;
  if (g_strcmp0 (self->liar, driver) != 0)
    kvmhelper_double_set_driver (self, address, driver);
  return 0;
}

/* Success also where no driver takes the function. */
static int
probe (KvmHelperDouble *self, const char *address)
{
  g_autofree char *bound = kvmhelper_double_driver (self, address);
  g_autofree char *override = kvmhelper_double_override (self, address);
  g_autofree char *natural_path = kvmhelper_double_device_path (address, "natural");
  g_autofree char *natural = kvmhelper_double_read_file (self, natural_path);
  const char *driver = *override == '\0' ? natural : override;
  g_autofree char *directory = g_strconcat ("sys/bus/pci/drivers/", driver, NULL);
  g_autofree char *full = kvmhelper_double_full_path (self, directory);

  if (!kvmhelper_double_device_exists (self, address))
    return -EINVAL;
  if (*bound == '\0' && *driver != '\0' && g_file_test (full, G_FILE_TEST_IS_DIR)
      && g_strcmp0 (self->liar, driver) != 0)
    kvmhelper_double_set_driver (self, address, driver);
  return 0;
}

/* The device whose attribute @path is: "0000:01:00.0", or NULL. */
static const char *
attribute_of (const char *path, const char *attribute, char *address)
{
  const char *prefix = "sys/bus/pci/devices/";

  if (!g_str_has_prefix (path, prefix) || !g_str_has_suffix (path, attribute))
    return NULL;
  g_strlcpy (address, path + strlen (prefix), 13);
  return address;
}

static int
react (KvmHelperDouble *self, const char *path, const char *text)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", -1);
  guint n = g_strv_length (parts);
  char address[13];

  if (attribute_of (path, "/driver_override", address) != NULL)
    {
      g_autofree char *file = kvmhelper_double_device_path (address, "driver_override");

      kvmhelper_double_file (self, file, g_str_equal (text, "\n") ? "(null)\n" : text);
      return 0;
    }
  if (n == 6 && g_str_equal (parts[3], "drivers") && g_str_equal (parts[5], "unbind"))
    return unbind (self, parts[4], text);
  if (g_str_equal (path, "sys/bus/pci/drivers_probe"))
    return probe (self, text);
  if (n == 6 && g_str_equal (parts[3], "drivers") && g_str_equal (parts[5], "bind"))
    return bind (self, parts[4], text);
  return -EINVAL;
}

/* --- calls --- */

/* What no code may read while a guest runs: docs/kernel-defects.rst. */
static gboolean
is_deadly (KvmHelperDouble *self, const char *path)
{
  g_autofree char *ours = g_strdup_printf ("kernel/debug/kvm/%u-", self->kernel.pid);

  return g_str_equal (path, "kernel/debug/powerpc/xive/interrupts")
         || (g_str_has_prefix (path, "kernel/debug/kvm/") && g_str_has_suffix (path, "/xive")
             && !g_str_has_prefix (path, ours));
}

static int
double_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  KvmHelperDouble *self = data;
  g_autofree char *held
      = g_strconcat (self->directory, "/held/", path + MIN (strlen (path), 5), NULL);
  int handle;

  self->calls++;
  g_assert_false (root == KVMHELPER_SYS && is_deadly (self, path));
  if (root == KVMHELPER_DEV && g_str_has_prefix (path, "vfio/") && g_ascii_isdigit (path[5]))
    {
      self->group_opens++;
      if (g_file_test (held, G_FILE_TEST_EXISTS))
        return -EBUSY;
    }
  handle = self->base->calls->open (self->base->data, root, path, flags);
  if (handle >= 0)
    g_hash_table_replace (self->open_paths, GINT_TO_POINTER (handle),
                          g_strdup_printf ("%s/%s", kvmhelper_double_roots[root], path));
  return handle;
}

static int
double_open_at (gpointer data, int directory, const char *path, int flags)
{
  KvmHelperDouble *self = data;
  const char *above = g_hash_table_lookup (self->open_paths, GINT_TO_POINTER (directory));
  int handle;

  self->calls++;
  handle = self->base->calls->open_at (self->base->data, directory, path, flags);
  if (handle >= 0)
    g_hash_table_replace (self->open_paths, GINT_TO_POINTER (handle),
                          g_strconcat (above, "/", path, NULL));
  return handle;
}

static gssize
double_readlink_at (gpointer data, int directory, const char *path, char *buffer, gsize size)
{
  KvmHelperDouble *self = data;

  self->calls++;
  return self->base->calls->readlink_at (self->base->data, directory, path, buffer, size);
}

static void
double_close (gpointer data, int handle)
{
  KvmHelperDouble *self = data;

  g_hash_table_remove (self->open_paths, GINT_TO_POINTER (handle));
  self->base->calls->close (self->base->data, handle);
}

static gssize
double_read (gpointer data, int handle, void *buffer, gsize length)
{
  KvmHelperDouble *self = data;

  self->calls++;
  return self->base->calls->read (self->base->data, handle, buffer, length);
}

static gssize
double_write (gpointer data, int handle, const void *buffer, gsize length)
{
  KvmHelperDouble *self = data;
  g_autofree char *text = g_strndup (buffer, length);
  const char *path = g_hash_table_lookup (self->open_paths, GINT_TO_POINTER (handle));
  int answer;

  self->calls++;
  self->writes++;
  if (self->fail_at == self->writes)
    return -self->fail_errno;
  answer = react (self, path, text);
  if (self->crash_at == self->writes)
    _exit (0);
  return answer < 0 ? answer : (gssize) length;
}

static gssize
double_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  KvmHelperDouble *self = data;

  self->calls++;
  return self->base->calls->readlink (self->base->data, root, path, buffer, size);
}

static int
double_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  KvmHelperDouble *self = data;

  self->calls++;
  return self->base->calls->list (self->base->data, root, path, names);
}

/* Nodes are plain files here; what a node's name, or a link to it, says is its number. */
static int
double_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  KvmHelperDouble *self = data;
  g_autofree char *relative = g_strdup_printf ("%s/%s", kvmhelper_double_roots[root], path);
  g_autofree char *full = kvmhelper_double_full_path (self, relative);
  g_autofree char *target = g_file_read_link (full, NULL);
  const char *node = root == KVMHELPER_DEV ? path : NULL;

  self->calls++;
  if (root == KVMHELPER_PROC && target != NULL)
    node = g_str_has_prefix (target, "/dev/") ? target + 5 : "";
  if (node == NULL)
    return self->base->calls->stat (self->base->data, root, path, result);
  if (root == KVMHELPER_DEV && !g_file_test (full, G_FILE_TEST_EXISTS))
    return -ENOENT;
  *result = (KvmHelperStat){ S_IFREG, 0, 0 };
  if (g_str_equal (node, "vfio/vfio"))
    *result = (KvmHelperStat){ S_IFCHR, MISC_MAJOR, VFIO_MINOR };
  else if (g_str_has_prefix (node, "vfio/"))
    *result = (KvmHelperStat){ S_IFCHR, VFIO_MAJOR, (guint) g_ascii_strtoull (node + 5, NULL, 10) };
  return 0;
}

static int
double_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  KvmHelperDouble *self = data;

  self->calls++;
  return self->ioctl == NULL ? -ENOTTY : self->ioctl (self->ioctl_data, handle, request, argument);
}

/* The whole of what a rehearsal maps is address space only; what it loads is 8 bytes of it. */
static int
double_mmap (gpointer data, int handle, gsize length, guint64 offset, void **address)
{
  *address = g_malloc (1);
  return 0;
}

static int
double_munmap (gpointer data, void *address, gsize length)
{
  g_free (address);
  return 0;
}

static guint64
double_load (gpointer data, const void *address)
{
  return 1;
}

static int
double_eventfd (gpointer data)
{
  KvmHelperDouble *self = data;

  return self->base->calls->eventfd (self->base->data);
}

/* There is no process that it could have a handle of. */
static int
double_pidfd (gpointer data, guint pid)
{
  return -ESRCH;
}

static int
double_memlock (gpointer data, guint pid, const KvmHelperLimit *limit, KvmHelperLimit *before)
{
  return -ESRCH;
}

static int
double_receive (gpointer data, int fd)
{
  close (fd);
  return -EBADF;
}

const KvmHelperKernelCalls kvmhelper_double_calls = {
  .open = double_open,
  .open_at = double_open_at,
  .readlink_at = double_readlink_at,
  .close = double_close,
  .read = double_read,
  .write = double_write,
  .readlink = double_readlink,
  .list = double_list,
  .stat = double_stat,
  .ioctl = double_ioctl,
  .mmap = double_mmap,
  .munmap = double_munmap,
  .load = double_load,
  .eventfd = double_eventfd,
  .pidfd = double_pidfd,
  .memlock = double_memlock,
  .receive = double_receive,
};
