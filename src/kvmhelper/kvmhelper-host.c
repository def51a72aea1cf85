/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-host.h"

#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-busy.h"
#include "kvmhelper/kvmhelper-capability.h"
#include "kvmhelper/kvmhelper-companion.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-eeh-host.h"
#include "kvmhelper/kvmhelper-group.h"
#include "kvmhelper/kvmhelper-hardware.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-lease.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-names.h"
#include "kvmhelper/kvmhelper-node.h"

#define DESCRIPTION_VERSION 1

/* What all groups of one description are made of. */
typedef struct
{
  const KvmHelperKernel *kernel;
  const GPtrArray *leases;
  KvmHelperRehearsed *rehearsed;
  KvmHelperBusy *busy;
  const KvmHelperCards *cards;
  GHashTable *holders; /* group -> PID */
} Scan;

static void
add (GVariantBuilder *builder, const char *key, GVariant *value)
{
  g_variant_builder_add (builder, "{sv}", key, value);
}

static void
add_string (GVariantBuilder *builder, const char *key, const char *value)
{
  add (builder, key, g_variant_new_string (value));
}

static void
add_uint (GVariantBuilder *builder, const char *key, guint value)
{
  add (builder, key, g_variant_new_uint32 (value));
}

static void
add_names (GVariantBuilder *builder, const KvmHelperIdentity *identity)
{
  g_autofree char *vendor = kvmhelper_names_vendor (identity->vendor);
  g_autofree char *device = kvmhelper_names_device (identity->vendor, identity->device);
  g_autofree char *class = kvmhelper_names_class (identity->class);

  add_string (builder, "vendor-name", vendor);
  add_string (builder, "device-name", device);
  add_string (builder, "class-name", class);
}

static void
add_busy (GVariantBuilder *builder, const Scan *scan, const KvmHelperFunction *function)
{
  g_autoptr (GPtrArray) needs = kvmhelper_busy_get (scan->busy, function);
  GVariantBuilder list;

  if (needs->len == 0)
    return;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < needs->len; i++)
    {
      const KvmHelperNeed *need = needs->pdata[i];
      g_autofree char *detail = g_utf8_make_valid (need->detail, -1);

      g_variant_builder_add (&list, "(ss)", need->kind, detail);
    }
  add (builder, "busy", g_variant_builder_end (&list));
}

static void
add_companions (GVariantBuilder *builder, const Scan *scan, const KvmHelperFunction *function)
{
  g_autoptr (GPtrArray) companions = kvmhelper_cards_companions (scan->cards, function);
  GVariantBuilder list;

  if (companions->len == 0)
    return;
  g_variant_builder_init (&list, G_VARIANT_TYPE_STRING_ARRAY);
  for (guint i = 0; i < companions->len; i++)
    {
      const KvmHelperFunction *companion = companions->pdata[i];
      char name[PCI_ADDRESS_LEN];

      g_variant_builder_add (&list, "s", pci_address_format (&companion->address, name));
    }
  add (builder, "companions", g_variant_builder_end (&list));
}

/* What the host would give the function to by itself: known of those that are taken from it. */
static void
add_natural_driver (GVariantBuilder *builder, const Scan *scan, const PciAddress *address)
{
  for (guint i = 0; i < scan->leases->len; i++)
    {
      const KvmHelperMember *member = kvmhelper_lease_find_member (scan->leases->pdata[i], address);

      if (member == NULL || member->returned || common_driver_is_vfio (member->driver))
        continue;
      add_string (builder, "natural-driver", member->driver);
      return;
    }
}

static void
add_hardware (GVariantBuilder *builder, const Scan *scan, const PciAddress *address)
{
  g_auto (KvmHelperHardware) hardware = { 0 };

  kvmhelper_hardware_read (scan->kernel, address, &hardware);
  kvmhelper_hardware_add (&hardware, builder);
}

