/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-arch.h"

const HostdevArch *
hostdev_arch_of (const HostdevDomain *domain)
{
  static const HostdevArch *const all[] = { &hostdev_arch_pseries, &hostdev_arch_s390x };

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (all[i]->is_guest (domain))
      return all[i];
  return NULL;
}
