/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* What is known of the host that is asked. */
typedef struct
{
  gboolean powernv; /* else a partition */
  gboolean eeh;
  gboolean xive_native;
  gboolean freeze; /* PEs can be frozen from outside */
  gboolean real;   /* no model */
  char *release;   /* "6.12.107+deb13-powerpc64le-64k" */
} ConformanceFacts;

/** conformance_condition_holds: of "powernv kernel<6.18"; "" always does. */
gboolean conformance_condition_holds (const char *condition, const ConformanceFacts *facts);

/** conformance_condition_check: whether it is one at all. */
gboolean conformance_condition_check (const char *condition, GError **error);

/** conformance_needs_check: whether that may stand after "Needs:": a condition, or a device. */
gboolean conformance_needs_check (const char *need, GError **error);

/** conformance_need_is_device: whether a need is a device rather than a condition. */
gboolean conformance_need_is_device (const char *need);
