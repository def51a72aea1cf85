/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kvmhelper-double.h"

/* What leads out of a root is refused by the kernel itself. */
static void
test_confinement (void)
{
  g_autoptr (KvmHelperDouble) host = kvmhelper_double_new ();
  const KvmHelperKernel *linux_side = host->base;
  g_autofree char *here = NULL;

  kvmhelper_double_file (host, "secret", "s\n");
  kvmhelper_double_file (host, "sys/a/inside", "i\n");
  kvmhelper_double_link (host, "sys/a/relative", "../../secret");
  kvmhelper_double_link (host, "sys/a/absolute", "/etc/passwd");
  kvmhelper_double_link (host, "sys/b/good", "../a/inside");
  g_assert_cmpint (kvmhelper_kernel_open (linux_side, KVMHELPER_SYS, "../secret", O_RDONLY), ==,
                   -EXDEV);
  g_assert_cmpint (kvmhelper_kernel_open (linux_side, KVMHELPER_SYS, "a/relative", O_RDONLY), ==,
                   -EXDEV);
  g_assert_cmpint (kvmhelper_kernel_open (linux_side, KVMHELPER_SYS, "a/absolute", O_RDONLY), ==,
                   -EXDEV);
  g_assert_cmpint (kvmhelper_kernel_open (linux_side, KVMHELPER_SYS, "/etc/passwd", O_RDONLY), ==,
                   -EXDEV);
  here = kvmhelper_kernel_read_line (linux_side, KVMHELPER_SYS, "b/good");
  g_assert_cmpstr (here, ==, "i");
}

/* Links in /proc/PID/fd are read, and what they lead to is looked at, but never opened. */
static void
test_magic_links (void)
{
  g_autoptr (GError) error = NULL;
  KvmHelperKernel *kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", &error);
  int null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("%d/fd/%d", (int) getpid (), null);
  g_autofree char *text = NULL;
  KvmHelperStat stat;

  g_assert_no_error (error);
  g_assert_cmpint (kvmhelper_kernel_open (kernel, KVMHELPER_PROC, path, O_RDONLY), ==, -ELOOP);
  text = kvmhelper_kernel_readlink (kernel, KVMHELPER_PROC, path);
  g_assert_cmpstr (text, ==, "/dev/null");
  g_assert_cmpint (kvmhelper_kernel_stat (kernel, KVMHELPER_PROC, path, &stat), ==, 0);
  g_assert_cmpuint (stat.major, ==, 1);
  g_assert_cmpuint (stat.minor, ==, 3);
  g_assert_cmpuint (kernel->pid, ==, getpid ());
  close (null);
  kvmhelper_kernel_linux_free (kernel);
}

static void
test_reading (void)
{
  g_autoptr (KvmHelperDouble) host = kvmhelper_double_new ();
  const KvmHelperKernel *kernel = &host->kernel;
  g_autofree char *cut = NULL;
  g_autofree char *none = NULL;
  g_autofree char *no_link = NULL;
  g_autoptr (GPtrArray) names = NULL;
  g_autoptr (GError) error = NULL;
  guint64 number = 77;
  gsize length;

  kvmhelper_double_file (host, "sys/x/hex", "0x10d3\n");
  kvmhelper_double_file (host, "sys/x/decimal", "12\n");
  kvmhelper_double_file (host, "sys/x/text", "12 monkeys\n");
  g_assert_true (kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, "x/hex", &number));
  g_assert_cmpuint (number, ==, 0x10d3);
  g_assert_true (kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, "x/decimal", &number));
  g_assert_cmpuint (number, ==, 12);
  g_assert_false (kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, "x/text", &number));
  g_assert_false (kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, "x/none", &number));
  g_assert_cmpuint (number, ==, 12);
  cut = kvmhelper_kernel_read (kernel, KVMHELPER_SYS, "x/text", 4, &length, NULL);
  g_assert_cmpstr (cut, ==, "12 m");
  g_assert_cmpuint (length, ==, 4);
  none = kvmhelper_kernel_read (kernel, KVMHELPER_SYS, "x/none", 4, NULL, &error);
  g_assert_null (none);
  g_assert_nonnull (strstr (error->message, "/sys/x/none: "));
  no_link = kvmhelper_kernel_readlink (kernel, KVMHELPER_SYS, "x/text");
  g_assert_null (no_link);
  names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, "x");
  g_assert_cmpuint (names->len, ==, 3);
  g_assert_cmpstr (names->pdata[0], ==, "decimal");
  g_assert_cmpuint (g_hash_table_size (host->open_paths), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/kernel/confinement", test_confinement);
  g_test_add_func ("/kvmhelper/kernel/magic-links", test_magic_links);
  g_test_add_func ("/kvmhelper/kernel/reading", test_reading);
  return g_test_run ();
}
