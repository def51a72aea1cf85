/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * Frames as a client and a daemon of libvirt's make them, byte by byte, without the code that is
 * tested.
 */
#define TEST_UUID "5bd1dc5d-9a3f-4c62-8d4b-70773970c640"

#define TEST_HOSTDEV_XML(bus_domain, function)                                                     \
  "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='" bus_domain        \
  "' bus='0x01' slot='0x00' function='" function "'/></source></hostdev>"
#define TEST_HOSTDEV  TEST_HOSTDEV_XML ("0x0001", "0x0")
#define TEST_HOSTDEV2 TEST_HOSTDEV_XML ("0x0002", "0x0")
#define TEST_DISK     "<disk type='file'><source file='/x'/><target dev='vdb'/></disk>"

void test_put_u32 (GByteArray *bytes, guint32 value);
void test_put_string (GByteArray *bytes, const char *text);

/** test_frame: header and payload (NULL: none; freed). */
GBytes *test_frame (guint32 program, guint32 procedure, guint32 type, guint32 serial,
                    guint32 status, GByteArray *payload);

/** test_device_call: one of the five; @flags only where the procedure has them. */
GBytes *test_device_call (guint32 procedure, guint32 serial, const char *device, guint32 flags);

/** test_reply: an empty one, OK, to a call of the remote program. */
GBytes *test_reply (guint32 procedure, guint32 serial);
/** test_error: an error reply with that message. */
GBytes *test_error (guint32 procedure, guint32 serial, const char *message);
/** test_error_of: the same, with that code (virErrorNumber). */
GBytes *test_error_of (guint32 procedure, guint32 serial, int code, const char *message);
/** test_open: the call of CONNECT_OPEN. */
GBytes *test_open (guint32 serial);
/** test_ping: of the keepalive program; @procedure 1: ping, 2: pong. */
GBytes *test_keepalive (guint32 procedure);
