/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver-fake-helper.h"

#include <string.h>

#include "common/common-dbus.h"
#include "common/common-error.h"
#include "kvmhelper-dbus.h"

typedef struct
{
  char *id, *domain_uuid, *phase;
  const char *const *members;
  gint64 since;
  guint user; /* whose own guest it is for; 0: not one of those */
} Lease;

struct _TestHelper
{
  GTestDBus *bus;
  GDBusConnection *connection;
  KvmHelperDBusKvmHelper1 *skeleton;
  GString *log;
  char *failing;
  gboolean hold;
  GDBusMethodInvocation *held;
  Lease *held_lease;
  guint last;
  GPtrArray *leases;
  GString *addresses;
  const char *eeh;
};

/* The groups of data/host.gvariant. */
static const char *const group1[] = { "0001:01:00.0", "0001:01:00.1", NULL };
static const char *const group2[] = { "0002:01:00.0", NULL };

static void
lease_free (Lease *lease)
{
  g_free (lease->id);
  g_free (lease->domain_uuid);
  g_free (lease->phase);
  g_free (lease);
}

static Lease *
add_lease (TestHelper *self, const char *domain_uuid, const char *address, const char *phase,
           gint64 since)
{
  const char *const *members = g_strv_contains (group2, address) ? group2 : group1;
  Lease *lease;

  for (guint i = 0; i < self->leases->len; i++)
    {
      lease = self->leases->pdata[i];
      if (lease->members == members)
        return lease;
    }
  lease = g_new (Lease, 1);
  *lease = (Lease){ g_strdup_printf ("L%u", ++self->last), g_strdup (domain_uuid), g_strdup (phase),
                    members, since };
  g_ptr_array_add (self->leases, lease);
  return lease;
}

static Lease *
find_lease (const TestHelper *self, const char *id)
{
  for (guint i = 0; i < self->leases->len; i++)
    if (g_str_equal (((Lease *) self->leases->pdata[i])->id, id))
      return self->leases->pdata[i];
  return NULL;
}

/* A lease of a user's own has one key more. */
static GVariant *
describe (const Lease *lease)
{
  GVariantBuilder members;
  GVariant *dict;

  g_variant_builder_init (&members, G_VARIANT_TYPE ("aa{sv}"));
  for (gsize i = 0; lease->members[i] != NULL; i++)
    g_variant_builder_add_parsed (&members, "{'address': <%s>}", lease->members[i]);
  dict = g_variant_new_parsed (
      "{'lease': <%s>, 'domain-uuid': <%s>, 'domain-name': <'guest'>, 'phase': <%s>, "
      "'since': <%x>, 'members': <%@aa{sv}>}",
      lease->id, lease->domain_uuid, lease->phase, lease->since, g_variant_builder_end (&members));
  if (lease->user != 0)
    {
      g_auto (GVariantDict) more = G_VARIANT_DICT_INIT (dict);

      g_variant_unref (g_variant_ref_sink (dict));
      g_variant_dict_insert (&more, "user", "u", lease->user);
      return g_variant_dict_end (&more);
    }
  return dict;
}

static void note (TestHelper *self, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (TestHelper *self, const char *format, ...)
{
  va_list args;

  if (self->log->len > 0)
    g_string_append_c (self->log, ' ');
  va_start (args, format);
  g_string_append_vprintf (self->log, format, args);
  va_end (args);
}

static gboolean
on_get_host (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, gpointer data)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_DIST, "driver", "data", "host.gvariant", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  note (data, "GetHost");
  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (GVariant) host = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);
  g_assert_no_error (error);
  kvm_helper_dbus_kvm_helper1_complete_get_host (skeleton, invocation, host);
  return TRUE;
}

static void
complete_prepare (TestHelper *self, GDBusMethodInvocation *invocation, const Lease *lease)
{
  kvm_helper_dbus_kvm_helper1_complete_prepare (self->skeleton, invocation, lease->id,
                                                describe (lease));
}

