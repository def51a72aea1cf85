/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-host.h"

#include <stddef.h>
#include <string.h>

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "hostdev/hostdev-host-build.h"

/*
 * Each dictionary is walked once, and each key of it looked up in a short table. A key that is not
 * in the table is a newer helper's and passed over; one that is there with another type is an
 * error.
 */
typedef struct
{
  const char *name;
  const char *type;
  gsize offset;    /* in the structure that is filled; of a container: its place among the extras */
  guint max;       /* of a "u" */
  gboolean is_pci; /* of an "s": a PCI address */
} Key;

#define EXTRAS 5

static gboolean
refuse (GError **error, const char *key, const char *why)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST,
               _ ("The host description's “%s”: %s"), key, why);
  return FALSE;
}

static gboolean
read_value (const Key *key, GVariant *value, char *structure, GVariant **extras, GError **error)
{
  void *place = structure + key->offset;

  if (!g_variant_is_of_type (value, G_VARIANT_TYPE (key->type)))
    return refuse (error, key->name, g_variant_get_type_string (value));
  if (key->is_pci)
    {
      g_autoptr (GError) local = NULL;

      if (!pci_address_parse (g_variant_get_string (value, NULL), place, &local))
        return refuse (error, key->name, local->message);
    }
  else if (strcmp (key->type, "s") == 0)
    {
      char **text = place;

      g_free (*text);
      *text = g_variant_dup_string (value, NULL);
    }
  else if (strcmp (key->type, "u") == 0)
    {
      guint number = g_variant_get_uint32 (value);

      if (number > key->max)
        return refuse (error, key->name, _ ("the number is too large"));
      *(guint *) place = number;
    }
  else if (strcmp (key->type, "t") == 0)
    *(guint64 *) place = g_variant_get_uint64 (value);
  else if (strcmp (key->type, "b") == 0)
    *(gboolean *) place = g_variant_get_boolean (value);
  else
    {
      g_clear_pointer (&extras[key->offset], g_variant_unref);
      extras[key->offset] = g_variant_ref (value);
    }
  return TRUE;
}

/* @seen: (out): a bit for each of @keys that was there. */
static gboolean
read_dictionary (GVariant *dictionary, const Key *keys, guint n_keys, void *structure,
                 GVariant **extras, guint *seen, GError **error)
{
  GVariantIter iter;
  GVariant *entry;

  *seen = 0;
  g_variant_iter_init (&iter, dictionary);
  while ((entry = g_variant_iter_next_value (&iter)) != NULL)
    {
      const char *name;
      g_autoptr (GVariant) value = NULL;
      g_autoptr (GVariant) owned = entry;

      g_variant_get (owned, "{&sv}", &name, &value);
      for (guint i = 0; i < n_keys; i++)
        if (strcmp (keys[i].name, name) == 0)
          {
            if (!read_value (&keys[i], value, structure, extras, error))
              return FALSE;
            *seen |= 1u << i;
          }
    }
  return TRUE;
}

static void
clear_extras (GVariant **extras)
{
  for (guint i = 0; i < EXTRAS; i++)
    g_clear_pointer (&extras[i], g_variant_unref);
}

#define TEXT(type, name, member)                                                                   \
  {                                                                                                \
    name, "s", offsetof (type, member), 0, FALSE                                                   \
  }
#define NUMBER(type, name, member, max)                                                            \
  {                                                                                                \
    name, "u", offsetof (type, member), max, FALSE                                                 \
  }
#define PCI(type, name, member)                                                                    \
  {                                                                                                \
    name, "s", offsetof (type, member), 0, TRUE                                                    \
  }

static const Key function_keys[] = {
  PCI (HostdevFunction, "address", address),
  PCI (HostdevFunction, "physfn", physfn),
  NUMBER (HostdevFunction, "vendor", vendor, 0xffff),
  NUMBER (HostdevFunction, "device", device, 0xffff),
  NUMBER (HostdevFunction, "subsystem-vendor", subsystem_vendor, 0xffff),
  NUMBER (HostdevFunction, "subsystem-device", subsystem_device, 0xffff),
  NUMBER (HostdevFunction, "class", class, 0xffffff),
  NUMBER (HostdevFunction, "numvfs", numvfs, 0xffff),
  TEXT (HostdevFunction, "vendor-name", vendor_name),
  TEXT (HostdevFunction, "device-name", device_name),
  TEXT (HostdevFunction, "class-name", class_name),
  TEXT (HostdevFunction, "driver", driver),
  TEXT (HostdevFunction, "driver-override", driver_override),
  NUMBER (HostdevFunction, "intx", intx, 0xffff),
  NUMBER (HostdevFunction, "msi", msi, 0xffff),
  NUMBER (HostdevFunction, "msix", msix, 0xffff),
  NUMBER (HostdevFunction, "numa-node", numa_node, 0xffff),
  NUMBER (HostdevFunction, "dma-bits", dma_bits, 64),
  TEXT (HostdevFunction, "reset-methods", reset_methods),
  NUMBER (HostdevFunction, "total-vfs", total_vfs, 0xffff),
  { "interrupts-in-use-only", "b", offsetof (HostdevFunction, in_use_only), 0, FALSE },
  { "endpoint", "b", offsetof (HostdevFunction, endpoint), 0, FALSE },
  { "busy", "a(ss)", 0, 0, FALSE },
  { "companions", "as", 1, 0, FALSE },
};
#define SEEN_ADDRESS (1u << 0)
#define SEEN_PHYSFN  (1u << 1)
#define SEEN_NODE    (1u << 16)

