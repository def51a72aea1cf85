/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "driver/driver-events.h"
#include "driver/driver-hook.h"
#include "driver/driver-libvirt.h"
#include "driver/driver-relay.h"
#include "driver/driver-settle.h"
#include "driver/driver-sockets.h"
#include "driver/driver-transaction.h"

/* Descriptors, where the limit of this process is no lower; as in
 * data/driver/virtppc64d.service.in.
 */
#define DESCRIPTORS 65536

/* Seconds that a transaction has to come to its end before the daemon does; and those that it may
   wait for a helper that has nothing to do for it yet. */
enum
{
  STOP_TIMEOUT = 10,
  STOP_PATIENCE = 1,
};

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_CONTINUE;
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
ask_helper (int socket, gboolean read_only, DriverVerdict *verdict, gpointer helper, GError **error)
{
  return driver_helper_check_client (helper, socket, read_only, verdict, error);
}

static DriverRelay *
start_relay (const int *fds, DriverSocket which, const char *upstream, DriverAccess *access,
             DriverBounds *bounds, DriverOfferFunc offer, gpointer offer_data)
{
  g_autofree char *path = g_build_filename (upstream, driver_socket_name (which), NULL);
  DriverRelay *relay;

  if (fds[which] < 0)
    return NULL;
  relay = driver_relay_new (fds[which], path, offer, offer_data);
  driver_relay_admit (relay, access, which == DRIVER_SOCKET_RO);
  driver_relay_bound (relay, bounds);
  return relay;
}

static void
wait_for (const DriverTransactions *transactions, guint seconds)
{
  gint64 deadline = g_get_monotonic_time () + seconds * G_TIME_SPAN_SECOND;

  while (driver_transactions_get_length (transactions) > 0 && g_get_monotonic_time () < deadline)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (G_USEC_PER_SEC / 100);
}

/* Lets what is under way come to its end. What does not is safe with the helper, and looked at by
   the next start. */
static void
drain (const DriverTransactions *transactions, DriverHelper *helper)
{
  wait_for (transactions, STOP_PATIENCE);
  driver_helper_give_up (helper);
  wait_for (transactions, STOP_TIMEOUT - STOP_PATIENCE);
}

/* How many descriptors there may be: where this was not started by its unit, the limit is one for
   programs that use select(2). */
static guint
raise_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0)
    return DESCRIPTORS;
  if (limit.rlim_cur < DESCRIPTORS && limit.rlim_cur < limit.rlim_max)
    {
      struct rlimit higher = { MIN (limit.rlim_max, DESCRIPTORS), limit.rlim_max };

      if (setrlimit (RLIMIT_NOFILE, &higher) == 0)
        limit = higher;
    }
  return (guint) MIN (limit.rlim_cur, DESCRIPTORS);
}

static gboolean
run (const int *fds, const char *upstream, const char *bus, GError **error)
{
  static const DriverLibvirtFuncs funcs = { on_connected, on_changed, on_defined };
  g_autofree char *socket_ro
      = g_build_filename (upstream, driver_socket_name (DRIVER_SOCKET_RO), NULL);
  g_autofree char *uri = driver_libvirt_uri (socket_ro);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  DriverHelper *helper = driver_helper_new (bus);
  DriverLibvirt *libvirt = driver_libvirt_new (uri);
  DriverTransactions *transactions
      = driver_transactions_new (helper, driver_libvirt_get_domains (libvirt), DRIVER_SETTLE_GRACE);

  DriverHook *hook = NULL;
  if (fds[DRIVER_SOCKET_HOOK] >= 0)
    {
      hook = driver_hook_new (fds[DRIVER_SOCKET_HOOK], helper, transactions, error);
      if (hook == NULL)
        return FALSE;
    }
  DriverAccess *access = driver_access_new (ask_helper, helper);
  DriverBounds *bounds = driver_bounds_new (raise_limit ());
  DriverRelay *relay = start_relay (fds, DRIVER_SOCKET_RW, upstream, access, bounds,
                                    driver_transactions_offer, transactions);
  DriverRelay *relay_ro = start_relay (fds, DRIVER_SOCKET_RO, upstream, access, bounds, NULL, NULL);
  driver_events_start_loop ();
  driver_libvirt_start (libvirt, &funcs, transactions);

  /* libvirt's client library writes to sockets without MSG_NOSIGNAL. */
  signal (SIGPIPE, SIG_IGN);
  g_unix_signal_add (SIGTERM, quit, loop);
  g_unix_signal_add (SIGINT, quit, loop);
  sd_notify (FALSE, "READY=1");
  g_main_loop_run (loop);
  sd_notify (FALSE, "STOPPING=1");

  /* A start that comes now is for the next one to answer: this one asks nothing any more. */
  if (hook != NULL)
    driver_hook_stop (hook);
  driver_relay_free (relay);
  driver_relay_free (relay_ro);
  driver_bounds_free (bounds);
  driver_access_free (access);
  drain (transactions, helper);
  /* The process ends with whatever still waits for libvirt or the helper; nothing here has state
     that would be lost. */
  return TRUE;
}

