/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-grant.h"

#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

#define GRANT   "grant"
#define PROCESS "process "

KvmHelperGrant *
kvmhelper_grant_new (guint user)
{
  KvmHelperGrant *grant = g_new0 (KvmHelperGrant, 1);

  grant->user = user;
  grant->entry_before = KVMHELPER_NO_ENTRY;
  grant->processes = g_array_new (FALSE, FALSE, sizeof (KvmHelperGrantProcess));
  return grant;
}

KvmHelperGrant *
kvmhelper_grant_copy (const KvmHelperGrant *grant)
{
  KvmHelperGrant *copy;

  if (grant == NULL)
    return NULL;
  copy = g_memdup2 (grant, sizeof *grant);
  copy->processes = g_array_copy (grant->processes);
  return copy;
}

void
kvmhelper_grant_free (KvmHelperGrant *grant)
{
  if (grant == NULL)
    return;
  g_array_unref (grant->processes);
  g_free (grant);
}

static guint
find (const KvmHelperGrant *grant, guint pid, guint64 start)
{
  guint i = 0;

  for (; i < grant->processes->len; i++)
    {
      const KvmHelperGrantProcess *process
          = &g_array_index (grant->processes, KvmHelperGrantProcess, i);

      if (process->pid == pid && process->start == start)
        break;
    }
  return i;
}

KvmHelperGrantProcess *
kvmhelper_grant_find (const KvmHelperGrant *grant, guint pid, guint64 start)
{
  guint i = find (grant, pid, start);

  return i < grant->processes->len ? &g_array_index (grant->processes, KvmHelperGrantProcess, i)
                                   : NULL;
}

gboolean
kvmhelper_grant_add (KvmHelperGrant *grant, const KvmHelperGrantProcess *process, GError **error)
{
  if (grant->processes->len >= KVMHELPER_MAX_GRANT_PROCESSES)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_BUSY,
                   _ ("A lease is for %d processes of its user at most"),
                   KVMHELPER_MAX_GRANT_PROCESSES);
      return FALSE;
    }
  g_array_append_vals (grant->processes, process, 1);
  return TRUE;
}

gboolean
kvmhelper_grant_inherit (const KvmHelperGrant *grant, KvmHelperGrantProcess *child)
{
  for (guint i = 0; i < grant->processes->len; i++)
    {
      const KvmHelperGrantProcess *parent
          = &g_array_index (grant->processes, KvmHelperGrantProcess, i);

      if (parent->limit == 0 || child->before.hard != MAX (parent->before.hard, parent->limit))
        continue;
      child->before = parent->before;
      child->limit = parent->limit;
      return TRUE;
    }
  return FALSE;
}

/* --- in the record --- */

void
kvmhelper_grant_save (const KvmHelperGrant *grant, GKeyFile *record)
{
  g_key_file_set_uint64 (record, GRANT, "user", grant->user);
  g_key_file_set_boolean (record, GRANT, "node", grant->node);
  g_key_file_set_integer (record, GRANT, "entry-before", grant->entry_before);
  for (guint i = 0; i < grant->processes->len; i++)
    {
      const KvmHelperGrantProcess *process
          = &g_array_index (grant->processes, KvmHelperGrantProcess, i);
      g_autofree char *group = g_strdup_printf (PROCESS "%u", i);

      g_key_file_set_uint64 (record, group, "pid", process->pid);
      g_key_file_set_uint64 (record, group, "start", process->start);
      g_key_file_set_uint64 (record, group, "soft", process->before.soft);
      g_key_file_set_uint64 (record, group, "hard", process->before.hard);
      g_key_file_set_uint64 (record, group, "limit", process->limit);
    }
}

/* A number of at most @most; nothing is done once *@error is set. */
static guint64
get_number (GKeyFile *record, const char *group, const char *key, guint64 most, GError **error)
{
  guint64 value = *error != NULL ? 0 : g_key_file_get_uint64 (record, group, key, error);

  if (*error == NULL && value > most)
    g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "[%s] %s: too large",
                 group, key);
  return value;
}

static void
load_process (KvmHelperGrant *grant, GKeyFile *record, const char *group, GError **error)
{
  KvmHelperGrantProcess process = { 0 };

  process.pid = (guint) get_number (record, group, "pid", G_MAXINT, error);
  process.start = get_number (record, group, "start", G_MAXUINT64, error);
  process.before.soft = get_number (record, group, "soft", G_MAXUINT64, error);
  process.before.hard = get_number (record, group, "hard", G_MAXUINT64, error);
  process.limit = get_number (record, group, "limit", G_MAXUINT64, error);
  if (*error == NULL && (process.pid == 0 || process.before.soft > process.before.hard))
    g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "[%s]", group);
  if (*error == NULL)
    kvmhelper_grant_add (grant, &process, error);
}

gboolean
kvmhelper_grant_load (GKeyFile *record, KvmHelperGrant **grant, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (record, NULL);
  g_autoptr (KvmHelperGrant) loaded = NULL;
  GError *local = NULL;

  *grant = NULL;
  if (!g_key_file_has_group (record, GRANT))
    return TRUE;
  loaded
      = kvmhelper_grant_new ((guint) get_number (record, GRANT, "user", G_MAXUINT32 - 1, &local));
  if (local == NULL)
    loaded->node = g_key_file_get_boolean (record, GRANT, "node", &local);
  if (local == NULL)
    loaded->entry_before = g_key_file_get_integer (record, GRANT, "entry-before", &local);
  if (local == NULL && (loaded->entry_before < KVMHELPER_NO_ENTRY || loaded->entry_before > 7))
    g_set_error_literal (&local, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "entry-before");
  for (guint i = 0; local == NULL && groups[i] != NULL; i++)
    if (g_str_has_prefix (groups[i], PROCESS))
      load_process (loaded, record, groups[i], &local);
  if (local != NULL)
    {
      g_propagate_error (error, local);
      return FALSE;
    }
  *grant = g_steal_pointer (&loaded);
  return TRUE;
}
