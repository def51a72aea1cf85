/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * cli_capture_to_xml: a host as the description of a simulated one (schemas/simulated-host.rng),
 * for people to show around: nothing in it names a machine, a person or a guest. Taken are numbers,
 * the identity of devices, names of drivers, what the kernel and the firmware say they are, and of
 * the host's own needs their kind; never a text of somebody's.
 * @host: what GetHost gave
 *
 * Returns: XML, to be freed; NULL with COMMON_ERROR_INVALID_HOST where it is no POWER host.
 */
char *cli_capture_to_xml (GVariant *host, GError **error);
