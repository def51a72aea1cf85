/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-inspect.h"

#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-xive-table.h"

#include <glib/gi18n-lib.h>

guint
kvmhelper_inspection_count_vectors (const char *interrupts, const PciAddress *address)
{
  char name[PCI_ADDRESS_LEN];
  g_autofree char *suffix = g_strdup_printf ("(%s)", pci_address_format (address, name));
  guint count = 0;

  for (const char *found = strstr (interrupts, suffix); found != NULL;
       found = strstr (found + 1, suffix))
    {
      const char *line = found;

      while (line > interrupts && line[-1] != '\n' && line[-1] != ' ')
        line--;
      if (g_str_has_prefix (line, "vfio-msi") || g_str_has_prefix (line, "vfio-intx"))
        count++;
    }
  return count;
}

/* KVM's table of the holder: it stands under the thread that made the VM, and the VM's handle
 * (virt/kvm/kvm_main.c: kvm_create_vm_debugfs). NULL where it cannot be read. */
static KvmHelperXiveTable *
read_table (const KvmHelperKernel *kernel, guint pid, char **source)
{
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, "kernel/debug/kvm");

  *source = g_strdup ("/sys/kernel/debug/kvm");
  for (guint i = 0; i < names->len; i++)
    {
      g_auto (GStrv) parts = g_strsplit (names->pdata[i], "-", 2);
      g_autofree char *task = NULL;
      g_autofree char *path = NULL;
      g_autofree char *text = NULL;

      if (g_strv_length (parts) != 2)
        continue;
      task = g_strdup_printf ("%u/task/%s", pid, parts[0]);
      if (!kvmhelper_kernel_exists (kernel, KVMHELPER_PROC, task))
        continue;
      path = g_strdup_printf ("kernel/debug/kvm/%s/xive", (char *) names->pdata[i]);
      text = kvmhelper_kernel_read (kernel, KVMHELPER_SYS, path, KVMHELPER_MAX_TABLE, NULL, NULL);
      if (text == NULL)
        continue;
      g_free (*source);
      *source = g_strconcat ("/sys/", path, NULL);
      return kvmhelper_xive_table_parse (text);
    }
  return NULL;
}

static guint
read_cell (const char *cells)
{
  guint32 value;

  memcpy (&value, cells, sizeof value);
  return GUINT32_FROM_BE (value);
}

/* The hardware numbers of the MSIs of the host bridge that @address is behind: the device tree's
 * "ibm,opal-msi-ranges" of its node, first number and count (skiboot, doc/device-tree/pci.rst). */
static gboolean
read_msi_range (const KvmHelperKernel *kernel, const PciAddress *address, guint *first,
                guint *count)
{
  g_autofree char *path = kvmhelper_function_path (address, NULL);
  g_autofree char *link = kvmhelper_kernel_readlink (kernel, KVMHELPER_SYS, path);
  g_auto (GStrv) parts = g_strsplit (link == NULL ? "" : link, "/", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      g_autofree char *property = NULL;
      g_autofree char *cells = NULL;
      gsize length;

      /* …/devices/pci0000:00/0000:00:00.0/…: the root bus has the bridge's node. */
      if (!g_str_has_prefix (parts[i], "pci"))
        continue;
      property = g_strdup_printf ("class/pci_bus/%s/of_node/ibm,opal-msi-ranges", parts[i] + 3);
      cells = kvmhelper_kernel_read (kernel, KVMHELPER_SYS, property, KVMHELPER_MAX_ATTRIBUTE,
                                     &length, NULL);
      if (cells == NULL || length < 8)
        return FALSE;
      *first = read_cell (cells);
      *count = read_cell (cells + 4);
      return TRUE;
    }
  return FALSE;
}

/* How many of the holder's groups are behind the host bridge of @phb. */
static guint
count_groups (const KvmHelperKernel *kernel, const KvmHelperHolding *holding, guint phb)
{
  guint count = 0;

  for (guint i = 0; i < holding->groups->len; i++)
    {
      g_autofree char *path = g_strdup_printf ("kernel/iommu_groups/%u/devices",
                                               g_array_index (holding->groups, guint, i));
      g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, path);
      PciAddress address;

      if (names->len > 0 && pci_address_parse (names->pdata[0], &address, NULL)
          && address.domain == phb)
        count++;
    }
  return count;
}

