/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper-double.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VFIO_MAJOR 246
#define MISC_MAJOR 10
#define VFIO_MINOR 196

static const char *const roots[] = { "sys", "proc", "dev" };

static char *
full_path (KvmHelperDouble *self, const char *path)
{
  return g_build_filename (self->directory, path, NULL);
}

void
kvmhelper_double_bytes (KvmHelperDouble *self, const char *path, const char *bytes, gsize length)
{
  g_autofree char *full = full_path (self, path);
  g_autofree char *directory = g_path_get_dirname (full);

  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_assert_true (g_file_set_contents (full, bytes, (gssize) length, NULL));
}

void
kvmhelper_double_file (KvmHelperDouble *self, const char *path, const char *text)
{
  kvmhelper_double_bytes (self, path, text, strlen (text));
}

void
kvmhelper_double_link (KvmHelperDouble *self, const char *path, const char *target)
{
  g_autofree char *full = full_path (self, path);
  g_autofree char *directory = g_path_get_dirname (full);

  g_assert_cmpint (g_mkdir_with_parents (directory, 0700), ==, 0);
  g_unlink (full);
  g_assert_cmpint (symlink (target, full), ==, 0);
}

static void
remove_tree (const char *path)
{
  GDir *directory = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  if (directory != NULL)
    g_dir_close (directory);
  g_remove (path);
}

void
kvmhelper_double_remove (KvmHelperDouble *self, const char *path)
{
  g_autofree char *full = full_path (self, path);

  remove_tree (full);
}

/* --- what is where --- */

static char *
device_path (const char *address, const char *name)
{
  return g_strdup_printf ("sys/devices/pci%.4s:00/%s/%s", address, address, name);
}

static char *
read_file (KvmHelperDouble *self, const char *path)
{
  g_autofree char *full = full_path (self, path);
  char *text = NULL;

  return g_file_get_contents (full, &text, NULL, NULL) ? g_strstrip (text) : g_strdup ("");
}

static char *
read_link (KvmHelperDouble *self, const char *path)
{
  g_autofree char *full = full_path (self, path);
  g_autofree char *target = g_file_read_link (full, NULL);

  return target == NULL ? g_strdup ("") : g_path_get_basename (target);
}

char *
kvmhelper_double_driver (KvmHelperDouble *self, const char *address)
{
  g_autofree char *path = device_path (address, "driver");

  return read_link (self, path);
}

char *
kvmhelper_double_override (KvmHelperDouble *self, const char *address)
{
  g_autofree char *path = device_path (address, "driver_override");
  g_autofree char *text = read_file (self, path);

  return g_str_equal (text, "(null)") ? g_strdup ("") : g_steal_pointer (&text);
}

void
kvmhelper_double_assert (KvmHelperDouble *self, const char *address, const char *driver,
                         const char *override)
{
  g_autofree char *its_driver = kvmhelper_double_driver (self, address);
  g_autofree char *its_override = kvmhelper_double_override (self, address);

  g_assert_cmpstr (its_driver, ==, driver);
  g_assert_cmpstr (its_override, ==, override);
}

static gboolean
device_exists (KvmHelperDouble *self, const char *address)
{
  g_autofree char *path = device_path (address, "vendor");
  g_autofree char *full = full_path (self, path);

  return g_file_test (full, G_FILE_TEST_EXISTS);
}

/* The node of a group is there while one of its functions is on vfio-pci. */
static void
update_node (KvmHelperDouble *self, const char *address)
{
  g_autofree char *link = device_path (address, "iommu_group");
  g_autofree char *group = read_link (self, link);
  g_autofree char *members = g_strdup_printf ("sys/kernel/iommu_groups/%s/devices", group);
  g_autofree char *full = full_path (self, members);
  g_autofree char *node = g_strdup_printf ("dev/vfio/%s", group);
  g_autoptr (GDir) directory = g_dir_open (full, 0, NULL);
  gboolean wanted = FALSE;
  const char *name;

  if (*group == '\0')
    return;
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *driver = kvmhelper_double_driver (self, name);

      wanted = wanted || g_str_equal (driver, "vfio-pci");
    }
  if (wanted)
    kvmhelper_double_file (self, node, "");
  else
    kvmhelper_double_remove (self, node);
}

