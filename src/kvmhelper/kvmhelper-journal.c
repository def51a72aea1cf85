/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

#define SUFFIX ".lease"

struct _KvmHelperJournal
{
  char *directory;
  int lock; /* the directory, locked */
};

static void
set_errno (GError **error, const char *path, int errnum)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED, "%s: %s", path,
               g_strerror (errnum));
}

/* A name in a directory is on disk when the directory is. */
static gboolean
sync_directory (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int errnum = 0;

  if (fd < 0 || fsync (fd) != 0)
    errnum = errno;
  if (fd >= 0)
    close (fd);
  if (errnum != 0)
    set_errno (error, path, errnum);
  return errnum == 0;
}

/* A second helper, started by hand or while this one comes to its end, would take what is under way
 * here for left behind, and give it back. */
static gboolean
lock_directory (KvmHelperJournal *journal, GError **error)
{
  journal->lock = open (journal->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (journal->lock >= 0 && flock (journal->lock, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (journal->lock >= 0 && errno == EWOULDBLOCK)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED,
                 _ ("%s: another helper works with these leases"), journal->directory);
  else
    set_errno (error, journal->directory, errno);
  return FALSE;
}

KvmHelperJournal *
kvmhelper_journal_open (const char *state_directory, GError **error)
{
  g_autoptr (KvmHelperJournal) journal = g_new0 (KvmHelperJournal, 1);

  journal->lock = -1;
  journal->directory = g_build_filename (state_directory, "leases", NULL);
  if (g_mkdir_with_parents (journal->directory, 0700) != 0)
    {
      set_errno (error, journal->directory, errno);
      return NULL;
    }
  if (!lock_directory (journal, error) || !sync_directory (state_directory, error))
    return NULL;
  return g_steal_pointer (&journal);
}

void
kvmhelper_journal_free (KvmHelperJournal *journal)
{
  if (journal->lock >= 0)
    close (journal->lock);
  g_free (journal->directory);
  g_free (journal);
}

void
kvmhelper_journal_abandon (KvmHelperJournal *journal)
{
  flock (journal->lock, LOCK_UN);
}

static char *
record_path (const KvmHelperJournal *journal, const char *id)
{
  g_autofree char *name = g_strconcat (id, SUFFIX, NULL);

  return g_build_filename (journal->directory, name, NULL);
}

gboolean
kvmhelper_journal_write (KvmHelperJournal *journal, const KvmHelperLease *lease, GError **error)
{
  g_autofree char *text = kvmhelper_lease_to_text (lease);
  g_autofree char *path = record_path (journal, lease->id);
  g_autoptr (GError) local = NULL;

  /* With both flags the first creation, too, is synced before and after the rename. */
  if (g_file_set_contents_full (path, text, -1,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                &local))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED,
               _ ("The lease could not be written down, so nothing was done: %s"), local->message);
  return FALSE;
}

gboolean
kvmhelper_journal_remove (KvmHelperJournal *journal, const char *id, GError **error)
{
  g_autofree char *path = record_path (journal, id);

  if (g_unlink (path) != 0 && errno != ENOENT)
    {
      set_errno (error, path, errno);
      return FALSE;
    }
  return sync_directory (journal->directory, error);
}

static KvmHelperLease *
load_record (const KvmHelperJournal *journal, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (journal->directory, name, NULL);
  g_autofree char *text = NULL;
  g_autofree char *expected = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  GStatBuf stat;
  gsize length;

  if (g_lstat (path, &stat) == 0
      && (!S_ISREG (stat.st_mode) || stat.st_size > KVMHELPER_MAX_RECORD))
    {
      set_errno (error, path, EINVAL);
      return NULL;
    }
  if (!g_file_get_contents (path, &text, &length, error))
    return NULL;
  lease = kvmhelper_lease_from_text (text, length, error);
  if (lease == NULL)
    return NULL;
  expected = g_strconcat (lease->id, SUFFIX, NULL);
  if (!g_str_equal (expected, name))
    {
      set_errno (error, path, EINVAL);
      return NULL;
    }
  return g_steal_pointer (&lease);
}

GPtrArray *
kvmhelper_journal_load (KvmHelperJournal *journal, GError **error)
{
  g_autoptr (GPtrArray) leases
      = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_lease_free);
  g_autoptr (GError) local = NULL;
  g_autoptr (GDir) directory = g_dir_open (journal->directory, 0, &local);
  const char *name;

  if (directory == NULL)
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED, local->message);
      return NULL;
    }
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autoptr (GError) bad = NULL;
      KvmHelperLease *lease;

      /* What a write that was cut short left behind. */
      if (!g_str_has_suffix (name, SUFFIX))
        {
          g_autofree char *path = g_build_filename (journal->directory, name, NULL);

          g_unlink (path);
          continue;
        }
      lease = load_record (journal, name, &bad);
      if (lease == NULL)
        {
          g_warning ("%s/%s is left as it is: %s", journal->directory, name, bad->message);
          continue;
        }
      g_ptr_array_add (leases, lease);
    }
  return g_steal_pointer (&leases);
}
