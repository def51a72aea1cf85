/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "conformance-reply.h"

/* What stands after an arrow: "0 or EIO flags=VIABLE", "/^0x/", "handle". */
typedef struct _ConformanceExpect ConformanceExpect;

/** conformance_expect_new: COMMON_ERROR_INVALID_ARGUMENT where it makes no sense. */
ConformanceExpect *conformance_expect_new (const char *text, GError **error);
void conformance_expect_free (ConformanceExpect *expect);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConformanceExpect, conformance_expect_free)

/**
 * conformance_expect_matches: whether @reply is as expected. @got is then NULL, or else what it was
 * instead, in the words of the script.
 */
gboolean conformance_expect_matches (const ConformanceExpect *expect, const ConformanceReply *reply,
                                     char **got);
