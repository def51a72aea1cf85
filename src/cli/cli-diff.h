/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * cli_diff: what turns @before into @after, as a unified diff that patch(1) takes, made by diff(1).
 * @name: of the file, for both
 *
 * Returns: "" where they are the same; NULL with G_SPAWN_ERROR or G_IO_ERROR where diff cannot be
 * run.
 */
char *cli_diff (const char *name, const char *before, gsize before_length, const char *after,
                gsize after_length, GError **error);

/** cli_diff_print: on standard output, in colour on a terminal. */
void cli_diff_print (const char *diff);
