/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-actor.h"

#include <errno.h>
#include <string.h>

#include "common/common-error.h"
#include "conformance-calls.h"
#include "conformance-value.h"

ConformanceActor *
conformance_actor_new (const KvmHelperKernel *kernel, ConformanceRaise raise, gpointer data)
{
  ConformanceActor *actor = g_new0 (ConformanceActor, 1);

  actor->kernel = kernel;
  actor->raise = raise;
  actor->raise_data = data;
  actor->handles = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  actor->origins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  actor->memories
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, conformance_memory_free);
  actor->mappings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return actor;
}

void
conformance_actor_free (ConformanceActor *actor)
{
  g_hash_table_unref (actor->handles);
  g_hash_table_unref (actor->origins);
  g_hash_table_unref (actor->memories);
  g_hash_table_unref (actor->mappings);
  g_free (actor);
}

static gboolean
lookup (gpointer data, const char *name, guint64 *value)
{
  ConformanceActor *actor = data;
  const ConformanceMemory *memory = g_hash_table_lookup (actor->memories, name);
  const ConformanceMapping *mapping = g_hash_table_lookup (actor->mappings, name);
  gpointer handle;

  if (memory != NULL)
    *value = (guint64) (gulong) memory->start;
  else if (mapping != NULL)
    *value = (guint64) (gulong) mapping->address;
  else if (g_hash_table_lookup_extended (actor->handles, name, NULL, &handle))
    *value = (guint64) GPOINTER_TO_INT (handle);
  else
    return FALSE;
  return TRUE;
}

gboolean
conformance_actor_value (ConformanceActor *actor, const char *text, const char *prefix,
                         const char *suffix, guint64 *value, GError **error)
{
  return conformance_value (text, prefix, suffix, lookup, actor, value, error);
}

void
conformance_actor_give (ConformanceActor *actor, const ConformanceWords *words, int handle,
                        ConformanceReply *reply)
{
  reply->kind = CONFORMANCE_HANDLE;
  reply->answer = handle;
  if (handle < 0)
    return;
  if (words->name == NULL)
    actor->kernel->calls->close (actor->kernel->data, handle);
  else
    g_hash_table_insert (actor->handles, g_strdup (words->name), GINT_TO_POINTER (handle));
}

static gboolean
verb_eventfd (ConformanceActor *actor, const ConformanceWords *words, ConformanceReply *reply,
              GError **error)
{
  conformance_actor_give (actor, words, actor->kernel->calls->eventfd (actor->kernel->data), reply);
  return TRUE;
}

static gboolean
verb_signal (ConformanceActor *actor, const ConformanceWords *words, ConformanceReply *reply,
             GError **error)
{
  const char *number = conformance_words_nth (words, 2);
  guint64 handle, count = 1;
  gssize written;

  if (!conformance_actor_value (actor, conformance_words_nth (words, 1), NULL, NULL, &handle, error)
      || (number != NULL && !conformance_value (number, NULL, NULL, NULL, NULL, &count, error)))
    return FALSE;
  written = actor->kernel->calls->write (actor->kernel->data, (int) handle, &count, sizeof count);
  reply->answer = MIN (written, 0);
  return TRUE;
}

static gboolean
verb_signalled (ConformanceActor *actor, const ConformanceWords *words, ConformanceReply *reply,
                GError **error)
{
  const char *within = conformance_words_named (words, "within");
  guint milliseconds = 0;
  guint64 handle, count = 0;
  gint64 end;
  gssize result;

  if (!conformance_actor_value (actor, conformance_words_nth (words, 1), NULL, NULL, &handle, error)
      || (within != NULL && !conformance_milliseconds (within, &milliseconds, error)))
    return FALSE;
  end = g_get_monotonic_time () + milliseconds * G_TIME_SPAN_MILLISECOND;
  for (;;)
    {
      result = actor->kernel->calls->read (actor->kernel->data, (int) handle, &count, sizeof count);
      if (result != -EAGAIN || g_get_monotonic_time () >= end)
        break;
      g_usleep (5000);
    }
  reply->answer = result < 0 ? result : (gint64) count;
  return TRUE;
}

static gboolean
verb_raise (ConformanceActor *actor, const ConformanceWords *words, ConformanceReply *reply,
            GError **error)
{
  const char *name = conformance_words_nth (words, 1);
  const char *vector = conformance_words_named (words, "vector");
  const char *bdf = g_hash_table_lookup (actor->origins, name);
  guint64 handle, number = 0;

  if (!conformance_actor_value (actor, name, NULL, NULL, &handle, error)
      || (vector != NULL && !conformance_value (vector, NULL, NULL, NULL, NULL, &number, error)))
    return FALSE;
  if (bdf == NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "%s is no VFIO device",
                   name);
      return FALSE;
    }
  reply->answer = actor->raise (actor->raise_data, (int) handle, bdf, (guint) number);
  return TRUE;
}

