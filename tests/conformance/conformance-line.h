/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/** A line of a script, read but not yet asked: variables are as they were written. */
typedef enum
{
  CONFORMANCE_BOTH,
  CONFORMANCE_MODEL_ONLY,
  CONFORMANCE_REAL_ONLY
} ConformanceSide;

/* What a call answers, where @condition ("" or "powernv kernel<6.18") holds. */
typedef struct
{
  char *condition;
  char *answer;
} ConformanceAlternative;

typedef struct
{
  char *field;
  char *variable;
} ConformanceKeep;

typedef struct
{
  guint line;
  char *text;              /* as written, for people */
  char *process;           /* who asks; NULL: main */
  char *call;              /* "NEW = VERB …" */
  guint within;            /* asked again for so long until it is as expected, ms */
  GPtrArray *alternatives; /* ConformanceAlternative, the first is the one without condition; empty:
                              setup */
  GPtrArray *keeps;        /* ConformanceKeep */
  ConformanceSide side;
  char *reason; /* of the side; NULL */
} ConformanceLine;

ConformanceLine *conformance_line_new (guint number, const char *text);
void conformance_line_free (ConformanceLine *line);

/** conformance_line_parse: fills @line from its text, which is changed. _add_or: the text of a line
 * below it, which begins with "|". @line may be NULL: there is none above. */
gboolean conformance_line_parse (ConformanceLine *line, char *text, GError **error);
gboolean conformance_line_add_or (ConformanceLine *line, char *text, GError **error);

/** conformance_expand: @text with its variables ($name, ${name}) replaced from @variables (char *
 * to char *); NULL: each by 0, to look at the rest. */
char *conformance_expand (const char *text, GHashTable *variables, GError **error);

/** conformance_wrong: sets COMMON_ERROR_INVALID_ARGUMENT; FALSE. */
gboolean conformance_wrong (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
