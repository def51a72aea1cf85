/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver-fixture.h"
#include "driver-frames.h"
#include "driver/driver-opening.h"

/**
 * Door: how a client comes in, with a libvirtd and a polkit that the test plays.
 */
#define REMOTE   0x20008086u
#define OWN      0x70700064u
#define NOBODY   65534
#define TYPES    66
#define POLKIT   70
#define IDENTIFY 419
#define LOOK     60
#define HOSTNAME 59
#define ATTACH   8

typedef struct
{
  char *directory, *path, *upstream_path;
  int upstream;
  DriverAccess *access;
  DriverRelay *relay;
  DriverBounds *bounds; /* the relay's; NULL: none */
  int client, server;
  guint offered;
  gboolean limited; /* the last one that was offered: libvirt may refuse it to the client */
  guint32 user;     /* its */
  char *peer;

  GMutex lock; /* of what follows */
  guint asked;
  gboolean asked_read_only;
  gboolean patient; /* no answer, until the socket is shut down */
  guint left;
  gboolean fails;
  DriverVerdict verdict;
} Door;

/** Of a GTest fixture: one client, of the user nobody; @read_only: by that socket where not NULL.
 */
void test_door_set_up (Door *self, gconstpointer read_only);
void test_door_tear_down (Door *self, gconstpointer data);

/** test_door_connect_as: another client, of the user @uid where the test is root. */
void test_door_connect_as (Door *self, uid_t uid);
void test_door_leave (Door *self);
/** test_door_demand: libvirt says what it demands of virtppc64d. */
void test_door_demand (Door *self, guint32 type);
/** test_door_exchange: a call and its reply, which both pass. */
void test_door_exchange (Door *self, guint32 procedure, guint32 serial);
/** test_door_receive_identity: that which libvirt is told. */
char *test_door_receive_identity (Door *self);
/** test_door_open: CONNECT_OPEN, with all that belongs to it. */
void test_door_open (Door *self);
/** test_door_set_verdict: polkit's; @fails: it cannot be asked. */
void test_door_set_verdict (Door *self, DriverVerdict verdict, gboolean fails);

/** test_pass: a frame passes as it is; takes it. */
void test_pass (int from, int to, GBytes *frame);
/** test_expect_error: the next frame is an error, the reply to that call. */
void test_expect_error (int fd, guint32 procedure, guint32 serial, int expected, const char *words);
/** test_plain: a call without arguments; test_with_fds: the same, which announces descriptors. */
GBytes *test_plain (guint32 procedure, guint32 serial);
GBytes *test_with_fds (guint32 procedure, guint32 serial);
/** test_types: the reply to AUTH_LIST. */
GBytes *test_types (guint32 serial, guint32 type);
