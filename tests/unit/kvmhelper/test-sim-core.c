/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>

#include "sim-core-host.h"

/* The simulated host without hardware: trees, files and handles. What is expected here is what
 * Linux answers; tests/conformance asks it the same. */

static int
try_open (const SimCoreHost *host, const KvmHelperKernel *kernel, const char *path, int flags)
{
  int handle = kvmhelper_kernel_open (kernel, KVMHELPER_SYS, path, flags);

  if (handle < 0)
    return handle;
  kvmhelper_kernel_close (kernel, handle);
  return 0;
}

static gssize
read_some (const KvmHelperKernel *kernel, int handle, char *buffer, gsize size)
{
  gssize n = kernel->calls->read (kernel->data, handle, buffer, size - 1);

  buffer[MAX (n, 0)] = '\0';
  return n;
}

static void
test_attribute (void)
{
  SimCoreHost host;
  char text[64];
  int first, second;

  sim_core_host_new (&host);
  const KvmHelperKernel *kernel = host.kernel;
  const KvmHelperKernelCalls *calls = kernel->calls;

  /* The text is made by the first read, and kept for this open file alone. */
  first = kvmhelper_kernel_open (kernel, KVMHELPER_SYS, SIM_CORE_ATTRIBUTES "value", O_RDWR);
  second = kvmhelper_kernel_open (kernel, KVMHELPER_SYS, SIM_CORE_ATTRIBUTES "value", O_RDONLY);
  g_assert_cmpint (first, >=, 3);
  g_assert_cmpint (second, ==, first + 1);
  g_assert_cmpuint (host.shown, ==, 0);
  g_assert_cmpint (read_some (kernel, first, text, 4), ==, 3);
  g_assert_cmpstr (text, ==, "val");
  g_assert_cmpint (read_some (kernel, second, text, sizeof text), ==, 8);
  g_assert_cmpstr (text, ==, "value 2\n");
  g_assert_cmpint (read_some (kernel, first, text, sizeof text), ==, 5);
  g_assert_cmpstr (text, ==, "ue 1\n");
  g_assert_cmpint (read_some (kernel, first, text, sizeof text), ==, 0);
  g_assert_cmpuint (host.shown, ==, 2);

  g_assert_cmpint (calls->write (kernel->data, first, "two words", 9), ==, 9);
  g_assert_cmpstr (host.stored, ==, "two words");
  g_assert_cmpint (calls->write (kernel->data, first, "bad", 3), ==, -EINVAL);
  g_assert_cmpint (calls->write (kernel->data, first, "", 0), ==, 0);
  g_assert_cmpstr (host.stored, ==, "two words");
  g_assert_cmpint (calls->write (kernel->data, second, "x", 1), ==, -EBADF);
  g_assert_cmpint (calls->ioctl (kernel->data, first, 1, 0), ==, -ENOTTY);
  g_assert_cmpint (calls->ioctl (kernel->data, 77, 1, 0), ==, -EBADF);

  /* One that is gone answers ENODEV to those who have it open. */
  host.hidden = TRUE;
  g_assert_cmpint (calls->write (kernel->data, first, "x", 1), ==, -ENODEV);
  g_assert_cmpint (try_open (&host, kernel, SIM_CORE_ATTRIBUTES "value", O_RDONLY), ==, -ENOENT);
  host.hidden = FALSE;
  kvmhelper_sim_remove (kvmhelper_sim_tree_root (host.sim, KVMHELPER_SYS), "devices");
  g_assert_cmpint (read_some (kernel, second, text, sizeof text), ==, -ENODEV);
  g_assert_cmpint (calls->write (kernel->data, first, "x", 1), ==, -ENODEV);
  g_assert_cmpint (try_open (&host, kernel, SIM_CORE_ATTRIBUTES "value", O_RDONLY), ==, -ENOENT);
  calls->close (kernel->data, first);
  calls->close (kernel->data, second);
  g_assert_cmpuint (kvmhelper_sim_handles (host.sim), ==, 0);
  sim_core_host_clear (&host);
}

