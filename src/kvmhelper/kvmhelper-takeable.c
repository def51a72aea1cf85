/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-takeable.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-busy.h"
#include "kvmhelper/kvmhelper-companion.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-holder.h"

#include <glib/gi18n-lib.h>

static gboolean
check_holder (const KvmHelperKernel *kernel, const KvmHelperGroup *group, GError **error)
{
  guint pid = kvmhelper_holder_find (kernel, group->number);

  if (pid == 0)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_GROUP_IN_USE,
               _ ("Process %u holds IOMMU group %u already"), pid, group->number);
  return FALSE;
}

/* A frozen one is thawed when it is taken; one that does not come back cannot be. */
static gboolean
check_pe (const KvmHelperKernel *kernel, const KvmHelperGroup *group, GError **error)
{
  g_autoptr (GArray) pes = kvmhelper_eeh_group (kernel, group);

  return kvmhelper_eeh_check (kernel, pes, error);
}

/* Adds "0003:01:00.1 (tg3): route: default route by way of eth0", for those in @needs that are
 * accepted, or not. */
static void
describe (GString *text, const KvmHelperFunction *member, const GPtrArray *needs,
          const char *const *override, gboolean accepted)
{
  char name[PCI_ADDRESS_LEN];
  gboolean first = TRUE;

  for (guint i = 0; i < needs->len; i++)
    {
      const KvmHelperNeed *need = needs->pdata[i];

      if (kvmhelper_need_is_accepted (need, override) != accepted)
        continue;
      if (first)
        g_string_append_printf (text, "%s%s (%s)", text->len == 0 ? "" : "; ",
                                pci_address_format (&member->address, name),
                                *member->driver == '\0' ? _ ("no driver") : member->driver);
      g_string_append_printf (text, "%s %s: %s", first ? ":" : ",", need->kind, need->detail);
      first = FALSE;
    }
}

/* Adds who else is on the cards of @group, and is not in it: they stay with the host. */
static void
describe_companions (GString *text, const KvmHelperKernel *kernel, const KvmHelperGroup *group)
{
  g_autoptr (GPtrArray) functions = kvmhelper_function_read_all (kernel);
  g_autoptr (KvmHelperCards) cards = kvmhelper_cards_new (kernel, functions);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < group->members->len; i++)
    {
      g_autoptr (GPtrArray) companions
          = kvmhelper_cards_companions (cards, group->members->pdata[i]);

      for (guint j = 0; j < companions->len; j++)
        {
          const KvmHelperFunction *companion = companions->pdata[j];
          char name[PCI_ADDRESS_LEN];

          if (companion->group == (int) group->number
              || !g_hash_table_add (seen, (gpointer) companion))
            continue;
          g_string_append_printf (list, "%s%s", list->len > 0 ? ", " : "",
                                  pci_address_format (&companion->address, name));
        }
    }
  if (list->len > 0)
    {
      g_string_append_c (text, ' ');
      g_string_append_printf (text, _ ("(of the same card: %s)"), list->str);
    }
}

/* A VF that is leased, or just being taken, is somebody's, whatever driver it is on. */
static gboolean
check_vfs (KvmHelperLeases *leases, const KvmHelperFunction *member, GError **error)
{
  g_autoptr (GArray) vfs = kvmhelper_function_read_vfs (leases->kernel, &member->address);

  for (guint i = 0; i < vfs->len; i++)
    {
      const PciAddress *vf = &g_array_index (vfs, PciAddress, i);
      g_autoptr (KvmHelperLease) lease = kvmhelper_leases_find_function (leases, vf);
      char name[PCI_ADDRESS_LEN], vf_name[PCI_ADDRESS_LEN];

      if (lease == NULL)
        continue;
      pci_address_format (vf, vf_name);
      pci_address_format (&member->address, name);
      if (kvmhelper_lease_is_rehearsal (lease))
        g_set_error (error, COMMON_ERROR, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
                     _ ("The virtual function %s of %s is being rehearsed, and would go with it; "
                        "try again when that is done"),
                     vf_name, name);
      else
        g_set_error (error, COMMON_ERROR, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
                     _ ("The virtual function %s of %s is leased to %s, and would go with it; "
                        "detach it from its guest first"),
                     vf_name, name, lease->domain_name);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_needs (KvmHelperLeases *leases, const KvmHelperGroup *group, const char *const *override,
             char **accepted, GError **error)
{
  g_autoptr (KvmHelperBusy) busy = kvmhelper_busy_new (leases->kernel);
  g_autoptr (GString) in_the_way = g_string_new (NULL);
  g_autoptr (GString) overridden = g_string_new (NULL);

  /* What cannot be read may be a need. */
  if (!kvmhelper_busy_check (busy, error))
    return FALSE;
  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];
      g_autoptr (GPtrArray) needs = NULL;

      if (!member->endpoint)
        continue;
      if (!check_vfs (leases, member, error))
        return FALSE;
      needs = kvmhelper_busy_get (busy, member);
      describe (in_the_way, member, needs, override, FALSE);
      describe (overridden, member, needs, override, TRUE);
    }
  /* Once more: each function has its own reads. */
  if (!kvmhelper_busy_check (busy, error))
    return FALSE;
  if (accepted != NULL)
    *accepted = g_string_free (g_steal_pointer (&overridden), FALSE);
  if (in_the_way->len == 0)
    return TRUE;
  describe_companions (in_the_way, leases->kernel, group);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
               _ ("The host needs functions of IOMMU group %u, which can be taken as a whole only: "
                  "%s"),
               group->number, in_the_way->str);
  return FALSE;
}

gboolean
kvmhelper_takeable_check (KvmHelperLeases *leases, const KvmHelperGroup *group,
                          const char *const *override, char **accepted, GError **error)
{
  return check_holder (leases->kernel, group, error)
         && check_needs (leases, group, override, accepted, error)
         && check_pe (leases->kernel, group, error);
}
