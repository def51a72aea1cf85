/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk-model.h"

#include <string.h>

typedef struct
{
  GString *text;   /* as it was written */
  GString *synced; /* as it is on disk for certain */
} File;

/* A change of the directory that is not synced: @name is @file's from then on, NULL: nobody's. */
typedef struct
{
  char *names[2]; /* the second is taken away; NULL: none */
  File *file;
} Change;

struct _DiskModel
{
  GPtrArray *files;  /* all that ever were */
  GHashTable *names; /* name -> File, as programs see it */
  GHashTable *synced;
  GPtrArray *changes;
};

static void
file_free (gpointer data)
{
  File *file = data;

  g_string_free (file->text, TRUE);
  g_string_free (file->synced, TRUE);
  g_free (file);
}

static void
change_free (gpointer data)
{
  Change *change = data;

  g_free (change->names[0]);
  g_free (change->names[1]);
  g_free (change);
}

DiskModel *
disk_model_new (void)
{
  DiskModel *disk = g_new0 (DiskModel, 1);

  disk->files = g_ptr_array_new_with_free_func (file_free);
  disk->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  disk->synced = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  disk->changes = g_ptr_array_new_with_free_func (change_free);
  return disk;
}

void
disk_model_free (DiskModel *disk)
{
  g_ptr_array_unref (disk->changes);
  g_hash_table_unref (disk->names);
  g_hash_table_unref (disk->synced);
  g_ptr_array_unref (disk->files);
  g_free (disk);
}

/* On @names, a change of which may have been made already. */
static void
apply (GHashTable *names, const Change *change)
{
  if (change->names[1] != NULL)
    g_hash_table_remove (names, change->names[1]);
  if (change->file != NULL)
    g_hash_table_replace (names, g_strdup (change->names[0]), change->file);
  else
    g_hash_table_remove (names, change->names[0]);
}

static void
add_change (DiskModel *disk, const char *name, const char *gone, File *file)
{
  Change *change = g_new0 (Change, 1);

  change->names[0] = g_strdup (name);
  change->names[1] = g_strdup (gone);
  change->file = file;
  apply (disk->names, change);
  g_ptr_array_add (disk->changes, change);
}

static void
create (DiskModel *disk, const char *name)
{
  File *file = g_hash_table_lookup (disk->names, name);

  if (file != NULL)
    {
      g_string_truncate (file->text, 0);
      return;
    }
  file = g_new0 (File, 1);
  file->text = g_string_new (NULL);
  file->synced = g_string_new (NULL);
  g_ptr_array_add (disk->files, file);
  add_change (disk, name, NULL, file);
}

static void
sync_names (DiskModel *disk)
{
  for (guint i = 0; i < disk->changes->len; i++)
    apply (disk->synced, disk->changes->pdata[i]);
  g_ptr_array_set_size (disk->changes, 0);
}

void
disk_model_note (DiskModel *disk, const JournalCall *call)
{
  File *file = g_hash_table_lookup (disk->names, call->name);

  switch (call->kind)
    {
    case JOURNAL_CREATE:
      create (disk, call->name);
      break;
    case JOURNAL_WRITE:
      g_assert_nonnull (file);
      g_string_append_len (file->text, call->data, (gssize) call->length);
      break;
    case JOURNAL_FSYNC:
      if (*call->name == '\0')
        sync_names (disk);
      else
        g_string_assign (file->synced, file->text->str);
      break;
    case JOURNAL_RENAME:
      g_assert_nonnull (file);
      add_change (disk, call->to, call->name, file);
      break;
    case JOURNAL_UNLINK:
      add_change (disk, call->name, NULL, NULL);
      break;
    }
}

/* What the disk has of @file when all, half or nothing of what was not synced is there. */
static char *
text_of (const File *file, guint part)
{
  gsize common = MIN (file->text->len, file->synced->len);

  if (part == 0
      || (file->text->len == file->synced->len
          && memcmp (file->text->str, file->synced->str, common) == 0))
    return g_strdup (file->synced->str);
  return g_strndup (file->text->str,
                    part == 1 ? common + (file->text->len - common) / 2 : file->text->len);
}

static GHashTable *
directory_with (const DiskModel *disk, guint changes, guint part)
{
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTable *directory = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer name, file;

  g_hash_table_iter_init (&iter, disk->synced);
  while (g_hash_table_iter_next (&iter, &name, &file))
    g_hash_table_insert (names, g_strdup (name), file);
  for (guint i = 0; i < disk->changes->len; i++)
    if ((changes & (1u << i)) != 0)
      apply (names, disk->changes->pdata[i]);
  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, &file))
    g_hash_table_insert (directory, g_strdup (name), text_of (file, part));
  return directory;
}

GPtrArray *
disk_model_lose (DiskModel *disk)
{
  GPtrArray *directories = g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);

  /* They are synced soon: there are never many. */
  g_assert_cmpuint (disk->changes->len, <, 8);
  for (guint changes = 0; changes < 1u << disk->changes->len; changes++)
    for (guint part = 0; part < 3; part++)
      g_ptr_array_add (directories, directory_with (disk, changes, part));
  return directories;
}
