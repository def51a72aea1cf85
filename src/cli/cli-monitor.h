/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * CliMonitor: QEMU's monitor of a guest, by way of libvirt. It takes a connection that may write
 * (libvirt: domain:write), and the first command marks the guest as tainted with "custom-monitor"
 * until it ends (libvirt, src/qemu/qemu_driver.c: qemuDomainQemuMonitorCommandWithFiles): to be
 * used only where the user said so.
 */
typedef struct _CliMonitor CliMonitor;

/**
 * cli_monitor_open: @uri and @domain are as for cli_libvirt_get_xml. Asks nothing yet.
 *
 * Returns: NULL with COMMON_ERROR_LIBVIRT_UNAVAILABLE or COMMON_ERROR_NOT_AUTHORIZED.
 */
CliMonitor *cli_monitor_open (const char *uri, const char *domain, GError **error);
void cli_monitor_free (CliMonitor *monitor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliMonitor, cli_monitor_free)

/** cli_monitor_ask: a HostdevMonitorAsk; @monitor is a CliMonitor. */
char *cli_monitor_ask (const char *command, gpointer monitor, GError **error);
