/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-call.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-service-private.h"
#include "kvmhelper/kvmhelper-users.h"

#include <glib/gi18n-lib.h>

/* polkit's interface: org.freedesktop.PolicyKit1.Authority(8). */
#define POLKIT                 "org.freedesktop.PolicyKit1"
#define POLKIT_PATH            "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_AUTHORITY       "org.freedesktop.PolicyKit1.Authority"
#define ALLOW_USER_INTERACTION 1

/* Whether polkit may ask a person, who may leave it without an answer. */
static gboolean
is_interactive (const KvmHelperCall *call)
{
  GDBusMessage *message = g_dbus_method_invocation_get_message (call->invocation);

  return (g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION)
         != 0;
}

/* A user, or all of them, may leave only so many questions to people open. A question that polkit
 * answers by itself does not count: virtppc64d asks for many guests at a time, and nobody else's
 * open questions may keep it out. */
static gboolean
begin_asking (KvmHelperCall *call)
{
  KvmHelperService *service = call->service;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  if (is_interactive (call))
    {
      if (service->questions >= KVMHELPER_MAX_QUESTIONS
          || !kvmhelper_users_ask (service->users, call->caller->uid))
        return FALSE;
      call->questions_person = TRUE;
      service->questions++;
    }
  call->asking = TRUE;
  service->asking++;
  return TRUE;
}

static void
end_asking (KvmHelperCall *call)
{
  KvmHelperService *service = call->service;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&service->lock);

  g_source_destroy (call->timer);
  g_clear_pointer (&call->timer, g_source_unref);
  service->asking--;
  call->asking = FALSE;
  if (!call->questions_person)
    return;
  call->questions_person = FALSE;
  service->questions--;
  kvmhelper_users_answered (service->users, call->caller->uid);
}

static gboolean
is_too_late (gpointer data)
{
  KvmHelperCall *call = data;

  call->too_late = TRUE;
  g_cancellable_cancel (call->cancellable);
  return G_SOURCE_REMOVE;
}

/* A polkit that never answers keeps no caller for ever. */
static void
begin_timer (KvmHelperCall *call)
{
  call->timer = g_timeout_source_new_seconds (call->questions_person ? KVMHELPER_QUESTION_SECONDS
                                                                     : KVMHELPER_POLKIT_SECONDS);
  g_source_set_callback (call->timer, is_too_late, call, NULL);
  g_source_attach (call->timer, g_main_context_get_thread_default ());
}

/* Why polkit's answer did not come; @local is taken. */
static GError *
explain (const KvmHelperCall *call, GError *local)
{
  g_autoptr (GError) error = local;

  if (call->too_late)
    return g_error_new (COMMON_ERROR, COMMON_ERROR_TIMED_OUT,
                        _ ("%s: no answer came to the question for an authorization"),
                        call->policy->name);
  if (g_cancellable_is_cancelled (call->cancellable))
    return kvmhelper_call_cancelled (call->service);
  g_dbus_error_strip_remote_error (error);
  g_warning ("polkit: %s", error->message);
  return g_error_new (COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
                      _ ("%s: polkit could not be asked: %s"), call->policy->name, error->message);
}

static GError *
deny (const KvmHelperCall *call, gboolean challenge)
{
  return g_error_new (COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
                      challenge ? _ ("%s: authentication is needed (%s)")
                                : _ ("%s: not authorized (%s)"),
                      call->policy->name, call->action);
}

static char *
question_id (const KvmHelperCall *call)
{
  return g_strdup_printf ("kvmhelper-%u", call->question);
}

/* Nobody waits for the answer any more: what is on a screen goes. */
static void
withdraw (GDBusConnection *connection, const KvmHelperCall *call)
{
  g_autofree char *id = question_id (call);

  g_dbus_connection_call (connection, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY,
                          "CancelCheckAuthorization", g_variant_new ("(s)", id), NULL,
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

static void
answered (GObject *source, GAsyncResult *result, gpointer data)
{
  GDBusConnection *connection = G_DBUS_CONNECTION (source);
  KvmHelperCall *call = data;
  GError *error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (connection, result, &error);
  gboolean authorized, challenge;

  end_asking (call);
  if (reply == NULL)
    {
      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        withdraw (connection, call);
      kvmhelper_call_refuse (call, explain (call, error));
      return;
    }
  g_variant_get (reply, "((bba{ss}))", &authorized, &challenge, NULL);
  if (authorized)
    kvmhelper_call_authorized (call);
  else
    kvmhelper_call_refuse (call, deny (call, challenge));
}

static GVariant *
subject_of (const KvmHelperCall *call)
{
  GVariantBuilder keys;

  g_variant_builder_init (&keys, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&keys, "{sv}", "name", g_variant_new_string (call->caller->name));
  return g_variant_new ("(sa{sv})", "system-bus-name", &keys);
}

static void
insert (GVariantBuilder *details, const char *key, const char *value)
{
  if (value != NULL)
    g_variant_builder_add (details, "{ss}", key, value);
}

/* The subject is the bus name, for which the bus vouches: a process id may be another process by
 * now. polkit is asked by the connection that the caller came by, and not by way of its library,
 * which has one of its own: so what the bus says of the caller, that he has left, and polkit's
 * answer come in the order in which they happened, and the guard is before polkit's words too. */
static void
ask (KvmHelperCall *call)
{
  static guint last = 0;
  GDBusConnection *connection = g_dbus_method_invocation_get_connection (call->invocation);
  g_autofree char *id = NULL;
  GVariantBuilder details;

  call->question = ++last;
  id = question_id (call);
  g_variant_builder_init (&details, G_VARIANT_TYPE ("a{ss}"));
  insert (&details, "address", call->details.address);
  insert (&details, "domain", call->details.domain);
  insert (&details, "domain-name", call->details.domain_name);
  insert (&details, "user", call->details.user);
  insert (&details, "memory", call->details.memory);
  insert (&details, "right", call->details.right);
  g_dbus_connection_call (connection, POLKIT, POLKIT_PATH, POLKIT_AUTHORITY, "CheckAuthorization",
                          g_variant_new ("(@(sa{sv})sa{ss}us)", subject_of (call), call->action,
                                         &details,
                                         call->questions_person ? ALLOW_USER_INTERACTION : 0, id),
                          G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT,
                          call->cancellable, answered, call);
}

static void
ask_polkit (KvmHelperCall *call)
{
  /* A call whose sender no bus vouches for has no subject that polkit knows. */
  if (*call->caller->name == '\0')
    kvmhelper_call_refuse (call, deny (call, FALSE));
  else if (!begin_asking (call))
    kvmhelper_call_refuse (call,
                           g_error_new_literal (COMMON_ERROR, COMMON_ERROR_BUSY,
                                                _ ("Too many calls wait for an authorization")));
  else
    {
      begin_timer (call);
      ask (call);
    }
}

void
kvmhelper_call_ask (KvmHelperCall *call)
{
  const KvmHelperService *service = call->service;
  g_autoptr (GError) error = NULL;

  if (g_str_equal (call->action, KVMHELPER_PUBLIC))
    kvmhelper_call_authorized (call);
  else if (service->authorize == NULL)
    ask_polkit (call);
  else if (service->authorize (call->invocation, call->caller->uid, &error))
    kvmhelper_call_authorized (call);
  else
    kvmhelper_call_refuse (call, g_steal_pointer (&error));
}
