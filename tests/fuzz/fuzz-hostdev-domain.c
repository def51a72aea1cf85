/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "fuzz-hostdev-plan.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Domain XML, and every plan that follows from it. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevDomain) domain
      = hostdev_domain_new_from_xml ((const char *) data, (gssize) size, &error);

  g_assert_cmpint (domain != NULL, ==, error == NULL);
  if (domain != NULL)
    fuzz_plan (domain, fuzz_host ());
  else
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
  return 0;
}
