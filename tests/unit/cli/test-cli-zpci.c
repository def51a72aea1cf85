/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli-bus.h"
#include "cli/cli-zpci-host.h"
#include "cli/cli-zpci-view.h"

/* virt-ppc64 status and map of an s390x guest: what is read of the host, and how it is shown.
 * libvirt is its own test driver; a real one is in the libvirt suite. */

static CliRun
status (const char *options)
{
  g_autofree char *node = cli_data_file ("s390x-node.xml");
  g_autofree char *line = g_strdup_printf ("%s status lnx1 --connect test://%s", options, node);

  return cli_run (NULL, line);
}

static void
test_text (void)
{
  g_auto (CliRun) run = status ("--verbose");

  g_assert_cmpint (run.code, ==, 0);
  cli_assert_golden (run.out, "status-s390x.txt");
}

/* What was not asked is unknown, and is said. */
static void
test_json (void)
{
  g_auto (CliRun) run = status ("--json");
  g_autoptr (JsonNode) root = json_from_string (run.out, NULL);
  JsonObject *device, *asked, *got;

  g_assert_cmpint (run.code, ==, 0);
  g_assert_nonnull (root);
  g_assert_false (json_object_get_boolean_member (json_node_get_object (root), "monitor"));
  device = json_array_get_object_element (
      json_object_get_array_member (json_node_get_object (root), "devices"), 0);
  asked = json_object_get_object_member (device, "asked");
  got = json_object_get_object_member (device, "got");
  g_assert_cmpstr (json_object_get_string_member (device, "address"), ==, "0002:00:00.0");
  g_assert_cmpint (json_object_get_int_member (asked, "uid"), ==, 5);
  g_assert_cmpint (json_object_get_int_member (asked, "fid"), ==, 7);
  g_assert_cmpstr (
      json_object_get_string_member (json_object_get_object_member (asked, "interrupts"), "value"),
      ==, "forwarded");
  g_assert_cmpstr (
      json_object_get_string_member (json_object_get_object_member (got, "interrupts"), "value"),
      ==, "unknown");
  g_assert_nonnull (strstr (run.out, "zpci-not-asked"));
}

/* A libvirt without QEMU has no monitor to ask; a guest of another kind, none at all, and the
 * simulated host are not for this. */
static void
test_refused (void)
{
  g_auto (CliRun) monitor = status ("--json");
  g_auto (CliRun) other = cli_run (NULL, "status test --monitor --connect test:///default");
  g_auto (CliRun) none = cli_run (NULL, "status --connect test:///default");
  g_auto (CliRun) gone = cli_run (NULL, "status nobody --connect test:///default");
  g_auto (CliRun) simulated = cli_run (NULL, "--simulate one-card.xml status lnx1 --monitor");
  g_autofree char *node = cli_data_file ("s390x-node.xml");
  g_autofree char *line = g_strdup_printf ("status lnx1 --monitor --connect test://%s", node);
  g_auto (CliRun) asked = cli_run (NULL, line);

  g_assert_cmpint (monitor.code, ==, 0);
  g_assert_cmpint (asked.code, ==, 6);
  /* before any monitor is asked: this libvirt has none, which ends with 6 */
  g_assert_cmpint (other.code, ==, 1);
  g_assert_nonnull (strstr (other.err, "no s390x guest"));
  g_assert_cmpint (none.code, ==, 2);
  g_assert_cmpint (gone.code, ==, 1);
  g_assert_cmpint (simulated.code, ==, 2);
}

/* With numbers of the guest's and of the host's, where pSeries has PHBs and PEs. */
static CliRun
map (const char *guest, const char *options)
{
  g_autofree char *file = cli_data_file (guest);
  g_autofree char *device = cli_data_file ("s390x-device.xml");
  g_autofree char *host = cli_data_file ("../../hostdev/data/s390x.xml");
  g_autofree char *line = g_strdup_printf ("map --host %s %s%s%s", host, file, options,
                                           *options != '\0' ? device : "");

  return cli_run (NULL, line);
}

static void
test_map (void)
{
  g_autofree char *file = cli_data_file ("../../hostdev/data/s390x.xml");
  g_autofree char *line = g_strdup_printf ("map --host %s", file);
  g_auto (CliRun) host = cli_run (NULL, line);
  g_autofree char *line_xml = g_strdup_printf ("host --xml --host %s", file);
  g_auto (CliRun) xml = cli_run (NULL, line_xml);
  g_auto (CliRun) now = map ("s390x-running.xml", "");
  g_auto (CliRun) after = map ("s390x-guest.xml", " --attach ");

  g_assert_nonnull (strstr (xml.out, "fid=\"256\""));
  g_assert_cmpint (host.code, ==, 0);
  cli_assert_golden (host.out, "map-s390x-host.txt");
  g_assert_cmpint (now.code, ==, 0);
  cli_assert_golden (now.out, "map-s390x-running.txt");
  g_assert_cmpint (after.code, ==, 0);
  cli_assert_golden (after.out, "map-s390x-attach.txt");
}

