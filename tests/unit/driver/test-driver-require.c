/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#include "driver-held.h"

static const char required[]
    = "<metadata><p:passthrough xmlns:p='http://libvirt.org/schemas/domain/ppc64/1.0' "
      "eeh='required'/></metadata>";

static GBytes *
attach (guint32 procedure, guint32 serial)
{
  return test_device_call (procedure, serial, TEST_HOSTDEV, LIVE);
}

/* libvirt has attached the device, and is asked to detach it: the serial of that call. */
static guint32
expect_undo (TestHeld *self, guint32 procedure, guint32 undo)
{
  DriverFrameHeader header;

  test_send (self->relay.client, attach (procedure, 2));
  test_held_expect_forwarded (self, attach (procedure, 2), "GetHost Prepare(0001:01:00.0,auto)");
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.server, test_reply (procedure, 2));
  g_autoptr (GBytes) frame = test_receive (self->relay.server);
  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  g_autoptr (GBytes) expected = attach (undo, header.serial);
  g_assert_true (g_bytes_equal (frame, expected));
  g_assert_cmpuint (header.serial, >, 1000000);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Commit(L1)");
  test_helper_clear_log (self->fake);
  return header.serial;
}

static void
set_up (TestHeld *self, gconstpointer data)
{
  self->metadata = required;
  test_held_set_up (self, data);
  test_helper_set_eeh (self->fake, "unavailable");
}

static void
test_met (TestHeld *self, gconstpointer eeh)
{
  test_helper_set_eeh (self->fake, eeh);
  test_send (self->relay.client, attach (ATTACH, 2));
  test_expect (self->relay.server, attach (ATTACH, 2));
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.server, test_reply (ATTACH, 2));
  test_expect (self->relay.client, test_reply (ATTACH, 2));
  test_expect_none (self->relay.server);
}

static void
check_unmet (TestHeld *self, guint32 procedure, guint32 undo)
{
  guint32 serial = expect_undo (self, procedure, undo);

  test_expect_none (self->relay.client);
  test_held_set_guest (self, RUNNING, "");
  test_send (self->relay.server, test_reply (undo, serial));
  test_held_expect_error (self, 2, VIR_ERR_CONFIG_UNSUPPORTED, "requires EEH for 0001:01:00.0");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 0);
  test_expect_none (self->relay.client);
}

static void
test_unmet (TestHeld *self, gconstpointer data)
{
  check_unmet (self, ATTACH, DETACH);
}

static void
test_unmet_plain (TestHeld *self, gconstpointer data)
{
  check_unmet (self, 8, 13);
}

static void
test_unmet_kept (TestHeld *self, gconstpointer data)
{
  guint32 serial = expect_undo (self, ATTACH, DETACH);

  test_send (self->relay.server, test_error (DETACH, serial, "the guest is busy"));
  test_held_expect_error (self, 2, VIR_ERR_CONFIG_UNSUPPORTED, "(the guest is busy): detach it");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
}

/* It was asked, and takes its time: the lease says so. */
static void
test_unmet_slow (TestHeld *self, gconstpointer data)
{
  guint32 serial = expect_undo (self, ATTACH, DETACH);

  test_send (self->relay.server, test_reply (DETACH, serial));
  test_held_expect_error (self, 2, VIR_ERR_CONFIG_UNSUPPORTED, "asked to give it back");
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Release(L1)");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
}

/* Nobody waits for it any more; it is undone all the same. */
static void
test_unmet_client_gone (TestHeld *self, gconstpointer data)
{
  guint32 serial = expect_undo (self, ATTACH, DETACH);

  close (self->relay.client);
  self->relay.client = -1;
  test_expect_none (self->relay.server);
  test_held_set_guest (self, RUNNING, "");
  test_send (self->relay.server, test_reply (DETACH, serial));
  test_wait (test_held_has_no_lease, self->fake);
  test_expect_end (self->relay.server);
}

static void
test_unmet_server_gone (TestHeld *self, gconstpointer data)
{
  expect_undo (self, ATTACH, DETACH);
  close (self->relay.server);
  self->relay.server = -1;
  test_expect_end (self->relay.client);
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
}

int
main (int argc, char **argv)
{
#define ADD(name, data, function)                                                                  \
  g_test_add ("/driver/require/" name, TestHeld, data, set_up, function, test_held_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("met", "enabled", test_met);
  ADD ("unknown", "unknown", test_met);
  ADD ("unmet", NULL, test_unmet);
  ADD ("unmet/plain", NULL, test_unmet_plain);
  ADD ("unmet/kept", NULL, test_unmet_kept);
  ADD ("unmet/slow", NULL, test_unmet_slow);
  ADD ("unmet/client-gone", NULL, test_unmet_client_gone);
  ADD ("unmet/server-gone", NULL, test_unmet_server_gone);
  return g_test_run ();
}
