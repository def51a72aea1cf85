/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * TestDaemon: a libvirtd of the test's own, as an ordinary user, with all that it keeps in a
 * directory that goes away with it; and virtppc64d before it.
 */
typedef struct
{
  const char *config; /* libvirtd.conf; NULL: none */
  char *directory;
  char *sockets; /* libvirtd's own */
  char *relayed; /* virtppc64d's */
  GSubprocess *libvirtd;
  GSubprocess *driver;
} TestDaemon;

/** test_daemon_installed: FALSE where this machine has no libvirtd. */
gboolean test_daemon_installed (void);

void test_daemon_start (TestDaemon *self);
/** test_daemon_start_with: in the place of virtppc64d, `PROGRAM ROLE LISTEN-DIR UPSTREAM-DIR`. */
void test_daemon_start_with (TestDaemon *self, const char *program, const char *role);
void test_daemon_stop (TestDaemon *self);

/** Of them, libvirtd alone, as it is restarted. */
void test_daemon_start_libvirtd (TestDaemon *self);
void test_daemon_kill_libvirtd (TestDaemon *self);

/** test_daemon_uri: of @scheme ("test", "qemu") and @path, through virtppc64d or beside it. */
char *
test_daemon_uri (const TestDaemon *self, const char *scheme, const char *path, gboolean relayed);

/** What else is beside them is made of these: a child that is who libvirtd is, with all that it
 * keeps in @directory; @path is given to that user; until libvirt-sock is in @directory; @directory
 * with all that is in it is gone. */
void test_daemon_set_up (GSubprocessLauncher *launcher, const char *directory);
void test_daemon_give (const char *path);
void test_daemon_wait (const char *directory);
void test_daemon_remove_tree (const char *directory);

/** test_virsh: what `virsh -c URI COMMAND` prints, on both; @status is how it ends. */
char *test_virsh (const char *uri, const char *command, int *status);
