/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gunixsocketaddress.h>
#include <glib/gi18n-lib.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/common-error.h"
#include "driver/driver-hook-protocol.h"
#include "driver/driver-sockets.h"
#include "hostdev/hostdev-domain.h"

/**
 * The hook program of libvirt's QEMU driver and of its networks (docs/hooks.rst): NAME OPERATION
 * SUB-OPERATION EXTRA, the domain's XML on stdin, or a network's and its port's. A guest that is no
 * pSeries KVM guest with PCI hostdevs never notices it. It asks virtppc64d, never libvirt, which
 * waits for it and holds the domain meanwhile.
 *
 * Only `prepare` may fail, which stops the start, `port-created`, which stops what wants the port,
 * and `migrate`, at the destination. At `started` and `reconnect` a failure would kill the running
 * guest. Nothing is written to stdout: it would become the domain's XML.
 *
 * A guest that is restored, or reverted to a snapshot, starts as any other: libvirt calls `prepare`
 * for it, too, and `release` before where it ran (src/qemu/qemu_process.c: qemuProcessInit,
 * qemuProcessStop).
 */

/* The exit status where time runs out. */
static volatile sig_atomic_t verdict = EXIT_SUCCESS;

static void
on_alarm (int number)
{
  static const char words[] = "ppc64-hostdev: virtppc64d did not answer in time. "
                              "See \"systemctl status virtppc64d\".\n";
  gssize ignored = write (STDERR_FILENO, words, sizeof words - 1);

  (void) ignored;
  _exit (verdict);
}

static void
set_alarm (guint seconds)
{
  const struct sigaction action = { .sa_handler = on_alarm };

  sigaction (SIGALRM, &action, NULL);
  alarm (seconds);
}

/* All of stdin; NULL where it is more than a domain's XML can be. */
static GString *
read_stdin (void)
{
  GString *xml = g_string_new (NULL);
  char buffer[16 * 1024];
  gssize got;

  while ((got = read (STDIN_FILENO, buffer, sizeof buffer)) > 0
         && xml->len <= HOSTDEV_DOMAIN_XML_MAX)
    g_string_append_len (xml, buffer, got);
  if (got == 0)
    return xml;
  g_string_free (xml, TRUE);
  return NULL;
}

/* Set up from the next boot on: neither is libvirt's socket where virtppc64d would connect, which
   is beside the hook's, nor is the hook's there. Until then all is as if this were not installed.
 */
static gboolean
is_to_come (const char *path, const GError *failed)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *moved = g_build_filename (directory, DRIVER_SOCKET_RW_NAME, NULL);

  return g_error_matches (failed, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
         && !g_file_test (moved, G_FILE_TEST_EXISTS);
}

static gboolean
ask_driver (const char *operation, const char *xml, GError **error)
{
  const char *own_path = g_getenv (DRIVER_HOOK_SOCKET_ENV);
  const char *path = own_path != NULL ? own_path : DRIVER_RUN_DIR "/hook";
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) failed = NULL;
  gboolean allowed;
  const char *why;

  /* The libvirt of a user's session runs the system's hooks, too, as that user; its guests are none
   * of virtppc64d's, which they could not reach. */
  if (own_path == NULL && geteuid () != 0)
    return TRUE;
  /* Else GIO loads its modules to look for a proxy. */
  g_socket_client_set_enable_proxy (client, FALSE);
  connection = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, &failed);
  if (connection != NULL
      && driver_hook_send (connection, g_variant_new (DRIVER_HOOK_REQUEST, operation, xml),
                           &failed))
    reply = driver_hook_receive (connection, DRIVER_HOOK_REPLY, &failed);
  if (connection == NULL && is_to_come (path, failed))
    return TRUE;
  if (reply == NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE,
                   _ ("virtppc64d, which sees to PCI passthrough, cannot be reached (%s). See "
                      "“systemctl status virtppc64d”."),
                   failed->message);
      return FALSE;
    }
  g_variant_get (reply, "(b&s)", &allowed, &why);
  if (!allowed)
    g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INTERNAL, why);
  return allowed;
}

