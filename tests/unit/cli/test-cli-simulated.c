/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "cli-bus.h"

/* From a file that describes a host, by way of the helper that reads that host as it reads any, to
 * the sentences of a plan. */

#define GUEST(top)                                                                                 \
  "<domain type='kvm'><name>guest</name><memory unit='GiB'>4</memory>" top                         \
  "<os><type arch='ppc64le' machine='pseries-7.2'>hvm</type></os><devices/></domain>"

#define NUMA(nodes, cpus)                                                                          \
  "<vcpu cpuset='" cpus "'>2</vcpu><numatune><memory mode='strict' nodeset='" nodes "'/></"        \
  "numatune>"

/* The codes of the plan's reasons, each with a blank before it and behind it. */
static char *
plan (const char *host, const char *guest, const char *address)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("cli-simulated-XXXXXX", &error);
  g_autofree char *file = g_build_filename (directory, "guest.xml", NULL);
  g_autofree char *line = g_strdup_printf ("fix '%s' --json --attach %s --simulate " HOSTS "/%s",
                                           file, address, host);
  g_autoptr (GString) codes = g_string_new (" ");
  g_autoptr (JsonNode) root = NULL;
  JsonArray *reasons;

  g_assert_no_error (error);
  g_assert_true (g_file_set_contents (file, guest, -1, NULL));
  g_auto (CliRun) run = cli_run (NULL, line);
  g_unlink (file);
  g_rmdir (directory);
  root = json_from_string (run.out, NULL);
  g_test_message ("%s\n%s", run.out, run.err);
  g_assert_nonnull (root);
  g_assert_cmpstr (json_object_get_string_member (json_node_get_object (root), "simulated"), ==,
                   host);
  reasons = json_object_get_array_member (json_node_get_object (root), "reasons");
  for (guint i = 0; i < json_array_get_length (reasons); i++)
    g_string_append_printf (
        codes, "%s ",
        json_object_get_string_member (json_array_get_object_element (reasons, i), "code"));
  return g_string_free (g_steal_pointer (&codes), FALSE);
}

static void
test_numa (void)
{
  g_autofree char *far = plan ("two-phbs.xml", GUEST (NUMA ("0", "0-7")), "0001:04:00.0");
  g_autofree char *near = plan ("two-phbs.xml", GUEST (NUMA ("8", "16-23")), "0001:04:00.0");

  g_assert_nonnull (strstr (far, " numa-memory "));
  g_assert_nonnull (strstr (far, " numa-vcpus "));
  g_assert_null (strstr (near, " numa-"));
}

static void
test_dma_bits (void)
{
  g_autofree char *old = plan ("two-phbs.xml", GUEST (""), "0001:06:00.0");
  g_autofree char *modern = plan ("two-phbs.xml", GUEST (""), "0001:04:00.0");

  g_assert_nonnull (strstr (old, " dma-32-bit "));
  g_assert_null (strstr (modern, " dma-32-bit "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/simulated/numa", test_numa);
  g_test_add_func ("/cli/simulated/dma-bits", test_dma_bits);
  return g_test_run ();
}
