/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/common-error.h"
#include "driver-fixture.h"
#include "driver-frames.h"
#include "driver/driver-opening.h"

/* How a client comes in, with a libvirtd and a polkit that the test plays. */

#define REMOTE   0x20008086u
#define OWN      0x70700064u
#define NOBODY   65534
#define TYPES    66
#define POLKIT   70
#define IDENTIFY 419
#define LOOK     60
#define HOSTNAME 59
#define ATTACH   8

typedef struct
{
  char *directory, *path, *upstream_path;
  int upstream;
  DriverAccess *access;
  DriverRelay *relay;
  int client, server;
  guint offered;
  char *peer;

  GMutex lock; /* of what follows */
  guint asked;
  gboolean asked_read_only;
  gboolean patient; /* no answer, until the socket is shut down */
  guint left;
  gboolean fails;
  DriverVerdict verdict;
} Door;

static gboolean
ask (int socket, gboolean read_only, DriverVerdict *verdict, gpointer data, GError **error)
{
  Door *self = data;
  struct pollfd poller = { .fd = socket, .events = 0 };
  gboolean patient, fails;
  int ready;

  g_mutex_lock (&self->lock);
  self->asked++;
  self->asked_read_only = read_only;
  *verdict = self->verdict;
  patient = self->patient;
  fails = self->fails;
  g_mutex_unlock (&self->lock);
  if (patient)
    {
      /* glibc stops all threads where one becomes another user. */
      do
        ready = poll (&poller, 1, 10000);
      while (ready < 0 && errno == EINTR);
      g_assert_cmpint (ready, ==, 1);
      g_assert_true ((poller.revents & POLLHUP) != 0);
      g_mutex_lock (&self->lock);
      self->left++;
      g_mutex_unlock (&self->lock);
    }
  if (fails)
    g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE, "no helper");
  return !fails;
}

static gboolean
offer (DriverCall *call, gpointer data)
{
  Door *self = data;

  self->offered++;
  g_free (self->peer);
  self->peer = g_strdup (driver_call_get_peer (call));
  return FALSE;
}

static int
listen_at (const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  g_strlcpy (address.sun_path, path, sizeof address.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (fd, 16), ==, 0);
  g_assert_cmpint (chmod (path, 0777), ==, 0);
  return fd;
}

/* Another client, of the user @uid where the test is root. */
static void
connect_as (Door *self, uid_t uid)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  self->client = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_strlcpy (address.sun_path, self->path, sizeof address.sun_path);
  if (geteuid () == 0)
    g_assert_cmpint (seteuid (uid), ==, 0);
  g_assert_cmpint (connect (self->client, (struct sockaddr *) &address, sizeof address), ==, 0);
  if (getuid () == 0)
    g_assert_cmpint (seteuid (0), ==, 0);
  do
    {
      g_main_context_iteration (NULL, TRUE);
      self->server = accept4 (self->upstream, NULL, NULL, SOCK_CLOEXEC);
    }
  while (self->server < 0 && errno == EAGAIN);
  g_assert_cmpint (self->server, >=, 0);
}

static void
set_up (Door *self, gconstpointer read_only)
{
  self->directory = g_dir_make_tmp ("driver-XXXXXX", NULL);
  g_assert_cmpint (chmod (self->directory, 0755), ==, 0);
  self->path = g_build_filename (self->directory, "client", NULL);
  self->upstream_path = g_build_filename (self->directory, "daemon", NULL);
  self->upstream = listen_at (self->upstream_path);
  self->relay = driver_relay_new (listen_at (self->path), self->upstream_path, offer, self);
  self->access = driver_access_new (ask, self);
  driver_relay_admit (self->relay, self->access, read_only != NULL);
  g_mutex_init (&self->lock);
  connect_as (self, NOBODY);
}

static void
leave (Door *self)
{
  if (self->client >= 0)
    close (self->client);
  if (self->server >= 0)
    close (self->server);
  self->client = self->server = -1;
}

static gboolean
is_empty (gpointer relay)
{
  return driver_relay_get_n_connections (relay) == 0;
}

