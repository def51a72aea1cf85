/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-guest-address.h"

#define DEVICE(host, bus, slot)                                                                    \
  "<hostdev mode='subsystem' type='pci'><source><address domain='" host "' bus='1' slot='0'"       \
  " function='0'/></source><address type='pci' domain='0' bus='" bus "' slot='" slot               \
  "' function='1'/></hostdev>"

/* The controller of index 2 is the PHB with target index 7; 3 is a bridge on it; libvirt adds those
 * up to 9. */
#define DOMAIN                                                                                     \
  "<domain type='kvm' id='1'><os><type arch='ppc64le' machine='pseries'>hvm</type></os><devices>"  \
  "<controller type='pci' index='0' model='pci-root'/>"                                            \
  "<controller type='pci' index='1' model='pci-root'><target index='1'/></controller>"             \
  "<controller type='pci' index='2' model='pci-root'><target index='7'/></controller>"             \
  "<controller type='pci' index='3' model='pci-bridge'>"                                           \
  "<address type='pci' bus='2' slot='3' function='0'/></controller>" DEVICE ("0", "0", "4")        \
      DEVICE ("1", "1", "1") DEVICE ("2", "2", "0x1f") DEVICE ("3", "3", "2") DEVICE (             \
          "4", "9", "1") "<hostdev mode='subsystem' type='pci'><source><address domain='5' "       \
                         "bus='1' slot='0' function='0'/></source></hostdev></devices></domain>"

static gboolean
find (const HostdevDomain *domain, guint host, HostdevGuestAddress *address)
{
  PciAddress function = { (guint16) host, 1, 0, 0 };
  const HostdevDevice *device = hostdev_domain_find_address (domain, &function);

  g_assert_nonnull (device);
  return hostdev_guest_address (domain, device, address);
}

static void
assert_at (const HostdevDomain *domain, guint host, guint64 buid, const char *expected)
{
  HostdevGuestAddress address;
  char name[PCI_ADDRESS_LEN];

  g_assert_true (find (domain, host, &address));
  g_assert_cmphex (address.buid, ==, buid);
  g_assert_cmpint (address.has_address, ==, expected != NULL);
  if (expected == NULL)
    return;
  g_assert_cmpstr (pci_address_format (&address.address, name), ==, expected);
  g_assert_cmpuint (address.pe, ==, 1);
}

static void
test_addresses (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevDomain) domain = hostdev_domain_new_from_xml (DOMAIN, -1, &error);
  HostdevGuestAddress none;

  g_assert_no_error (error);
  assert_at (domain, 0, G_GUINT64_CONSTANT (0x800000020000000), "0000:00:04.1");
  assert_at (domain, 1, G_GUINT64_CONSTANT (0x800000020000001), "0001:00:01.1");
  /* the PHB's number in the guest is the target index, and not the controller's */
  assert_at (domain, 2, G_GUINT64_CONSTANT (0x800000020000007), "0007:00:1f.1");
  /* behind a bridge: the PHB is known, the bus is not */
  assert_at (domain, 3, G_GUINT64_CONSTANT (0x800000020000007), NULL);
  assert_at (domain, 4, G_GUINT64_CONSTANT (0x800000020000008), "0008:00:01.1");
  g_assert_false (find (domain, 5, &none));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/guest-address", test_addresses);
  return g_test_run ();
}
