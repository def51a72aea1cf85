/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

#define START "8237645"

/* The host's files know the process of that PID. */
static void
add_process (ServiceFixture *fixture, pid_t pid)
{
  g_autofree char *directory = g_strdup_printf ("%s/proc/%d", fixture->host->directory, (int) pid);
  g_autofree char *path = g_build_filename (directory, "stat", NULL);
  g_autofree char *text = g_strdup_printf (
      "%d (a ) name) S 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " START " 9 10\n", (int) pid);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (directory, 0755), ==, 0);
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
set_up (ServiceFixture *fixture, gconstpointer data)
{
  service_fixture_set_up (fixture, data);
  fixture->says_yes = TRUE;
  fixture->open_processes = g_ptr_array_new ();
  add_process (fixture, getpid ());
}

static void
tear_down (ServiceFixture *fixture, gconstpointer data)
{
  g_clear_pointer (&fixture->of_process, g_variant_unref);
  g_clear_pointer (&fixture->open_processes, g_ptr_array_unref);
  service_fixture_tear_down (fixture, data);
}

static void
begin (ServiceFixture *fixture, int socket, const char *right, GAsyncReadyCallback done,
       gpointer data)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  g_unix_fd_list_append (fds, socket, NULL);
  g_dbus_connection_call_with_unix_fd_list (fixture->client, COMMON_DBUS_KVMHELPER_NAME,
                                            COMMON_DBUS_KVMHELPER_PATH, COMMON_DBUS_KVMHELPER_NAME,
                                            "CheckClient", g_variant_new ("(hs)", 0, right), NULL,
                                            G_DBUS_CALL_FLAGS_NONE, 60000, fds, NULL, done, data);
}

typedef struct
{
  gboolean done;
  char *answer;
  GError *error;
} Answer;

static void
note_answer (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  g_autoptr (GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish (
      G_DBUS_CONNECTION (source), NULL, result, &answer->error);

  if (reply != NULL)
    g_variant_get (reply, "(s)", &answer->answer);
  answer->done = TRUE;
}

static void
wait_for (Answer *answer)
{
  while (!answer->done)
    g_main_context_iteration (NULL, TRUE);
}

static void
check (ServiceFixture *fixture, int socket, const char *right, Answer *answer)
{
  *answer = (Answer){ FALSE };
  begin (fixture, socket, right, note_answer, answer);
  wait_for (answer);
}

static void
clear (Answer *answer)
{
  g_clear_error (&answer->error);
  g_clear_pointer (&answer->answer, g_free);
}

/* A socket whose peer is this process. */
static void
new_pair (int pair[2])
{
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
}

static void
close_pair (const int pair[2])
{
  close (pair[0]);
  close (pair[1]);
}

/* Each of polkit's answers, about the process that is there, and of the right that is asked for. */
static void
test_answers (ServiceFixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *reply, *right, *action, *answer;
  } cases[] = {
    { "((true, false, @a{ss} {}),)", "manage", "org.libvirt.unix.manage", "yes" },
    { "((false, false, @a{ss} {}),)", "monitor", "org.libvirt.unix.monitor", "no" },
    { "((false, true, @a{ss} {}),)", "manage", "org.libvirt.unix.manage", "challenge" },
    { "((false, true, {'polkit.dismissed': 'true'}),)", "manage", "org.libvirt.unix.manage",
      "dismissed" },
    { "((false, false, {'polkit.dismissed': 'no'}),)", "manage", "org.libvirt.unix.manage", "no" },
  };
  g_autofree char *subject = g_strdup_printf ("%d " START " %u", (int) getpid (), geteuid ());
  int pair[2];

  new_pair (pair);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *asked = g_strdup_printf ("%s 1 - - -", cases[i].action);
      Answer answer;

      g_clear_pointer (&fixture->of_process, g_variant_unref);
      fixture->of_process = g_variant_ref_sink (g_variant_new_parsed (cases[i].reply));
      check (fixture, pair[0], cases[i].right, &answer);
      g_assert_no_error (answer.error);
      g_assert_cmpstr (answer.answer, ==, cases[i].answer);
      g_assert_cmpstr (fixture->asked, ==, asked);
      g_assert_cmpstr (fixture->subject, ==, subject);
      clear (&answer);
    }
  close_pair (pair);
}