static void
tear_down (Door *self, gconstpointer data)
{
  leave (self);
  test_wait (is_empty, self->relay);
  /* What was asked and is not waited for any more. */
  test_run_for (20);
  driver_relay_free (self->relay);
  driver_access_free (self->access);
  close (self->upstream);
  unlink (self->path);
  unlink (self->upstream_path);
  rmdir (self->directory);
  g_free (self->directory);
  g_free (self->path);
  g_free (self->upstream_path);
  g_free (self->peer);
  g_mutex_clear (&self->lock);
}

static GBytes *
plain (guint32 procedure, guint32 serial)
{
  return test_frame (REMOTE, procedure, 0, serial, 0, NULL);
}

static GBytes *
types (guint32 serial, guint32 type)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, 1);
  test_put_u32 (payload, type);
  return test_frame (REMOTE, TYPES, 1, serial, 0, payload);
}

/* libvirt says what it demands of virtppc64d. */
static void
demand (Door *self, guint32 type)
{
  test_expect (self->server, plain (TYPES, OWN));
  test_send (self->server, types (OWN, type));
}

static void
pass (int from, int to, GBytes *frame)
{
  test_send (from, g_bytes_ref (frame));
  test_expect (to, frame);
}

/* A call and its reply, which both pass. */
static void
exchange (Door *self, guint32 procedure, guint32 serial)
{
  pass (self->client, self->server, plain (procedure, serial));
  pass (self->server, self->client, test_reply (procedure, serial));
}

/* The identity that libvirt is told. */
static char *
receive_identity (Door *self)
{
  g_autoptr (GBytes) frame = test_receive (self->server);
  DriverFrameHeader header;

  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  g_assert_cmpint (header.procedure, ==, IDENTIFY);
  g_assert_cmpuint (header.serial, ==, OWN);
  g_assert_cmpuint (header.type, ==, 0);
  return driver_opening_describe (frame);
}

static void
open_connection (Door *self)
{
  g_autofree char *identity = NULL;

  pass (self->client, self->server, test_open (7));
  test_send (self->server, test_reply (1, 7));
  identity = receive_identity (self);
  g_assert_nonnull (identity);
  test_send (self->server, test_reply (IDENTIFY, OWN));
  test_expect (self->server, driver_opening_new_look (OWN));
  test_send (self->server, test_reply (LOOK, OWN));
  test_expect (self->client, test_reply (1, 7));
}

static void
check_error (int fd, guint32 procedure, guint32 serial, int expected, const char *words)
{
  g_autoptr (GBytes) frame = test_receive (fd);
  DriverFrameHeader header;
  int code;
  g_autofree char *message = driver_frame_error_message (frame, &code);

  driver_frame_header_decode (g_bytes_get_data (frame, NULL), &header);
  g_assert_cmpint (header.procedure, ==, procedure);
  g_assert_cmpuint (header.serial, ==, serial);
  g_assert_cmpuint (header.type, ==, 1);
  g_assert_cmpint (code, ==, expected);
  g_assert_nonnull (strstr (message, words));
}

/* Who it is, from libvirt's first question to the client's first call: each in its order. */
static void
test_order (Door *self, gconstpointer data)
{
  g_autofree char *identity = NULL;
  g_autofree char *expected = NULL;
  uid_t uid = geteuid () == 0 ? NOBODY : geteuid ();

  /* Not a word of the client's before libvirt has said what it demands. */
  test_send (self->client, plain (TYPES, 0));
  test_expect (self->server, plain (TYPES, OWN));
  test_expect_none (self->server);
  test_send (self->server, types (OWN, 0));
  test_expect (self->server, plain (TYPES, 0));
  test_send (self->server, types (0, 0));
  test_expect (self->client, types (0, 0));
  exchange (self, 60, 1);

  /* A client that does not wait. */
  test_send (self->client, test_open (2));
  test_send (self->client, plain (HOSTNAME, 3));
  test_send (self->client, test_device_call (ATTACH, 4, "<hostdev/>", 0));
  test_expect (self->server, test_open (2));
  test_expect_none (self->server);
  test_send (self->server, test_reply (1, 2));
  identity = receive_identity (self);
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
  test_expect (self->server, plain (HOSTNAME, 3));
  test_expect (self->server, test_device_call (ATTACH, 4, "<hostdev/>", 0));
  g_assert_cmpuint (self->offered, ==, 1);
  g_assert_cmpuint (self->asked, ==, 0);
  expected[0] = ' ';
  g_assert_true (g_str_has_suffix (expected, self->peer));
}

