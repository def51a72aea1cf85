/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/** A call: "NEW = VERB WORD…". */
typedef struct
{
  char *name;       /* what it gives is called so; NULL */
  GPtrArray *words; /* the verb first */
} ConformanceWords;

ConformanceWords *conformance_words_new (const char *call, GError **error);
void conformance_words_free (ConformanceWords *words);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConformanceWords, conformance_words_free)

/** conformance_words_nth: a word, or NULL beyond the last. */
const char *conformance_words_nth (const ConformanceWords *words, guint n);

/** conformance_words_named: the value of the word "NAME=…", or NULL. */
const char *conformance_words_named (const ConformanceWords *words, const char *name);

/** conformance_repeated: the call in "repeat N CALL". */
const char *conformance_repeated (const char *call);

/** conformance_verbs_is_session: what the session does, and no process of the script. */
gboolean conformance_verbs_is_session (const char *verb);

/** conformance_verbs_is_outside: what happens to the host from outside. */
gboolean conformance_verbs_is_outside (const char *verb);

/** conformance_verbs_check: whether @call can be asked at all: there is such a verb or ioctl, with
 * so many words, and fields of these names. */
gboolean conformance_verbs_check (const char *call, GError **error);
