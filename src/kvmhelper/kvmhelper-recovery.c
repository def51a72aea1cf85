/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-leases-private.h"

#include "common/common-log.h"
#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-binding.h"
#include "kvmhelper/kvmhelper-holder.h"

/* What becomes of a record that a helper finds at its start. Doing it twice is doing it once. */
typedef enum
{
  FORGET,    /* another boot: the kernel forgot drivers and overrides by itself */
  KEEP,      /* prepared or active, and the kernel agrees; or not to be understood */
  GIVE_BACK, /* all else */
} Fate;

/* Whether a member that is there has left its VFIO driver: somebody gave it to the host. One that
 * cannot be read has not. */
static gboolean
has_lost_member (const KvmHelperKernel *kernel, const KvmHelperLease *lease)
{
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];
      g_autofree char *driver = NULL;
      g_autofree char *override = NULL;

      if (kvmhelper_function_read_binding (kernel, &member->address, &driver, &override, NULL)
          && !common_driver_is_vfio (driver))
        return TRUE;
    }
  return FALSE;
}

static Fate
decide (const KvmHelperKernel *kernel, const char *boot_id, const KvmHelperLease *lease)
{
  int group;

  if (lease->unreadable)
    return KEEP;
  if (!g_str_equal (boot_id, lease->boot_id))
    return FORGET;
  if (kvmhelper_lease_is_rehearsal (lease)
      || (lease->phase != KVMHELPER_PHASE_PREPARED && lease->phase != KVMHELPER_PHASE_ACTIVE))
    return GIVE_BACK;
  if (!has_lost_member (kernel, lease))
    return KEEP;
  if (!kvmhelper_binding_group (kernel, lease, &group, NULL))
    return KEEP;
  return group >= 0 && kvmhelper_holder_find (kernel, (guint) group) != 0 ? KEEP : GIVE_BACK;
}

static void
recover (KvmHelperLeases *leases, const char *boot_id, KvmHelperLease *lease)
{
  KvmHelperLease *copy = kvmhelper_lease_copy (lease);
  char name[PCI_ADDRESS_LEN];
  gboolean held;

  pci_address_format (&lease->address, name);
  g_hash_table_replace (leases->table, copy->id, copy);
  switch (decide (leases->kernel, boot_id, lease))
    {
    case FORGET:
      common_log_lease (G_LOG_LEVEL_MESSAGE, name, NULL, lease->id,
                        "%s: lease %s is of another boot and was dropped", name, lease->id);
      kvmhelper_leases_drop (leases, lease);
      break;
    case KEEP:
      break;
    case GIVE_BACK:
      common_log_lease (G_LOG_LEVEL_MESSAGE, name, NULL, lease->id,
                        "%s: lease %s was left %s; giving back what it has", name, lease->id,
                        kvmhelper_phase_name (lease->phase));
      kvmhelper_leases_finish (leases, lease, &held);
      break;
    }
}

gboolean
kvmhelper_leases_recover (KvmHelperLeases *leases, GError **error)
{
  g_autofree char *boot_id = kvmhelper_leases_boot_id (leases, error);
  g_autoptr (GPtrArray) records
      = boot_id == NULL ? NULL : kvmhelper_journal_load (leases->journal, error);

  if (records == NULL)
    return FALSE;
  for (guint i = 0; i < records->len; i++)
    recover (leases, boot_id, records->pdata[i]);
  return TRUE;
}
