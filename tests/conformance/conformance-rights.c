/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-actor.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

#include "common/common-error.h"
#include "conformance-value.h"

/* Access lists of nodes, handles of processes, and their limit of locked memory. */

/* An access list in a script: "u::rw-,u:65534:rw-,g::---,m::rw-,o::---". */
static const struct
{
  guint tag;
  char letter;
  gboolean has_id;
} tags[] = {
  { ACL_USER_OBJ, 'u', FALSE }, { ACL_USER, 'u', TRUE },  { ACL_GROUP_OBJ, 'g', FALSE },
  { ACL_GROUP, 'g', TRUE },     { ACL_MASK, 'm', FALSE }, { ACL_OTHER, 'o', FALSE },
};

static char *
describe (const guint8 *acl, gsize length)
{
  g_autoptr (GString) text = g_string_new (NULL);
  struct posix_acl_xattr_entry entry;

  for (gsize at = sizeof (struct posix_acl_xattr_header); at + sizeof entry <= length;
       at += sizeof entry)
    {
      guint perm;

      memcpy (&entry, acl + at, sizeof entry);
      perm = GUINT16_FROM_LE (entry.e_perm);
      for (guint i = 0; i < G_N_ELEMENTS (tags); i++)
        {
          if (tags[i].tag != GUINT16_FROM_LE (entry.e_tag))
            continue;
          g_string_append_printf (text, "%s%c:", text->len == 0 ? "" : ",", tags[i].letter);
          if (tags[i].has_id)
            g_string_append_printf (text, "%u", GUINT32_FROM_LE (entry.e_id));
          g_string_append_printf (text, ":%c%c%c", perm & 4 ? 'r' : '-', perm & 2 ? 'w' : '-',
                                  perm & 1 ? 'x' : '-');
        }
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* One entry; its permissions are three letters, or a number for what is wrong. */
static gboolean
parse_entry (const char *word, struct posix_acl_xattr_entry *entry)
{
  g_auto (GStrv) parts = g_strsplit (word, ":", 3);
  guint64 id = G_MAXUINT32, perm = 0;

  if (g_strv_length (parts) != 3
      || (*parts[1] != '\0'
          && !g_ascii_string_to_unsigned (parts[1], 10, 0, G_MAXUINT32, &id, NULL)))
    return FALSE;
  if (!g_ascii_string_to_unsigned (parts[2], 10, 0, G_MAXUINT16, &perm, NULL))
    perm = (strchr (parts[2], 'r') != NULL) << 2 | (strchr (parts[2], 'w') != NULL) << 1
           | (strchr (parts[2], 'x') != NULL);
  for (guint i = 0; i < G_N_ELEMENTS (tags); i++)
    if (tags[i].letter == *parts[0] && tags[i].has_id == (*parts[1] != '\0'))
      {
        *entry = (struct posix_acl_xattr_entry){ GUINT16_TO_LE ((guint16) tags[i].tag),
                                                 GUINT16_TO_LE ((guint16) perm),
                                                 GUINT32_TO_LE ((guint32) id) };
        return TRUE;
      }
  return FALSE;
}

static GByteArray *
parse (const char *text, guint64 version, GError **error)
{
  const struct posix_acl_xattr_header header = { GUINT32_TO_LE ((guint32) version) };
  g_autoptr (GByteArray) acl = g_byte_array_new ();
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  g_byte_array_append (acl, (const guint8 *) &header, sizeof header);
  for (guint i = 0; words[i] != NULL; i++)
    {
      struct posix_acl_xattr_entry entry;

      if (!parse_entry (words[i], &entry))
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no entry: %s",
                       words[i]);
          return NULL;
        }
      g_byte_array_append (acl, (const guint8 *) &entry, sizeof entry);
    }
  return g_steal_pointer (&acl);
}

/* "getacl PATH [size=N] [argument=bad]" */
gboolean
conformance_verb_get_acl (ConformanceActor *actor, const ConformanceWords *words,
                          ConformanceReply *reply, GError **error)
{
  const char *size_word = conformance_words_named (words, "size");
  guint64 size = 4096;
  g_autofree guint8 *acl = NULL;
  KvmHelperRoot root;
  const char *path;
  gulong address;
  gssize length;

  if (!conformance_need_path (conformance_words_nth (words, 1), &root, &path, error)
      || (size_word != NULL
          && !conformance_actor_value (actor, size_word, NULL, NULL, &size, error)))
    return FALSE;
  acl = g_malloc0 (size + 1);
  address = (gulong) acl;
  if (!conformance_actor_address (actor, words, "argument", &address, error))
    return FALSE;
  length = actor->kernel->calls->get_acl (actor->kernel->data, root, path, (void *) address, size);
  reply->answer = size == 0 ? length : MIN (length, 0);
  if (length > 0 && size > 0)
    reply->text = describe (acl, (gsize) length);
  return TRUE;
}

