/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-inspect.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-capability.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-interrupts.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-tce.h"

#include <glib/gi18n-lib.h>

#define INTERRUPTS "interrupts"

static gboolean
holds (const KvmHelperHolding *holding, guint group)
{
  for (guint i = 0; i < holding->groups->len; i++)
    if (g_array_index (holding->groups, guint, i) == group)
      return TRUE;
  return FALSE;
}

static KvmHelperController
controller_of (const KvmHelperHolding *holding)
{
  if (holding->xive_native >= 0 || holding->xive >= 0)
    return KVMHELPER_CONTROLLER_XIVE;
  if (holding->xics >= 0)
    return KVMHELPER_CONTROLLER_XICS;
  return holding->vm >= 0 ? KVMHELPER_CONTROLLER_EMULATED : KVMHELPER_CONTROLLER_NO_GUEST;
}

static const KvmHelperFunction *
find_member (const KvmHelperGroup *group, const PciAddress *address)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];

      if (pci_address_equal (&member->address, address))
        return member;
    }
  return NULL;
}

/* Of the MSIs in @all, those on functions of the groups in @holding: KVM and QEMU count them for
 * the guest as a whole. */
static guint
count_messages (const KvmHelperKernel *kernel, const KvmHelperHolding *holding, const GArray *all)
{
  g_autoptr (GHashTable) groups = g_hash_table_new_full (
      (GHashFunc) pci_address_hash, (GEqualFunc) pci_address_equal, NULL, NULL);
  guint count = 0;

  for (guint i = 0; i < all->len; i++)
    {
      const KvmHelperVector *vector = &g_array_index (all, KvmHelperVector, i);
      gpointer held;

      if (!vector->message)
        continue;
      if (!g_hash_table_lookup_extended (groups, &vector->function, NULL, &held))
        {
          int group;
          gboolean known = kvmhelper_function_read_group (kernel, &vector->function, &group, NULL);

          held = GINT_TO_POINTER (known && group >= 0 && holds (holding, (guint) group));
          g_hash_table_insert (groups, (gpointer) &vector->function, held);
        }
      count += GPOINTER_TO_INT (held) ? 1 : 0;
    }
  return count;
}

static int
read_bypass (const KvmHelperKernel *kernel)
{
  guint64 value;

  if (!kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, KVMHELPER_BYPASS_PARAMETER, &value))
    return -1;
  return value != 0;
}

static void
add_vector (KvmHelperInspection *self, const KvmHelperVector *vector, KvmHelperBypassTrial trial)
{
  KvmHelperInspectedVector entry = { *vector, { NULL, NULL, NULL } };

  entry.way = kvmhelper_vector_way (&self->passing, vector, trial);
  if (pci_address_equal (&vector->function, &self->address))
    self->vectors++;
  if (g_str_equal (entry.way.path, "guest"))
    self->passed_through++;
  g_array_append_val (self->list, entry);
}

/* The group's vectors, in the order of /proc/interrupts, and which way each goes. */
static void
find_vectors (KvmHelperInspection *self, const KvmHelperKernel *kernel, const KvmHelperGroup *group,
              const KvmHelperHolding *holding, KvmHelperRehearsed *rehearsed)
{
  g_autofree char *text
      = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, INTERRUPTS, KVMHELPER_MAX_TABLE, NULL, NULL);
  g_autoptr (GArray) all = kvmhelper_interrupts_parse (text == NULL ? "" : text);
  const char *source = "/proc/" INTERRUPTS;

  self->passing = (KvmHelperPassing){ kvmhelper_platform_read (kernel), controller_of (holding),
                                      read_bypass (kernel), count_messages (kernel, holding, all) };
  for (guint i = 0; i < all->len; i++)
    {
      const KvmHelperVector *vector = &g_array_index (all, KvmHelperVector, i);
      const KvmHelperFunction *member = find_member (group, &vector->function);
      KvmHelperFound found;

      if (member == NULL)
        continue;
      kvmhelper_rehearsed_recall (rehearsed, &member->address, &member->identity, &found);
      add_vector (self, vector, found.bypass);
    }
  /* That none goes to the guest is as the first that could have does. */
  for (guint i = 0; i < self->list->len; i++)
    {
      const KvmHelperInspectedVector *entry
          = &g_array_index (self->list, KvmHelperInspectedVector, i);
      gboolean passed = g_str_equal (entry->way.path, "guest");

      if (entry->vector.message && passed == (self->passed_through > 0))
        {
          source = entry->way.source;
          break;
        }
    }
  self->passed_source
      = text == NULL ? g_strdup_printf (
            "inferred: %s", _ ("/proc/interrupts cannot be read, and nothing else tells"))
                     : g_strdup (source);
}

static KvmHelperFact
descriptor_fact (const char *value, guint pid, int descriptor)
{
  return (KvmHelperFact){ value, g_strdup_printf ("/proc/%u/fd/%d", pid, descriptor) };
}

static KvmHelperFact
inferred (const char *value, const char *reason)
{
  return (KvmHelperFact){ value, g_strconcat ("inferred: ", reason, NULL) };
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
kvmhelper_inspection_new (const KvmHelperKernel *kernel, const PciAddress *address,
                          KvmHelperRehearsed *rehearsed, GError **error)
{
  g_autoptr (KvmHelperGroup) group = kvmhelper_group_read (kernel, address, error);
  g_autoptr (KvmHelperHolding) holding = NULL;
  KvmHelperInspection *self;

  if (group == NULL)
    return NULL;
  self = g_new0 (KvmHelperInspection, 1);
  self->address = *address;
  self->group = group->number;
  self->list = g_array_new (FALSE, FALSE, sizeof (KvmHelperInspectedVector));
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
  find_vectors (self, kernel, group, holding, rehearsed);
  self->locked = kvmhelper_locked_read (kernel, self->holder_pid);
  self->tce_tables = holding->tce_tables;
  self->tce_linked = kvmhelper_tce_linked (kernel, holding, self->holder_pid);
  self->dma = kvmhelper_tce_dma (holding);
  self->pe_state = kvmhelper_eeh_fact (kernel, group);
  self->eeh = find_eeh (holding, self->pe_state.value);
  return self;
}

void
kvmhelper_inspection_free (KvmHelperInspection *inspection)
{
  kvmhelper_fact_clear (&inspection->interrupts);
  kvmhelper_fact_clear (&inspection->dma);
  kvmhelper_fact_clear (&inspection->tce_linked);
  kvmhelper_fact_clear (&inspection->eeh);
  kvmhelper_fact_clear (&inspection->pe_state);
  g_free (inspection->passed_source);
  g_array_unref (inspection->list);
  g_free (inspection);
}

char *
kvmhelper_inspection_summary (const KvmHelperInspection *self)
{
  return g_strdup_printf ("interrupts=%s vectors=%u passed-through=%u dma=%s eeh=%s",
                          self->interrupts.value, self->vectors, self->passed_through,
                          self->dma.value, self->eeh.value);
}
