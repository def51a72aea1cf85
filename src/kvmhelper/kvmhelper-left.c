/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-left.h"

#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

#define RELEASE "virt-ppc64 release "

gboolean
kvmhelper_left_has_driver (const KvmHelperKernel *kernel, const KvmHelperMember *member)
{
  g_autofree char *path = g_strconcat ("bus/pci/drivers/", member->driver, NULL);

  return *member->driver == '\0' || kvmhelper_kernel_exists (kernel, KVMHELPER_SYS, path);
}

/* The first module that is missing, NULL: none is. */
static const char *
find_module (const KvmHelperKernel *kernel, const KvmHelperLease *lease)
{
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];

      if (!member->returned && *member->module != '\0'
          && !kvmhelper_left_has_driver (kernel, member))
        return member->module;
    }
  return NULL;
}

void
kvmhelper_left_note (const KvmHelperKernel *kernel, KvmHelperLease *lease, const char *left)
{
  const char *module = *left == '\0' ? NULL : find_module (kernel, lease);
  g_autofree char *command = NULL;

  if (module != NULL)
    command = g_strconcat ("modprobe ", module, " && " RELEASE, lease->id, NULL);
  else if (*left != '\0')
    command = g_strconcat (RELEASE, lease->id, NULL);
  kvmhelper_lease_set_left (lease, left);
  kvmhelper_lease_set_command (lease, command);
}

static gboolean
is_deaf (const KvmHelperLease *lease)
{
  return lease->ending_since != 0
         && g_get_real_time () / G_USEC_PER_SEC - lease->ending_since >= KVMHELPER_GUEST_SECONDS;
}

void
kvmhelper_left_note_held (KvmHelperLease *lease, const KvmHelperObstacle *obstacle, guint group)
{
  gboolean by_guest = obstacle->pid != 0 && obstacle->pid == lease->holder_pid;
  gboolean deaf = by_guest && is_deaf (lease);
  g_autofree char *why = by_guest ? NULL : kvmhelper_obstacle_to_string (obstacle, group);
  g_autofree char *left = NULL;
  g_autofree char *command = NULL;

  if (deaf)
    left = g_strdup_printf (
        _ ("the guest %s (process %u) does not let go of IOMMU group %u: it hangs, or nothing in "
           "it answers to hotplug (rtas_errd); a reset of the guest completes it"),
        lease->domain_name, obstacle->pid, group);
  else if (by_guest)
    left = g_strdup_printf (_ ("the guest %s (process %u) has not let go of IOMMU group %u yet"),
                            lease->domain_name, obstacle->pid, group);
  command
      = g_strconcat (deaf ? "virsh reset " : RELEASE, deaf ? lease->domain_uuid : lease->id, NULL);
  kvmhelper_lease_set_left (lease, by_guest ? left : why);
  kvmhelper_lease_set_command (lease, command);
}
