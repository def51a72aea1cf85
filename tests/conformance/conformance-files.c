/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-actor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "common/common-error.h"
#include "conformance-value.h"

#define FILE_LIMIT (1024 * 1024)

/* What is read of a file at once. */
#define PART 65536

/* "/sys/bus/pci" as the seam has it: a root, and a path in it. FALSE: no path. */
static gboolean
split_path (const char *word, KvmHelperRoot *root, const char **path)
{
  static const char *const roots[] = { "/sys/", "/proc/", "/dev/" };

  for (guint i = 0; i < G_N_ELEMENTS (roots); i++)
    if (g_str_has_prefix (word, roots[i]))
      {
        *root = (KvmHelperRoot) i;
        *path = word + strlen (roots[i]);
        return TRUE;
      }
  return FALSE;
}

gboolean
conformance_need_path (const char *word, KvmHelperRoot *root, const char **path, GError **error)
{
  if (split_path (word, root, path))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               "no path in /sys, /proc or /dev: %s", word);
  return FALSE;
}

/* What a word names: a handle of the script's, or a path, which is opened; *@close then. */
static gboolean
open_word (ConformanceActor *actor, const char *word, int flags, int *handle, gboolean *close,
           GError **error)
{
  KvmHelperRoot root;
  const char *path;
  guint64 value;

  *close = split_path (word, &root, &path);
  if (*close)
    {
      *handle = kvmhelper_kernel_open (actor->kernel, root, path, flags);
      return TRUE;
    }
  if (!conformance_actor_value (actor, word, NULL, NULL, &value, error))
    return FALSE;
  *handle = (int) value;
  return TRUE;
}

gboolean
conformance_verb_open (ConformanceActor *actor, const ConformanceWords *words,
                       ConformanceReply *reply, GError **error)
{
  const char *flags_word = conformance_words_nth (words, 2);
  KvmHelperRoot root;
  const char *path;
  guint64 flags;

  if (!conformance_need_path (conformance_words_nth (words, 1), &root, &path, error))
    return FALSE;
  flags = root == KVMHELPER_DEV ? O_RDWR : O_RDONLY;
  if (flags_word != NULL && !conformance_actor_value (actor, flags_word, NULL, NULL, &flags, error))
    return FALSE;
  conformance_actor_give (actor, words,
                          kvmhelper_kernel_open (actor->kernel, root, path, (int) flags), reply);
  return TRUE;
}

/* "openat DIRECTORY PATH [FLAGS] [times=N]": from a handle, not from a root; times: so often the
 * path, for one that is too long. */
gboolean
conformance_verb_open_at (ConformanceActor *actor, const ConformanceWords *words,
                          ConformanceReply *reply, GError **error)
{
  const char *flags_word = conformance_words_nth (words, 3);
  const char *times_word = conformance_words_named (words, "times");
  g_autoptr (GString) path = g_string_new (NULL);
  guint64 directory, flags = O_RDONLY, times = 1;

  if (!conformance_actor_value (actor, conformance_words_nth (words, 1), NULL, NULL, &directory,
                                error)
      || (flags_word != NULL && strchr (flags_word, '=') == NULL
          && !conformance_actor_value (actor, flags_word, NULL, NULL, &flags, error))
      || (times_word != NULL
          && !conformance_value (times_word, NULL, NULL, NULL, NULL, &times, error)))
    return FALSE;
  for (guint64 i = 0; i < times && path->len < FILE_LIMIT; i++)
    g_string_append (path, conformance_words_nth (words, 2));
  conformance_actor_give (
      actor, words,
      actor->kernel->calls->open_at (actor->kernel->data, (int) directory, path->str, (int) flags),
      reply);
  return TRUE;
}

gboolean
conformance_verb_close (ConformanceActor *actor, const ConformanceWords *words,
                        ConformanceReply *reply, GError **error)
{
  const char *name = conformance_words_nth (words, 1);
  gpointer handle;

  if (!g_hash_table_lookup_extended (actor->handles, name, NULL, &handle))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no handle is called %s",
                   name);
      return FALSE;
    }
  kvmhelper_kernel_close (actor->kernel, GPOINTER_TO_INT (handle));
  g_hash_table_remove (actor->handles, name);
  return TRUE;
}

