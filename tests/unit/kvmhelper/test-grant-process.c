/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-grant-process.h"

/* The limit of processes on the kernel that runs the test: real ones, of whoever runs it. A user
 * needs no right for his own processes, as long as the limit stays below the hard one. */

#define LITTLE (64 << 10)
#define ENOUGH (256 << 10)
#define HARD   (512 << 10)

/* A process of the test's; it ends when @input is closed. */
typedef struct
{
  KvmHelperKernel *kernel;
  pid_t pid;
  int handle;
  int input, output;
} Fixture;

static void
wait_for_end (void)
{
  char byte;

  while (read (STDIN_FILENO, &byte, 1) > 0)
    ;
}

static void
say (int number)
{
  (void) !write (STDOUT_FILENO, &number, sizeof number);
}

static int
hear (const Fixture *fixture)
{
  int number;

  g_assert_cmpint (read (fixture->output, &number, sizeof number), ==, sizeof number);
  return number;
}

/* A process that may lock little, and does @run. */
static void
start (Fixture *fixture, void (*run) (void))
{
  const struct rlimit limit = { LITTLE, HARD };
  int in[2], out[2];

  g_assert_cmpint (pipe2 (in, O_CLOEXEC), ==, 0);
  g_assert_cmpint (pipe2 (out, O_CLOEXEC), ==, 0);
  fixture->pid = fork ();
  g_assert_cmpint (fixture->pid, >=, 0);
  if (fixture->pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      dup2 (in[0], STDIN_FILENO);
      dup2 (out[1], STDOUT_FILENO);
      close (in[1]);
      say (setrlimit (RLIMIT_MEMLOCK, &limit));
      run ();
      _exit (0);
    }
  close (in[0]);
  close (out[1]);
  fixture->input = in[1];
  fixture->output = out[0];
  fixture->handle = (int) syscall (SYS_pidfd_open, fixture->pid, 0);
  g_assert_cmpint (fixture->handle, >=, 0);
  g_assert_cmpint (hear (fixture), ==, 0);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  close (fixture->input);
  close (fixture->output);
  close (fixture->handle);
  waitpid (fixture->pid, NULL, 0);
  kvmhelper_kernel_linux_free (fixture->kernel);
}

