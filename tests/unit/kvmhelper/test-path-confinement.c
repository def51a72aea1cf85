/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-group.h"
#include "kvmhelper/kvmhelper-hold.h"

/* A sysfs whose links lead out of it, below the very calls that the helper has for Linux: nothing
 * outside is opened, read or written. The tree is a double's, whose kernel plays no part. */

#define FIRST  "0003:01:00.0"
#define DEVICE "sys/devices/pci0003:00/" FIRST

/* What an outside file has, and keeps. */
#define SECRET "a secret\n"

typedef struct
{
  KvmHelperDouble *host;
  KvmHelperKernel *kernel; /* Linux, on that tree */
  char *outside;           /* a directory beside it */
  char *secret;            /* a file in it */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autofree char *sys = NULL;
  g_autofree char *dev = NULL;
  g_autofree char *bind = NULL;
  g_autoptr (GError) error = NULL;

  fixture->host = kvmhelper_double_new ();
  kvmhelper_double_function (fixture->host, FIRST, 3, "e1000e", 0);
  sys = g_build_filename (fixture->host->directory, "sys", NULL);
  dev = g_build_filename (fixture->host->directory, "dev", NULL);
  /* /proc is the real one: it has magic links. */
  fixture->kernel = kvmhelper_kernel_linux_new (sys, "/proc", dev, &error);
  g_assert_no_error (error);
  fixture->outside = g_dir_make_tmp ("outside-XXXXXX", NULL);
  fixture->secret = g_build_filename (fixture->outside, "vendor", NULL);
  bind = g_build_filename (fixture->outside, "bind", NULL);
  g_assert_true (g_file_set_contents (fixture->secret, SECRET, -1, NULL));
  g_assert_true (g_file_set_contents (bind, SECRET, -1, NULL));
}

static void
check_untouched (Fixture *fixture, const char *name)
{
  g_autofree char *path = g_build_filename (fixture->outside, name, NULL);
  g_autofree char *text = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_cmpstr (text, ==, SECRET);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  GDir *directory = g_dir_open (fixture->outside, 0, NULL);
  guint count = 0;
  const char *name;

  check_untouched (fixture, "vendor");
  check_untouched (fixture, "bind");
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->outside, name, NULL);

      g_remove (path);
      count++;
    }
  g_assert_cmpuint (count, ==, 2); /* nothing was made there */
  g_dir_close (directory);
  g_rmdir (fixture->outside);
  g_free (fixture->outside);
  g_free (fixture->secret);
  kvmhelper_kernel_linux_free (fixture->kernel);
  kvmhelper_double_free (fixture->host);
}

/* To the outside from a directory that is @depth levels below the double's. */
static char *
way_out (Fixture *fixture, guint depth, const char *name)
{
  g_autofree char *base = g_path_get_basename (fixture->outside);
  GString *path = g_string_new (NULL);

  for (guint i = 0; i < depth + 1; i++)
    g_string_append (path, "../");
  g_string_append_printf (path, "%s/%s", base, name);
  return g_string_free (path, FALSE);
}