static void
set_driver (KvmHelperDouble *self, const char *address, const char *driver)
{
  g_autofree char *path = device_path (address, "driver");
  g_autofree char *target = g_strconcat ("../../../bus/pci/drivers/", driver, NULL);

  if (*driver == '\0')
    kvmhelper_double_remove (self, path);
  else
    kvmhelper_double_link (self, path, target);
  update_node (self, address);
}

static void
make_driver (KvmHelperDouble *self, const char *driver)
{
  g_autofree char *bind = g_strdup_printf ("sys/bus/pci/drivers/%s/bind", driver);
  g_autofree char *unbind = g_strdup_printf ("sys/bus/pci/drivers/%s/unbind", driver);

  kvmhelper_double_file (self, bind, "");
  kvmhelper_double_file (self, unbind, "");
}

static void
set_identity (KvmHelperDouble *self, const char *address, const char *device, int header)
{
  static const char *const names[] = { "vendor", "subsystem_vendor", "subsystem_device", "class" };
  static const char *const values[] = { "0x8086\n", "0x8086\n", "0x0000\n", "0x020000\n" };
  g_autofree char *device_file = device_path (address, "device");
  g_autofree char *config = device_path (address, "config");
  char bytes[64] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = device_path (address, names[i]);

      kvmhelper_double_file (self, path, values[i]);
    }
  kvmhelper_double_file (self, device_file, device);
  bytes[0x0e] = (char) (header | 0x80); /* of several functions */
  kvmhelper_double_bytes (self, config, bytes, sizeof bytes);
}

void
kvmhelper_double_function (KvmHelperDouble *self, const char *address, int group,
                           const char *driver, int header)
{
  g_autofree char *link = g_strdup_printf ("sys/bus/pci/devices/%s", address);
  g_autofree char *target = g_strdup_printf ("../../../devices/pci%.4s:00/%s", address, address);
  g_autofree char *natural = device_path (address, "natural");
  g_autofree char *override = device_path (address, "driver_override");

  set_identity (self, address, "0x10d3\n", header);
  kvmhelper_double_link (self, link, target);
  kvmhelper_double_file (self, natural, driver);
  kvmhelper_double_file (self, override, "(null)\n");
  if (group >= 0)
    {
      g_autofree char *its_group = device_path (address, "iommu_group");
      g_autofree char *group_target = g_strdup_printf ("../../../kernel/iommu_groups/%d", group);
      g_autofree char *member
          = g_strdup_printf ("sys/kernel/iommu_groups/%d/devices/%s", group, address);
      g_autofree char *name = g_strdup_printf ("sys/kernel/iommu_groups/%d/name", group);
      g_autofree char *text = g_strdup_printf (
          "domain%u-pe1f%x\n", (guint) g_ascii_strtoull (address, NULL, 16), (guint) group);

      kvmhelper_double_link (self, its_group, group_target);
      kvmhelper_double_link (self, member, "../../../..");
      kvmhelper_double_file (self, name, text);
    }
  if (*driver != '\0')
    {
      make_driver (self, driver);
      set_driver (self, address, driver);
    }
}

PciAddress
kvmhelper_double_address (const char *text)
{
  PciAddress address;

  g_assert_true (pci_address_parse (text, &address, NULL));
  return address;
}

void
kvmhelper_double_replace (KvmHelperDouble *self, const char *address)
{
  set_identity (self, address, "0x1533\n", 0);
}

void
kvmhelper_double_unplug (KvmHelperDouble *self, const char *address)
{
  g_autofree char *link = g_strdup_printf ("sys/bus/pci/devices/%s", address);
  g_autofree char *group = device_path (address, "iommu_group");
  g_autofree char *number = read_link (self, group);
  g_autofree char *member
      = g_strdup_printf ("sys/kernel/iommu_groups/%s/devices/%s", number, address);
  g_autofree char *directory = device_path (address, "");

  kvmhelper_double_remove (self, member);
  kvmhelper_double_remove (self, link);
  kvmhelper_double_remove (self, directory);
}

void
kvmhelper_double_hold (KvmHelperDouble *self, guint pid, guint group)
{
  g_autofree char *link = g_strdup_printf ("proc/%u/fd/%u", pid, 20 + group);
  g_autofree char *target = g_strdup_printf ("/dev/vfio/%u", group);
  g_autofree char *stat = g_strdup_printf ("proc/%u/stat", pid);
  g_autofree char *text = g_strdup_printf ("%u (qemu) x) S 1 1 1\n", pid);

  kvmhelper_double_link (self, link, target);
  kvmhelper_double_file (self, stat, text);
}

