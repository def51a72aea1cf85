/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-policy.h"

#include <gio/gio.h>
#include <string.h>

/* One an effect. */
#define ACTIONS                                                                                    \
  KVMHELPER_ACTION_INSPECT, KVMHELPER_ACTION_REHEARSE, KVMHELPER_ACTION_LEASE,                     \
      KVMHELPER_ACTION_OVERRIDE, KVMHELPER_ACTION_GRANT, KVMHELPER_ACTION_GRANTED,                 \
      KVMHELPER_ACTION_CHECK

/* How often a member stands in the table. */
static guint
count (KvmHelperPolicyKind kind, const char *name)
{
  guint length, n = 0;
  const KvmHelperPolicy *table = kvmhelper_policy_table (&length);

  for (guint i = 0; i < length; i++)
    n += table[i].kind == kind && g_str_equal (table[i].name, name);
  return n;
}

static gboolean
is_action (const char *action)
{
  static const char *const actions[] = { ACTIONS, KVMHELPER_PUBLIC, NULL };

  return g_strv_contains (actions, action);
}

/* The file that is installed, and not what was made of it. */
static GDBusNodeInfo *
read_interface (void)
{
  g_autofree char *xml = NULL;
  g_autoptr (GError) error = NULL;
  GDBusNodeInfo *node;

  g_file_get_contents (DATA_DIR "/org.libvirt.Ppc64.KvmHelper1.xml", &xml, NULL, &error);
  g_assert_no_error (error);
  node = g_dbus_node_info_new_for_xml (xml, &error);
  g_assert_no_error (error);
  return node;
}

/* Every method and every property is in the table, once, with one action or the mark that it is for
 * everybody; and nothing else is in it. */
static void
test_complete (void)
{
  g_autoptr (GDBusNodeInfo) node = read_interface ();
  guint length;
  const KvmHelperPolicy *table = kvmhelper_policy_table (&length);
  GDBusInterfaceInfo *info = node->interfaces[0];

  g_assert_null (node->interfaces[1]);
  g_assert_nonnull (info->methods[0]);
  for (guint i = 0; info->methods[i] != NULL; i++)
    {
      g_test_message ("%s", info->methods[i]->name);
      g_assert_cmpuint (count (KVMHELPER_POLICY_METHOD, info->methods[i]->name), ==, 1);
    }
  for (guint i = 0; info->properties != NULL && info->properties[i] != NULL; i++)
    {
      g_test_message ("%s", info->properties[i]->name);
      g_assert_cmpuint (count (KVMHELPER_POLICY_PROPERTY, info->properties[i]->name), ==, 1);
    }
  for (guint i = 0; i < length; i++)
    {
      g_test_message ("%s", table[i].name);
      g_assert_true (is_action (table[i].action));
      g_assert_cmpint (table[i].option == NULL, ==, table[i].option_action == NULL);
      if (table[i].option_action != NULL)
        g_assert_true (is_action (table[i].option_action));
      if (table[i].kind == KVMHELPER_POLICY_METHOD)
        g_assert_nonnull (g_dbus_interface_info_lookup_method (info, table[i].name));
      else
        g_assert_nonnull (g_dbus_interface_info_lookup_property (info, table[i].name));
    }
}

/* kvmhelper-details.c knows an argument by its name and type. One that is an address, a guest or a
 * lease, and is named otherwise, would be hidden from polkit. */
static void
test_arguments (void)
{
  static const struct
  {
    const char *name, *signature;
  } known[] = { { "address", "s" }, { "domain_uuid", "s" }, { "domain_name", "s" },
                { "lease", "s" },   { "options", "a{sv}" }, { "user", "u" },
                { "memory", "t" },  { "right", "s" } };
  g_autoptr (GDBusNodeInfo) node = read_interface ();
  GDBusMethodInfo **methods = node->interfaces[0]->methods;

  for (guint i = 0; methods[i] != NULL; i++)
    for (guint j = 0; methods[i]->in_args != NULL && methods[i]->in_args[j] != NULL; j++)
      {
        const GDBusArgInfo *argument = methods[i]->in_args[j];
        gboolean found = FALSE;

        g_test_message ("%s: %s", methods[i]->name, argument->name);
        for (guint k = 0; k < G_N_ELEMENTS (known); k++)
          if (g_str_equal (known[k].name, argument->name))
            {
              g_assert_cmpstr (argument->signature, ==, known[k].signature);
              found = TRUE;
            }
        g_assert_true (found || !g_str_equal (argument->signature, "s"));
      }
}