static GVariant *
function_variant (const Scan *scan, const KvmHelperFunction *function)
{
  GVariantBuilder builder;
  char name[PCI_ADDRESS_LEN];

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_string (&builder, "address", pci_address_format (&function->address, name));
  add_uint (&builder, "vendor", function->identity.vendor);
  add_uint (&builder, "device", function->identity.device);
  add_uint (&builder, "subsystem-vendor", function->identity.subsystem_vendor);
  add_uint (&builder, "subsystem-device", function->identity.subsystem_device);
  add_uint (&builder, "class", function->identity.class);
  add_names (&builder, &function->identity);
  add (&builder, "endpoint", g_variant_new_boolean (function->endpoint));
  add_string (&builder, "driver", function->driver);
  add_string (&builder, "driver-override", function->driver_override);
  if (function->is_vf)
    add_string (&builder, "physfn", pci_address_format (&function->physfn, name));
  if (function->numvfs > 0)
    add_uint (&builder, "numvfs", function->numvfs);
  add_busy (&builder, scan, function);
  add_companions (&builder, scan, function);
  add_hardware (&builder, scan, &function->address);
  add_natural_driver (&builder, scan, &function->address);
  return g_variant_builder_end (&builder);
}

static GVariant *
functions_variant (const Scan *scan, const GPtrArray *functions)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < functions->len; i++)
    g_variant_builder_add_value (&builder, function_variant (scan, functions->pdata[i]));
  return g_variant_builder_end (&builder);
}

static const KvmHelperLease *
find_lease (const Scan *scan, const KvmHelperGroup *group)
{
  for (guint i = 0; i < scan->leases->len; i++)
    for (guint j = 0; j < group->members->len; j++)
      {
        const KvmHelperFunction *member = group->members->pdata[j];

        if (kvmhelper_lease_find_member (scan->leases->pdata[i], &member->address) != NULL)
          return scan->leases->pdata[i];
      }
  return NULL;
}

static void
add_lease (GVariantBuilder *builder, const KvmHelperLease *lease)
{
  add_string (builder, "lease", lease->id);
  if (kvmhelper_lease_is_rehearsal (lease))
    return;
  add_string (builder, "domain-uuid", lease->domain_uuid);
  add_string (builder, "domain-name", lease->domain_name);
}

/* The group's windows, as a rehearsal of any of its functions found them. */
static void
add_windows (GVariantBuilder *builder, const Scan *scan, const KvmHelperGroup *group)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];
      KvmHelperFound found;

      if (!kvmhelper_rehearsed_recall (scan->rehearsed, &member->address, &member->identity, &found)
          || !found.has_windows)
        continue;
      add (builder, "dma-windows", kvmhelper_found_windows (&found));
      return;
    }
}

static GVariant *
group_variant (const Scan *scan, const KvmHelperGroup *group)
{
  const KvmHelperLease *lease = find_lease (scan, group);
  guint pid
      = GPOINTER_TO_UINT (g_hash_table_lookup (scan->holders, GUINT_TO_POINTER (group->number)));
  KvmHelperFact state = kvmhelper_eeh_fact (scan->kernel, group);
  gboolean leased = lease != NULL && !kvmhelper_lease_is_rehearsal (lease);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_uint (&builder, "number", group->number);
  add_string (&builder, "name", group->name);
  add_uint (&builder, "phb", group->phb);
  if (group->has_pe)
    add_uint (&builder, "pe", group->pe);
  add (&builder, "pe-state", g_variant_new ("(ss)", state.value, state.source));
  add_string (&builder, "holder", pid == 0 ? "none" : leased ? "guest" : "foreign");
  if (pid != 0)
    add_uint (&builder, "holder-pid", pid);
  if (lease != NULL)
    add_lease (&builder, lease);
  add_windows (&builder, scan, group);
  add (&builder, "members", functions_variant (scan, group->members));
  kvmhelper_fact_clear (&state);
  return g_variant_builder_end (&builder);
}

static int
compare_groups (gconstpointer a, gconstpointer b)
{
  const KvmHelperGroup *first = *(const KvmHelperGroup *const *) a;
  const KvmHelperGroup *second = *(const KvmHelperGroup *const *) b;
  int order = g_strcmp0 (first->name, second->name);

  return order != 0 ? order : (first->number > second->number) - (first->number < second->number);
}