void
kvmhelper_double_let_go (KvmHelperDouble *self, guint pid)
{
  g_autofree char *path = g_strdup_printf ("proc/%u", pid);

  kvmhelper_double_remove (self, path);
}

void
kvmhelper_double_hold_in_kernel (KvmHelperDouble *self, guint group, gboolean held)
{
  g_autofree char *path = g_strdup_printf ("held/%u", group);

  if (held)
    kvmhelper_double_file (self, path, "");
  else
    kvmhelper_double_remove (self, path);
}

/* --- how it reacts --- */

static int
unbind (KvmHelperDouble *self, const char *driver, const char *address)
{
  g_autofree char *bound = kvmhelper_double_driver (self, address);

  if (!g_str_equal (bound, driver))
    return -ENODEV;
  set_driver (self, address, "");
  return 0;
}

static int
bind (KvmHelperDouble *self, const char *driver, const char *address)
{
  g_autofree char *bound = kvmhelper_double_driver (self, address);
  g_autofree char *override = kvmhelper_double_override (self, address);

  if (!device_exists (self, address) || *bound != '\0'
      || (*override != '\0' && !g_str_equal (override, driver)))
    return -ENODEV;
  if (g_strcmp0 (self->liar, driver) != 0)
    set_driver (self, address, driver);
  return 0;
}

/* Success also where no driver takes the function. */
static int
probe (KvmHelperDouble *self, const char *address)
{
  g_autofree char *bound = kvmhelper_double_driver (self, address);
  g_autofree char *override = kvmhelper_double_override (self, address);
  g_autofree char *natural_path = device_path (address, "natural");
  g_autofree char *natural = read_file (self, natural_path);
  const char *driver = *override == '\0' ? natural : override;
  g_autofree char *directory = g_strconcat ("sys/bus/pci/drivers/", driver, NULL);
  g_autofree char *full = full_path (self, directory);

  if (!device_exists (self, address))
    return -EINVAL;
  if (*bound == '\0' && *driver != '\0' && g_file_test (full, G_FILE_TEST_IS_DIR)
      && g_strcmp0 (self->liar, driver) != 0)
    set_driver (self, address, driver);
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
      g_autofree char *file = device_path (address, "driver_override");

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
                          g_strdup_printf ("%s/%s", roots[root], path));
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
  g_autofree char *relative = g_strdup_printf ("%s/%s", roots[root], path);
  g_autofree char *full = full_path (self, relative);
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

static const KvmHelperKernelCalls double_calls = {
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

KvmHelperDouble *
kvmhelper_double_attach (const char *directory)
{
  KvmHelperDouble *self = g_new0 (KvmHelperDouble, 1);
  g_autofree char *sys = g_build_filename (directory, "sys", NULL);
  g_autofree char *proc = g_build_filename (directory, "proc", NULL);
  g_autofree char *dev = g_build_filename (directory, "dev", NULL);
  GError *error = NULL;

  self->directory = g_strdup (directory);
  self->base = kvmhelper_kernel_linux_new (sys, proc, dev, &error);
  g_assert_no_error (error);
  self->kernel = (KvmHelperKernel){ &double_calls, self, 0x10000, 4242 };
  self->open_paths = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

KvmHelperDouble *
kvmhelper_double_new (void)
{
  g_autofree char *directory = g_dir_make_tmp ("kvmhelper-XXXXXX", NULL);
  KvmHelperDouble *self;

  for (guint i = 0; i < G_N_ELEMENTS (roots); i++)
    {
      g_autofree char *path = g_build_filename (directory, roots[i], NULL);

      g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
    }
  self = kvmhelper_double_attach (directory);
  make_driver (self, "vfio-pci");
  kvmhelper_double_file (self, "sys/bus/pci/drivers_probe", "");
  kvmhelper_double_file (self, "dev/vfio/vfio", "");
  kvmhelper_double_file (self, "proc/sys/kernel/random/boot_id",
                         "0b0b0b0b-1111-2222-3333-444444444444\n");
  kvmhelper_double_file (self, "proc/sys/kernel/osrelease", "6.12.107\n");
  return self;
}

void
kvmhelper_double_detach (KvmHelperDouble *self)
{
  kvmhelper_kernel_linux_free (self->base);
  g_hash_table_unref (self->open_paths);
  g_free (self->directory);
  g_free (self);
}

void
kvmhelper_double_free (KvmHelperDouble *self)
{
  remove_tree (self->directory);
  kvmhelper_double_detach (self);
}
