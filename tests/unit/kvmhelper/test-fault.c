/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-fault.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-abi.h"

/* The rules over a double of a kernel: its files are real ones, so that what was not made shows. */

typedef struct
{
  KvmHelperDouble *host;
  KvmHelperFaults *faults;
  KvmHelperKernel *kernel;
  GString *events;
  guint ioctls;
} Fixture;

static void
note (Fixture *fixture, const char *what, const PciAddress *address)
{
  char name[PCI_ADDRESS_LEN];

  g_string_append_printf (fixture->events, "%s %s;", what,
                          address == NULL ? "" : pci_address_format (address, name));
}

static void
on_kill (gpointer data)
{
  note (data, "kill", NULL);
}

static void
on_vanish (const PciAddress *address, gpointer data)
{
  note (data, "vanish", address);
}

static void
on_replace (const PciAddress *address, gpointer data)
{
  note (data, "replace", address);
}

static int
on_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  ((Fixture *) data)->ioctls++;
  return 7;
}

static void
set_up (Fixture *fixture, gconstpointer rules)
{
  const KvmHelperFaultHooks hooks = { on_kill, on_vanish, on_replace, fixture };
  const char *list[] = { rules, NULL };
  GError *error = NULL;

  fixture->host = kvmhelper_double_new ();
  fixture->host->ioctl = on_ioctl;
  fixture->host->ioctl_data = fixture;
  kvmhelper_double_file (fixture->host, "sys/one", "first");
  kvmhelper_double_file (fixture->host, "sys/dir/two", "second");
  kvmhelper_double_file (fixture->host, "dev/vfio/3", "");
  kvmhelper_double_link (fixture->host, "sys/link", "dir/two");
  fixture->events = g_string_new (NULL);
  fixture->faults = kvmhelper_faults_parse (list, &hooks, &error);
  g_assert_no_error (error);
  fixture->kernel = kvmhelper_faults_wrap (fixture->faults, &fixture->host->kernel);
}

static void
tear_down (Fixture *fixture, gconstpointer rules)
{
  kvmhelper_faults_unwrap (fixture->kernel);
  kvmhelper_faults_free (fixture->faults);
  kvmhelper_double_free (fixture->host);
  g_string_free (fixture->events, TRUE);
}

static void
assert_reads (Fixture *fixture, const char *path, const char *expected)
{
  g_autofree char *text = kvmhelper_kernel_read_line (fixture->kernel, KVMHELPER_SYS, path);

  g_assert_cmpstr (text, ==, expected);
}

static void
test_nothing (Fixture *fixture, gconstpointer rules)
{
  assert_reads (fixture, "one", "first");
  g_assert_cmpuint (kvmhelper_faults_count (fixture->faults), ==, 0);
  /* open, two reads, close */
  g_assert_cmpuint (kvmhelper_faults_calls (fixture->faults), ==, 4);
  g_assert_cmpuint (fixture->kernel->page_size, ==, fixture->host->kernel.page_size);
}

static void
test_errno (Fixture *fixture, gconstpointer rules)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const KvmHelperKernel *kernel = fixture->kernel;
  char buffer[16];

  /* "read *two 2 EIO; list ENOMEM; stat /sys/one EACCES; readlink *sys?link ELOOP; eventfd EMFILE"
   */
  assert_reads (fixture, "one", "first");
  assert_reads (fixture, "dir/two", NULL);
  assert_reads (fixture, "dir/two", "second");
  g_assert_cmpint (kernel->calls->list (kernel->data, KVMHELPER_SYS, ".", names), ==, -ENOMEM);
  g_assert_cmpuint (names->len, ==, 0);
  g_assert_false (kvmhelper_kernel_exists (kernel, KVMHELPER_SYS, "one"));
  g_assert_true (kvmhelper_kernel_exists (kernel, KVMHELPER_SYS, "dir/two"));
  g_assert_cmpint (kernel->calls->readlink (kernel->data, KVMHELPER_SYS, "link", buffer, 16), ==,
                   -ELOOP);
  g_assert_cmpint (kernel->calls->eventfd (kernel->data), ==, -EMFILE);
  g_assert_cmpstr (kvmhelper_faults_rule (fixture->faults, 0), ==, "read *two 2 EIO");
  for (guint i = 0; i < kvmhelper_faults_count (fixture->faults); i++)
    g_assert_cmpuint (kvmhelper_faults_struck (fixture->faults, i), ==, 1);
}

