/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-host.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "hostdev/hostdev-host-build.h"
#include "hostdev/hostdev-set.h"

typedef struct
{
  HostdevAnswer answer;
  char *source;
} Capability;

typedef struct
{
  const HostdevFunction *function;
  const HostdevGroup *group;
} Place;

struct _HostdevHost
{
  HostdevHostFacts facts;
  Capability capabilities[HOSTDEV_CAP_LAST];
  GPtrArray *eeh;
  GPtrArray *nodes;
  GPtrArray *groups;
  GPtrArray *ungrouped;
  GHashTable *places; /* PciAddress of the function: Place */
  GHashTable *claims; /* PciAddress: GPtrArray of HostdevClaim; NULL: none */
};

static const char *const capability_names[HOSTDEV_CAP_LAST] = {
  [HOSTDEV_CAP_KVM_HV] = "kvm-hv",
  [HOSTDEV_CAP_HOST_XIVE] = "host-xive",
  [HOSTDEV_CAP_XIVE_NATIVE] = "xive-native",
  [HOSTDEV_CAP_XICS] = "xics",
  [HOSTDEV_CAP_IRQ_BYPASS] = "irq-bypass",
  [HOSTDEV_CAP_SPAPR_TCE] = "spapr-tce",
  [HOSTDEV_CAP_SPAPR_TCE_VFIO] = "spapr-tce-vfio",
  [HOSTDEV_CAP_VFIO_SPAPR_V2] = "vfio-spapr-v2",
  [HOSTDEV_CAP_EEH] = "eeh",
  [HOSTDEV_CAP_VFIO_EEH] = "vfio-eeh",
  [HOSTDEV_CAP_ZPCI_OP] = "zpci-op",
};

const char *
hostdev_capability_name (HostdevCapability capability)
{
  return capability_names[capability];
}

static void
setting_free (gpointer data)
{
  HostdevSetting *setting = data;

  g_free (setting->name);
  g_free (setting->value);
  g_free (setting->source);
  g_free (setting);
}

static void
node_free (gpointer data)
{
  HostdevNode *node = data;

  g_free (node->cpus);
  g_free (node->distances);
  g_free (node);
}

HostdevHost *
hostdev_host_new (void)
{
  HostdevHost *host = g_new0 (HostdevHost, 1);

  host->facts = (HostdevHostFacts){
    g_strdup ("other"), g_strdup (""), g_strdup (""), g_strdup (""), g_strdup (""), g_strdup (""), 0
  };
  host->eeh = g_ptr_array_new_with_free_func (setting_free);
  host->nodes = g_ptr_array_new_with_free_func (node_free);
  host->groups = g_ptr_array_new_with_free_func ((GDestroyNotify) hostdev_group_free);
  host->ungrouped = g_ptr_array_new_with_free_func ((GDestroyNotify) hostdev_function_free);
  host->places = g_hash_table_new_full ((GHashFunc) pci_address_hash,
                                        (GEqualFunc) pci_address_equal, NULL, g_free);
  return host;
}

void
hostdev_host_free (HostdevHost *host)
{
  if (host == NULL)
    return;
  g_free (host->facts.platform);
  g_free (host->facts.kernel);
  g_free (host->facts.cpu);
  g_free (host->facts.model);
  g_free (host->facts.firmware);
  g_free (host->facts.simulated);
  for (int i = 0; i < HOSTDEV_CAP_LAST; i++)
    g_free (host->capabilities[i].source);
  g_hash_table_unref (host->places);
  g_clear_pointer (&host->claims, g_hash_table_unref);
  g_ptr_array_unref (host->eeh);
  g_ptr_array_unref (host->nodes);
  g_ptr_array_unref (host->groups);
  g_ptr_array_unref (host->ungrouped);
  g_free (host);
}

HostdevHostFacts *
hostdev_host_get_facts (HostdevHost *host)
{
  return &host->facts;
}

void
hostdev_host_add_eeh (HostdevHost *host, const char *name, const char *value, const char *source)
{
  HostdevSetting *setting = g_new0 (HostdevSetting, 1);

  setting->name = g_strdup (name);
  setting->value = g_strdup (value);
  setting->source = g_strdup (source);
  g_ptr_array_add (host->eeh, setting);
}