/* Those that virtppc64d wants to know of. */
static gboolean
is_wanted (const char *operation)
{
  static const char *const wanted[]
      = { "prepare", "started", "release", "reconnect", "migrate", NULL };

  return g_strv_contains (wanted, operation);
}

static gboolean
is_of_port (const char *operation)
{
  return g_str_equal (operation, "port-created") || g_str_equal (operation, "port-deleted");
}

/* Of virtppc64d's own, that it cannot be reached is no reason: whose port it is, is not known here.
 */
static gboolean
ask_about_port (const char *operation, const GString *xml, GError **error)
{
  g_autoptr (GError) failed = NULL;

  if (xml == NULL || strstr (xml->str, "hostdev-pci") == NULL
      || ask_driver (operation, xml->str, &failed)
      || g_error_matches (failed, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

/* QEMU cannot migrate a device that it has by VFIO. One of a failover pair has left the guest
   before, and comes again at the destination. */
static gboolean
may_migrate (const HostdevDomain *domain, GError **error)
{
  const GPtrArray *devices = hostdev_domain_get_devices (domain);
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevDevice *device = devices->pdata[i];
      char address[PCI_ADDRESS_LEN];

      if (!device->teaming)
        g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "",
                                pci_address_format (&device->address, address));
    }
  if (list->len == 0)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_DRIVER_UNSUPPORTED,
               _ ("guest “%s” cannot come by migration: it has PCI devices of the host that it "
                  "leaves (%s). Detach them first, or stop the guest and start it here."),
               hostdev_domain_get_name (domain), list->str);
  return FALSE;
}

/* The domain, where it concerns us. */
static HostdevDomain *
find_guest (const GString *xml, GError **error)
{
  g_autoptr (HostdevDomain) domain = NULL;

  if (xml == NULL)
    return NULL;
  domain = hostdev_domain_new_from_xml (xml->str, (gssize) xml->len, error);
  if (domain == NULL || !hostdev_domain_is_pseries_kvm (domain)
      || (hostdev_domain_get_devices (domain)->len == 0 && !hostdev_domain_has_networks (domain)))
    return NULL;
  return g_steal_pointer (&domain);
}

/* FALSE where it has PCI devices of the host, and something stands against it. A guest that may
   come to one by a network is only made known, where there is somebody to know it. */
static gboolean
see_to_guest (const char *operation, const HostdevDomain *domain, const GString *xml,
              GError **error)
{
  if (hostdev_domain_get_devices (domain)->len > 0)
    return g_str_equal (operation, "migrate") ? may_migrate (domain, error)
                                              : ask_driver (operation, xml->str, error);
  if (g_str_equal (operation, "prepare"))
    {
      set_alarm (DRIVER_HOOK_NOTE_TIMEOUT);
      ask_driver (operation, xml->str, NULL);
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  const char *operation = argc >= 3 ? argv[2] : "";
  gboolean may_refuse = g_str_equal (operation, "prepare") || g_str_equal (operation, "migrate")
                        || g_str_equal (operation, "port-created");
  g_autoptr (GError) error = NULL;

  set_alarm (may_refuse ? DRIVER_HOOK_PREPARE_TIMEOUT : DRIVER_HOOK_OTHER_TIMEOUT);
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  /* Read also where it is of no use: who writes it must not meet a closed pipe. */
  GString *xml = read_stdin ();
  g_autoptr (HostdevDomain) domain = is_wanted (operation) ? find_guest (xml, &error) : NULL;
  gboolean ok = TRUE;

  if (domain != NULL)
    {
      if (may_refuse && hostdev_domain_get_devices (domain)->len > 0)
        verdict = EXIT_FAILURE;
      ok = see_to_guest (operation, domain, xml, &error);
    }
  else if (is_of_port (operation))
    ok = ask_about_port (operation, xml, &error);
  /* What is no domain is libvirt's to judge; our own element in it is not. */
  else if (g_error_matches (error, COMMON_ERROR, COMMON_ERROR_INVALID_METADATA))
    ok = FALSE;
  if (!ok)
    g_printerr ("ppc64-hostdev: %s\n", error->message);
  if (xml != NULL)
    g_string_free (xml, TRUE);
  return ok || !may_refuse ? EXIT_SUCCESS : EXIT_FAILURE;
}
