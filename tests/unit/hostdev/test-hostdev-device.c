/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-error.h"
#include "hostdev/hostdev-device.h"
#include "hostdev/hostdev-network.h"

#define ADDRESS "<address domain='0x0001' bus='0x02' slot='0x03' function='0x4'/>"
#define SOURCE  "<source>" ADDRESS "</source>"

static HostdevDevice *
read_device (const char *xml)
{
  g_autoptr (GError) error = NULL;
  HostdevDevice *device = (HostdevDevice *) 1;

  g_assert_true (hostdev_device_new_from_xml (xml, -1, &device, &error));
  g_assert_no_error (error);
  return device;
}

static void
expect_address (const char *xml, const char *address)
{
  g_autoptr (HostdevDevice) device = read_device (xml);

  g_assert_nonnull (device);
  g_autofree char *text = pci_address_to_string (&device->address);
  g_assert_cmpstr (text, ==, address);
}

static void
expect_refused (const char *xml, CommonErrorCode code)
{
  g_autoptr (GError) error = NULL;
  HostdevDevice *device = (HostdevDevice *) 1;

  g_test_message ("%s", xml);
  g_assert_false (hostdev_device_new_from_xml (xml, -1, &device, &error));
  g_assert_error (error, COMMON_ERROR, (int) code);
  g_assert_null (device);
}

static void
test_all (void)
{
  g_autoptr (HostdevDevice) device = read_device (
      "<hostdev mode='subsystem' type='pci' managed='yes'>"
      "<driver name='vfio' model='mlx5_vfio_pci'/>" SOURCE "<alias name='ua-net0'/><rom bar='off'/>"
      "<address type='pci' domain='0x0000' bus='0x02' slot='0x01' function='0x0'/>"
      "</hostdev>");

  g_autofree char *address = pci_address_to_string (&device->address);
  g_assert_cmpstr (address, ==, "0001:02:03.4");
  g_assert_true (device->managed);
  g_assert_cmpstr (device->alias, ==, "ua-net0");
  g_assert_cmpstr (device->driver_name, ==, "vfio");
  g_assert_cmpstr (device->driver_model, ==, "mlx5_vfio_pci");
  g_assert_false (device->iommufd);
  g_assert_true (device->has_guest_bus);
  g_assert_cmpuint (device->guest_bus, ==, 2);
}

static void
test_least (void)
{
  g_autoptr (HostdevDevice) device
      = read_device ("<hostdev type='pci'><source><address bus='1' slot='0'/></source></hostdev>");

  g_autofree char *address = pci_address_to_string (&device->address);
  g_assert_cmpstr (address, ==, "0000:01:00.0");
  g_assert_false (device->managed);
  g_assert_null (device->alias);
  g_assert_null (device->driver_name);
  g_assert_null (device->driver_model);
  g_assert_false (device->has_guest_bus);
}

static void
test_numbers (void)
{
  expect_address ("<hostdev type='pci'><source><address domain='10' bus='16' slot='010' "
                  "function='0x7'/></source></hostdev>",
                  "000a:10:08.7");
  expect_address ("<hostdev type='pci'><source><address domain='0xffff' bus='0xff' slot='0x1f' "
                  "function='7'/></source></hostdev>",
                  "ffff:ff:1f.7");
  expect_address ("<hostdev type='pci'><source><address/></source></hostdev>", "0000:00:00.0");
}

static void
test_interface (void)
{
  g_autoptr (HostdevDevice) device
      = read_device ("<interface type='hostdev' managed='yes'><mac address='52:54:00:6d:90:02'/>"
                     "<driver name='vfio' iommufd='yes'/><source><address type='pci' domain='0x8' "
                     "bus='0x1' slot='0' function='2'/></source><alias name='hostdev0'/>"
                     "</interface>");

  g_autofree char *address = pci_address_to_string (&device->address);
  g_assert_cmpstr (address, ==, "0008:01:00.2");
  g_assert_true (device->managed);
  g_assert_true (device->iommufd);
  g_assert_cmpstr (device->alias, ==, "hostdev0");
}

