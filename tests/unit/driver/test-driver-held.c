/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver-held.h"

static GBytes *
attach (guint32 serial)
{
  return test_device_call (ATTACH, serial, TEST_HOSTDEV, LIVE);
}

/* Passes without anybody being asked. */
static void
check_passes (TestHeld *self, GBytes *call)
{
  guint before = self->lookups;

  test_send (self->relay.client, g_bytes_ref (call));
  test_held_expect_forwarded (self, call, "");
  g_assert_cmpuint (self->lookups, ==, before);
}

static void
test_none_of_ours (TestHeld *self, gconstpointer data)
{
  check_passes (self, test_device_call (ATTACH, 2, TEST_DISK, LIVE));
  check_passes (self, test_device_call (8, 3, TEST_DISK, 0));
  check_passes (self, test_device_call (DETACH, 4, TEST_DISK, LIVE));
  check_passes (self, test_device_call (DETACH_ALIAS, 5, "virtio-disk0", LIVE));
  check_passes (self, test_device_call (ATTACH, 6, TEST_HOSTDEV, 2));
  check_passes (self, test_device_call (ATTACH, 7, "<hostdev", LIVE));
  check_passes (self, test_device_call (174, 8, TEST_DISK, LIVE));
  /* Device XML beyond any bound. */
  g_autofree char *huge = g_strnfill (300 * 1024, ' ');
  memcpy (huge, TEST_HOSTDEV, strlen (TEST_HOSTDEV));
  check_passes (self, test_device_call (ATTACH, 9, huge, LIVE));
}

static void
test_other_guests (TestHeld *self, gconstpointer data)
{
  static const TestGuest guests[] = { TCG, STOPPED, S390X };

  for (gsize i = 0; i < G_N_ELEMENTS (guests); i++)
    {
      test_held_set_guest (self, guests[i], "");
      test_send (self->relay.client, attach (2));
      test_held_expect_forwarded (self, attach (2), "");
      test_send (self->relay.server, test_error (ATTACH, 2, "as libvirt says"));
      test_expect (self->relay.client, test_error (ATTACH, 2, "as libvirt says"));
    }
  g_free (self->xml);
  self->xml = NULL;
  test_send (self->relay.client, attach (3));
  test_held_expect_forwarded (self, attach (3), "");
}

/* An s390x guest has plans (virt-ppc64 plan), and no transactions: not even where its metadata
 * require what it cannot have, and no helper is there. */
static void
test_s390x (TestHeld *self, gconstpointer data)
{
  static const guint32 procedures[] = { ATTACH, DETACH };

  self->metadata = "<metadata><p:passthrough "
                   "xmlns:p='http://libvirt.org/schemas/domain/ppc64/1.0' xive='required'/>"
                   "</metadata>";
  test_helper_leave (self->fake);
  for (gsize i = 0; i < G_N_ELEMENTS (procedures); i++)
    {
      test_held_set_guest (self, S390X, procedures[i] == DETACH ? GIVEN : "");
      test_send (self->relay.client, test_device_call (procedures[i], 2, TEST_HOSTDEV, LIVE));
      test_held_expect_forwarded (self, test_device_call (procedures[i], 2, TEST_HOSTDEV, LIVE),
                                  "");
      test_send (self->relay.server, test_error (procedures[i], 2, "as libvirt says"));
      test_expect (self->relay.client, test_error (procedures[i], 2, "as libvirt says"));
    }
  test_helper_come (self->fake);
}

static void
test_not_opened (TestHeld *self, gconstpointer data)
{
  int client, server;

  test_relay_connect (&self->relay, &client, &server);
  test_send (client, attach (0));
  test_expect (server, attach (0));
  /* libvirt refused it: it is not opened. */
  test_send (client, test_open (1));
  test_expect (server, test_open (1));
  test_send (server, test_error (1, 1, "authentication failed"));
  test_expect (client, test_error (1, 1, "authentication failed"));
  test_send (client, attach (2));
  test_expect (server, attach (2));
  g_assert_cmpuint (self->lookups, ==, 0);
  close (client);
  close (server);
}

