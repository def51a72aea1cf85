/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-check.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-service-private.h"
#include "kvmhelper/kvmhelper-users.h"

#include <glib/gi18n-lib.h>

/* polkit's interface: org.freedesktop.PolicyKit1.Authority(8). */
#define POLKIT                 "org.freedesktop.PolicyKit1"
#define POLKIT_PATH            "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_AUTHORITY       "org.freedesktop.PolicyKit1.Authority"
#define ALLOW_USER_INTERACTION 1

/* include/uapi/asm-generic/socket.h, of POWER and x86; older headers lack it. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* A question about a client. */
typedef struct
{
  KvmHelperCall *call;
  int socket;
  struct ucred peer;
  guint64 start;
  gboolean asks; /* it counts among the questions of its user */
  gboolean too_late;
  GSource *timer, *watch;
  guint number;
} Check;

const char *
kvmhelper_check_action (const char *right)
{
  if (g_str_equal (right, "manage"))
    return "org.libvirt.unix.manage";
  return g_str_equal (right, "monitor") ? "org.libvirt.unix.monitor" : NULL;
}

/* Of the one question to its end: everything that was taken for it. */
static void
check_free (Check *check)
{
  KvmHelperService *service = check->call->service;

  for (int i = 0; i < 2; i++)
    {
      GSource *source = i == 0 ? check->timer : check->watch;

      if (source == NULL)
        continue;
      g_source_destroy (source);
      g_source_unref (source);
    }
  if (check->asks)
    {
      g_mutex_lock (&service->lock);
      service->asking--;
      service->questions--;
      check->call->asking = FALSE;
      kvmhelper_users_answered (service->users, check->peer.uid);
      kvmhelper_users_leave (service->users, check->peer.uid);
      g_mutex_unlock (&service->lock);
    }
  if (check->socket >= 0)
    close (check->socket);
  g_free (check);
}

static void
refuse (Check *check, GError *error)
{
  KvmHelperCall *call = check->call;

  check_free (check);
  kvmhelper_call_refuse (call, error);
}

static gboolean
fail_socket (GError **error)
{
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                       _ ("The descriptor is no local socket that a process connected to"));
  return FALSE;
}

/* Whether the PID in SO_PEERCRED is the peer's still; where the kernel cannot tell, it is taken for
 * it, as libvirt does. One that waits for its parent to hear of its end keeps it. */
static gboolean
is_still (int socket)
{
  int handle = -1;
  socklen_t length = sizeof handle;
  gboolean gone;

  if (getsockopt (socket, SOL_SOCKET, SO_PEERPIDFD, &handle, &length) != 0)
    return errno != ESRCH && errno != EINVAL;
  gone = syscall (SYS_pidfd_send_signal, handle, 0, NULL, 0) != 0 && errno == ESRCH;
  close (handle);
  return !gone;
}

static gboolean
read_peer (Check *check, GError **error)
{
  socklen_t length = sizeof check->peer;
  int domain;
  socklen_t domain_length = sizeof domain;

  if (getsockopt (check->socket, SOL_SOCKET, SO_DOMAIN, &domain, &domain_length) != 0
      || domain != AF_UNIX
      || getsockopt (check->socket, SOL_SOCKET, SO_PEERCRED, &check->peer, &length) != 0
      || check->peer.uid == (uid_t) -1)
    return fail_socket (error);
  if (check->peer.pid > 0
      && kvmhelper_grant_process_start (check->call->service->kernel, (guint) check->peer.pid,
                                        &check->start)
      && is_still (check->socket))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("The process that connected to the socket, %d, is not there any more"),
               (int) check->peer.pid);
  return FALSE;
}

static gboolean
read_arguments (Check *check, const char **action, GError **error)
{
  GDBusMethodInvocation *invocation = check->call->invocation;
  GUnixFDList *list
      = g_dbus_message_get_unix_fd_list (g_dbus_method_invocation_get_message (invocation));
  const char *right;
  gint32 index;

  g_variant_get (g_dbus_method_invocation_get_parameters (invocation), "(h&s)", &index, &right);
  *action = kvmhelper_check_action (right);
  if (*action == NULL)
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                           _ ("The right is \"manage\" or \"monitor\""));
      return FALSE;
    }
  check->socket = list == NULL ? -1 : g_unix_fd_list_get (list, index, NULL);
  return check->socket >= 0 ? read_peer (check, error) : fail_socket (error);
}

/* Any of these questions may come before a person, who may leave it without an answer: a user may
 * have only so many of them open, and all users. */
static gboolean
begin_asking (Check *check)
{
  KvmHelperService *service = check->call->service;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  if (service->questions >= KVMHELPER_MAX_QUESTIONS
      || !kvmhelper_users_enter (service->users, check->peer.uid))
    return FALSE;
  if (!kvmhelper_users_ask (service->users, check->peer.uid))
    {
      kvmhelper_users_leave (service->users, check->peer.uid);
      return FALSE;
    }
  service->questions++;
  service->asking++;
  check->asks = TRUE;
  check->call->asking = TRUE;
  return TRUE;
}

