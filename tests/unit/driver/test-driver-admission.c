/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver-door.h"

#define ALICE 2001

/* Who comes in, in which order, and as whom. */

/* Who it is, from libvirt's first question to the client's first call: each in its order. */
static void
test_order (Door *self, gconstpointer data)
{
  g_autofree char *identity = NULL;
  g_autofree char *expected = NULL;
  uid_t uid = geteuid () == 0 ? NOBODY : geteuid ();

  /* Not a word of the client's before libvirt has said what it demands. */
  test_send (self->client, test_plain (TYPES, 0));
  test_expect (self->server, test_plain (TYPES, OWN));
  test_expect_none (self->server);
  test_send (self->server, test_types (OWN, 0));
  test_expect (self->server, test_plain (TYPES, 0));
  test_send (self->server, test_types (0, 0));
  test_expect (self->client, test_types (0, 0));
  test_door_exchange (self, 60, 1);

  /* A client that does not wait. */
  test_send (self->client, test_open (2));
  test_send (self->client, test_plain (HOSTNAME, 3));
  test_send (self->client, test_device_call (ATTACH, 4, "<hostdev/>", 0));
  test_expect (self->server, test_open (2));
  test_expect_none (self->server);
  test_send (self->server, test_reply (1, 2));
  identity = test_door_receive_identity (self);
  expected = g_strdup_printf (", uid %u, pid %d", uid, getpid ());
  g_assert_true (g_str_has_suffix (identity, expected));
  test_expect_none (self->server);
  test_expect_none (self->client);
  test_send (self->server, test_reply (IDENTIFY, OWN));
  test_expect (self->server, driver_opening_new_look (OWN));
  test_expect_none (self->server);
  test_expect_none (self->client);
  test_send (self->server, test_reply (LOOK, OWN));
  test_expect (self->client, test_reply (1, 2));
  test_expect (self->server, test_plain (HOSTNAME, 3));
  test_expect (self->server, test_device_call (ATTACH, 4, "<hostdev/>", 0));
  g_assert_cmpuint (self->offered, ==, 1);
  g_assert_true (self->limited);
  g_assert_cmpuint (self->asked, ==, 0);
  expected[0] = ' ';
  g_assert_true (g_str_has_suffix (expected, self->peer));
}

/* Before the connection is open, libvirt works at one call of the client: none is left to be done
 * when it is open, in the name of virtppc64d. */
static void
test_one_at_a_time (Door *self, gconstpointer data)
{
  test_door_demand (self, 0);
  test_send (self->client, test_plain (IDENTIFY, 1));
  test_send (self->client, test_open (2));
  test_send (self->client, test_frame (0x20008087, 1, 0, 3, 0, NULL));
  test_expect (self->server, test_plain (IDENTIFY, 1));
  test_expect_none (self->server);
  /* Not the reply: another program's, another procedure's, another serial's, an event. */
  test_pass (self->server, self->client, test_frame (0x20008087, IDENTIFY, 1, 1, 0, NULL));
  test_pass (self->server, self->client, test_reply (1, 1));
  test_pass (self->server, self->client, test_reply (IDENTIFY, 2));
  test_pass (self->server, self->client, test_frame (REMOTE, IDENTIFY, 2, 1, 0, NULL));
  test_expect_none (self->server);
  /* Keepalive goes on. */
  test_pass (self->server, self->client, test_keepalive (1));
  test_pass (self->server, self->client, test_error (IDENTIFY, 1, "connection not open"));
  test_expect (self->server, test_open (2));
  test_pass (self->server, self->client, test_error (1, 2, "no such driver"));
  test_expect (self->server, test_frame (0x20008087, 1, 0, 3, 0, NULL));
  test_expect_none (self->server);
}

