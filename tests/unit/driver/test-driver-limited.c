/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

#include "driver-held.h"
#include "driver/driver-rights.h"

/* Clients to whom libvirt's access control may refuse what it allows to others. */

#define NO_DEVICE "<" DRIVER_RIGHTS_DEVICE "/>"
#define NVME      "<disk type='nvme'><source type='pci' namespace='1'/><target dev='vdb'/></disk>"
#define SAVE      2
#define FORCE     4

static gboolean
offer (DriverCall *call, gpointer transactions)
{
  driver_call_set_user (call, 1000, TRUE);
  return driver_transactions_offer (call, transactions);
}

static void
set_up (TestHeld *self, gconstpointer data)
{
  self->offer = offer;
  test_held_set_up (self, data);
}

/* Before anything else is done: the serial of the question. */
static guint32
expect_question (TestHeld *self, guint32 procedure, guint32 flags)
{
  g_autoptr (GBytes) frame = test_receive (self->relay.server);
  DriverFrameHeader header;

  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  g_autoptr (GBytes) expected = test_device_call (procedure, header.serial, NO_DEVICE, flags);
  g_assert_true (g_bytes_equal (frame, expected));
  g_assert_cmpuint (header.serial, >, 1000000);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
  return header.serial;
}

static void
check_allowed (TestHeld *self, guint32 procedure, guint32 flags)
{
  guint32 serial;

  test_send (self->relay.client, test_device_call (procedure, 2, TEST_HOSTDEV, flags));
  serial = expect_question (self, procedure, flags);
  test_send (self->relay.server,
             test_error_of (procedure, serial, VIR_ERR_CONFIG_UNSUPPORTED, "unknown device type"));
  test_held_expect_forwarded (self, test_device_call (procedure, 2, TEST_HOSTDEV, flags),
                              "GetHost Prepare(0001:01:00.0,auto)");
  test_held_set_guest (self, RUNNING, GIVEN);
  test_send (self->relay.server, test_reply (procedure, 2));
  test_expect (self->relay.client, test_reply (procedure, 2));
  test_wait (test_held_is_committed, self->fake);
  test_expect_none (self->relay.client);
}

static void
test_allowed (TestHeld *self, gconstpointer data)
{
  check_allowed (self, ATTACH, LIVE);
}

static void
test_allowed_save (TestHeld *self, gconstpointer data)
{
  check_allowed (self, ATTACH, LIVE | SAVE);
}

static void
test_allowed_plain (TestHeld *self, gconstpointer data)
{
  check_allowed (self, 8, 0);
}

/* libvirt's own words, and nothing was done; also for a device of which there would have been
   something else to say. */
static void
check_refused (TestHeld *self, const char *device, int code)
{
  guint32 serial;

  test_send (self->relay.client, test_device_call (ATTACH, 3, device, LIVE));
  serial = expect_question (self, ATTACH, LIVE);
  test_send (self->relay.server, test_error_of (ATTACH, serial, code, "as libvirt says"));
  test_expect (self->relay.client, test_error_of (ATTACH, 3, code, "as libvirt says"));
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
  test_expect_none (self->relay.server);
}

static void
test_refused (TestHeld *self, gconstpointer data)
{
  static const int codes[]
      = { VIR_ERR_ACCESS_DENIED, VIR_ERR_AUTH_FAILED, VIR_ERR_INTERNAL_ERROR, VIR_ERR_NO_DOMAIN };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    check_refused (self, TEST_HOSTDEV, codes[i]);
  check_refused (self, TEST_HOSTDEV_XML ("0x0009", "0x0"), VIR_ERR_ACCESS_DENIED);
  check_refused (self, NVME, VIR_ERR_ACCESS_DENIED);
}

/* The words have in them what a client calls the guest. */
static void
test_refused_named (TestHeld *self, gconstpointer data)
{
  static const char words[] = "no domain with matching uuid (" DRIVER_RIGHTS_DEVICE ")";
  guint32 serial;

  test_send (self->relay.client, test_device_call (ATTACH, 3, TEST_HOSTDEV, LIVE));
  serial = expect_question (self, ATTACH, LIVE);
  test_send (self->relay.server, test_error_of (ATTACH, serial, VIR_ERR_NO_DOMAIN, words));
  test_expect (self->relay.client, test_error_of (ATTACH, 3, VIR_ERR_NO_DOMAIN, words));
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
}

