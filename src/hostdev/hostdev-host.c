/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-host.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "hostdev/hostdev-host-build.h"

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
  GPtrArray *groups;
  GPtrArray *ungrouped;
  GHashTable *places; /* PciAddress of the function: Place */
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

HostdevHost *
hostdev_host_new (void)
{
  HostdevHost *host = g_new0 (HostdevHost, 1);

  host->facts = (HostdevHostFacts){
    g_strdup ("other"), g_strdup (""), g_strdup (""), g_strdup (""), g_strdup (""), g_strdup (""), 0
  };
  host->eeh = g_ptr_array_new_with_free_func (setting_free);
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
  g_ptr_array_unref (host->eeh);
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

HostdevGroup *
hostdev_group_new (void)
{
  HostdevGroup *group = g_new0 (HostdevGroup, 1);

  group->name = g_strdup ("");
  group->pe_state = g_strdup ("unknown");
  group->pe_state_source = g_strdup ("");
  group->holder = g_strdup ("none");
  group->lease = g_strdup ("");
  group->domain_uuid = g_strdup ("");
  group->domain_name = g_strdup ("");
  group->members = g_ptr_array_new_with_free_func ((GDestroyNotify) hostdev_function_free);
  return group;
}

void
hostdev_group_free (HostdevGroup *group)
{
  if (group == NULL)
    return;
  g_free (group->name);
  g_free (group->pe_state);
  g_free (group->pe_state_source);
  g_free (group->holder);
  g_free (group->lease);
  g_free (group->domain_uuid);
  g_free (group->domain_name);
  g_ptr_array_unref (group->members);
  g_free (group);
}

static void
free_busy (gpointer data)
{
  HostdevBusy *busy = data;

  g_free (busy->kind);
  g_free (busy->detail);
  g_free (busy);
}

HostdevFunction *
hostdev_function_new (void)
{
  HostdevFunction *function = g_new0 (HostdevFunction, 1);

  function->vendor_name = g_strdup ("");
  function->device_name = g_strdup ("");
  function->class_name = g_strdup ("");
  function->endpoint = TRUE;
  function->driver = g_strdup ("");
  function->driver_override = g_strdup ("");
  function->busy = g_ptr_array_new_with_free_func (free_busy);
  function->companions = g_ptr_array_new_with_free_func (g_free);
  return function;
}

void
hostdev_function_free (HostdevFunction *function)
{
  if (function == NULL)
    return;
  g_free (function->vendor_name);
  g_free (function->device_name);
  g_free (function->class_name);
  g_free (function->driver);
  g_free (function->driver_override);
  g_ptr_array_unref (function->busy);
  g_ptr_array_unref (function->companions);
  g_free (function);
}

void
hostdev_function_add_busy (HostdevFunction *function, const char *kind, const char *detail)
{
  HostdevBusy *busy = g_new0 (HostdevBusy, 1);

  busy->kind = g_strdup (kind);
  busy->detail = g_strdup (detail);
  g_ptr_array_add (function->busy, busy);
}

gboolean
hostdev_function_add_companion (HostdevFunction *function, const char *address)
{
  PciAddress companion;
  char text[PCI_ADDRESS_LEN];

  if (!pci_address_parse (address, &companion, NULL))
    return FALSE;
  g_ptr_array_add (function->companions, g_strdup (pci_address_format (&companion, text)));
  return TRUE;
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