static void
test_errors_of_attributes (void)
{
  SimCoreHost host;
  g_autofree char *bytes = NULL;
  char text[64];
  gsize length;
  int handle;

  sim_core_host_new (&host);
  bytes = kvmhelper_kernel_read (host.kernel, KVMHELPER_SYS, SIM_CORE_ATTRIBUTES "bytes", 100,
                                 &length, NULL);
  g_assert_cmpmem (bytes, length, "a\0b\0c", 5);
  handle
      = kvmhelper_kernel_open (host.kernel, KVMHELPER_SYS, SIM_CORE_ATTRIBUTES "broken", O_RDONLY);
  g_assert_cmpint (read_some (host.kernel, handle, text, sizeof text), ==, -ENXIO);
  g_assert_cmpint (host.kernel->calls->read (host.kernel->data, handle, (void *) 16, 8), ==,
                   -ENXIO);
  handle = kvmhelper_kernel_open (host.kernel, KVMHELPER_SYS, SIM_CORE_ATTRIBUTES "readonly",
                                  O_RDONLY);
  g_assert_cmpint (host.kernel->calls->read (host.kernel->data, handle, (void *) 16, 8), ==,
                   -EFAULT);
  handle
      = kvmhelper_kernel_open (host.kernel, KVMHELPER_SYS, SIM_CORE_ATTRIBUTES "trigger", O_WRONLY);
  g_assert_cmpint (host.kernel->calls->read (host.kernel->data, handle, text, 8), ==, -EBADF);
  g_assert_cmpint (host.kernel->calls->write (host.kernel->data, handle, (void *) 16, 8), ==,
                   -EFAULT);
  sim_core_host_clear (&host);
}

static void
test_modes (void)
{
  SimCoreHost host;

  sim_core_host_new (&host);
  const KvmHelperKernel *root = host.kernel;
  const KvmHelperKernel *user = kvmhelper_sim_process_kernel (sim_host_start (host.sim, 64055));

  /* sysfs refuses root too what no function is there for. */
  g_assert_cmpint (try_open (&host, root, SIM_CORE_ATTRIBUTES "readonly", O_WRONLY), ==, -EACCES);
  g_assert_cmpint (try_open (&host, root, SIM_CORE_ATTRIBUTES "trigger", O_RDONLY), ==, -EACCES);
  g_assert_cmpint (try_open (&host, root, SIM_CORE_ATTRIBUTES "trigger", O_WRONLY), ==, 0);
  g_assert_cmpint (try_open (&host, user, SIM_CORE_ATTRIBUTES "readonly", O_RDONLY), ==, 0);
  g_assert_cmpint (try_open (&host, user, SIM_CORE_ATTRIBUTES "value", O_RDWR), ==, -EACCES);
  g_assert_cmpint (try_open (&host, user, "kernel/debug/kvm", O_RDONLY), ==, -EACCES);
  g_assert_cmpint (try_open (&host, root, "kernel/debug/kvm", O_RDONLY), ==, 0);
  g_assert_cmpint (kvmhelper_kernel_open (user, KVMHELPER_DEV, "device", O_RDWR), ==, -EACCES);
  sim_core_host_clear (&host);
}