/* Before the connection is open, libvirt works at one call of the client: none is left to be done
 * when it is open, in the name of virtppc64d. */
static void
test_one_at_a_time (Door *self, gconstpointer data)
{
  demand (self, 0);
  test_send (self->client, plain (IDENTIFY, 1));
  test_send (self->client, test_open (2));
  test_send (self->client, test_frame (0x20008087, 1, 0, 3, 0, NULL));
  test_expect (self->server, plain (IDENTIFY, 1));
  test_expect_none (self->server);
  /* Not the reply: another program's, another procedure's, another serial's, an event. */
  pass (self->server, self->client, test_frame (0x20008087, IDENTIFY, 1, 1, 0, NULL));
  pass (self->server, self->client, test_reply (1, 1));
  pass (self->server, self->client, test_reply (IDENTIFY, 2));
  pass (self->server, self->client, test_frame (REMOTE, IDENTIFY, 2, 1, 0, NULL));
  test_expect_none (self->server);
  /* Keepalive goes on. */
  pass (self->server, self->client, test_keepalive (1));
  pass (self->server, self->client, test_error (IDENTIFY, 1, "connection not open"));
  test_expect (self->server, test_open (2));
  pass (self->server, self->client, test_error (1, 2, "no such driver"));
  test_expect (self->server, test_frame (0x20008087, 1, 0, 3, 0, NULL));
  test_expect_none (self->server);
}

static void
set_verdict (Door *self, DriverVerdict verdict, gboolean fails)
{
  g_mutex_lock (&self->lock);
  self->verdict = verdict;
  self->fails = fails;
  g_mutex_unlock (&self->lock);
}

static GBytes *
with_fds (guint32 procedure, guint32 serial)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, 0);
  return test_frame (REMOTE, procedure, 4, serial, 0, payload);
}

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

  demand (self, 2);
  pass (self->client, self->server, plain (TYPES, 0));
  pass (self->server, self->client, types (0, 2));
  exchange (self, HOSTNAME, 1);
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
    {
      guint which = i / 2;

      set_verdict (self, cases[which].verdict, cases[which].fails);
      test_send (self->client, i % 2 == 0 ? plain (POLKIT, i) : with_fds (POLKIT, i));
      check_error (self->client, POLKIT, i, cases[which].code, cases[which].words);
      test_expect_none (self->server);
      g_assert_cmpuint (self->asked, ==, i + 1);
      g_assert_cmpint (self->asked_read_only, ==, read_only != NULL);
    }
  /* Not let in: CONNECT_OPEN is libvirt's to refuse, and nobody is told of. */
  pass (self->client, self->server, test_open (20));
  pass (self->server, self->client, test_error (1, 20, "authentication required"));

  set_verdict (self, DRIVER_VERDICT_YES, FALSE);
  test_send (self->client, plain (POLKIT, 21));
  test_send (self->client, test_open (22));
  test_expect (self->server, plain (POLKIT, 21));
  test_expect_none (self->server);
  /* Our rule is not there. */
  pass (self->server, self->client, test_error (POLKIT, 21, "authentication failed"));
  test_expect (self->server, test_open (22));
  pass (self->server, self->client, test_error (1, 22, "authentication required"));

  test_send (self->client, with_fds (POLKIT, 23));
  test_expect (self->server, with_fds (POLKIT, 23));
  pass (self->server, self->client, test_reply (POLKIT, 23));
  open_connection (self);
  test_send (self->client, test_device_call (ATTACH, 30, "<hostdev/>", 0));
  test_expect (self->server, test_device_call (ATTACH, 30, "<hostdev/>", 0));
  g_assert_cmpuint (self->offered, ==, read_only != NULL ? 0 : 1);
}

