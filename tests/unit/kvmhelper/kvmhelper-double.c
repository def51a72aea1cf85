/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper-double-private.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

const char *const kvmhelper_double_roots[] = { "sys", "proc", "dev" };

char *
kvmhelper_double_full_path (KvmHelperDouble *self, const char *path)
{
  return g_build_filename (self->directory, path, NULL);
}

void
kvmhelper_double_bytes (KvmHelperDouble *self, const char *path, const char *bytes, gsize length)
{
  g_autofree char *full = kvmhelper_double_full_path (self, path);
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
  g_autofree char *full = kvmhelper_double_full_path (self, path);
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
  g_autofree char *full = kvmhelper_double_full_path (self, path);

  remove_tree (full);
}

char *
kvmhelper_double_device_path (const char *address, const char *name)
{
  return g_strdup_printf ("sys/devices/pci%.4s:00/%s/%s", address, address, name);
}

char *
kvmhelper_double_read_file (KvmHelperDouble *self, const char *path)
{
  g_autofree char *full = kvmhelper_double_full_path (self, path);
  char *text = NULL;

  return g_file_get_contents (full, &text, NULL, NULL) ? g_strstrip (text) : g_strdup ("");
}

char *
kvmhelper_double_read_link (KvmHelperDouble *self, const char *path)
{
  g_autofree char *full = kvmhelper_double_full_path (self, path);
  g_autofree char *target = g_file_read_link (full, NULL);

  return target == NULL ? g_strdup ("") : g_path_get_basename (target);
}

char *
kvmhelper_double_driver (KvmHelperDouble *self, const char *address)
{
  g_autofree char *path = kvmhelper_double_device_path (address, "driver");

  return kvmhelper_double_read_link (self, path);
}

char *
kvmhelper_double_override (KvmHelperDouble *self, const char *address)
{
  g_autofree char *path = kvmhelper_double_device_path (address, "driver_override");
  g_autofree char *text = kvmhelper_double_read_file (self, path);

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

gboolean
kvmhelper_double_device_exists (KvmHelperDouble *self, const char *address)
{
  g_autofree char *path = kvmhelper_double_device_path (address, "vendor");
  g_autofree char *full = kvmhelper_double_full_path (self, path);

  return g_file_test (full, G_FILE_TEST_EXISTS);
}

/* The node of a group is there while one of its functions is on vfio-pci. */
static void
update_node (KvmHelperDouble *self, const char *address)
{
  g_autofree char *link = kvmhelper_double_device_path (address, "iommu_group");
  g_autofree char *group = kvmhelper_double_read_link (self, link);
  g_autofree char *members = g_strdup_printf ("sys/kernel/iommu_groups/%s/devices", group);
  g_autofree char *full = kvmhelper_double_full_path (self, members);
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

void
kvmhelper_double_set_driver (KvmHelperDouble *self, const char *address, const char *driver)
{
  g_autofree char *path = kvmhelper_double_device_path (address, "driver");
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
  g_autofree char *device_file = kvmhelper_double_device_path (address, "device");
  g_autofree char *config = kvmhelper_double_device_path (address, "config");
  char bytes[64] = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = kvmhelper_double_device_path (address, names[i]);

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
  g_autofree char *natural = kvmhelper_double_device_path (address, "natural");
  g_autofree char *override = kvmhelper_double_device_path (address, "driver_override");

  set_identity (self, address, "0x10d3\n", header);
  kvmhelper_double_link (self, link, target);
  kvmhelper_double_file (self, natural, driver);
  kvmhelper_double_file (self, override, "(null)\n");
  if (group >= 0)
    {
      g_autofree char *its_group = kvmhelper_double_device_path (address, "iommu_group");
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
      kvmhelper_double_set_driver (self, address, driver);
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
  g_autofree char *group = kvmhelper_double_device_path (address, "iommu_group");
  g_autofree char *number = kvmhelper_double_read_link (self, group);
  g_autofree char *member
      = g_strdup_printf ("sys/kernel/iommu_groups/%s/devices/%s", number, address);
  g_autofree char *directory = kvmhelper_double_device_path (address, "");

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
  self->kernel = (KvmHelperKernel){ &kvmhelper_double_calls, self, 0x10000, 4242 };
  self->open_paths = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

KvmHelperDouble *
kvmhelper_double_new (void)
{
  g_autofree char *directory = g_dir_make_tmp ("kvmhelper-XXXXXX", NULL);
  KvmHelperDouble *self;

  for (guint i = 0; i < G_N_ELEMENTS (kvmhelper_double_roots); i++)
    {
      g_autofree char *path = g_build_filename (directory, kvmhelper_double_roots[i], NULL);

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