static void
test_paths (void)
{
  SimCoreHost host;
  KvmHelperStat stat;
  char buffer[64];
  g_autofree char *link = NULL, *name = NULL;

  sim_core_host_new (&host);
  const KvmHelperKernel *kernel = host.kernel;
  const KvmHelperKernelCalls *calls = kernel->calls;

  g_assert_cmpint (try_open (&host, kernel, "nothing", O_RDONLY), ==, -ENOENT);
  g_assert_cmpint (try_open (&host, kernel, "", O_RDONLY), ==, -ENOENT);
  g_assert_cmpint (try_open (&host, kernel, "nothing", O_WRONLY | O_CREAT), ==, -EACCES);
  g_assert_cmpint (try_open (&host, kernel, "text", O_RDONLY | O_DIRECTORY), ==, -ENOTDIR);
  g_assert_cmpint (try_open (&host, kernel, "text/", O_RDONLY), ==, -ENOTDIR);
  g_assert_cmpint (try_open (&host, kernel, "text/more", O_RDONLY), ==, -ENOTDIR);
  g_assert_cmpint (try_open (&host, kernel, "devices", O_RDWR), ==, -EISDIR);
  g_assert_cmpint (try_open (&host, kernel, "./devices//../text", O_RDONLY), ==, 0);
  g_assert_cmpint (try_open (&host, kernel, "loop", O_RDONLY), ==, -ELOOP);
  g_assert_cmpint (try_open (&host, kernel, "text", O_RDONLY | O_NOFOLLOW), ==, 0);
  g_assert_cmpint (try_open (&host, kernel, "loop", O_RDONLY | O_NOFOLLOW), ==, -ELOOP);
  g_assert_cmpint (try_open (&host, kernel, "dangling", O_RDONLY), ==, -ENOENT);
  g_assert_cmpint (try_open (&host, kernel, "text", O_PATH), ==, -EINVAL);
  /* out of the root */
  g_assert_cmpint (try_open (&host, kernel, "../proc/1/comm", O_RDONLY), ==, -EXDEV);
  g_assert_cmpint (try_open (&host, kernel, "/text", O_RDONLY), ==, -EXDEV);
  g_assert_cmpint (try_open (&host, kernel, "out/comm", O_RDONLY), ==, -EXDEV);
  g_assert_cmpint (try_open (&host, kernel, "absolute", O_RDONLY), ==, -EXDEV);
  g_assert_cmpint (kvmhelper_kernel_stat (kernel, KVMHELPER_SYS, "absolute", &stat), ==, 0);
  g_assert_cmpuint (stat.mode, ==, (S_IFREG | 0644));
  g_assert_cmpint (kvmhelper_kernel_stat (kernel, KVMHELPER_SYS, "out/comm", &stat), ==, 0);
  g_assert_cmpint (kvmhelper_kernel_stat (kernel, KVMHELPER_SYS, "out", &stat), ==, 0);
  g_assert_true (S_ISDIR (stat.mode));

  link = kvmhelper_kernel_readlink (kernel, KVMHELPER_SYS, "bus/pci/devices/0000:00:00.0");
  g_assert_cmpstr (link, ==, "../../../devices/pci0000:00/0000:00:00.0");
  name = kvmhelper_kernel_readlink (kernel, KVMHELPER_SYS, "bus/pci/devices/0000:00:00.0/");
  g_assert_null (name);
  g_assert_cmpint (calls->readlink (kernel->data, KVMHELPER_SYS, "text", buffer, 64), ==, -EINVAL);
  g_assert_cmpint (calls->readlink (kernel->data, KVMHELPER_SYS, "devices", buffer, 64), ==,
                   -EINVAL);
  g_assert_cmpint (calls->readlink (kernel->data, KVMHELPER_SYS, "none", buffer, 64), ==, -ENOENT);
  g_assert_cmpint (calls->readlink (kernel->data, KVMHELPER_SYS, "loop", buffer, 2), ==, 2);
  g_assert_cmpint (calls->readlink (kernel->data, KVMHELPER_SYS, "loop", buffer, 0), ==, -EINVAL);
  sim_core_host_clear (&host);
}

static void
test_list (void)
{
  SimCoreHost host;
  g_autoptr (GPtrArray) names = NULL;
  g_autoptr (GPtrArray) none = g_ptr_array_new_with_free_func (g_free);

  sim_core_host_new (&host);
  const KvmHelperKernel *kernel = host.kernel;

  names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, "bus/pci/devices/0000:00:00.0");
  g_assert_cmpuint (names->len, ==, 5);
  g_assert_cmpstr (names->pdata[0], ==, "broken");
  g_assert_cmpint (kernel->calls->list (kernel->data, KVMHELPER_SYS, "text", none), ==, -ENOTDIR);
  g_assert_cmpint (kernel->calls->list (kernel->data, KVMHELPER_SYS, "none", none), ==, -ENOENT);
  g_assert_cmpint (kernel->calls->list (kernel->data, KVMHELPER_SYS, "..", none), ==, -EXDEV);
  g_assert_cmpuint (none->len, ==, 0);
  sim_core_host_clear (&host);
}

