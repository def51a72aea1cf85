/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "driver/driver-frame.h"

/**
 * driver_refusal_new_frame: the reply to @call that says @error as libvirt's QEMU driver would: its
 * number for that reason, its words for that number, then ours.
 */
GBytes *driver_refusal_new_frame (const DriverFrameHeader *call, const GError *error);

/** driver_refusal_code: the virErrorNumber for an error, and in @format libvirt's words. */
int driver_refusal_code (const GError *error, const char **format);
