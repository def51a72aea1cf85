/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-verbs.h"

#include <string.h>

#include "common/common-error.h"
#include "conformance-calls.h"
#include "conformance-value.h"

typedef enum
{
  PROCESS, /* a process of the script does it */
  SESSION,
  OUTSIDE
} Who;

/* All verbs that are no ioctls, with how many words may follow. */
static const struct
{
  const char *name;
  Who who;
  guint least, most;
} verbs[] = {
  { "open", PROCESS, 1, 2 },      { "close", PROCESS, 1, 1 },      { "read", PROCESS, 1, 2 },
  { "write", PROCESS, 2, 3 },     { "readlink", PROCESS, 1, 3 },   { "list", PROCESS, 1, 1 },
  { "openat", PROCESS, 2, 4 },    { "readlinkat", PROCESS, 2, 4 }, { "getacl", PROCESS, 1, 3 },
  { "setacl", PROCESS, 2, 4 },    { "pidfd", PROCESS, 1, 1 },      { "receive", PROCESS, 1, 1 },
  { "memlock", PROCESS, 1, 4 },   { "stat", PROCESS, 1, 1 },       { "eventfd", PROCESS, 0, 0 },
  { "signal", PROCESS, 1, 2 },    { "signalled", PROCESS, 1, 2 },  { "memory", PROCESS, 2, 5 },
  { "free", PROCESS, 1, 1 },      { "peek", PROCESS, 1, 1 },       { "mmap", PROCESS, 2, 3 },
  { "munmap", PROCESS, 1, 3 },    { "bytes", PROCESS, 3, 3 },      { "repeat", PROCESS, 2, 99 },
  { "H_PUT_TCE", PROCESS, 4, 4 }, { "load", PROCESS, 1, 3 },       { "ioctl", PROCESS, 3, 4 },
  { "raise", PROCESS, 1, 2 },     { "process", SESSION, 1, 3 },    { "pass", SESSION, 3, 3 },
  { "kill", SESSION, 1, 1 },      { "begin", SESSION, 1, 99 },     { "result", SESSION, 0, 1 },
  { "sleep", SESSION, 1, 1 },     { "freeze", OUTSIDE, 1, 1 },     { "advance", OUTSIDE, 1, 1 },
  { "unplug", OUTSIDE, 1, 1 },    { "replace", OUTSIDE, 3, 3 },    { "fence", OUTSIDE, 1, 1 },
  { "fail", OUTSIDE, 1, 1 },
};

void
conformance_words_free (ConformanceWords *words)
{
  g_free (words->name);
  g_ptr_array_unref (words->words);
  g_free (words);
}

ConformanceWords *
conformance_words_new (const char *call, GError **error)
{
  g_autoptr (GPtrArray) all = conformance_words (call, error);
  ConformanceWords *words;

  if (all == NULL)
    return NULL;
  words = g_new0 (ConformanceWords, 1);
  if (all->len > 2 && g_str_equal (g_ptr_array_index (all, 1), "="))
    {
      words->name = g_ptr_array_steal_index (all, 0);
      g_ptr_array_remove_index (all, 0);
    }
  words->words = g_steal_pointer (&all);
  return words;
}

const char *
conformance_words_nth (const ConformanceWords *words, guint n)
{
  return n < words->words->len ? g_ptr_array_index (words->words, n) : NULL;
}

const char *
conformance_words_named (const ConformanceWords *words, const char *name)
{
  gsize length = strlen (name);

  for (guint i = 0; i < words->words->len; i++)
    {
      const char *word = g_ptr_array_index (words->words, i);

      if (strncmp (word, name, length) == 0 && word[length] == '=')
        return word + length + 1;
    }
  return NULL;
}

static gboolean
is (const char *verb, Who who)
{
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (verb, verbs[i].name))
      return verbs[i].who == who;
  return FALSE;
}

gboolean
conformance_verbs_is_session (const char *verb)
{
  return is (verb, SESSION);
}

gboolean
conformance_verbs_is_outside (const char *verb)
{
  return is (verb, OUTSIDE);
}

static gboolean
has_field (const ConformanceField *fields, const char *name)
{
  for (; fields != NULL && fields->name != NULL; fields++)
    if (g_str_equal (fields->name, name))
      return TRUE;
  return FALSE;
}

static gboolean
check_ioctl (const ConformanceCall *call, const ConformanceWords *words, GError **error)
{
  const ConformanceField *fields = call->fields;

  if (words->words->len < 2)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "%s of which handle?",
                   call->name);
      return FALSE;
    }
  if (call->argument == CONFORMANCE_ARGUMENT_ATTRIBUTE && words->words->len >= 4)
    {
      const ConformanceAttribute *attribute = conformance_attribute_find (
          conformance_words_nth (words, 2), conformance_words_nth (words, 3));

      fields = attribute != NULL ? attribute->payload.fields : NULL;
    }
  for (guint i = 2; i < words->words->len; i++)
    {
      const char *word = g_ptr_array_index (words->words, i);
      const char *equals = strchr (word, '=');
      g_autofree char *name = NULL;

      /* A name of a device may have one in it (vfio_pci_core_match). */
      if (equals == NULL || call->argument == CONFORMANCE_ARGUMENT_STRING)
        continue;
      name = g_strndup (word, (gsize) (equals - word));
      if (g_str_equal (name, "argument") || has_field (fields, name)
          || (g_str_equal (name, "data") && call->data_at != 0)
          || (g_str_equal (name, "cut") && call->argument == CONFORMANCE_ARGUMENT_STRUCT)
          || (g_str_equal (name, "addr") && call->argument == CONFORMANCE_ARGUMENT_ATTRIBUTE)
          || (g_str_equal (name, "pvr") && call->argument == CONFORMANCE_ARGUMENT_REGISTERS))
        continue;
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "%s has no field %s",
                   call->name, name);
      return FALSE;
    }
  return TRUE;
}

const char *
conformance_repeated (const char *call)
{
  for (guint i = 0; i < 2; i++) /* the verb, and how often */
    {
      call += strspn (call, " \t");
      call += strcspn (call, " \t");
    }
  return call + strspn (call, " \t");
}

gboolean
conformance_verbs_check (const char *call, GError **error)
{
  g_autoptr (ConformanceWords) words = conformance_words_new (call, error);
  const ConformanceCall *ioctl;
  const char *verb;
  guint following;

  if (words == NULL)
    return FALSE;
  verb = conformance_words_nth (words, 0);
  if (verb == NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no call");
      return FALSE;
    }
  ioctl = conformance_call_find (verb);
  if (ioctl != NULL)
    return check_ioctl (ioctl, words, error);
  following = words->words->len - 1;
  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++)
    {
      if (!g_str_equal (verb, verbs[i].name))
        continue;
      if (following >= verbs[i].least && following <= verbs[i].most)
        return g_str_equal (verb, "begin")
                   ? conformance_verbs_check (strstr (call, "begin") + strlen ("begin"), error)
                   : !g_str_equal (verb, "repeat")
                         || conformance_verbs_check (conformance_repeated (call), error);
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   "%u words after %s; it takes %u to %u", following, verb, verbs[i].least,
                   verbs[i].most);
      return FALSE;
    }
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no call is named %s", verb);
  return FALSE;
}
