/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim-core-host.h"

/* The simulated host without hardware: processes, what they map, their memory, and the clock. */

static void
test_eventfd (void)
{
  SimCoreHost host;
  guint64 count;

  sim_core_host_new (&host);
  const KvmHelperKernel *kernel = host.kernel;
  const KvmHelperKernelCalls *calls = kernel->calls;
  int handle = calls->eventfd (kernel->data);

  g_assert_cmpint (calls->read (kernel->data, handle, &count, 8), ==, -EAGAIN);
  g_assert_cmpint (calls->read (kernel->data, handle, &count, 7), ==, -EINVAL);
  count = 3;
  g_assert_cmpint (calls->write (kernel->data, handle, &count, 8), ==, 8);
  kvmhelper_sim_eventfd_signal (kvmhelper_sim_process_file (host.process, handle));
  g_assert_cmpint (calls->read (kernel->data, handle, &count, 8), ==, 8);
  g_assert_cmpuint (count, ==, 4);
  count = G_MAXUINT64;
  g_assert_cmpint (calls->write (kernel->data, handle, &count, 8), ==, -EINVAL);
  count = G_MAXUINT64 - 1;
  g_assert_cmpint (calls->write (kernel->data, handle, &count, 8), ==, 8);
  count = 1;
  g_assert_cmpint (calls->write (kernel->data, handle, &count, 8), ==, -EAGAIN);
  sim_core_host_clear (&host);
}

static void
test_processes (void)
{
  SimCoreHost host;
  KvmHelperSimProcess *other;
  KvmHelperStat stat;
  g_autofree char *comm = NULL, *self = NULL, *link = NULL, *status = NULL, *info = NULL,
                  *limits = NULL;
  g_autofree char *path = NULL;

  sim_core_host_new (&host);
  const KvmHelperKernel *kernel = host.kernel;
  const KvmHelperKernelCalls *calls = kernel->calls;
  int device = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "device", O_RDWR), passed;

  comm = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, "self/comm");
  g_assert_cmpstr (comm, ==, "a-command-that-");
  self = kvmhelper_kernel_readlink (kernel, KVMHELPER_PROC, "self");
  g_assert_cmpuint (g_ascii_strtoull (self, NULL, 10), ==, kernel->pid);

  other = sim_host_start (host.sim, 64055);
  passed = kvmhelper_sim_process_pass (host.process, device, other);
  g_assert_cmpint (passed, ==, 3);
  g_assert_cmpint (kvmhelper_sim_process_pass (host.process, 99, other), ==, -EBADF);
  path = g_strdup_printf ("%u/fd/3", kvmhelper_sim_process_kernel (other)->pid);
  link = kvmhelper_kernel_readlink (kernel, KVMHELPER_PROC, path);
  g_assert_cmpstr (link, ==, "/dev/device");
  g_assert_cmpint (kvmhelper_kernel_stat (kernel, KVMHELPER_PROC, path, &stat), ==, 0);
  g_assert_true (S_ISCHR (stat.mode));
  g_assert_cmpuint (stat.major, ==, 10);
  g_assert_cmpuint (stat.minor, ==, 196);
  /* A magic link is not followed by open; another's handles are not shown to a user. */
  g_assert_cmpint (kvmhelper_kernel_open (kernel, KVMHELPER_PROC, path, O_RDONLY), ==, -ELOOP);
  g_assert_cmpint (kvmhelper_kernel_open (kvmhelper_sim_process_kernel (other), KVMHELPER_PROC,
                                          "1/fd", O_RDONLY),
                   ==, -EACCES);
  info = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, "self/fdinfo/3");
  g_assert_nonnull (strstr (info, "flags:\t02"));
  status = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, "self/task/1000/status");
  g_assert_nonnull (strstr (status, "\nVmLck:\t       0 kB\n"));
  limits = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, "self/limits");
  g_assert_nonnull (strstr (limits, "\nMax locked memory         1048576 "));

  /* The device goes with its last handle; its reader hears that the process is gone. */
  calls->close (kernel->data, device);
  g_assert_cmpuint (host.released, ==, 0);
  g_assert_cmpint (kvmhelper_kernel_open (kernel, KVMHELPER_PROC, "1001/comm", O_RDONLY), ==, 3);
  kvmhelper_sim_process_exit (other);
  g_assert_cmpuint (host.released, ==, 1);
  g_assert_cmpuint (host.hung_up, ==, 1);
  g_assert_cmpint (calls->read (kernel->data, 3, &stat, 8), ==, -ESRCH);
  g_assert_false (kvmhelper_kernel_exists (kernel, KVMHELPER_PROC, "1001"));
  sim_core_host_clear (&host);
}

