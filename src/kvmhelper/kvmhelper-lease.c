/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-lease.h"

#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

#define RECORD_VERSION 1
#define LEASE          "lease"
#define MEMBER         "member "

static const char *const phases[] = { "intent", "prepared", "active", "releasing", "pending" };

const char *
kvmhelper_phase_name (KvmHelperPhase phase)
{
  return phases[phase];
}

static void
member_free (gpointer data)
{
  KvmHelperMember *member = data;

  g_free (member->driver);
  g_free (member->driver_override);
  g_free (member);
}

static KvmHelperLease *
lease_alloc (void)
{
  KvmHelperLease *lease = g_new0 (KvmHelperLease, 1);

  lease->members = g_ptr_array_new_with_free_func (member_free);
  return lease;
}

KvmHelperLease *
kvmhelper_lease_new (const char *boot_id, const char *domain_uuid, const char *domain_name,
                     const PciAddress *address, const GPtrArray *functions)
{
  KvmHelperLease *lease = lease_alloc ();

  lease->id = g_uuid_string_random ();
  lease->boot_id = g_strdup (boot_id);
  lease->domain_uuid = g_strdup (domain_uuid);
  lease->domain_name = g_strdup (domain_name);
  lease->address = *address;
  lease->phase = KVMHELPER_PHASE_INTENT;
  lease->since = g_get_real_time () / G_USEC_PER_SEC;
  lease->granted = g_strdup ("");
  lease->left = g_strdup ("");
  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperFunction *function = functions->pdata[i];
      KvmHelperMember *member;

      if (!function->endpoint)
        continue;
      member = g_new0 (KvmHelperMember, 1);
      member->address = function->address;
      member->identity = function->identity;
      member->driver = g_strdup (function->driver);
      member->driver_override = g_strdup (function->driver_override);
      g_ptr_array_add (lease->members, member);
    }
  return lease;
}

KvmHelperLease *
kvmhelper_lease_copy (const KvmHelperLease *lease)
{
  KvmHelperLease *copy = lease_alloc ();

  copy->id = g_strdup (lease->id);
  copy->boot_id = g_strdup (lease->boot_id);
  copy->domain_uuid = g_strdup (lease->domain_uuid);
  copy->domain_name = g_strdup (lease->domain_name);
  copy->address = lease->address;
  copy->phase = lease->phase;
  copy->since = lease->since;
  copy->holder_pid = lease->holder_pid;
  copy->granted = g_strdup (lease->granted);
  copy->left = g_strdup (lease->left);
  for (guint i = 0; i < lease->members->len; i++)
    {
      KvmHelperMember *member = g_memdup2 (lease->members->pdata[i], sizeof *member);

      member->driver = g_strdup (member->driver);
      member->driver_override = g_strdup (member->driver_override);
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
  g_ptr_array_unref (lease->members);
  g_free (lease);
}

gboolean
kvmhelper_lease_is_rehearsal (const KvmHelperLease *lease)
{
  return *lease->domain_uuid == '\0';
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

char *
kvmhelper_lease_to_text (const KvmHelperLease *lease)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  char name[PCI_ADDRESS_LEN];

  g_key_file_set_integer (file, LEASE, "version", RECORD_VERSION);
  g_key_file_set_string (file, LEASE, "id", lease->id);
  g_key_file_set_string (file, LEASE, "boot-id", lease->boot_id);
  g_key_file_set_string (file, LEASE, "domain-uuid", lease->domain_uuid);
  g_key_file_set_string (file, LEASE, "domain-name", lease->domain_name);
  g_key_file_set_string (file, LEASE, "address", pci_address_format (&lease->address, name));
  g_key_file_set_string (file, LEASE, "phase", phases[lease->phase]);
  g_key_file_set_int64 (file, LEASE, "since", lease->since);
  g_key_file_set_uint64 (file, LEASE, "holder-pid", lease->holder_pid);
  g_key_file_set_string (file, LEASE, "granted", lease->granted);
  g_key_file_set_string (file, LEASE, "left", lease->left);
  for (guint i = 0; i < lease->members->len; i++)
    {
      const KvmHelperMember *member = lease->members->pdata[i];
      g_autofree char *group
          = g_strconcat (MEMBER, pci_address_format (&member->address, name), NULL);

      g_key_file_set_uint64 (file, group, "vendor", member->identity.vendor);
      g_key_file_set_uint64 (file, group, "device", member->identity.device);
      g_key_file_set_uint64 (file, group, "subsystem-vendor", member->identity.subsystem_vendor);
      g_key_file_set_uint64 (file, group, "subsystem-device", member->identity.subsystem_device);
      g_key_file_set_uint64 (file, group, "class", member->identity.class);
      g_key_file_set_string (file, group, "driver", member->driver);
      g_key_file_set_string (file, group, "driver-override", member->driver_override);
      g_key_file_set_boolean (file, group, "returned", member->returned);
    }
  return g_key_file_to_data (file, NULL, NULL);
}

static char *
get_string (GKeyFile *file, const char *group, const char *key, gsize limit, GError **error)
{
  GError *local = NULL;
  g_autofree char *text = g_key_file_get_string (file, group, key, &local);

  /* A bad escape gives both, a text and an error. */
  if (local == NULL && strlen (text) > limit)
    g_set_error (&local, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "%s: too long", key);
  if (local == NULL)
    return g_steal_pointer (&text);
  g_propagate_error (error, local);
  return NULL;
}

static gboolean
get_uint (GKeyFile *file, const char *group, const char *key, guint *number, GError **error)
{
  GError *local = NULL;
  guint64 value = g_key_file_get_uint64 (file, group, key, &local);

  if (local == NULL && value > G_MAXUINT)
    g_set_error (&local, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "%s: too large", key);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  *number = (guint) value;
  return TRUE;
}

/* One line; an override is written to sysfs as it is. */
static gboolean
is_line (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      return FALSE;
  return TRUE;
}

/* The name of a driver becomes a part of a path. */
static gboolean
is_driver_name (const char *name)
{
  return is_line (name) && strchr (name, '/') == NULL && !g_str_equal (name, ".")
         && !g_str_equal (name, "..");
}

static gboolean
read_member (GKeyFile *file, const char *group, KvmHelperLease *lease, GError **error)
{
  g_autofree KvmHelperMember *member = g_new0 (KvmHelperMember, 1);
  g_autofree char *driver = NULL;
  g_autofree char *override = NULL;

  if (!pci_address_parse (group + strlen (MEMBER), &member->address, error)
      || !get_uint (file, group, "vendor", &member->identity.vendor, error)
      || !get_uint (file, group, "device", &member->identity.device, error)
      || !get_uint (file, group, "subsystem-vendor", &member->identity.subsystem_vendor, error)
      || !get_uint (file, group, "subsystem-device", &member->identity.subsystem_device, error)
      || !get_uint (file, group, "class", &member->identity.class, error))
    return FALSE;
  driver = get_string (file, group, "driver", KVMHELPER_MAX_ATTRIBUTE, error);
  if (driver == NULL)
    return FALSE;
  override = get_string (file, group, "driver-override", KVMHELPER_MAX_ATTRIBUTE, error);
  if (override == NULL)
    return FALSE;
  if (!is_driver_name (driver) || !is_line (override)
      || kvmhelper_lease_find_member (lease, &member->address) != NULL
      || lease->members->len >= KVMHELPER_MAX_MEMBERS)
    {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "[%s]", group);
      return FALSE;
    }
  member->returned = g_key_file_get_boolean (file, group, "returned", NULL);
  member->driver = g_steal_pointer (&driver);
  member->driver_override = g_steal_pointer (&override);
  g_ptr_array_add (lease->members, g_steal_pointer (&member));
  return TRUE;
}

