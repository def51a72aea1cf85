/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "fuzz-hostdev-plan.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What the metadata of a guest say, which its owner writes: the guest has two devices of the host
 * that they can be about. */
#define DOMAIN                                                                                     \
  "<domain type='kvm'><name>guest</name><metadata>%s</metadata><os><type arch='ppc64le' "          \
  "machine='pseries'>hvm</type></os><devices><hostdev type='pci' managed='yes'><source>"           \
  "<address domain='1' bus='2' slot='0'/></source><alias name='ua-net0'/></hostdev>"               \
  "<hostdev type='pci'><source><address bus='1' slot='0'/></source></hostdev></devices></domain>"

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *xml = g_strdup_printf (DOMAIN, text);
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevDomain) domain = hostdev_domain_new_from_xml (xml, -1, &error);

  g_assert_cmpint (domain != NULL, ==, error == NULL);
  if (domain == NULL)
    {
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return 0;
    }
  g_assert_cmpuint (hostdev_domain_get_spare_phbs (domain), <=, HOSTDEV_PHB_TARGET_MAX);
  fuzz_plan (domain, fuzz_host ());
  return 0;
}