static sigjmp_buf jump;

static void
on_fault (int number)
{
  siglongjmp (jump, number);
}

static void
test_mappings (void)
{
  SimCoreHost host;
  void *address, *other;
  guint64 answer;
  g_autofree char *maps = NULL;
  g_autofree guint8 *page = g_malloc0 (0x10000);
  struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER }, old_bus, old_segv;

  sim_core_host_new (&host);
  const KvmHelperKernel *kernel = host.kernel;
  const KvmHelperKernelCalls *calls = kernel->calls;
  int device = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "device", O_RDWR);
  int reader = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "device", O_RDONLY);
  int text = kvmhelper_kernel_open (kernel, KVMHELPER_SYS, SIM_CORE_ATTRIBUTES "value", O_RDWR);

  g_assert_cmpint (calls->ioctl (kernel->data, device, 1, (gulong) &answer), ==, 0);
  g_assert_cmpuint (answer, ==, 42);
  g_assert_cmpint (calls->ioctl (kernel->data, device, 1, 16), ==, -EFAULT);
  g_assert_cmpint (calls->ioctl (kernel->data, device, 2, 0), ==, -ENOTTY);

  g_assert_cmpint (calls->mmap (kernel->data, device, 0, 0, &address), ==, -EINVAL);
  g_assert_cmpint (calls->mmap (kernel->data, device, 1, 4096, &address), ==, -EINVAL);
  g_assert_cmpint (calls->mmap (kernel->data, device, 1, 0x100000, &address), ==, -EINVAL);
  g_assert_cmpint (calls->mmap (kernel->data, text, 1, 0, &address), ==, -ENODEV);
  g_assert_cmpint (calls->mmap (kernel->data, reader, 1, 0, &address), ==, -EACCES);
  g_assert_cmpint (calls->mmap (kernel->data, 99, 1, 0, &address), ==, -EBADF);
  g_assert_cmpint (calls->mmap (kernel->data, device, 0x2ffff, 0x10000, &address), ==, 0);
  g_assert_cmpuint ((gsize) address % 0x10000, ==, 0);
  maps = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, "self/maps");
  g_assert_nonnull (strstr (maps, "/dev/device"));

  /* It stays mapped when its handle is closed. */
  calls->close (kernel->data, reader);
  calls->close (kernel->data, device);
  g_assert_cmpuint (host.released, ==, 1);
  page[0x808 + 7] = 3;
  host.page = page;
  g_assert_cmpuint (calls->load (kernel->data, (guint8 *) address + 0x10808), ==, 3);
  /* What is present stays; the rest has nothing: SIGBUS, as it has again once it was cleared. */
  host.page = NULL;
  g_assert_cmpuint (calls->load (kernel->data, (guint8 *) address + 0x10808), ==, 3);
  sigaction (SIGBUS, &action, &old_bus);
  sigaction (SIGSEGV, &action, &old_segv);
  answer = 0;
  if (sigsetjmp (jump, 1) == 0)
    calls->load (kernel->data, address);
  else
    answer++;
  kvmhelper_sim_file_clear_pages (((KvmHelperSimVma *) host.process->vmas->pdata[0])->file, 2, 1);
  if (sigsetjmp (jump, 1) == 0)
    calls->load (kernel->data, (guint8 *) address + 0x10808);
  else
    answer++;
  /* The middle goes; then it is no mapping, and the rest still is one, with what was present. */
  host.page = page;
  g_assert_cmpuint (calls->load (kernel->data, (guint8 *) address + 0x20808), ==, 3);
  host.page = NULL;
  g_assert_cmpint (calls->munmap (kernel->data, (guint8 *) address + 1, 1), ==, -EINVAL);
  g_assert_cmpint (calls->munmap (kernel->data, (guint8 *) address + 0x10000, 1), ==, 0);
  g_assert_cmpuint (host.process->vmas->len, ==, 2);
  g_assert_cmpuint (calls->load (kernel->data, (guint8 *) address + 0x20808), ==, 3);
