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

/* It has to be in force before a driver is looked for: else the function goes to another one. An
 * empty write never reaches the attribute: a line end is what clears it (drivers/base/driver.c:
 * driver_set_override). */
static gboolean
set_override (const KvmHelperKernel *kernel, const PciAddress *address, const char *override,
              GError **error)
{
  g_autofree char *driver = NULL;
  g_autofree char *after = NULL;

  if (!write_attribute (kernel, address, "driver_override", *override == '\0' ? "\n" : override,
                        error)
      || !kvmhelper_function_read_binding (kernel, address, &driver, &after, error))
    return FALSE;
  if (g_str_equal (after, override))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
               _ ("The driver_override was set to \"%s\", and is \"%s\""), override, after);
  return FALSE;
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
read_driver (const KvmHelperKernel *kernel, const PciAddress *address, char **driver,
             GError **error)
{
  g_autofree char *override = NULL;

  return kvmhelper_function_read_binding (kernel, address, driver, &override, error);
}

static gboolean
take_member (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  const PciAddress *address = &member->address;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  char name[PCI_ADDRESS_LEN];

  if (!check_identity (kernel, member, error) || !read_driver (kernel, address, &before, error))
    return FALSE;
  if (common_driver_is_vfio (before))
    return TRUE;
  if (!set_override (kernel, address, COMMON_VFIO_DRIVER, error)
      || (*before != '\0' && !unbind (kernel, address, error)) || !probe (kernel, address, error)
      || !read_driver (kernel, address, &after, error))
    return FALSE;
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

/* The driver @member had takes it again. Its name is written to it alone: what the kernel would
 * choose by itself (drivers_probe) may be another one, and between that and ours the function would
 * be on a driver that nobody gave it to; a failure there would look like somebody else's work. */
static gboolean
rebind (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  g_autofree char *path = g_strdup_printf ("bus/pci/drivers/%s/bind", member->driver);
  g_autofree char *after = NULL;
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&member->address, name);
  if (!kvmhelper_kernel_write (kernel, KVMHELPER_SYS, path, name, error)
      || !read_driver (kernel, &member->address, &after, error))
    return FALSE;
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
  g_autofree char *driver = NULL;
  g_autofree char *override = NULL;
  /* An override that names another driver than the one it had was not in force: it would send the
   * function there. It comes back last. */
  gboolean late
      = *member->driver_override != '\0' && !g_str_equal (member->driver_override, member->driver);
  const char *first = late ? "" : member->driver_override;

  if (!check_identity (kernel, member, error)
      || !kvmhelper_function_read_binding (kernel, address, &driver, &override, error))
    return FALSE;
  if (g_str_equal (driver, member->driver))
    return g_str_equal (override, member->driver_override)
           || set_override (kernel, address, member->driver_override, error);
  if (!g_str_equal (override, first) && !set_override (kernel, address, first, error))
    return FALSE;
  if (*driver != '\0' && !unbind (kernel, address, error))
    return FALSE;
  if (*member->driver != '\0' && !rebind (kernel, member, error))
    return FALSE;
  return !late || set_override (kernel, address, member->driver_override, error);
}

/* Whether the function at the address is not the member any more. One that is there and could not
 * be read, as without memory, is not gone. */
static gboolean
is_gone (const KvmHelperKernel *kernel, const KvmHelperMember *member, const GError *error)
{
  g_autofree char *path = kvmhelper_function_path (&member->address, NULL);
  KvmHelperStat stat;

  return g_error_matches (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED)
         || kvmhelper_kernel_stat (kernel, KVMHELPER_SYS, path, &stat) == -ENOENT;
}

/* Whether a member has its own driver and override again, or is gone, and so needs nothing. FALSE
 * with an error that says what it has. */
static gboolean
is_settled (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  g_autofree char *driver = NULL;
  g_autofree char *override = NULL;
  GError *local = NULL;

  if (!check_identity (kernel, member, &local))
    {
      if (is_gone (kernel, member, local))
        {
          g_error_free (local);
          return TRUE;
        }
      g_propagate_error (error, local);
      return FALSE;
    }
  if (!kvmhelper_function_read_binding (kernel, &member->address, &driver, &override, error))
    return FALSE;
  if (g_str_equal (driver, member->driver) && g_str_equal (override, member->driver_override))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
               _ ("It is on the driver %s, and had %s; its override is %s, and was %s"),
               *driver == '\0' ? _ ("none") : driver,
               *member->driver == '\0' ? _ ("none") : member->driver,
               *override == '\0' ? _ ("none") : override,
               *member->driver_override == '\0' ? _ ("none") : member->driver_override);
  return FALSE;
}

gboolean
kvmhelper_binding_group (const KvmHelperKernel *kernel, const KvmHelperLease *lease, int *group,
                         GError **error)
{
  *group = -1;
  for (guint i = 0; i < lease->members->len && *group < 0; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];
      GError *local = NULL;

      if (check_identity (kernel, member, &local))
        {
          if (!kvmhelper_function_read_group (kernel, &member->address, group, error))
            return FALSE;
        }
      else if (is_gone (kernel, member, local))
        g_error_free (local);
      else
        {
          g_propagate_error (error, local);
          return FALSE;
        }
    }
  return TRUE;
}

/* A member that somebody else gave to a driver of the host's is theirs. */
static gboolean
is_taken_away (const KvmHelperKernel *kernel, const KvmHelperMember *member)
{
  g_autofree char *driver = NULL;
  char name[PCI_ADDRESS_LEN];

  if (!read_driver (kernel, &member->address, &driver, NULL) || *driver == '\0'
      || common_driver_is_vfio (driver) || g_str_equal (driver, member->driver))
    return FALSE;
  pci_address_format (&member->address, name);
  common_log_lease (G_LOG_LEVEL_WARNING, name, NULL, NULL,
                    "%s was given to the driver %s by somebody else; it had %s", name, driver,
                    *member->driver == '\0' ? "none" : member->driver);
  return TRUE;
}

/* What the writes claim counts for nothing: it is looked at afterwards. */
static gboolean
return_member (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  return is_settled (kernel, member, NULL) || is_taken_away (kernel, member)
         || (restore_member (kernel, member, error) && is_settled (kernel, member, error));
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
      if (return_member (kernel, member, &error))
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

      if (!member->returned && !is_settled (kernel, member, NULL))
        return TRUE;
    }
  return FALSE;
}

gboolean
kvmhelper_binding_give_back (const KvmHelperKernel *kernel, KvmHelperLease *lease, gboolean *held)
{
  g_autoptr (GError) error = NULL;
  int group, handle = -1;
  gboolean done;

  *held = FALSE;
  /* A group that is there and not known might be held: to unbind a function of it would wait in the
   * kernel for its holder. */
  if (!kvmhelper_binding_group (kernel, lease, &group, &error))
    {
      kvmhelper_lease_set_left (lease, error->message);
      return FALSE;
    }
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