/* "H_PUT_TCE VM LIOBN ADDRESS TCE" */
static gboolean
verb_put_tce (ConformanceActor *actor, const ConformanceWords *words, ConformanceReply *reply,
              GError **error)
{
  guint64 values[4];

  for (guint i = 0; i < G_N_ELEMENTS (values); i++)
    if (!conformance_actor_value (actor, conformance_words_nth (words, i + 1), NULL, NULL,
                                  &values[i], error))
      return FALSE;
  reply->answer = actor->put_tce == NULL ? -ENOSYS
                                         : actor->put_tce (actor->put_tce_data, (int) values[0],
                                                           values[1], values[2], values[3]);
  return TRUE;
}

/* {pid}, {n} and {HANDLE} in a word. */
static char *
expand (ConformanceActor *actor, const char *word, GError **error)
{
  g_autoptr (GString) expanded = g_string_new (NULL);

  while (*word != '\0')
    {
      const char *end = *word == '{' ? strchr (word, '}') : NULL;
      g_autofree char *name = NULL;
      gpointer handle;

      if (end == NULL)
        {
          g_string_append_c (expanded, *word++);
          continue;
        }
      name = g_strndup (word + 1, (gsize) (end - word - 1));
      if (g_str_equal (name, "pid"))
        g_string_append_printf (expanded, "%u", actor->kernel->pid);
      else if (g_str_equal (name, "n"))
        g_string_append_printf (expanded, "%" G_GUINT64_FORMAT, actor->round);
      else if (g_hash_table_lookup_extended (actor->handles, name, NULL, &handle))
        g_string_append_printf (expanded, "%d", GPOINTER_TO_INT (handle));
      else
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no handle is called %s",
                       name);
          return NULL;
        }
      word = end + 1;
    }
  return g_string_free (g_steal_pointer (&expanded), FALSE);
}

static const struct
{
  const char *name;
  ConformanceVerb verb;
} verbs[] = {
  { "open", conformance_verb_open },
  { "openat", conformance_verb_open_at },
  { "close", conformance_verb_close },
  { "read", conformance_verb_read },
  { "bytes", conformance_verb_bytes },
  { "write", conformance_verb_write },
  { "readlink", conformance_verb_readlink },
  { "readlinkat", conformance_verb_readlink_at },
  { "list", conformance_verb_list },
  { "stat", conformance_verb_stat },
  { "getacl", conformance_verb_get_acl },
  { "setacl", conformance_verb_set_acl },
  { "pidfd", conformance_verb_pidfd },
  { "receive", conformance_verb_receive },
  { "memlock", conformance_verb_memlock },
  { "memory", conformance_verb_memory },
  { "free", conformance_verb_free },
  { "peek", conformance_verb_peek },
  { "mmap", conformance_verb_mmap },
  { "munmap", conformance_verb_munmap },
  { "load", conformance_verb_load },
  { "eventfd", verb_eventfd },
  { "signal", verb_signal },
  { "signalled", verb_signalled },
  { "raise", verb_raise },
  { "ioctl", conformance_actor_ioctl },
  { "H_PUT_TCE", verb_put_tce },
};

static gboolean
ask (ConformanceActor *actor, const char *call, ConformanceReply *reply, GError **error)
{
  g_autoptr (ConformanceWords) words = conformance_words_new (call, error);
  const char *verb;

  if (words == NULL)
    return FALSE;
  for (guint i = 0; i < words->words->len; i++)
    {
      char **word = (char **) &g_ptr_array_index (words->words, i);
      char *expanded = expand (actor, *word, error);

      if (expanded == NULL)
        return FALSE;
      g_free (*word);
      *word = expanded;
    }
  if (words->name != NULL)
    {
      char *expanded = expand (actor, words->name, error);

      if (expanded == NULL)
        return FALSE;
      g_free (words->name);
      words->name = expanded;
    }
  verb = conformance_words_nth (words, 0);
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verb, verbs[i].name))
      return verbs[i].verb (actor, words, reply, error);
  return conformance_actor_ioctl (actor, words, reply, error);
}

static ConformanceReply *
ask_once (ConformanceActor *actor, const char *call)
{
  g_autoptr (ConformanceReply) reply = conformance_reply_new ();
  GError *error = NULL;

  if (!ask (actor, call, reply, &error))
    return conformance_reply_mistake (error);
  return g_steal_pointer (&reply);
}

/* "repeat N CALL": the answer is that of the first that fails, or of the last. */
static ConformanceReply *
ask_often (ConformanceActor *actor, const char *call)
{
  g_autoptr (ConformanceWords) words = NULL;
  ConformanceReply *reply = NULL;
  GError *error = NULL;
  guint64 count;

  words = conformance_words_new (call, &error);
  if (words == NULL
      || !conformance_value (conformance_words_nth (words, 1), NULL, NULL, NULL, NULL, &count,
                             &error))
    return conformance_reply_mistake (error);
  for (actor->round = 0; actor->round < count; actor->round++)
    {
      g_clear_pointer (&reply, conformance_reply_free);
      reply = ask_once (actor, conformance_repeated (call));
      if (conformance_reply_failed (reply))
        break;
    }
  return reply != NULL ? reply : conformance_reply_new ();
}

ConformanceReply *
conformance_actor_ask (ConformanceActor *actor, const char *call)
{
  const char *verb = call + strspn (call, " \t");

  return g_str_has_prefix (verb, "repeat ") ? ask_often (actor, call) : ask_once (actor, call);
}
