/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-lease.h"

#include <glib/gi18n.h>

void
cli_lease_free (CliLease *lease)
{
  if (lease == NULL)
    return;
  g_free (lease->address);
  g_clear_pointer (&lease->lease, g_variant_unref);
  g_clear_pointer (&lease->inspection, g_variant_unref);
  g_clear_error (&lease->error);
  g_free (lease);
}

const char *
cli_lease_get (GVariant *dict, const char *key)
{
  const char *text = "";

  if (dict != NULL)
    g_variant_lookup (dict, key, "&s", &text);
  return text;
}

gboolean
cli_lease_get_fact (GVariant *dict, const char *key, const char **value, const char **source)
{
  return dict != NULL && g_variant_lookup (dict, key, "(&s&s)", value, source);
}

const char *
cli_lease_explain (const char *const words[][2], gsize n_words, const char *word,
                   const char *otherwise)
{
  for (gsize i = 0; i < n_words; i++)
    if (g_str_equal (words[i][0], word))
      return _ (words[i][1]);
  return otherwise;
}

static gboolean
has_member (GVariant *lease, const char *address)
{
  g_autoptr (GVariant) members
      = g_variant_lookup_value (lease, "members", G_VARIANT_TYPE ("aa{sv}"));
  gsize count = members != NULL ? g_variant_n_children (members) : 0;

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) member = g_variant_get_child_value (members, i);

      if (g_str_equal (cli_lease_get (member, "address"), address))
        return TRUE;
    }
  return FALSE;
}

gboolean
cli_lease_matches (const CliLease *lease, const char *what)
{
  return g_str_equal (lease->address, what)
         || g_str_equal (cli_lease_get (lease->lease, "domain-name"), what)
         || g_ascii_strcasecmp (cli_lease_get (lease->lease, "domain-uuid"), what) == 0
         || (lease->lease != NULL && has_member (lease->lease, what));
}
