/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-inspect.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-capability.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-interrupts.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

#define INTERRUPTS "interrupts"

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

/* The group's in the order of /proc/interrupts; TRUE where that could be read. */
static gboolean
find_vectors (KvmHelperInspection *self, const KvmHelperKernel *kernel, const KvmHelperGroup *group)
{
  g_autofree char *text
      = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, INTERRUPTS, KVMHELPER_MAX_TABLE, NULL, NULL);
  g_autoptr (GArray) all = kvmhelper_interrupts_parse (text == NULL ? "" : text);

  for (guint i = 0; i < all->len; i++)
    {
      const KvmHelperVector *vector = &g_array_index (all, KvmHelperVector, i);

      if (pci_address_equal (&vector->function, &self->address))
        self->vectors++;
      for (guint j = 0; j < group->members->len; j++)
        {
          const KvmHelperFunction *member = group->members->pdata[j];

          if (pci_address_equal (&vector->function, &member->address))
            g_array_append_val (self->list, *vector);
        }
    }
  return text != NULL;
}

static guint
count_untouched (const GArray *list)
{
  guint count = 0;

  for (guint i = 0; i < list->len; i++)
    {
      const KvmHelperVector *vector = &g_array_index (list, KvmHelperVector, i);

      if (vector->message && vector->count == 0)
        count++;
    }
  return count;
}

/* Whether an interrupt is a guest's stands in two tables of the kernel's, and neither may be read
 * while a guest runs. So it is what the host's handlers did not get, where nothing speaks against
 * it; an interrupt that never came is taken for passed through. */
static void
find_passed (KvmHelperInspection *self, const KvmHelperKernel *kernel,
             const KvmHelperHolding *holding, gboolean readable)
{
  if (holding->xive_native < 0 && holding->xive < 0)
    self->passed_source = inferred_source (g_strdup (
        _ ("the holder has no XIVE device of KVM's, and only of those this can be told")));
  else if (kvmhelper_irq_bypass_off (kernel))
    self->passed_source = g_strdup ("/sys/" KVMHELPER_BYPASS_PARAMETER);
  else if (!readable)
    self->passed_source
        = inferred_source (g_strdup_printf (_ ("%s cannot be read"), "/proc/" INTERRUPTS));
  else
    self->passed_through = count_untouched (self->list);
  if (self->passed_through > 0)
    self->passed_source = inferred_source (g_strdup_printf (
        _ ("the host's handlers had none of these (%s), and the bypass is not switched off"),
        "/proc/" INTERRUPTS));
  else if (self->passed_source == NULL)
    self->passed_source = g_strdup ("/proc/" INTERRUPTS);
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
  KvmHelperInspection *self;

  if (group == NULL)
    return NULL;
  self = g_new0 (KvmHelperInspection, 1);
  self->address = *address;
  self->group = group->number;
  self->list = g_array_new (FALSE, FALSE, sizeof (KvmHelperVector));
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
  self->interrupts = find_interrupts (holding, self->holder_pid);
  find_passed (self, kernel, holding, find_vectors (self, kernel, group));
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
  g_array_unref (inspection->list);
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
list_variant (const GArray *list)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ssut)"));
  for (guint i = 0; i < list->len; i++)
    {
      const KvmHelperVector *vector = &g_array_index (list, KvmHelperVector, i);
      char name[PCI_ADDRESS_LEN];

      g_variant_builder_add (&builder, "(ssut)", pci_address_format (&vector->function, name),
                             vector->name, vector->number, vector->count);
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
  add (&builder, "vector-list", list_variant (self->list));
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
