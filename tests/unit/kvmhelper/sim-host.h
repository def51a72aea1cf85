/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim.h"

/**
 * What tests of the simulated host do to it, whatever they test. All of it succeeds, or the test
 * fails.
 */

/** sim_host_new: the host that @xml describes. */
KvmHelperSim *sim_host_new (const char *xml);

/** sim_host_start: a process; root has no limit of locked memory, others 1 MiB. */
KvmHelperSimProcess *sim_host_start (KvmHelperSim *sim, guint uid);

/** sim_host_write: to an attribute in /sys. */
void sim_host_write (const KvmHelperKernel *kernel, const char *path, const char *text);
/** sim_host_expect_text: an attribute in /sys has this line; NULL: there is none. */
void sim_host_expect_text (const KvmHelperKernel *kernel, const char *path, const char *expected);
/** sim_host_expect_link: a link in /sys leads to a file of this name; NULL: there is none. */
void sim_host_expect_link (const KvmHelperKernel *kernel, const char *path, const char *expected);

/** sim_host_give_to_vfio: takes a function from its driver for vfio-pci, as the helper does. */
void sim_host_give_to_vfio (const KvmHelperKernel *kernel, const char *address);

/** sim_host_open_group: opens /dev/vfio/@number, and for it a container with the IOMMU @type. */
void sim_host_open_group (const KvmHelperKernel *kernel, guint number, gulong type, int *group,
                          int *container);

/** sim_host_open_device: opens a function of an open group, which has a container. */
int sim_host_open_device (const KvmHelperKernel *kernel, int group, const char *address);

/** sim_host_count_lines: lines of the kernel log with @part. */
guint sim_host_count_lines (KvmHelperSim *sim, const char *part);

/** sim_host_expect_round_trip: what the host is written as is a host that is written the same. */
void sim_host_expect_round_trip (KvmHelperSim *sim);