static void
test_handles (void)
{
  SimCoreHost host;
  int handle, last = 0;
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  char buffer[8];

  sim_core_host_new (&host);
  const KvmHelperKernel *kernel = host.kernel;
  const KvmHelperKernelCalls *calls = kernel->calls;

  while ((handle = calls->eventfd (kernel->data)) >= 0)
    last = handle;
  g_assert_cmpint (handle, ==, -EMFILE);
  g_assert_cmpint (last, ==, KVMHELPER_SIM_MAX_HANDLES - 1);
  g_assert_cmpint (try_open (&host, kernel, "nothing", O_RDONLY), ==, -EMFILE);
  g_assert_cmpint (calls->list (kernel->data, KVMHELPER_SYS, ".", names), ==, -EMFILE);
  g_assert_cmpint (calls->readlink (kernel->data, KVMHELPER_SYS, "loop", buffer, 8), ==, -EMFILE);
  calls->close (kernel->data, 7);
  g_assert_cmpint (calls->eventfd (kernel->data), ==, 7);
  calls->close (kernel->data, 7);
  calls->close (kernel->data, 7);
  calls->close (kernel->data, -1);
  calls->close (kernel->data, 100000);
  g_assert_cmpuint (kvmhelper_sim_handles (host.sim), ==, KVMHELPER_SIM_MAX_HANDLES - 4);
  sim_core_host_clear (&host);
}

/* From a directory that is open: below it as below a root; and when it is removed nothing is in it,
 * also when another one has its name (fs/kernfs/dir.c: kernfs_remove; seen on a real kernel by
 * tests/power9/test-busy). */
static void
test_held_directory (void)
{
  SimCoreHost host;
  char text[64] = "";
  int directory, file;

  sim_core_host_new (&host);
  const KvmHelperKernel *kernel = host.kernel;
  const KvmHelperKernelCalls *calls = kernel->calls;
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (host.sim, KVMHELPER_SYS);

  directory = kvmhelper_kernel_open (kernel, KVMHELPER_SYS, "bus/pci/devices/0000:00:00.0",
                                     O_RDONLY | O_DIRECTORY);
  g_assert_cmpint (directory, >=, 0);
  file = calls->open_at (kernel->data, directory, "value", O_RDWR);
  g_assert_cmpint (file, ==, directory + 1);
  g_assert_cmpint (calls->write (kernel->data, file, "held", 4), ==, 4);
  g_assert_cmpstr (host.stored, ==, "held");
  g_assert_cmpint (calls->open_at (kernel->data, directory, "../0000:00:00.0/value", O_RDONLY), ==,
                   -EXDEV);
  g_assert_cmpint (calls->open_at (kernel->data, directory, "/value", O_RDONLY), ==, -EXDEV);
  g_assert_cmpint (calls->open_at (kernel->data, directory, "nothing", O_RDONLY), ==, -ENOENT);
  g_assert_cmpint (calls->open_at (kernel->data, file, "value", O_RDONLY), ==, -ENOTDIR);
  g_assert_cmpint (calls->open_at (kernel->data, 77, "value", O_RDONLY), ==, -EBADF);
  g_assert_cmpint (calls->readlink_at (kernel->data, directory, "value", text, 64), ==, -EINVAL);
  g_assert_cmpint (calls->readlink_at (kernel->data, 77, "value", text, 64), ==, -EBADF);

  kvmhelper_sim_remove (kvmhelper_sim_directory (sys, "devices/pci0000:00", NULL, NULL),
                        "0000:00:00.0");
  kvmhelper_sim_text (kvmhelper_sim_directory (sys, "devices/pci0000:00/0000:00:00.0", NULL, NULL),
                      "value", 0444, "another\n", -1);
  g_assert_cmpint (try_open (&host, kernel, SIM_CORE_ATTRIBUTES "value", O_RDONLY), >=, 0);
  g_assert_cmpint (calls->open_at (kernel->data, directory, "value", O_RDONLY), ==, -ENOENT);
  g_assert_cmpint (calls->readlink_at (kernel->data, directory, "value", text, 64), ==, -ENOENT);
  g_assert_cmpint (calls->write (kernel->data, file, "x", 1), ==, -ENODEV);
  calls->close (kernel->data, file);
  calls->close (kernel->data, directory);
  sim_core_host_clear (&host);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim-core/attribute", test_attribute);
  g_test_add_func ("/sim-core/errors-of-attributes", test_errors_of_attributes);
  g_test_add_func ("/sim-core/modes", test_modes);
  g_test_add_func ("/sim-core/paths", test_paths);
  g_test_add_func ("/sim-core/list", test_list);
  g_test_add_func ("/sim-core/handles", test_handles);
  g_test_add_func ("/sim-core/held-directory", test_held_directory);
  return g_test_run ();
}