static gboolean
read_phase (GKeyFile *file, KvmHelperLease *lease, GError **error)
{
  g_autofree char *phase = get_string (file, LEASE, "phase", 16, error);

  for (guint i = 0; phase != NULL && i < G_N_ELEMENTS (phases); i++)
    if (g_str_equal (phase, phases[i]))
      {
        lease->phase = (KvmHelperPhase) i;
        return TRUE;
      }
  if (phase != NULL)
    g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "phase: %s", phase);
  return FALSE;
}

/* The id names a file, the UUID goes to polkit: both are UUIDs. */
static gboolean
read_names (GKeyFile *file, KvmHelperLease *lease, GError **error)
{
  g_autofree char *address = NULL;

  lease->id = get_string (file, LEASE, "id", 36, error);
  if (lease->id == NULL)
    return FALSE;
  lease->boot_id = get_string (file, LEASE, "boot-id", 64, error);
  if (lease->boot_id == NULL)
    return FALSE;
  lease->domain_uuid = get_string (file, LEASE, "domain-uuid", 36, error);
  if (lease->domain_uuid == NULL)
    return FALSE;
  lease->domain_name = get_string (file, LEASE, "domain-name", KVMHELPER_MAX_DOMAIN_NAME, error);
  if (lease->domain_name == NULL)
    return FALSE;
  lease->granted = get_string (file, LEASE, "granted", KVMHELPER_MAX_RECORD, error);
  if (lease->granted == NULL)
    return FALSE;
  lease->left = get_string (file, LEASE, "left", KVMHELPER_MAX_RECORD, error);
  if (lease->left == NULL)
    return FALSE;
  address = get_string (file, LEASE, "address", PCI_ADDRESS_LEN, error);
  if (address == NULL || !pci_address_parse (address, &lease->address, error))
    return FALSE;
  if (!g_uuid_string_is_valid (lease->id)
      || (*lease->domain_uuid != '\0' && !g_uuid_string_is_valid (lease->domain_uuid)))
    {
      g_set_error_literal (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "id");
      return FALSE;
    }
  return TRUE;
}

static gboolean
read_record (GKeyFile *file, KvmHelperLease *lease, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  guint version;

  if (!get_uint (file, LEASE, "version", &version, error))
    return FALSE;
  if (version != RECORD_VERSION)
    {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "version: %u", version);
      return FALSE;
    }
  if (!read_names (file, lease, error) || !read_phase (file, lease, error)
      || !get_uint (file, LEASE, "holder-pid", &lease->holder_pid, error))
    return FALSE;
  lease->since = g_key_file_get_int64 (file, LEASE, "since", NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    if (g_str_has_prefix (groups[i], MEMBER) && !read_member (file, groups[i], lease, error))
      return FALSE;
  return TRUE;
}

KvmHelperLease *
kvmhelper_lease_from_text (const char *text, gsize length, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (KvmHelperLease) lease = lease_alloc ();
  g_autoptr (GError) local = NULL;

  if (length > KVMHELPER_MAX_RECORD || !g_utf8_validate_len (text, length, NULL))
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED,
                           _ ("The record of a lease is no text, or too long"));
      return NULL;
    }
  if (g_key_file_load_from_data (file, text, length, G_KEY_FILE_NONE, &local)
      && read_record (file, lease, &local))
    return g_steal_pointer (&lease);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED,
               _ ("The record of a lease cannot be read: %s"), local->message);
  return NULL;
}
