/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "driver/driver-relay.h"

/**
 * TestRelay: a relay in this process, between a client and a daemon that the test plays both. One
 * thread: what waits runs the main loop meanwhile, so nothing may block.
 */
typedef struct
{
  char *directory;
  char *path; /* where clients connect */
  int upstream;
  DriverRelay *relay;
  int client; /* a connection, -1: closed by the test */
  int server;
} TestRelay;

/** test_relay_start: with one connection, not opened yet. */
void test_relay_start (TestRelay *self, DriverOfferFunc offer, gpointer data);
/** test_relay_connect: one more connection. */
void test_relay_connect (TestRelay *self, int *client, int *server);
void test_relay_stop (TestRelay *self);
/** test_relay_open: CONNECT_OPEN, and its success. */
void test_relay_open (TestRelay *self);

/** test_wait: runs the main loop until @condition (@data); fails after ten seconds. */
void test_wait (gboolean (*condition) (gpointer data), gpointer data);
/** test_run_for: runs the main loop for that long. */
void test_run_for (guint milliseconds);

void test_send (int fd, GBytes *frame); /* takes the frame */
/** test_receive: the next frame that comes. */
GBytes *test_receive (int fd);
/** test_expect_bytes: these come next, which may be a part of a frame; takes them. */
void test_expect_bytes (int fd, GBytes *bytes);
/** test_expect: the next frame is that one; takes it. */
void test_expect (int fd, GBytes *frame);
/** test_expect_none: for a while, nothing comes, and the connection stays. */
void test_expect_none (int fd);
/** test_expect_end: the peer closes the connection, without another byte. */
void test_expect_end (int fd);

/** test_count_fds: descriptors of this process. */
guint test_count_fds (void);