static gboolean
is_too_late (gpointer data)
{
  Check *check = data;

  check->too_late = TRUE;
  g_cancellable_cancel (check->call->cancellable);
  return G_SOURCE_REMOVE;
}

/* The client has left, or the caller says by its end that nobody waits. */
static gboolean
is_shut_down (int socket, GIOCondition condition, gpointer data)
{
  const Check *check = data;

  g_cancellable_cancel (check->call->cancellable);
  return G_SOURCE_REMOVE;
}

static void
begin_watching (Check *check)
{
  GMainContext *context = g_main_context_get_thread_default ();

  check->timer = g_timeout_source_new_seconds (KVMHELPER_QUESTION_SECONDS);
  g_source_set_callback (check->timer, is_too_late, check, NULL);
  g_source_attach (check->timer, context);
  check->watch = g_unix_fd_source_new (check->socket, G_IO_HUP | G_IO_ERR);
  g_source_set_callback (check->watch, G_SOURCE_FUNC (is_shut_down), check, NULL);
  g_source_attach (check->watch, context);
}

/* Why there is no answer; @local is taken. */
static GError *
explain (const Check *check, GError *local)
{
  g_autoptr (GError) error = local;
  const char *name = check->call->policy->name;

  if (check->too_late)
    return g_error_new (COMMON_ERROR, COMMON_ERROR_TIMED_OUT,
                        _ ("%s: no answer came to the question for an authorization"), name);
  if (g_cancellable_is_cancelled (check->call->cancellable))
    return kvmhelper_call_cancelled (check->call->service);
  g_dbus_error_strip_remote_error (error);
  g_warning ("polkit: %s", error->message);
  return g_error_new (COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
                      _ ("%s: polkit could not be asked: %s"), name, error->message);
}

/* Unlike any of the helper's own questions (kvmhelper-authorize.c). */
static char *
question_id (const Check *check)
{
  return g_strdup_printf ("kvmhelper-client-%u", check->number);
}

static void
withdraw (GDBusConnection *connection, const Check *check)
{
  g_autofree char *id = question_id (check);

  g_dbus_connection_call (connection, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY,
                          "CancelCheckAuthorization", g_variant_new ("(s)", id), NULL,
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

/* As virPolkitCheckAuth tells them apart: a client of libvirt has a different error of each. */
static const char *
answer_of (GVariant *reply)
{
  g_autoptr (GVariant) details = NULL;
  gboolean authorized, challenge;
  const char *dismissed = "";

  g_variant_get (reply, "((bb@a{ss}))", &authorized, &challenge, &details);
  g_variant_lookup (details, "polkit.dismissed", "&s", &dismissed);
  if (authorized)
    return "yes";
  if (g_str_equal (dismissed, "true"))
    return "dismissed";
  return challenge ? "challenge" : "no";
}

static void
answered (GObject *source, GAsyncResult *result, gpointer data)
{
  GDBusConnection *connection = G_DBUS_CONNECTION (source);
  Check *check = data;
  KvmHelperCall *call = check->call;
  GError *error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (connection, result, &error);

  if (reply == NULL)
    {
      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        withdraw (connection, check);
      refuse (check, explain (check, error));
      return;
    }
  check_free (check);
  kvmhelper_call_return (call, g_variant_new ("(s)", answer_of (reply)));
}

/* A process, as virPolkitCheckAuth has it. */
static GVariant *
subject_of (const Check *check)
{
  GVariantBuilder keys;

  g_variant_builder_init (&keys, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&keys, "{sv}", "pid", g_variant_new_uint32 ((guint32) check->peer.pid));
  g_variant_builder_add (&keys, "{sv}", "start-time", g_variant_new_uint64 (check->start));
  g_variant_builder_add (&keys, "{sv}", "uid", g_variant_new_int32 ((gint32) check->peer.uid));
  return g_variant_new ("(sa{sv})", "unix-process", &keys);
}

static void
ask (Check *check, const char *action)
{
  static guint last = 0;
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (check->call->invocation);
  g_autofree char *id = NULL;

  check->number = ++last;
  id = question_id (check);
  begin_watching (check);
  g_dbus_connection_call (connection, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY, "CheckAuthorization",
                          g_variant_new ("(@(sa{sv})sa{ss}us)", subject_of (check), action, NULL,
                                         ALLOW_USER_INTERACTION, id),
                          G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT,
                          check->call->cancellable, answered, check);
}

void
kvmhelper_check_client (KvmHelperCall *call)
{
  Check *check = g_new0 (Check, 1);
  const char *action;
  GError *error = NULL;

  check->call = call;
  check->socket = -1;
  if (!read_arguments (check, &action, &error))
    refuse (check, error);
  /* Who decides in polkit's place, of a simulated host, knows the helper's own callers alone. */
  else if (call->service->authorize != NULL)
    refuse (check, g_error_new (COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
                                _ ("%s: a simulated host has no polkit"), call->policy->name));
  else if (!begin_asking (check))
    refuse (check, g_error_new_literal (COMMON_ERROR, COMMON_ERROR_BUSY,
                                        _ ("Too many calls wait for an authorization")));
  else
    ask (check, action);
}