static gboolean
fill_function (HostdevFunction *function, GVariant *dictionary, GVariant **extras, GError **error)
{
  const char *kind, *detail;
  GVariantIter iter;
  guint seen;

  if (!read_dictionary (dictionary, function_keys, G_N_ELEMENTS (function_keys), function, extras,
                        &seen, error))
    return FALSE;
  if ((seen & SEEN_ADDRESS) == 0)
    return refuse (error, "address", _ ("it is missing"));
  function->is_vf = (seen & SEEN_PHYSFN) != 0;
  function->has_numa_node = (seen & SEEN_NODE) != 0;
  if (extras[0] != NULL)
    {
      g_variant_iter_init (&iter, extras[0]);
      while (g_variant_iter_next (&iter, "(&s&s)", &kind, &detail))
        hostdev_function_add_busy (function, kind, detail);
    }
  if (extras[1] != NULL)
    {
      g_variant_iter_init (&iter, extras[1]);
      while (g_variant_iter_next (&iter, "&s", &kind))
        if (!hostdev_function_add_companion (function, kind))
          return refuse (error, "companions", kind);
    }
  return TRUE;
}

/* Every function of the aa{sv} @list goes into @functions. */
static gboolean
read_functions (GVariant *list, GPtrArray *functions, GError **error)
{
  gsize count = list != NULL ? g_variant_n_children (list) : 0;

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) dictionary = g_variant_get_child_value (list, i);
      g_autoptr (HostdevFunction) function = hostdev_function_new ();
      GVariant *extras[EXTRAS] = { NULL };
      gboolean filled = fill_function (function, dictionary, extras, error);

      clear_extras (extras);
      if (!filled)
        return FALSE;
      g_ptr_array_add (functions, g_steal_pointer (&function));
    }
  return TRUE;
}

static const Key group_keys[] = {
  NUMBER (HostdevGroup, "number", number, G_MAXUINT),
  NUMBER (HostdevGroup, "pe", pe, G_MAXUINT),
  NUMBER (HostdevGroup, "phb", phb, 0xffff),
  NUMBER (HostdevGroup, "holder-pid", holder_pid, G_MAXUINT),
  TEXT (HostdevGroup, "name", name),
  TEXT (HostdevGroup, "holder", holder),
  TEXT (HostdevGroup, "lease", lease),
  TEXT (HostdevGroup, "domain-uuid", domain_uuid),
  TEXT (HostdevGroup, "domain-name", domain_name),
  { "pe-state", "(ss)", 0, 0, FALSE },
  { "members", "aa{sv}", 1, 0, FALSE },
  { "dma-windows", "a{sv}", 2, 0, FALSE },
};
#define SEEN_NUMBER (1u << 0)
#define SEEN_PE     (1u << 1)

static const Key window_keys[] = {
  NUMBER (HostdevGroup, "dma32-start", dma32_start, G_MAXUINT),
  NUMBER (HostdevGroup, "dma32-size", dma32_size, G_MAXUINT),
  NUMBER (HostdevGroup, "windows", windows, G_MAXUINT),
  NUMBER (HostdevGroup, "levels", levels, G_MAXUINT),
  { "page-sizes", "t", offsetof (HostdevGroup, page_sizes), 0, FALSE },
};

static gboolean
fill_group (HostdevGroup *group, GVariant *dictionary, GVariant **extras, GError **error)
{
  guint seen;

  if (!read_dictionary (dictionary, group_keys, G_N_ELEMENTS (group_keys), group, extras, &seen,
                        error))
    return FALSE;
  if ((seen & SEEN_NUMBER) == 0)
    return refuse (error, "number", _ ("it is missing"));
  group->has_pe = (seen & SEEN_PE) != 0;
  if (extras[0] != NULL)
    {
      g_free (group->pe_state);
      g_free (group->pe_state_source);
      g_variant_get (extras[0], "(ss)", &group->pe_state, &group->pe_state_source);
    }
  group->has_windows = extras[2] != NULL;
  if (group->has_windows
      && !read_dictionary (extras[2], window_keys, G_N_ELEMENTS (window_keys), group, extras, &seen,
                           error))
    return FALSE;
  return read_functions (extras[1], group->members, error);
}

