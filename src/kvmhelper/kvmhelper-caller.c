/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-caller.h"

#include "kvmhelper/kvmhelper-limits.h"

#define BUS      "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

struct _KvmHelperCallers
{
  GDBusConnection *connection;
  GMutex *lock;
  KvmHelperCallerFunc known;
  KvmHelperCallerFunc left;
  gpointer data;
  GHashTable *table; /* name -> KvmHelperCaller */
  guint asking;
};

typedef struct
{
  KvmHelperCallers *callers;
  KvmHelperCaller *caller;
} Question;

static void
caller_clear (gpointer data)
{
  KvmHelperCaller *caller = data;

  g_free (caller->name);
}

KvmHelperCaller *
kvmhelper_caller_ref (KvmHelperCaller *caller)
{
  return g_atomic_rc_box_acquire (caller);
}

void
kvmhelper_caller_unref (KvmHelperCaller *caller)
{
  g_atomic_rc_box_release_full (caller, caller_clear);
}

/* Out of the table. */
static void
forget (gpointer data)
{
  KvmHelperCaller *caller = data;

  if (caller->subscription != 0)
    g_dbus_connection_signal_unsubscribe (caller->connection, caller->subscription);
  caller->subscription = 0;
  kvmhelper_caller_unref (caller);
}

KvmHelperCallers *
kvmhelper_callers_new (GDBusConnection *connection, GMutex *lock, KvmHelperCallerFunc known,
                       KvmHelperCallerFunc left, gpointer data)
{
  KvmHelperCallers *callers = g_new0 (KvmHelperCallers, 1);

  callers->connection = g_object_ref (connection);
  callers->lock = lock;
  callers->known = known;
  callers->left = left;
  callers->data = data;
  callers->table = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, forget);
  return callers;
}

void
kvmhelper_callers_free (KvmHelperCallers *callers)
{
  g_hash_table_unref (callers->table);
  g_object_unref (callers->connection);
  g_free (callers);
}

guint
kvmhelper_callers_asking (const KvmHelperCallers *callers)
{
  return callers->asking;
}

/* He is gone for good: the name is never given again. */
static void
set_left (KvmHelperCallers *callers, KvmHelperCaller *caller)
{
  gboolean news;

  g_mutex_lock (callers->lock);
  news = !caller->left;
  caller->left = TRUE;
  if (g_hash_table_lookup (callers->table, caller->name) == caller)
    g_hash_table_remove (callers->table, caller->name);
  g_mutex_unlock (callers->lock);
  if (news)
    callers->left (caller, callers->data);
}

static void
owner_changed (GDBusConnection *connection, const char *sender, const char *path,
               const char *interface, const char *signal, GVariant *parameters, gpointer data)
{
  KvmHelperCallers *callers = data;
  g_autoptr (KvmHelperCaller) caller = NULL;
  const char *name, *owner;

  g_variant_get (parameters, "(&s&s&s)", &name, NULL, &owner);
  if (*owner != '\0')
    return;
  g_mutex_lock (callers->lock);
  caller = g_hash_table_lookup (callers->table, name);
  if (caller != NULL)
    kvmhelper_caller_ref (caller);
  g_mutex_unlock (callers->lock);
  if (caller != NULL)
    set_left (callers, caller);
}

static void
got_uid (GObject *connection, GAsyncResult *result, gpointer data)
{
  g_autofree Question *question = data;
  KvmHelperCallers *callers = question->callers;
  g_autoptr (KvmHelperCaller) caller = question->caller;
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (connection), result, NULL);

  g_mutex_lock (callers->lock);
  callers->asking--;
  if (reply != NULL && !caller->left)
    {
      g_variant_get (reply, "(u)", &caller->uid);
      caller->known = TRUE;
    }
  g_mutex_unlock (callers->lock);
  if (reply == NULL)
    set_left (callers, caller);
  callers->known (caller, callers->data);
}

/* The subscription first: the bus answers in order, so that whoever left before the answer is known
 * to have left. */
static void
ask_bus (KvmHelperCallers *callers, KvmHelperCaller *caller)
{
  Question *question = g_new (Question, 1);

  question->callers = callers;
  question->caller = kvmhelper_caller_ref (caller);
  caller->connection = callers->connection;
  caller->subscription = g_dbus_connection_signal_subscribe (
      callers->connection, BUS, BUS, "NameOwnerChanged", BUS_PATH, caller->name,
      G_DBUS_SIGNAL_FLAGS_NONE, owner_changed, callers, NULL);
  callers->asking++;
  g_dbus_connection_call (callers->connection, BUS, BUS_PATH, BUS, "GetConnectionUnixUser",
                          g_variant_new ("(s)", caller->name), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, KVMHELPER_BUS_SECONDS * 1000, NULL, got_uid,
                          question);
}

/* Where there is no bus the kernel vouches for the other end of the socket. */
static void
ask_socket (KvmHelperCallers *callers, KvmHelperCaller *caller)
{
  GCredentials *peer = g_dbus_connection_get_peer_credentials (callers->connection);
  uid_t uid = peer == NULL ? (uid_t) -1 : g_credentials_get_unix_user (peer, NULL);

  caller->known = uid != (uid_t) -1;
  caller->left = !caller->known;
  caller->uid = uid;
}

static gboolean
is_idle (gpointer name, gpointer caller, gpointer data)
{
  return ((KvmHelperCaller *) caller)->calls.length == 0;
}

KvmHelperCaller *
kvmhelper_callers_get (KvmHelperCallers *callers, const char *sender)
{
  const char *name = sender == NULL ? "" : sender;
  KvmHelperCaller *caller = g_hash_table_lookup (callers->table, name);

  if (caller != NULL)
    return caller;
  /* Those who call nothing now are kept, since most call again, but not for ever. */
  if (g_hash_table_size (callers->table) >= KVMHELPER_MAX_CALLERS)
    g_hash_table_foreach_remove (callers->table, is_idle, NULL);
  if (g_hash_table_size (callers->table) >= KVMHELPER_MAX_CALLERS)
    return NULL;
  caller = g_atomic_rc_box_new0 (KvmHelperCaller);
  caller->name = g_strdup (name);
  g_queue_init (&caller->calls);
  g_hash_table_insert (callers->table, caller->name, caller);
  if (sender == NULL)
    ask_socket (callers, caller);
  else
    ask_bus (callers, caller);
  return caller;
}