/* "inferred: …"; takes @reason. */
static char *
inferred_source (char *reason)
{
  g_autofree char *owned = reason;

  return g_strconcat ("inferred: ", owned, NULL);
}

static gboolean
holds (const KvmHelperHolding *holding, guint group)
{
  for (guint i = 0; i < holding->groups->len; i++)
    if (g_array_index (holding->groups, guint, i) == group)
      return TRUE;
  return FALSE;
}

static void
find_sources (KvmHelperInspection *self, const KvmHelperKernel *kernel,
              const KvmHelperHolding *holding)
{
  g_autofree char *source = NULL;
  g_autoptr (KvmHelperXiveTable) table = read_table (kernel, self->holder_pid, &source);
  guint first, count;
  gboolean ranged = read_msi_range (kernel, &self->address, &first, &count);

  if (table == NULL)
    {
      self->passed_source
          = inferred_source (g_strdup_printf (_ ("%s has no table for the holder"), source));
      return;
    }
  for (guint i = 0; i < table->sources->len; i++)
    {
      const KvmHelperSource *row = &g_array_index (table->sources, KvmHelperSource, i);

      /* A source that is no PT has the number of an IPI: whose it is cannot be told. */
      if (row->passed && (!ranged || (row->hw >= first && row->hw - first < count)))
        g_array_append_val (self->sources, *row);
    }
  self->passed_through = self->sources->len;
  if (!ranged && holding->groups->len > 1)
    self->passed_source = inferred_source (
        g_strdup_printf (_ ("%s, all %u groups of the holder together (no ibm,opal-msi-ranges)"),
                         source, holding->groups->len));
  else if (ranged && count_groups (kernel, holding, self->address.domain) > 1)
    self->passed_source = inferred_source (
        g_strdup_printf (_ ("%s, all groups of the holder behind PCI domain %04x together"), source,
                         self->address.domain));
  else
    self->passed_source = g_steal_pointer (&source);
}

static KvmHelperFact
descriptor_fact (const char *value, guint pid, int descriptor)
{
  return (KvmHelperFact){ value, g_strdup_printf ("/proc/%u/fd/%d", pid, descriptor) };
}

static KvmHelperFact
inferred (const char *value, const char *reason)
{
  return (KvmHelperFact){ value, inferred_source (g_strdup (reason)) };
}

static KvmHelperFact
find_interrupts (const KvmHelperHolding *holding, guint pid)
{
  if (holding->xive_native >= 0)
    return descriptor_fact ("xive-native", pid, holding->xive_native);
  if (holding->xive >= 0)
    return descriptor_fact ("xics-on-xive", pid, holding->xive);
  if (holding->xics >= 0)
    return descriptor_fact ("xics", pid, holding->xics);
  if (holding->vm >= 0)
    return inferred ("emulated", _ ("the holder has a virtual machine of KVM's, and no interrupt "
                                    "controller of KVM's"));
  return inferred ("unknown", _ ("the holder has no virtual machine of KVM's"));
}

static KvmHelperFact
find_dma (const KvmHelperHolding *holding)
{
  if (holding->tce_tables > 0 && holding->kvm_vfio >= 0)
    return inferred ("in-kernel",
                     _ ("the holder has TCE tables and the VFIO device of KVM; QEMU 10 "
                        "and newer refuses the device where it cannot attach them"));
  if (holding->vm >= 0)
    return inferred ("user-space", _ ("the holder has no TCE table, or no VFIO device, of KVM"));
  return inferred ("unknown", _ ("the holder has no virtual machine of KVM's"));
}

static KvmHelperFact
find_eeh (const KvmHelperHolding *holding, const char *pe_state)
{
  if (g_str_equal (pe_state, "unknown"))
    return inferred ("unavailable", _ ("the group has no state of EEH's"));
  if (holding->containers == 0)
    return inferred ("unknown", _ ("the holder has no container yet"));
  if (holding->containers == holding->groups->len)
    return inferred ("enabled",
                     _ ("the holder has a container for each of its groups, which is when "
                        "QEMU offers EEH to the guest"));
  return inferred ("unavailable",
                   _ ("groups of the holder share a container, for which QEMU offers no "
                      "EEH"));
}

