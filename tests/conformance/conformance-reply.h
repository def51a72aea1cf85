/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* What a call answered. */
typedef enum
{
  CONFORMANCE_VALUE,   /* a number >= 0, or a negative errno */
  CONFORMANCE_HANDLE,  /* a handle, or a negative errno */
  CONFORMANCE_SIGBUS,  /* the load was answered with the signal */
  CONFORMANCE_PENDING, /* it has not come back yet */
  CONFORMANCE_MISTAKE  /* the line could not be asked: a mistake in the script; @text has it */
} ConformanceAnswer;

typedef struct
{
  char *name;
  guint64 number;
  char *text;         /* instead of the number, if not NULL */
  const char *prefix; /* of the names of its values, "VFIO_GROUP_FLAGS_"; interned or NULL */
  const char *suffix;
} ConformanceFieldValue;

typedef struct
{
  ConformanceAnswer kind;
  gint64 answer;
  char *text;        /* of a file, a link or a directory; NULL */
  GPtrArray *fields; /* elements ConformanceFieldValue */
} ConformanceReply;

ConformanceReply *conformance_reply_new (void);
void conformance_reply_free (ConformanceReply *reply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConformanceReply, conformance_reply_free)

/** conformance_reply_add: a field; a number unless @text is given. */
void conformance_reply_add (ConformanceReply *reply, const char *name, guint64 number,
                            const char *text, const char *prefix, const char *suffix);
const ConformanceFieldValue *
conformance_reply_field (const ConformanceReply *reply, const char *name);

/** conformance_reply_mistake: a reply of that kind; frees the error. */
ConformanceReply *conformance_reply_mistake (GError *error);

/** conformance_reply_failed: whether a setup line with that answer has failed. */
gboolean conformance_reply_failed (const ConformanceReply *reply);

/** conformance_reply_describe: "0", "EINVAL", "handle", "\"text\"" for people. */
char *conformance_reply_describe (const ConformanceReply *reply);

/* Between processes. */
GVariant *conformance_reply_to_variant (const ConformanceReply *reply);
ConformanceReply *conformance_reply_from_variant (GVariant *variant);
#define CONFORMANCE_REPLY_TYPE "(uxmsa(stmsss))"
