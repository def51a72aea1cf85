/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-binding.h"

#include <errno.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-holder.h"

#include <glib/gi18n-lib.h>

static gboolean
write_attribute (const KvmHelperKernel *kernel, const PciAddress *address, const char *attribute,
                 const char *text, GError **error)
{
  g_autofree char *path = kvmhelper_function_path (address, attribute);

  return kvmhelper_kernel_write (kernel, KVMHELPER_SYS, path, text, error);
}

/* An empty write never reaches the attribute: a line end is what clears it (drivers/base/driver.c:
 * driver_set_override). */
static gboolean
set_override (const KvmHelperKernel *kernel, const PciAddress *address, const char *override,
              GError **error)
{
  return write_attribute (kernel, address, "driver_override", *override == '\0' ? "\n" : override,
                          error);
}

static gboolean
unbind (const KvmHelperKernel *kernel, const PciAddress *address, GError **error)
{
  char name[PCI_ADDRESS_LEN];

  return write_attribute (kernel, address, "driver/unbind", pci_address_format (address, name),
                          error);
}

static gboolean
probe (const KvmHelperKernel *kernel, const PciAddress *address, GError **error)
{
  char name[PCI_ADDRESS_LEN];

  return kvmhelper_kernel_write (kernel, KVMHELPER_SYS, "bus/pci/drivers_probe",
                                 pci_address_format (address, name), error);
}

static gboolean
check_identity (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  KvmHelperIdentity identity;
  char name[PCI_ADDRESS_LEN];

  if (!kvmhelper_function_read_identity (kernel, &member->address, &identity, error))
    return FALSE;
  if (kvmhelper_identity_equal (&identity, &member->identity))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED,
               _ ("Another device (%04x:%04x) sits at %s now; it was %04x:%04x"), identity.vendor,
               identity.device, pci_address_format (&member->address, name),
               member->identity.vendor, member->identity.device);
  return FALSE;
}

static gboolean
take_member (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  const PciAddress *address = &member->address;
  g_autofree char *before = kvmhelper_function_driver (kernel, address);
  g_autofree char *after = NULL;
  char name[PCI_ADDRESS_LEN];

  if (!check_identity (kernel, member, error))
    return FALSE;
  if (common_driver_is_vfio (before))
    return TRUE;
  if (!set_override (kernel, address, COMMON_VFIO_DRIVER, error)
      || (*before != '\0' && !unbind (kernel, address, error)) || !probe (kernel, address, error))
    return FALSE;
  after = kvmhelper_function_driver (kernel, address);
  pci_address_format (address, name);
  if (*after == '\0')
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
                   _ ("%s did not take %s; the kernel's log may say why"), COMMON_VFIO_DRIVER,
                   name);
      return FALSE;
    }
  if (!g_str_equal (after, COMMON_VFIO_DRIVER))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
                   _ ("%s did not take %s, which is still on the driver %s"), COMMON_VFIO_DRIVER,
                   name, after);
      return FALSE;
    }
  return check_identity (kernel, member, error);
}

gboolean
kvmhelper_binding_take (const KvmHelperKernel *kernel, KvmHelperLease *lease, GError **error)
{
  if (!kvmhelper_kernel_exists (kernel, KVMHELPER_SYS, "bus/pci/drivers/" COMMON_VFIO_DRIVER))
    {
      g_set_error_literal (
          error, COMMON_ERROR, COMMON_ERROR_VFIO_UNAVAILABLE,
          _ ("This host has no driver vfio-pci; load it with \"modprobe vfio-pci\""));
      return FALSE;
    }
  for (guint i = 0; i < lease->members->len; i++)
    {
      GError *local = NULL;
      gboolean held;

      if (take_member (kernel, lease->members->pdata[i], &local))
        continue;
      /* Those that were not yet touched are as they were. */
      for (guint j = i + 1; j < lease->members->len; j++)
        ((KvmHelperMember *) lease->members->pdata[j])->returned = TRUE;
      if (!kvmhelper_binding_give_back (kernel, lease, &held))
        g_prefix_error (&local, _ ("Not everything could be given back (%s) after this: "),
                        lease->left);
      g_propagate_error (error, local);
      return FALSE;
    }
  return TRUE;
}

/* The driver @member had takes it again: by the kernel's own choice, else by name. */
static gboolean
rebind (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  const PciAddress *address = &member->address;
  g_autofree char *chosen = NULL;
  g_autofree char *path = NULL;
  g_autofree char *after = NULL;
  char name[PCI_ADDRESS_LEN];

  if (!probe (kernel, address, error))
    return FALSE;
  chosen = kvmhelper_function_driver (kernel, address);
  if (g_str_equal (chosen, member->driver))
    return TRUE;
  if (*chosen != '\0' && !unbind (kernel, address, error))
    return FALSE;
  path = g_strdup_printf ("bus/pci/drivers/%s/bind", member->driver);
  pci_address_format (address, name);
  if (!kvmhelper_kernel_write (kernel, KVMHELPER_SYS, path, name, error))
    return FALSE;
  after = kvmhelper_function_driver (kernel, address);
  if (g_str_equal (after, member->driver))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
               _ ("The driver %s did not take it back"), member->driver);
  return FALSE;
}