/* Of sockets that are made here; what @text does not say is for the owner and his group. */
static gboolean
parse_mode (const char *text, mode_t *mode, GError **error)
{
  char *rest;

  *mode = 0660;
  if (text == NULL)
    return TRUE;
  *mode = (mode_t) g_ascii_strtoull (text, &rest, 8);
  if (*text >= '0' && *text <= '7' && *rest == '\0' && *mode <= 0777)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("“%s” is no mode of a file, as 0660"), text);
  return FALSE;
}

int
main (int argc, char **argv)
{
  g_autofree char *listen_dir = NULL, *upstream = NULL, *bus = NULL, *mode_text = NULL;
  gboolean verbose = FALSE, version = FALSE;
  const GOptionEntry entries[] = {
    { "listen", 0, 0, G_OPTION_ARG_FILENAME, &listen_dir,
      N_ ("make the sockets in DIR instead of taking them from systemd"), N_ ("DIR") },
    { "mode", 0, 0, G_OPTION_ARG_STRING, &mode_text,
      N_ ("the mode of these sockets; 0660 where it is not given"), N_ ("MODE") },
    { "upstream", 0, 0, G_OPTION_ARG_FILENAME, &upstream, N_ ("where libvirt's own sockets are"),
      N_ ("DIR") },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &bus,
      N_ ("the D-Bus address to find ppc64-kvmhelper at, instead of the system bus"),
      N_ ("ADDRESS") },
    { "verbose", 'v', 0, G_OPTION_ARG_NONE, &verbose, N_ ("log debug messages"), NULL },
    { "version", 'V', 0, G_OPTION_ARG_NONE, &version, N_ ("show the version"), NULL },
    { NULL },
  };
  int fds[DRIVER_SOCKET_LAST];
  mode_t mode;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  g_autoptr (GOptionContext) context
      = g_option_context_new (_ ("— passes libvirt's clients on, and sees to PCI passthrough"));
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (!g_option_context_parse (context, &argc, &argv, &error)
      || !parse_mode (mode_text, &mode, &error))
    {
      g_printerr ("virtppc64d: %s\n", error->message);
      return 2;
    }
  if (version)
    {
      g_print ("virtppc64d %s\n", PACKAGE_VERSION);
      return EXIT_SUCCESS;
    }
  common_log_init ("virtppc64d", verbose);
  if (upstream == NULL)
    upstream = g_strdup (DRIVER_RUN_DIR);

  if (!driver_sockets_listen (listen_dir, mode, fds, &error))
    {
      g_printerr ("virtppc64d: %s\n", error->message);
      return EXIT_FAILURE;
    }

  if (!run (fds, upstream, bus, &error))
    {
      g_printerr ("virtppc64d: %s\n", error->message);
      return EXIT_FAILURE;
    }
  return EXIT_SUCCESS;
}
