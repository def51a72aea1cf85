/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stddef.h>
#include <stdint.h>

#include "fuzz-host.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-grant-process.h"
#include "kvmhelper/kvmhelper-hold.h"
#include "kvmhelper/kvmhelper-holder.h"
#include "kvmhelper/kvmhelper-inspect.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define USER   1000
#define HANDLE 9

/* What /proc says of processes, which have a say in it themselves: who holds a group and what he
 * has of it, and whose process a descriptor is. What is told of a holder can be sent; a process
 * that was taken for the user's is there, and is so when it is looked at once more. */

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  fuzz_strict ();
  return 0;
}

static void
inspect (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autoptr (KvmHelperInspection) inspection
      = kvmhelper_inspection_new (kernel, address, NULL, NULL);
  g_autofree char *summary = NULL;

  if (inspection == NULL)
    return;
  g_variant_unref (g_variant_ref_sink (kvmhelper_inspection_to_variant (inspection, NULL)));
  if (inspection->holder_pid == 0)
    return;
  g_assert_cmpuint (inspection->holder_pid, !=, FUZZ_HOST_PID);
  g_assert_cmpuint (inspection->passed_through, <=, inspection->list->len);
  summary = kvmhelper_inspection_summary (inspection);
  g_assert_true (g_utf8_validate (summary, -1, NULL));
}

static void
take (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autoptr (KvmHelperGroup) group = kvmhelper_group_read (kernel, address, NULL);
  g_autoptr (GArray) pes = NULL;
  g_autoptr (GPtrArray) holds = NULL;
  KvmHelperObstacle obstacle;
  const KvmHelperEehPe *pe;
  g_autofree char *why = NULL;

  if (group == NULL)
    return;
  pes = kvmhelper_eeh_group (kernel, group);
  g_assert_nonnull (kvmhelper_eeh_worst (kernel, pes, &pe).name);
  g_assert_true ((pe == NULL) == (pes->len == 0));
  kvmhelper_eeh_thaw (kernel, -1, pes, NULL);
  holds = kvmhelper_hold_group (kernel, group->members, NULL);
  g_assert_true (holds == NULL || kvmhelper_hold_find (holds, address) != NULL);
  if (kvmhelper_holder_seize (kernel, group->number, &obstacle) < 0)
    {
      why = kvmhelper_obstacle_to_string (&obstacle, group->number);
      g_assert_true (obstacle.held || obstacle.absent);
    }
}

static void
grant (const KvmHelperKernel *kernel)
{
  const KvmHelperLimit none = { 0, 0 };
  KvmHelperGrantProcess process, again;

  if (!kvmhelper_grant_process_read (kernel, HANDLE, USER, &process, NULL))
    return;
  g_assert_cmpuint (process.pid, >, 0);
  g_assert_true (kvmhelper_grant_process_lives (kernel, &process));
  g_assert_true (kvmhelper_grant_process_read (kernel, HANDLE, USER, &again, NULL));
  g_assert_true (again.pid == process.pid && again.start == process.start);
  g_assert_false (kvmhelper_grant_process_read (kernel, HANDLE, USER + 1, &again, NULL));
  kvmhelper_grant_process_raise (kernel, HANDLE, USER, &process, 1 << 30, NULL);
  kvmhelper_grant_process_lower (kernel, &process, &none, NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const PciAddress address = { 3, 1, 0, 0 };
  g_autoptr (FuzzHost) host = fuzz_host_new ((const char *) data, size);
  const KvmHelperKernel *kernel = fuzz_host_kernel (host);

  inspect (kernel, &address);
  take (kernel, &address);
  grant (kernel);
  return 0;
}