/* Opened for reading alone, and libvirt keeps it to that: nothing is held for it. */
static void
test_read_only_flag (Door *self, gconstpointer data)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, 0);
  test_put_u32 (payload, 1);
  g_autoptr (GBytes) open = test_frame (REMOTE, 1, 0, 2, 0, payload);
  test_door_demand (self, 0);
  test_pass (self->client, self->server, g_bytes_ref (open));
  test_send (self->server, test_reply (1, 2));
  g_free (test_door_receive_identity (self));
  test_send (self->server, test_reply (IDENTIFY, OWN));
  test_expect (self->server, driver_opening_new_look (OWN));
  test_send (self->server, test_reply (LOOK, OWN));
  test_expect (self->client, test_reply (1, 2));
  test_pass (self->client, self->server, test_device_call (ATTACH, 3, "<hostdev/>", 0));
  g_assert_cmpuint (self->offered, ==, 0);
}

static GBytes *
open_uri (guint32 serial, const char *uri)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, uri != NULL);
  if (uri != NULL)
    test_put_string (payload, uri);
  test_put_u32 (payload, 0);
  return test_frame (REMOTE, 1, 0, serial, 0, payload);
}

/* How many calls are offered of a client that opened that. */
static guint
count_offered (Door *self, const char *uri)
{
  guint before = self->offered;

  test_door_demand (self, 0);
  test_pass (self->client, self->server, open_uri (2, uri));
  test_send (self->server, test_reply (1, 2));
  g_free (test_door_receive_identity (self));
  test_send (self->server, test_reply (IDENTIFY, OWN));
  test_expect (self->server, driver_opening_new_look (OWN));
  test_send (self->server, test_reply (LOOK, OWN));
  test_expect (self->client, test_reply (1, 2));
  test_pass (self->client, self->server, test_device_call (ATTACH, 3, "<hostdev/>", 0));
  test_door_leave (self);
  test_door_connect_as (self, NOBODY);
  return self->offered - before;
}

/* Guests of another driver, or of another host, are none of ours, whatever their UUID. */
static void
test_uri (Door *self, gconstpointer data)
{
  static const char *const ours[] = {
    "qemu:///system", "qemu:///system?a=b", "qemu:/system", "qemu://root@/system", "", "alias", NULL
  };
  static const char *const others[] = { "test:///default", "qemu+unix:///system?socket=/tmp/own",
                                        "qemu://other/system", "lxc:///", "qemu+ssh://a/system" };

  for (gsize i = 0; i < G_N_ELEMENTS (ours); i++)
    g_assert_cmpuint (count_offered (self, ours[i]), ==, 1);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_cmpuint (count_offered (self, others[i]), ==, 0);
}

/* Nor is one let in of which that cannot be told. */
static void
test_uri_long (Door *self, gconstpointer data)
{
  g_autofree char *tail = g_strnfill (300 * 1024, 'a');
  g_autofree char *uri = g_strconcat ("qemu:///system?", tail, NULL);
  g_autoptr (GBytes) open = open_uri (2, uri);

  test_door_demand (self, 0);
  test_send (self->client, g_bytes_new_from_bytes (open, 0, 28));
  test_expect_end (self->client);
  test_expect_end (self->server);
}

static GBytes *
identity (guint32 type, guint32 serial, const char *user)
{
  GByteArray *payload = g_byte_array_new ();

  if (type == 4)
    test_put_u32 (payload, 0);
  test_put_u32 (payload, user != NULL ? 2 : 0);
  if (user != NULL)
    {
      test_put_string (payload, "user-name");
      test_put_u32 (payload, 7);
      test_put_string (payload, user);
      test_put_string (payload, "unix-user-id");
      test_put_u32 (payload, 4);
      test_put_u32 (payload, 0);
      test_put_u32 (payload, ALICE);
    }
  test_put_u32 (payload, 0);
  return test_frame (REMOTE, IDENTIFY, type, serial, 0, payload);
}

static void
open_as_root (Door *self)
{
  test_door_connect_as (self, 0);
  test_door_demand (self, 0);
  test_door_open (self);
}

/* For whom a client of root's is there, for him it counts; and where he has too many, it is told.
 */
