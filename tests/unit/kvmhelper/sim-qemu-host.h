/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-qemu.h"

/** Simulated hosts for the simulated QEMU, whose clocks stand. */

/* 0000:01:00.0, and the first function of two in a group, 0001:01:00.0, of the bare-metal host */
extern const PciAddress sim_qemu_card;
extern const PciAddress sim_qemu_dual;

/* As libvirt starts a guest of 1 GiB. */
extern const KvmHelperSimQemuConfig sim_qemu_guest;

/* A host of that description. */
KvmHelperSim *sim_qemu_host_new (const char *xml);
/* The bare-metal host: all of both groups are on vfio-pci, but 0001:01:00.1, which is on
 * @sibling_driver. */
KvmHelperSim *sim_qemu_powernv_new (const char *sibling_driver);

/* The kernel as a process of the helper's sees it. */
const KvmHelperKernel *sim_qemu_helper_new (KvmHelperSim *sim);

/* A QEMU that has to start. */
KvmHelperSimQemu *sim_qemu_start (KvmHelperSim *sim, const KvmHelperSimQemuConfig *config);