/* Whoever may not ask learns nothing, and nobody is asked about. */
static void
test_denied (ServiceFixture *fixture, gconstpointer data)
{
  int pair[2];
  Answer answer;

  new_pair (pair);
  fixture->says_yes = FALSE;
  check (fixture, pair[0], "manage", &answer);
  g_assert_error (answer.error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED);
  g_assert_cmpstr (fixture->asked, ==, "org.libvirt.ppc64.kvmhelper.check 0 - - -");
  g_assert_cmpuint (fixture->questions, ==, 1);
  clear (&answer);
  close_pair (pair);
}

static void
check_invalid (ServiceFixture *fixture, int socket, const char *right)
{
  Answer answer;

  check (fixture, socket, right, &answer);
  g_assert_error (answer.error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT);
  clear (&answer);
  /* The caller was asked about, and nobody else. */
  g_assert_true (g_str_has_prefix (fixture->asked, "org.libvirt.ppc64.kvmhelper.check"));
}

static void
test_invalid (ServiceFixture *fixture, gconstpointer data)
{
  int pair[2], pipe_fds[2], plain = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  int internet = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int alone = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  new_pair (pair);
  g_assert_cmpint (pipe (pipe_fds), ==, 0);
  check_invalid (fixture, pair[0], "own");
  check_invalid (fixture, pair[0], "");
  check_invalid (fixture, plain, "manage");
  check_invalid (fixture, pipe_fds[0], "manage");
  check_invalid (fixture, alone, "manage");
  if (internet >= 0)
    {
      check_invalid (fixture, internet, "manage");
      close (internet);
    }
  close_pair (pair);
  close_pair (pipe_fds);
  close (plain);
  close (alone);
}

/* The peer of a socket whose process has ended, and whose PID may be another's now. */
static void
test_gone (ServiceFixture *fixture, gconstpointer data)
{
  int handover[2], received = -1;
  pid_t child;

  new_pair (handover);
  child = fork ();
  if (child == 0)
    {
      /* It makes the pair, so its ends are both the child's; one is handed over. */
      int pair[2];
      char control[CMSG_SPACE (sizeof (int))] __attribute__ ((aligned)) = { 0 };
      struct iovec iov = { (char *) "x", 1 };
      struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
      };
      struct cmsghdr *header = CMSG_FIRSTHDR (&message);

      if (socketpair (AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        _exit (1);
      *header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
                                  .cmsg_type = SCM_RIGHTS,
                                  .cmsg_len = CMSG_LEN (sizeof (int)) };
      *(int *) (void *) CMSG_DATA (header) = pair[0];
      _exit (sendmsg (handover[1], &message, 0) == 1 ? 0 : 1);
    }
  int status;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);

  char control[CMSG_SPACE (sizeof (int))] __attribute__ ((aligned)) = { 0 }, byte;
  struct iovec iov = { &byte, 1 };
  struct msghdr message = {
    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
  };
  g_assert_cmpint (recvmsg (handover[0], &message, MSG_CMSG_CLOEXEC), ==, 1);
  received = *(int *) (void *) CMSG_DATA (CMSG_FIRSTHDR (&message));

  check_invalid (fixture, received, "manage");
  /* Somebody else has the PID now. Where the kernel gives a descriptor of the peer, it is seen. */
  add_process (fixture, child);
  int handle;
  socklen_t length = sizeof handle;
  gboolean known = getsockopt (received, SOL_SOCKET, 77 /* SO_PEERPIDFD */, &handle, &length) == 0;
  if (known || errno != ENOPROTOOPT)
    check_invalid (fixture, received, "manage");
  if (known)
    close (handle);
  close (received);
  close_pair (handover);
}

static void
wait_open (ServiceFixture *fixture, guint wanted)
{
  guint open;

  do
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (1000);
      g_mutex_lock (&fixture->lock);
      open = fixture->open_processes->len;
      g_mutex_unlock (&fixture->lock);
    }
  while (open < wanted);
}

