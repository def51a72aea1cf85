/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * HostdevSet: a list of numbers as libvirt and the kernel write one: "0-3,8,^2" (libvirt,
 * src/util/virbitmap.c: virBitmapParse; the kernel's cpulist has no ^).
 */
typedef struct _HostdevSet HostdevSet;

/* CPUs of the largest POWER host, with room. */
#define HOSTDEV_SET_MAX 16383

/** hostdev_set_new: NULL where @text is no such list, is empty, or has a number that is larger. */
HostdevSet *hostdev_set_new (const char *text);
void hostdev_set_free (HostdevSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevSet, hostdev_set_free)

gboolean hostdev_set_has (const HostdevSet *set, guint number);

/** hostdev_set_meets: whether the two have a number in common. */
gboolean hostdev_set_meets (const HostdevSet *a, const HostdevSet *b);
