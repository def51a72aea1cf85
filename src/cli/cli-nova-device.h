/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-host.h"

/**
 * What OpenStack's compute service is to know of a host: which of its functions it may give away,
 * and what guests have of them.
 */

/* A function that can be offered, or why it cannot. */
typedef struct
{
  const HostdevFunction *function;
  const HostdevGroup *group; /* NULL: none */
  gboolean is_pf;            /* it can have virtual functions, or has some */
  char *against;             /* a sentence; NULL: it is offered */
  char *traits;              /* of placement, with commas between them; NULL where not offered */
} CliNovaDevice;

void cli_nova_device_free (CliNovaDevice *device);

/**
 * cli_nova_devices: every endpoint of the host that has a group, by address. Of a group one
 * function is offered, the first: the others leave the host with it, and nova would give them to
 * other guests. Elements CliNovaDevice.
 */
GPtrArray *cli_nova_devices (const HostdevHost *host);

/**
 * cli_nova_host_traits: what holds for every guest of the host, and the sizes of the groups that
 * @devices are offered of: names of custom traits, sorted, each once.
 */
GStrv cli_nova_host_traits (const HostdevHost *host, const GPtrArray *devices);
