/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-guest.h"

/* What “virt-ppc64 status” of an s390x guest is asked for. */
typedef struct
{
  CliGuest guest;   /* libvirt's */
  gboolean monitor; /* QEMU is to be asked as well, which taints the guest */
} CliZpciRequest;

/**
 * cli_status_zpci: shows what a running s390x guest has of its functions of the host, against what
 * its XML asks for. libvirt is asked over a read-only connection, unless request->monitor says that
 * QEMU is to be asked; the helper is not.
 *
 * Returns: CLI_EXIT_BUT where something is not as it was asked for.
 */
CliExit cli_status_zpci (const CliZpciRequest *request, const CliOptions *options, GError **error);