/* A call of the client's own that has the serial of our next question already: what libvirt says to
   that is no answer to ours. */
static void
test_same_serial (TestHeld *self, gconstpointer data)
{
  guint32 first, next;

  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_HOSTDEV, LIVE));
  first = expect_question (self, ATTACH, LIVE);
  test_send (self->relay.server, test_error_of (ATTACH, first, VIR_ERR_ACCESS_DENIED, "no"));
  test_expect (self->relay.client, test_error_of (ATTACH, 2, VIR_ERR_ACCESS_DENIED, "no"));

  test_send (self->relay.client, test_device_call (ATTACH, first + 1, TEST_DISK, LIVE));
  test_expect (self->relay.server, test_device_call (ATTACH, first + 1, TEST_DISK, LIVE));
  test_send (self->relay.client, test_device_call (ATTACH, 3, TEST_HOSTDEV, LIVE));
  next = expect_question (self, ATTACH, LIVE);
  g_assert_cmpuint (next, !=, first + 1);
  test_send (self->relay.server, test_error_of (ATTACH, first + 1, VIR_ERR_XML_ERROR, "odd"));
  test_expect (self->relay.client, test_error_of (ATTACH, first + 1, VIR_ERR_XML_ERROR, "odd"));
  test_send (self->relay.server, test_error_of (ATTACH, next, VIR_ERR_ACCESS_DENIED, "no"));
  test_expect (self->relay.client, test_error_of (ATTACH, 3, VIR_ERR_ACCESS_DENIED, "no"));
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
}

/* The client leaves in the middle of a frame, behind which the question waits: it is not waited
   for. */
static void
test_client_gone_amid (TestHeld *self, gconstpointer data)
{
  g_autoptr (GBytes) other = test_device_call (16, 3, TEST_DISK, 0);

  /* In one piece, so that the question comes behind. */
  g_autoptr (GBytes) call = test_device_call (ATTACH, 2, TEST_HOSTDEV, LIVE);
  GByteArray *both = g_byte_array_new ();

  g_byte_array_append (both, g_bytes_get_data (call, NULL), (guint) g_bytes_get_size (call));
  g_byte_array_append (both, g_bytes_get_data (other, NULL), 40);
  test_send (self->relay.client, g_byte_array_free_to_bytes (both));
  test_run_for (50);
  close (self->relay.client);
  self->relay.client = -1;
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
}

/* Not even that the guest's own metadata is wrong. */
static void
test_refused_metadata (TestHeld *self, gconstpointer data)
{
  self->metadata = "<metadata><p:passthrough xmlns:p='http://libvirt.org/schemas/domain/ppc64/1.0' "
                   "eeh='please'/></metadata>";
  test_held_set_guest (self, RUNNING, "");
  check_refused (self, TEST_HOSTDEV, VIR_ERR_ACCESS_DENIED);
}

static guint32
expect_detach_question (TestHeld *self, guint32 flags)
{
  g_autoptr (GBytes) frame = test_receive (self->relay.server);
  DriverFrameHeader header;

  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  g_autoptr (GBytes) expected = test_device_call (DETACH, header.serial, NO_DEVICE, flags);
  g_assert_true (g_bytes_equal (frame, expected));
  return header.serial;
}

/* Nor does one who may not detach or update it keep the guest's queue waiting for libvirt's work:
   libvirt does not hear of the call itself. */
