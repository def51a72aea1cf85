/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-fake-helper.h"

#include "cli-fake-grants.h"
#include "common/common-dbus.h"
#include "common/common-error.h"
#include "kvmhelper-dbus.h"

struct _CliFakeHelper
{
  GDBusConnection *connection;
  KvmHelperDBusKvmHelper1 *skeleton;
  CliFakeMode mode;
  guint calls;
};

static GVariant *
read_data (const char *name, const char *type)
{
  g_autofree char *path = cli_data_file (name);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  GVariant *value;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  value = g_variant_parse (G_VARIANT_TYPE (type), text, NULL, NULL, &error);
  g_assert_no_error (error);
  return value;
}

/* TRUE where the call is over, for what the mode is. */
static gboolean
interfere (gpointer data, GDBusMethodInvocation *invocation)
{
  CliFakeHelper *helper = data;
  g_autoptr (GError) error = NULL;

  helper->calls++;
  switch (helper->mode)
    {
    case CLI_FAKE_DENIES:
      g_dbus_method_invocation_return_error (invocation, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
                                             "polkit does not allow this.");
      return TRUE;
    case CLI_FAKE_DIES:
      g_dbus_connection_close_sync (helper->connection, NULL, &error);
      g_assert_no_error (error);
      g_object_unref (invocation);
      return TRUE;
    case CLI_FAKE_ANSWERS:
    case CLI_FAKE_FAILS:
    default:
      return FALSE;
    }
}

static gboolean
on_get_host (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, gpointer data)
{
  g_autoptr (GVariant) host = NULL;

  if (interfere (data, invocation))
    return TRUE;
  host = read_data ("host.gvariant", "a{sv}");
  kvm_helper_dbus_kvm_helper1_complete_get_host (skeleton, invocation, host);
  return TRUE;
}

static gboolean
on_list_leases (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, gpointer data)
{
  g_autoptr (GVariant) leases = NULL;

  if (interfere (data, invocation))
    return TRUE;
  leases = read_data ("leases.gvariant", "aa{sv}");
  kvm_helper_dbus_kvm_helper1_complete_list_leases (skeleton, invocation, leases);
  return TRUE;
}

/* One device is held by a guest, one by nobody; all others are not there. */
static gboolean
on_inspect (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation,
            const char *address, gpointer data)
{
  g_autoptr (GVariant) result = NULL;

  if (interfere (data, invocation))
    return TRUE;
  if (g_str_equal (address, "0000:01:00.0"))
    result = read_data ("inspection.gvariant", "a{sv}");
  else if (g_str_equal (address, "0001:01:00.0"))
    result = g_variant_ref_sink (
        g_variant_new_parsed ("{'address': <%s>, 'group': <uint32 3>}", address));
  if (result != NULL)
    kvm_helper_dbus_kvm_helper1_complete_inspect (skeleton, invocation, result);
  else
    g_dbus_method_invocation_return_error (invocation, COMMON_ERROR, COMMON_ERROR_DEVICE_UNKNOWN,
                                           "There is no function %s.", address);
  return TRUE;
}

static gboolean
on_rehearse (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation,
             const char *address, GVariant *options, gpointer data)
{
  CliFakeHelper *helper = data;
  g_autoptr (GVariant) steps = NULL;

  if (interfere (helper, invocation))
    return TRUE;
  if (!g_str_equal (address, "0000:01:00.0"))
    {
      g_dbus_method_invocation_return_error (
          invocation, COMMON_ERROR, COMMON_ERROR_MEMBER_NOT_TAKEABLE,
          "The host needs %s: it has the root file system.", address);
      return TRUE;
    }
  steps = read_data (helper->mode == CLI_FAKE_FAILS ? "steps-failed.gvariant" : "steps.gvariant",
                     "aa{sv}");
  for (gsize i = 0; i < g_variant_n_children (steps); i++)
    {
      g_autoptr (GVariant) step = g_variant_get_child_value (steps, i);

      kvm_helper_dbus_kvm_helper1_emit_rehearsal_step (skeleton, "0000:99:00.0", step);
      kvm_helper_dbus_kvm_helper1_emit_rehearsal_step (skeleton, address, step);
    }
  kvm_helper_dbus_kvm_helper1_complete_rehearse (skeleton, invocation,
                                                 helper->mode != CLI_FAKE_FAILS, steps);
  return TRUE;
}

/* The lease that is pending stays so, unless it is forgotten; another one goes. */
static gboolean
on_release (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, const char *lease,
            GVariant *options, gpointer data)
{
  gboolean forget = FALSE;

  if (interfere (data, invocation))
    return TRUE;
  g_variant_lookup (options, "forget", "b", &forget);
  kvm_helper_dbus_kvm_helper1_complete_release (
      skeleton, invocation, g_str_equal (lease, "9a8b7c6d") && !forget ? "pending" : "done");
  return TRUE;
}

CliFakeHelper *
cli_fake_helper_new (const CliBus *bus, CliFakeMode mode)
{
  CliFakeHelper *helper = g_new0 (CliFakeHelper, 1);
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  /* Registers the names of our errors. */
  (void) common_error_quark ();
  helper->mode = mode;
  helper->connection = cli_bus_connect (bus);
  helper->skeleton = kvm_helper_dbus_kvm_helper1_skeleton_new ();
  g_signal_connect (helper->skeleton, "handle-get-host", G_CALLBACK (on_get_host), helper);
  g_signal_connect (helper->skeleton, "handle-list-leases", G_CALLBACK (on_list_leases), helper);
  g_signal_connect (helper->skeleton, "handle-inspect", G_CALLBACK (on_inspect), helper);
  g_signal_connect (helper->skeleton, "handle-rehearse", G_CALLBACK (on_rehearse), helper);
  g_signal_connect (helper->skeleton, "handle-release", G_CALLBACK (on_release), helper);
  cli_fake_grants_connect (helper->skeleton, interfere, helper);
  g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (helper->skeleton),
                                    helper->connection, COMMON_DBUS_KVMHELPER_PATH, &error);
  g_assert_no_error (error);
  reply = g_dbus_connection_call_sync (
      helper->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "RequestName", g_variant_new ("(su)", COMMON_DBUS_KVMHELPER_NAME, 0), NULL,
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  g_assert_no_error (error);
  return helper;
}

void
cli_fake_helper_free (CliFakeHelper *helper)
{
  if (helper == NULL)
    return;
  g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (helper->skeleton));
  g_object_unref (helper->skeleton);
  if (!g_dbus_connection_is_closed (helper->connection))
    g_dbus_connection_close_sync (helper->connection, NULL, NULL);
  g_object_unref (helper->connection);
  g_free (helper);
}

guint
cli_fake_helper_get_calls (const CliFakeHelper *helper)
{
  return helper->calls;
}
