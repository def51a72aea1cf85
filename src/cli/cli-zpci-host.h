/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-verify.h"

/**
 * cli_zpci_read_host: what anybody may read of the functions of the host that @domain has, in
 * @devices (/sys/bus/pci/devices). Those that are not there, as on another machine, are left out.
 *
 * Source: Documentation/arch/s390/pci.rst; arch/s390/pci/pci_sysfs.c. Not run on such a machine.
 *
 * Returns: elements HostdevZpciHost.
 */
GPtrArray *cli_zpci_read_host (const char *devices, const HostdevDomain *domain);