static void
test_attach (TestHeld *self, gconstpointer data)
{
  test_helper_hold (self->fake);
  test_send (self->relay.client, attach (2));
  test_wait (test_helper_is_holding, self->fake);

  /* Everything else passes meanwhile, in both directions. */
  test_expect_none (self->relay.server);
  test_send (self->relay.client, test_keepalive (1));
  test_expect (self->relay.server, test_keepalive (1));
  test_send (self->relay.server, test_keepalive (2));
  test_expect (self->relay.client, test_keepalive (2));
  test_send (self->relay.client, test_device_call (ATTACH, 3, TEST_DISK, LIVE));
  test_expect (self->relay.server, test_device_call (ATTACH, 3, TEST_DISK, LIVE));
  test_send (self->relay.server, test_reply (ATTACH, 3));
  test_expect (self->relay.client, test_reply (ATTACH, 3));

  test_helper_go (self->fake);
  test_held_expect_forwarded (self, attach (2), "GetHost Prepare(0001:01:00.0,auto)");
  test_send (self->relay.server, test_reply (ATTACH, 2));
  test_expect (self->relay.client, test_reply (ATTACH, 2));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Commit(L1)");
}

/* A frame that is half through when the call is let go: the call comes behind it. */
static void
test_attach_between (TestHeld *self, gconstpointer data)
{
  g_autoptr (GBytes) other = test_device_call (16, 3, TEST_DISK, 0);
  gsize length;
  const guint8 *bytes = g_bytes_get_data (other, &length);

  test_helper_hold (self->fake);
  test_send (self->relay.client, attach (2));
  test_wait (test_helper_is_holding, self->fake);
  test_send (self->relay.client, g_bytes_new (bytes, 40));
  test_expect_bytes (self->relay.server, g_bytes_new (bytes, 40));
  test_helper_go (self->fake);
  test_run_for (50);
  test_send (self->relay.client, g_bytes_new (bytes + 40, length - 40));
  test_expect_bytes (self->relay.server, g_bytes_new (bytes + 40, length - 40));
  test_expect (self->relay.server, attach (2));
  test_send (self->relay.server, test_reply (ATTACH, 2));
  test_expect (self->relay.client, test_reply (ATTACH, 2));
}

static void
test_refusals (TestHeld *self, gconstpointer data)
{
  test_held_set_guest (self, NO_PHB, "");
  test_send (self->relay.client, attach (2));
  test_held_expect_error (self, 2, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported configuration: ");
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "GetHost");

  test_held_set_guest (self, RUNNING, "");
  test_helper_fail_prepare (self->fake, "0001:01:00.0");
  test_send (self->relay.client, attach (3));
  test_held_expect_error (self, 3, VIR_ERR_OPERATION_FAILED, "operation failed: EEH said no.");
  test_helper_fail_prepare (self->fake, NULL);

  test_helper_leave (self->fake);
  test_send (self->relay.client, attach (4));
  test_held_expect_error (self, 4, VIR_ERR_OPERATION_INVALID, "systemctl status ppc64-kvmhelper");
  /* A guest that is none of ours does not need it. */
  test_held_set_guest (self, TCG, "");
  test_send (self->relay.client, attach (5));
  test_expect (self->relay.server, attach (5));
  test_helper_come (self->fake);

  test_held_set_unavailable (self, TRUE);
  test_send (self->relay.client, attach (6));
  test_held_expect_error (self, 6, VIR_ERR_OPERATION_INVALID, "libvirt is gone.");
  test_held_set_unavailable (self, FALSE);

  /* libvirt saw none of the refused ones, and all goes on. */
  test_send (self->relay.client, test_keepalive (1));
  test_expect (self->relay.server, test_keepalive (1));
}

/* An error, and nothing was attached. */
static void
test_error_undone (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, attach (2));
  test_expect (self->relay.server, attach (2));
  test_helper_clear_log (self->fake);
  test_send (self->relay.server, test_error (ATTACH, 2, "QEMU said no"));
  test_expect (self->relay.client, test_error (ATTACH, 2, "QEMU said no"));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Release(L1)");
}

/* An error, and the guest has it all the same. */
static void
test_error_kept (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, attach (2));
  test_expect (self->relay.server, attach (2));
  test_helper_clear_log (self->fake);
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.server, test_error (ATTACH, 2, "cannot save the configuration"));
  test_expect (self->relay.client, test_error (ATTACH, 2, "cannot save the configuration"));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "Commit(L1)");
}