static void
test_refused_others (TestHeld *self, gconstpointer data)
{
  static const struct
  {
    guint32 procedure;
    const char *device;
    guint32 flags;
  } calls[] = { { DETACH, TEST_HOSTDEV, LIVE },
                { DETACH_ALIAS, "hostdev0", LIVE },
                { 174, TEST_HOSTDEV, LIVE | FORCE } };
  guint32 serial;

  for (gsize i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      test_send (self->relay.client,
                 test_device_call (calls[i].procedure, 3, calls[i].device, calls[i].flags));
      serial = expect_detach_question (self, LIVE);
      test_send (self->relay.server,
                 test_error_of (DETACH, serial, VIR_ERR_ACCESS_DENIED, "as libvirt says"));
      test_expect (self->relay.client,
                   test_error_of (calls[i].procedure, 3, VIR_ERR_ACCESS_DENIED, "as libvirt says"));
      test_wait (test_held_is_idle, self->transactions);
      test_expect_none (self->relay.server);

      test_send (self->relay.client,
                 test_device_call (calls[i].procedure, 4, calls[i].device, calls[i].flags));
      serial = expect_detach_question (self, LIVE);
      test_send (self->relay.server,
                 test_error_of (DETACH, serial, VIR_ERR_CONFIG_UNSUPPORTED, "unknown device"));
      test_expect (self->relay.server,
                   test_device_call (calls[i].procedure, 4, calls[i].device, calls[i].flags));
      test_send (self->relay.server, test_reply (calls[i].procedure, 4));
      test_expect (self->relay.client, test_reply (calls[i].procedure, 4));
    }
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
}

/* What is none of ours is not asked about. */
static void
test_other (TestHeld *self, gconstpointer data)
{
  test_held_set_guest (self, TCG, "");
  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_HOSTDEV, LIVE));
  test_held_expect_forwarded (self, test_device_call (ATTACH, 2, TEST_HOSTDEV, LIVE), "");
  test_send (self->relay.client, test_device_call (DETACH, 3, TEST_HOSTDEV, LIVE));
  test_held_expect_forwarded (self, test_device_call (DETACH, 3, TEST_HOSTDEV, LIVE), "");
  test_send (self->relay.server, test_reply (DETACH, 3));
  test_expect (self->relay.client, test_reply (DETACH, 3));
}

static void
test_client_gone (TestHeld *self, gconstpointer data)
{
  guint32 serial;

  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_HOSTDEV, LIVE));
  serial = expect_question (self, ATTACH, LIVE);
  close (self->relay.client);
  self->relay.client = -1;
  test_expect_none (self->relay.server);
  test_send (self->relay.server,
             test_error_of (ATTACH, serial, VIR_ERR_CONFIG_UNSUPPORTED, "no such device"));
  test_expect_end (self->relay.server);
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
}

/* While the helper works at it: libvirt never sees the client's call. */
static void
test_client_gone_later (TestHeld *self, gconstpointer data)
{
  guint32 serial;

  test_helper_hold (self->fake);
  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_HOSTDEV, LIVE));
  serial = expect_question (self, ATTACH, LIVE);
  test_send (self->relay.server,
             test_error_of (ATTACH, serial, VIR_ERR_CONFIG_UNSUPPORTED, "no such device"));
  test_wait (test_helper_is_holding, self->fake);
  close (self->relay.client);
  self->relay.client = -1;
  test_run_for (50);
  test_helper_go (self->fake);
  test_wait (test_held_has_no_lease, self->fake);
  test_expect_end (self->relay.server);
}

static void
test_server_gone (TestHeld *self, gconstpointer data)
{
  test_send (self->relay.client, test_device_call (ATTACH, 2, TEST_HOSTDEV, LIVE));
  expect_question (self, ATTACH, LIVE);
  close (self->relay.server);
  self->relay.server = -1;
  test_expect_end (self->relay.client);
  test_wait (test_held_is_idle, self->transactions);
  g_assert_cmpstr (test_helper_get_log (self->fake), ==, "");
}

int
main (int argc, char **argv)
{
#define ADD(name, function)                                                                        \
  g_test_add ("/driver/limited/" name, TestHeld, NULL, set_up, function, test_held_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("allowed", test_allowed);
  ADD ("allowed/save", test_allowed_save);
  ADD ("allowed/plain", test_allowed_plain);
  ADD ("refused", test_refused);
  ADD ("refused/metadata", test_refused_metadata);
  ADD ("refused/named", test_refused_named);
  ADD ("refused/others", test_refused_others);
  ADD ("same-serial", test_same_serial);
  ADD ("other", test_other);
  ADD ("client-gone", test_client_gone);
  ADD ("client-gone/later", test_client_gone_later);
  ADD ("client-gone/amid", test_client_gone_amid);
  ADD ("server-gone", test_server_gone);
  return g_test_run ();
}