static int
compare_nodes (gconstpointer a, gconstpointer b)
{
  const HostdevNode *first = *(const HostdevNode *const *) a;
  const HostdevNode *second = *(const HostdevNode *const *) b;

  return (first->number > second->number) - (first->number < second->number);
}

gboolean
hostdev_host_add_node (HostdevHost *host, guint number, const char *cpus, const char *distances)
{
  g_autoptr (HostdevSet) set = *cpus == '\0' ? NULL : hostdev_set_new (cpus);
  HostdevNode *node;

  if (*cpus != '\0' && set == NULL)
    return FALSE;
  node = g_new0 (HostdevNode, 1);
  node->number = number;
  node->cpus = g_strdup (cpus);
  node->distances = g_strdup (distances);
  g_ptr_array_add (host->nodes, node);
  return TRUE;
}

const GPtrArray *
hostdev_host_get_nodes (const HostdevHost *host)
{
  return host->nodes;
}

const HostdevNode *
hostdev_host_find_node (const HostdevHost *host, guint number)
{
  for (guint i = 0; i < host->nodes->len; i++)
    {
      const HostdevNode *node = host->nodes->pdata[i];

      if (node->number == number)
        return node;
    }
  return NULL;
}

const GPtrArray *
hostdev_host_get_eeh (const HostdevHost *host)
{
  return host->eeh;
}

void
hostdev_host_set_capability (HostdevHost *host, const char *name, const char *answer,
                             const char *source)
{
  for (int i = 0; i < HOSTDEV_CAP_LAST; i++)
    if (strcmp (capability_names[i], name) == 0)
      {
        Capability *capability = &host->capabilities[i];

        capability->answer = strcmp (answer, "yes") == 0  ? HOSTDEV_YES
                             : strcmp (answer, "no") == 0 ? HOSTDEV_NO
                                                          : HOSTDEV_UNKNOWN;
        g_free (capability->source);
        capability->source = g_strdup (source);
      }
}

void
hostdev_host_add_group (HostdevHost *host, HostdevGroup *group)
{
  g_ptr_array_add (host->groups, group);
}

void
hostdev_host_add_ungrouped (HostdevHost *host, HostdevFunction *function)
{
  g_ptr_array_add (host->ungrouped, function);
}

static int
compare_groups (gconstpointer a, gconstpointer b)
{
  const HostdevGroup *first = *(const HostdevGroup *const *) a;
  const HostdevGroup *second = *(const HostdevGroup *const *) b;

  if (first->phb != second->phb)
    return first->phb < second->phb ? -1 : 1;
  int order = strcmp (first->name, second->name);
  return order != 0 ? order : (first->number > second->number) - (first->number < second->number);
}

static int
compare_functions (gconstpointer a, gconstpointer b)
{
  const HostdevFunction *first = *(const HostdevFunction *const *) a;
  const HostdevFunction *second = *(const HostdevFunction *const *) b;

  return pci_address_compare (&first->address, &second->address);
}

static gboolean
index_functions (HostdevHost *host, GPtrArray *functions, const HostdevGroup *group, GError **error)
{
  g_ptr_array_sort (functions, compare_functions);
  for (guint i = 0; i < functions->len; i++)
    {
      HostdevFunction *function = functions->pdata[i];
      char address[PCI_ADDRESS_LEN];

      if (g_hash_table_contains (host->places, &function->address))
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST,
                       _ ("The host description has %s more than once"),
                       pci_address_format (&function->address, address));
          return FALSE;
        }
      Place *place = g_new0 (Place, 1);
      place->function = function;
      place->group = group;
      g_hash_table_insert (host->places, &function->address, place);
    }
  return TRUE;
}

