/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "driver-daemon.h"
#include "driver-frames.h"
#include "driver/driver-events.h"
#include "driver/driver-relay.h"

/**
 * A call that is held for long, between a stock libvirtd and a stock client that both take the
 * other for dead after two seconds without an answer: fifteen times as strict as they are by
 * themselves, so that the ten seconds are two minutes and a half. HELD_SECONDS=70: held for that
 * long, between two that are as patient as they are by themselves.
 */
enum
{
  SECONDS = 10,
};

static const char *
patient (void)
{
  return g_getenv ("HELD_SECONDS");
}

static int
seconds (void)
{
  return patient () != NULL ? atoi (patient ()) : SECONDS;
}

static TestDaemon daemons = { .config = "keepalive_interval = 1\nkeepalive_count = 1\n" };
static char *program;

/* --- the relay, a process of its own ---------------------------------------------------------- */

static gboolean
let_go (gpointer call)
{
  driver_call_pass (call);
  driver_call_unref (call);
  return G_SOURCE_REMOVE;
}

static gboolean
hold (DriverCall *call, gpointer data)
{
  g_timeout_add_seconds ((guint) seconds (), let_go, driver_call_ref (call));
  return TRUE;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

static int
relay (const char *listen_dir, const char *upstream)
{
  g_autofree char *path = g_build_filename (listen_dir, "libvirt-sock", NULL);
  g_autofree char *server = g_build_filename (upstream, "libvirt-sock", NULL);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 8), ==, 0);
  DriverRelay *relay = driver_relay_new (fd, server, hold, NULL);
  g_unix_signal_add (SIGTERM, quit, loop);
  g_main_loop_run (loop);
  driver_relay_free (relay);
  return 0;
}

/* --- the test --------------------------------------------------------------------------------- */

typedef struct
{
  virDomainPtr domain;
  int code; /* what libvirt's test driver says to it, when it comes there */
  gint done;
} Attach;

static gpointer
attach (gpointer data)
{
  Attach *self = data;

  self->code = virDomainAttachDeviceFlags (self->domain, TEST_HOSTDEV, VIR_DOMAIN_AFFECT_LIVE) == 0
                   ? 0
                   : virGetLastErrorCode ();
  g_atomic_int_set (&self->done, 1);
  return NULL;
}

/* @busy: other calls of the same connection go on meanwhile; else only pings do. */
static void
test_held (gconstpointer busy)
{
  g_autofree char *uri = test_daemon_uri (&daemons, "test", "default", TRUE);
  virConnectPtr connection = virConnectOpen (uri);
  gint64 begin = g_get_monotonic_time ();
  Attach held = { .domain = NULL };
  unsigned long version;
  guint calls = 0;

  g_assert_nonnull (connection);
  /* virsh's own numbers, or two seconds. */
  g_assert_cmpint (
      virConnectSetKeepAlive (connection, patient () != NULL ? 5 : 1, patient () != NULL ? 6 : 1),
      ==, 0);
  held.domain = virDomainLookupByName (connection, "test");
  g_assert_nonnull (held.domain);
  GThread *thread = g_thread_new ("attach", attach, &held);
  while (!g_atomic_int_get (&held.done))
    {
      g_usleep (50000);
      if (busy == NULL)
        continue;
      g_assert_cmpint (virConnectGetLibVersion (connection, &version), ==, 0);
      calls++;
    }
  g_thread_join (thread);
  g_test_message ("%u calls meanwhile", calls);
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, seconds () * G_TIME_SPAN_SECOND - 500000);
  /* It has it from 10.0.0 on. */
  g_assert_true (held.code == 0 || held.code == VIR_ERR_NO_SUPPORT);
  g_assert_cmpint (virConnectIsAlive (connection), ==, 1);
  g_assert_cmpint (virConnectGetLibVersion (connection, &version), ==, 0);
  g_assert_cmpint ((gint) calls, >=, busy != NULL ? seconds () * 10 : 0);
  virDomainFree (held.domain);
  g_assert_cmpint (virConnectClose (connection), ==, 0);
}

int
main (int argc, char **argv)
{
  int status;

  if (argc == 4 && strcmp (argv[1], "--relay") == 0)
    return relay (argv[2], argv[3]);
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  if (!test_daemon_installed ())
    {
      g_print ("1..0 # SKIP libvirtd and virsh are not installed\n");
      return 0;
    }
  program = g_file_read_link ("/proc/self/exe", NULL);
  if (patient () != NULL)
    daemons.config = NULL;
  driver_events_start_loop ();
  test_daemon_start_with (&daemons, program, "--relay");
  g_test_add_data_func ("/driver/keepalive/idle", NULL, test_held);
  g_test_add_data_func ("/driver/keepalive/busy", "busy", test_held);
  status = g_test_run ();
  test_daemon_stop (&daemons);
  g_free (program);
  return status;
}
