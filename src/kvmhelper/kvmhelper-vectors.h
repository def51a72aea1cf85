/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-capability.h"
#include "kvmhelper/kvmhelper-interrupts.h"

/**
 * Which way each interrupt of a passed-through function goes: straight to the guest, or by the
 * host's handler, an eventfd and QEMU or KVM. The tables of the kernel that have it may not be read
 * while a guest runs (docs/kernel-defects.rst), so it is concluded from what may be: how often the
 * host's handler had it, what KVM can do here, what the guest's interrupt controller is, and
 * whether a rehearsal saw KVM hand this function's interrupt over. The guest's number of it (its
 * LISN) stands in those tables alone and is not told.
 */

/* KVMPPC_PIRQ_MAPPED (arch/powerpc/include/asm/kvm_host.h): interrupts that KVM passes on for one
 * VM, over all of its devices. An entry belongs to a LISN and is used again only for the same one
 * (arch/powerpc/kvm/book3s_hv.c: kvmppc_set_passthru_irq, which answers EAGAIN when all are taken),
 * so a guest that has used other LISNs before has fewer left than what is enabled now tells. */
#define KVMHELPER_BYPASS_MAX 1024

/* MSIs that QEMU has for one guest, its emulated devices included (include/hw/ppc/spapr_irq.h:
 * SPAPR_XIRQ_BASE + 0x300 up to SPAPR_NR_XIRQS); without one left it says "Can't allocate MSIs". */
#define KVMHELPER_MSI_MAX 3328

/* What a rehearsal saw KVM do with an interrupt of a function. */
typedef enum
{
  KVMHELPER_BYPASS_UNTRIED, /* or it could not be told */
  KVMHELPER_BYPASS_PASSED,  /* the source became one of the hardware's, "PT" */
  KVMHELPER_BYPASS_REFUSED  /* it stayed one of the host's */
} KvmHelperBypassTrial;

/* The interrupt controller that the holder's guest has. */
typedef enum
{
  KVMHELPER_CONTROLLER_NO_GUEST, /* it has no virtual machine */
  KVMHELPER_CONTROLLER_EMULATED, /* by QEMU */
  KVMHELPER_CONTROLLER_XICS,     /* KVM's, on a host without XIVE */
  KVMHELPER_CONTROLLER_XIVE      /* KVM's native XIVE, or its XICS on a XIVE host */
} KvmHelperController;

/* What holds for all interrupts of one guest. */
typedef struct
{
  KvmHelperPlatform platform;
  KvmHelperController controller;
  int bypass;     /* kvm_hv.kvm_irq_bypass: 1 on, 0 off, -1 not to be read */
  guint messages; /* MSIs that are enabled, over all groups that the holder has */
} KvmHelperPassing;

/* One interrupt's way. */
typedef struct
{
  const char *path;   /* "guest", "host" or "unknown" */
  const char *reason; /* stable; the interface's XML lists them */
  const char *source; /* where it was read, or "inferred: …"; translated */
} KvmHelperWay;

/** kvmhelper_vector_way: of @vector, an interrupt of a function with @trial. Pure. */
KvmHelperWay kvmhelper_vector_way (const KvmHelperPassing *passing, const KvmHelperVector *vector,
                                   KvmHelperBypassTrial trial);

/** kvmhelper_passing_entries: how many entries of KVM's table (KVMHELPER_BYPASS_MAX) the enabled
 * MSIs want; 0 where KVM passes none on. */
guint kvmhelper_passing_entries (const KvmHelperPassing *passing);

/** kvmhelper_near_limit: whether less than a tenth of @limit is left. */
gboolean kvmhelper_near_limit (guint64 used, guint64 limit);
