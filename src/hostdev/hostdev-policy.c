/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-policy.h"

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

static const char *const companions[] = {
  [HOSTDEV_COMPANIONS_LEAVE] = "leave",
  [HOSTDEV_COMPANIONS_ATTACH] = "attach",
  [HOSTDEV_COMPANIONS_REFUSE] = "refuse",
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

const char *
hostdev_companions_to_string (HostdevCompanions choice)
{
  return companions[choice];
}

gboolean
hostdev_policy_is_element (const xmlNode *node)
{
  return node->type == XML_ELEMENT_NODE && node->ns != NULL
         && g_strcmp0 ((const char *) node->ns->href, HOSTDEV_POLICY_NAMESPACE) == 0;
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

static const struct
{
  const char *name;
  guint64 bit;
} page_sizes[] = {
  { "4K", 1 << 12 }, { "64K", 1 << 16 }, { "2M", 1 << 21 }, { "16M", 1 << 24 }, { "1G", 1 << 30 },
};

char *
hostdev_policy_page_sizes (guint64 mask)
{
  GString *text = g_string_new (NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (page_sizes); i++)
    if ((mask & page_sizes[i].bit) != 0)
      g_string_append_printf (text, "%s%s", text->len > 0 ? " " : "", page_sizes[i].name);
  return g_string_free (text, FALSE);
}

static void
read_page_sizes (const xmlNode *node, HostdevPolicy *policy)
{
  g_autofree char *value = common_xml_get (node, "page-sizes");

  if (value == NULL)
    return;
  g_auto (GStrv) words = g_strsplit_set (value, " \t\r\n", -1);
  policy->page_sizes = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (page_sizes); i++)
    if (g_strv_contains ((const char *const *) words, page_sizes[i].name))
      policy->page_sizes |= page_sizes[i].bit;
}

/* What @node says, on top of what @policy says already. */
static void
read_policy (const xmlNode *node, HostdevPolicy *policy)
{
  static const char *const lacking[] = { "warn", "refuse" };
  guint xive = policy->xive, tce = policy->tce, eeh = policy->eeh, rehearse = policy->rehearse;
  guint window64 = policy->window64, others = policy->companions,
        refuse = (guint) policy->refuse_lacking;

  read_choice (node, "xive", wishes, G_N_ELEMENTS (wishes), &xive);
  read_choice (node, "tce", wishes, G_N_ELEMENTS (wishes), &tce);
  read_choice (node, "eeh", wishes, G_N_ELEMENTS (wishes), &eeh);
  read_choice (node, "rehearse", rehearsals, G_N_ELEMENTS (rehearsals), &rehearse);
  read_choice (node, "window64", wishes, G_N_ELEMENTS (wishes), &window64);
  read_choice (node, "companions", companions, G_N_ELEMENTS (companions), &others);
  read_choice (node, "lacking", lacking, G_N_ELEMENTS (lacking), &refuse);
  read_page_sizes (node, policy);
  policy->xive = (HostdevWish) xive;
  policy->tce = (HostdevWish) tce;
  policy->eeh = (HostdevWish) eeh;
  policy->window64 = (HostdevWish) window64;
  policy->rehearse = (HostdevRehearse) rehearse;
  policy->companions = (HostdevCompanions) others;
  policy->refuse_lacking = refuse != 0;
}

static HostdevWish
harden (HostdevWish wish)
{
  return wish == HOSTDEV_WISH_PREFERRED ? HOSTDEV_WISH_REQUIRED : wish;
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
  HostdevPolicy found = policy != NULL ? *policy : set->guest;
  if (found.refuse_lacking)
    {
      found.xive = harden (found.xive);
      found.tce = harden (found.tce);
      found.eeh = harden (found.eeh);
      found.window64 = harden (found.window64);
    }
  return found;
}

const char *
hostdev_policy_set_find_stray (const HostdevPolicySet *set, GHashTable *by_alias,
                               GHashTable *by_address)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, set->by_alias);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!g_hash_table_contains (by_alias, key))
      return key;
  g_hash_table_iter_init (&iter, set->by_address);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      PciAddress address;

      if (pci_address_parse (key, &address, NULL) && !g_hash_table_contains (by_address, &address))
        return key;
    }
  return NULL;
}

guint
hostdev_policy_set_get_spare_phbs (const HostdevPolicySet *set)
{
  return set->spare_phbs;
}