static void
test_ioctl (Fixture *fixture, gconstpointer rules)
{
  const KvmHelperKernel *kernel = fixture->kernel;
  int group = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "vfio/3", O_RDWR);

  /* "ioctl VFIO_SET_IOMMU 2+ EBUSY; ioctl KVM_* lie; ioctl /dev/vfio/3 4 EPERM" */
  g_assert_cmpint (kvmhelper_kernel_ioctl (kernel, group, VFIO_SET_IOMMU, 7), ==, 7);
  g_assert_cmpint (kvmhelper_kernel_ioctl (kernel, group, VFIO_SET_IOMMU, 7), ==, -EBUSY);
  g_assert_cmpint (kvmhelper_kernel_ioctl (kernel, group, VFIO_SET_IOMMU, 7), ==, -EBUSY);
  g_assert_cmpuint (fixture->ioctls, ==, 1);
  g_assert_cmpint (kvmhelper_kernel_ioctl (kernel, group, VFIO_GET_API_VERSION, 0), ==, -EPERM);
  g_assert_cmpint (kvmhelper_kernel_ioctl (kernel, group, VFIO_GET_API_VERSION, 0), ==, 7);
  g_assert_cmpint (kvmhelper_kernel_ioctl (kernel, group, KVM_CREATE_VM, 0), ==, 0);
  g_assert_cmpuint (fixture->ioctls, ==, 2);
  kvmhelper_kernel_close (kernel, group);
}

static void
test_half_done (Fixture *fixture, gconstpointer rules)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *link = NULL;
  gint64 start;

  /* "write 1 lie; read *one short 2; readlink short 3; write 2 short 1; open *two delay 20" */
  g_assert_true (kvmhelper_kernel_write (fixture->kernel, KVMHELPER_SYS, "one", "new", NULL));
  g_assert_cmpuint (fixture->host->writes, ==, 0);
  assert_reads (fixture, "one", "first"); /* in many reads */
  g_assert_cmpuint (kvmhelper_faults_struck (fixture->faults, 1), ==, 4);
  g_assert_false (kvmhelper_kernel_write (fixture->kernel, KVMHELPER_SYS, "one", "new", &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED);
  g_assert_cmpuint (fixture->host->writes, ==, 1);
  link = kvmhelper_kernel_readlink (fixture->kernel, KVMHELPER_SYS, "link");
  g_assert_cmpstr (link, ==, "dir");
  start = g_get_monotonic_time ();
  assert_reads (fixture, "dir/two", "second");
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 20000);
}

static void
test_events (Fixture *fixture, gconstpointer rules)
{
  /* "call 2 kill; close vanish 0001:02:00.1; write 1 replace 0000:01:00.0; write 1 EIO" */
  assert_reads (fixture, "one", "first");
  g_assert_cmpstr (fixture->events->str, ==, "kill ;vanish 0001:02:00.1;");
  g_string_truncate (fixture->events, 0);
  g_assert_false (kvmhelper_kernel_write (fixture->kernel, KVMHELPER_SYS, "one", "x", NULL));
  g_assert_cmpstr (fixture->events->str, ==, "replace 0000:01:00.0;vanish 0001:02:00.1;");
}

/* The call of a number that has no answer to give leaves it to the next. */
static void
test_any_call (Fixture *fixture, gconstpointer rules)
{
  /* "call 4 EIO; call 6 ENOMEM; call 6 EPERM" */
  assert_reads (fixture, "one", "first");
  g_assert_cmpuint (kvmhelper_faults_struck (fixture->faults, 0), ==, 0);
  g_assert_cmpint (kvmhelper_kernel_open (fixture->kernel, KVMHELPER_SYS, "one", O_RDONLY), ==,
                   -EIO);
  g_assert_cmpint (kvmhelper_kernel_open (fixture->kernel, KVMHELPER_SYS, "one", O_RDONLY), ==,
                   -ENOMEM);
  /* The second of two was too late, and has the next. */
  g_assert_cmpint (kvmhelper_kernel_open (fixture->kernel, KVMHELPER_SYS, "one", O_RDONLY), ==,
                   -EPERM);
  assert_reads (fixture, "one", "first");
}

