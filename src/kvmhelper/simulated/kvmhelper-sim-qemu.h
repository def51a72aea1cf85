/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"
#include "kvmhelper/simulated/kvmhelper-fault.h"
#include "kvmhelper/simulated/kvmhelper-sim.h"

/**
 * A QEMU on a simulated host: a process that makes the calls that QEMU 10 makes for a pSeries
 * guest, in its order, when it starts, takes a PCI function, and gives it back; and a guest in it
 * that uses the function as Linux does. It asks the host by the kernel seam alone. What it says of
 * an error is what QEMU prints, with the call that failed and its errno behind it.
 *
 * One thread at a time; several of them on one host are as independent as processes are.
 */
typedef struct _KvmHelperSimQemu KvmHelperSimQemu;

/* -machine ic-mode. Where the kernel has no such interrupt controller QEMU emulates one. */
typedef enum
{
  KVMHELPER_SIM_IC_DUAL, /* QEMU's default; the guest chooses XIVE */
  KVMHELPER_SIM_IC_XIVE,
  KVMHELPER_SIM_IC_XICS
} KvmHelperSimIcMode;

typedef struct
{
  const char *name; /* of the guest */
  const char *uuid;
  guint64 memory;  /* of the guest, bytes */
  guint64 memlock; /* RLIMIT_MEMLOCK, bytes; as libvirt sets it, or too little */
  gboolean ipc_lock;
  guint uid;        /* not 0: as which libvirt runs it; nodes are given to it and taken back, … */
  gboolean session; /* … unless it is that user's own, to whom nobody gives any */
  KvmHelperSimIcMode ic_mode;
  guint vcpus;      /* 0: one */
  gboolean one_phb; /* all groups on one vPHB, which costs them EEH; libvirt gives each its own */
  KvmHelperFaults *faults; /* what goes wrong between it and the kernel; outlives it; NULL */
} KvmHelperSimQemuConfig;

/** kvmhelper_sim_qemu_new: starts one, and boots its guest; NULL with COMMON_ERROR_KERNEL_FAILED.
 */
KvmHelperSimQemu *
kvmhelper_sim_qemu_new (KvmHelperSim *sim, const KvmHelperSimQemuConfig *config, GError **error);

/** kvmhelper_sim_qemu_free: ends it properly: all functions are given back before. _crash: SIGKILL;
 * whatever it is asked then fails. _kill_at: SIGKILL before the call number @call to the kernel
 * from now on, from 1, in the middle of whatever that is: the function answers FALSE; 0: not. */
void kvmhelper_sim_qemu_free (KvmHelperSimQemu *qemu);
void kvmhelper_sim_qemu_crash (KvmHelperSimQemu *qemu);
void kvmhelper_sim_qemu_kill_at (KvmHelperSimQemu *qemu, guint call);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperSimQemu, kvmhelper_sim_qemu_free)

guint kvmhelper_sim_qemu_pid (const KvmHelperSimQemu *qemu);
const char *kvmhelper_sim_qemu_name (const KvmHelperSimQemu *qemu);
const char *kvmhelper_sim_qemu_uuid (const KvmHelperSimQemu *qemu);
/** kvmhelper_sim_qemu_log: what it said: warnings, each a line. */
const char *kvmhelper_sim_qemu_log (const KvmHelperSimQemu *qemu);
/** kvmhelper_sim_qemu_process: it, for those who want to make a call as it. */
KvmHelperSimProcess *kvmhelper_sim_qemu_process (const KvmHelperSimQemu *qemu);

/**
 * kvmhelper_sim_qemu_attach: device_add of vfio-pci. FALSE with COMMON_ERROR_KERNEL_FAILED; all
 * that was opened for it is closed again then.
 */
gboolean
kvmhelper_sim_qemu_attach (KvmHelperSimQemu *qemu, const PciAddress *address, GError **error);

/**
 * kvmhelper_sim_qemu_use: the guest's driver takes the function: it makes a 64-bit DMA window and
 * enables @vectors interrupts, of MSI-X, or MSI, or INTx, whatever there is; at most those.
 */
gboolean kvmhelper_sim_qemu_use (KvmHelperSimQemu *qemu, const PciAddress *address, guint vectors,
                                 GError **error);

/**
 * kvmhelper_sim_qemu_detach: device_del, and the guest lets go. The device is gone (DEVICE_DELETED)
 * when it returns; the group is closed later, as QEMU does, _set_linger says when: 6 s on the
 * host's clock.
 */
gboolean
kvmhelper_sim_qemu_detach (KvmHelperSimQemu *qemu, const PciAddress *address, GError **error);
void kvmhelper_sim_qemu_set_linger (KvmHelperSimQemu *qemu, gint64 usec);

/**
 * kvmhelper_sim_qemu_set_deaf: whether the guest hangs, or has nothing that answers to hotplug, as
 * one without rtas_errd: what it is asked for (kvmhelper_sim_qemu_detach, which succeeds) it keeps.
 * _reset: system_reset: the guest begins anew, and what it was asked for is gone.
 */
void kvmhelper_sim_qemu_set_deaf (KvmHelperSimQemu *qemu, gboolean deaf);
gboolean kvmhelper_sim_qemu_reset (KvmHelperSimQemu *qemu, GError **error);

/**
 * EEH as the guest asks for it by RTAS. _pe_state: what ibm,read-slot-reset-state2 answers, 0 to 5;
 * -1: EEH is not to be had (the function's vPHB has more than one group). _recover: what the guest
 * does of a frozen PE: it resets it and thaws it.
 */
int kvmhelper_sim_qemu_pe_state (KvmHelperSimQemu *qemu, const PciAddress *address);
gboolean
kvmhelper_sim_qemu_recover (KvmHelperSimQemu *qemu, const PciAddress *address, GError **error);
