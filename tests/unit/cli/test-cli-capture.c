/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cli/cli-capture.h"
#include "common/common-error.h"
#include "kvmhelper/kvmhelper-host.h"
#include "kvmhelper/simulated/kvmhelper-sim.h"

static GVariant *
read_data (const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "cli", "data", name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  GVariant *value;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  value = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);
  g_assert_no_error (error);
  return value;
}

/* What the helper reads on a host, as a process of it; the kernel's views end with the host. */
static GVariant *
read_host (KvmHelperSim *host)
{
  const KvmHelperSimProcessConfig config = { .command = "ppc64-kvmhelper" };
  g_autoptr (GPtrArray) leases = g_ptr_array_new ();
  KvmHelperSimProcess *process = kvmhelper_sim_process_new (host, &config);

  return g_variant_ref_sink (
      kvmhelper_host_read (kvmhelper_sim_process_kernel (process), leases, NULL));
}

static char *
capture (GVariant *host)
{
  g_autoptr (GError) error = NULL;
  char *xml = cli_capture_to_xml (host, &error);

  g_assert_no_error (error);
  g_assert_nonnull (xml);
  g_test_message ("%s", xml);
  return xml;
}

static KvmHelperSim *
load (const char *xml)
{
  g_autoptr (GError) error = NULL;
  KvmHelperSim *host = kvmhelper_sim_new_from_xml (xml, "captured.xml", &error);

  g_assert_no_error (error);
  return host;
}

/* Reports of bugs are public. Whatever the helper says, now or when it has more keys, only what is
 * known to be nobody's gets into a capture; and it can be simulated. */
static void
test_personal (void)
{
  static const char *const secrets[]
      = { "secret", "enx", "5254", "52:54", "4dea22b3", "01234567", "47110815", "home" };
  g_autoptr (GVariant) host = read_data ("personal.gvariant");
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "cli", "data", "personal.xml", NULL);
  g_autofree char *xml = capture (host);
  g_autofree char *golden = NULL;
  g_autoptr (KvmHelperSim) simulated = load (xml);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (simulated);
  for (gsize i = 0; i < G_N_ELEMENTS (secrets); i++)
    g_assert_null (strstr (xml, secrets[i]));
  g_assert_false (g_regex_match_simple ("[0-9a-f]{8}-[0-9a-f]{4}-|([0-9a-f]{2}:){5}", xml,
                                        G_REGEX_CASELESS, 0));
  g_file_get_contents (path, &golden, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (xml, ==, golden);
}

/* What of two hosts has to be the same: all that "virt-ppc64 host" says, and the functions with
 * their groups. Of what the host needs a function for only the kinds. */
static char *
describe (GVariant *host)
{
  static const char *const keys[] = { "platform",  "kernel",       "cpu",   "model",  "firmware",
                                      "page-size", "capabilities", "nodes", "groups", "ungrouped" };
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GRegex) details = g_regex_new ("(\\('[a-z]+', )'[^']*'\\)", 0, 0, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autoptr (GVariant) value = g_variant_lookup_value (host, keys[i], NULL);
      g_autofree char *printed = value == NULL ? NULL : g_variant_print (value, FALSE);

      g_string_append_printf (text, "%s %s\n", keys[i], printed == NULL ? "" : printed);
    }
  return g_regex_replace (details, text->str, -1, 0, "\\1…)", 0, NULL);
}

static void
test_same_host (gconstpointer file)
{
  g_autofree char *path
      = g_test_build_filename (G_TEST_DIST, "..", "..", "data", "hosts", file, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperSim) original = kvmhelper_sim_new_from_file (path, &error);
  g_autoptr (KvmHelperSim) copy = NULL;
  g_autoptr (GVariant) before = NULL;
  g_autoptr (GVariant) after = NULL;
  g_autofree char *xml = NULL;
  g_autofree char *expected = NULL;
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  before = read_host (original);
  xml = capture (before);
  copy = load (xml);
  after = read_host (copy);
  expected = describe (before);
  text = describe (after);
  g_assert_cmpstr (text, ==, expected);
  g_assert_nonnull (strstr (text, "'address'"));
}

static void
test_no_power (void)
{
  g_autoptr (GVariant) host = g_variant_ref_sink (g_variant_new_parsed ("{'platform': <'other'>}"));
  g_autoptr (GError) error = NULL;

  g_assert_null (cli_capture_to_xml (host, &error));
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST);
}

int
main (int argc, char **argv)
{
  static const char *const hosts[]
      = { "demo.xml", "one-card.xml", "powervm.xml", "sriov.xml", "two-phbs.xml" };

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/capture/personal", test_personal);
  g_test_add_func ("/cli/capture/no-power", test_no_power);
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      g_autofree char *path = g_strconcat ("/cli/capture/same-host/", hosts[i], NULL);

      g_test_add_data_func (path, hosts[i], test_same_host);
    }
  return g_test_run ();
}