static gboolean
on_prepare (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation,
            const char *domain_uuid, const char *domain_name, const char *address,
            GVariant *options, gpointer data)
{
  TestHelper *self = data;
  const char *rehearse = "";

  g_variant_lookup (options, "rehearse", "&s", &rehearse);
  note (self, "Prepare(%s,%s)", address, rehearse);
  if (g_strcmp0 (address, self->failing) == 0)
    {
      g_dbus_method_invocation_return_error (invocation, COMMON_ERROR,
                                             COMMON_ERROR_REHEARSAL_FAILED, "EEH said no.");
      return TRUE;
    }

  Lease *lease
      = add_lease (self, domain_uuid, address, "prepared", g_get_real_time () / G_USEC_PER_SEC);
  if (self->hold)
    {
      self->held = invocation;
      self->held_lease = lease;
    }
  else
    complete_prepare (self, invocation, lease);
  return TRUE;
}

static gboolean
on_commit (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, const char *id,
           gpointer data)
{
  TestHelper *self = data;
  Lease *lease = find_lease (self, id);

  note (self, "Commit(%s)", id);
  g_assert_nonnull (lease);
  g_free (lease->phase);
  lease->phase = g_strdup ("active");
  kvm_helper_dbus_kvm_helper1_complete_commit (
      skeleton, invocation,
      g_variant_new_parsed ("{'interrupts': <('xive-native', 'fd')>, 'dma': <('in-kernel', 'x')>,"
                            " 'eeh': <(%s, 'x')>}",
                            self->eeh != NULL ? self->eeh : "enabled"));
  return TRUE;
}

/* It comes at its own time, after a commit: so it stands in a log of its own. */
static gboolean
on_set_guest_addresses (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation,
                        const char *id, GVariant *functions, gpointer data)
{
  TestHelper *self = data;
  g_autofree char *text = g_variant_print (functions, FALSE);

  g_string_append_printf (self->addresses, "%s %s\n", id, text);
  kvm_helper_dbus_kvm_helper1_complete_set_guest_addresses (skeleton, invocation);
  return TRUE;
}

const char *
test_helper_get_addresses (const TestHelper *self)
{
  return self->addresses->str;
}

static gboolean
on_release (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, const char *id,
            GVariant *options, gpointer data)
{
  TestHelper *self = data;
  Lease *lease = find_lease (self, id);
  guint32 timeout = 10;

  note (self, "Release(%s)", id);
  if (lease == NULL)
    {
      g_dbus_method_invocation_return_error (invocation, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN,
                                             "There is no lease %s.", id);
      return TRUE;
    }
  g_variant_lookup (options, "timeout", "u", &timeout);
  /* Who does not wait asks while the guest has it still. */
  if (timeout == 0)
    {
      kvm_helper_dbus_kvm_helper1_complete_release (skeleton, invocation, "pending");
      return TRUE;
    }
  g_ptr_array_remove (self->leases, lease);
  kvm_helper_dbus_kvm_helper1_complete_release (skeleton, invocation, "done");
  return TRUE;
}

static gboolean
on_list_leases (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, gpointer data)
{
  TestHelper *self = data;
  GVariantBuilder leases;

  g_variant_builder_init (&leases, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < self->leases->len; i++)
    g_variant_builder_add_value (&leases, describe (self->leases->pdata[i]));
  kvm_helper_dbus_kvm_helper1_complete_list_leases (skeleton, invocation,
                                                    g_variant_builder_end (&leases));
  return TRUE;
}

