/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-soak.h"

#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "driver-fake-helper.h"
#include "driver-frames.h"
#include "driver/driver-events.h"
#include "driver/driver-libvirt.h"
#include "driver/driver-relay.h"
#include "driver/driver-sockets.h"
#include "driver/driver-transaction.h"

static void
be_quiet (void *data, virErrorPtr error)
{
}

static int
discard (virStreamPtr stream, const char *bytes, size_t length, void *data)
{
  return (int) length;
}

static int
take_screenshot (virDomainPtr domain)
{
  virStreamPtr stream = virStreamNew (virDomainGetConnect (domain), 0);
  char *type = virDomainScreenshot (domain, stream, 0, 0);
  int result = type != NULL ? virStreamRecvAll (stream, discard, NULL) : -1;

  free (type);
  if (result == 0)
    virStreamFinish (stream);
  else if (type != NULL)
    virStreamAbort (stream);
  virStreamFree (stream);
  return result;
}

static int
read_text (char *text)
{
  int result = text != NULL ? 0 : -1;

  free (text);
  return result;
}

static int
call_at_random (virConnectPtr connection, virDomainPtr domain)
{
  int chance = g_random_int_range (0, 100);
  unsigned long version;

  if (chance < 45)
    return virConnectGetLibVersion (connection, &version);
  if (chance < 60)
    return read_text (virDomainGetXMLDesc (domain, 0));
  if (chance < 70)
    return read_text (virConnectGetCapabilities (connection));
  if (chance < 75)
    return virConnectNumOfDomains (connection) >= 0 ? 0 : -1;
  if (chance < 80)
    return take_screenshot (domain);
  if (chance < 83)
    return virDomainSuspend (domain);
  if (chance < 86)
    return virDomainResume (domain);
  if (chance < 90)
    return virDomainAttachDevice (domain, TEST_HOSTDEV);
  if (chance < 93)
    return virDomainAttachDeviceFlags (domain, TEST_HOSTDEV2, VIR_DOMAIN_AFFECT_LIVE);
  if (chance < 95)
    return virDomainDetachDeviceAlias (domain, "hostdev0", VIR_DOMAIN_AFFECT_LIVE);
  if (chance < 97)
    return virDomainUpdateDeviceFlags (domain, TEST_HOSTDEV, VIR_DOMAIN_AFFECT_LIVE);
  return virDomainAttachDeviceFlags (domain, TEST_DISK, VIR_DOMAIN_AFFECT_LIVE);
}

int
test_soak_client (const char *uri, gint *calls, gint *errors)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  virSetErrorFunc (NULL, be_quiet);
  for (;;)
    {
      virConnectPtr connection = virConnectOpen (uri);
      virDomainPtr domain = connection != NULL ? virDomainLookupByName (connection, "test") : NULL;

      if (domain == NULL)
        return 1;
      for (int i = g_random_int_range (1, 400); i > 0; i--)
        {
          if (call_at_random (connection, domain) < 0)
            g_atomic_int_inc (errors);
          g_atomic_int_inc (calls);
        }
      virDomainFree (domain);
      virConnectClose (connection);
    }
}

static int
new_socket (const char *directory, struct sockaddr_un *address)
{
  g_autofree char *path = g_build_filename (directory, DRIVER_SOCKET_RW_NAME, NULL);

  *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
  g_strlcpy (address->sun_path, path, sizeof address->sun_path);
  return socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

int
test_soak_liar (const char *directory)
{
  struct sockaddr_un address;
  int fd = new_socket (directory, &address);
  g_autoptr (GBytes) call = test_device_call (8, 1, TEST_HOSTDEV, 0);
  g_autofree guint8 *bytes = g_memdup2 (g_bytes_get_data (call, NULL), g_bytes_get_size (call));

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  signal (SIGPIPE, SIG_IGN);
  if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0)
    return 1;
  /* A word that is another one, and an end that does not come. */
  bytes[g_random_int_range (0, 28)] = (guint8) g_random_int ();
  if (write (fd, bytes, (gsize) g_random_int_range (1, (gint32) g_bytes_get_size (call))) < 0)
    return 1;
  pause ();
  return 0;
}

