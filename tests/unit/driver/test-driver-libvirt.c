/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <unistd.h>

#include "common/common-error.h"
#include "driver-daemon.h"
#include "driver-frames.h"
#include "driver/driver-events.h"
#include "driver/driver-frame.h"
#include "driver/driver-libvirt.h"

/* Stock libvirtd, stock virsh, and libvirt's own client library, through virtppc64d. */
static TestDaemon daemons;

/* The same command beside the relay and through it: the same words, the same end. */
static void
check_same (const char *scheme, const char *path, const char *command)
{
  g_autofree char *direct = test_daemon_uri (&daemons, scheme, path, FALSE);
  g_autofree char *relayed = test_daemon_uri (&daemons, scheme, path, TRUE);
  int direct_status, relayed_status;
  g_autofree char *expected = test_virsh (direct, command, &direct_status);
  g_autofree char *got = test_virsh (relayed, command, &relayed_status);

  g_test_message ("%s: %s", command, expected);
  g_assert_cmpstr (got, ==, expected);
  g_assert_cmpint (relayed_status, ==, direct_status);
}

static void
test_virsh_commands (void)
{
  static const char *const commands[] = {
    "list --all",
    "dumpxml test",
    "capabilities",
    "dominfo no-such-domain",
    "attach-device test /nonexistent",
    "screenshot test /dev/null",
    "net-list --all",
    "vol-list default-pool",
    "'nodedev-list; list; nodeinfo; pool-list'",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    check_same ("test", "default", commands[i]);
}

static void
test_events (void)
{
  g_autofree char *uri = test_daemon_uri (&daemons, "test", "default", TRUE);
  g_autofree char *line
      = g_strdup_printf ("virsh -q -c '%s' event --domain test --event lifecycle --timeout 20 & "
                         "sleep 1; virsh -q -c '%s' suspend test; wait",
                         uri, uri);
  const char *const argv[] = { "sh", "-c", line, NULL };
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, NULL,
                &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (output, "Suspended Paused"));
}

static const char pseries[]
    = "<domain type='qemu'><name>tcg</name><memory unit='MiB'>256</memory>"
      "<os><type arch='ppc64' machine='pseries'>hvm</type></os><devices>"
      "<emulator>/usr/bin/qemu-system-ppc64</emulator>"
      "<graphics type='vnc' port='-1' autoport='yes'><listen type='none'/></graphics>"
      "<video><model type='none'/></video><memballoon model='none'/></devices></domain>";

static void
check_graphics_fd (virDomainPtr domain)
{
  char banner[12] = "";
  int fd = virDomainOpenGraphicsFD (domain, 0, 0);
  struct pollfd poller = { .fd = fd, .events = POLLIN };

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (poll (&poller, 1, 10000), ==, 1);
  g_assert_cmpint (read (fd, banner, sizeof banner), ==, sizeof banner);
  g_assert_true (strncmp (banner, "RFB ", 4) == 0);
  close (fd);
}

/* A real pSeries guest (QEMU's TCG): hotplug, streams, and descriptors both ways. */
static void
test_guest (void)
{
  g_autofree char *qemu = g_find_program_in_path ("qemu-system-ppc64");
  g_autofree char *uri = test_daemon_uri (&daemons, "qemu", "session", TRUE);
  static const char rng[]
      = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>";

  if (qemu == NULL)
    {
      g_test_skip ("qemu-system-ppc64 is not installed");
      return;
    }
  virConnectPtr connection = virConnectOpen (uri);
  g_assert_nonnull (connection);
  virDomainPtr domain = virDomainCreateXML (connection, pseries, 0);
  if (domain == NULL)
    g_error ("%s", virGetLastErrorMessage ());

  g_assert_cmpint (virDomainAttachDeviceFlags (domain, rng, VIR_DOMAIN_AFFECT_LIVE), ==, 0);
  char *xml = virDomainGetXMLDesc (domain, 0);
  g_assert_nonnull (strstr (xml, "/dev/urandom"));
  free (xml);
  check_graphics_fd (domain);

  int fds[2];
  g_assert_cmpint (pipe (fds), ==, 0);
  g_assert_cmpint (virDomainFDAssociate (domain, "two", 2, fds, 0), ==, 0);
  close (fds[0]);
  close (fds[1]);

  g_assert_cmpint (virDomainDestroy (domain), ==, 0);
  virDomainFree (domain);
  g_assert_cmpint (virConnectClose (connection), ==, 0);
}

