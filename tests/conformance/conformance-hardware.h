/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/** What can be done to the hardware of a real host. All answer with 0 or a negative errno. */

/** conformance_hardware_raise: as a ConformanceRaise: an Intel 82574 (e1000e) raises what is
 * enabled of its interrupts, by its registers; another device: -ENOTSUP. INTx stays asserted. */
int conformance_hardware_raise (gpointer data, int handle, const char *bdf, guint vector);

/** conformance_hardware_freeze: marks the PE of @bdf as frozen in the tables of QEMU's PHB4, as an
 * error would. */
int conformance_hardware_freeze (const char *bdf);