/* libvirt lets somebody in whom nobody let in: not here. */
static void
test_outside_opened (Door *self, gconstpointer data)
{
  demand (self, 2);
  pass (self->client, self->server, test_open (1));
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

  set_up (self, NULL);
  self->patient = TRUE;
  demand (self, 2);
  test_send (self->client, plain (POLKIT, 1));
  test_wait (is_asked, self);
  first_client = self->client;
  first_server = self->server;
  connect_as (self, NOBODY);
  demand (self, 0);
  exchange (self, TYPES, 0);
  leave (self);
  self->client = first_client;
  self->server = first_server;

  pass (self->server, self->client, test_keepalive (1));
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
  tear_down (self, NULL);
}

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

  set_up (self, NULL);
  test_expect (self->server, plain (TYPES, OWN));
  if (fault <= TYPES_LARGE)
    {
      test_send (self->client, plain (TYPES, 0));
      test_send (self->server, faulty (fault));
      if (fault == TYPES_FDS || fault == TYPES_LARGE)
        test_expect_end (self->server);
      else
        for (guint32 i = 0; i < 2; i++)
          {
            check_error (self->client, TYPES, i, VIR_ERR_AUTH_FAILED,
                         fault == TYPES_ERROR ? "go away" : "did not say");
            test_send (self->client, plain (TYPES, i + 1));
          }
      tear_down (self, NULL);
      return;
    }
  test_send (self->server, types (OWN, 0));
  pass (self->client, self->server, test_open (2));
  if (fault >= OPEN_FDS)
    {
      test_send (self->server, faulty (fault));
      test_expect_end (self->server);
      tear_down (self, NULL);
      return;
    }
  test_send (self->server, test_reply (1, 2));
  g_free (receive_identity (self));
  if (fault >= LOOK_ERROR)
    {
      test_send (self->server, test_reply (IDENTIFY, OWN));
      test_expect (self->server, driver_opening_new_look (OWN));
    }
  test_send (self->server, faulty (fault));
  if (fault == IDENTITY_ERROR)
    check_error (self->client, 1, 2, VIR_ERR_AUTH_FAILED, "not from you");
  else if (fault == LOOK_ERROR)
    test_expect (self->client, test_error (1, 2, "access denied"));
  test_expect_end (self->server);
  tear_down (self, NULL);
}

/* Opened for reading alone, and libvirt keeps it to that: nothing is held for it. */
static void
test_read_only_flag (Door *self, gconstpointer data)
{
  GByteArray *payload = g_byte_array_new ();

  test_put_u32 (payload, 0);
  test_put_u32 (payload, 1);
  g_autoptr (GBytes) open = test_frame (REMOTE, 1, 0, 2, 0, payload);
  demand (self, 0);
  pass (self->client, self->server, g_bytes_ref (open));
  test_send (self->server, test_reply (1, 2));
  g_free (receive_identity (self));
  test_send (self->server, test_reply (IDENTIFY, OWN));
  test_expect (self->server, driver_opening_new_look (OWN));
  test_send (self->server, test_reply (LOOK, OWN));
  test_expect (self->client, test_reply (1, 2));
  pass (self->client, self->server, test_device_call (ATTACH, 3, "<hostdev/>", 0));
  g_assert_cmpuint (self->offered, ==, 0);
}