static void
expect_refused (Fixture *fixture, KvmHelperRoot root, const char *path, int errnum)
{
  const KvmHelperKernelCalls *calls = fixture->kernel->calls;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (calls->open (fixture->kernel->data, root, path, O_RDONLY), ==, -errnum);
  g_assert_cmpint (calls->open (fixture->kernel->data, root, path, O_WRONLY), ==, -errnum);
  g_assert_cmpint (calls->open (fixture->kernel->data, root, path, O_RDWR | O_CREAT | O_TRUNC), ==,
                   -errnum);
  g_assert_cmpint (calls->list (fixture->kernel->data, root, path, names), <, 0);
  g_assert_cmpuint (names->len, ==, 0);
  g_assert_false (kvmhelper_kernel_write (fixture->kernel, root, path, "x", &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
}

/* Links of every kind, as the last part of a path and in the middle. */
static void
test_links (Fixture *fixture, gconstpointer data)
{
  g_autofree char *out = way_out (fixture, 1, "vendor");
  g_autofree char *out_directory = way_out (fixture, 1, ".");

  kvmhelper_double_link (fixture->host, "sys/absolute", fixture->secret);
  kvmhelper_double_link (fixture->host, "sys/relative", out);
  kvmhelper_double_link (fixture->host, "sys/directory", fixture->outside);
  kvmhelper_double_link (fixture->host, "sys/up", out_directory);
  kvmhelper_double_link (fixture->host, "sys/chain", "relative");
  /* It would lead to where it is, by way of the real root. */
  kvmhelper_double_link (fixture->host, "sys/root", fixture->host->directory);

  expect_refused (fixture, KVMHELPER_SYS, "absolute", EXDEV);
  expect_refused (fixture, KVMHELPER_SYS, "relative", EXDEV);
  expect_refused (fixture, KVMHELPER_SYS, "chain", EXDEV);
  expect_refused (fixture, KVMHELPER_SYS, "directory/vendor", EXDEV);
  expect_refused (fixture, KVMHELPER_SYS, "up/vendor", EXDEV);
  expect_refused (fixture, KVMHELPER_SYS, "root/sys/bus/pci/drivers_probe", EXDEV);
  expect_refused (fixture, KVMHELPER_SYS, "../proc", EXDEV);
  expect_refused (fixture, KVMHELPER_SYS, "bus/../../sys/bus", EXDEV);
  expect_refused (fixture, KVMHELPER_SYS, "/etc/passwd", EXDEV);
}

/* Those of /proc lead anywhere, whatever their text is: they can be read, and not followed. */
static void
test_magic_links (Fixture *fixture, gconstpointer data)
{
  const KvmHelperKernelCalls *calls = fixture->kernel->calls;
  int fd = open (fixture->secret, O_RDONLY | O_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("%u/fd/%d", (guint) getpid (), fd);
  g_autofree char *text = kvmhelper_kernel_readlink (fixture->kernel, KVMHELPER_PROC, path);
  g_autofree char *root = g_strdup_printf ("%u/root/etc/passwd", (guint) getpid ());
  g_autofree char *cwd = g_strdup_printf ("%u/cwd/vendor", (guint) getpid ());

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpstr (text, ==, fixture->secret);
  g_assert_cmpint (calls->open (fixture->kernel->data, KVMHELPER_PROC, path, O_RDONLY), ==, -ELOOP);
  g_assert_cmpint (calls->open (fixture->kernel->data, KVMHELPER_PROC, root, O_RDONLY), ==, -ELOOP);
  g_assert_cmpint (calls->open (fixture->kernel->data, KVMHELPER_PROC, cwd, O_RDONLY), ==, -ELOOP);
  close (fd);
}

/* Nor does a directory that is held let anybody out. */
static void
test_held_directory (Fixture *fixture, gconstpointer data)
{
  const KvmHelperKernelCalls *calls = fixture->kernel->calls;
  int directory = calls->open (fixture->kernel->data, KVMHELPER_SYS, "bus/pci/devices/" FIRST,
                               O_RDONLY | O_DIRECTORY);
  g_autofree char *text = NULL;
  char buffer[64];

  g_assert_cmpint (directory, >=, 0);
  kvmhelper_double_link (fixture->host, DEVICE "/subsystem", fixture->secret);
  g_assert_cmpint (
      calls->open_at (fixture->kernel->data, directory, "../" FIRST "/vendor", O_RDONLY), ==,
      -EXDEV);
  g_assert_cmpint (calls->open_at (fixture->kernel->data, directory, "driver/bind", O_WRONLY), ==,
                   -EXDEV);
  g_assert_cmpint (calls->open_at (fixture->kernel->data, directory, "subsystem", O_WRONLY), ==,
                   -EXDEV);
  g_assert_cmpint (calls->readlink_at (fixture->kernel->data, directory, "../../x", buffer, 64), ==,
                   -EXDEV);
  g_assert_cmpint (kvmhelper_kernel_read_at (fixture->kernel, directory, "vendor", 64, &text), ==,
                   0);
  g_assert_cmpstr (text, ==, "0x8086\n");
  kvmhelper_kernel_close (fixture->kernel, directory);
}

/* The device itself is elsewhere: it is no device. */
static void
test_device (Fixture *fixture, gconstpointer data)
{
  PciAddress address = kvmhelper_double_address (FIRST);
  const KvmHelperIdentity identity = { 0x8086, 0x10d3, 0x8086, 0, 0x020000 };
  g_autoptr (GError) error = NULL;

  kvmhelper_double_link (fixture->host, "sys/bus/pci/devices/" FIRST, fixture->outside);
  g_assert_null (kvmhelper_group_read (fixture->kernel, &address, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  g_clear_error (&error);
  g_assert_null (kvmhelper_hold_new (fixture->kernel, &address, &identity, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
}

static KvmHelperLease *
make_lease (Fixture *fixture)
{
  PciAddress address = kvmhelper_double_address (FIRST);
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperGroup) group = kvmhelper_group_read (fixture->kernel, &address, &error);

  g_assert_no_error (error);
  return kvmhelper_lease_new ("boot", "4dea22b3-1d52-d8f3-2516-782e98ab3fa0", "guest", &address,
                              group->members);
}

static void
expect_not_taken (Fixture *fixture, KvmHelperLease *lease)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (kvmhelper_binding_take (fixture->kernel, lease, NULL, &error));
  g_test_message ("%s", error->message);
}

/* Each file that taking a device writes to, as a link to the outside. */
static void
test_written_files (Fixture *fixture, gconstpointer data)
{
  static const char *const files[]
      = { DEVICE "/driver_override", "sys/bus/pci/drivers_probe",
          "sys/bus/pci/drivers/e1000e/unbind", "sys/bus/pci/drivers/vfio-pci" };

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autoptr (KvmHelperLease) lease = make_lease (fixture);
      g_autofree char *text = g_build_filename (fixture->host->directory, files[i], NULL);
      g_autofree char *kept = g_strconcat (text, ".kept", NULL);

      g_assert_cmpint (g_rename (text, kept), ==, 0);
      kvmhelper_double_link (fixture->host, files[i], fixture->secret);
      expect_not_taken (fixture, lease);
      g_assert_cmpint (g_unlink (text), ==, 0);
      g_assert_cmpint (g_rename (kept, text), ==, 0);
      /* A file, and no kernel: what the writes left in it. */
      kvmhelper_double_file (fixture->host, DEVICE "/driver_override", "(null)\n");
    }
}

/* The driver's name is the last part of its link, and becomes a part of a path. */
static void
test_driver_names (Fixture *fixture, gconstpointer data)
{
  g_autofree char *slash = g_strconcat (fixture->outside, "/", NULL);
  g_autofree char *up = g_strconcat (fixture->outside, "/..", NULL);
  const char *targets[] = { "..", ".", slash, up };
  PciAddress address = kvmhelper_double_address (FIRST);

  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    {
      g_autofree char *driver = NULL;

      kvmhelper_double_link (fixture->host, DEVICE "/driver", targets[i]);
      driver = kvmhelper_function_driver (fixture->kernel, &address);
      g_assert_cmpstr (driver, ==, "");
    }
}

#define ADD(name, test)                                                                            \
  g_test_add ("/kvmhelper/path-confinement/" name, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  ADD ("links", test_links);
  ADD ("magic-links", test_magic_links);
  ADD ("held-directory", test_held_directory);
  ADD ("device", test_device);
  ADD ("written-files", test_written_files);
  ADD ("driver-names", test_driver_names);
  return g_test_run ();
}
