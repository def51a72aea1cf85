/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fuzz-host.h"
#include "kvmhelper/kvmhelper-host.h"
#include "kvmhelper/kvmhelper-lease.h"
#include "kvmhelper/kvmhelper-slot.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What all the small files of a kernel say, as the description of a host asks for it: mountinfo,
 * swaps, routes, cpuinfo, meminfo, EEH's counters and states, configuration space, slots, groups,
 * links and directories. Each text of the description is one; and what was found can be written
 * down when it is taken, so that another helper can read it. */

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  fuzz_strict ();
  return 0;
}

static void
take (const KvmHelperKernel *kernel)
{
  const PciAddress address = { 0 };
  g_autoptr (GPtrArray) functions = kvmhelper_function_read_all (kernel);
  g_autoptr (KvmHelperLease) lease = kvmhelper_lease_new ("", "", "", &address, functions);
  g_autoptr (KvmHelperLease) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (lease->members->len == 0 || !kvmhelper_slot_note (kernel, lease, NULL))
    return;
  text = kvmhelper_lease_to_text (lease);
  again = kvmhelper_lease_from_text (text, strlen (text), &error);
  g_assert_no_error (error);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (FuzzHost) host = fuzz_host_new ((const char *) data, size);
  g_autoptr (GPtrArray) leases = g_ptr_array_new ();
  g_autoptr (GVariant) description
      = g_variant_ref_sink (kvmhelper_host_read (fuzz_host_kernel (host), leases, NULL));

  g_assert_true (g_variant_is_of_type (description, G_VARIANT_TYPE_VARDICT));
  take (fuzz_host_kernel (host));
  return 0;
}
