/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-options.h"
#include "hostdev/hostdev-device.h"
#include "hostdev/hostdev-host.h"

/**
 * cli_input_read: the bytes of a file, "-" being standard input.
 * @max: how many there may be
 *
 * Returns: NUL-terminated text, *length bytes; NULL with COMMON_ERROR_INVALID_ARGUMENT.
 */
char *cli_input_read (const char *file, gsize max, gsize *length, GError **error);

/**
 * cli_input_host: the host, from options->host_file where it is set, else from the helper. Where it
 * is simulated that is said (cli_simulated_note).
 */
HostdevHost *cli_input_host (const CliOptions *options, GError **error);

/** cli_input_description: what the helper says of the host: an a{sv}, as GetHost has it. */
GVariant *cli_input_description (const CliOptions *options, GError **error);

/**
 * cli_input_device: a device as the command line names it: a PCI address, for which the device is
 * a managed one, or a file with device XML.
 *
 * Returns: NULL also with COMMON_ERROR_INVALID_DEVICE where the XML is no PCI hostdev.
 */
HostdevDevice *cli_input_device (const char *argument, GError **error);

/**
 * cli_input_device_or_xml: the same for who can do something with another device.
 * @device: (out): NULL where the file has another device
 * @xml: (out): that one's XML, NUL-terminated
 *
 * Returns: FALSE with an error of cli_input_device, but for a device of another kind.
 */
gboolean
cli_input_device_or_xml (const char *argument, HostdevDevice **device, char **xml, GError **error);

/** cli_input_set_no_device: the error of cli_input_device for a device of another kind. */
void cli_input_set_no_device (const char *argument, GError **error);

/** cli_input_address: a PCI address of the command line; FALSE with CLI_USAGE_ERROR. */
gboolean cli_input_address (const char *argument, PciAddress *address, GError **error);
