/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "fuzz-hostdev-plan.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* A host description as it comes over D-Bus, with bytes that nobody has checked. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GVariant) variant
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
  g_autoptr (HostdevHost) host = hostdev_host_new_from_variant (variant, &error);

  g_assert_cmpint (host != NULL, ==, error == NULL);
  if (host != NULL)
    fuzz_plan (fuzz_domain (), host);
  return 0;
}