static GBytes *
identity (guint32 type, guint32 serial, const char *user)
{
  GByteArray *payload = g_byte_array_new ();

  if (type == 4)
    test_put_u32 (payload, 0);
  test_put_u32 (payload, user != NULL);
  if (user != NULL)
    {
      test_put_string (payload, "user-name");
      test_put_u32 (payload, 7);
      test_put_string (payload, user);
    }
  test_put_u32 (payload, 0);
  return test_frame (REMOTE, IDENTIFY, type, serial, 0, payload);
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
  leave (self);
  connect_as (self, 0);
  demand (self, 2);
  exchange (self, HOSTNAME, 0);
  test_send (self->client, plain (TYPES, 1));
  test_expect (self->server, plain (POLKIT, OWN));
  test_expect_none (self->server);
  test_send (self->server, test_error (POLKIT, OWN, "no rule"));
  check_error (self->client, TYPES, 1, VIR_ERR_AUTH_FAILED, "no rule");
  test_send (self->client, plain (TYPES, 2));
  test_expect (self->server, plain (POLKIT, OWN));
  test_send (self->server, test_reply (POLKIT, OWN));
  test_expect (self->server, plain (TYPES, 2));
  pass (self->server, self->client, types (2, 0));
  g_assert_cmpuint (self->asked, ==, 0);
  open_connection (self);

  test_send (self->client, test_device_call (ATTACH, 10, "<hostdev/>", 0));
  test_expect (self->server, test_device_call (ATTACH, 10, "<hostdev/>", 0));
  g_assert_true (g_str_has_prefix (self->peer, "uid 0, pid "));
  for (guint i = 0; i < 3; i++)
    {
      const char *user = i == 0 ? "alice" : i == 1 ? "bob\n\377" : NULL;

      pass (self->client, self->server, identity (i == 1 ? 4 : 0, 11 + i, user));
      pass (self->server, self->client, test_reply (IDENTIFY, 11 + i));
      test_send (self->client, test_device_call (ATTACH, 20 + i, "<hostdev/>", 0));
      test_expect (self->server, test_device_call (ATTACH, 20 + i, "<hostdev/>", 0));
      g_assert_true (g_str_has_prefix (self->peer, i == 0   ? "alice (uid 0, pid "
                                                   : i == 1 ? "bob"
                                                            : "nobody who is named (uid 0"));
      g_assert_true (g_utf8_validate (self->peer, -1, NULL));
    }
  /* What cannot be read passes as it is. */
  pass (self->client, self->server, plain (IDENTIFY, 30));
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
  leave (self);
  self->patient = TRUE;
  for (guint i = 0; i < MANY; i++)
    {
      connect_as (self, NOBODY);
      demand (self, 2);
      test_send (self->client, plain (POLKIT, 1));
      clients[i] = self->client;
      servers[i] = self->server;
    }
  test_wait (is_asked, self);
  test_run_for (100);
  g_mutex_lock (&self->lock);
  g_assert_cmpuint (self->asked, ==, 4);
  self->patient = FALSE;
  g_mutex_unlock (&self->lock);

  connect_as (self, 1);
  demand (self, 2);
  test_send (self->client, plain (POLKIT, 1));
  test_expect (self->server, plain (POLKIT, 1));
  leave (self);
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
#define ADD(path, data, func) g_test_add (path, Door, data, set_up, func, tear_down)
  ADD ("/driver/admission/order", NULL, test_order);
  ADD ("/driver/admission/one-at-a-time", NULL, test_one_at_a_time);
  ADD ("/driver/admission/polkit", NULL, test_polkit);
  ADD ("/driver/admission/polkit/read-only", "", test_polkit);
  ADD ("/driver/admission/polkit/outside-opened", NULL, test_outside_opened);
  g_test_add_data_func ("/driver/admission/asking/client-leaves", GINT_TO_POINTER (CLIENT_LEAVES),
                        test_asking);
  g_test_add_data_func ("/driver/admission/asking/client-leaves-held",
                        GINT_TO_POINTER (CLIENT_LEAVES_HELD), test_asking);
  g_test_add_data_func ("/driver/admission/asking/server-leaves", GINT_TO_POINTER (SERVER_LEAVES),
                        test_asking);
  for (int fault = 0; fault < FAULTS; fault++)
    {
      g_autofree char *path = g_strdup_printf ("/driver/admission/fault/%d", fault);

      g_test_add_data_func (path, GINT_TO_POINTER (fault), test_fault);
    }
  ADD ("/driver/admission/read-only-flag", NULL, test_read_only_flag);
  ADD ("/driver/admission/root", NULL, test_root);
  ADD ("/driver/admission/fair", NULL, test_fair);
  return g_test_run ();
}
