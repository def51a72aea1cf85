/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-vectors.h"

#include <glib/gi18n-lib.h>

#define PROC_INTERRUPTS "/proc/interrupts"

typedef enum
{
  WAY_INTX,
  WAY_NO_GUEST,
  WAY_EMULATED,
  WAY_PLATFORM,
  WAY_XICS,
  WAY_BYPASS_OFF,
  WAY_BYPASS_OFF_NOW,
  WAY_LIMIT_HANDLED,
  WAY_HANDLED,
  WAY_LIMIT,
  WAY_REFUSED,
  WAY_REHEARSED,
  WAY_NEVER,
  WAY_NONE_AT_HOST
} Way;

static const KvmHelperWay ways[] = {
  [WAY_INTX] = { "host", "intx", N_ ("inferred: KVM passes on MSI and MSI-X alone") },
  [WAY_NO_GUEST]
  = { "unknown", "no-guest", N_ ("inferred: the holder has no virtual machine of KVM's") },
  [WAY_EMULATED]
  = { "host", "emulated",
      N_ ("inferred: the holder has a virtual machine of KVM's, and no interrupt controller of "
          "KVM's to pass an interrupt on to") },
  [WAY_PLATFORM] = { "host", "platform",
                     N_ ("inferred: KVM passes interrupts on under PowerNV "
                         "only") },
  [WAY_XICS] = { "unknown", "xics",
                 N_ ("inferred: the guest has XICS on a host without XIVE, where the count of "
                     "/proc/interrupts does not tell") },
  [WAY_BYPASS_OFF] = { "host", "bypass-off", "/sys/" KVMHELPER_BYPASS_PARAMETER },
  /* Switching it off takes nothing back: kvmppc_clr_passthru_irq does nothing then either. */
  [WAY_BYPASS_OFF_NOW]
  = { "unknown", "bypass-off",
      N_ ("inferred: the bypass is switched off (kvm_hv.kvm_irq_bypass), the host's handler had "
          "none of it so far, and what was handed over before stays the guest's") },
  [WAY_LIMIT_HANDLED]
  = { "host", "limit",
      N_ ("/proc/interrupts; the guest has more interrupts than the 1,024 that KVM passes on") },
  [WAY_HANDLED] = { "host", "handled", PROC_INTERRUPTS },
  [WAY_LIMIT] = { "unknown", "limit",
                  N_ ("inferred: the guest has more interrupts than the 1,024 that KVM passes on, "
                      "and which they are is not to be seen") },
  [WAY_REFUSED] = { "host", "refused",
                    N_ ("inferred: the host's handler had none of it so far, but a rehearsal of "
                        "the function saw KVM leave its interrupt with the host") },
  [WAY_REHEARSED]
  = { "guest", "rehearsed",
      N_ ("inferred: the host's handler had none of it (/proc/interrupts), and a rehearsal of the "
          "function saw KVM hand its interrupt over") },
  [WAY_NEVER] = { "unknown", "never",
                  N_ ("inferred: the host's handler had none of it, and whether KVM passes it on "
                      "cannot be read (kvm_hv.kvm_irq_bypass)") },
  [WAY_NONE_AT_HOST]
  = { "guest", "none-at-host",
      N_ ("inferred: the host's handler had none of it (/proc/interrupts), and the bypass is not "
          "switched off") },
};

/* What the host's handler had went by the host, whatever KVM could do. What it had none of went
 * straight to the guest, unless something speaks against that, or never came. */
static Way
choose_way (const KvmHelperPassing *passing, const KvmHelperVector *vector,
            KvmHelperBypassTrial trial)
{
  gboolean over = passing->messages > KVMHELPER_BYPASS_MAX;

  if (!vector->message)
    return WAY_INTX;
  if (passing->controller == KVMHELPER_CONTROLLER_NO_GUEST)
    return WAY_NO_GUEST;
  if (passing->controller == KVMHELPER_CONTROLLER_EMULATED)
    return WAY_EMULATED;
  if (passing->platform == KVMHELPER_PLATFORM_PSERIES)
    return WAY_PLATFORM;
  if (passing->bypass == 0)
    return vector->count > 0 ? WAY_BYPASS_OFF : WAY_BYPASS_OFF_NOW;
  if (passing->controller == KVMHELPER_CONTROLLER_XICS)
    return WAY_XICS;
  if (vector->count > 0)
    return over ? WAY_LIMIT_HANDLED : WAY_HANDLED;
  if (over)
    return WAY_LIMIT;
  if (trial == KVMHELPER_BYPASS_REFUSED)
    return WAY_REFUSED;
  if (trial == KVMHELPER_BYPASS_PASSED)
    return WAY_REHEARSED;
  return passing->bypass < 0 ? WAY_NEVER : WAY_NONE_AT_HOST;
}

KvmHelperWay
kvmhelper_vector_way (const KvmHelperPassing *passing, const KvmHelperVector *vector,
                      KvmHelperBypassTrial trial)
{
  KvmHelperWay way = ways[choose_way (passing, vector, trial)];

  way.source = _ (way.source);
  return way;
}

guint
kvmhelper_passing_entries (const KvmHelperPassing *passing)
{
  gboolean passes = passing->platform != KVMHELPER_PLATFORM_PSERIES && passing->bypass != 0
                    && (passing->controller == KVMHELPER_CONTROLLER_XIVE
                        || passing->controller == KVMHELPER_CONTROLLER_XICS);

  return passes ? passing->messages : 0;
}

gboolean
kvmhelper_near_limit (guint64 used, guint64 limit)
{
  return used > limit - limit / 10;
}
