/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "fuzz-host.h"
#include "kvmhelper/kvmhelper-rehearsal.h"
#include "kvmhelper/kvmhelper-rehearsed.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What KVM and VFIO answer to a rehearsal, in numbers and in structs, and KVM's table in debugfs.
 * Each step can be sent on, and what it found is found on the other side. */

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  fuzz_strict ();
  return 0;
}

static void
note (const KvmHelperStep *step, gpointer steps)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (kvmhelper_step_to_variant (step));
  KvmHelperStep *again = kvmhelper_step_from_variant (variant);

  g_assert_nonnull (again);
  g_assert_cmpint (again->result, ==, step->result);
  g_ptr_array_add (steps, again);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const PciAddress address = { 3, 1, 0, 0 };
  g_autoptr (FuzzHost) host = fuzz_host_new ((const char *) data, size);
  g_autoptr (GPtrArray) steps
      = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_step_free);
  KvmHelperFound found;

  kvmhelper_rehearsal_run (fuzz_host_kernel (host), 7, &address, note, steps);
  kvmhelper_found_read (steps, &found);
  g_assert_cmpint (found.passed, ==, kvmhelper_steps_passed (steps));
  g_variant_unref (g_variant_ref_sink (kvmhelper_found_windows (&found)));
  return 0;
}
