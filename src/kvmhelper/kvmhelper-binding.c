/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-binding.h"

#include <errno.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-hold.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-left.h"
#include "kvmhelper/kvmhelper-slot.h"

#include <glib/gi18n-lib.h>

/* It has to be in force before a driver is looked for: else the function goes to another one. An
 * empty write never reaches the attribute: a line end is what clears it (drivers/base/driver.c:
 * driver_set_override). */
static gboolean
set_override (const KvmHelperHold *hold, const char *override, GError **error)
{
  g_autofree char *driver = NULL;
  g_autofree char *after = NULL;

  if (!kvmhelper_hold_write (hold, "driver_override", *override == '\0' ? "\n" : override, error)
      || !kvmhelper_function_read_binding (hold->kernel, &hold->address, &driver, &after, error)
      || !kvmhelper_hold_check (hold, error))
    return FALSE;
  if (g_str_equal (after, override))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
               _ ("The driver_override was set to \"%s\", and is \"%s\""), override, after);
  return FALSE;
}

/* From @driver and no other: it has the function, or the kernel refuses (drivers/base/bus.c:
 * unbind_store). */
static gboolean
unbind (const KvmHelperHold *hold, const char *driver, GError **error)
{
  g_autofree char *path = g_strdup_printf ("bus/pci/drivers/%s/unbind", driver);

  return kvmhelper_hold_write_name (hold, path, error);
}

