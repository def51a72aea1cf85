/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#include "driver-held.h"

/* A card by the request for one of its functions: 0001:01:00.0 and .1 are one IOMMU group. */

static const char whole_card[]
    = "<metadata><p:passthrough xmlns:p='http://libvirt.org/schemas/domain/ppc64/1.0' "
      "companions='attach'/></metadata>";

#define ZERO TEST_HOSTDEV
#define ONE  TEST_HOSTDEV_XML ("0x0001", "0x1")
#define WITH_ADDRESS                                                                               \
  "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0001' "           \
  "bus='0x01' slot='0x00' "                                                                        \
  "function='0x0'/></source><address type='pci' bus='0x01' slot='0x05'/></hostdev>"

static void
set_up (TestHeld *self, gconstpointer data)
{
  self->metadata = whole_card;
  test_held_set_up (self, data);
}

/* What comes to libvirt next is a call of ours; its serial. */
static guint32
expect_own (TestHeld *self, guint32 procedure, const char *device)
{
  g_autoptr (GBytes) frame = test_receive (self->relay.server);
  DriverFrameHeader header;

  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  g_autoptr (GBytes) expected = test_device_call (procedure, header.serial, device, LIVE);
  g_assert_cmpmem (g_bytes_get_data (frame, NULL), g_bytes_get_size (frame),
                   g_bytes_get_data (expected, NULL), g_bytes_get_size (expected));
  g_assert_cmpuint (header.serial, >, 1000000);
  return header.serial;
}

static void
begin (TestHeld *self, const char *device)
{
  test_send (self->relay.client, test_device_call (ATTACH, 2, device, LIVE));
}

static void
answer_own (TestHeld *self, guint32 procedure, const char *device, const char *then)
{
  guint32 serial = expect_own (self, procedure, device);

  test_held_set_guest (self, RUNNING, then);
  test_send (self->relay.server, test_reply (procedure, serial));
}

static void
fail_own (TestHeld *self, guint32 procedure, const char *device)
{
  guint32 serial = expect_own (self, procedure, device);

  test_send (self->relay.server, test_error (procedure, serial, "no slot is free"));
}

static void
answer (TestHeld *self, const char *device, const char *then)
{
  test_expect (self->relay.server, test_device_call (ATTACH, 2, device, LIVE));
  test_held_set_guest (self, RUNNING, then);
  test_send (self->relay.server, test_reply (ATTACH, 2));
}

static void
expect_attached (TestHeld *self)
{
  test_expect (self->relay.client, test_reply (ATTACH, 2));
  test_expect_none (self->relay.client);
  test_expect_none (self->relay.server);
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
  g_assert_nonnull (strstr (test_helper_get_log (self->fake), "Commit(L1)"));
}

static void
expect_nothing_left (TestHeld *self)
{
  test_wait (test_held_has_no_lease, self->fake);
  test_wait (test_held_is_idle, self->transactions);
  test_expect_none (self->relay.client);
  test_expect_none (self->relay.server);
}

/* Function 0 was asked for, and comes last. */
static void
test_zero (TestHeld *self, gconstpointer data)
{
  begin (self, ZERO);
  answer_own (self, ATTACH, ONE, GIVEN_SIBLING);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "GetHost Prepare(0001:01:00.0,auto)");
  test_expect_none (self->relay.client);
  answer (self, ZERO, GIVEN GIVEN_SIBLING);
  expect_attached (self);
}

/* … also where another was asked for. */
static void
test_one (TestHeld *self, gconstpointer data)
{
  begin (self, ONE);
  answer (self, ONE, GIVEN_SIBLING);
  test_expect_none (self->relay.client);
  answer_own (self, ATTACH, ZERO, GIVEN GIVEN_SIBLING);
  expect_attached (self);
}

/* The client chose its place, which is not to be taken meanwhile. */
static void
test_address (TestHeld *self, gconstpointer data)
{
  begin (self, WITH_ADDRESS);
  answer (self, WITH_ADDRESS, GIVEN);
  test_expect_none (self->relay.client);
  answer_own (self, ATTACH, ONE, GIVEN GIVEN_SIBLING);
  expect_attached (self);
}