static KvmHelperGrantProcess
read_process (const Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  KvmHelperGrantProcess process;

  kvmhelper_grant_process_read (fixture->kernel, fixture->handle, getuid (), &process, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (process.pid, ==, fixture->pid);
  g_assert_cmpuint (process.before.soft, ==, LITTLE);
  g_assert_cmpuint (process.before.hard, ==, HARD);
  return process;
}

static void
expect_refused (const Fixture *fixture, int handle, guint user)
{
  g_autoptr (GError) error = NULL;
  KvmHelperGrantProcess process;

  g_assert_false (kvmhelper_grant_process_read (fixture->kernel, handle, user, &process, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
  g_test_message ("%s", error->message);
}

static void
expect_limit (const Fixture *fixture, guint64 soft)
{
  struct rlimit limit;

  g_assert_cmpint (prlimit (fixture->pid, RLIMIT_MEMLOCK, NULL, &limit), ==, 0);
  g_assert_cmpuint (limit.rlim_cur, ==, soft);
  g_assert_cmpuint (limit.rlim_max, ==, HARD);
}

static void
raise_limit (const Fixture *fixture, const KvmHelperGrantProcess *process)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_grant_process_raise (fixture->kernel, fixture->handle, getuid (), process, ENOUGH,
                                 &error);
  g_assert_no_error (error);
  expect_limit (fixture, ENOUGH);
}

static void
lower_limit (const Fixture *fixture, const KvmHelperGrantProcess *process)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_grant_process_lower (fixture->kernel, process, &process->before, &error);
  g_assert_no_error (error);
}

static void
run_program (void)
{
  char *const words[] = { (char *) "cat", NULL };

  execvp (*words, words);
}

/* What it runs meanwhile makes no other process of it. */
static void
test_raise (Fixture *fixture, gconstpointer data)
{
  KvmHelperGrantProcess process;

  start (fixture, run_program);
  process = read_process (fixture);
  raise_limit (fixture, &process);
  g_assert_true (kvmhelper_grant_process_lives (fixture->kernel, &process));
  lower_limit (fixture, &process);
  expect_limit (fixture, LITTLE);
}

static void
test_ended (Fixture *fixture, gconstpointer data)
{
  KvmHelperGrantProcess process;
  siginfo_t info;

  start (fixture, wait_for_end);
  process = read_process (fixture);
  kill (fixture->pid, SIGKILL);
  g_assert_cmpint (waitid (P_PID, (id_t) fixture->pid, &info, WEXITED | WNOWAIT), ==, 0);
  /* Its parent has not heard of it yet: its PID cannot be another's. */
  g_assert_false (kvmhelper_grant_process_lives (fixture->kernel, &process));
  expect_refused (fixture, fixture->handle, getuid ());
  waitpid (fixture->pid, NULL, 0);
  g_assert_false (kvmhelper_grant_process_lives (fixture->kernel, &process));
  expect_refused (fixture, fixture->handle, getuid ());
  lower_limit (fixture, &process);
}

/* A process that has the PID of another one, which began at another time, keeps its limit. */
static void
test_same_pid (Fixture *fixture, gconstpointer data)
{
  KvmHelperGrantProcess process;

  start (fixture, wait_for_end);
  process = read_process (fixture);
  raise_limit (fixture, &process);
  process.start--;
  g_assert_false (kvmhelper_grant_process_lives (fixture->kernel, &process));
  lower_limit (fixture, &process);
  expect_limit (fixture, ENOUGH);
}

static gpointer
wait_in_thread (gpointer data)
{
  say ((int) syscall (SYS_gettid));
  wait_for_end ();
  _exit (0);
}

static void
run_thread (void)
{
  pthread_t thread;

  if (pthread_create (&thread, NULL, wait_in_thread, NULL) == 0)
    pthread_join (thread, NULL);
}

/* It would end while its process has the limit. */
static void
test_thread (Fixture *fixture, gconstpointer data)
{
  int thread, handle;

  start (fixture, run_thread);
  thread = hear (fixture);
  g_assert_cmpint (thread, !=, fixture->pid);
  handle = (int) syscall (SYS_pidfd_open, thread, O_EXCL); /* PIDFD_THREAD */
  if (handle < 0)
    {
      g_test_skip ("this kernel has no descriptors of threads (Linux 6.9)");
      return;
    }
  expect_refused (fixture, handle, getuid ());
  close (handle);
  read_process (fixture);
}

static void
run_without_first (void)
{
  pthread_t thread;

  if (pthread_create (&thread, NULL, wait_in_thread, NULL) == 0)
    syscall (SYS_exit, 0);
}

/* Nor is one gone whose first thread alone is: the others have what it was given. */
static void
test_first_thread_ends (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  KvmHelperGrantProcess process;

  start (fixture, run_without_first);
  hear (fixture);
  path = g_strdup_printf ("/proc/%d/stat", fixture->pid);
  for (guint i = 0; i < 1000 && (text == NULL || strstr (text, ") Z ") == NULL); i++)
    {
      g_usleep (1000);
      g_clear_pointer (&text, g_free);
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    }
  g_assert_nonnull (strstr (text, ") Z "));
  process = read_process (fixture);
  raise_limit (fixture, &process);
  g_assert_true (kvmhelper_grant_process_lives (fixture->kernel, &process));
  lower_limit (fixture, &process);
  expect_limit (fixture, LITTLE);
}

static void
run_with_root_saved (void)
{
  say (setresuid (65534, 65534, 0));
  wait_for_end ();
}

/* A number that is not all of its numbers; and what is no process. */
static void
test_not_his (Fixture *fixture, gconstpointer data)
{
  int file = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  start (fixture, getuid () == 0 ? run_with_root_saved : wait_for_end);
  if (getuid () == 0)
    {
      g_assert_cmpint (hear (fixture), ==, 0);
      expect_refused (fixture, fixture->handle, 0);
      expect_refused (fixture, fixture->handle, 65534);
    }
  expect_refused (fixture, fixture->handle, getuid () + 1);
  expect_refused (fixture, file, getuid ());
  expect_refused (fixture, fixture->input, getuid ());
  close (file);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *path;
    void (*func) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/kvmhelper/grant-process/raise", test_raise },
    { "/kvmhelper/grant-process/ended", test_ended },
    { "/kvmhelper/grant-process/same-pid", test_same_pid },
    { "/kvmhelper/grant-process/thread", test_thread },
    { "/kvmhelper/grant-process/first-thread-ends", test_first_thread_ends },
    { "/kvmhelper/grant-process/not-his", test_not_his },
  };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].func, tear_down);
  return g_test_run ();
}