static void
test_told_too_many (Door *self, gconstpointer data)
{
  DriverPlace *places[6];

  if (geteuid () != 0)
    {
      g_test_skip ("only root can be root");
      return;
    }
  test_door_leave (self);
  self->bounds = driver_bounds_new (384 + 4 * 16);
  driver_relay_bound (self->relay, self->bounds);
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    places[i] = driver_bounds_enter (self->bounds, ALICE);
  open_as_root (self);
  test_send (self->client, identity (0, 11, "alice"));
  test_expect_error (self->client, IDENTIFY, 11, VIR_ERR_RESOURCE_BUSY, "too many connections");
  test_expect_none (self->server);
  /* It is there for nobody else meanwhile. */
  test_send (self->client, test_device_call (ATTACH, 12, "<hostdev/>", 0));
  test_expect (self->server, test_device_call (ATTACH, 12, "<hostdev/>", 0));
  g_assert_cmpuint (self->user, ==, ALICE);
  g_assert_true (self->limited);
  driver_place_free (places[0]);
  test_pass (self->client, self->server, identity (0, 13, "alice"));
  g_assert_null (driver_bounds_enter (self->bounds, ALICE));
  for (gsize i = 1; i < G_N_ELEMENTS (places); i++)
    driver_place_free (places[i]);
}

/* Root: let in when it asks how, whatever polkit says; and virtproxyd, which says for whom. */
static void
test_root (Door *self, gconstpointer data)
{
  if (geteuid () != 0)
    {
      g_test_skip ("only root can be root");
      return;
    }
  test_door_leave (self);
  test_door_connect_as (self, 0);
  test_door_demand (self, 2);
  test_door_exchange (self, HOSTNAME, 0);
  test_send (self->client, test_plain (TYPES, 1));
  test_expect (self->server, test_plain (POLKIT, OWN));
  test_expect_none (self->server);
  test_send (self->server, test_error (POLKIT, OWN, "no rule"));
  test_expect_error (self->client, TYPES, 1, VIR_ERR_AUTH_FAILED, "no rule");
  test_send (self->client, test_plain (TYPES, 2));
  test_expect (self->server, test_plain (POLKIT, OWN));
  test_send (self->server, test_reply (POLKIT, OWN));
  test_expect (self->server, test_plain (TYPES, 2));
  test_pass (self->server, self->client, test_types (2, 0));
  g_assert_cmpuint (self->asked, ==, 0);
  test_door_open (self);

  test_send (self->client, test_device_call (ATTACH, 10, "<hostdev/>", 0));
  test_expect (self->server, test_device_call (ATTACH, 10, "<hostdev/>", 0));
  g_assert_true (g_str_has_prefix (self->peer, "uid 0, pid "));
  /* polkit refuses nothing to root; to those for whom it speaks it may. */
  g_assert_false (self->limited);
  for (guint i = 0; i < 3; i++)
    {
      const char *user = i == 0 ? "alice" : i == 1 ? "bob\n\377" : NULL;

      test_pass (self->client, self->server, identity (i == 1 ? 4 : 0, 11 + i, user));
      test_pass (self->server, self->client, test_reply (IDENTIFY, 11 + i));
      test_send (self->client, test_device_call (ATTACH, 20 + i, "<hostdev/>", 0));
      test_expect (self->server, test_device_call (ATTACH, 20 + i, "<hostdev/>", 0));
      g_assert_true (g_str_has_prefix (self->peer, i == 0   ? "alice, uid 2001 (uid 0, pid "
                                                   : i == 1 ? "bob"
                                                            : "nobody who is named (uid 0"));
      g_assert_true (g_utf8_validate (self->peer, -1, NULL));
      g_assert_true (self->limited);
      g_assert_cmpuint (self->user, ==, user != NULL ? ALICE : DRIVER_USER_NOBODY);
    }
  /* What cannot be read passes as it is. */
  test_pass (self->client, self->server, test_plain (IDENTIFY, 30));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
#define ADD(path, data, func)                                                                      \
  g_test_add (path, Door, data, test_door_set_up, func, test_door_tear_down)
  ADD ("/driver/admission/order", NULL, test_order);
  ADD ("/driver/admission/one-at-a-time", NULL, test_one_at_a_time);
  ADD ("/driver/admission/read-only-flag", NULL, test_read_only_flag);
  ADD ("/driver/admission/uri", NULL, test_uri);
  ADD ("/driver/admission/uri/long", NULL, test_uri_long);
  ADD ("/driver/admission/root", NULL, test_root);
  ADD ("/driver/admission/told/too-many", NULL, test_told_too_many);
  return g_test_run ();
}