/* What a file has, up to @limit; or an errno. */
static gssize
read_all (ConformanceActor *actor, int handle, gsize size, gsize limit, GString *text)
{
  g_autofree char *part = g_malloc (size);
  gssize length;

  do
    {
      length = actor->kernel->calls->read (actor->kernel->data, handle, part,
                                           MIN (size, limit - text->len));
      if (length > 0)
        g_string_append_len (text, part, length);
    }
  while (length > 0 && text->len < limit);
  return length;
}

/* "read FILE [size=64K] [argument=bad]" */
gboolean
conformance_verb_read (ConformanceActor *actor, const ConformanceWords *words,
                       ConformanceReply *reply, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  const char *size_word = conformance_words_named (words, "size");
  guint64 size = PART;
  gulong address = 0;
  gboolean close;
  gssize length;
  int handle;

  if ((size_word != NULL && !conformance_value (size_word, NULL, NULL, NULL, NULL, &size, error))
      || !conformance_actor_address (actor, words, "argument", &address, error)
      || !open_word (actor, conformance_words_nth (words, 1), O_RDONLY, &handle, &close, error))
    return FALSE;
  reply->answer = MIN (handle, 0);
  if (close && handle < 0)
    return TRUE;
  if (address != 0)
    length = actor->kernel->calls->read (actor->kernel->data, handle, (void *) address, size);
  else
    length = read_all (actor, handle, size, FILE_LIMIT, text);
  if (close)
    kvmhelper_kernel_close (actor->kernel, handle);
  reply->answer = MIN (length, 0);
  /* Files of the device tree have NULs between their strings. */
  for (gsize i = 0; i < text->len; i++)
    if (text->str[i] == '\0')
      text->str[i] = ' ';
  if (length >= 0)
    reply->text = g_strdup (text->str);
  return TRUE;
}

/* "bytes FILE OFFSET COUNT": these of a file that is not made of text, as "86 80". */
gboolean
conformance_verb_bytes (ConformanceActor *actor, const ConformanceWords *words,
                        ConformanceReply *reply, GError **error)
{
  g_autoptr (GString) all = g_string_new (NULL);
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 offset, count;
  gboolean close;
  gssize length;
  int handle;

  if (!conformance_value (conformance_words_nth (words, 2), NULL, NULL, NULL, NULL, &offset, error)
      || !conformance_value (conformance_words_nth (words, 3), NULL, NULL, NULL, NULL, &count,
                             error)
      || !open_word (actor, conformance_words_nth (words, 1), O_RDONLY, &handle, &close, error))
    return FALSE;
  reply->answer = MIN (handle, 0);
  if (close && handle < 0)
    return TRUE;
  length = read_all (actor, handle, PART, MIN (offset + count, FILE_LIMIT), all);
  if (close)
    kvmhelper_kernel_close (actor->kernel, handle);
  reply->answer = MIN (length, 0);
  for (gsize i = offset; i < all->len && i < offset + count; i++)
    g_string_append_printf (text, "%s%02x", i > offset ? " " : "", (guint8) all->str[i]);
  if (length >= 0)
    reply->text = g_strdup (text->str);
  return TRUE;
}

/* "write FILE TEXT [times=N]" or "write FILE TEXT argument=bad" */
gboolean
conformance_verb_write (ConformanceActor *actor, const ConformanceWords *words,
                        ConformanceReply *reply, GError **error)
{
  const char *times_word = conformance_words_named (words, "times");
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 times = 1;
  gulong address;
  gboolean close;
  gssize written;
  int handle;

  if (times_word != NULL && !conformance_value (times_word, NULL, NULL, NULL, NULL, &times, error))
    return FALSE;
  for (guint64 i = 0; i < times && text->len < FILE_LIMIT; i++)
    g_string_append (text, conformance_words_nth (words, 2));
  address = (gulong) text->str;
  if (!conformance_actor_address (actor, words, "argument", &address, error))
    return FALSE;
  if (!open_word (actor, conformance_words_nth (words, 1), O_WRONLY, &handle, &close, error))
    return FALSE;
  reply->answer = MIN (handle, 0);
  if (close && handle < 0)
    return TRUE;
  written = actor->kernel->calls->write (actor->kernel->data, handle, (const void *) address,
                                         text->len);
  if (close)
    kvmhelper_kernel_close (actor->kernel, handle);
  reply->answer = MIN (written, 0);
  return TRUE;
}