static void
test_map_json (void)
{
  g_auto (CliRun) run = map ("s390x-running.xml", " --json --all --attach ");
  g_autoptr (JsonNode) root = json_from_string (run.out, NULL);
  JsonObject *guest, *function;

  g_assert_nonnull (root);
  guest = json_array_get_object_element (
      json_object_get_array_member (
          json_object_get_object_member (json_node_get_object (root), "after"), "guest"),
      0);
  g_assert_cmpint (json_object_get_int_member (guest, "emulated"), ==, 0);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (guest, "functions")), ==,
                    3);
  function = json_array_get_object_element (json_object_get_array_member (guest, "functions"), 0);
  g_assert_cmpint (json_object_get_int_member (function, "uid"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (function, "fid"), ==, 31);
  g_assert_cmpint (json_object_get_int_member (function, "host-fid"), ==, 0x100);
  g_assert_false (json_object_has_member (function, "phb"));
}

static void
test_map_svg (void)
{
  g_auto (CliRun) run = map ("s390x-guest.xml", " --svg --attach ");

  g_assert_cmpint (run.code, ==, 0);
  g_assert_nonnull (strstr (run.out, ">PCI domain 0000 of the host<"));
  g_assert_nonnull (strstr (run.out, ">fid 00000100<"));
  g_assert_nonnull (strstr (run.out, ">uid 0002<"));
  g_assert_nonnull (strstr (run.out, ">fid 0000001f<"));
  g_assert_null (strstr (run.out, "PHB"));
}

static void
write_file (const char *directory, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static HostdevDomain *
read_domain (void)
{
  g_autoptr (GError) error = NULL;
  HostdevDomain *domain = hostdev_domain_new_from_xml (
      "<domain type='kvm' id='1'><name>guest</name><os><type arch='s390x' "
      "machine='s390-ccw-virtio'>hvm</type></os><devices><hostdev type='pci'><source><address "
      "domain='2'/></source></hostdev><hostdev type='pci'><source><address "
      "domain='3'/></source></hostdev></devices></domain>",
      -1, &error);

  g_assert_no_error (error);
  return domain;
}

/* A guest of which QEMU was asked: one function is not interpreted, and has another uid than its
 * XML says; an emulated one is there as well. */
static HostdevVerdict *
make_verdict (HostdevDomain **domain, HostdevSeen *seen)
{
  static HostdevZpciFunction functions[] = {
    { 6, 7, (char *) "hostdev0", (char *) "vfio-pci", TRUE, FALSE, FALSE },
    { 1, 0, (char *) "net0", (char *) "virtio-net-pci", TRUE, FALSE, FALSE },
  };
  static HostdevZpciHost host
      = { { 2, 0, 0, 0 }, (char *) "vfio-pci", TRUE, 2, 0x100, 0x1c0, TRUE };
  g_autoptr (GError) error = NULL;
  GPtrArray *all = g_ptr_array_new (), *of_host = g_ptr_array_new ();

  *domain = hostdev_domain_new_from_xml (
      "<domain type='kvm' id='1'><name>lnx1</name><os><type arch='s390x' "
      "machine='s390-ccw-virtio'>hvm</type></os><devices><hostdev type='pci'><source><address "
      "domain='2'/></source><alias name='hostdev0'/><address type='pci' slot='1'><zpci uid='5' "
      "fid='7'/></address></hostdev></devices></domain>",
      -1, &error);
  g_assert_no_error (error);
  g_ptr_array_add (all, &functions[0]);
  g_ptr_array_add (all, &functions[1]);
  g_ptr_array_add (of_host, &host);
  *seen = (HostdevSeen){ all, of_host, TRUE, 12 };
  return hostdev_verify (*domain, seen);
}

static void
clear_seen (HostdevSeen *seen)
{
  g_ptr_array_unref ((GPtrArray *) seen->functions);
  g_ptr_array_unref ((GPtrArray *) seen->host);
}

static void
test_asked_json (void)
{
  g_autoptr (HostdevDomain) domain = NULL;
  HostdevSeen seen;
  g_autoptr (HostdevVerdict) verdict = make_verdict (&domain, &seen);
  g_autoptr (JsonObject) document = cli_zpci_to_json (verdict, &seen);
  JsonObject *device
      = json_array_get_object_element (json_object_get_array_member (document, "devices"), 0);
  JsonObject *got = json_object_get_object_member (device, "got");
  JsonObject *host = json_object_get_object_member (device, "host");
  JsonObject *other
      = json_array_get_object_element (json_object_get_array_member (document, "others"), 0);

  g_assert_true (json_object_get_boolean_member (document, "monitor"));
  g_assert_cmpint (json_object_get_int_member (document, "aen-forward"), ==, 12);
  g_assert_cmpint (json_object_get_int_member (got, "uid"), ==, 6);
  g_assert_cmpstr (json_object_get_string_member (got, "kind"), ==, "vfio-pci");
  g_assert_cmpstr (
      json_object_get_string_member (json_object_get_object_member (got, "interrupts"), "value"),
      ==, "intercepted");
  g_assert_cmpint (json_object_get_int_member (host, "fid"), ==, 0x100);
  g_assert_cmpint (json_object_get_int_member (host, "pchid"), ==, 0x1c0);
  g_assert_true (json_object_get_boolean_member (host, "uid-is-unique"));
  g_assert_cmpstr (json_object_get_string_member (other, "alias"), ==, "net0");
  clear_seen (&seen);
}

static void
test_asked_text (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (HostdevDomain) domain = NULL;
      HostdevSeen seen;
      g_autoptr (HostdevVerdict) verdict = make_verdict (&domain, &seen);

      cli_zpci_print (verdict, "lnx1", FALSE);
      clear_seen (&seen);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*0002:00:00.0  hostdev0*driver * vfio-pci*uid 0x0002 (unique), fid "
                             "0x00000100, PCHID 0x01c0*in the guest *uid 0x0006, fid 0x00000007*"
                             "asked for *forwarded*interrupts *intercepted*ALSO IN THE GUEST*uid "
                             "0x0001, fid 0x00000000 *net0 *virtio-net-pci*zpci-id-differs*"
                             "zpci-not-interpreted*zpci-by-host*");
}