static void
test_default (void)
{
  g_assert_null (kvmhelper_policy_find (KVMHELPER_POLICY_METHOD, "Frobnicate"));
  g_assert_null (kvmhelper_policy_find (KVMHELPER_POLICY_METHOD, ""));
  g_assert_null (kvmhelper_policy_find (KVMHELPER_POLICY_METHOD, "gethost"));
  g_assert_null (kvmhelper_policy_find (KVMHELPER_POLICY_PROPERTY, "GetHost"));
}

static const char *
action_of (const char *method)
{
  return kvmhelper_policy_find (KVMHELPER_POLICY_METHOD, method)->action;
}

/* What changes the host is behind the actions that ask for more than looking does. */
static void
test_actions (void)
{
  static const char *const looking[] = { "GetHost", "ListLeases", "Inspect" };
  static const char *const leasing[] = { "Prepare", "Commit", "Release" };

  for (guint i = 0; i < G_N_ELEMENTS (looking); i++)
    g_assert_cmpstr (action_of (looking[i]), ==, KVMHELPER_ACTION_INSPECT);
  for (guint i = 0; i < G_N_ELEMENTS (leasing); i++)
    g_assert_cmpstr (action_of (leasing[i]), ==, KVMHELPER_ACTION_LEASE);
  g_assert_cmpstr (action_of ("Rehearse"), ==, KVMHELPER_ACTION_REHEARSE);
  g_assert_null (kvmhelper_policy_find (KVMHELPER_POLICY_METHOD, "Rehearse")->option);
  g_assert_cmpstr (kvmhelper_policy_find (KVMHELPER_POLICY_METHOD, "Prepare")->option_action, ==,
                   KVMHELPER_ACTION_OVERRIDE);
}

/* polkit knows of the actions. Looking is free for who sits at the host, and using what an
 * administrator agreed to for everybody; nothing that is asked for once is remembered, as polkit
 * remembers the action and not the device. */
static void
test_defaults (void)
{
  static const struct
  {
    const char *action, *any, *inactive, *active;
  } expected[] = {
    { KVMHELPER_ACTION_INSPECT, "auth_admin", "auth_admin", "yes" },
    { KVMHELPER_ACTION_REHEARSE, "auth_admin", "auth_admin", "auth_admin" },
    { KVMHELPER_ACTION_LEASE, "auth_admin", "auth_admin", "auth_admin" },
    { KVMHELPER_ACTION_OVERRIDE, "auth_admin", "auth_admin", "auth_admin" },
    { KVMHELPER_ACTION_GRANT, "auth_admin", "auth_admin", "auth_admin" },
    { KVMHELPER_ACTION_GRANTED, "yes", "yes", "yes" },
    { KVMHELPER_ACTION_CHECK, "no", "no", "no" },
  };
  static const char *const actions[] = { ACTIONS };
  g_autofree char *policy = NULL;
  g_auto (GStrv) parts = NULL;

  g_assert_true (
      g_file_get_contents (DATA_DIR "/org.libvirt.ppc64.kvmhelper.policy.in", &policy, NULL, NULL));
  parts = g_strsplit (policy, "<action id=\"", -1);
  g_assert_cmpuint (g_strv_length (parts), ==, G_N_ELEMENTS (expected) + 1);
  g_assert_cmpuint (G_N_ELEMENTS (expected), ==, G_N_ELEMENTS (actions));
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autofree char *begin = g_strconcat (expected[i].action, "\">", NULL);
      g_autofree char *defaults = g_strdup_printf (
          "<allow_any>%s</allow_any>\n      <allow_inactive>%s</allow_inactive>\n"
          "      <allow_active>%s</allow_active>",
          expected[i].any, expected[i].inactive, expected[i].active);

      g_test_message ("%s", expected[i].action);
      g_assert_true (g_str_has_prefix (parts[i + 1], begin));
      g_assert_nonnull (strstr (parts[i + 1], defaults));
    }
}

/* The driver's rule names what the driver asks for, and nothing more. */
static void
test_rule (void)
{
  static const char *const given[] = { KVMHELPER_ACTION_INSPECT, KVMHELPER_ACTION_REHEARSE,
                                       KVMHELPER_ACTION_LEASE, KVMHELPER_ACTION_CHECK };
  g_autofree char *rules = NULL;
  g_auto (GStrv) parts = NULL;

  g_assert_true (
      g_file_get_contents (DATA_DIR "/50-org.libvirt.ppc64.rules.in", &rules, NULL, NULL));
  parts = g_strsplit (rules, "\"org.libvirt.ppc64.", -1);
  g_assert_cmpuint (g_strv_length (parts), ==, G_N_ELEMENTS (given) + 1);
  for (guint i = 0; i < G_N_ELEMENTS (given); i++)
    {
      g_autofree char *in_rules = g_strdup_printf ("\"%s\"", given[i]);

      g_assert_nonnull (strstr (rules, in_rules));
    }
}

