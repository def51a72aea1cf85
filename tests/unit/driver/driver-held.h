/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "driver-fake-helper.h"
#include "driver-fixture.h"
#include "driver-frames.h"
#include "driver/driver-transaction.h"

/**
 * TestHeld: a relay with transactions, and an open connection: the test plays the client, libvirt
 * and the helper.
 */
typedef struct
{
  TestRelay relay;
  TestHelper *fake;
  DriverHelper *helper;
  DriverDomains domains;
  DriverTransactions *transactions;
  GMutex lock; /* of what a worker reads */
  char *xml;   /* what libvirt says of the guest; NULL: there is no such domain */
  gboolean unavailable;
  guint lookups;
  const char *const *network; /* what libvirt says of any network; NULL: there is none */
  DriverOfferFunc offer;      /* NULL: driver_transactions_offer */
  const char *metadata;       /* of the guest, XML; NULL: none; for test_held_set_guest */
} TestHeld;

/* Procedures that have flags. */
#define ATTACH       160
#define DETACH       161
#define DETACH_ALIAS 392
#define LIVE         1

typedef enum
{
  RUNNING = 1 << 0,
  STOPPED = 1 << 1,
  TCG = 1 << 2,
  NO_PHB = 1 << 3,
  S390X = 1 << 4
} TestGuest;

/* As libvirt shows a device that the guest has. */
#define GIVEN                                                                                      \
  "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0001' "           \
  "bus='0x01' slot='0x00' function='0x0'/></source><alias name='hostdev0'/><address type='pci' "   \
  "domain='0x0000' bus='0x01' slot='0x01' function='0x0'/></hostdev>"
#define GIVEN_SIBLING                                                                              \
  "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0001' "           \
  "bus='0x01' slot='0x00' function='0x1'/></source><alias name='hostdev1'/><address type='pci' "   \
  "domain='0x0000' bus='0x01' slot='0x02' function='0x0'/></hostdev>"

/** test_held_set_up, test_held_tear_down: of a GTest fixture. The grace for leases is one second.
 */
void test_held_set_up (TestHeld *self, gconstpointer data);
void test_held_tear_down (TestHeld *self, gconstpointer data);

/** test_held_set_guest: what libvirt's XML says from now on; @devices is XML. */
void test_held_set_guest (TestHeld *self, TestGuest guest, const char *devices);
void test_held_set_unavailable (TestHeld *self, gboolean unavailable);

/** test_held_expect_forwarded: the call comes to libvirt, as it was, with these calls of the helper
 * before it; takes @call, and clears the log. */
void test_held_expect_forwarded (TestHeld *self, GBytes *call, const char *log);

/** test_held_expect_error: the next frame to the client is an error, the reply to that call, with
 * that code (virErrorNumber) and those words in it. */
void test_held_expect_error (TestHeld *self, guint32 serial, int code, const char *words);

/* For test_wait, of a DriverTransactions and of a TestHelper. */
gboolean test_held_is_idle (gpointer transactions);
gboolean test_held_has_no_lease (gpointer fake);
gboolean test_held_is_committed (gpointer fake);
