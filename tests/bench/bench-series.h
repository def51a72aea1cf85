/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/** bench_median: of @count values, which it sorts. */
double bench_median (gint64 *values, gsize count);