static void
on_connected (gpointer data)
{
  g_atomic_int_inc ((int *) data);
}

static void
on_changed (const char *domain_uuid, gpointer data)
{
}

static int defined;

static void
on_defined (const char *domain_uuid, gpointer data)
{
  g_assert_cmpstr (domain_uuid, ==, "5bd1dc5d-9a3f-4c62-8d4b-70773970c640");
  g_atomic_int_inc (&defined);
}

static void
wait_for (int *counter, int value)
{
  for (int i = 0; i < 600 && g_atomic_int_get (counter) < value; i++)
    g_usleep (G_USEC_PER_SEC / 20);
  g_assert_cmpint (g_atomic_int_get (counter), >=, value);
}

static void
define_one (const char *uri)
{
  virConnectPtr connection = virConnectOpen (uri);
  virDomainPtr domain = virDomainDefineXML (
      connection, "<domain type='test'><name>new</name><uuid>5bd1dc5d-9a3f-4c62-8d4b-70773970c640"
                  "</uuid><memory>8192</memory><os><type>hvm</type></os></domain>");

  g_assert_nonnull (domain);
  g_assert_cmpint (virDomainUndefine (domain), ==, 0);
  virDomainFree (domain);
  virConnectClose (connection);
}

/* The driver's own connection: it reads domains, and comes again when libvirt does. */
static void
test_own_connection (void)
{
  static const DriverLibvirtFuncs funcs = { on_connected, on_changed, on_defined };
  static const char uuid[] = "6695eb01-f6a4-8304-79aa-97f2502e193f";
  g_autofree char *uri = test_daemon_uri (&daemons, "test", "default", FALSE);
  g_autoptr (DriverLibvirt) libvirt = driver_libvirt_new (uri);
  const DriverDomains *domains = driver_libvirt_get_domains (libvirt);
  g_autoptr (GError) error = NULL;
  g_autofree char *none = NULL;
  int connected = 0;
  char *xml = NULL;

  driver_libvirt_start (libvirt, &funcs, &connected);
  wait_for (&connected, 1);
  g_assert_true (domains->get_xml (domains->data, uuid, 10, &xml, &error));
  g_assert_nonnull (strstr (xml, "<name>test</name>"));
  g_free (xml);
  g_assert_true (
      domains->get_xml (domains->data, "5bd1dc5d-9a3f-4c62-8d4b-70773970c640", 10, &none, &error));
  g_assert_no_error (error);
  g_assert_null (none);

  g_auto (GStrv) network = NULL, no_network = NULL;
  g_assert_true (domains->get_network (domains->data, "default", 10, &network, &error));
  g_assert_nonnull (strstr (network[0], "<name>default</name>"));
  g_assert_true (domains->get_network (domains->data, "none", 10, &no_network, &error));
  g_assert_no_error (error);
  g_assert_null (no_network);

  define_one (uri);
  wait_for (&defined, 1);

  test_daemon_kill_libvirtd (&daemons);
  g_assert_false (domains->get_xml (domains->data, uuid, 2, &xml, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_LIBVIRT_UNAVAILABLE);
  test_daemon_start_libvirtd (&daemons);
  wait_for (&connected, 2);
  g_clear_error (&error);
  g_assert_true (domains->get_xml (domains->data, uuid, 10, &xml, &error));
  g_free (xml);
  driver_libvirt_stop (libvirt);
}

static GBytes *
receive (int fd)
{
  guint8 word[4];

  g_assert_cmpint (recv (fd, word, 4, MSG_WAITALL), ==, 4);
  guint32 length = driver_frame_length (word);
  guint8 *bytes = g_malloc (length);
  memcpy (bytes, word, 4);
  g_assert_cmpint (recv (fd, bytes + 4, length - 4, MSG_WAITALL), ==, (gssize) length - 4);
  return g_bytes_new_take (bytes, length);
}

/* Sends @call, and returns the error that it is answered with, and which. */
static char *
call_for_error (int fd, GBytes *call, int *code)
{
  g_autoptr (GBytes) reply = NULL;
  gsize length;
  const guint8 *bytes = g_bytes_get_data (call, &length);

  g_assert_cmpint (send (fd, bytes, length, 0), ==, (gssize) length);
  g_bytes_unref (call);
  reply = receive (fd);
  return driver_frame_error_message (reply, code);
}

/* What driver-forms has as a form of the call is one for libvirtd: it has the same answer. */
static void
check_forms (gboolean relayed)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  g_autofree char *path
      = g_build_filename (relayed ? daemons.relayed : daemons.sockets, "libvirt-sock", NULL);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), code;
  GByteArray *open = g_byte_array_new ();
  g_autoptr (GBytes) plain = test_device_call (8, 3, TEST_DISK, 0);
  GByteArray *with_fds = g_byte_array_new ();

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_null (call_for_error (fd, test_frame (DRIVER_PROGRAM_REMOTE, 66, 0, 0, 0, NULL), &code));
  test_put_u32 (open, 1);
  test_put_string (open, "test:///default");
  test_put_u32 (open, 0);
  g_assert_null (call_for_error (fd, test_frame (DRIVER_PROGRAM_REMOTE, 1, 0, 1, 0, open), &code));

  g_autofree char *first = call_for_error (fd, g_bytes_ref (plain), &code);
  /* Its test driver attaches devices from 10.0.0 on. */
  g_assert_true (code == VIR_ERR_NO_SUPPORT || code == VIR_ERR_NO_DOMAIN);
  test_put_u32 (with_fds, 0);
  g_byte_array_append (with_fds,
                       (const guint8 *) g_bytes_get_data (plain, NULL) + DRIVER_FRAME_HEADER,
                       (guint) g_bytes_get_size (plain) - DRIVER_FRAME_HEADER);
  g_autofree char *second = call_for_error (
      fd, test_frame (DRIVER_PROGRAM_REMOTE, 8, DRIVER_FRAME_CALL_WITH_FDS, 4, 0, with_fds), &code);
  g_assert_cmpstr (second, ==, first);

  /* A CONNECT_CLOSE with another status is refused, and the connection stays open. */
  g_autofree char *refused
      = call_for_error (fd, test_frame (DRIVER_PROGRAM_REMOTE, 2, 0, 5, 1, NULL), &code);
  g_assert_nonnull (refused);
  g_autofree char *third = call_for_error (fd, test_device_call (8, 6, TEST_DISK, 0), &code);
  g_assert_cmpstr (third, ==, first);
  close (fd);
}