/* An error for one function, where the guest has its sibling: the group stays. */
static void
test_error_sibling (TestHeld *self, gconstpointer data)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "active", 100);
  test_held_set_guest (self, RUNNING, GIVEN_SIBLING);
  test_send (self->relay.client, attach (2));
  test_expect (self->relay.server, attach (2));
  test_helper_clear_log (self->fake);
  test_send (self->relay.server, test_error (ATTACH, 2, "no"));
  test_expect (self->relay.client, test_error (ATTACH, 2, "no"));
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
}

static void
test_client_gone_held (TestHeld *self, gconstpointer data)
{
  test_helper_hold (self->fake);
  test_send (self->relay.client, attach (2));
  test_wait (test_helper_is_holding, self->fake);
  close (self->relay.client);
  self->relay.client = -1;
  test_expect_end (self->relay.server);
  test_helper_go (self->fake);
  test_wait (test_held_has_no_lease, self->fake);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==,
                   "GetHost Prepare(0001:01:00.0,auto) Release(L1)");
}

/* In the middle of a frame, behind which the call waits that is let go: libvirt never gets it. */
static void
test_client_gone_amid (TestHeld *self, gconstpointer data)
{
  g_autoptr (GBytes) other = test_device_call (16, 3, TEST_DISK, 0);

  test_helper_hold (self->fake);
  test_send (self->relay.client, attach (2));
  test_wait (test_helper_is_holding, self->fake);
  test_send (self->relay.client, g_bytes_new_from_bytes (other, 0, 40));
  test_expect_bytes (self->relay.server, g_bytes_new_from_bytes (other, 0, 40));
  test_helper_go (self->fake);
  test_run_for (50);
  close (self->relay.client);
  self->relay.client = -1;
  test_wait (test_held_has_no_lease, self->fake);
  test_expect_end (self->relay.server);
}

/* A serial that is under way, in a frame that is too long to be kept. */
static void
test_same_serial_long (TestHeld *self, gconstpointer data)
{
  g_autoptr (GBytes) call = attach (2);
  guint8 header[28];

  test_helper_hold (self->fake);
  test_send (self->relay.client, g_bytes_ref (call));
  test_wait (test_helper_is_holding, self->fake);
  memcpy (header, g_bytes_get_data (call, NULL), sizeof header);
  header[0] = 1;
  test_send (self->relay.client, g_bytes_new (header, sizeof header));
  test_expect_end (self->relay.client);
  test_expect_end (self->relay.server);
  test_helper_go (self->fake);
  test_wait (test_held_has_no_lease, self->fake);
}

static void
test_client_gone_forwarded (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, attach (2));
  test_expect (self->relay.server, attach (2));
  close (self->relay.client);
  self->relay.client = -1;
  /* libvirt works on it; the connection lives, as far as it can tell. */
  test_expect_none (self->relay.server);
  test_send (self->relay.server, test_keepalive (1));
  test_expect (self->relay.server, test_keepalive (2));
  test_send (self->relay.server, test_reply (ATTACH, 2));
  test_wait (test_held_is_committed, self->fake);
  test_expect_end (self->relay.server);
}

static void
test_server_gone_forwarded (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, attach (2));
  test_expect (self->relay.server, attach (2));
  close (self->relay.server);
  self->relay.server = -1;
  test_expect_end (self->relay.client);
  /* Not at once: libvirt may work on it still. */
  test_run_for (100);
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
  test_wait (test_held_has_no_lease, self->fake);
}

static void
test_server_gone_attached (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, attach (2));
  test_expect (self->relay.server, attach (2));
  test_held_set_guest (self, RUNNING, GIVEN);
  close (self->relay.server);
  self->relay.server = -1;
  test_wait (test_held_is_committed, self->fake);
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 1);
}

