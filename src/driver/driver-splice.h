/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver/driver-output.h"

/**
 * DriverSplice: what is to go from one socket to another as it is goes there by splice(2), without
 * having been here: its pages change hands, through a pipe(2) that all connections share, and that
 * is empty between two calls.
 */
typedef struct _DriverSplice DriverSplice;

enum
{
  /* Less is as quick by copying. */
  DRIVER_SPLICE_MIN = 24 * 1024,
};

/** driver_splice_new: NULL where there is no descriptor left for it. SIGPIPE is ignored from then
 * on: splice(2) has no flag for it. */
DriverSplice *driver_splice_new (void);
void driver_splice_free (DriverSplice *splice);

/**
 * driver_splice_move: takes up to @length bytes @from, neither of which blocks, as recv does, and
 * returns how many: 0 at the end, -1 and errno. What does not go @to is added to @output, in which
 * nothing waits. ENOSYS: not here; recv tells what is the matter.
 */
gssize
driver_splice_move (DriverSplice *splice, int from, int to, gsize length, DriverOutput *output);