static void
test_forms (void)
{
  check_forms (FALSE);
  check_forms (TRUE);
}

/* Its clients come and go; nothing stays of them. */
static void
test_no_leak (void)
{
  g_autofree char *uri = test_daemon_uri (&daemons, "test", "default", TRUE);
  g_autofree char *path
      = g_strdup_printf ("/proc/%s/fd", g_subprocess_get_identifier (daemons.driver));
  guint counts[2];

  for (int i = 0; i < 2; i++)
    {
      for (int n = 0; n < 20; n++)
        {
          virConnectPtr connection = virConnectOpen (uri);

          g_assert_nonnull (connection);
          virConnectClose (connection);
        }
      g_usleep (G_USEC_PER_SEC / 5);
      g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
      for (counts[i] = 0; g_dir_read_name (directory) != NULL;)
        counts[i]++;
    }
  /* Its own connection may be in the middle of a try. */
  g_assert_cmpuint (counts[1], <=, counts[0] + 4);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  if (!test_daemon_installed ())
    {
      g_print ("1..0 # SKIP libvirtd and virsh are not installed\n");
      return 0;
    }
  driver_events_start_loop ();
  test_daemon_start (&daemons);
  g_test_add_func ("/driver/libvirt/virsh", test_virsh_commands);
  g_test_add_func ("/driver/libvirt/events", test_events);
  g_test_add_func ("/driver/libvirt/guest", test_guest);
  g_test_add_func ("/driver/libvirt/own-connection", test_own_connection);
  g_test_add_func ("/driver/libvirt/forms", test_forms);
  g_test_add_func ("/driver/libvirt/no-leak", test_no_leak);
  status = g_test_run ();
  test_daemon_stop (&daemons);
  return status;
}