/* Two calls for one guest: one after the other, in order. */
static void
test_serialised (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, attach (2));
  test_send (self->relay.client, test_device_call (ATTACH, 3, TEST_HOSTDEV2, LIVE));
  test_send (self->relay.client, test_device_call (DETACH, 4, TEST_HOSTDEV, LIVE));
  test_held_expect_forwarded (self, attach (2), "GetHost Prepare(0001:01:00.0,auto)");
  test_expect_none (self->relay.server);
  test_send (self->relay.server, test_reply (ATTACH, 2));
  test_expect (self->relay.client, test_reply (ATTACH, 2));
  test_held_set_guest (self, RUNNING, GIVEN);
  test_held_expect_forwarded (self, test_device_call (ATTACH, 3, TEST_HOSTDEV2, LIVE),
                              "Commit(L1) GetHost Prepare(0002:01:00.0,auto)");
  test_expect_none (self->relay.server);
  test_send (self->relay.server, test_error (ATTACH, 3, "no"));
  test_expect (self->relay.client, test_error (ATTACH, 3, "no"));
  test_held_expect_forwarded (self, test_device_call (DETACH, 4, TEST_HOSTDEV, LIVE),
                              "Release(L2)");
  test_held_set_guest (self, RUNNING, "");
  test_send (self->relay.server, test_reply (DETACH, 4));
  test_expect (self->relay.client, test_reply (DETACH, 4));
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 0);
}

/* One client cannot pile up calls without end. */
static void
test_bounded (TestHeld *self, gconstpointer data)
{
  test_helper_hold (self->fake);
  for (guint32 serial = 2; serial < 18; serial++)
    test_send (self->relay.client, attach (serial));
  test_wait (test_helper_is_holding, self->fake);
  test_send (self->relay.client, attach (99));
  test_held_expect_error (self, 99, VIR_ERR_RESOURCE_BUSY, "too many calls");
  close (self->relay.client);
  self->relay.client = -1;
  test_helper_go (self->fake);
  test_wait (test_held_has_no_lease, self->fake);
}

static gboolean
has_no_connection (gpointer relay)
{
  return driver_relay_get_n_connections (relay) == 0;
}

/* Nor can one that reads no answer have them piled up. */
static void
test_bounded_answers (TestHeld *self, gconstpointer data)
{
  g_autoptr (GBytes) call = attach (99);
  const guint8 *bytes = g_bytes_get_data (call, NULL);
  gsize length = g_bytes_get_size (call), at = 0, sent = 0;

  test_helper_hold (self->fake);
  for (guint32 serial = 2; serial < 18; serial++)
    test_send (self->relay.client, attach (serial));
  for (int idle = 0; idle < 200 && sent < 20000;)
    {
      gssize done = send (self->relay.client, bytes + at, length - at, MSG_DONTWAIT | MSG_NOSIGNAL);

      if (done > 0)
        {
          at = (at + (gsize) done) % length;
          sent += at == 0;
          idle = 0;
        }
      else if (!g_main_context_iteration (NULL, FALSE))
        {
          idle++;
          g_usleep (1000);
        }
    }
  g_assert_cmpuint (sent, <, 20000);
  /* Who reads them comes on. */
  test_held_expect_error (self, 99, VIR_ERR_RESOURCE_BUSY, "too many calls");
  close (self->relay.client);
  self->relay.client = -1;
  test_wait (has_no_connection, self->relay.relay);
  test_helper_go (self->fake);
  test_wait (test_held_has_no_lease, self->fake);
}

int
main (int argc, char **argv)
{
#define ADD(name, function)                                                                        \
  g_test_add ("/driver/held/" name, TestHeld, NULL, test_held_set_up, function, test_held_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("none-of-ours", test_none_of_ours);
  ADD ("other-guests", test_other_guests);
  ADD ("s390x", test_s390x);
  ADD ("not-opened", test_not_opened);
  ADD ("attach", test_attach);
  ADD ("attach/between", test_attach_between);
  ADD ("refusals", test_refusals);
  ADD ("error/undone", test_error_undone);
  ADD ("error/kept", test_error_kept);
  ADD ("error/sibling", test_error_sibling);
  ADD ("client-gone/held", test_client_gone_held);
  ADD ("client-gone/amid", test_client_gone_amid);
  ADD ("same-serial/long", test_same_serial_long);
  ADD ("client-gone/forwarded", test_client_gone_forwarded);
  ADD ("server-gone/forwarded", test_server_gone_forwarded);
  ADD ("server-gone/attached", test_server_gone_attached);
  ADD ("serialised", test_serialised);
  ADD ("bounded", test_bounded);
  ADD ("bounded/answers", test_bounded_answers);
  return g_test_run ();
}