/* libvirt's own answer, as one about a pSeries guest. */
static gboolean
get_xml (gpointer data, const char *uuid, guint timeout, char **xml, GError **error)
{
  const DriverDomains *domains = driver_libvirt_get_domains (data);
  g_autofree char *real = NULL;

  *xml = NULL;
  if (!domains->get_xml (domains->data, uuid, timeout, &real, error))
    return FALSE;
  if (real != NULL)
    *xml = g_strdup_printf (
        "<domain type='kvm' id='1'><name>test</name><uuid>%s</uuid><os><type arch='ppc64le' "
        "machine='pseries-7.2'>hvm</type></os><devices>"
        "<controller type='pci' index='0' model='pci-root'/>"
        "<controller type='pci' index='1' model='pci-root'><target index='1'/></controller>"
        "<controller type='pci' index='2' model='pci-root'><target index='2'/></controller>"
        "</devices></domain>",
        uuid);
  return TRUE;
}

static void
on_connected (gpointer transactions)
{
  driver_transactions_resync (transactions);
}

static void
on_changed (const char *domain_uuid, gpointer transactions)
{
  driver_transactions_settle (transactions, domain_uuid, 0);
}

static void
on_defined (const char *domain_uuid, gpointer transactions)
{
  driver_transactions_check (transactions, domain_uuid);
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
}

static gboolean
forget_log (gpointer helper)
{
  test_helper_clear_log (helper);
  return G_SOURCE_CONTINUE;
}

static int
listen_in (const char *directory)
{
  struct sockaddr_un address;
  int fd = new_socket (directory, &address);

  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 64), ==, 0);
  return fd;
}

int
test_soak_relay (const char *listen_dir, const char *upstream)
{
  static const DriverLibvirtFuncs funcs = { on_connected, on_changed, on_defined };
  g_autofree char *path = g_build_filename (upstream, DRIVER_SOCKET_RW_NAME, NULL);
  g_autofree char *uri = g_strdup_printf ("test+unix:///default?socket=%s", path);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  TestHelper *fake = test_helper_new ();
  DriverHelper *helper = driver_helper_new (test_helper_get_address (fake));
  guint left;

  prctl (PR_SET_PDEATHSIG, SIGTERM);
  signal (SIGPIPE, SIG_IGN);
  driver_events_start_loop ();
  DriverLibvirt *libvirt = driver_libvirt_new (uri);
  DriverDomains domains = { get_xml, libvirt };
  DriverTransactions *transactions = driver_transactions_new (helper, &domains, 1);
  driver_libvirt_start (libvirt, &funcs, transactions);
  DriverRelay *relay
      = driver_relay_new (listen_in (listen_dir), path, driver_transactions_offer, transactions);
  g_unix_signal_add (SIGTERM, quit, loop);
  g_timeout_add_seconds (1, forget_log, fake);
  g_main_loop_run (loop);

  /* The grace for what a killed client left is a second. */
  gint64 deadline = g_get_monotonic_time () + 5 * G_TIME_SPAN_SECOND;
  while ((driver_relay_get_n_connections (relay) > 0 || test_helper_get_n_leases (fake) > 0
          || driver_transactions_get_length (transactions) > 0)
         && g_get_monotonic_time () < deadline)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
  left = driver_relay_get_n_connections (relay) + test_helper_get_n_leases (fake);
  driver_relay_free (relay);
  driver_libvirt_stop (libvirt);
  driver_transactions_free (transactions);
  driver_libvirt_free (libvirt);
  driver_helper_free (helper);
  test_helper_free (fake);
  return left == 0 ? 0 : 1;
}
