/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-condition.h"

#include <stdio.h>
#include <string.h>

#include "common/common-error.h"

typedef enum
{
  NO,
  YES,
  UNKNOWN
} Answer;

/* "kernel>=6.12", "kernel<7.0" */
static Answer
kernel_is (const char *word, const char *release)
{
  guint wanted[2], is[2] = { 0, 0 };
  gboolean less = word[0] == '<';
  gboolean is_less;
  int end = 0;

  if (sscanf (word, less ? "<%u.%u%n" : ">=%u.%u%n", &wanted[0], &wanted[1], &end) != 2
      || word[end] != '\0')
    return UNKNOWN;
  if (release == NULL || sscanf (release, "%u.%u", &is[0], &is[1]) != 2)
    return NO;
  is_less = is[0] < wanted[0] || (is[0] == wanted[0] && is[1] < wanted[1]);
  return is_less == less ? YES : NO;
}

static Answer
word_holds (const char *word, const ConformanceFacts *facts)
{
  const struct
  {
    const char *name;
    gboolean holds;
  } names[] = {
    { "powernv", facts->powernv },
    { "pseries", !facts->powernv },
    { "eeh", facts->eeh },
    { "no-eeh", !facts->eeh },
    { "xive-native", facts->xive_native },
    { "no-xive-native", !facts->xive_native },
    { "freeze", facts->freeze },
    { "real", facts->real },
    { "model", !facts->real },
  };

  if (g_str_has_prefix (word, "kernel"))
    return kernel_is (word + strlen ("kernel"), facts->release);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (g_str_equal (word, names[i].name))
      return names[i].holds ? YES : NO;
  return UNKNOWN;
}

static Answer
holds (const char *condition, const ConformanceFacts *facts, const char **unknown)
{
  g_auto (GStrv) words = g_strsplit (condition, " ", -1);
  Answer all = YES;

  for (guint i = 0; words[i] != NULL; i++)
    {
      Answer one = *words[i] == '\0' ? YES : word_holds (words[i], facts);

      if (one == UNKNOWN)
        {
          *unknown = g_intern_string (words[i]);
          return UNKNOWN;
        }
      if (one == NO)
        all = NO;
    }
  return all;
}

gboolean
conformance_condition_holds (const char *condition, const ConformanceFacts *facts)
{
  const char *unknown;

  return holds (condition, facts, &unknown) == YES;
}

gboolean
conformance_condition_check (const char *condition, GError **error)
{
  const ConformanceFacts none = { 0 };
  const char *unknown;

  if (holds (condition, &none, &unknown) != UNKNOWN)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "no condition: %s", unknown);
  return FALSE;
}

gboolean
conformance_need_is_device (const char *need)
{
  return g_str_equal (need, "group") || g_str_equal (need, "second-group")
         || g_str_equal (need, "siblings") || g_str_equal (need, "device e1000e");
}

gboolean
conformance_needs_check (const char *need, GError **error)
{
  return conformance_need_is_device (need) || conformance_condition_check (need, error);
}