static gboolean
read_groups (HostdevHost *host, GVariant *list, GError **error)
{
  gsize count = list != NULL ? g_variant_n_children (list) : 0;

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) dictionary = g_variant_get_child_value (list, i);
      g_autoptr (HostdevGroup) group = hostdev_group_new ();
      GVariant *extras[EXTRAS] = { NULL };
      gboolean filled = fill_group (group, dictionary, extras, error);

      clear_extras (extras);
      if (!filled)
        return FALSE;
      hostdev_host_add_group (host, g_steal_pointer (&group));
    }
  return TRUE;
}

/* A NUMA node, as it is read. */
typedef struct
{
  guint number;
  char *cpus, *distances;
} Node;

static const Key node_keys[] = {
  NUMBER (Node, "number", number, 0xffff),
  TEXT (Node, "cpus", cpus),
  TEXT (Node, "distances", distances),
};

static gboolean
read_nodes (HostdevHost *host, GVariant *list, GError **error)
{
  gsize count = list != NULL ? g_variant_n_children (list) : 0;

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) dictionary = g_variant_get_child_value (list, i);
      Node node = { 0, g_strdup (""), g_strdup ("") };
      guint seen;
      gboolean read = read_dictionary (dictionary, node_keys, G_N_ELEMENTS (node_keys), &node, NULL,
                                       &seen, error);

      if (read && !hostdev_host_add_node (host, node.number, node.cpus, node.distances))
        read = refuse (error, "cpus", node.cpus);
      g_free (node.cpus);
      g_free (node.distances);
      if (!read)
        return FALSE;
    }
  return TRUE;
}

static const Key host_keys[] = {
  NUMBER (HostdevHostFacts, "page-size", page_size, G_MAXUINT),
  NUMBER (HostdevHostFacts, "memory", memory, G_MAXUINT),
  NUMBER (HostdevHostFacts, "memory-available", memory_available, G_MAXUINT),
  TEXT (HostdevHostFacts, "platform", platform),
  TEXT (HostdevHostFacts, "kernel", kernel),
  TEXT (HostdevHostFacts, "cpu", cpu),
  TEXT (HostdevHostFacts, "model", model),
  TEXT (HostdevHostFacts, "firmware", firmware),
  TEXT (HostdevHostFacts, "simulated", simulated),
  { "capabilities", "a{s(ss)}", 0, 0, FALSE },
  { "groups", "aa{sv}", 1, 0, FALSE },
  { "ungrouped", "aa{sv}", 2, 0, FALSE },
  { "eeh", "a{s(ss)}", 3, 0, FALSE },
  { "nodes", "aa{sv}", 4, 0, FALSE },
};

static gboolean
fill_host (HostdevHost *host, GVariant *description, GVariant **extras, GError **error)
{
  g_autoptr (GPtrArray) ungrouped = g_ptr_array_new ();
  const char *name, *answer, *source;
  GVariantIter iter;
  guint seen;

  if (!read_dictionary (description, host_keys, G_N_ELEMENTS (host_keys),
                        hostdev_host_get_facts (host), extras, &seen, error))
    return FALSE;
  if (extras[0] != NULL)
    {
      g_variant_iter_init (&iter, extras[0]);
      while (g_variant_iter_next (&iter, "{&s(&s&s)}", &name, &answer, &source))
        hostdev_host_set_capability (host, name, answer, source);
    }
  if (extras[3] != NULL)
    {
      g_variant_iter_init (&iter, extras[3]);
      while (g_variant_iter_next (&iter, "{&s(&s&s)}", &name, &answer, &source))
        hostdev_host_add_eeh (host, name, answer, source);
    }
  if (!read_groups (host, extras[1], error) || !read_nodes (host, extras[4], error))
    return FALSE;
  gboolean read = read_functions (extras[2], ungrouped, error);
  for (guint i = 0; i < ungrouped->len; i++)
    hostdev_host_add_ungrouped (host, ungrouped->pdata[i]);
  return read;
}

HostdevHost *
hostdev_host_new_from_variant (GVariant *description, GError **error)
{
  g_autoptr (HostdevHost) host = hostdev_host_new ();
  GVariant *extras[EXTRAS] = { NULL };

  if (!g_variant_is_of_type (description, G_VARIANT_TYPE_VARDICT))
    {
      refuse (error, "a{sv}", g_variant_get_type_string (description));
      return NULL;
    }
  gboolean filled = fill_host (host, description, extras, error);
  clear_extras (extras);
  return filled && hostdev_host_finish (host, error) ? g_steal_pointer (&host) : NULL;
}