/* RequestName, ReleaseName */
static void
ask_bus (TestHelper *self, const char *method, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  GVariant *reply = g_dbus_connection_call_sync (
      self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      method, arguments, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

  g_assert_no_error (error);
  g_variant_unref (reply);
}

void
test_helper_come (TestHelper *self)
{
  ask_bus (self, "RequestName", g_variant_new ("(su)", COMMON_DBUS_KVMHELPER_NAME, 0));
}

void
test_helper_leave (TestHelper *self)
{
  ask_bus (self, "ReleaseName", g_variant_new ("(s)", COMMON_DBUS_KVMHELPER_NAME));
}

TestHelper *
test_helper_new (void)
{
  TestHelper *self = g_new0 (TestHelper, 1);
  g_autoptr (GError) error = NULL;

  common_error_quark ();
  self->log = g_string_new (NULL);
  self->leases = g_ptr_array_new_with_free_func ((GDestroyNotify) lease_free);
  self->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (self->bus);
  self->connection = g_dbus_connection_new_for_address_sync (
      g_test_dbus_get_bus_address (self->bus),
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, &error);
  g_assert_no_error (error);
  self->skeleton = kvm_helper_dbus_kvm_helper1_skeleton_new ();
  g_signal_connect (self->skeleton, "handle-get-host", G_CALLBACK (on_get_host), self);
  g_signal_connect (self->skeleton, "handle-prepare", G_CALLBACK (on_prepare), self);
  g_signal_connect (self->skeleton, "handle-commit", G_CALLBACK (on_commit), self);
  self->addresses = g_string_new (NULL);
  g_signal_connect (self->skeleton, "handle-set-guest-addresses",
                    G_CALLBACK (on_set_guest_addresses), self);
  g_signal_connect (self->skeleton, "handle-release", G_CALLBACK (on_release), self);
  g_signal_connect (self->skeleton, "handle-list-leases", G_CALLBACK (on_list_leases), self);
  g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->skeleton), self->connection,
                                    COMMON_DBUS_KVMHELPER_PATH, &error);
  g_assert_no_error (error);
  test_helper_come (self);
  return self;
}

void
test_helper_free (TestHelper *self)
{
  if (self == NULL)
    return;
  g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->skeleton));
  g_object_unref (self->skeleton);
  g_dbus_connection_close_sync (self->connection, NULL, NULL);
  g_object_unref (self->connection);
  g_test_dbus_stop (self->bus);
  g_object_unref (self->bus);
  g_string_free (self->log, TRUE);
  g_string_free (self->addresses, TRUE);
  g_ptr_array_unref (self->leases);
  g_free (self->failing);
  g_free (self);
}

const char *
test_helper_get_address (const TestHelper *self)
{
  return g_test_dbus_get_bus_address (self->bus);
}

const char *
test_helper_get_log (const TestHelper *self)
{
  return self->log->str;
}

void
test_helper_clear_log (TestHelper *self)
{
  g_string_truncate (self->log, 0);
}

void
test_helper_fail_prepare (TestHelper *self, const char *address)
{
  g_free (self->failing);
  self->failing = g_strdup (address);
}

void
test_helper_set_eeh (TestHelper *self, const char *eeh)
{
  self->eeh = eeh;
}

void
test_helper_hold (TestHelper *self)
{
  self->hold = TRUE;
}

gboolean
test_helper_is_holding (gpointer self)
{
  return ((TestHelper *) self)->held != NULL;
}

void
test_helper_go (TestHelper *self)
{
  self->hold = FALSE;
  if (self->held != NULL)
    complete_prepare (self, g_steal_pointer (&self->held), self->held_lease);
}

void
test_helper_add_lease (TestHelper *self, const char *domain_uuid, const char *address,
                       const char *phase, guint age)
{
  add_lease (self, domain_uuid, address, phase, g_get_real_time () / G_USEC_PER_SEC - age);
}

guint
test_helper_get_n_leases (const TestHelper *self)
{
  return self->leases->len;
}

void
test_helper_set_user (TestHelper *self, guint32 user)
{
  for (guint i = 0; i < self->leases->len; i++)
    ((Lease *) self->leases->pdata[i])->user = user;
}
