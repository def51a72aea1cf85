/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-network.h"

#include <glib/gi18n.h>

#include "cli/cli-libvirt.h"
#include "common/common-error.h"

struct _CliNetworks
{
  char *uri;
  GHashTable *texts; /* name: GStrv, as cli_libvirt_get_network has it */
  GArray *given;     /* PciAddress: what the interfaces so far took */
  HostdevNetworks networks;
};

static const char *const *
get_texts (CliNetworks *self, const char *name, GError **error)
{
  char **texts = g_hash_table_lookup (self->texts, name);

  if (texts != NULL)
    return (const char *const *) texts;
  texts = cli_libvirt_get_network (self->uri, name, error);
  if (texts != NULL)
    g_hash_table_insert (self->texts, g_strdup (name), texts);
  return (const char *const *) texts;
}

static gboolean
find (gpointer data, const char *name, const char *uuid, HostdevDevice *device, gboolean *hands_out,
      GError **error)
{
  CliNetworks *self = data;
  const char *const *texts = get_texts (self, name, error);

  if (texts == NULL)
    return FALSE;
  *hands_out = hostdev_network_hands_out (texts[0]);
  if (!*hands_out)
    return TRUE;
  if (!hostdev_network_choose_next (texts, uuid, self->given, device))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE,
                   _ ("The network “%s” has no function left to hand out."), name);
      return FALSE;
    }
  g_array_append_val (self->given, device->address);
  return TRUE;
}

CliNetworks *
cli_networks_new (const char *uri)
{
  CliNetworks *self = g_new0 (CliNetworks, 1);

  self->uri = g_strdup (uri);
  self->texts
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  self->given = g_array_new (FALSE, FALSE, sizeof (PciAddress));
  self->networks = (HostdevNetworks){ find, self };
  return self;
}

void
cli_networks_free (CliNetworks *networks)
{
  if (networks == NULL)
    return;
  g_free (networks->uri);
  g_hash_table_unref (networks->texts);
  g_array_unref (networks->given);
  g_free (networks);
}

const HostdevNetworks *
cli_networks_get (const CliNetworks *networks)
{
  return &networks->networks;
}
