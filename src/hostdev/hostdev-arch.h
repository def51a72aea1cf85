/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-plan-build.h"

/**
 * HostdevArch: what of a plan is another matter on another architecture; the rest of it (groups,
 * who holds them, what the host needs of them, other guests) is the same everywhere. Chosen by the
 * arch and machine of the guest.
 *
 * hostdev_arch_pseries: ppc64 and ppc64le under KVM. Run on such machines; the driver and the
 * helper are for these guests.
 *
 * hostdev_arch_s390x: s390-ccw-virtio under KVM, with zPCI. A plan from files alone, made after the
 * source of libvirt, QEMU and Linux, and held against libvirt's test data; not run on such a
 * machine. The driver lets these guests pass untouched. What a running one has is in
 * hostdev-verify.h.
 */
typedef struct
{
  gboolean (*is_guest) (const HostdevDomain *domain);

  /* What no guest can do without on the host. */
  void (*check_host) (const HostdevPlanning *planning);

  /* The XML of a device that the guest is to have. */
  void (*check_device) (const HostdevPlanning *planning, const HostdevDevice *device);

  /* … and of one that it has and is to give back. */
  void (*check_detach) (const HostdevPlanning *planning, const HostdevDevice *device);

  /* Where in the guest @device goes, or (NULL) all of its devices, into their entries in the plan;
   * and what follows from it. Returns who sits where, where others have to know; else NULL. */
  HostdevPlacement *(*seat) (const HostdevPlanning *planning, const HostdevDevice *device);

  /* The guest's own XML, its memory, and how many interrupts it has; @devices: of the host's. */
  void (*check_guest) (const HostdevPlanning *planning, const HostdevPlacement *placement,
                       guint devices);

  /* What the function of @entry wants of the guest. */
  void (*check_function) (const HostdevPlanning *planning, const HostdevPlanDevice *entry);

  /* What it will have of the device of @entry, and whether its policy is content: in that order. */
  void (*expect_interrupts) (const HostdevPlanning *planning, HostdevPlanDevice *entry);
  void (*expect_dma) (const HostdevPlanning *planning, HostdevPlanDevice *entry);
  void (*expect_errors) (const HostdevPlanning *planning, const HostdevPlacement *placement,
                         HostdevPlanDevice *entry);
} HostdevArch;

extern const HostdevArch hostdev_arch_pseries;
extern const HostdevArch hostdev_arch_s390x;

/**
 * hostdev_zpci_get_asked: how the interrupts of an s390x guest's functions are to come, by what its
 * XML says alone: "forwarded", "by-host", "intercepted", as in HostdevExpectation.
 * @source: (out): what of it
 */
const char *hostdev_zpci_get_asked (const HostdevDomain *domain, const char **source);

/** hostdev_arch_of: NULL for a guest of no architecture that is known here. */
const HostdevArch *hostdev_arch_of (const HostdevDomain *domain);
