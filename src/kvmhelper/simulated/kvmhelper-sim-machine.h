/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-host.h"

/**
 * What a host says of itself, beside its PCI functions: /proc/cpuinfo, the device tree, the
 * kernel's version.
 */
struct _KvmHelperSimMachine
{
  guint cpus;
  guint memory, memory_available; /* MiB, as in /proc/meminfo */
  /* As in /proc/cpuinfo; "" leaves the line out. */
  char *cpu, *revision, *model, *machine, *firmware, *mmu;
  char *compatible;          /* of the device tree's root, words */
  char *consoles;            /* /sys/class/tty/console/active, words */
  GPtrArray *nodes;          /* of NUMA (kvmhelper-sim-node.c); NULL before it is described */
  guint disks;               /* that were counted */
  KvmHelperSimBypass bypass; /* how it is once kvm_irq_bypass is 1 again */
};

KvmHelperSimMachine *kvmhelper_sim_machine_new (void);
void kvmhelper_sim_machine_free (KvmHelperSimMachine *machine);

/** kvmhelper_sim_profile_init: what that kernel does on that platform. FALSE: it is not known. */
gboolean
kvmhelper_sim_profile_init (KvmHelperSimProfile *profile, const char *name, gboolean powernv);
/** kvmhelper_sim_profile_release: a release of that kernel ("6.12.107+deb13-…"). */
const char *kvmhelper_sim_profile_release (const KvmHelperSimProfile *profile);

/** kvmhelper_sim_command_line_has: whether a word stands in the kernel's command line. */
gboolean kvmhelper_sim_command_line_has (const KvmHelperSim *sim, const char *word);

/** kvmhelper_sim_machine_start: the files in /proc and /sys that are no function's. */
void kvmhelper_sim_machine_start (KvmHelperSim *sim);

/** kvmhelper_sim_phb_of_node: the PHB's node in the device tree, which it makes. */
KvmHelperSimNode *kvmhelper_sim_phb_of_node (const KvmHelperSimPhb *phb);

/** kvmhelper_sim_interrupts: the text of /proc/interrupts; to be freed. */
char *kvmhelper_sim_interrupts (KvmHelperSim *sim);
