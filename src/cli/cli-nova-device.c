/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-nova-device.h"

#include <glib/gi18n.h>
#include <string.h>

/* All are the operator's own for placement (os_traits.is_custom): CUSTOM_ before each. */
#define TRAIT(name) "CUSTOM_PPC64_" name
#define TRAIT_GROUP TRAIT ("IOMMU_GROUP_SIZE_%u")

typedef struct
{
  HostdevCapability capability;
  const char *trait;
} CapabilityTrait;

static const CapabilityTrait capability_traits[] = {
  { HOSTDEV_CAP_VFIO_EEH, TRAIT ("EEH") },
  { HOSTDEV_CAP_IRQ_BYPASS, TRAIT ("IRQ_BYPASS") },
  { HOSTDEV_CAP_SPAPR_TCE_VFIO, TRAIT ("TCE_IN_KERNEL") },
  { HOSTDEV_CAP_XIVE_NATIVE, TRAIT ("XIVE_NATIVE") },
};

void
cli_nova_device_free (CliNovaDevice *device)
{
  g_free (device->against);
  g_free (device->traits);
  g_free (device);
}

/* EEH takes the host's own as well as VFIO's. */
static gboolean
has (const HostdevHost *host, HostdevCapability capability)
{
  return hostdev_host_get_capability (host, capability).answer == HOSTDEV_YES
         && (capability != HOSTDEV_CAP_VFIO_EEH
             || hostdev_host_get_capability (host, HOSTDEV_CAP_EEH).answer == HOSTDEV_YES);
}

static guint
count_endpoints (const HostdevGroup *group)
{
  guint count = 0;

  for (guint i = 0; i < group->members->len; i++)
    count += ((const HostdevFunction *) group->members->pdata[i])->endpoint ? 1 : 0;
  return count;
}

static const HostdevFunction *
first_endpoint (const HostdevGroup *group)
{
  for (guint i = 0; i < group->members->len; i++)
    if (((const HostdevFunction *) group->members->pdata[i])->endpoint)
      return group->members->pdata[i];
  return NULL;
}

/* The first function of the group that the host needs; NULL: none. */
static const HostdevFunction *
find_busy (const HostdevGroup *group)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const HostdevFunction *function = group->members->pdata[i];

      if (function->endpoint && function->busy->len > 0)
        return function;
    }
  return NULL;
}

/* Who has the group now does not matter: nova itself may have given it away. */
static char *
say_against (const HostdevGroup *group, const HostdevFunction *function)
{
  const HostdevFunction *busy = find_busy (group);
  const HostdevFunction *first = first_endpoint (group);
  char address[PCI_ADDRESS_LEN];

  if (strcmp (group->pe_state, "failed") == 0)
    return g_strdup (_ ("its PE has failed for good"));
  if (busy != NULL)
    {
      const HostdevBusy *use = busy->busy->pdata[0];
      const char *detail = *use->detail != '\0' ? use->detail : use->kind;

      if (busy == function)
        return g_strdup_printf (_ ("the host needs it: %s"), detail);
      return g_strdup_printf (_ ("the host needs %s, which is in its IOMMU group: %s"),
                              pci_address_format (&busy->address, address), detail);
    }
  if (first != function)
    return g_strdup_printf (_ ("it leaves the host with %s, which has the same IOMMU group"),
                            pci_address_format (&first->address, address));
  return NULL;
}

static gboolean
is_pf_of (const HostdevHost *host, const HostdevFunction *function)
{
  const GPtrArray *groups = hostdev_host_get_groups (host);

  for (guint i = 0; i < groups->len; i++)
    {
      const HostdevGroup *group = groups->pdata[i];

      for (guint j = 0; j < group->members->len; j++)
        {
          const HostdevFunction *other = group->members->pdata[j];

          if (other->is_vf && pci_address_equal (&other->physfn, &function->address))
            return TRUE;
        }
    }
  return FALSE;
}

static char *
list_traits (const HostdevHost *host, const HostdevGroup *group)
{
  g_autoptr (GPtrArray) traits = g_ptr_array_new ();
  g_autofree char *size = g_strdup_printf (TRAIT_GROUP, count_endpoints (group));

  for (gsize i = 0; i < G_N_ELEMENTS (capability_traits); i++)
    if (has (host, capability_traits[i].capability))
      g_ptr_array_add (traits, (gpointer) capability_traits[i].trait);
  g_ptr_array_add (traits, size);
  g_ptr_array_add (traits, NULL);
  return g_strjoinv (",", (GStrv) traits->pdata);
}

static int
compare_devices (gconstpointer a, gconstpointer b)
{
  const CliNovaDevice *first = *(const CliNovaDevice *const *) a;
  const CliNovaDevice *second = *(const CliNovaDevice *const *) b;

  return pci_address_compare (&first->function->address, &second->function->address);
}

GPtrArray *
cli_nova_devices (const HostdevHost *host)
{
  const GPtrArray *groups = hostdev_host_get_groups (host);
  GPtrArray *devices = g_ptr_array_new_with_free_func ((GDestroyNotify) cli_nova_device_free);

  for (guint i = 0; i < groups->len; i++)
    {
      const HostdevGroup *group = groups->pdata[i];

      for (guint j = 0; j < group->members->len; j++)
        {
          const HostdevFunction *function = group->members->pdata[j];
          CliNovaDevice *device;

          if (!function->endpoint)
            continue;
          device = g_new0 (CliNovaDevice, 1);
          device->function = function;
          device->group = group;
          device->is_pf
              = !function->is_vf && (function->total_vfs > 0 || is_pf_of (host, function));
          device->against = say_against (group, function);
          device->traits = device->against == NULL ? list_traits (host, group) : NULL;
          g_ptr_array_add (devices, device);
        }
    }
  g_ptr_array_sort (devices, compare_devices);
  return devices;
}

GStrv
cli_nova_host_traits (const HostdevHost *host, const GPtrArray *devices)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GPtrArray *traits = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (capability_traits); i++)
    if (has (host, capability_traits[i].capability))
      g_ptr_array_add (traits, g_strdup (capability_traits[i].trait));
  for (guint i = 0; i < devices->len; i++)
    {
      const CliNovaDevice *device = devices->pdata[i];
      g_autofree char *size = NULL;

      if (device->against != NULL)
        continue;
      size = g_strdup_printf (TRAIT_GROUP, count_endpoints (device->group));
      if (g_hash_table_add (seen, g_strdup (size)))
        g_ptr_array_add (traits, g_steal_pointer (&size));
    }
  g_ptr_array_add (traits, NULL);
  return (GStrv) g_ptr_array_free (traits, FALSE);
}
