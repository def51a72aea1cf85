/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-guest.h"

#include <glib/gi18n.h>
#include <string.h>

#include "cli/cli-input.h"
#include "cli/cli-libvirt.h"
#include "cli/cli-network.h"

void
cli_guest_clear (CliGuest *guest)
{
  g_clear_pointer (&guest->domain, g_free);
  g_clear_pointer (&guest->file, g_free);
  g_clear_pointer (&guest->connect, g_free);
}

static gboolean
is_one (const CliGuest *guest)
{
  return (guest->domain == NULL) != (guest->file == NULL);
}

static gboolean
refuse (GError **error)
{
  g_set_error_literal (error, CLI_USAGE_ERROR, 0,
                       _ ("This is about one guest: name it by its name or UUID in libvirt, or "
                          "give a file with its XML."));
  return FALSE;
}

gboolean
cli_guest_take (CliGuest *guest, const char *word, GError **error)
{
  gboolean is_file = g_str_equal (word, "-") || strchr (word, '/') != NULL
                     || g_str_has_suffix (word, ".xml") || g_file_test (word, G_FILE_TEST_EXISTS);
  char **place = is_file ? &guest->file : &guest->domain;

  if (guest->domain != NULL || guest->file != NULL)
    return refuse (error);
  *place = g_strdup (word);
  return TRUE;
}

gboolean
cli_guest_check (const CliGuest *guest, GError **error)
{
  if (!is_one (guest))
    return refuse (error);
  if (guest->connect == NULL || guest->domain != NULL)
    return TRUE;
  g_set_error_literal (error, CLI_USAGE_ERROR, 0,
                       _ ("--connect goes with a guest of libvirt's, not with a file."));
  return FALSE;
}

HostdevDomain *
cli_guest_read (const CliGuest *guest, gboolean inactive, GError **error)
{
  const char *where = guest->domain != NULL ? guest->domain : guest->file;
  gboolean ask = guest->domain != NULL && inactive;
  g_autoptr (CliNetworks) networks = ask ? cli_networks_new (guest->connect) : NULL;
  g_autofree char *xml = NULL;
  HostdevDomain *domain;
  gsize length = 0;

  if (guest->domain != NULL)
    {
      xml = cli_libvirt_get_xml (guest->connect, guest->domain, inactive, error);
      length = xml != NULL ? strlen (xml) : 0;
    }
  else
    xml = cli_input_read (guest->file, HOSTDEV_DOMAIN_XML_MAX, &length, error);
  if (xml == NULL)
    return NULL;
  domain = hostdev_domain_new_with_networks (xml, (gssize) length,
                                             ask ? cli_networks_get (networks) : NULL, error);
  if (domain == NULL)
    g_prefix_error (error, "%s: ", where);
  return domain;
}

gboolean
cli_guest_resolve (const CliGuest *guest, const char *xml, HostdevDevice **device, GError **error)
{
  g_autoptr (CliNetworks) networks = cli_networks_new (guest->connect);
  g_autofree char *network = NULL;
  g_autoptr (HostdevDevice) read = hostdev_network_device_new (xml, -1, &network);
  const HostdevNetworks *known = cli_networks_get (networks);
  gboolean hands_out = FALSE;

  *device = NULL;
  if (read == NULL)
    return TRUE;
  if (guest->domain == NULL)
    {
      g_set_error (
          error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
          _ ("What the network “%s” hands out libvirt knows alone, and it is not asked for "
             "a guest that is a file: name the guest by its name in libvirt, or the "
             "function by its address."),
          network);
      return FALSE;
    }
  if (!known->find (known->data, network, NULL, read, &hands_out, error))
    return FALSE;
  if (!hands_out)
    return TRUE;
  read->network = g_steal_pointer (&network);
  *device = g_steal_pointer (&read);
  return TRUE;
}

HostdevHost *
cli_guest_read_host (const CliGuest *guest, const CliOptions *options, GError **error)
{
  HostdevHost *host = cli_input_host (options, error);

  if (host != NULL && guest->domain != NULL && options->host_file == NULL
      && options->simulate == NULL)
    cli_libvirt_claim (guest->connect, host);
  return host;
}
