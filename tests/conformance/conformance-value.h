/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * The words and numbers of a script. Errors are COMMON_ERROR_INVALID_ARGUMENT; who knows file and
 * line puts them before.
 */

/** conformance_words: a line's words; blanks within "…" do not part them, \" \\ \n are known there,
 * and the quotes of a word that is quoted as a whole are gone. */
GPtrArray *conformance_words (const char *text, GError **error);

/** conformance_constant: a name of the kernel's, such as VFIO_EEH. */
gboolean conformance_constant (const char *name, guint64 *value);

/* What else names may mean: handles, memory. */
typedef gboolean (*ConformanceLookup) (gpointer data, const char *name, guint64 *value);

/**
 * conformance_value: what @text says: "64K", "1<<33", "ram+64K", "READ|WRITE". A name is tried as
 * it is and then between @prefix and @suffix (each may be NULL). @lookup may be NULL.
 */
gboolean
conformance_value (const char *text, const char *prefix, const char *suffix,
                   ConformanceLookup lookup, gpointer data, guint64 *value, GError **error);

/** conformance_milliseconds: "500ms", "2s". */
gboolean conformance_milliseconds (const char *text, guint *milliseconds, GError **error);

/** conformance_errno: the number of "EINVAL", or 0. _name: "EINVAL" of 22; never NULL. */
int conformance_errno (const char *name);
const char *conformance_errno_name (int errnum);