KvmHelperInspection *
kvmhelper_inspection_new (const KvmHelperKernel *kernel, const PciAddress *address, GError **error)
{
  g_autoptr (KvmHelperGroup) group = kvmhelper_group_read (kernel, address, error);
  g_autoptr (KvmHelperHolding) holding = NULL;
  g_autofree char *interrupts = NULL;
  KvmHelperInspection *self;

  if (group == NULL)
    return NULL;
  self = g_new0 (KvmHelperInspection, 1);
  self->address = *address;
  self->group = group->number;
  self->sources = g_array_new (FALSE, FALSE, sizeof (KvmHelperSource));
  self->holder_pid = kvmhelper_holder_find (kernel, group->number);
  if (self->holder_pid == 0)
    return self;
  holding = kvmhelper_holding_read (kernel, self->holder_pid);
  /* It may have let go since, and its number may be another process's by now. */
  if (!holds (holding, group->number))
    {
      self->holder_pid = 0;
      return self;
    }
  interrupts = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, "interrupts", KVMHELPER_MAX_TABLE,
                                      NULL, NULL);
  self->interrupts = find_interrupts (holding, self->holder_pid);
  self->vectors
      = kvmhelper_inspection_count_vectors (interrupts == NULL ? "" : interrupts, address);
  find_sources (self, kernel, holding);
  self->tce_tables = holding->tce_tables;
  self->dma = find_dma (holding);
  self->pe_state = kvmhelper_group_pe_state (kernel, group);
  self->eeh = find_eeh (holding, self->pe_state.value);
  return self;
}

void
kvmhelper_inspection_free (KvmHelperInspection *inspection)
{
  kvmhelper_fact_clear (&inspection->interrupts);
  kvmhelper_fact_clear (&inspection->dma);
  kvmhelper_fact_clear (&inspection->eeh);
  kvmhelper_fact_clear (&inspection->pe_state);
  g_free (inspection->passed_source);
  g_array_unref (inspection->sources);
  g_free (inspection);
}

static void
add (GVariantBuilder *builder, const char *key, GVariant *value)
{
  g_variant_builder_add (builder, "{sv}", key, value);
}

static GVariant *
fact_variant (const KvmHelperFact *fact)
{
  return g_variant_new ("(ss)", fact->value, fact->source);
}

static GVariant *
sources_variant (const GArray *sources)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(usss)"));
  for (guint i = 0; i < sources->len; i++)
    {
      const KvmHelperSource *row = &g_array_index (sources, KvmHelperSource, i);
      g_autofree char *hw = g_strdup_printf ("%x", row->hw);

      g_variant_builder_add (&builder, "(usss)", row->lisn, row->passed ? "PT" : "IPI", row->pq,
                             hw);
    }
  return g_variant_builder_end (&builder);
}

GVariant *
kvmhelper_inspection_to_variant (const KvmHelperInspection *self, const KvmHelperLease *lease)
{
  GVariantBuilder builder;
  char name[PCI_ADDRESS_LEN];

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  add (&builder, "address", g_variant_new_string (pci_address_format (&self->address, name)));
  add (&builder, "group", g_variant_new_uint32 (self->group));
  if (lease != NULL)
    {
      add (&builder, "lease", g_variant_new_string (lease->id));
      if (!kvmhelper_lease_is_rehearsal (lease))
        {
          add (&builder, "domain-uuid", g_variant_new_string (lease->domain_uuid));
          add (&builder, "domain-name", g_variant_new_string (lease->domain_name));
        }
    }
  if (self->holder_pid == 0)
    return g_variant_builder_end (&builder);
  add (&builder, "holder-pid", g_variant_new_uint32 (self->holder_pid));
  add (&builder, "interrupts", fact_variant (&self->interrupts));
  add (&builder, "vectors", g_variant_new_uint32 (self->vectors));
  add (&builder, "vectors-passed-through",
       g_variant_new ("(us)", self->passed_through, self->passed_source));
  add (&builder, "vector-list", sources_variant (self->sources));
  add (&builder, "dma", fact_variant (&self->dma));
  add (&builder, "tce-tables", g_variant_new_uint32 (self->tce_tables));
  add (&builder, "eeh", fact_variant (&self->eeh));
  add (&builder, "pe-state", fact_variant (&self->pe_state));
  return g_variant_builder_end (&builder);
}

char *
kvmhelper_inspection_summary (const KvmHelperInspection *self)
{
  return g_strdup_printf ("interrupts=%s vectors=%u passed-through=%u dma=%s eeh=%s",
                          self->interrupts.value, self->vectors, self->passed_through,
                          self->dma.value, self->eeh.value);
}
