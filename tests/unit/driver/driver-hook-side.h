/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver-fake-helper.h"
#include "driver-fixture.h"
#include "driver-frames.h"
#include "driver/driver-hook-protocol.h"
#include "driver/driver-hook.h"
#include "driver/driver-sockets.h"

/**
 * TestHook: the hook program as libvirt runs it, and the driver's side of it in this process.
 */
typedef struct
{
  char *directory, *path;
  int fds[DRIVER_SOCKET_LAST];
  TestHelper *fake;
  DriverHelper *helper;
  DriverDomains domains;
  DriverTransactions *transactions;
  DriverHook *hook;
} TestHook;

/** Of a GTest fixture. */
void test_hook_set_up (TestHook *self, gconstpointer data);
void test_hook_tear_down (TestHook *self, gconstpointer data);

/** test_hook_xml: a pSeries guest, of that domain type. */
char *test_hook_xml (const char *type, const char *metadata, const char *devices);

/** test_hook_run: runs the hook program, with that on stdin; returns the exit status. */
int test_hook_run (const char *socket, const char *operation, const char *xml, char **message);

/** test_hook_check: the same, and what it says (NULL: nothing) and had the helper do. */
void test_hook_check (TestHook *self, const char *operation, const char *xml, int status,
                      const char *words, const char *log);
