/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-policy.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "hostdev/hostdev-policy-set.h"
#include "hostdev/hostdev-xml.h"

static const char *const wishes[] = {
  [HOSTDEV_WISH_PREFERRED] = "preferred",
  [HOSTDEV_WISH_REQUIRED] = "required",
  [HOSTDEV_WISH_OFF] = "off",
};

static const char *const rehearsals[] = {
  [HOSTDEV_REHEARSE_AUTO] = "auto",
  [HOSTDEV_REHEARSE_ALWAYS] = "always",
  [HOSTDEV_REHEARSE_NEVER] = "never",
};

const char *
hostdev_wish_to_string (HostdevWish wish)
{
  return wishes[wish];
}

const char *
hostdev_rehearse_to_string (HostdevRehearse rehearse)
{
  return rehearsals[rehearse];
}

struct _HostdevPolicySet
{
  HostdevPolicy guest;
  guint spare_phbs;
  GHashTable *by_alias;   /* char *: HostdevPolicy */
  GHashTable *by_address; /* canonical address, char *: HostdevPolicy */
};

HostdevPolicySet *
hostdev_policy_set_new (void)
{
  HostdevPolicySet *set = g_new0 (HostdevPolicySet, 1);

  set->by_alias = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  set->by_address = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return set;
}

void
hostdev_policy_set_free (HostdevPolicySet *set)
{
  if (set == NULL)
    return;
  g_hash_table_unref (set->by_alias);
  g_hash_table_unref (set->by_address);
  g_free (set);
}

/* The schema has been there before: a value that is given is one of the table's. */
static void
read_choice (const xmlNode *node, const char *attribute, const char *const *table, guint count,
             guint *choice)
{
  g_autofree char *value = common_xml_get (node, attribute);

  for (guint i = 0; i < count; i++)
    if (g_strcmp0 (value, table[i]) == 0)
      *choice = i;
}

/* What @node says, on top of what @policy says already. */
static void
read_policy (const xmlNode *node, HostdevPolicy *policy)
{
  guint xive = policy->xive, tce = policy->tce, eeh = policy->eeh, rehearse = policy->rehearse;

  read_choice (node, "xive", wishes, G_N_ELEMENTS (wishes), &xive);
  read_choice (node, "tce", wishes, G_N_ELEMENTS (wishes), &tce);
  read_choice (node, "eeh", wishes, G_N_ELEMENTS (wishes), &eeh);
  read_choice (node, "rehearse", rehearsals, G_N_ELEMENTS (rehearsals), &rehearse);
  *policy = (HostdevPolicy){ (HostdevWish) xive, (HostdevWish) tce, (HostdevWish) eeh,
                             (HostdevRehearse) rehearse };
}

/* One <device>, with which the key is not there yet. */
static gboolean
read_device (HostdevPolicySet *set, const xmlNode *node, GError **error)
{
  HostdevPolicy policy = set->guest;
  g_autofree char *key = common_xml_get (node, "alias");
  GHashTable *table = set->by_alias;

  if (key == NULL)
    {
      PciAddress address;

      if (!hostdev_xml_get_address (xmlFirstElementChild ((xmlNode *) node),
                                    COMMON_ERROR_INVALID_METADATA, &address, error))
        return FALSE;
      key = pci_address_to_string (&address);
      table = set->by_address;
    }
  if (g_hash_table_contains (table, key))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_METADATA,
                   _ ("Line %ld: there is more than one <device> for %s"), xmlGetLineNo (node),
                   key);
      return FALSE;
    }
  read_policy (node, &policy);
  g_hash_table_insert (table, g_steal_pointer (&key), g_memdup2 (&policy, sizeof policy));
  return TRUE;
}

/* The one mistake that the schema refuses without saying why. */
static gboolean
check_aliases (const xmlNode *node, GError **error)
{
  for (xmlNode *child = xmlFirstElementChild ((xmlNode *) node); child != NULL;
       child = xmlNextElementSibling (child))
    {
      g_autofree char *alias = common_xml_get (child, "alias");

      if (alias != NULL && !g_str_has_prefix (alias, "ua-"))
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_METADATA,
                       _ ("Line %ld: alias “%.40s” is of libvirt's making and changes from start "
                          "to start; give the device an alias of your own, which begins with ua-"),
                       xmlGetLineNo (child), alias);
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
hostdev_policy_set_read (HostdevPolicySet *set, xmlNode *node, GError **error)
{
  if (!check_aliases (node, error))
    return FALSE;
  if (!hostdev_xml_validate (node, HOSTDEV_SCHEMA_DOMAIN, COMMON_ERROR_INVALID_METADATA, error))
    return FALSE;

  read_policy (node, &set->guest);
  if (!common_xml_get_number (node, "spare-phbs", G_MAXUINT, COMMON_ERROR_INVALID_METADATA,
                              &set->spare_phbs, error))
    return FALSE;
  for (xmlNode *child = xmlFirstElementChild (node); child != NULL;
       child = xmlNextElementSibling (child))
    if (!read_device (set, child, error))
      return FALSE;
  return TRUE;
}

HostdevPolicy
hostdev_policy_set_get (const HostdevPolicySet *set, const HostdevDevice *device)
{
  char address[PCI_ADDRESS_LEN];
  const HostdevPolicy *policy = NULL;

  if (device->alias != NULL)
    policy = g_hash_table_lookup (set->by_alias, device->alias);
  if (policy == NULL)
    policy = g_hash_table_lookup (set->by_address, pci_address_format (&device->address, address));
  return policy != NULL ? *policy : set->guest;
}

guint
hostdev_policy_set_get_spare_phbs (const HostdevPolicySet *set)
{
  return set->spare_phbs;
}