static void
test_has_it (TestHeld *self, gconstpointer data)
{
  test_held_set_guest (self, RUNNING, GIVEN_SIBLING);
  begin (self, ZERO);
  answer (self, ZERO, GIVEN GIVEN_SIBLING);
  expect_attached (self);
}

static void
test_first_fails (TestHeld *self, gconstpointer data)
{
  begin (self, ZERO);
  fail_own (self, ATTACH, ONE);
  test_held_expect_error (self, 2, VIR_ERR_OPERATION_FAILED,
                          "0001:01:00.1, which is to come along with 0001:01:00.0, was not "
                          "attached, so that neither is: no slot is free");
  expect_nothing_left (self);
}

static void
test_last_fails (TestHeld *self, gconstpointer data)
{
  begin (self, ONE);
  answer (self, ONE, GIVEN_SIBLING);
  fail_own (self, ATTACH, ZERO);
  answer_own (self, DETACH, ONE, "");
  test_held_expect_error (self, 2, VIR_ERR_OPERATION_FAILED, "no slot is free");
  expect_nothing_left (self);
}

static void
test_wanted_fails (TestHeld *self, gconstpointer data)
{
  begin (self, ZERO);
  answer_own (self, ATTACH, ONE, GIVEN_SIBLING);
  test_expect (self->relay.server, test_device_call (ATTACH, 2, ZERO, LIVE));
  test_send (self->relay.server, test_error (ATTACH, 2, "as libvirt says"));
  answer_own (self, DETACH, ONE, "");
  test_expect (self->relay.client, test_error (ATTACH, 2, "as libvirt says"));
  expect_nothing_left (self);
}

/* An error, and it is attached: so are its companions. */
static void
test_wanted_kept (TestHeld *self, gconstpointer data)
{
  begin (self, ZERO);
  answer_own (self, ATTACH, ONE, GIVEN_SIBLING);
  test_expect (self->relay.server, test_device_call (ATTACH, 2, ZERO, LIVE));
  test_held_set_guest (self, RUNNING, GIVEN GIVEN_SIBLING);
  test_send (self->relay.server, test_error (ATTACH, 2, "it could not be saved"));
  test_expect (self->relay.client, test_error (ATTACH, 2, "it could not be saved"));
  test_wait (test_held_is_committed, self->fake);
  test_expect_none (self->relay.server);
}

/* Required, and not met: all of the card goes. */
static void
test_unmet (TestHeld *self, gconstpointer data)
{
  self->metadata = "<metadata><p:passthrough xmlns:p='http://libvirt.org/schemas/domain/ppc64/1.0' "
                   "companions='attach' eeh='required'/></metadata>";
  test_held_set_guest (self, RUNNING, "");
  test_helper_set_eeh (self->fake, "unavailable");
  begin (self, ZERO);
  answer_own (self, ATTACH, ONE, GIVEN_SIBLING);
  answer (self, ZERO, GIVEN GIVEN_SIBLING);
  answer_own (self, DETACH, ZERO, GIVEN_SIBLING);
  answer_own (self, DETACH, ONE, "");
  test_held_expect_error (self, 2, VIR_ERR_CONFIG_UNSUPPORTED, "requires EEH for 0001:01:00.0");
  expect_nothing_left (self);
}

/* In the middle of it: nothing of the card stays. */
static void
test_client_gone (TestHeld *self, gconstpointer data)
{
  guint32 serial;

  begin (self, ZERO);
  serial = expect_own (self, ATTACH, ONE);
  close (self->relay.client);
  self->relay.client = -1;
  test_expect_none (self->relay.server);
  test_held_set_guest (self, RUNNING, GIVEN_SIBLING);
  test_send (self->relay.server, test_reply (ATTACH, serial));
  answer_own (self, DETACH, ONE, "");
  test_wait (test_held_has_no_lease, self->fake);
  test_expect_end (self->relay.server);
}

