/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "fuzz-hostdev-plan.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A host description in XML, and every plan that follows from it. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevHost) host
      = hostdev_host_new_from_xml ((const char *) data, (gssize) size, &error);

  g_assert_cmpint (host != NULL, ==, error == NULL);
  if (host != NULL)
    fuzz_plan (fuzz_domain (), host);
  else
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
  return 0;
}