/* Nobody waits while a person thinks; a user has only so many questions open; and each end of the
 * socket takes its question back. */
static void
test_withdrawn (ServiceFixture *fixture, gconstpointer data)
{
  enum
  {
    N = KVMHELPER_MAX_QUESTIONS_PER_CALLER
  };
  Answer answers[N] = { { FALSE } }, more;
  int pairs[N + 1][2];

  for (guint i = 0; i <= N; i++)
    new_pair (pairs[i]);
  for (guint i = 0; i < N; i++)
    begin (fixture, pairs[i][0], "manage", note_answer, &answers[i]);
  wait_open (fixture, N);
  check (fixture, pairs[N][0], "manage", &more);
  g_assert_error (more.error, COMMON_ERROR, COMMON_ERROR_BUSY);
  clear (&more);

  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) leases
      = service_fixture_call (fixture, "ListLeases", NULL, G_DBUS_CALL_FLAGS_NONE, &error);
  g_assert_no_error (error);

  /* The client's end, and the caller's. */
  for (guint i = 0; i < N; i++)
    {
      if (i % 2 == 0)
        close (pairs[i][1]);
      else
        shutdown (pairs[i][0], SHUT_RDWR);
      wait_for (&answers[i]);
      g_assert_error (answers[i].error, COMMON_ERROR, COMMON_ERROR_CANCELLED);
      clear (&answers[i]);
    }
  g_mutex_lock (&fixture->lock);
  g_assert_cmpuint (fixture->withdrawn, ==, N);
  for (guint i = 0; i < N; i++)
    g_dbus_method_invocation_return_dbus_error (fixture->open_processes->pdata[i],
                                                "org.freedesktop.PolicyKit1.Error.Cancelled", "");
  g_mutex_unlock (&fixture->lock);

  /* There is room again. */
  fixture->of_process = g_variant_ref_sink (g_variant_new_parsed ("((true, false, @a{ss} {}),)"));
  check (fixture, pairs[N][0], "manage", &more);
  g_assert_cmpstr (more.answer, ==, "yes");
  clear (&more);
  for (guint i = 0; i <= N; i++)
    {
      close (pairs[i][0]);
      if (i == N || i % 2 != 0)
        close (pairs[i][1]);
    }
}

static gboolean
is_withdrawn (ServiceFixture *fixture)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&fixture->lock);

  return fixture->withdrawn == 1;
}

/* A caller that leaves the bus takes its questions along. */
static void
test_left (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GDBusConnection) first = fixture->client;
  Answer answer = { FALSE };
  int pair[2];

  new_pair (pair);
  fixture->client = service_fixture_connect (fixture);
  begin (fixture, pair[0], "manage", note_answer, &answer);
  wait_open (fixture, 1);
  g_dbus_connection_close_sync (fixture->client, NULL, NULL);
  wait_for (&answer);
  g_assert_nonnull (answer.error);
  clear (&answer);
  while (!is_withdrawn (fixture))
    g_usleep (1000);
  g_dbus_method_invocation_return_dbus_error (fixture->open_processes->pdata[0],
                                              "org.freedesktop.PolicyKit1.Error.Cancelled", "");
  g_object_unref (fixture->client);
  fixture->client = g_steal_pointer (&first);
  close_pair (pair);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/kvmhelper/check/answers", ServiceFixture, NULL, set_up, test_answers, tear_down);
  g_test_add ("/kvmhelper/check/denied", ServiceFixture, NULL, set_up, test_denied, tear_down);
  g_test_add ("/kvmhelper/check/invalid", ServiceFixture, NULL, set_up, test_invalid, tear_down);
  g_test_add ("/kvmhelper/check/gone", ServiceFixture, NULL, set_up, test_gone, tear_down);
  g_test_add ("/kvmhelper/check/withdrawn", ServiceFixture, NULL, set_up, test_withdrawn,
              tear_down);
  g_test_add ("/kvmhelper/check/left", ServiceFixture, NULL, set_up, test_left, tear_down);
  return g_test_run ();
}
