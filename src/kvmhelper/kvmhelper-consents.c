/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-consents.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-slot.h"

#include <glib/gi18n-lib.h>

#define FILE_NAME "consents"

struct _KvmHelperConsents
{
  GMutex lock;
  char *path;
  GPtrArray *list;   /* KvmHelperConsent, by user and address */
  gboolean left_out; /* the file has more, which could not be read */
};

/* --- one --- */

/* The file of users is replaced when one is added or removed. In a sandbox that has the file, and
 * not its directory, it is the old one then: who has a number now cannot be told. */
static gboolean
is_replaced (void)
{
  GStatBuf found;

  return g_stat ("/etc/passwd", &found) == 0 && found.st_nlink == 0;
}

static char *
name_of (guint user)
{
  struct passwd entry, *found = NULL;
  char buffer[8192];

  if (is_replaced () || getpwuid_r (user, &entry, buffer, sizeof buffer, &found) != 0
      || found == NULL)
    return g_strdup ("");
  return g_utf8_make_valid (found->pw_name, -1);
}

/* Every endpoint of the group, what it is and where it sits: the node opens all of them. */
static char *
describe_group (const KvmHelperKernel *kernel, const KvmHelperGroup *group, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < group->members->len; i++)
    {
      const KvmHelperFunction *member = group->members->pdata[i];
      const KvmHelperIdentity *identity = &member->identity;
      g_autofree char *slot = NULL;
      char name[PCI_ADDRESS_LEN];

      if (!member->endpoint)
        continue;
      slot = kvmhelper_slot_path (kernel, &member->address, error);
      if (slot == NULL)
        return NULL;
      g_string_append_printf (text, "%s%s %04x:%04x %04x:%04x %06x %s", text->len == 0 ? "" : "; ",
                              pci_address_format (&member->address, name), identity->vendor,
                              identity->device, identity->subsystem_vendor,
                              identity->subsystem_device, identity->class, slot);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

KvmHelperConsent *
kvmhelper_consent_new (const KvmHelperKernel *kernel, guint user, const PciAddress *address,
                       guint64 memory, GError **error)
{
  g_autoptr (KvmHelperGroup) group = kvmhelper_group_read (kernel, address, error);
  g_autoptr (KvmHelperConsent) consent = g_new0 (KvmHelperConsent, 1);

  if (group == NULL)
    return NULL;
  consent->device = describe_group (kernel, group, error);
  if (consent->device == NULL)
    return NULL;
  consent->user = user;
  consent->user_name = name_of (user);
  consent->address = *address;
  consent->memory = memory;
  consent->since = g_get_real_time () / G_USEC_PER_SEC;
  return g_steal_pointer (&consent);
}

KvmHelperConsent *
kvmhelper_consent_copy (const KvmHelperConsent *consent)
{
  KvmHelperConsent *copy = g_memdup2 (consent, sizeof *consent);

  copy->user_name = g_strdup (consent->user_name);
  copy->device = g_strdup (consent->device);
  return copy;
}

void
kvmhelper_consent_free (KvmHelperConsent *consent)
{
  g_free (consent->user_name);
  g_free (consent->device);
  g_free (consent);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const KvmHelperConsent *first = *(const KvmHelperConsent *const *) a;
  const KvmHelperConsent *second = *(const KvmHelperConsent *const *) b;
  char name[PCI_ADDRESS_LEN], other[PCI_ADDRESS_LEN];

  if (first->user != second->user)
    return first->user < second->user ? -1 : 1;
  return strcmp (pci_address_format (&first->address, name),
                 pci_address_format (&second->address, other));
}

/* --- on disk --- */

static char *
group_name (const KvmHelperConsent *consent)
{
  char name[PCI_ADDRESS_LEN];

  return g_strdup_printf ("%u %s", consent->user, pci_address_format (&consent->address, name));
}

static char *
to_text (const GPtrArray *list)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  for (guint i = 0; i < list->len; i++)
    {
      const KvmHelperConsent *consent = list->pdata[i];
      g_autofree char *group = group_name (consent);

      g_key_file_set_string (file, group, "user-name", consent->user_name);
      g_key_file_set_string (file, group, "device", consent->device);
      g_key_file_set_uint64 (file, group, "memory", consent->memory);
      g_key_file_set_int64 (file, group, "since", consent->since);
    }
  return g_key_file_to_data (file, NULL, NULL);
}

static KvmHelperConsent *
load_one (GKeyFile *file, const char *group)
{
  g_autoptr (KvmHelperConsent) consent = g_new0 (KvmHelperConsent, 1);
  g_auto (GStrv) words = g_strsplit (group, " ", 2);
  g_autoptr (GError) error = NULL;
  guint64 user;

  if (g_strv_length (words) != 2
      || !g_ascii_string_to_unsigned (words[0], 10, 0, G_MAXUINT32 - 1, &user, NULL)
      || !pci_address_parse (words[1], &consent->address, NULL))
    return NULL;
  consent->user = (guint) user;
  consent->memory = g_key_file_get_uint64 (file, group, "memory", &error);
  if (error == NULL)
    consent->since = g_key_file_get_int64 (file, group, "since", &error);
  if (error == NULL)
    consent->user_name = g_key_file_get_string (file, group, "user-name", &error);
  if (error == NULL)
    consent->device = g_key_file_get_string (file, group, "device", &error);
  return error == NULL ? g_steal_pointer (&consent) : NULL;
}

