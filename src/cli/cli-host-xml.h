/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-host.h"

/**
 * cli_host_to_xml: the host as a description that schemas/host.rng allows and
 * hostdev_host_new_from_xml reads back as it was: for plans on another machine, and for reports.
 * To be freed.
 */
char *cli_host_to_xml (const HostdevHost *host);
