/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

#define SUFFIX ".lease"
/* Of a record that is being written. */
#define NEW ".new"

struct _KvmHelperJournal
{
  char *directory;
  int handle; /* of it, locked */
};

static void
set_errno (GError **error, const char *path, int errnum)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED, "%s: %s", path,
               g_strerror (errnum));
}

/* What is interrupted is done again: no record is lost to a signal. */
static int
sync_handle (int handle)
{
  return TEMP_FAILURE_RETRY (fsync (handle));
}

static int
open_at (int directory, const char *name, int flags)
{
  return TEMP_FAILURE_RETRY (openat (directory, name, flags | O_CLOEXEC, 0600));
}

/* A name in a directory is on disk when the directory is. */
static gboolean
sync_directory (const char *path, GError **error)
{
  int handle = open_at (AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  int errnum = 0;

  if (handle < 0 || sync_handle (handle) != 0)
    errnum = errno;
  if (handle >= 0)
    close (handle);
  if (errnum != 0)
    set_errno (error, path, errnum);
  return errnum == 0;
}

/* One that has given up its name, but has not yet ended, is waited for. */
static gboolean
wait_for_lock (int handle)
{
  gint64 deadline = g_get_monotonic_time () + KVMHELPER_PREDECESSOR_SECONDS * G_USEC_PER_SEC;

  while (flock (handle, LOCK_EX | LOCK_NB) != 0)
    {
      if (errno != EINTR && (errno != EWOULDBLOCK || g_get_monotonic_time () >= deadline))
        return FALSE;
      g_usleep (KVMHELPER_DRAIN_POLL_MS * 1000);
    }
  return TRUE;
}

/* A second helper, started by hand or while this one comes to its end, would take what is under way
 * here for left behind, and give it back. */
static gboolean
lock_directory (KvmHelperJournal *journal, GError **error)
{
  journal->handle = open_at (AT_FDCWD, journal->directory, O_RDONLY | O_DIRECTORY);
  if (journal->handle >= 0 && wait_for_lock (journal->handle))
    return TRUE;
  if (journal->handle >= 0 && errno == EWOULDBLOCK)
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

  journal->handle = -1;
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
  if (journal->handle >= 0)
    close (journal->handle);
  g_free (journal->directory);
  g_free (journal);
}

void
kvmhelper_journal_abandon (KvmHelperJournal *journal)
{
  flock (journal->handle, LOCK_UN);
}

static gboolean
write_all (int handle, const char *text)
{
  gsize left = strlen (text);

  while (left > 0)
    {
      gssize n = TEMP_FAILURE_RETRY (write (handle, text, left));

      if (n <= 0)
        return FALSE;
      text += n;
      left -= (gsize) n;
    }
  return TRUE;
}

/* Writes a file anew, with @text on disk before anything else is done with it. */
static gboolean
write_file (int directory, const char *name, const char *text)
{
  int handle = open_at (directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW);
  gboolean written;
  int errnum;

  if (handle < 0)
    return FALSE;
  written = write_all (handle, text) && sync_handle (handle) == 0;
  errnum = errno;
  close (handle);
  errno = errnum;
  return written;
}

static gboolean
replace_record (const KvmHelperJournal *journal, const char *id, const char *text)
{
  g_autofree char *name = g_strconcat (id, SUFFIX, NULL);
  g_autofree char *new = g_strconcat (id, NEW, NULL);
  int errnum;

  if (write_file (journal->handle, new, text)
      && TEMP_FAILURE_RETRY (renameat (journal->handle, new, journal->handle, name)) == 0
      && sync_handle (journal->handle) == 0)
    return TRUE;
  errnum = errno;
  unlinkat (journal->handle, new, 0);
  errno = errnum;
  return FALSE;
}

gboolean
kvmhelper_journal_write (KvmHelperJournal *journal, const KvmHelperLease *lease, GError **error)
{
  g_autofree char *text = kvmhelper_lease_to_text (lease);

  /* GLib's g_file_set_contents_full would do, but that it does not look at what the kernel says of
   * the directory. */
  if (replace_record (journal, lease->id, text))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED,
               _ ("The lease could not be written down, so nothing was done: %s: %s"),
               journal->directory, g_strerror (errno));
  return FALSE;
}

