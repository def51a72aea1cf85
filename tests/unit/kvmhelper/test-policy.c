/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-policy.h"

#include <gio/gio.h>
#include <string.h>

#include "kvmhelper-dbus.h"

static int
index_of (const GDBusMethodInfo *method, const char *name)
{
  for (int i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    if (g_str_equal (method->in_args[i]->name, name))
      {
        g_assert_cmpstr (method->in_args[i]->signature, ==, "s");
        return i;
      }
  return -1;
}

/* Every method of the interface is in the table, with what a rule is to be told of it. */
static void
test_complete (void)
{
  const GDBusInterfaceInfo *info = kvm_helper_dbus_kvm_helper1_interface_info ();

  g_assert_nonnull (info->methods[0]);
  for (guint i = 0; info->methods[i] != NULL; i++)
    {
      const GDBusMethodInfo *method = info->methods[i];
      const KvmHelperPolicy *policy = kvmhelper_policy_find (method->name);

      g_test_message ("%s", method->name);
      g_assert_nonnull (policy);
      g_assert_cmpint (policy->address, ==, index_of (method, "address"));
      g_assert_cmpint (policy->domain, ==, index_of (method, "domain_uuid"));
      g_assert_cmpint (policy->lease, ==, index_of (method, "lease"));
    }
  /* A property would be readable by anybody. */
  g_assert_true (info->properties == NULL || info->properties[0] == NULL);
}

static void
test_default (void)
{
  g_assert_null (kvmhelper_policy_find ("Frobnicate"));
  g_assert_null (kvmhelper_policy_find (""));
  g_assert_null (kvmhelper_policy_find ("gethost"));
}

/* What changes the host is behind the actions that ask for more than looking does. */
static void
test_actions (void)
{
  static const char *const looking[] = { "GetHost", "ListLeases", "Inspect" };
  static const char *const leasing[] = { "Prepare", "Commit", "Release" };

  for (guint i = 0; i < G_N_ELEMENTS (looking); i++)
    g_assert_cmpstr (kvmhelper_policy_find (looking[i])->action, ==, KVMHELPER_ACTION_INSPECT);
  for (guint i = 0; i < G_N_ELEMENTS (leasing); i++)
    g_assert_cmpstr (kvmhelper_policy_find (leasing[i])->action, ==, KVMHELPER_ACTION_LEASE);
  g_assert_cmpstr (kvmhelper_policy_find ("Rehearse")->action, ==, KVMHELPER_ACTION_REHEARSE);
}

/* polkit knows of the actions, and the driver's rule names all of them. */
static void
test_files (void)
{
  static const char *const actions[]
      = { KVMHELPER_ACTION_INSPECT, KVMHELPER_ACTION_REHEARSE, KVMHELPER_ACTION_LEASE };
  g_autofree char *policy = NULL;
  g_autofree char *rules = NULL;

  g_assert_true (
      g_file_get_contents (DATA_DIR "/org.libvirt.ppc64.kvmhelper.policy.in", &policy, NULL, NULL));
  g_assert_true (
      g_file_get_contents (DATA_DIR "/50-org.libvirt.ppc64.rules.in", &rules, NULL, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (actions); i++)
    {
      g_autofree char *in_policy = g_strdup_printf ("<action id=\"%s\">", actions[i]);
      g_autofree char *in_rules = g_strdup_printf ("\"%s\"", actions[i]);

      g_assert_nonnull (strstr (policy, in_policy));
      g_assert_nonnull (strstr (rules, in_rules));
    }
}

static void
test_uuid (void)
{
  g_assert_true (kvmhelper_uuid_is_canonical ("4dea22b3-1d52-d8f3-2516-782e98ab3fa0"));
  g_assert_false (kvmhelper_uuid_is_canonical ("4DEA22B3-1d52-d8f3-2516-782e98ab3fa0"));
  g_assert_false (kvmhelper_uuid_is_canonical ("4dea22b31d52d8f32516782e98ab3fa0"));
  g_assert_false (kvmhelper_uuid_is_canonical (""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/policy/complete", test_complete);
  g_test_add_func ("/kvmhelper/policy/default", test_default);
  g_test_add_func ("/kvmhelper/policy/actions", test_actions);
  g_test_add_func ("/kvmhelper/policy/files", test_files);
  g_test_add_func ("/kvmhelper/policy/uuid", test_uuid);
  return g_test_run ();
}