/* Where the text of a link goes: "[size=N] [argument=bad]". */
typedef struct
{
  char text[4096];
  gulong address;
  guint64 size;
} LinkRoom;

static gboolean
need_room (ConformanceActor *actor, const ConformanceWords *words, LinkRoom *room, GError **error)
{
  const char *size = conformance_words_named (words, "size");

  room->address = (gulong) room->text;
  room->size = sizeof room->text;
  if ((size != NULL && !conformance_value (size, NULL, NULL, NULL, NULL, &room->size, error))
      || !conformance_actor_address (actor, words, "argument", &room->address, error))
    return FALSE;
  room->size = MIN (room->size, sizeof room->text);
  return TRUE;
}

static void
tell_link (ConformanceReply *reply, const LinkRoom *room, gssize length)
{
  reply->answer = MIN (length, 0);
  if (length >= 0)
    reply->text = g_strndup (room->text, (gsize) length);
}

/* "readlink PATH [size=N] [argument=bad]" */
gboolean
conformance_verb_readlink (ConformanceActor *actor, const ConformanceWords *words,
                           ConformanceReply *reply, GError **error)
{
  KvmHelperRoot root;
  const char *path;
  LinkRoom room;

  if (!conformance_need_path (conformance_words_nth (words, 1), &root, &path, error)
      || !need_room (actor, words, &room, error))
    return FALSE;
  tell_link (reply, &room,
             actor->kernel->calls->readlink (actor->kernel->data, root, path, (char *) room.address,
                                             room.size));
  return TRUE;
}

/* "readlinkat DIRECTORY PATH [size=N] [argument=bad]" */
gboolean
conformance_verb_readlink_at (ConformanceActor *actor, const ConformanceWords *words,
                              ConformanceReply *reply, GError **error)
{
  guint64 directory;
  LinkRoom room;

  if (!conformance_actor_value (actor, conformance_words_nth (words, 1), NULL, NULL, &directory,
                                error)
      || !need_room (actor, words, &room, error))
    return FALSE;
  tell_link (reply, &room,
             actor->kernel->calls->readlink_at (actor->kernel->data, (int) directory,
                                                conformance_words_nth (words, 2),
                                                (char *) room.address, room.size));
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

gboolean
conformance_verb_list (ConformanceActor *actor, const ConformanceWords *words,
                       ConformanceReply *reply, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  KvmHelperRoot root;
  const char *path;

  if (!conformance_need_path (conformance_words_nth (words, 1), &root, &path, error))
    return FALSE;
  reply->answer = actor->kernel->calls->list (actor->kernel->data, root, path, names);
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  if (reply->answer >= 0)
    reply->text = g_strjoinv (" ", (char **) names->pdata);
  return TRUE;
}

gboolean
conformance_verb_stat (ConformanceActor *actor, const ConformanceWords *words,
                       ConformanceReply *reply, GError **error)
{
  KvmHelperStat result = { 0 };
  KvmHelperRoot root;
  const char *path, *type;

  if (!conformance_need_path (conformance_words_nth (words, 1), &root, &path, error))
    return FALSE;
  reply->answer = kvmhelper_kernel_stat (actor->kernel, root, path, &result);
  if (reply->answer < 0)
    return TRUE;
  type = S_ISCHR (result.mode)   ? "chr"
         : S_ISBLK (result.mode) ? "blk"
         : S_ISDIR (result.mode) ? "dir"
         : S_ISREG (result.mode) ? "file"
                                 : "other";
  conformance_reply_add (reply, "type", 0, type, NULL, NULL);
  conformance_reply_add (reply, "mode", result.mode & 07777, NULL, NULL, NULL);
  conformance_reply_add (reply, "major", result.major, NULL, NULL, NULL);
  conformance_reply_add (reply, "minor", result.minor, NULL, NULL, NULL);
  return TRUE;
}