/* The XML decides. */
static void
test_server_gone (TestHeld *self, gconstpointer data)
{
  begin (self, ZERO);
  expect_own (self, ATTACH, ONE);
  close (self->relay.server);
  self->relay.server = -1;
  test_expect_end (self->relay.client);
  test_wait (test_held_has_no_lease, self->fake);
}

static void
attach_both (TestHeld *self)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "active", 100);
  test_held_set_guest (self, RUNNING, GIVEN GIVEN_SIBLING);
}

static void
test_detach (TestHeld *self, gconstpointer alias)
{
  guint32 procedure = alias != NULL ? DETACH_ALIAS : DETACH;
  const char *device = alias != NULL ? alias : ONE;

  attach_both (self);
  test_send (self->relay.client, test_device_call (procedure, 3, device, LIVE));
  test_expect (self->relay.server, test_device_call (procedure, 3, device, LIVE));
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.server, test_reply (procedure, 3));
  answer_own (self, DETACH, ZERO, "");
  test_expect (self->relay.client, test_reply (procedure, 3));
  expect_nothing_left (self);
}

/* libvirt refused: nothing of it goes. */
static void
test_detach_refused (TestHeld *self, gconstpointer data)
{
  attach_both (self);
  test_send (self->relay.client, test_device_call (DETACH, 3, ONE, LIVE));
  test_expect (self->relay.server, test_device_call (DETACH, 3, ONE, LIVE));
  test_send (self->relay.server, test_error (DETACH, 3, "as libvirt says"));
  test_expect (self->relay.client, test_error (DETACH, 3, "as libvirt says"));
  test_expect_none (self->relay.server);
}

/* What libvirt does not take as well stays, and the client has what it asked for. */
static void
test_detach_kept (TestHeld *self, gconstpointer data)
{
  attach_both (self);
  test_send (self->relay.client, test_device_call (DETACH, 3, ONE, LIVE));
  test_expect (self->relay.server, test_device_call (DETACH, 3, ONE, LIVE));
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.server, test_reply (DETACH, 3));
  fail_own (self, DETACH, ZERO);
  test_expect (self->relay.client, test_reply (DETACH, 3));
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
}

/* Without the policy each function is by itself. */
static void
test_left (TestHeld *self, gconstpointer data)
{
  self->metadata = NULL;
  test_held_set_guest (self, RUNNING, "");
  begin (self, ZERO);
  answer (self, ZERO, GIVEN);
  expect_attached (self);
  test_held_set_guest (self, RUNNING, GIVEN GIVEN_SIBLING);
  test_send (self->relay.client, test_device_call (DETACH, 3, ONE, LIVE));
  test_expect (self->relay.server, test_device_call (DETACH, 3, ONE, LIVE));
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.server, test_reply (DETACH, 3));
  test_expect (self->relay.client, test_reply (DETACH, 3));
  test_expect_none (self->relay.server);
}

int
main (int argc, char **argv)
{
#define ADD(name, data, function)                                                                  \
  g_test_add ("/driver/companions/" name, TestHeld, data, set_up, function, test_held_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("zero", NULL, test_zero);
  ADD ("one", NULL, test_one);
  ADD ("address", NULL, test_address);
  ADD ("has-it", NULL, test_has_it);
  ADD ("first-fails", NULL, test_first_fails);
  ADD ("last-fails", NULL, test_last_fails);
  ADD ("wanted-fails", NULL, test_wanted_fails);
  ADD ("wanted-kept", NULL, test_wanted_kept);
  ADD ("unmet", NULL, test_unmet);
  ADD ("client-gone", NULL, test_client_gone);
  ADD ("server-gone", NULL, test_server_gone);
  ADD ("detach/xml", NULL, test_detach);
  ADD ("detach/alias", "hostdev1", test_detach);
  ADD ("detach/refused", NULL, test_detach_refused);
  ADD ("detach/kept", NULL, test_detach_kept);
  ADD ("left", NULL, test_left);
  return g_test_run ();
}
