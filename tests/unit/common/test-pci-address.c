/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-error.h"
#include "common/pci-address.h"

static void
test_round_trip (void)
{
  static const char *const good[] = { "0000:00:00.0", "0001:02:03.4", "ffff:ff:1f.7" };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      PciAddress address;
      g_autoptr (GError) error = NULL;

      g_assert_true (pci_address_parse (good[i], &address, &error));
      g_assert_no_error (error);
      g_autofree char *text = pci_address_to_string (&address);
      g_assert_cmpstr (text, ==, good[i]);
    }
}

static void
test_refused (void)
{
  static const char *const bad[] = { "",
                                     "0000:00:00",
                                     "0000:00:00.8",
                                     "0000:00:20.0",
                                     "00000:00:00.0",
                                     "0000:00:1F.0",
                                     "0000:00:00.00",
                                     "0000:00:0/.0",
                                     "../../../etc",
                                     " 000:00:00.0",
                                     "0000:00:00.0 ",
                                     "-001:00:00.0",
                                     "0x00:00:00.0",
                                     "0000-00-00-0",
                                     "00:00.0",
                                     "0000:00:00.0\n",
                                     "\xff\xff\xff\xff:00:00.0" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      PciAddress address = { 1, 2, 3, 4 };
      g_autoptr (GError) error = NULL;

      g_assert_false (pci_address_parse (bad[i], &address, &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ADDRESS);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_cmpint (address.domain, ==, 1);
    }
  g_assert_false (pci_address_parse (NULL, &(PciAddress){ 0 }, NULL));
}

static void
test_order (void)
{
  PciAddress a, b;

  g_assert_true (pci_address_parse ("0000:01:02.3", &a, NULL));
  g_assert_true (pci_address_parse ("0000:01:03.0", &b, NULL));
  g_assert_cmpint (pci_address_compare (&a, &b), <, 0);
  g_assert_cmpint (pci_address_compare (&b, &a), >, 0);
  g_assert_true (pci_address_equal (&a, &a));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/pci-address/round-trip", test_round_trip);
  g_test_add_func ("/common/pci-address/refused", test_refused);
  g_test_add_func ("/common/pci-address/order", test_order);
  return g_test_run ();
}
