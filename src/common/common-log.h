/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * Logging of the daemons: structured, to the journal where stderr is one, else to stderr. The
 * fields beside MESSAGE are PCI_ADDRESS, DOMAIN_UUID and LEASE, so that `journalctl
 * PCI_ADDRESS=0000:01:00.0` tells a device's whole story.
 */

/** common_log_init: @program is the log's identifier; @verbose lets debug messages through. */
void common_log_init (const char *program, gboolean verbose);

/** common_log_mark: from now on each message begins with @mark and a colon. */
void common_log_mark (const char *mark);

/**
 * common_log_lease: logs a message that is about a lease, a device or a guest. @address,
 * @domain_uuid and @lease may each be NULL.
 */
void common_log_lease (GLogLevelFlags level, const char *address, const char *domain_uuid,
                       const char *lease, const char *format, ...) G_GNUC_PRINTF (5, 6);

/* The most fields of common_log_event. */
#define COMMON_LOG_MAX_FIELDS 16

/**
 * common_log_event: logs a message with whatever fields. @fields: names and values in turn, NULL
 * after the last; a value that is NULL, or empty, is left out with its name. MESSAGE_ID names the
 * entry of the catalog (data/ppc64-kvmhelper.catalog) that explains it.
 */
void common_log_event (GLogLevelFlags level, const char *const *fields, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
