/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-host.h"

/**
 * cli_libvirt_get_xml: the XML of a domain, over a read-only connection.
 * @uri: (nullable): where; NULL is virsh's default: VIRSH_DEFAULT_CONNECT_URI, else what libvirt
 *   itself takes (LIBVIRT_DEFAULT_URI, uri_default of libvirt.conf, or the host's hypervisor)
 * @domain: its UUID or name
 * @inactive: the XML of the next start (VIR_DOMAIN_XML_INACTIVE) rather than that of now
 *
 * Returns: to be freed; NULL with COMMON_ERROR_LIBVIRT_UNAVAILABLE, or, where libvirt answers but
 * has no such domain, COMMON_ERROR_INVALID_ARGUMENT.
 */
char *cli_libvirt_get_xml (const char *uri, const char *domain, gboolean inactive, GError **error);

/**
 * cli_libvirt_get_network: the XML of a network, and then that of each of its ports, over a
 * read-only connection. A network that is not active hands out nothing, to nobody: that is an error
 * where it is one that hands out functions of the host (libvirt, src/network/bridge_driver.c:
 * “network '%s' is not active”).
 *
 * Returns: NULL with COMMON_ERROR_LIBVIRT_UNAVAILABLE, or, where libvirt answers but has no such
 * network or it is not active, COMMON_ERROR_INVALID_ARGUMENT; the message names it.
 */
GStrv cli_libvirt_get_network (const char *uri, const char *network, GError **error);

/**
 * cli_libvirt_get_forwarded: how many interrupts the host's KVM passed on to an s390x guest by
 * itself, over a read-only connection: "aen_forward" of KVM's own statistics of the guest, by
 * QEMU's query-stats (virDomainListGetStats, VIR_DOMAIN_STATS_VM; libvirt 8.9, QEMU 7.1). FALSE
 * where nobody counts, as under TCG.
 */
gboolean cli_libvirt_get_forwarded (const char *uri, const char *domain, guint64 *count);

/**
 * cli_libvirt_claim: tells @host of every domain's PCI devices, as the next start or, where it
 * runs, now has them. What cannot be asked or read is left out: a plan is good without.
 */
void cli_libvirt_claim (const char *uri, HostdevHost *host);