#ifndef __SANITIZE_ADDRESS__ /* which has a word of its own about it */
  if (sigsetjmp (jump, 1) == 0)
    calls->load (kernel->data, (guint8 *) address + 0x10808);
  else
#endif
    answer++;
  g_assert_cmpuint (answer, ==, 3);
  sigaction (SIGBUS, &old_bus, NULL);
  sigaction (SIGSEGV, &old_segv, NULL);
  other = address;
  g_assert_cmpint (calls->munmap (kernel->data, other, 0x30000), ==, 0);
  g_assert_cmpint (calls->munmap (kernel->data, other, 0x30000), ==, 0);
  g_assert_cmpuint (host.released, ==, 2);
  g_assert_cmpuint (host.hung_up, ==, 2);
  sim_core_host_clear (&host);
}

static void
test_memory (void)
{
  SimCoreHost host;
  gsize page = (gsize) sysconf (_SC_PAGESIZE);
  guint8 *memory
      = mmap (NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  g_autofree char *whole = NULL, *cut = NULL, *lost = NULL;
  char buffer[16];

  sim_core_host_new (&host);
  g_assert_true (kvmhelper_sim_memory_is_mapped ((gsize) memory, 4 * page));
  munmap (memory + 2 * page, page);
  g_assert_false (kvmhelper_sim_memory_is_mapped ((gsize) memory, 4 * page));
  g_assert_true (kvmhelper_sim_memory_is_mapped ((gsize) memory, 2 * page));
  g_assert_true (kvmhelper_sim_memory_is_mapped ((gsize) memory + 3 * page, 1));
  mprotect (memory, page, PROT_READ);
  g_assert_false (kvmhelper_sim_memory_is_mapped ((gsize) memory, 1));
  g_assert_cmpint (kvmhelper_sim_copy_out ((gsize) memory, buffer, 1), ==, -EFAULT);
  g_assert_cmpint (kvmhelper_sim_copy_in ((gsize) memory, buffer, 16), ==, 0);
  g_assert_cmpint (kvmhelper_sim_copy_in ((gsize) memory + 2 * page - 8, buffer, 16), ==, -EFAULT);
  g_assert_cmpint (kvmhelper_sim_copy_in (0, buffer, 1), ==, -EFAULT);

  /* A string may end where memory ends. */
  memcpy (memory + 2 * page - 4, "abc", 4);
  whole = kvmhelper_sim_copy_string ((gsize) memory + 2 * page - 4, 100);
  g_assert_cmpstr (whole, ==, "abc");
  cut = kvmhelper_sim_copy_string ((gsize) memory + 2 * page - 4, 2);
  g_assert_cmpstr (cut, ==, "ab");
  memory[2 * page - 1] = 'd';
  lost = kvmhelper_sim_copy_string ((gsize) memory + 2 * page - 4, 100);
  g_assert_null (lost);
  munmap (memory, 4 * page);

  /* RLIMIT_MEMLOCK, and who is free of it */
  KvmHelperSimProcess *user = sim_host_start (host.sim, 1000);
  g_assert_cmpint (kvmhelper_sim_mm_account (user, 1 << 20), ==, 0);
  g_assert_cmpint (kvmhelper_sim_mm_account (user, 1), ==, -ENOMEM);
  kvmhelper_sim_mm_unaccount (user->mm, 1);
  g_assert_cmpint (kvmhelper_sim_mm_account (user, 1), ==, 0);
  g_assert_cmpint (kvmhelper_sim_mm_account (host.process, 1 << 30), ==, 0);
  sim_core_host_clear (&host);
}

/* --- the clock --- */

typedef struct
{
  KvmHelperSim *sim;
  GString *log;
  const char *name;
} Tick;

static void
tick (gpointer data)
{
  Tick *self = data;

  g_string_append (self->log, self->name);
  if (g_str_equal (self->name, "a"))
    {
      self->name = "A";
      kvmhelper_sim_at (self->sim, kvmhelper_sim_now (self->sim) + 5, tick, self);
    }
}

static void
test_clock (void)
{
  SimCoreHost host;
  g_autoptr (GString) log = g_string_new (NULL);
  gint64 start_time;

  sim_core_host_new (&host);
  Tick a = { host.sim, log, "a" }, b = { host.sim, log, "b" }, c = { host.sim, log, "c" };
  Tick d = { host.sim, log, "d" };

  kvmhelper_sim_advance (host.sim, 0);
  start_time = kvmhelper_sim_now (host.sim);
  g_usleep (1000);
  g_assert_cmpint (kvmhelper_sim_now (host.sim), ==, start_time);
  kvmhelper_sim_at (host.sim, start_time + 10, tick, &a);
  kvmhelper_sim_at (host.sim, start_time + 20, tick, &b);
  kvmhelper_sim_at (host.sim, start_time + 20, tick, &c);
  kvmhelper_sim_at (host.sim, start_time + 30, tick, &d);
  kvmhelper_sim_advance (host.sim, 9);
  g_assert_cmpstr (log->str, ==, "");
  kvmhelper_sim_advance (host.sim, 11);
  g_assert_cmpstr (log->str, ==, "aAbc");
  kvmhelper_sim_forget (host.sim, &d);
  kvmhelper_sim_advance (host.sim, 100);
  g_assert_cmpstr (log->str, ==, "aAbc");
  g_assert_cmpint (kvmhelper_sim_now (host.sim), ==, start_time + 120);
  sim_core_host_clear (&host);
}

/* What blocks in the kernel lets others go on, and hears of what they close. */
static int
store_waits (gpointer object, const char *text, gsize length)
{
  SimCoreHost *host = object;

  while (host->released == 0)
    kvmhelper_sim_wait (host->sim);
  return 0;
}

static const KvmHelperSimAttribute waiting[] = { { "wait", 0200, NULL, store_waits }, { NULL } };

static gpointer
write_wait (gpointer data)
{
  SimCoreHost *host = data;

  return GINT_TO_POINTER (
      kvmhelper_kernel_write (host->kernel, KVMHELPER_SYS, "w/wait", "1", NULL));
}

static void
test_waiting (void)
{
  SimCoreHost host;
  GThread *thread;

  sim_core_host_new (&host);
  KvmHelperSimProcess *other = sim_host_start (host.sim, 0);
  const KvmHelperKernel *kernel = kvmhelper_sim_process_kernel (other);
  int device = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "device", O_RDWR);

  kvmhelper_sim_directory (kvmhelper_sim_tree_root (host.sim, KVMHELPER_SYS), "w", waiting, &host);
  thread = g_thread_new ("writer", write_wait, &host);
  /* It is in the call, and the lock is free. */
  while (g_atomic_int_get (&host.process->calls) == 0)
    g_thread_yield ();
  kvmhelper_kernel_close (kernel, device);
  g_assert_true (GPOINTER_TO_INT (g_thread_join (thread)));
  sim_core_host_clear (&host);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sim-process/eventfd", test_eventfd);
  g_test_add_func ("/sim-process/processes", test_processes);
  g_test_add_func ("/sim-process/mappings", test_mappings);
  g_test_add_func ("/sim-process/memory", test_memory);
  g_test_add_func ("/sim-process/clock", test_clock);
  g_test_add_func ("/sim-process/waiting", test_waiting);
  return g_test_run ();
}