static gboolean
check_identity (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  KvmHelperIdentity identity;
  char name[PCI_ADDRESS_LEN];

  if (!kvmhelper_function_read_identity (kernel, &member->address, &identity, error))
    return FALSE;
  if (kvmhelper_identity_equal (&identity, &member->identity))
    return kvmhelper_slot_check (kernel, member, error);
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
take_member (const KvmHelperHold *hold, const KvmHelperMember *member, GError **error)
{
  const KvmHelperKernel *kernel = hold->kernel;
  const PciAddress *address = &hold->address;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  char name[PCI_ADDRESS_LEN];

  /* The place is looked at by name: so what is held has the name still, after that. */
  if (!kvmhelper_slot_check (kernel, member, error)
      || !read_driver (kernel, address, &before, error) || !kvmhelper_hold_check (hold, error))
    return FALSE;
  pci_address_format (address, name);
  /* What the lease remembers has to be what it gets back. */
  if (!g_str_equal (before, member->driver))
    {
      g_set_error (
          error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED,
          _ ("%s was just moved to another driver by somebody else; try again (before: %s; "
             "now: %s)"),
          name, *member->driver == '\0' ? _ ("none") : member->driver,
          *before == '\0' ? _ ("none") : before);
      return FALSE;
    }
  if (common_driver_is_vfio (before))
    return TRUE;
  if (!set_override (hold, COMMON_VFIO_DRIVER, error)
      || (*before != '\0' && !unbind (hold, before, error))
      || !kvmhelper_hold_write_name (hold, "bus/pci/drivers_probe", error)
      || !read_driver (kernel, address, &after, error) || !kvmhelper_hold_check (hold, error))
    return FALSE;
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
  return TRUE;
}

static KvmHelperHold *
hold_member (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  return kvmhelper_hold_new (kernel, &member->address, &member->identity, error);
}

/* Those that were held before @lease was made, or, without, what is there now. */
static gboolean
take_one (const KvmHelperKernel *kernel, const KvmHelperMember *member, const GPtrArray *holds,
          GError **error)
{
  const KvmHelperHold *hold = holds == NULL ? NULL : kvmhelper_hold_find (holds, &member->address);
  g_autoptr (KvmHelperHold) own = hold != NULL ? NULL : hold_member (kernel, member, error);

  if (hold == NULL)
    hold = own;
  return hold != NULL && take_member (hold, member, error);
}

gboolean
kvmhelper_binding_take (const KvmHelperKernel *kernel, KvmHelperLease *lease,
                        const GPtrArray *holds, GError **error)
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

      if (take_one (kernel, lease->members->pdata[i], holds, &local))
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
rebind (const KvmHelperHold *hold, const KvmHelperMember *member, GError **error)
{
  const KvmHelperKernel *kernel = hold->kernel;
  g_autofree char *path = g_strdup_printf ("bus/pci/drivers/%s/bind", member->driver);
  g_autofree char *after = NULL;

  if (!kvmhelper_left_has_driver (kernel, member))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
                   _ ("The driver %s, which it had, is not loaded"), member->driver);
      return FALSE;
    }
  if (!kvmhelper_hold_write_name (hold, path, error)
      || !read_driver (kernel, &member->address, &after, error)
      || !kvmhelper_hold_check (hold, error))
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
  g_autoptr (KvmHelperHold) hold = hold_member (kernel, member, error);
  g_autofree char *driver = NULL;
  g_autofree char *override = NULL;
  /* An override that names another driver than the one it had was not in force: it would send the
   * function there. It comes back last. */
  gboolean late
      = *member->driver_override != '\0' && !g_str_equal (member->driver_override, member->driver);
  const char *first = late ? "" : member->driver_override;

  if (hold == NULL || !kvmhelper_slot_check (kernel, member, error)
      || !kvmhelper_function_read_binding (kernel, address, &driver, &override, error))
    return FALSE;
  if (g_str_equal (driver, member->driver))
    return g_str_equal (override, member->driver_override)
           || set_override (hold, member->driver_override, error);
  if (!g_str_equal (override, first) && !set_override (hold, first, error))
    return FALSE;
  if (*driver != '\0' && !unbind (hold, driver, error))
    return FALSE;
  if (*member->driver != '\0' && !rebind (hold, member, error))
    return FALSE;
  return !late || set_override (hold, member->driver_override, error);
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
  g_set_error (
      error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED,
      _ ("Driver and override are others than before (driver now: %s; before: %s; override now: "
         "%s; before: %s)"),
      *driver == '\0' ? _ ("none") : driver, *member->driver == '\0' ? _ ("none") : member->driver,
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
  kvmhelper_left_note (kernel, lease, left->str);
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

/* A driver of the host's would find the device that a guest left frozen dead. One that came frozen,
 * and that nobody had since, goes back as it came. */
static gboolean
thaw (const KvmHelperKernel *kernel, int group, KvmHelperLease *lease)
{
  g_autoptr (GError) error = NULL;

  if (group < 0 || kvmhelper_eeh_thaw_left (kernel, group, lease, &error)
      || lease->phase == KVMHELPER_PHASE_INTENT)
    return TRUE;
  kvmhelper_left_note (kernel, lease, error->message);
  return FALSE;
}

static gboolean
all_returned (const KvmHelperLease *lease)
{
  for (guint i = 0; i < lease->members->len; i++)
    if (!((const KvmHelperMember *) lease->members->pdata[i])->returned)
      return FALSE;
  return TRUE;
}

gboolean
kvmhelper_binding_give_back (const KvmHelperKernel *kernel, KvmHelperLease *lease, gboolean *held)
{
  g_autoptr (GError) error = NULL;
  int group, handle = -1;
  gboolean done;

  *held = FALSE;
  if (all_returned (lease))
    {
      kvmhelper_left_note (kernel, lease, "");
      return TRUE;
    }
  /* A group that is there and not known might be held: to unbind a function of it would wait in the
   * kernel for its holder. */
  if (!kvmhelper_binding_group (kernel, lease, &group, &error))
    {
      kvmhelper_left_note (kernel, lease, error->message);
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
          kvmhelper_left_note_held (lease, &obstacle, (guint) group);
          *held = TRUE;
          return FALSE;
        }
    }
  done = thaw (kernel, handle, lease) && give_back_members (kernel, lease);
  if (handle >= 0)
    kvmhelper_kernel_close (kernel, handle);
  return done;
}
