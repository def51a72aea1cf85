/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * How a message of D-Bus lies on the wire, as far as its size has to be known ("Message Protocol"
 * in the D-Bus specification). What comes over a bus has been checked by it; nothing here relies on
 * that.
 */

/* What is there of each message: byte order, type, flags, version, the body's length, the serial,
 * and the length of the header's fields, which follow, up to a multiple of 8. */
#define KVMHELPER_FRAME_START 16

/* The specification's longest message. */
#define KVMHELPER_FRAME_MAX (128 * 1024 * 1024)

typedef struct
{
  gsize header; /* with its start and its padding */
  gsize body;
} KvmHelperFrame;

/** kvmhelper_frame_read: FALSE where @start is not the start of a message of the specification. */
gboolean kvmhelper_frame_read (const guint8 start[KVMHELPER_FRAME_START], KvmHelperFrame *frame);

/* A field that no specification has: of a message whose body was left out. */
#define KVMHELPER_FRAME_BLANKED 0x7f

/**
 * kvmhelper_frame_blank: makes the header a message without body and descriptors, of the same
 * length; the field that told the body's signature is KVMHELPER_FRAME_BLANKED then. FALSE where it
 * has fields that cannot be told, or no signature; it is as it was then.
 *
 * @header: all of it, @length bytes as kvmhelper_frame_read told
 */
gboolean kvmhelper_frame_blank (guint8 *header, gsize length);
