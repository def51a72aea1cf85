/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-lease.h"

static const char *const phases[] = { "intent", "prepared", "active", "releasing", "pending" };

const char *
kvmhelper_phase_name (KvmHelperPhase phase)
{
  return phases[phase];
}

gboolean
kvmhelper_phase_from_name (const char *name, KvmHelperPhase *phase)
{
  for (guint i = 0; i < G_N_ELEMENTS (phases); i++)
    if (g_str_equal (name, phases[i]))
      {
        *phase = (KvmHelperPhase) i;
        return TRUE;
      }
  return FALSE;
}

void
kvmhelper_member_free (KvmHelperMember *member)
{
  g_free (member->slot);
  g_free (member->slot_name);
  g_free (member->driver);
  g_free (member->driver_override);
  g_free (member->module);
  g_free (member);
}

KvmHelperLease *
kvmhelper_lease_alloc (void)
{
  KvmHelperLease *lease = g_new0 (KvmHelperLease, 1);

  lease->members = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_member_free);
  return lease;
}

KvmHelperLease *
kvmhelper_lease_new_unreadable (const char *id, const char *left)
{
  KvmHelperLease *lease = kvmhelper_lease_alloc ();

  lease->id = g_strdup (id);
  lease->boot_id = g_strdup ("");
  lease->domain_uuid = g_strdup ("");
  lease->domain_name = g_strdup ("");
  lease->phase = KVMHELPER_PHASE_PENDING;
  lease->granted = g_strdup ("");
  lease->left = g_strdup (left);
  lease->command = g_strconcat ("virt-ppc64 release --forget ", id, NULL);
  lease->unreadable = TRUE;
  return lease;
}

KvmHelperLease *
kvmhelper_lease_new (const char *boot_id, const char *domain_uuid, const char *domain_name,
                     const PciAddress *address, const GPtrArray *functions)
{
  KvmHelperLease *lease = kvmhelper_lease_alloc ();

  lease->id = g_uuid_string_random ();
  lease->boot_id = g_strdup (boot_id);
  lease->domain_uuid = g_strdup (domain_uuid);
  lease->domain_name = g_strdup (domain_name);
  lease->address = *address;
  lease->phase = KVMHELPER_PHASE_INTENT;
  lease->since = g_get_real_time () / G_USEC_PER_SEC;
  lease->granted = g_strdup ("");
  lease->left = g_strdup ("");
  lease->command = g_strdup ("");
  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperFunction *function = functions->pdata[i];
      KvmHelperMember *member;

      if (!function->endpoint)
        continue;
      member = g_new0 (KvmHelperMember, 1);
      member->address = function->address;
      member->identity = function->identity;
      member->slot = g_strdup ("");
      member->slot_name = g_strdup ("");
      member->driver = g_strdup (function->driver);
      member->driver_override = g_strdup (function->driver_override);
      member->module = g_strdup ("");
      g_ptr_array_add (lease->members, member);
    }
  return lease;
}

KvmHelperLease *
kvmhelper_lease_copy (const KvmHelperLease *lease)
{
  KvmHelperLease *copy = kvmhelper_lease_alloc ();

  copy->id = g_strdup (lease->id);
  copy->boot_id = g_strdup (lease->boot_id);
  copy->domain_uuid = g_strdup (lease->domain_uuid);
  copy->domain_name = g_strdup (lease->domain_name);
  copy->address = lease->address;
  copy->phase = lease->phase;
  copy->since = lease->since;
  copy->ending_since = lease->ending_since;
  copy->thaws = lease->thaws;
  copy->unreadable = lease->unreadable;
  copy->holder_pid = lease->holder_pid;
  copy->granted = g_strdup (lease->granted);
  copy->left = g_strdup (lease->left);
  copy->command = g_strdup (lease->command);
  copy->grant = kvmhelper_grant_copy (lease->grant);
  for (guint i = 0; i < lease->members->len; i++)
    {
      KvmHelperMember *member = g_memdup2 (lease->members->pdata[i], sizeof *member);

      member->slot = g_strdup (member->slot);
      member->slot_name = g_strdup (member->slot_name);
      member->driver = g_strdup (member->driver);
      member->driver_override = g_strdup (member->driver_override);
      member->module = g_strdup (member->module);
      g_ptr_array_add (copy->members, member);
    }
  return copy;
}

void
kvmhelper_lease_free (KvmHelperLease *lease)
{
  g_free (lease->id);
  g_free (lease->boot_id);
  g_free (lease->domain_uuid);
  g_free (lease->domain_name);
  g_free (lease->granted);
  g_free (lease->left);
  g_free (lease->command);
  kvmhelper_grant_free (lease->grant);
  g_ptr_array_unref (lease->members);
  g_free (lease);
}

gboolean
kvmhelper_lease_is_rehearsal (const KvmHelperLease *lease)
{
  return *lease->domain_uuid == '\0' && !lease->unreadable;
}

KvmHelperMember *
kvmhelper_lease_find_member (const KvmHelperLease *lease, const PciAddress *address)
{
  for (guint i = 0; i < lease->members->len; i++)
    {
      KvmHelperMember *member = lease->members->pdata[i];

      if (pci_address_equal (&member->address, address))
        return member;
    }
  return NULL;
}

void
kvmhelper_lease_set_left (KvmHelperLease *lease, const char *left)
{
  char *copy = g_strdup (left == NULL ? "" : left);

  g_free (lease->left);
  lease->left = copy;
}

void
kvmhelper_lease_set_command (KvmHelperLease *lease, const char *command)
{
  char *copy = g_strdup (command == NULL ? "" : command);

  g_free (lease->command);
  lease->command = copy;
}
