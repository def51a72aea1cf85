/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * CliSession: a guest of the user's own (qemu:///session), as far as a grant needs to know it: who
 * it is, how much memory it has to lock, and the process that this is for: its QEMU; or, before it
 * runs, the session's daemon, whose limits QEMU will have.
 *
 * libvirt tells no process of a guest. Both daemon and QEMU leave their PID in the user's runtime
 * directory; whether the process is what it is taken for is looked at once it is held.
 */
typedef struct
{
  char *uuid;
  char *name;
  guint64 memory; /* bytes, as RLIMIT_MEMLOCK */
  gboolean running;
  int process; /* pidfd_open */
} CliSession;

/* The guests of whoever calls. */
#define CLI_SESSION_URI "qemu:///session"

/**
 * cli_session_find: the domain @name (or UUID) of the libvirt at @uri.
 *
 * Returns: NULL with errors of cli_libvirt_get_xml and hostdev_domain_new_from_xml, or
 * COMMON_ERROR_NOT_PSERIES_KVM, or COMMON_ERROR_INVALID_ARGUMENT where its process cannot be found.
 */
CliSession *cli_session_find (const char *uri, const char *name, GError **error);

/**
 * cli_session_of_process: a guest that no libvirt knows, by the PID of its QEMU, whose command line
 * has -uuid, and how much memory that has to lock.
 */
CliSession *cli_session_of_process (const char *name, guint pid, guint64 memory, GError **error);

void cli_session_free (CliSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliSession, cli_session_free)
