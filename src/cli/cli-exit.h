/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/common-error.h"

/**
 * CliExit: how virt-ppc64 ends. Scripts rely on the numbers; they are in virt-ppc64(1).
 */
typedef enum
{
  CLI_EXIT_OK = 0,
  CLI_EXIT_FAILED = 1,         /* anything that has no number of its own */
  CLI_EXIT_USAGE = 2,          /* the command line is wrong */
  CLI_EXIT_REFUSED = 3,        /* a plan says no, or a rehearsal failed or cannot be made */
  CLI_EXIT_NOT_AUTHORIZED = 4, /* polkit, or the bus, said no */
  CLI_EXIT_NO_HELPER = 5,      /* ppc64-kvmhelper cannot be reached, or is not to be trusted */
  CLI_EXIT_NO_LIBVIRT = 6,     /* libvirt cannot be reached */
  CLI_EXIT_BUT = 7             /* a plan says yes, and warns; a guest has not what was asked for */
} CliExit;

/**
 * The domain of errors of the command line itself; all end in CLI_EXIT_USAGE, as GOption's own do.
 * It has the one code 0.
 */
#define CLI_USAGE_ERROR (cli_usage_error_quark ())
GQuark cli_usage_error_quark (void);

/** cli_exit_for_error: the number for an error that ended a command. */
CliExit cli_exit_for_error (const GError *error);

/**
 * cli_exit_for_refusal: as cli_exit_for_error, but for an operation on a device: an error whose
 * code is a reason against the device (COMMON_ERROR_DEVICE_UNKNOWN up to
 * COMMON_ERROR_ADVISE_IRQ_BYPASS, COMMON_ERROR_REHEARSAL_FAILED) is CLI_EXIT_REFUSED.
 */
CliExit cli_exit_for_refusal (const GError *error);

/** cli_exit_error_name: the stable name of @error in JSON: the kind of error, or "usage". */
const char *cli_exit_error_name (const GError *error);
