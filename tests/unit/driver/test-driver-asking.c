/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver-door.h"

/* polkit is asked, and a person by it. */

/* polkit decides, each time that it is asked for; in between libvirt refuses by itself. */
static void
test_polkit (Door *self, gconstpointer read_only)
{
  static const struct
  {
    DriverVerdict verdict;
    gboolean fails;
    int code;
    const char *words;
  } cases[] = {
    { DRIVER_VERDICT_NO, FALSE, VIR_ERR_AUTH_FAILED,
      "authentication failed: access denied by policy" },
    { DRIVER_VERDICT_DISMISSED, FALSE, VIR_ERR_AUTH_CANCELLED,
      "authentication cancelled: user cancelled authentication process" },
    { DRIVER_VERDICT_CHALLENGE, FALSE, VIR_ERR_AUTH_UNAVAILABLE,
      "authentication unavailable: no polkit agent available to authenticate action "
      "'org.libvirt.unix." },
    { DRIVER_VERDICT_YES, TRUE, VIR_ERR_AUTH_FAILED, "no helper" },
  };

  test_door_demand (self, 2);
  test_pass (self->client, self->server, test_plain (TYPES, 0));
  test_pass (self->server, self->client, test_types (0, 2));
  test_door_exchange (self, HOSTNAME, 1);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
    {
      guint which = i / 2;

      test_door_set_verdict (self, cases[which].verdict, cases[which].fails);
      test_send (self->client, i % 2 == 0 ? test_plain (POLKIT, i) : test_with_fds (POLKIT, i));
      test_expect_error (self->client, POLKIT, i, cases[which].code, cases[which].words);
      test_expect_none (self->server);
      g_assert_cmpuint (self->asked, ==, i + 1);
      g_assert_cmpint (self->asked_read_only, ==, read_only != NULL);
    }
  /* Not let in: CONNECT_OPEN is libvirt's to refuse, and nobody is told of. */
  test_pass (self->client, self->server, test_open (20));
  test_pass (self->server, self->client, test_error (1, 20, "authentication required"));

  test_door_set_verdict (self, DRIVER_VERDICT_YES, FALSE);
  test_send (self->client, test_plain (POLKIT, 21));
  test_send (self->client, test_open (22));
  test_expect (self->server, test_plain (POLKIT, 21));
  test_expect_none (self->server);
  /* Our rule is not there. */
  test_pass (self->server, self->client, test_error (POLKIT, 21, "authentication failed"));
  test_expect (self->server, test_open (22));
  test_pass (self->server, self->client, test_error (1, 22, "authentication required"));

  test_send (self->client, test_with_fds (POLKIT, 23));
  test_expect (self->server, test_with_fds (POLKIT, 23));
  test_pass (self->server, self->client, test_reply (POLKIT, 23));
  test_door_open (self);
  test_send (self->client, test_device_call (ATTACH, 30, "<hostdev/>", 0));
  test_expect (self->server, test_device_call (ATTACH, 30, "<hostdev/>", 0));
  g_assert_cmpuint (self->offered, ==, read_only != NULL ? 0 : 1);
}

/* libvirt lets somebody in whom nobody let in: not here. */
static void
test_outside_opened (Door *self, gconstpointer data)
{
  test_door_demand (self, 2);
  test_pass (self->client, self->server, test_open (1));
  test_send (self->server, test_reply (1, 1));
  test_expect_end (self->server);
}

static gboolean
is_asked (gpointer data)
{
  Door *self = data;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->asked > 0;
}

static gboolean
has_left (gpointer data)
{
  Door *self = data;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->left > 0;
}

typedef enum
{
  CLIENT_LEAVES,
  CLIENT_LEAVES_HELD,
  SERVER_LEAVES
} Leaves;

/* While a person is asked: nobody else waits, and whoever leaves takes the question along. */
static void
test_asking (gconstpointer data)
{
  Door door = { 0 };
  Door *self = &door;
  Leaves leaves = (Leaves) GPOINTER_TO_INT (data);
  int first_client, first_server;

  test_door_set_up (self, NULL);
  self->patient = TRUE;
  test_door_demand (self, 2);
  test_send (self->client, test_plain (POLKIT, 1));
  test_wait (is_asked, self);
  first_client = self->client;
  first_server = self->server;
  test_door_connect_as (self, NOBODY);
  test_door_demand (self, 0);
  test_door_exchange (self, TYPES, 0);
  test_door_leave (self);
  self->client = first_client;
  self->server = first_server;

  test_pass (self->server, self->client, test_keepalive (1));
  if (leaves == CLIENT_LEAVES_HELD)
    {
      test_send (self->client, test_open (2));
      test_expect_none (self->server);
    }
  close (leaves == SERVER_LEAVES ? self->server : self->client);
  if (leaves == SERVER_LEAVES)
    {
      self->server = -1;
      test_expect_end (self->client);
    }
  else
    {
      self->client = -1;
      test_expect_end (self->server);
    }
  test_wait (has_left, self);
  test_door_tear_down (self, NULL);
}

/* A user with many questions open waits for himself, and nobody else waits for him. */
static void
test_fair (Door *self, gconstpointer data)
{
  enum
  {
    MANY = 6
  };
  int clients[MANY], servers[MANY];

  if (geteuid () != 0)
    {
      g_test_skip ("only root has other users");
      return;
    }
  test_door_leave (self);
  self->patient = TRUE;
  for (guint i = 0; i < MANY; i++)
    {
      test_door_connect_as (self, NOBODY);
      test_door_demand (self, 2);
      test_send (self->client, test_plain (POLKIT, 1));
      clients[i] = self->client;
      servers[i] = self->server;
    }
  test_wait (is_asked, self);
  test_run_for (100);
  g_mutex_lock (&self->lock);
  g_assert_cmpuint (self->asked, ==, 4);
  self->patient = FALSE;
  g_mutex_unlock (&self->lock);

  test_door_connect_as (self, 1);
  test_door_demand (self, 2);
  test_send (self->client, test_plain (POLKIT, 1));
  test_expect (self->server, test_plain (POLKIT, 1));
  test_door_leave (self);
  g_mutex_lock (&self->lock);
  self->patient = TRUE;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < MANY; i++)
    {
      close (clients[i]);
      test_expect_end (servers[i]);
      close (servers[i]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
#define ADD(path, data, func)                                                                      \
  g_test_add (path, Door, data, test_door_set_up, func, test_door_tear_down)
  ADD ("/driver/admission/polkit", NULL, test_polkit);
  ADD ("/driver/admission/polkit/read-only", "", test_polkit);
  ADD ("/driver/admission/polkit/outside-opened", NULL, test_outside_opened);
  ADD ("/driver/admission/fair", NULL, test_fair);
  g_test_add_data_func ("/driver/admission/asking/client-leaves", GINT_TO_POINTER (CLIENT_LEAVES),
                        test_asking);
  g_test_add_data_func ("/driver/admission/asking/client-leaves-held",
                        GINT_TO_POINTER (CLIENT_LEAVES_HELD), test_asking);
  g_test_add_data_func ("/driver/admission/asking/server-leaves", GINT_TO_POINTER (SERVER_LEAVES),
                        test_asking);
  return g_test_run ();
}