/* Deals @functions out to the groups that they are in, and to @ungrouped. */
static GPtrArray *
make_groups (const KvmHelperKernel *kernel, GPtrArray *functions, GPtrArray *ungrouped)
{
  GPtrArray *groups = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_group_free);
  g_autoptr (GHashTable) by_number = g_hash_table_new (NULL, NULL);

  g_ptr_array_set_free_func (functions, NULL);
  for (guint i = 0; i < functions->len; i++)
    {
      KvmHelperFunction *function = functions->pdata[i];
      KvmHelperGroup *group;

      if (function->group < 0)
        {
          g_ptr_array_add (ungrouped, function);
          continue;
        }
      group = g_hash_table_lookup (by_number, GINT_TO_POINTER (function->group));
      if (group == NULL)
        {
          group = kvmhelper_group_new (kernel, (guint) function->group, &function->address);
          g_hash_table_insert (by_number, GINT_TO_POINTER (function->group), group);
          g_ptr_array_add (groups, group);
        }
      g_ptr_array_add (group->members, function);
    }
  g_ptr_array_sort (groups, compare_groups);
  return groups;
}

static void
add_machine (GVariantBuilder *builder, const KvmHelperKernel *kernel)
{
  g_autofree char *cpuinfo
      = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, "cpuinfo", KVMHELPER_MAX_LIST, NULL, NULL);
  g_autofree char *release = kvmhelper_kernel_release (kernel);
  static const char *const keys[] = { "cpu", "model", "firmware" };

  add_string (builder, "kernel", release);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autofree char *value = kvmhelper_cpuinfo (cpuinfo == NULL ? "" : cpuinfo, keys[i]);

      if (*value != '\0')
        add_string (builder, keys[i], value);
    }
  add_uint (builder, "page-size", (guint) kernel->page_size);
}

/* In MiB. */
static void
add_memory (GVariantBuilder *builder, const KvmHelperKernel *kernel)
{
  static const char *const keys[][2]
      = { { "MemTotal", "memory" }, { "MemAvailable", "memory-available" } };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      guint64 mib = kvmhelper_meminfo (kernel, keys[i][0]) >> 20;

      if (mib > 0 && mib <= G_MAXUINT)
        add_uint (builder, keys[i][1], (guint) mib);
    }
}

GVariant *
kvmhelper_host_read (const KvmHelperKernel *kernel, const GPtrArray *leases,
                     KvmHelperRehearsed *rehearsed)
{
  KvmHelperPlatform platform = kvmhelper_platform_read (kernel);
  g_autoptr (GPtrArray) functions = kvmhelper_function_read_all (kernel);
  g_autoptr (GPtrArray) ungrouped
      = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_function_free);
  g_autoptr (GPtrArray) groups = make_groups (kernel, functions, ungrouped);
  g_autoptr (KvmHelperBusy) busy = kvmhelper_busy_new (kernel);
  g_autoptr (GHashTable) holders = kvmhelper_holder_scan (kernel);
  g_autoptr (KvmHelperCards) cards = kvmhelper_cards_new (kernel, functions);
  Scan scan = { kernel, leases, rehearsed, busy, cards, holders };
  GVariantBuilder builder, list;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add_uint (&builder, "version", DESCRIPTION_VERSION);
  if (kernel->simulated != NULL)
    add_string (&builder, "simulated", kernel->simulated);
  add_string (&builder, "platform", kvmhelper_platform_name (platform));
  add_machine (&builder, kernel);
  add_memory (&builder, kernel);
  add (&builder, "capabilities", kvmhelper_capabilities_read (kernel, platform));
  add (&builder, "eeh", kvmhelper_eeh_host_read (kernel));
  add (&builder, "nodes", kvmhelper_nodes_read (kernel));
  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < groups->len; i++)
    g_variant_builder_add_value (&list, group_variant (&scan, groups->pdata[i]));
  add (&builder, "groups", g_variant_builder_end (&list));
  add (&builder, "ungrouped", functions_variant (&scan, ungrouped));
  return g_variant_builder_end (&builder);
}