gboolean
kvmhelper_journal_remove (KvmHelperJournal *journal, const char *id, GError **error)
{
  g_autofree char *name = g_strconcat (id, SUFFIX, NULL);

  if ((TEMP_FAILURE_RETRY (unlinkat (journal->handle, name, 0)) == 0 || errno == ENOENT)
      && sync_handle (journal->handle) == 0)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED,
               _ ("The record of the lease cannot be removed: %s/%s: %s"), journal->directory, name,
               g_strerror (errno));
  return FALSE;
}

/* NULL with an error of G_FILE_ERROR where it could not be read now, of another domain where it
 * never can. */
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

/* What stands for a record that makes no sense: it may be of a newer version, and whatever it took
 * is to be seen. NULL where the name is none of ours. */
static KvmHelperLease *
stand_in (const KvmHelperJournal *journal, const char *name, const GError *error)
{
  g_autofree char *id = g_strndup (name, strlen (name) - strlen (SUFFIX));
  g_autofree char *left = NULL;

  g_warning ("%s/%s is left as it is: %s", journal->directory, name, error->message);
  if (!g_uuid_string_is_valid (id))
    return NULL;
  left = g_strdup_printf (_ ("%s/%s, which tells what was taken, cannot be read: %s"),
                          journal->directory, name, error->message);
  return kvmhelper_lease_new_unreadable (id, left);
}

/* One name in the directory, into @leases. */
static gboolean
load_name (const KvmHelperJournal *journal, const char *name, GPtrArray *leases, GError **error)
{
  g_autoptr (GError) local = NULL;
  KvmHelperLease *lease;

  /* What a write that was cut short left behind. */
  if (!g_str_has_suffix (name, SUFFIX))
    {
      unlinkat (journal->handle, name, 0);
      return TRUE;
    }
  lease = load_record (journal, name, &local);
  /* Whoever went on without it would lose what it tells of. */
  if (lease == NULL && local->domain == G_FILE_ERROR)
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_JOURNAL_FAILED, local->message);
      return FALSE;
    }
  if (lease == NULL)
    lease = stand_in (journal, name, local);
  if (lease != NULL)
    g_ptr_array_add (leases, lease);
  return TRUE;
}

/* Every name in the directory; FALSE where the disk does not tell all of them. */
static gboolean
load_names (const KvmHelperJournal *journal, DIR *directory, GPtrArray *leases, GError **error)
{
  for (;;)
    {
      const struct dirent *entry;

      errno = 0;
      entry = readdir (directory);
      if (entry == NULL && errno == 0)
        return TRUE;
      if (entry == NULL)
        {
          set_errno (error, journal->directory, errno);
          return FALSE;
        }
      if (!g_str_equal (entry->d_name, ".") && !g_str_equal (entry->d_name, "..")
          && !load_name (journal, entry->d_name, leases, error))
        return FALSE;
    }
}

GPtrArray *
kvmhelper_journal_load (KvmHelperJournal *journal, GError **error)
{
  g_autoptr (GPtrArray) leases
      = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_lease_free);
  int handle = open_at (journal->handle, ".", O_RDONLY | O_DIRECTORY);
  DIR *directory = handle < 0 ? NULL : fdopendir (handle);
  gboolean loaded;

  if (directory == NULL)
    {
      set_errno (error, journal->directory, errno);
      if (handle >= 0)
        close (handle);
      return NULL;
    }
  loaded = load_names (journal, directory, leases, error);
  closedir (directory);
  return loaded ? g_steal_pointer (&leases) : NULL;
}