/* An address of the guest that is all zero is none: libvirt chooses. */
static void
test_guest_address (void)
{
  static const char *const none[]
      = { "<address type='pci'/>", "<address type='pci' domain='0' bus='0' slot='0'/>",
          "<address type='ccw' cssid='0' ssid='0' devno='1'/>", "" };

  for (gsize i = 0; i < G_N_ELEMENTS (none); i++)
    {
      g_autofree char *xml
          = g_strdup_printf ("<hostdev type='pci'>" SOURCE "%s</hostdev>", none[i]);
      g_autoptr (HostdevDevice) device = read_device (xml);

      g_assert_false (device->has_guest_bus);
    }
  g_autoptr (HostdevDevice) device
      = read_device ("<hostdev type='pci'>" SOURCE "<address type='pci' slot='4'/></hostdev>");
  g_assert_true (device->has_guest_bus);
  g_assert_cmpuint (device->guest_bus, ==, 0);
}

static void
test_others (void)
{
  static const char *const others[]
      = { "<disk type='file'><source file='/x'/></disk>",
          "<disk type='nvme'><source type='pci'>" ADDRESS "</source></disk>",
          "<hostdev mode='subsystem' type='usb'>" SOURCE "</hostdev>",
          "<hostdev mode='subsystem' type='mdev' model='vfio-pci'/>",
          "<hostdev mode='capabilities' type='pci'>" SOURCE "</hostdev>",
          "<hostdev>" SOURCE "</hostdev>",
          "<hostdev type='PCI'>" SOURCE "</hostdev>",
          "<interface type='network'><source network='x'/></interface>",
          "<interface type='hostdev'><source><address type='usb' device='2'/></source></interface>",
          "<memory model='dimm'/>",
          "<domain/>" };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    {
      g_test_message ("%s", others[i]);
      g_assert_null (read_device (others[i]));
    }
}

