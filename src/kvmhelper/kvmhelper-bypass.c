/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-bypass.h"

#include "kvmhelper/kvmhelper-capability.h"

static gboolean
read_bypass (const KvmHelperKernel *kernel, guint64 *value)
{
  return kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, KVMHELPER_BYPASS_PARAMETER, value);
}

const char *
kvmhelper_bypass_ensure (const KvmHelperKernel *kernel, gboolean may_set)
{
  g_autoptr (GError) error = NULL;
  guint64 value;

  if (kvmhelper_platform_read (kernel) != KVMHELPER_PLATFORM_POWERNV)
    return NULL;
  if (!read_bypass (kernel, &value))
    return "unknown";
  if (value != 0)
    return "on";
  if (!may_set)
    return "off";
  if (!kvmhelper_kernel_write (kernel, KVMHELPER_SYS, KVMHELPER_BYPASS_PARAMETER, "1", &error))
    g_warning ("the bypass of interrupts stays off: %s", error->message);
  else if (!read_bypass (kernel, &value) || value == 0)
    g_warning ("the bypass of interrupts stays off: /sys/%s took 1, and does not have it",
               KVMHELPER_BYPASS_PARAMETER);
  else
    {
      g_message ("kvm_hv.kvm_irq_bypass was 0 and is 1 now, as irq-bypass=set says");
      return "set";
    }
  return "off";
}
