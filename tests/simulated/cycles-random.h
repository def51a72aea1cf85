/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * cycles_random_rules: what goes wrong in a cycle, as rules of kvmhelper-fault.h; "" for nothing.
 * An answer that means "there is no such thing" is only given where a question would not be
 * answered wrongly for good by it: nobody can be right about a kernel that denies what it has.
 *
 * @addresses: those that may vanish or be replaced; *changes is set where one is. @loses: a mapping
 * may refuse to go, which only the end of its process undoes.
 */
char *cycles_random_rules (GRand *random, const char *const *addresses, gboolean loses,
                           gboolean *changes);

/** cycles_random_kill: a rule that ends the process; within the first @calls calls. */
char *cycles_random_kill (GRand *random, guint calls);