/* As arch/s390/pci/pci_sysfs.c writes them; of a function that is not there nothing is told. */
static void
test_host (void)
{
  g_autofree char *devices = g_dir_make_tmp ("zpci-XXXXXX", NULL);
  g_autofree char *directory = g_build_filename (devices, "0002:00:00.0", NULL);
  g_autofree char *driver = g_build_filename (directory, "driver", NULL);
  g_autofree char *clean = g_strdup_printf ("rm -r %s", devices);
  g_autoptr (HostdevDomain) domain = read_domain ();
  g_autoptr (GPtrArray) empty = cli_zpci_read_host (devices, domain);
  const HostdevZpciHost *host;

  g_assert_cmpuint (empty->len, ==, 0);
  g_assert_cmpint (g_mkdir (directory, 0755), ==, 0);
  g_autoptr (GPtrArray) bare = cli_zpci_read_host (devices, domain);
  g_assert_cmpuint (bare->len, ==, 1);
  host = bare->pdata[0];
  g_assert_cmpstr (host->driver, ==, "");
  g_assert_false (host->has_ids);

  g_assert_cmpint (symlink ("../../../bus/pci/drivers/vfio-pci", driver), ==, 0);
  write_file (directory, "function_id", "0x00c0ffee\n");
  write_file (directory, "uid", "0x2\n");
  write_file (directory, "pchid", "0x01c0\n");
  write_file (directory, "uid_is_unique", "1\n");
  g_autoptr (GPtrArray) full = cli_zpci_read_host (devices, domain);
  host = full->pdata[0];
  g_assert_cmpstr (host->driver, ==, "vfio-pci");
  g_assert_true (host->has_ids && host->uid_is_unique);
  g_assert_cmphex (host->fid, ==, 0x00c0ffee);
  g_assert_cmphex (host->uid, ==, 2);
  g_assert_cmphex (host->pchid, ==, 0x1c0);

  write_file (directory, "uid", "two\n");
  g_autoptr (GPtrArray) odd = cli_zpci_read_host (devices, domain);
  g_assert_false (((const HostdevZpciHost *) odd->pdata[0])->has_ids);
  g_assert_cmpint (system (clean), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/zpci/text", test_text);
  g_test_add_func ("/cli/zpci/json", test_json);
  g_test_add_func ("/cli/zpci/asked-json", test_asked_json);
  g_test_add_func ("/cli/zpci/asked-text", test_asked_text);
  g_test_add_func ("/cli/zpci/refused", test_refused);
  g_test_add_func ("/cli/zpci/host", test_host);
  g_test_add_func ("/cli/zpci/map", test_map);
  g_test_add_func ("/cli/zpci/map-json", test_map_json);
  g_test_add_func ("/cli/zpci/map-svg", test_map_svg);
  return g_test_run ();
}
