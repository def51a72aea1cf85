/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli-fake-grants.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

#include "common/common-error.h"

typedef struct
{
  CliFakeInterfere interfere;
  gpointer helper;
  guint64 allowed; /* bytes, to the user that runs the test; 0: nothing */
} Grants;

static gboolean
on_allow (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, guint user,
          const char *address, guint64 memory, gpointer data)
{
  Grants *grants = data;

  if (grants->interfere (grants->helper, invocation))
    return TRUE;
  if (user == getuid ())
    grants->allowed = memory;
  kvm_helper_dbus_kvm_helper1_complete_allow (skeleton, invocation);
  return TRUE;
}

static gboolean
on_revoke (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, guint user,
           const char *address, gpointer data)
{
  const Grants *grants = data;

  if (!grants->interfere (grants->helper, invocation))
    kvm_helper_dbus_kvm_helper1_complete_revoke (skeleton, invocation,
                                                 user == 4711 ? "pending" : "done");
  return TRUE;
}

/* Whether what came is a descriptor of a process. */
static gboolean
is_process (GUnixFDList *list, GVariant *handle)
{
  int descriptor
      = list == NULL ? -1 : g_unix_fd_list_get (list, g_variant_get_handle (handle), NULL);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", descriptor);
  g_autofree char *link = descriptor < 0 ? NULL : g_file_read_link (path, NULL);

  if (descriptor >= 0)
    close (descriptor);
  return g_strcmp0 (link, "anon_inode:[pidfd]") == 0;
}

static gboolean
on_grant (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *list,
          const char *uuid, const char *name, const char *address, GVariant *process,
          guint64 memory, GVariant *options, gpointer data)
{
  const Grants *grants = data;

  if (grants->interfere (grants->helper, invocation))
    return TRUE;
  if (!is_process (list, process))
    g_dbus_method_invocation_return_error (invocation, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                                           "That is no process.");
  else if (memory > grants->allowed)
    g_dbus_method_invocation_return_error (invocation, COMMON_ERROR, COMMON_ERROR_CONSENT_MISSING,
                                           "Nobody has agreed.");
  else
    kvm_helper_dbus_kvm_helper1_complete_grant (skeleton, invocation, NULL, uuid,
                                                g_variant_new ("a{sv}", NULL));
  return TRUE;
}

static gboolean
on_give_back (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation,
              const char *lease, GVariant *options, gpointer data)
{
  const Grants *grants = data;

  if (!grants->interfere (grants->helper, invocation))
    kvm_helper_dbus_kvm_helper1_complete_give_back (skeleton, invocation,
                                                    g_str_equal (lease, "L1") ? "done" : "pending");
  return TRUE;
}

static gboolean
on_list_grants (KvmHelperDBusKvmHelper1 *skeleton, GDBusMethodInvocation *invocation,
                GVariant *options, gpointer data)
{
  const Grants *grants = data;
  gboolean all = FALSE;
  GVariantBuilder list;

  if (grants->interfere (grants->helper, invocation))
    return TRUE;
  g_variant_lookup (options, "all", "b", &all);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("aa{sv}"));
  g_variant_builder_add_parsed (
      &list, "{'user': <uint32 1500>, 'user-name': <'alice'>, 'address': <'0000:01:00.0'>, "
             "'device': <'0000:01:00.0 8086:10d3'>, 'memory': <uint64 8589934592>, "
             "'since': <int64 1763600000>, 'lease': <'L1'>, 'domain-name': <'mine'>, "
             "'phase': <'active'>}");
  g_variant_builder_add_parsed (
      &list, "{'user': <uint32 1500>, 'address': <'0001:01:00.0'>, 'lease': <'L2'>, "
             "'domain-name': <'old'>, 'phase': <'pending'>}");
  if (all)
    g_variant_builder_add_parsed (
        &list, "{'user': <uint32 1501>, 'address': <'0002:01:00.0'>, 'memory': <uint64 1048576>}");
  kvm_helper_dbus_kvm_helper1_complete_list_grants (skeleton, invocation,
                                                    g_variant_builder_end (&list));
  return TRUE;
}

void
cli_fake_grants_connect (KvmHelperDBusKvmHelper1 *skeleton, CliFakeInterfere interfere,
                         gpointer helper)
{
  Grants *grants = g_new0 (Grants, 1);

  grants->interfere = interfere;
  grants->helper = helper;
  g_object_set_data_full (G_OBJECT (skeleton), "grants", grants, g_free);
  g_signal_connect (skeleton, "handle-allow", G_CALLBACK (on_allow), grants);
  g_signal_connect (skeleton, "handle-revoke", G_CALLBACK (on_revoke), grants);
  g_signal_connect (skeleton, "handle-grant", G_CALLBACK (on_grant), grants);
  g_signal_connect (skeleton, "handle-give-back", G_CALLBACK (on_give_back), grants);
  g_signal_connect (skeleton, "handle-list-grants", G_CALLBACK (on_list_grants), grants);
}