static void
test_kill (void)
{
  const char *rules[] = { "eventfd 2 kill", NULL };
  pid_t child = fork ();
  int status;

  if (child == 0)
    {
      KvmHelperDouble *host = kvmhelper_double_new ();
      KvmHelperFaults *faults = kvmhelper_faults_parse (rules, NULL, NULL);
      KvmHelperKernel *kernel = kvmhelper_faults_wrap (faults, &host->kernel);

      kernel->calls->eventfd (kernel->data);
      kvmhelper_double_free (host);
      kernel->calls->eventfd (kernel->data);
      _exit (0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 137);
}

typedef struct
{
  const char *rule;
  const char *names; /* what the message has */
} Mistake;

static const Mistake mistakes[] = {
  { "EIO", "no call \"EIO\"" },
  { "opne EIO", "no call \"opne\"" },
  { "open", "what is to happen" },
  { "open /dev/vfio/vfio 3", "what is to happen" },
  { "open EFOO", "no action \"EFOO\"" },
  { "open nothing", "no action \"nothing\"" },
  { "open EIO EIO", "\"EIO\" is one word too many" },
  { "open delay 1 2", "\"2\" is one word too many" },
  { "open 0 EIO", "\"0\" is no number" },
  { "open 3x EIO", "\"3x\" is no number" },
  { "open + EIO", "no action \"+\"" },
  { "open kill me", "\"me\" is one word too many" },
  { "read short", "short wants a number of bytes" },
  { "read short much", "\"much\" is none" },
  { "read delay 99999999", "\"99999999\" is none" },
  { "stat short 3", "stat cannot short" },
  { "read lie", "read cannot lie" },
  { "close EIO", "close cannot be refused" },
  { "load 2 EIO", "load cannot be refused" },
  { "load /dev/* delay 1", "load has no path" },
  { "ioctl VFIO_SET_IOMU EBUSY", "no ioctl \"VFIO_SET_IOMU\"" },
  { "ioctl Q* EBUSY", "no ioctl \"Q*\"" },
  { "open vanish", "vanish wants a PCI address" },
  { "open vanish 1:2", "\"1:2\" is none" },
  { "open EIO; write 2 ly", "no action \"ly\"" },
  { "open vanish 0000:01:00.0", "needs a host that is simulated" },
  { "open replace 0000:01:00.0", "needs a host that is simulated" },
};

static void
test_mistakes (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      const char *rules[] = { "open EIO", mistakes[i].rule, NULL };
      g_autoptr (GError) error = NULL;

      g_assert_null (kvmhelper_faults_parse (rules, NULL, &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
      if (strstr (error->message, mistakes[i].names) == NULL)
        g_error ("\"%s\": \"%s\" has no \"%s\"", mistakes[i].rule, error->message,
                 mistakes[i].names);
    }
}

#define ADD(name, rules, test) g_test_add ("/fault/" name, Fixture, rules, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  ADD ("nothing", " ; ", test_nothing);
  ADD ("errno",
       "read *two 2 EIO; list ENOMEM; stat /sys/one EACCES; readlink *sys?link ELOOP; eventfd "
       "EMFILE",
       test_errno);
  ADD ("ioctl", "ioctl VFIO_SET_IOMMU 2+ EBUSY; ioctl KVM_* lie; ioctl /dev/vfio/3 4 EPERM",
       test_ioctl);
  ADD ("half-done",
       "write 1 lie; read *one short 2; readlink short 3; write 2 short 1; open *two delay 20",
       test_half_done);
  ADD ("events",
       "call 2 kill; close vanish 0001:02:00.1; write 1 replace 0000:01:00.0; write 1 EIO",
       test_events);
  ADD ("any-call", "call 4 EIO; call 6 ENOMEM; call 6 EPERM", test_any_call);
  g_test_add_func ("/fault/kill", test_kill);
  g_test_add_func ("/fault/mistakes", test_mistakes);
  return g_test_run ();
}