/* The subject is the bus name, everywhere: a process id, which another process may have by now, is
 * never made into one, nor asked for (CVE-2013-4288). One file asks about somebody who did not
 * call, as libvirtd does, and has him from a socket. */
static void
test_subject (void)
{
  static const char *const forbidden[]
      = { "unix-process", "unix-session", "GetConnectionUnixProcessID", "GetConnectionCredentials",
          "g_credentials_get_unix_pid" };
  g_autoptr (GDir) dir = g_dir_open (SOURCE_DIR, 0, NULL);
  const char *name;
  guint subjects = 0;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (SOURCE_DIR, name, NULL);
      g_autofree char *text = NULL;

      if (!g_str_has_suffix (name, ".c"))
        continue;
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      subjects += strstr (text, "\"system-bus-name\"") != NULL;
      for (guint i = 0; i < G_N_ELEMENTS (forbidden); i++)
        {
          if (i == 0 && g_str_equal (name, "kvmhelper-check.c"))
            continue;
          g_test_message ("%s: %s", name, forbidden[i]);
          g_assert_null (strstr (text, forbidden[i]));
        }
    }
  g_assert_cmpuint (subjects, ==, 1);
}

static void
test_uuid (void)
{
  g_assert_true (kvmhelper_uuid_is_canonical ("4dea22b3-1d52-d8f3-2516-782e98ab3fa0"));
  g_assert_false (kvmhelper_uuid_is_canonical ("4DEA22B3-1d52-d8f3-2516-782e98ab3fa0"));
  g_assert_false (kvmhelper_uuid_is_canonical ("4dea22b31d52d8f32516782e98ab3fa0"));
  g_assert_false (kvmhelper_uuid_is_canonical (""));
}

static void
test_domain_name (void)
{
  g_autofree char *long_name = g_strnfill (1024, 'x');
  g_autofree char *too_long = g_strnfill (1025, 'x');

  g_assert_true (kvmhelper_domain_name_is_sane ("web-01 \303\244"));
  g_assert_true (kvmhelper_domain_name_is_sane (long_name));
  g_assert_false (kvmhelper_domain_name_is_sane (too_long));
  g_assert_false (kvmhelper_domain_name_is_sane (""));
  g_assert_false (kvmhelper_domain_name_is_sane ("a\nb"));
  g_assert_false (kvmhelper_domain_name_is_sane ("a\302\205b"));
}

/* Users who were given devices are many: those who call GiveBack, which may wait a minute, leave
 * the threads that the driver and administrators need. */
static void
test_shares (void)
{
  guint length;
  const KvmHelperPolicy *policies = kvmhelper_policy_table (&length);
  const KvmHelperPolicy *give_back = kvmhelper_policy_find (KVMHELPER_POLICY_METHOD, "GiveBack");
  const KvmHelperPolicy *release = kvmhelper_policy_find (KVMHELPER_POLICY_METHOD, "Release");
  guint few = kvmhelper_share_threads (kvmhelper_policy_share (give_back));

  g_assert_cmpint (kvmhelper_policy_share (give_back), ==, KVMHELPER_SHARE_GRANTED);
  g_assert_cmpint (kvmhelper_policy_share (release), ==, KVMHELPER_SHARE_WORK);
  for (guint i = 0; i < length; i++)
    if (g_str_equal (policies[i].action, KVMHELPER_ACTION_GRANTED))
      g_assert_cmpint (kvmhelper_policy_share (&policies[i]), ==, KVMHELPER_SHARE_GRANTED);
  g_assert_cmpuint (few, >, 0);
  g_assert_cmpuint (few * 16 + KVMHELPER_MAX_WORKS_PER_USER, <=, KVMHELPER_MAX_THREADS);
  for (KvmHelperShare share = 0; share < KVMHELPER_N_SHARES; share++)
    g_assert_cmpuint (kvmhelper_share_threads (share) * 2, <=, KVMHELPER_MAX_THREADS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvmhelper/policy/complete", test_complete);
  g_test_add_func ("/kvmhelper/policy/arguments", test_arguments);
  g_test_add_func ("/kvmhelper/policy/default", test_default);
  g_test_add_func ("/kvmhelper/policy/shares", test_shares);
  g_test_add_func ("/kvmhelper/policy/actions", test_actions);
  g_test_add_func ("/kvmhelper/policy/defaults", test_defaults);
  g_test_add_func ("/kvmhelper/policy/rule", test_rule);
  g_test_add_func ("/kvmhelper/policy/subject", test_subject);
  g_test_add_func ("/kvmhelper/policy/uuid", test_uuid);
  g_test_add_func ("/kvmhelper/policy/domain-name", test_domain_name);
  return g_test_run ();
}
