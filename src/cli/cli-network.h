/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-network.h"

/**
 * libvirt's networks that hand out functions of the host, for the interfaces of one guest: each of
 * them gets another function, and each network is asked for once.
 */
typedef struct _CliNetworks CliNetworks;

/** cli_networks_new: @uri as in cli_libvirt_get_xml. Nothing is asked yet. */
CliNetworks *cli_networks_new (const char *uri);
void cli_networks_free (CliNetworks *networks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliNetworks, cli_networks_free)

/**
 * cli_networks_get: for hostdev_domain_new_with_networks. Errors are those of
 * cli_libvirt_get_network, and COMMON_ERROR_GROUP_IN_USE where a network has nothing left. Lives as
 * long as @networks.
 */
const HostdevNetworks *cli_networks_get (const CliNetworks *networks);
