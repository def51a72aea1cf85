/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>

#include "cli/cli-libvirt.h"

/* What libvirt knows of other guests' devices, from its own test driver, which keeps them in a
 * file. */

#define GIVEN "11111111-2222-4333-8444-555555555555"
#define OTHER "11111111-2222-4333-8444-666666666666"

#define DOMAIN(name, uuid, function)                                                               \
  "<domain type='test'><name>" name "</name><uuid>" uuid                                           \
  "</uuid><memory>8192</memory><os><type>hvm"                                                      \
  "</type></os><devices><hostdev mode='subsystem' type='pci' managed='yes'><source><address "      \
  "domain='0x0001' bus='0x01' slot='0x00' function='" function "'/></source></hostdev></devices>"  \
  "</domain>"

static const char node[]
    = "<node>" DOMAIN ("ps1", GIVEN, "0x0") DOMAIN ("ps2", OTHER, "0x1") "</node>";

static void
test_claims (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_dir_make_tmp ("claims-XXXXXX", &error);
  g_autofree char *path = g_build_filename (directory, "node.xml", NULL);
  g_autofree char *uri = g_strconcat ("test://", path, NULL);
  g_autoptr (HostdevHost) host = hostdev_host_new_from_xml ("<host platform='powernv'/>", -1, NULL);
  PciAddress first = { 1, 1, 0, 0 }, second = { 1, 1, 0, 1 }, third = { 1, 1, 0, 2 };

  g_assert_true (g_file_set_contents (path, node, -1, NULL));
  cli_libvirt_claim (uri, host);
  const HostdevClaim *claim = hostdev_host_find_claim (host, &first, OTHER);
  g_assert_nonnull (claim);
  g_assert_cmpstr (claim->name, ==, "ps1");
  g_assert_cmpstr (claim->uuid, ==, GIVEN);
  /* the test driver starts what is in its file */
  g_assert_true (claim->running);
  g_assert_nonnull (hostdev_host_find_claim (host, &second, GIVEN));
  /* its own does not count, and what nobody has is nobody's */
  g_assert_null (hostdev_host_find_claim (host, &first, GIVEN));
  g_assert_null (hostdev_host_find_claim (host, &third, GIVEN));
  g_unlink (path);
  g_rmdir (directory);
}

static void
test_no_libvirt (void)
{
  g_autoptr (HostdevHost) host = hostdev_host_new_from_xml ("<host platform='powernv'/>", -1, NULL);
  PciAddress address = { 1, 1, 0, 0 };

  cli_libvirt_claim ("test:///no/such/file.xml", host);
  g_assert_null (hostdev_host_find_claim (host, &address, ""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/claims/claims", test_claims);
  g_test_add_func ("/cli/claims/no-libvirt", test_no_libvirt);
  return g_test_run ();
}
