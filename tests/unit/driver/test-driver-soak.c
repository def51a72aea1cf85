/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "driver-daemon.h"
#include "driver-soak.h"

/**
 * Clients that call at random, and are killed at random, through the relay to a stock libvirtd.
 * SOAK_CALLS is how many calls there are to be; SOAK_CALLS=100000 is the long form.
 */
enum
{
  CLIENTS = 10,
  /* Of them, those that speak no RPC, or stop in the middle of it. */
  LIARS = 2,
  CALLS = 3000,
  /* Milliseconds between two kills. */
  KILL_EVERY = 25,
  /* Descriptors that may come and go while nobody is there, as the bus' own. */
  FDS_SLACK = 6,
};

typedef struct
{
  gint calls, errors; /* of all clients */
} Shared;

static TestDaemon daemons;
static char *program, *shared_path;
static Shared *shared;

static Shared *
map_shared (const char *path)
{
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, sizeof (Shared)), ==, 0);
  Shared *mapped = mmap (NULL, sizeof (Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (mapped != MAP_FAILED);
  close (fd);
  return mapped;
}

static pid_t
start (const char *role, const char *first, const char *second)
{
  const char *const argv[] = { program, role, first, second, NULL };
  g_autoptr (GError) error = NULL;
  GPid pid;

  g_spawn_async (
      NULL, (char **) argv, NULL,
      G_SPAWN_DO_NOT_REAP_CHILD
          | (g_test_verbose () ? 0 : G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL),
      NULL, NULL, &pid, &error);
  g_assert_no_error (error);
  return pid;
}

static guint
count_fds (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/fd", pid);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  guint count = 0;

  while (directory != NULL && g_dir_read_name (directory) != NULL)
    count++;
  return count;
}

/* Of what is resident, KiB. */
static guint64
read_memory (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/statm", pid), *text = NULL;
  g_auto (GStrv) words = NULL;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  words = g_strsplit (text, " ", 3);
  return g_ascii_strtoull (words[1], NULL, 10) * (guint64) sysconf (_SC_PAGESIZE) / 1024;
}

/* One that nothing happens to: how long the longest of its calls took, in microseconds. */
static gpointer
watch (gpointer data)
{
  gint *stop = data;
  g_autofree char *uri = test_daemon_uri (&daemons, "test", "default", TRUE);
  virConnectPtr connection = virConnectOpen (uri);
  gint64 longest = 0;

  g_assert_nonnull (connection);
  while (!g_atomic_int_get (stop))
    {
      gint64 begin = g_get_monotonic_time ();
      unsigned long version;

      g_assert_cmpint (virConnectGetLibVersion (connection, &version), ==, 0);
      longest = MAX (longest, g_get_monotonic_time () - begin);
      g_usleep (20000);
    }
  virConnectClose (connection);
  return GSIZE_TO_POINTER ((gsize) longest);
}

static void
end_client (pid_t pid)
{
  kill (pid, SIGKILL);
  waitpid (pid, NULL, 0);
}

static gboolean
has_ended (pid_t pid)
{
  return waitpid (pid, NULL, WNOHANG) == pid;
}

static pid_t
start_client (const char *uri, guint which)
{
  return which < LIARS ? start ("--liar", daemons.relayed, shared_path)
                       : start ("--client", uri, shared_path);
}

/* Until there were so many calls. Returns how many clients were killed. */
static guint
torment (const char *uri, pid_t *clients, gint calls)
{
  gint64 deadline = g_get_monotonic_time () + 30 * 60 * G_TIME_SPAN_SECOND, progress = 0;
  gint before = -1;
  guint killed = 0;

  while (g_atomic_int_get (&shared->calls) < calls)
    {
      guint which = (guint) g_test_rand_int_range (0, CLIENTS);

      /* Nothing at all for that long is a stall. */
      if (g_atomic_int_get (&shared->calls) != before)
        progress = g_get_monotonic_time ();
      before = g_atomic_int_get (&shared->calls);
      g_assert_cmpint (g_get_monotonic_time () - progress, <, 20 * G_TIME_SPAN_SECOND);
      g_assert_cmpint (g_get_monotonic_time (), <, deadline);

      g_usleep (KILL_EVERY * 1000);
      if (!has_ended (clients[which]))
        {
          end_client (clients[which]);
          killed++;
        }
      clients[which] = start_client (uri, which);
    }
  return killed;
}

static void
test_soak (void)
{
  const char *wanted = g_getenv ("SOAK_CALLS");
  const gint calls = wanted != NULL ? atoi (wanted) : CALLS;
  g_autofree char *uri = test_daemon_uri (&daemons, "test", "default", TRUE);
  pid_t relay = atoi (g_subprocess_get_identifier (daemons.driver));
  guint fds = count_fds (relay), killed, left;
  pid_t clients[CLIENTS];
  gint stop = 0;
  int status;

  shared_path = g_build_filename (daemons.relayed, "shared", NULL);
  shared = map_shared (shared_path);
  GThread *watcher = g_thread_new ("watch", watch, &stop);
  for (guint i = 0; i < CLIENTS; i++)
    clients[i] = start_client (uri, i);
  killed = torment (uri, clients, calls / 4);
  guint64 memory = read_memory (relay);
  killed += torment (uri, clients, calls);
  for (guint i = 0; i < CLIENTS; i++)
    end_client (clients[i]);
  g_atomic_int_set (&stop, 1);
  gint64 longest = (gint64) GPOINTER_TO_SIZE (g_thread_join (watcher));

  /* What was held for those that are gone comes to its end. */
  left = count_fds (relay);
  for (int i = 0; i < 200 && left > fds + FDS_SLACK; i++, left = count_fds (relay))
    g_usleep (50000);
  guint64 grown = read_memory (relay) > memory ? read_memory (relay) - memory : 0;
  g_test_message ("%d calls, %d errors, %u clients killed; %u descriptors before, %u after; %u KiB "
                  "more than after a quarter; longest call of a client in peace: %u us",
                  g_atomic_int_get (&shared->calls), g_atomic_int_get (&shared->errors), killed,
                  fds, left, (guint) grown, (guint) longest);
  g_assert_cmpuint (left, <=, fds + FDS_SLACK);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed for a while */
  g_assert_cmpuint (grown, <, 16 * 1024);
#endif
  g_assert_cmpint (longest, <, 5 * G_TIME_SPAN_SECOND);

  /* And it is as good as new. */
  g_autofree char *output = test_virsh (uri, "list --all", &status);
  g_assert_cmpint (status, ==, 0);
  g_assert_nonnull (strstr (output, "test"));
  munmap (shared, sizeof *shared);
  unlink (shared_path);
  g_clear_pointer (&shared_path, g_free);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  if (argc == 4 && strcmp (argv[1], "--client") == 0)
    return test_soak_client (argv[2], &map_shared (argv[3])->calls, &map_shared (argv[3])->errors);
  if (argc == 4 && strcmp (argv[1], "--liar") == 0)
    return test_soak_liar (argv[2]);
  if (argc == 4 && strcmp (argv[1], "--relay") == 0)
    return test_soak_relay (argv[2], argv[3]);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  if (!test_daemon_installed ())
    {
      g_print ("1..0 # SKIP libvirtd and virsh are not installed\n");
      return 0;
    }
  program = g_file_read_link ("/proc/self/exe", NULL);
  virInitialize ();
  test_daemon_start_with (&daemons, program, "--relay");
  g_test_add_func ("/driver/soak", test_soak);
  status = g_test_run ();
  /* Its end says whether a lease, or a client, is left. */
  test_daemon_stop (&daemons);
  g_free (program);
  return status;
}
