/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <libvirt/virterror.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "driver-door.h"

/* What libvirt says while a client comes in, and should not. */

typedef enum
{
  TYPES_ERROR,
  TYPES_NONE,
  TYPES_SHORT,
  TYPES_MANY,
  TYPES_FDS,
  TYPES_LARGE,
  IDENTITY_ERROR,
  IDENTITY_FDS,
  IDENTITY_LARGE,
  LOOK_ERROR,
  LOOK_LARGE,
  OPEN_FDS,
  OPEN_LARGE,
  FAULTS
} Fault;

/* The header of a reply that is longer than any; it is not waited for. */
static GBytes *
too_large (guint32 procedure, guint32 serial)
{
  const guint32 words[] = { 300 * 1024, REMOTE, 1, procedure, 1, serial, 0 };
  GByteArray *header = g_byte_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    test_put_u32 (header, words[i]);
  return g_byte_array_free_to_bytes (header);
}

static GBytes *
reply_with_fds (guint32 procedure, guint32 serial)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, 0);
  return test_frame (REMOTE, procedure, 5, serial, 0, payload);
}

static GBytes *
types_of (guint32 number, guint32 words)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, number);
  for (guint32 i = 0; i < words; i++)
    test_put_u32 (payload, 0);
  return test_frame (REMOTE, TYPES, 1, OWN, 0, payload);
}

static GBytes *
faulty (Fault fault)
{
  switch (fault)
    {
    case TYPES_ERROR:
      return test_error (TYPES, OWN, "go away");
    case TYPES_NONE:
      return types_of (0, 0);
    case TYPES_SHORT:
      return types_of (2, 1);
    case TYPES_MANY:
      return types_of (21, 21);
    case TYPES_FDS:
      return reply_with_fds (TYPES, OWN);
    case TYPES_LARGE:
      return too_large (TYPES, OWN);
    case IDENTITY_ERROR:
      return test_error (IDENTIFY, OWN, "not from you");
    case IDENTITY_FDS:
      return reply_with_fds (IDENTIFY, OWN);
    case IDENTITY_LARGE:
      return too_large (IDENTIFY, OWN);
    case LOOK_ERROR:
      return test_error (LOOK, OWN, "access denied");
    case LOOK_LARGE:
      return too_large (LOOK, OWN);
    case OPEN_FDS:
      return reply_with_fds (1, 2);
    case OPEN_LARGE:
    case FAULTS:
    default:
      return too_large (1, 2);
    }
}

/* Whatever libvirt answers in the place of what it should: nobody comes in by it. */
static void
test_fault (gconstpointer data)
{
  Fault fault = (Fault) GPOINTER_TO_INT (data);
  Door door = { 0 };
  Door *self = &door;

  test_door_set_up (self, NULL);
  test_expect (self->server, test_plain (TYPES, OWN));
  if (fault <= TYPES_LARGE)
    {
      test_send (self->client, test_plain (TYPES, 0));
      test_send (self->server, faulty (fault));
      if (fault == TYPES_FDS || fault == TYPES_LARGE)
        test_expect_end (self->server);
      else
        for (guint32 i = 0; i < 2; i++)
          {
            test_expect_error (self->client, TYPES, i, VIR_ERR_AUTH_FAILED,
                               fault == TYPES_ERROR ? "go away" : "did not say");
            test_send (self->client, test_plain (TYPES, i + 1));
          }
      test_door_tear_down (self, NULL);
      return;
    }
  test_send (self->server, test_types (OWN, 0));
  test_pass (self->client, self->server, test_open (2));
  if (fault >= OPEN_FDS)
    {
      test_send (self->server, faulty (fault));
      test_expect_end (self->server);
      test_door_tear_down (self, NULL);
      return;
    }
  test_send (self->server, test_reply (1, 2));
  g_free (test_door_receive_identity (self));
  if (fault >= LOOK_ERROR)
    {
      test_send (self->server, test_reply (IDENTIFY, OWN));
      test_expect (self->server, driver_opening_new_look (OWN));
    }
  test_send (self->server, faulty (fault));
  if (fault == IDENTITY_ERROR)
    test_expect_error (self->client, 1, 2, VIR_ERR_AUTH_FAILED, "not from you");
  else if (fault == LOOK_ERROR)
    test_expect (self->client, test_error (1, 2, "access denied"));
  test_expect_end (self->server);
  test_door_tear_down (self, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  for (int fault = 0; fault < FAULTS; fault++)
    {
      g_autofree char *path = g_strdup_printf ("/driver/admission/fault/%d", fault);

      g_test_add_data_func (path, GINT_TO_POINTER (fault), test_fault);
    }
  return g_test_run ();
}
