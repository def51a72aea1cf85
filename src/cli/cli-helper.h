/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * CliHelper: ppc64-kvmhelper, at the other end of the system bus; or one on a simulated host
 * (cli-simulated.h).
 *
 * Nothing that it says is believed before its name is known to belong to a process of uid 0, and
 * then only that process is talked to: by its unique name, so that nobody who takes the name later
 * can answer in its place.
 */
typedef struct _CliHelper CliHelper;

/**
 * cli_helper_open: has the helper started where it does not run, and checks whose it is.
 * @simulate: (nullable): the simulated host that is meant and not this one, as cli_simulated_open
 *   takes it
 *
 * Returns: NULL with COMMON_ERROR_HELPER_UNAVAILABLE (the bus is not there; the helper is not
 * installed, does not start, or belongs to somebody else) or COMMON_ERROR_NOT_AUTHORIZED.
 */
CliHelper *cli_helper_open (const char *simulate, GError **error);
void cli_helper_free (CliHelper *helper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliHelper, cli_helper_free)

/**
 * cli_helper_call: calls a method of data/org.libvirt.Ppc64.KvmHelper1.xml and waits. On a
 * terminal polkit may ask for a password; then there is no hurry.
 * @parameters: a tuple; floating ones are taken
 *
 * Returns: the tuple of what came back; NULL with an error of COMMON_ERROR: the helper's own, or
 * COMMON_ERROR_NOT_AUTHORIZED, COMMON_ERROR_HELPER_UNAVAILABLE (it ended while it was asked) or
 * COMMON_ERROR_TIMED_OUT.
 */
GVariant *
cli_helper_call (CliHelper *helper, const char *method, GVariant *parameters, GError **error);

/**
 * cli_helper_call_with_descriptor: the same, with a descriptor, which @parameters name as handle 0.
 * It stays the caller's.
 */
GVariant *cli_helper_call_with_descriptor (CliHelper *helper, const char *method,
                                           GVariant *parameters, int descriptor, GError **error);

/** CliHelperStep: a step of a rehearsal, as it is done; @step is as in the interface. */
typedef void (*CliHelperStep) (GVariant *step, gpointer data);

/**
 * cli_helper_rehearse: calls Rehearse and hands on each step, in order, as it comes.
 * @passed: (out): whether it passed
 *
 * Returns: the steps, aa{sv}; NULL with an error as of cli_helper_call.
 */
GVariant *cli_helper_rehearse (CliHelper *helper, const char *address, CliHelperStep step,
                               gpointer data, gboolean *passed, GError **error);
