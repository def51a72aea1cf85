/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-gate.h"

#include <gio/gunixfdlist.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-frame.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* Kept also by GDBus, whose thread may be in it. */
struct _KvmHelperGate
{
  GDBusConnection *connection;
  const GDBusInterfaceInfo *interface;
  guint filter;

  GMutex lock;       /* of all below */
  GHashTable *names; /* bus name -> GHashTable: the serials of its calls without an answer */
  guint total;
};

static void
gate_clear (gpointer data)
{
  KvmHelperGate *gate = data;

  g_hash_table_unref (gate->names);
  g_mutex_clear (&gate->lock);
}

static void
gate_unref (gpointer gate)
{
  g_atomic_rc_box_release_full (gate, gate_clear);
}

/* A serial is the caller's to choose: a call with one that waits for its answer is one too many. */
static gboolean
enter (KvmHelperGate *gate, const char *sender, guint32 serial)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);
  GHashTable *serials = g_hash_table_lookup (gate->names, sender);

  if (gate->total >= KVMHELPER_MAX_UNANSWERED)
    return FALSE;
  if (serials == NULL)
    {
      serials = g_hash_table_new (NULL, NULL);
      g_hash_table_insert (gate->names, g_strdup (sender), serials);
    }
  if (g_hash_table_size (serials) >= KVMHELPER_MAX_CALLS_PER_CALLER
      || !g_hash_table_add (serials, GUINT_TO_POINTER (serial)))
    return FALSE;
  gate->total++;
  return TRUE;
}

static void
leave (KvmHelperGate *gate, const char *sender, guint32 serial)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);
  GHashTable *serials = g_hash_table_lookup (gate->names, sender);

  if (serials == NULL || !g_hash_table_remove (serials, GUINT_TO_POINTER (serial)))
    return;
  gate->total--;
  if (g_hash_table_size (serials) == 0)
    g_hash_table_remove (gate->names, sender);
}

static void
refuse (GDBusConnection *connection, GDBusMessage *call, CommonErrorCode code, const char *text)
{
  g_autoptr (GError) error = g_error_new_literal (COMMON_ERROR, (int) code, text);
  g_autofree char *name = g_dbus_error_encode_gerror (error);
  g_autoptr (GDBusMessage) reply = NULL;

  reply = g_dbus_message_new_method_error_literal (call, name, text);
  g_dbus_connection_send_message (connection, reply, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
}

static guint
count_descriptors (GDBusMessage *message)
{
  GUnixFDList *list = g_dbus_message_get_unix_fd_list (message);

  return list == NULL ? 0 : (guint) g_unix_fd_list_get_length (list);
}

/* How many descriptors the method takes that @message calls. */
static guint
count_wanted (const KvmHelperGate *gate, GDBusMessage *message)
{
  const char *interface = g_dbus_message_get_interface (message);
  const char *member = g_dbus_message_get_member (message);
  const GDBusMethodInfo *method = NULL;
  guint wanted = 0;

  if (member != NULL && g_strcmp0 (interface, gate->interface->name) == 0)
    method = g_dbus_interface_info_lookup_method ((GDBusInterfaceInfo *) gate->interface, member);
  for (gsize i = 0; method != NULL && method->in_args != NULL && method->in_args[i] != NULL; i++)
    wanted += g_str_equal (method->in_args[i]->signature, "h");
  return wanted;
}

/* NULL: the message ends here; its descriptors are closed with it. */
static GDBusMessage *
filter_call (KvmHelperGate *gate, GDBusConnection *connection, GDBusMessage *message,
             const char *sender)
{
  if (g_dbus_message_get_header (message, KVMHELPER_FRAME_BLANKED) != NULL)
    refuse (connection, message, COMMON_ERROR_INVALID_ARGUMENT, _ ("The call is too large"));
  else if (count_descriptors (message) > count_wanted (gate, message))
    refuse (connection, message, COMMON_ERROR_INVALID_ARGUMENT,
            _ ("The call has file descriptors that the method does not take"));
  else if (enter (gate, sender, g_dbus_message_get_serial (message)))
    return message;
  else
    refuse (connection, message, COMMON_ERROR_BUSY, _ ("Too many calls wait for the helper"));
  g_object_unref (message);
  return NULL;
}

/* What comes in, before GDBus looks at it, and what goes out, when GDBus has come to writing it. A
 * call that wants no answer is of no use to anybody, since each says by its answer alone how it
 * went: it ends here. */
static GDBusMessage *
filter (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer gate)
{
  GDBusMessageType type = g_dbus_message_get_message_type (message);
  const char *peer
      = incoming ? g_dbus_message_get_sender (message) : g_dbus_message_get_destination (message);

  if (peer == NULL)
    peer = "";
  if (!incoming)
    {
      if (type == G_DBUS_MESSAGE_TYPE_METHOD_RETURN || type == G_DBUS_MESSAGE_TYPE_ERROR)
        leave (gate, peer, g_dbus_message_get_reply_serial (message));
      return message;
    }
  if (type != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return message;
  if ((g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) == 0)
    return filter_call (gate, connection, message, peer);
  g_object_unref (message);
  return NULL;
}

KvmHelperGate *
kvmhelper_gate_new (GDBusConnection *connection, const GDBusInterfaceInfo *interface)
{
  KvmHelperGate *gate = g_atomic_rc_box_new0 (KvmHelperGate);

  gate->connection = connection;
  gate->interface = interface;
  gate->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) g_hash_table_unref);
  g_mutex_init (&gate->lock);
  gate->filter = g_dbus_connection_add_filter (connection, filter, g_atomic_rc_box_acquire (gate),
                                               gate_unref);
  return gate;
}

void
kvmhelper_gate_free (KvmHelperGate *gate)
{
  g_dbus_connection_remove_filter (gate->connection, gate->filter);
  gate_unref (gate);
}

guint
kvmhelper_gate_waiting (KvmHelperGate *gate)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&gate->lock);

  return gate->total;
}