static gboolean
restore_member (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  const PciAddress *address = &member->address;
  g_autofree char *driver = kvmhelper_function_driver (kernel, address);
  g_autofree char *override = kvmhelper_function_override (kernel, address);
  g_autofree char *after = NULL;
  /* An override that names another driver than the one it had was not in force: it would send the
   * function there. It comes back last. */
  gboolean late
      = *member->driver_override != '\0' && !g_str_equal (member->driver_override, member->driver);
  const char *first = late ? "" : member->driver_override;

  if (!check_identity (kernel, member, error))
    return FALSE;
  if (g_str_equal (driver, member->driver))
    return g_str_equal (override, member->driver_override)
           || set_override (kernel, address, member->driver_override, error);
  if (*driver != '\0' && !common_driver_is_vfio (driver))
    {
      char name[PCI_ADDRESS_LEN];

      pci_address_format (address, name);
      common_log_lease (G_LOG_LEVEL_WARNING, name, NULL, NULL,
                        "%s was given to the driver %s by somebody else; it had %s", name, driver,
                        *member->driver == '\0' ? "none" : member->driver);
      return TRUE;
    }
  if (!g_str_equal (override, first) && !set_override (kernel, address, first, error))
    return FALSE;
  if (*driver != '\0' && !unbind (kernel, address, error))
    return FALSE;
  if (*member->driver != '\0' && !rebind (kernel, member, error))
    return FALSE;
  if (late && !set_override (kernel, address, member->driver_override, error))
    return FALSE;
  after = kvmhelper_function_driver (kernel, address);
  if (!g_str_equal (after, member->driver))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
                   _ ("It is on the driver %s, and had %s"), *after == '\0' ? _ ("none") : after,
                   *member->driver == '\0' ? _ ("none") : member->driver);
      return FALSE;
    }
  return TRUE;
}

/* A member that had a VFIO driver, or that has its own again, or that is gone, needs nothing. */
static gboolean
is_settled (const KvmHelperKernel *kernel, const KvmHelperMember *member)
{
  g_autofree char *path = kvmhelper_function_path (&member->address, NULL);
  g_autofree char *driver = NULL;
  g_autofree char *override = NULL;
  g_autoptr (GError) error = NULL;
  KvmHelperStat stat;

  /* One that is there and could not be read, as without memory, is not gone. */
  if (!check_identity (kernel, member, &error))
    return g_error_matches (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED)
           || kvmhelper_kernel_stat (kernel, KVMHELPER_SYS, path, &stat) == -ENOENT;
  driver = kvmhelper_function_driver (kernel, &member->address);
  override = kvmhelper_function_override (kernel, &member->address);
  return g_str_equal (driver, member->driver) && g_str_equal (override, member->driver_override);
}

int
kvmhelper_binding_group (const KvmHelperKernel *kernel, const KvmHelperLease *lease)
{
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];
      int group;

      if (!check_identity (kernel, member, NULL))
        continue;
      group = kvmhelper_function_group (kernel, &member->address);
      if (group >= 0)
        return group;
    }
  return -1;
}

static gboolean
give_back_members (const KvmHelperKernel *kernel, KvmHelperLease *lease)
{
  g_autoptr (GString) left = g_string_new (NULL);

  for (guint i = lease->members->len; i > 0; i--)
    {
      KvmHelperMember *member = lease->members->pdata[i - 1];
      g_autoptr (GError) error = NULL;
      char name[PCI_ADDRESS_LEN];

      if (member->returned)
        continue;
      if (is_settled (kernel, member) || restore_member (kernel, member, &error))
        {
          member->returned = TRUE;
          continue;
        }
      g_string_append_printf (left, "%s%s: %s", left->len == 0 ? "" : "; ",
                              pci_address_format (&member->address, name), error->message);
    }
  kvmhelper_lease_set_left (lease, left->str);
  return left->len == 0;
}

/* Whether @lease has a member that a write would concern. */
static gboolean
needs_writes (const KvmHelperKernel *kernel, const KvmHelperLease *lease)
{
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];

      if (!member->returned && !is_settled (kernel, member))
        return TRUE;
    }
  return FALSE;
}

gboolean
kvmhelper_binding_give_back (const KvmHelperKernel *kernel, KvmHelperLease *lease, gboolean *held)
{
  int group = kvmhelper_binding_group (kernel, lease);
  int handle = -1;
  gboolean done;

  *held = FALSE;
  if (group >= 0)
    {
      KvmHelperObstacle obstacle;

      handle = kvmhelper_holder_seize (kernel, (guint) group, &obstacle);
      /* An intent that came to nothing need not wait for somebody else's use of the group. */
      if (handle < 0 && obstacle.held
          && (lease->phase != KVMHELPER_PHASE_INTENT || needs_writes (kernel, lease)))
        {
          g_autofree char *why = kvmhelper_obstacle_to_string (&obstacle, (guint) group);

          kvmhelper_lease_set_left (lease, why);
          *held = TRUE;
          return FALSE;
        }
    }
  done = give_back_members (kernel, lease);
  if (handle >= 0)
    kvmhelper_kernel_close (kernel, handle);
  return done;
}