gboolean
hostdev_host_finish (HostdevHost *host, GError **error)
{
  g_autoptr (GHashTable) numbers = g_hash_table_new (NULL, NULL);

  g_ptr_array_sort (host->nodes, compare_nodes);
  g_ptr_array_sort (host->groups, compare_groups);
  for (guint i = 0; i < host->groups->len; i++)
    {
      const HostdevGroup *group = host->groups->pdata[i];

      if (!g_hash_table_add (numbers, GUINT_TO_POINTER (group->number)))
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST,
                       _ ("The host description has IOMMU group %u more than once"), group->number);
          return FALSE;
        }
      if (!index_functions (host, group->members, group, error))
        return FALSE;
    }
  return index_functions (host, host->ungrouped, NULL, error);
}

const char *
hostdev_host_get_platform (const HostdevHost *host)
{
  return host->facts.platform;
}

const char *
hostdev_host_get_kernel (const HostdevHost *host)
{
  return host->facts.kernel;
}

const char *
hostdev_host_get_cpu (const HostdevHost *host)
{
  return host->facts.cpu;
}

const char *
hostdev_host_get_model (const HostdevHost *host)
{
  return host->facts.model;
}

const char *
hostdev_host_get_firmware (const HostdevHost *host)
{
  return host->facts.firmware;
}

const char *
hostdev_host_get_simulated (const HostdevHost *host)
{
  return host->facts.simulated;
}

guint
hostdev_host_get_page_size (const HostdevHost *host)
{
  return host->facts.page_size;
}

gboolean
hostdev_host_has_small_pages (const HostdevHost *host)
{
  return host->facts.page_size != 0 && host->facts.page_size < 65536;
}

guint
hostdev_host_get_memory (const HostdevHost *host)
{
  return host->facts.memory;
}

guint
hostdev_host_get_memory_available (const HostdevHost *host)
{
  return host->facts.memory_available;
}

HostdevFact
hostdev_host_get_capability (const HostdevHost *host, HostdevCapability capability)
{
  const Capability *found = &host->capabilities[capability];

  return (HostdevFact){ found->answer,
                        found->source != NULL ? found->source : _ ("not in the host description") };
}

const GPtrArray *
hostdev_host_get_groups (const HostdevHost *host)
{
  return host->groups;
}

const GPtrArray *
hostdev_host_get_ungrouped (const HostdevHost *host)
{
  return host->ungrouped;
}

const HostdevFunction *
hostdev_host_find (const HostdevHost *host, const PciAddress *address, const HostdevGroup **group)
{
  const Place *place = g_hash_table_lookup (host->places, address);

  if (group != NULL)
    *group = place != NULL ? place->group : NULL;
  return place != NULL ? place->function : NULL;
}

static void
claim_free (gpointer data)
{
  HostdevClaim *claim = data;

  g_free (claim->uuid);
  g_free (claim->name);
  g_free (claim);
}

void
hostdev_host_claim (HostdevHost *host, const PciAddress *address, const char *uuid,
                    const char *name, gboolean running)
{
  HostdevClaim *claim = g_new0 (HostdevClaim, 1);
  GPtrArray *claims;

  if (host->claims == NULL)
    host->claims
        = g_hash_table_new_full ((GHashFunc) pci_address_hash, (GEqualFunc) pci_address_equal,
                                 g_free, (GDestroyNotify) g_ptr_array_unref);
  claims = g_hash_table_lookup (host->claims, address);
  if (claims == NULL)
    {
      claims = g_ptr_array_new_with_free_func (claim_free);
      g_hash_table_insert (host->claims, g_memdup2 (address, sizeof *address), claims);
    }
  claim->uuid = g_strdup (uuid);
  claim->name = g_strdup (name);
  claim->running = running;
  g_ptr_array_add (claims, claim);
}

const HostdevClaim *
hostdev_host_find_claim (const HostdevHost *host, const PciAddress *address, const char *uuid)
{
  const GPtrArray *claims
      = host->claims == NULL ? NULL : g_hash_table_lookup (host->claims, address);
  const HostdevClaim *found = NULL;

  for (guint i = 0; claims != NULL && i < claims->len; i++)
    {
      const HostdevClaim *claim = claims->pdata[i];

      if (strcmp (claim->uuid, uuid) != 0 && (found == NULL || (claim->running && !found->running)))
        found = claim;
    }
  return found;
}
