/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gunixfdlist.h>

/** DriverGather: a frame that is taken out of the stream, with what descriptors follow it. */
typedef struct _DriverGather DriverGather;

DriverGather *driver_gather_new (gsize length);
void driver_gather_free (DriverGather *gather);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverGather, driver_gather_free)

void driver_gather_add (DriverGather *gather, const guint8 *bytes, gsize length);
/** driver_gather_add_fd: takes @fd. */
void driver_gather_add_fd (DriverGather *gather, int fd);

/** driver_gather_take: the frame, and the descriptors (NULL: none). Once. */
GBytes *driver_gather_take (DriverGather *gather, GUnixFDList **fds);
