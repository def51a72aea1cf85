/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-fixture.h"

/* What a guest's metadata asks for, as it counts for a device. */

static void
expect_policy (const HostdevDomain *domain, const char *address, const char *more, HostdevWish xive,
               HostdevWish tce, HostdevWish eeh, HostdevRehearse rehearse)
{
  g_autoptr (HostdevDevice) device = fixture_device (address, more);
  HostdevPolicy policy = hostdev_domain_get_policy (domain, device);

  g_assert_cmpint (policy.xive, ==, xive);
  g_assert_cmpint (policy.tce, ==, tce);
  g_assert_cmpint (policy.eeh, ==, eeh);
  g_assert_cmpint (policy.rehearse, ==, rehearse);
}

static void
test_policy (void)
{
  g_autoptr (HostdevDomain) none = fixture_domain ("", "");
  g_autoptr (HostdevDomain) domain = fixture_domain (
      FIXTURE_POLICY ("xive='required' tce='off' rehearse='never' spare-phbs='3'",
                      "<ppc64:device alias='ua-net0' eeh='required'/>"
                      "<ppc64:device xive='off' rehearse='always'>"
                      "<ppc64:address domain='1' bus='0x02' slot='0'/></ppc64:device>"),
      "");

  expect_policy (none, "0001:02:00.0", "", HOSTDEV_WISH_PREFERRED, HOSTDEV_WISH_PREFERRED,
                 HOSTDEV_WISH_PREFERRED, HOSTDEV_REHEARSE_AUTO);
  expect_policy (domain, "0005:02:00.0", "", HOSTDEV_WISH_REQUIRED, HOSTDEV_WISH_OFF,
                 HOSTDEV_WISH_PREFERRED, HOSTDEV_REHEARSE_NEVER);
  expect_policy (domain, "0001:02:00.0", "", HOSTDEV_WISH_OFF, HOSTDEV_WISH_OFF,
                 HOSTDEV_WISH_PREFERRED, HOSTDEV_REHEARSE_ALWAYS);
  expect_policy (domain, "0001:02:00.0", "<alias name='ua-net0'/>", HOSTDEV_WISH_REQUIRED,
                 HOSTDEV_WISH_OFF, HOSTDEV_WISH_REQUIRED, HOSTDEV_REHEARSE_NEVER);
  g_assert_cmpuint (hostdev_domain_get_spare_phbs (domain), ==, 3);
}

static void
test_companions (void)
{
  g_autoptr (HostdevDomain) domain = fixture_domain (
      FIXTURE_POLICY ("companions='attach'", "<ppc64:device alias='ua-net0' companions='leave'/>"),
      "");
  g_autoptr (HostdevDevice) device = fixture_device ("0001:02:00.0", "");
  g_autoptr (HostdevDevice) named = fixture_device ("0001:02:00.0", "<alias name='ua-net0'/>");

  g_assert_cmpint (hostdev_domain_get_policy (domain, device).companions, ==,
                   HOSTDEV_COMPANIONS_ATTACH);
  g_assert_cmpint (hostdev_domain_get_policy (domain, named).companions, ==,
                   HOSTDEV_COMPANIONS_LEAVE);
}

/* Windows, pages, companions, and what is done where the host lacks something. */
static void
test_policy_more (void)
{
  g_autoptr (HostdevDomain) none = fixture_domain ("", "");
  g_autoptr (HostdevDomain) domain = fixture_domain (
      FIXTURE_POLICY ("window64='required' page-sizes='64K 2M' companions='refuse'",
                      "<ppc64:device alias='ua-net0' page-sizes='4K' companions='leave' "
                      "lacking='refuse' tce='off' eeh='required'/>"),
      "");
  g_autoptr (HostdevDevice) device = fixture_device ("0001:02:00.0", "");
  g_autoptr (HostdevDevice) named = fixture_device ("0001:02:00.0", "<alias name='ua-net0'/>");
  HostdevPolicy plain = hostdev_domain_get_policy (none, device);
  HostdevPolicy guest = hostdev_domain_get_policy (domain, device);
  HostdevPolicy own = hostdev_domain_get_policy (domain, named);
  g_autofree char *pages = hostdev_policy_page_sizes (guest.page_sizes);
  g_autofree char *all = hostdev_policy_page_sizes (~(guint64) 0);

  g_assert_cmpint (plain.window64, ==, HOSTDEV_WISH_PREFERRED);
  g_assert_cmpuint (plain.page_sizes, ==, 0);
  g_assert_cmpint (plain.companions, ==, HOSTDEV_COMPANIONS_LEAVE);
  g_assert_false (plain.refuse_lacking);
  g_assert_cmpint (guest.window64, ==, HOSTDEV_WISH_REQUIRED);
  g_assert_cmpuint (guest.page_sizes, ==, 0x210000);
  g_assert_cmpstr (pages, ==, "64K 2M");
  g_assert_cmpstr (all, ==, "4K 64K 2M 16M 1G");
  g_assert_cmpint (guest.companions, ==, HOSTDEV_COMPANIONS_REFUSE);
  g_assert_false (guest.refuse_lacking);
  g_assert_cmpint (guest.xive, ==, HOSTDEV_WISH_PREFERRED);
  /* what is preferred is required then; what is off stays off */
  g_assert_true (own.refuse_lacking);
  g_assert_cmpint (own.xive, ==, HOSTDEV_WISH_REQUIRED);
  g_assert_cmpint (own.tce, ==, HOSTDEV_WISH_OFF);
  g_assert_cmpint (own.eeh, ==, HOSTDEV_WISH_REQUIRED);
  g_assert_cmpuint (own.page_sizes, ==, 0x1000);
  g_assert_cmpint (own.companions, ==, HOSTDEV_COMPANIONS_LEAVE);
}

/* Another vendor's metadata is not ours to look into. */
static void
test_foreign_metadata (void)
{
  g_autoptr (HostdevDomain) domain = fixture_domain (
      "<metadata><x:passthrough xmlns:x='urn:x' xive='of course'/>text<passthrough/></metadata>"
      "<metadata><passthrough/></metadata>",
      "");

  expect_policy (domain, "0001:02:00.0", "", HOSTDEV_WISH_PREFERRED, HOSTDEV_WISH_PREFERRED,
                 HOSTDEV_WISH_PREFERRED, HOSTDEV_REHEARSE_AUTO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/domain-policy/policy", test_policy);
  g_test_add_func ("/hostdev/domain-policy/companions", test_companions);
  g_test_add_func ("/hostdev/domain-policy/policy-more", test_policy_more);
  g_test_add_func ("/hostdev/domain-policy/foreign-metadata", test_foreign_metadata);
  return g_test_run ();
}