/* "setacl PATH ENTRY,… [version=N] [size=N] [argument=bad]"; beyond the entries are zeroes. */
gboolean
conformance_verb_set_acl (ConformanceActor *actor, const ConformanceWords *words,
                          ConformanceReply *reply, GError **error)
{
  const char *version_word = conformance_words_named (words, "version");
  const char *size_word = conformance_words_named (words, "size");
  guint64 version = POSIX_ACL_XATTR_VERSION, size;
  g_autoptr (GByteArray) acl = NULL;
  KvmHelperRoot root;
  const char *path;
  gulong address;
  guint length;

  if (!conformance_need_path (conformance_words_nth (words, 1), &root, &path, error)
      || (version_word != NULL
          && !conformance_actor_value (actor, version_word, NULL, NULL, &version, error)))
    return FALSE;
  acl = parse (conformance_words_nth (words, 2), version, error);
  if (acl == NULL)
    return FALSE;
  length = acl->len;
  size = length;
  if (size_word != NULL && !conformance_actor_value (actor, size_word, NULL, NULL, &size, error))
    return FALSE;
  g_byte_array_set_size (acl, (guint) size);
  if (size > length)
    memset (acl->data + length, 0, size - length);
  address = (gulong) acl->data;
  if (!conformance_actor_address (actor, words, "argument", &address, error))
    return FALSE;
  reply->answer = actor->kernel->calls->set_acl (actor->kernel->data, root, path,
                                                 (const void *) address, size);
  return TRUE;
}

/* "pidfd PID" */
gboolean
conformance_verb_pidfd (ConformanceActor *actor, const ConformanceWords *words,
                        ConformanceReply *reply, GError **error)
{
  guint64 pid;

  if (!conformance_actor_value (actor, conformance_words_nth (words, 1), NULL, NULL, &pid, error))
    return FALSE;
  conformance_actor_give (actor, words,
                          actor->kernel->calls->pidfd (actor->kernel->data, (guint) pid), reply);
  return TRUE;
}

/* "receive PID|0": a handle of the process, or of none, that came in a message. */
gboolean
conformance_verb_receive (ConformanceActor *actor, const ConformanceWords *words,
                          ConformanceReply *reply, GError **error)
{
  guint64 pid;
  int fd;

  if (!conformance_actor_value (actor, conformance_words_nth (words, 1), NULL, NULL, &pid, error))
    return FALSE;
  fd = actor->stand_in ((guint) pid);
  if (fd >= 0)
    fd = actor->kernel->calls->receive (actor->kernel->data, fd);
  conformance_actor_give (actor, words, fd, reply);
  return TRUE;
}

/* A PID, or a handle of a process. */
static gboolean
get_pid (ConformanceActor *actor, const char *word, guint64 *pid, GError **error)
{
  g_autofree char *path = NULL;
  g_autofree char *text = NULL;
  const char *line;
  gpointer handle;

  if (!g_hash_table_lookup_extended (actor->handles, word, NULL, &handle))
    return conformance_actor_value (actor, word, NULL, NULL, pid, error);
  path = g_strdup_printf ("self/fdinfo/%d", GPOINTER_TO_INT (handle));
  text = kvmhelper_kernel_read_line (actor->kernel, KVMHELPER_PROC, path);
  line = text == NULL ? NULL : strstr (text, "\nPid:\t");
  if (line == NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "%s is of no process", word);
      return FALSE;
    }
  *pid = g_ascii_strtoull (line + strlen ("\nPid:\t"), NULL, 10);
  return TRUE;
}

/* "memlock PID|HANDLE [soft=N hard=N] [old=0]": what it was comes back; old=0: is not asked for. */
gboolean
conformance_verb_memlock (ConformanceActor *actor, const ConformanceWords *words,
                          ConformanceReply *reply, GError **error)
{
  const char *soft = conformance_words_named (words, "soft");
  const char *hard = conformance_words_named (words, "hard");
  KvmHelperLimit limit = { 0 }, before = { 0 };
  gulong old = (gulong) &before;
  guint64 pid;

  if (!get_pid (actor, conformance_words_nth (words, 1), &pid, error)
      || !conformance_actor_address (actor, words, "old", &old, error)
      || (soft != NULL
          && (!conformance_actor_value (actor, soft, NULL, NULL, &limit.soft, error)
              || !conformance_actor_value (actor, hard == NULL ? soft : hard, NULL, NULL,
                                           &limit.hard, error))))
    return FALSE;
  reply->answer = actor->kernel->calls->memlock (
      actor->kernel->data, (guint) pid, soft == NULL ? NULL : &limit, (KvmHelperLimit *) old);
  if (reply->answer < 0 || old == 0)
    return TRUE;
  conformance_reply_add (reply, "soft", before.soft, NULL, NULL, NULL);
  conformance_reply_add (reply, "hard", before.hard, NULL, NULL, NULL);
  return TRUE;
}
