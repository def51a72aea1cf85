/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * CliBus: a message bus of the test's own, in the place of the system bus, which lets any user in,
 * as the system bus does.
 */
typedef struct _CliBus CliBus;

/**
 * cli_bus_start:
 * @service_exec: (nullable): the program that the bus starts when ppc64-kvmhelper is called for
 */
CliBus *cli_bus_start (const char *service_exec);
void cli_bus_stop (CliBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliBus, cli_bus_stop)

/** cli_bus_get_address: for DBUS_SYSTEM_BUS_ADDRESS. */
const char *cli_bus_get_address (const CliBus *bus);

/** cli_bus_connect: a connection of the test's own to the bus. */
GDBusConnection *cli_bus_connect (const CliBus *bus);

/**
 * cli_bus_become_root: where the test is not run by root, moves it to a user namespace in which it
 * is, since the program under test believes nobody else. To be called while there is one thread.
 *
 * Returns: FALSE where the kernel does not allow that; the tests that need it are then skipped.
 */
gboolean cli_bus_become_root (void);

/** CliRun: what one run of virt-ppc64 gave. */
typedef struct
{
  int code;
  char *out;
  char *err;
} CliRun;

void cli_run_clear (CliRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliRun, cli_run_clear)

/**
 * cli_run: runs virt-ppc64 with the words of @arguments, split as a shell does, while the default
 * main context runs, so that the test itself can play the helper.
 * @bus: (nullable): its system bus; NULL for one that is not there
 */
CliRun cli_run (const CliBus *bus, const char *arguments);

/** cli_data_file: the path of a file in data/, to be freed. */
char *cli_data_file (const char *name);

/** cli_assert_golden: that @text is what data/@name holds. */
void cli_assert_golden (const char *text, const char *name);
