/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-group.h"
#include "kvmhelper/kvmhelper-lease.h"

/**
 * EEH, Enhanced Error Handling: what the state of a partitionable endpoint (PE) is, and how one
 * that is frozen is let go again. The hardware freezes the PE of a function that made an error:
 * nothing gets in or out of it, until somebody thaws or resets it.
 *
 * A state is read from eeh_pe_state (arch/powerpc/kernel/eeh_sysfs.c: eeh_pe_state_show). Each read
 * asks the firmware once, and may itself be what makes the kernel notice that a PE is frozen, as
 * any other look at it is; it changes nothing else.
 *
 * Nothing here is ever done to a PE that a guest has: who calls has seen to that.
 */

/* The states, as GetHost has them. */
#define KVMHELPER_EEH_NORMAL      "normal"
#define KVMHELPER_EEH_FROZEN      "frozen"
#define KVMHELPER_EEH_UNAVAILABLE "unavailable" /* the firmware cannot tell, for now */
#define KVMHELPER_EEH_FAILED      "failed"      /* given up for good, by firmware or kernel */
#define KVMHELPER_EEH_UNKNOWN     "unknown"     /* no such file, or not to be understood */

typedef struct
{
  const char *name;    /* one of the above */
  gboolean recovering; /* the host's kernel works on it */
} KvmHelperEehState;

/** kvmhelper_eeh_parse: of the file's text, "0x00000078 0x00000800". */
KvmHelperEehState kvmhelper_eeh_parse (const char *text);

/** kvmhelper_eeh_read: of the PE that the function at @address is in. */
KvmHelperEehState kvmhelper_eeh_read (const KvmHelperKernel *kernel, const PciAddress *address);

/* A PE, by the first function of it. */
typedef struct
{
  PciAddress function;
  guint phb;    /* the PCI domain of its host bridge */
  guint number; /* as the kernel has it, eeh_pe_config_addr */
} KvmHelperEehPe;

/**
 * kvmhelper_eeh_group, _lease: the PEs of a group's endpoints, or of those members of a lease that
 * are on a VFIO driver now; each once, elements KvmHelperEehPe. Under PowerNV a group has one, in a
 * partition as many as there are buses below the host bridge; a function without EEH's files is in
 * none. Asks no firmware.
 */
GArray *kvmhelper_eeh_group (const KvmHelperKernel *kernel, const KvmHelperGroup *group);
GArray *kvmhelper_eeh_lease (const KvmHelperKernel *kernel, const KvmHelperLease *lease);

/** kvmhelper_eeh_fact: the worst state of the PEs of a group, and where it was read. */
KvmHelperFact kvmhelper_eeh_fact (const KvmHelperKernel *kernel, const KvmHelperGroup *group);

/** kvmhelper_eeh_lease_fact: … of a lease, without a source where it has no PE now. */
KvmHelperFact kvmhelper_eeh_lease_fact (const KvmHelperKernel *kernel, const KvmHelperLease *lease);

/** kvmhelper_eeh_worst: … of @pes; *pe is the one that has it, NULL where there is none. */
KvmHelperEehState
kvmhelper_eeh_worst (const KvmHelperKernel *kernel, const GArray *pes, const KvmHelperEehPe **pe);

/** kvmhelper_eeh_pe_name: "PHB#1-PE#1fd", as the kernel's log has it. */
char *kvmhelper_eeh_pe_name (const KvmHelperEehPe *pe);

/**
 * kvmhelper_eeh_check: whether the group with these PEs can be given to a guest: FALSE with
 * COMMON_ERROR_PE_FAILED for one that is given up, or COMMON_ERROR_PE_FROZEN for one that the host
 * recovers just now or that the firmware tells nothing of. One that is frozen can be thawed, and is
 * no reason.
 */
gboolean kvmhelper_eeh_check (const KvmHelperKernel *kernel, const GArray *pes, GError **error);

/**
 * kvmhelper_eeh_thaw: thaws what is frozen of a group on the host's side, once, and resets nothing:
 * VFIO does that with the function itself when it is opened.
 * @group: the group's open handle, where VFIO has it and we hold it; then a container of our own
 *   lets the PE change hands (VFIO_EEH_PE_ENABLE: arch/powerpc/kernel/eeh.c, eeh_pe_change_owner,
 *   which does reset the few adapters that need it). -1: the host's drivers have it; then, and
 *   where VFIO refuses, by a write to eeh_pe_state (eeh_sysfs.c: eeh_pe_state_store).
 *
 * Returns: FALSE with COMMON_ERROR_PE_FAILED or COMMON_ERROR_PE_FROZEN where something is still not
 * normal.
 */
gboolean
kvmhelper_eeh_thaw (const KvmHelperKernel *kernel, int group, const GArray *pes, GError **error);

/**
 * kvmhelper_eeh_thaw_taken: the same of what @lease has just taken, which nobody holds yet.
 * kvmhelper_eeh_thaw_left: … of what a guest left, by the @group that we hold: tried
 * KVMHELPER_EEH_TRIES times for a lease, then only looked at.
 */
gboolean kvmhelper_eeh_thaw_taken (const KvmHelperKernel *kernel, guint group,
                                   const KvmHelperLease *lease, GError **error);
gboolean kvmhelper_eeh_thaw_left (const KvmHelperKernel *kernel, int group, KvmHelperLease *lease,
                                  GError **error);