static void
load (KvmHelperConsents *consents)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_key_file_load_from_file (file, consents->path, G_KEY_FILE_NONE, &error))
    {
      consents->left_out = !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
      if (consents->left_out)
        g_warning ("%s: nobody has agreed to anything: %s", consents->path, error->message);
      return;
    }
  groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    {
      KvmHelperConsent *consent = load_one (file, groups[i]);

      if (consent != NULL && consents->list->len < KVMHELPER_MAX_CONSENTS)
        {
          g_ptr_array_add (consents->list, consent);
          continue;
        }
      consents->left_out = TRUE;
      g_warning ("%s: [%s] is left out", consents->path, groups[i]);
      g_clear_pointer (&consent, kvmhelper_consent_free);
    }
  g_ptr_array_sort (consents->list, compare);
}

KvmHelperConsents *
kvmhelper_consents_open (const char *state_directory)
{
  KvmHelperConsents *consents = g_new0 (KvmHelperConsents, 1);

  g_mutex_init (&consents->lock);
  consents->path = g_build_filename (state_directory, FILE_NAME, NULL);
  consents->list = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_consent_free);
  load (consents);
  return consents;
}

void
kvmhelper_consents_free (KvmHelperConsents *consents)
{
  g_ptr_array_unref (consents->list);
  g_free (consents->path);
  g_mutex_clear (&consents->lock);
  g_free (consents);
}

/* @list takes the place of what there is, once it is on disk; it is taken. */
static gboolean
replace (KvmHelperConsents *consents, GPtrArray *list, GError **error)
{
  g_autoptr (GPtrArray) taken = list;
  g_autofree char *text = to_text (list);
  g_autoptr (GError) local = NULL;

  if (!g_file_set_contents_full (consents->path, text, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                 &local))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED,
                   _ ("The consent could not be written down: %s"), local->message);
      return FALSE;
    }
  g_ptr_array_unref (consents->list);
  consents->list = g_steal_pointer (&taken);
  consents->left_out = FALSE;
  return TRUE;
}

/* A copy of all but what @user has on @address. */
static GPtrArray *
list_without (const KvmHelperConsents *consents, guint user, const PciAddress *address)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_consent_free);

  for (guint i = 0; i < consents->list->len; i++)
    {
      const KvmHelperConsent *consent = consents->list->pdata[i];

      if (consent->user != user || !pci_address_equal (&consent->address, address))
        g_ptr_array_add (list, kvmhelper_consent_copy (consent));
    }
  return list;
}

/* --- all --- */

gboolean
kvmhelper_consents_cover (KvmHelperConsents *consents, const KvmHelperConsent *wanted)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consents->lock);

  for (guint i = 0; i < consents->list->len; i++)
    {
      const KvmHelperConsent *consent = consents->list->pdata[i];

      if (compare (&consent, &wanted) == 0)
        return (*consent->user_name == '\0' || g_str_equal (consent->user_name, wanted->user_name))
               && g_str_equal (consent->device, wanted->device)
               && consent->memory >= wanted->memory;
    }
  return FALSE;
}

gboolean
kvmhelper_consents_has (KvmHelperConsents *consents, guint user, const PciAddress *address)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consents->lock);

  for (guint i = 0; i < consents->list->len; i++)
    {
      const KvmHelperConsent *consent = consents->list->pdata[i];

      if (consent->user == user && pci_address_equal (&consent->address, address))
        return TRUE;
    }
  return FALSE;
}

gboolean
kvmhelper_consents_add (KvmHelperConsents *consents, const KvmHelperConsent *consent,
                        GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consents->lock);
  g_autoptr (GPtrArray) list = list_without (consents, consent->user, &consent->address);

  if (list->len >= KVMHELPER_MAX_CONSENTS)
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_BUSY,
                           _ ("Too many consents are remembered; revoke some first"));
      return FALSE;
    }
  g_ptr_array_add (list, kvmhelper_consent_copy (consent));
  g_ptr_array_sort (list, compare);
  return replace (consents, g_steal_pointer (&list), error);
}

gboolean
kvmhelper_consents_remove (KvmHelperConsents *consents, guint user, const PciAddress *address,
                           gboolean *found, GError **error)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consents->lock);
  g_autoptr (GPtrArray) list = list_without (consents, user, address);

  *found = list->len < consents->list->len;
  /* What could not be read this time may be read the next, and this may be there. */
  return (!*found && !consents->left_out) || replace (consents, g_steal_pointer (&list), error);
}

GPtrArray *
kvmhelper_consents_list (KvmHelperConsents *consents, const guint *user)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&consents->lock);
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_consent_free);

  for (guint i = 0; i < consents->list->len; i++)
    {
      const KvmHelperConsent *consent = consents->list->pdata[i];

      if (user == NULL || consent->user == *user)
        g_ptr_array_add (list, kvmhelper_consent_copy (consent));
    }
  return list;
}
