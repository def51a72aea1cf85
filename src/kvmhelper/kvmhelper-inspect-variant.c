/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-inspect.h"

#include "common/common-error.h"

#include <glib/gi18n-lib.h>

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

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < list->len; i++)
    {
      const KvmHelperInspectedVector *entry = &g_array_index (list, KvmHelperInspectedVector, i);
      const KvmHelperVector *vector = &entry->vector;
      char name[PCI_ADDRESS_LEN];

      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      add (&builder, "function",
           g_variant_new_string (pci_address_format (&vector->function, name)));
      add (&builder, "name", g_variant_new_string (vector->name));
      add (&builder, "irq", g_variant_new_uint32 (vector->number));
      add (&builder, "host-count", g_variant_new_uint64 (vector->count));
      add (&builder, "path", g_variant_new ("(ss)", entry->way.path, entry->way.source));
      add (&builder, "reason", g_variant_new_string (entry->way.reason));
      g_variant_builder_close (&builder);
    }
  return g_variant_builder_end (&builder);
}

/* Takes @sentence. */
static void
add_warning (GVariantBuilder *builder, CommonErrorCode code, char *sentence)
{
  g_variant_builder_add (builder, "(ss)", common_error_name (code), sentence);
  g_free (sentence);
}

static GVariant *
warnings_variant (const KvmHelperInspection *self)
{
  guint entries = kvmhelper_passing_entries (&self->passing);
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ss)"));
  if (entries > KVMHELPER_BYPASS_MAX)
    add_warning (&builder, COMMON_ERROR_INTERRUPT_LIMIT,
                 g_strdup_printf (_ ("the guest's devices have %u interrupts enabled, and KVM "
                                     "passes on %d for one guest: the others go through the host"),
                                  entries, KVMHELPER_BYPASS_MAX));
  else if (kvmhelper_near_limit (entries, KVMHELPER_BYPASS_MAX))
    add_warning (&builder, COMMON_ERROR_INTERRUPT_LIMIT,
                 g_strdup_printf (_ ("the guest's devices have %u interrupts enabled of the %d "
                                     "that KVM passes on for one guest: those of another device "
                                     "may go through the host"),
                                  entries, KVMHELPER_BYPASS_MAX));
  if (kvmhelper_near_limit (self->passing.messages, KVMHELPER_MSI_MAX))
    add_warning (&builder, COMMON_ERROR_INTERRUPT_LIMIT,
                 g_strdup_printf (_ ("the guest's devices of the host have %u MSIs of the %d that "
                                     "QEMU has for one guest: another device may find none left"),
                                  self->passing.messages, KVMHELPER_MSI_MAX));
  if (kvmhelper_locked_is_near (&self->locked))
    {
      g_autofree char *locked = g_format_size_full (self->locked.locked, G_FORMAT_SIZE_IEC_UNITS);
      g_autofree char *limit = g_format_size_full (self->locked.limit, G_FORMAT_SIZE_IEC_UNITS);

      add_warning (&builder, COMMON_ERROR_MEMORY_LIMIT,
                   g_strdup_printf (_ ("the guest's process has locked %s of the %s that it may: "
                                       "what it locks next may fail, as for another device or "
                                       "for memory that is plugged in"),
                                    locked, limit));
    }
  return g_variant_builder_end (&builder);
}

static void
add_locked (GVariantBuilder *builder, const KvmHelperLocked *locked)
{
  if (!locked->known)
    return;
  add (builder, "memory-locked", g_variant_new_uint64 (locked->locked));
  add (builder, "memory-pinned", g_variant_new_uint64 (locked->pinned));
  add (builder, "memory-limit", g_variant_new_uint64 (locked->limit));
  add (builder, "memory-unlimited",
       g_variant_new_boolean (locked->ipc_lock || locked->limit == G_MAXUINT64));
}

static void
add_holder (GVariantBuilder *builder, const KvmHelperInspection *self)
{
  add (builder, "holder-pid", g_variant_new_uint32 (self->holder_pid));
  add (builder, "interrupts", fact_variant (&self->interrupts));
  add (builder, "vectors", g_variant_new_uint32 (self->vectors));
  add (builder, "vectors-passed-through",
       g_variant_new ("(us)", self->passed_through, self->passed_source));
  add (builder, "vector-list", list_variant (self->list));
  add (builder, "guest-msis", g_variant_new ("(uu)", self->passing.messages, KVMHELPER_MSI_MAX));
  add (builder, "guest-bypass",
       g_variant_new ("(uu)", kvmhelper_passing_entries (&self->passing), KVMHELPER_BYPASS_MAX));
  add (builder, "dma", fact_variant (&self->dma));
  add (builder, "tce-tables", g_variant_new_uint32 (self->tce_tables));
  add (builder, "tce-linked", fact_variant (&self->tce_linked));
  add_locked (builder, &self->locked);
  add (builder, "eeh", fact_variant (&self->eeh));
  add (builder, "pe-state", fact_variant (&self->pe_state));
  add (builder, "warnings", warnings_variant (self));
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
  if (self->holder_pid != 0)
    add_holder (&builder, self);
  return g_variant_builder_end (&builder);
}
