/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>

#include "cli-bus.h"

/* What virt-ppc64 plan makes of device XML that is no PCI hostdev: of interfaces on libvirt's
 * networks, from libvirt's own test driver, which keeps its networks and its guest in a file. The
 * guest is none of KVM, which that driver has not: its plan says so, and what its devices are. */

#define INTERFACE(name) "<interface type='network'><source network='" name "'/></interface>"

typedef struct
{
  char *directory, *device;
} Files;

static void
make_files (Files *files)
{
  files->directory = g_dir_make_tmp ("networks-XXXXXX", NULL);
  files->device = g_build_filename (files->directory, "device.xml", NULL);
}

static void
remove_files (Files *files)
{
  g_unlink (files->device);
  g_rmdir (files->directory);
  g_free (files->device);
  g_free (files->directory);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Files, remove_files)

/* "plan …": NODE, DEVICE, HOST and GUEST (a pSeries guest in a file) are put in. */
static CliRun
run_plan (const Files *files, const char *device, const char *arguments)
{
  g_autofree char *host = cli_data_file ("fix-host.xml");
  g_autofree char *guest = cli_data_file ("map-guest.xml");
  g_autofree char *node = cli_data_file ("networks-node.xml");
  g_autofree char *uri = g_strconcat ("test://", node, NULL);
  g_autoptr (GString) line = g_string_new ("plan --host HOST ");

  if (device != NULL)
    g_assert_true (g_file_set_contents (files->device, device, -1, NULL));
  g_string_append (line, arguments);
  g_string_replace (line, "HOST", host, 0);
  g_string_replace (line, "GUEST", guest, 0);
  g_string_replace (line, "NODE", uri, 0);
  g_string_replace (line, "DEVICE", files->device, 0);
  return cli_run (NULL, line->str);
}

/* "0008:01:00.2 vfs …": each device with its network. */
static char *
list_devices (const CliRun *run)
{
  g_autoptr (JsonNode) root = json_from_string (run->out, NULL);
  GString *list = g_string_new (NULL);
  JsonArray *devices;

  g_assert_nonnull (root);
  devices = json_object_get_array_member (json_node_get_object (root), "devices");
  for (guint i = 0; i < json_array_get_length (devices); i++)
    {
      JsonObject *device = json_array_get_object_element (devices, i);

      g_string_append_printf (list, "%s%s %s", i > 0 ? ", " : "",
                              json_object_get_string_member (device, "address"),
                              json_object_get_string_member_with_default (device, "network", "-"));
    }
  return g_string_free (list, FALSE);
}

/* The first of the network's, as nobody has any; and the plan says of which network it is. */
static void
test_attach (void)
{
  g_auto (Files) files = { NULL };
  make_files (&files);
  g_auto (CliRun) json
      = run_plan (&files, INTERFACE ("vfs"), "--json ps2 --connect NODE --attach DEVICE");
  g_auto (CliRun) text
      = run_plan (&files, INTERFACE ("vfs"), "--verbose ps2 --connect NODE --attach DEVICE");
  g_auto (CliRun) plain = run_plan (&files, NULL, "--json GUEST --attach 0000:01:00.1");
  g_autofree char *devices = list_devices (&json);
  g_autofree char *own = list_devices (&plain);

  g_assert_cmpstr (devices, ==, "0008:01:00.2 vfs");
  g_assert_cmpint (json.code, ==, 3);
  g_assert_nonnull (strstr (text.out, "0008:01:00.2"));
  g_assert_true (g_regex_match_simple ("of network +vfs\n", text.out, 0, 0));
  g_assert_cmpstr (own, ==, "0000:01:00.1 -");
}