static void
test_refused (void)
{
  static const char *const bad[]
      = { "<hostdev type='pci'/>",
          "<hostdev type='pci'><source/></hostdev>",
          "<hostdev type='pci'>" ADDRESS "</hostdev>",
          "<hostdev type='pci'><source>" ADDRESS ADDRESS "</source></hostdev>",
          "<hostdev type='pci'>" SOURCE SOURCE "</hostdev>",
          "<hostdev type='pci'><source><address bus='1f' slot='0'/></source></hostdev>",
          "<hostdev type='pci'><source><address bus='256' slot='0'/></source></hostdev>",
          "<hostdev type='pci'><source><address bus='1' slot='32'/></source></hostdev>",
          "<hostdev type='pci'><source><address bus='1' function='8'/></source></hostdev>",
          "<hostdev type='pci'><source><address domain='0x10000'/></source></hostdev>",
          "<hostdev type='pci'><source><address domain='-1'/></source></hostdev>",
          "<hostdev type='pci'>" SOURCE "<address type='pci' bus='x'/></hostdev>",
          "<x:hostdev xmlns:x='x' type='pci'><x:source><x:address/></x:source></x:hostdev>",
          "<interface type='hostdev'/>",
          "<interface type='hostdev'><source/></interface>" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    expect_refused (bad[i], COMMON_ERROR_INVALID_DEVICE);
  expect_refused ("<hostdev", COMMON_ERROR_INVALID_XML);
  expect_refused ("<!DOCTYPE hostdev><hostdev type='pci'>" SOURCE "</hostdev>",
                  COMMON_ERROR_INVALID_XML);
}

static void
test_size (void)
{
  g_autoptr (GString) xml = g_string_new ("<hostdev type='pci'>" SOURCE "</hostdev>");

  while (xml->len < HOSTDEV_DEVICE_XML_MAX)
    g_string_append_c (xml, ' ');
  g_autoptr (HostdevDevice) device = read_device (xml->str);
  g_assert_nonnull (device);
  g_string_append_c (xml, ' ');
  expect_refused (xml->str, COMMON_ERROR_INVALID_XML);
}

/* Of an interface of a network, what its element says, and what the network says of its functions.
 */
static void
test_network (void)
{
  static const char interface[]
      = "<interface type='network'><source network='vfs'/><alias name='ua-net'/>%s</interface>";
  static const char network[]
      = "<network><name>vfs</name><forward mode='hostdev' managed='yes'>%s<address type='pci' "
        "domain='0x0008' bus='0x01' slot='0x00' function='0x2'/></forward></network>";
  static const struct
  {
    const char *teaming, *driver;
    gboolean is_teaming;
    const char *name;
  } cases[] = {
    { "", "", FALSE, NULL },
    { "<teaming type='transient' persistent='ua-x'/>", "<driver name='vfio'/>", TRUE, "vfio" },
    { "<teaming type='persistent'/>", "<driver name='kvm'/>", FALSE, "kvm" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) device_xml = g_string_new (interface);
      g_autoptr (GString) network_xml = g_string_new (network);
      g_autofree char *name = NULL;

      g_string_replace (device_xml, "%s", cases[i].teaming, 1);
      g_string_replace (network_xml, "%s", cases[i].driver, 1);
      const char *texts[] = { network_xml->str, NULL };
      g_autoptr (HostdevDevice) device = hostdev_network_device_new (device_xml->str, -1, &name);
      g_assert_nonnull (device);
      g_assert_cmpstr (name, ==, "vfs");
      g_assert_cmpstr (device->alias, ==, "ua-net");
      g_assert_true (device->interface);
      g_assert_cmpint (device->teaming, ==, cases[i].is_teaming);
      /* as often as it is asked */
      g_assert_true (hostdev_network_choose (texts, device));
      g_assert_true (hostdev_network_choose (texts, device));
      g_assert_true (device->managed);
      g_assert_cmpstr (device->driver_name, ==, cases[i].name);
    }
}

/* The first that no port has and no interface before took; a guest's own ports end with it. */
static void
test_network_next (void)
{
#define VF(number)                                                                                 \
  "<address type='pci' domain='0x0008' bus='0x01' slot='0x00' function='" number "'/>"
#define PORT(uuid, number)                                                                         \
  "<networkport><owner><uuid>" uuid                                                                \
  "</uuid></owner><plug type='hostdev-pci'>" VF (number) "</plug></networkport>"
#define OWN   "11111111-2222-4333-8444-555555555555"
#define OTHER "11111111-2222-4333-8444-666666666666"
  static const char *const texts[]
      = { "<network><forward mode='hostdev'>" VF ("2") VF ("3") VF ("4") "</forward></network>",
          PORT (OWN, "2"), PORT (OTHER, "3"), NULL };
  static const PciAddress all[] = { { 8, 1, 0, 2 }, { 8, 1, 0, 4 } };
  g_autoptr (GArray) given = g_array_new (FALSE, FALSE, sizeof (PciAddress));
  g_autoptr (HostdevDevice) device = g_new0 (HostdevDevice, 1);

  g_assert_true (hostdev_network_choose (texts, device));
  g_assert_true (pci_address_equal (&device->address, &all[1]));
  g_assert_true (hostdev_network_choose_next (texts, OTHER, given, device));
  g_assert_cmpint (device->address.function, ==, 3);
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_assert_true (hostdev_network_choose_next (texts, OWN, given, device));
      g_assert_true (pci_address_equal (&device->address, &all[i]));
      g_array_append_val (given, device->address);
    }
  g_assert_false (hostdev_network_choose_next (texts, OWN, given, device));
  g_assert_true (hostdev_network_hands_out (texts[0]));
  g_assert_false (hostdev_network_hands_out ("<network><forward mode='nat'/></network>"));
  g_assert_false (hostdev_network_hands_out ("<network/>"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/device/all", test_all);
  g_test_add_func ("/hostdev/device/least", test_least);
  g_test_add_func ("/hostdev/device/numbers", test_numbers);
  g_test_add_func ("/hostdev/device/interface", test_interface);
  g_test_add_func ("/hostdev/device/guest-address", test_guest_address);
  g_test_add_func ("/hostdev/device/others", test_others);
  g_test_add_func ("/hostdev/device/refused", test_refused);
  g_test_add_func ("/hostdev/device/size", test_size);
  g_test_add_func ("/hostdev/device/network", test_network);
  g_test_add_func ("/hostdev/device/network-next", test_network_next);
  return g_test_run ();
}
