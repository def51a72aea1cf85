/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-zpci.h"

#include <string.h>

#include "hostdev/hostdev-xml.h"

struct _HostdevZpciSet
{
  GHashTable *uids, *fids;
  guint64 next_uid, next_fid; /* below are none that are free */
};

static gboolean
read_number (const xmlNode *zpci, const char *name, guint max, guint *number, gboolean *given)
{
  *given = xmlHasProp ((xmlNode *) zpci, BAD_CAST name) != NULL;
  return common_xml_get_number (zpci, name, max, COMMON_ERROR_INVALID_DEVICE, number, NULL);
}

void
hostdev_zpci_ids_read (const xmlNode *address, HostdevZpciIds *ids)
{
  const xmlNode *zpci = common_xml_child (address, "zpci");

  *ids = (HostdevZpciIds){ 0 };
  if (zpci == NULL)
    return;
  if (!read_number (zpci, "fid", G_MAXUINT, &ids->fid, &ids->has_fid))
    ids->bad = "fid";
  if (!read_number (zpci, "uid", HOSTDEV_ZPCI_UID_MAX, &ids->uid, &ids->has_uid)
      || (ids->has_uid && ids->uid == 0))
    ids->bad = "uid";
}

HostdevZpciSet *
hostdev_zpci_set_new (void)
{
  HostdevZpciSet *set = g_new0 (HostdevZpciSet, 1);

  set->uids = g_hash_table_new (NULL, NULL);
  set->fids = g_hash_table_new (NULL, NULL);
  set->next_uid = 1;
  return set;
}

void
hostdev_zpci_set_free (HostdevZpciSet *set)
{
  if (set == NULL)
    return;
  g_hash_table_unref (set->uids);
  g_hash_table_unref (set->fids);
  g_free (set);
}

static gboolean
ensure (GHashTable *taken, guint64 *next, guint max, gboolean *has, guint *number)
{
  if (!*has)
    {
      while (*next <= max && g_hash_table_contains (taken, GUINT_TO_POINTER ((guint) *next)))
        ++*next;
      if (*next > max)
        return FALSE;
      *number = (guint) *next;
      *has = TRUE;
    }
  return g_hash_table_add (taken, GUINT_TO_POINTER (*number));
}

const char *
hostdev_zpci_set_ensure (HostdevZpciSet *set, HostdevZpciIds *ids)
{
  if (!ensure (set->uids, &set->next_uid, HOSTDEV_ZPCI_UID_MAX, &ids->has_uid, &ids->uid))
    return "uid";
  if (!ensure (set->fids, &set->next_fid, G_MAXUINT, &ids->has_fid, &ids->fid))
    return "fid";
  return NULL;
}

static guint
rank_of (const xmlNode *node)
{
  static const char *const kinds[]
      = { "disk", "interface", "sound", "hostdev", "video", "controller" };
  guint rank = 0;

  G_STATIC_ASSERT (G_N_ELEMENTS (kinds) == HOSTDEV_ZPCI_RANKS - 1);
  while (rank < G_N_ELEMENTS (kinds) && !common_xml_is (node, kinds[rank]))
    rank++;
  return rank;
}

/* The root is the machine's own and has no number. */
static gboolean
is_bridge (const xmlNode *node)
{
  g_autofree char *model = common_xml_get_or_empty (node, "model");

  return common_xml_is (node, "controller") && common_xml_attribute_is (node, "type", "pci")
         && *model != '\0' && strcmp (model, "pci-root") != 0;
}

static gboolean
has_place (const xmlNode *address)
{
  PciAddress guest;

  return address != NULL
         && hostdev_xml_get_address (address, COMMON_ERROR_INVALID_DOMAIN, &guest, NULL)
         && (guest.domain != 0 || guest.bus != 0 || guest.slot != 0);
}

void
hostdev_zpci_list_add (HostdevZpciList *list, const xmlNode *node, int hostdev)
{
  const xmlNode *address = common_xml_child (node, "address");
  HostdevZpciDevice device = { .rank = rank_of (node), .is_hostdev = hostdev >= 0 };

  /* What is not said to be PCI is on the channel subsystem (ccw), as all that is virtio. */
  if (address != NULL && !common_xml_attribute_is (address, "type", "pci"))
    address = NULL;
  if (hostdev < 0 && address == NULL && !is_bridge (node))
    return;
  if (hostdev >= 0)
    device.hostdev = (guint) hostdev;
  else if (is_bridge (node))
    list->bridges += has_place (address) ? 0 : 1;
  else
    list->loose += has_place (address) ? 0 : 1;
  if (address != NULL)
    hostdev_zpci_ids_read (address, &device.ids);
  if (list->devices == NULL)
    list->devices = g_array_new (FALSE, FALSE, sizeof (HostdevZpciDevice));
  g_array_append_val (list->devices, device);
}

void
hostdev_zpci_list_clear (HostdevZpciList *list)
{
  g_clear_pointer (&list->devices, g_array_unref);
}