/* Each interface has another function; an interface that has none of the host's is none of ours. */
static void
test_start (void)
{
  g_auto (Files) files = { NULL };
  make_files (&files);
  g_auto (CliRun) start = run_plan (&files, NULL, "--json ps1 --connect NODE");
  g_auto (CliRun) full = run_plan (&files, NULL, "ps2 --connect NODE");
  g_auto (CliRun) gone = run_plan (&files, NULL, "ps3 --connect NODE");
  g_autofree char *devices = list_devices (&start);

  g_assert_cmpstr (devices, ==, "0008:01:00.2 vfs, 0008:01:00.4 one, 0008:01:00.3 vfs");
  g_assert_cmpint (full.code, ==, 3);
  g_assert_nonnull (strstr (full.err, "The network “one” has no function left"));
  g_assert_cmpint (gone.code, ==, 1);
  g_assert_nonnull (strstr (gone.err, "“nowhere”"));
}

static void
test_errors (void)
{
  static const struct
  {
    const char *device, *arguments, *message;
    int code;
  } cases[] = {
    { INTERFACE ("nowhere"), "ps1 --connect NODE --attach DEVICE",
      "libvirt does not give the network “nowhere”", 1 },
    { INTERFACE ("vfs"), "GUEST --attach DEVICE", "What the network “vfs” hands out", 1 },
    { INTERFACE ("bridged"), "ps1 --connect NODE --attach DEVICE",
      "holds no PCI device of the host", 1 },
    { "<interface type='bridge'><source bridge='br0'/></interface>",
      "ps1 --connect NODE --attach DEVICE", "holds no PCI device of the host", 1 },
    { INTERFACE ("vfs"), "ps1 --connect NODE --detach --device DEVICE",
      "holds no PCI device of the host", 1 },
    { "<hostdev type='mdev'/>", "GUEST --detach --device DEVICE", "holds no PCI device of the host",
      1 },
  };

  g_auto (Files) files = { NULL };
  make_files (&files);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (CliRun) run = run_plan (&files, cases[i].device, cases[i].arguments);

      g_test_message ("%s: %s", cases[i].device, run.err);
      g_assert_cmpint (run.code, ==, cases[i].code);
      g_assert_nonnull (strstr (run.err, cases[i].message));
    }
}

/* What a guest on POWER cannot have is refused as in its own XML, whatever it is asked with. */
static void
test_refused (void)
{
  static const char mdev[] = "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source>"
                             "<address uuid='11111111-2222-4333-8444-555555555555'/></source>"
                             "</hostdev>";
  static const char nvme[]
      = "<disk type='nvme' device='disk'><source type='pci' managed='yes' namespace='1'><address "
        "domain='0x0001' bus='0x01' slot='0x00' function='0x0'/></source><target "
        "dev='vda'/></disk>";
  g_autofree char *guest = cli_data_file ("s390x-guest.xml");
  g_autofree char *elsewhere = g_strdup_printf ("%s --attach DEVICE", guest);

  g_auto (Files) files = { NULL };
  make_files (&files);
  g_auto (CliRun) mediated = run_plan (&files, mdev, "GUEST --attach DEVICE");
  g_auto (CliRun) disk = run_plan (&files, nvme, "GUEST --attach DEVICE");
  g_auto (CliRun) no_kvm = run_plan (&files, mdev, "ps1 --connect NODE --attach DEVICE");
  g_auto (CliRun) s390x = run_plan (&files, mdev, elsewhere);

  g_assert_cmpint (mediated.code, ==, 3);
  g_assert_nonnull (strstr (mediated.out, "  mdev\n"));
  g_assert_null (strstr (mediated.out, "nvme-disk"));
  g_assert_cmpint (disk.code, ==, 3);
  g_assert_nonnull (strstr (disk.out, "  nvme-disk\n"));
  g_assert_nonnull (strstr (disk.out, "0001:01:00.0"));
  g_assert_cmpint (no_kvm.code, ==, 3);
  g_assert_nonnull (strstr (no_kvm.out, "not-pseries-kvm"));
  /* there such a device is none of ours */
  g_assert_cmpint (s390x.code, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/networks/attach", test_attach);
  g_test_add_func ("/cli/networks/start", test_start);
  g_test_add_func ("/cli/networks/errors", test_errors);
  g_test_add_func ("/cli/networks/refused", test_refused);
  return g_test_run ();
}
