/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-lease.h"

#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* A lease as it stands on disk. Version 1 had neither slots, modules, the number of members nor
 * what has to do with an end that does not come. */
#define RECORD_VERSION 2
#define LEASE          "lease"
#define MEMBER         "member "

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
  g_key_file_set_string (file, LEASE, "phase", kvmhelper_phase_name (lease->phase));
  g_key_file_set_int64 (file, LEASE, "since", lease->since);
  g_key_file_set_int64 (file, LEASE, "ending-since", lease->ending_since);
  g_key_file_set_uint64 (file, LEASE, "holder-pid", lease->holder_pid);
  g_key_file_set_string (file, LEASE, "granted", lease->granted);
  g_key_file_set_string (file, LEASE, "left", lease->left);
  g_key_file_set_string (file, LEASE, "command", lease->command);
  g_key_file_set_uint64 (file, LEASE, "members", lease->members->len);
  if (lease->grant != NULL)
    kvmhelper_grant_save (lease->grant, file);
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
      g_key_file_set_string (file, group, "slot", member->slot);
      g_key_file_set_string (file, group, "slot-name", member->slot_name);
      g_key_file_set_string (file, group, "driver", member->driver);
      g_key_file_set_string (file, group, "driver-override", member->driver_override);
      g_key_file_set_string (file, group, "module", member->module);
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

/* The same of a key that records of version 1 have not: "" there. */
static char *
get_newer (GKeyFile *file, const char *group, const char *key, gsize limit, guint version,
           GError **error)
{
  return version == 1 ? g_strdup ("") : get_string (file, group, key, limit, error);
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

/* What the kernel said of @member when it was taken. */
static gboolean
read_found (GKeyFile *file, const char *group, guint version, KvmHelperMember *member,
            GError **error)
{
  return (member->slot = get_newer (file, group, "slot", KVMHELPER_MAX_ATTRIBUTE, version, error))
             != NULL
         && (member->slot_name
             = get_newer (file, group, "slot-name", KVMHELPER_MAX_ATTRIBUTE, version, error))
                != NULL
         && (member->driver = get_string (file, group, "driver", KVMHELPER_MAX_ATTRIBUTE, error))
                != NULL
         && (member->driver_override
             = get_string (file, group, "driver-override", KVMHELPER_MAX_ATTRIBUTE, error))
                != NULL
         && (member->module
             = get_newer (file, group, "module", KVMHELPER_MAX_ATTRIBUTE, version, error))
                != NULL;
}

static gboolean
is_sound (const KvmHelperMember *member)
{
  return is_driver_name (member->driver) && is_line (member->driver_override)
         && is_driver_name (member->module) && is_line (member->slot)
         && is_line (member->slot_name);
}

static gboolean
read_member (GKeyFile *file, const char *group, guint version, KvmHelperLease *lease,
             GError **error)
{
  g_autoptr (KvmHelperMember) member = g_new0 (KvmHelperMember, 1);

  if (!pci_address_parse (group + strlen (MEMBER), &member->address, error)
      || !get_uint (file, group, "vendor", &member->identity.vendor, error)
      || !get_uint (file, group, "device", &member->identity.device, error)
      || !get_uint (file, group, "subsystem-vendor", &member->identity.subsystem_vendor, error)
      || !get_uint (file, group, "subsystem-device", &member->identity.subsystem_device, error)
      || !get_uint (file, group, "class", &member->identity.class, error)
      || !read_found (file, group, version, member, error))
    return FALSE;
  if (!is_sound (member) || kvmhelper_lease_find_member (lease, &member->address) != NULL
      || lease->members->len >= KVMHELPER_MAX_MEMBERS)
    {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "[%s]", group);
      return FALSE;
    }
  member->returned = g_key_file_get_boolean (file, group, "returned", NULL);
  g_ptr_array_add (lease->members, g_steal_pointer (&member));
  return TRUE;
}

static gboolean
read_members (GKeyFile *file, guint version, KvmHelperLease *lease, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  guint expected;

  for (guint i = 0; groups[i] != NULL; i++)
    if (g_str_has_prefix (groups[i], MEMBER)
        && !read_member (file, groups[i], version, lease, error))
      return FALSE;
  if (version == 1)
    return TRUE;
  if (!get_uint (file, LEASE, "members", &expected, error))
    return FALSE;
  if (expected == lease->members->len)
    return TRUE;
  g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "members: %u of %u",
               lease->members->len, expected);
  return FALSE;
}

static gboolean
read_phase (GKeyFile *file, KvmHelperLease *lease, GError **error)
{
  g_autofree char *phase = get_string (file, LEASE, "phase", 16, error);

  if (phase == NULL)
    return FALSE;
  if (kvmhelper_phase_from_name (phase, &lease->phase))
    return TRUE;
  g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "phase: %s", phase);
  return FALSE;
}

/* The id names a file, the UUID goes to polkit: both are UUIDs. */
static gboolean
read_names (GKeyFile *file, guint version, KvmHelperLease *lease, GError **error)
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
  lease->command = get_newer (file, LEASE, "command", KVMHELPER_MAX_RECORD, version, error);
  if (lease->command == NULL)
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
  guint version;

  if (!get_uint (file, LEASE, "version", &version, error))
    return FALSE;
  if (version == 0 || version > RECORD_VERSION)
    {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "version: %u", version);
      return FALSE;
    }
  if (!read_names (file, version, lease, error) || !read_phase (file, lease, error)
      || !get_uint (file, LEASE, "holder-pid", &lease->holder_pid, error))
    return FALSE;
  lease->since = g_key_file_get_int64 (file, LEASE, "since", NULL);
  lease->ending_since = g_key_file_get_int64 (file, LEASE, "ending-since", NULL);
  return read_members (file, version, lease, error)
         && kvmhelper_grant_load (file, &lease->grant, error);
}

KvmHelperLease *
kvmhelper_lease_from_text (const char *text, gsize length, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (KvmHelperLease) lease = kvmhelper_lease_alloc ();
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
