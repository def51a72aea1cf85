/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-group.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-watch.h"

#include <glib/gi18n-lib.h>
#include <stdio.h>

void
kvmhelper_fact_clear (KvmHelperFact *fact)
{
  g_clear_pointer (&fact->source, g_free);
}

KvmHelperGroup *
kvmhelper_group_new (const KvmHelperKernel *kernel, guint number, const PciAddress *first)
{
  KvmHelperGroup *group = g_new0 (KvmHelperGroup, 1);
  g_autofree char *path = g_strdup_printf ("kernel/iommu_groups/%u/name", number);

  group->number = number;
  group->members = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_function_free);
  group->name = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, path);
  if (group->name == NULL)
    group->name = g_strdup ("");
  if (sscanf (group->name, "domain%u-pe%x", &group->phb, &group->pe) == 2)
    group->has_pe = TRUE;
  else
    group->phb = first->domain;
  return group;
}

static gboolean
check_endpoint (const KvmHelperFunction *function, const char *name, GError **error)
{
  if (!function->endpoint)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_NOT_ENDPOINT,
                   _ ("%s is a bridge; only the functions behind it can be given to a guest"),
                   name);
      return FALSE;
    }
  if (function->group < 0)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_NO_IOMMU_GROUP,
                   _ ("The kernel put %s in no IOMMU group, so it cannot be given to a guest"),
                   name);
      return FALSE;
    }
  return TRUE;
}

/* Adds those of @names that are functions. A group is taken as a whole: one that is too large for
 * that is not taken in part. */
static gboolean
read_members (const KvmHelperKernel *kernel, const GPtrArray *names, KvmHelperGroup *group,
              GError **error)
{
  for (guint i = 0; i < names->len; i++)
    {
      PciAddress member;
      KvmHelperFunction *read;

      if (!pci_address_parse (names->pdata[i], &member, NULL))
        continue;
      if (group->members->len >= KVMHELPER_MAX_MEMBERS)
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
                       _ ("IOMMU group %u has more than %d functions, which is too many to take "
                          "them all"),
                       group->number, KVMHELPER_MAX_MEMBERS);
          return FALSE;
        }
      read = kvmhelper_function_read (kernel, &member, error);
      if (read == NULL)
        return FALSE;
      g_ptr_array_add (group->members, read);
    }
  return TRUE;
}

static gboolean
has_endpoint (const KvmHelperGroup *group, const PciAddress *address)
{
  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];

      if (member->endpoint && pci_address_equal (&member->address, address))
        return TRUE;
    }
  return FALSE;
}

KvmHelperGroup *
kvmhelper_group_read (const KvmHelperKernel *kernel, const PciAddress *address, GError **error)
{
  g_autoptr (KvmHelperFunction) function = kvmhelper_function_read (kernel, address, error);
  g_autoptr (KvmHelperGroup) group = NULL;
  g_auto (KvmHelperWatch) watch = { 0 };
  g_autoptr (GPtrArray) names = NULL;
  g_autofree char *path = NULL;
  char name[PCI_ADDRESS_LEN];

  if (function == NULL || !check_endpoint (function, pci_address_format (address, name), error))
    return NULL;

  kvmhelper_watch_init (&watch, kernel);
  group = kvmhelper_group_new (&watch.kernel, (guint) function->group, address);
  path = g_strdup_printf ("kernel/iommu_groups/%u/devices", group->number);
  names = kvmhelper_kernel_list (&watch.kernel, KVMHELPER_SYS, path);
  if (!kvmhelper_watch_check (&watch, error) || !read_members (kernel, names, group, error))
    return NULL;
  /* It left between the two looks: a lease relies on its function being among them. */
  if (!has_endpoint (group, address))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED,
                   _ ("IOMMU group %u has no function %s any more"), group->number, name);
      return NULL;
    }
  return g_steal_pointer (&group);
}

void
kvmhelper_group_free (KvmHelperGroup *group)
{
  g_free (group->name);
  g_ptr_array_unref (group->members);
  g_free (group);
}
