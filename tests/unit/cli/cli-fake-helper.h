/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli-bus.h"

/**
 * CliFakeHelper: the test, in the place of ppc64-kvmhelper on a bus. What it answers is in
 * data/host.gvariant, leases.gvariant, inspection.gvariant and steps.gvariant.
 */
typedef struct _CliFakeHelper CliFakeHelper;

typedef enum
{
  CLI_FAKE_ANSWERS,
  CLI_FAKE_DENIES, /* every method, as polkit would */
  CLI_FAKE_DIES,   /* leaves the bus at the first call */
  CLI_FAKE_FAILS   /* the rehearsal does not pass */
} CliFakeMode;

/** cli_fake_helper_new: takes the helper's name on @bus. */
CliFakeHelper *cli_fake_helper_new (const CliBus *bus, CliFakeMode mode);
void cli_fake_helper_free (CliFakeHelper *helper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliFakeHelper, cli_fake_helper_free)

/** cli_fake_helper_get_calls: how many methods were called. */
guint cli_fake_helper_get_calls (const CliFakeHelper *helper);
