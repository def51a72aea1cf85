/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/common-error.h"

/**
 * HostdevStatement: all that a plan can say, in one table: hostdev-statement-host.c (the host, its
 * groups, and what is on them), hostdev-statement-guest.c (the guest's XML, its PHBs and memory)
 * hostdev-statement-kernel.c (interrupts, DMA, EEH) and hostdev-statement-zpci.c (s390x guests);
 * and what “virt-ppc64 status” says of an s390x guest that runs (hostdev-verify.h), in
 * hostdev-statement-running.c.
 * “virt-ppc64 explain” and docs/reasons.md are made of it.
 *
 * A code is stable: it is never renamed, and never used for something else. A sentence and a remedy
 * are templates: in "{guest}" and the like goes a name, an address, a number or a list of such,
 * never a part of a sentence. They are translated with the names in braces as they are.
 */
typedef enum
{
  HOSTDEV_REFUSE, /* it cannot be, or the policy forbids it */
  HOSTDEV_WARN,   /* it can, and the guest will lack something */
  HOSTDEV_ADVISE  /* it can, and could be better, or is good to know */
} HostdevSeverity;

typedef enum
{
  /* The host, a function and its group. */
  HOSTDEV_SAYS_NOT_PSERIES_KVM,
  HOSTDEV_SAYS_KVM_UNAVAILABLE,
  HOSTDEV_SAYS_VFIO_UNAVAILABLE,
  HOSTDEV_SAYS_DEVICE_UNKNOWN,
  HOSTDEV_SAYS_DEVICE_GONE,
  HOSTDEV_SAYS_DEVICE_NOT_THERE,
  HOSTDEV_SAYS_DEVICE_THERE_ALREADY,
  HOSTDEV_SAYS_NOT_ENDPOINT,
  HOSTDEV_SAYS_NO_IOMMU_GROUP,
  HOSTDEV_SAYS_GROUP_IN_USE,
  HOSTDEV_SAYS_GROUP_HELD,
  HOSTDEV_SAYS_GROUP_HELD_UNKNOWN,
  HOSTDEV_SAYS_GROUP_KEPT,
  HOSTDEV_SAYS_MEMBER_MOUNTED,
  HOSTDEV_SAYS_MEMBER_SWAP,
  HOSTDEV_SAYS_MEMBER_STORAGE,
  HOSTDEV_SAYS_MEMBER_ROUTE,
  HOSTDEV_SAYS_MEMBER_CONSOLE,
  HOSTDEV_SAYS_MEMBER_VFS,
  HOSTDEV_SAYS_MEMBER_UNREADABLE,
  HOSTDEV_SAYS_MEMBER_NOT_TAKEABLE,
  HOSTDEV_SAYS_UNMANAGED_BOUND,
  HOSTDEV_SAYS_PE_FAILED,
  HOSTDEV_SAYS_PE_UNAVAILABLE,
  HOSTDEV_SAYS_PE_FROZEN,
  HOSTDEV_SAYS_RETURN_PE_FAILED,
  HOSTDEV_SAYS_RETURN_PE_UNAVAILABLE,
  HOSTDEV_SAYS_KERNEL_CANNOT_BIND,
  HOSTDEV_SAYS_COMPANIONS_LEAVE,
  HOSTDEV_SAYS_COMPANIONS_REFUSED,
  HOSTDEV_SAYS_CARD_SHARED,
  HOSTDEV_SAYS_NO_RESET,
  HOSTDEV_SAYS_VF_PARENT,
  HOSTDEV_SAYS_NUMA_MEMORY,
  HOSTDEV_SAYS_NUMA_VCPUS,
  HOSTDEV_SAYS_GUEST_RUNS_WITH_IT,
  HOSTDEV_SAYS_GUEST_DEFINED_WITH_IT,

  /* The guest: its devices' XML, PHBs, memory, policy. */
  HOSTDEV_SAYS_DRIVER_UNSUPPORTED,
  HOSTDEV_SAYS_DRIVER_IOMMUFD,
  HOSTDEV_SAYS_NO_FREE_PHB,
  HOSTDEV_SAYS_PHB_LIMIT,
  HOSTDEV_SAYS_PHB_UNKNOWN,
  HOSTDEV_SAYS_PHB_SHARED,
  HOSTDEV_SAYS_GROUP_SPLIT,
  HOSTDEV_SAYS_SPARE_PHBS,
  HOSTDEV_SAYS_SPARE_PHBS_LIMIT,
  HOSTDEV_SAYS_MEMORY_LIMIT,
  HOSTDEV_SAYS_MEMORY_LIMIT_CLOSE,
  HOSTDEV_SAYS_MEMORY_HOST_SHORT,
  HOSTDEV_SAYS_POLICY_REQUIRES,
  HOSTDEV_SAYS_DRIVER_MODEL,
  HOSTDEV_SAYS_TEAMING,
  HOSTDEV_SAYS_MDEV,
  HOSTDEV_SAYS_NVME_DISK,
  HOSTDEV_SAYS_QEMU_ARGS_DEVICE,
  HOSTDEV_SAYS_QEMU_OVERRIDE,
  HOSTDEV_SAYS_ADDRESS_TWICE,
  HOSTDEV_SAYS_ADDRESS_TAKEN,
  HOSTDEV_SAYS_SLOT_ZERO,
  HOSTDEV_SAYS_FUNCTION_HOTPLUG,
  HOSTDEV_SAYS_FUNCTION_LONE,
  HOSTDEV_SAYS_FUNCTION_DETACH,
  HOSTDEV_SAYS_PHB_DEFAULT,
  HOSTDEV_SAYS_PHB_NODE,
  HOSTDEV_SAYS_MEMORY_HOTPLUG,
  HOSTDEV_SAYS_MEMORY_UNLIMITED,
  HOSTDEV_SAYS_MEMORY_BALLOON,
  HOSTDEV_SAYS_POLICY_STRAY,
  HOSTDEV_SAYS_QEMU_VFIO_SLOW,
  HOSTDEV_SAYS_MULTIFUNCTION_OFF,
  HOSTDEV_SAYS_HPT_PAGE_SIZE,
  HOSTDEV_SAYS_GUEST_DOMAIN,

  /* Interrupts, DMA, EEH. */
  HOSTDEV_SAYS_XIVE_PARTITION,
  HOSTDEV_SAYS_XIVE_HOST_LACKS,
  HOSTDEV_SAYS_XIVE_UNKNOWN,
  HOSTDEV_SAYS_IRQCHIP_OFF,
  HOSTDEV_SAYS_IC_MODE_XICS,
  HOSTDEV_SAYS_XICS_HOST_LACKS,
  HOSTDEV_SAYS_ADVISE_XICS,
  HOSTDEV_SAYS_ADVISE_IRQ_BYPASS,
  HOSTDEV_SAYS_TCE_UNAVAILABLE,
  HOSTDEV_SAYS_TCE_UNKNOWN,
  HOSTDEV_SAYS_DMA_WINDOW,
  HOSTDEV_SAYS_DMA_PAGE_SIZE,
  HOSTDEV_SAYS_DMA_WINDOW_SMALL,
  HOSTDEV_SAYS_DMA_WINDOW_SINGLE,
  HOSTDEV_SAYS_EEH_UNAVAILABLE,
  HOSTDEV_SAYS_EEH_UNKNOWN,
  HOSTDEV_SAYS_XIVE_HOST_OFF,
  HOSTDEV_SAYS_XIVE_HOST_PAGES,
  HOSTDEV_SAYS_CPU_BEFORE_XIVE,
  HOSTDEV_SAYS_MACHINE_BEFORE_XIVE,
  HOSTDEV_SAYS_IC_MODE_CPU,
  HOSTDEV_SAYS_MSI_LIMIT,
  HOSTDEV_SAYS_BYPASS_LIMIT,
  HOSTDEV_SAYS_INTX_ONLY,
  HOSTDEV_SAYS_BYPASS_PARTITION,
  HOSTDEV_SAYS_DMA_V1,
  HOSTDEV_SAYS_DMA_DDW_OFF,
  HOSTDEV_SAYS_DMA_PAGES_REQUIRED,
  HOSTDEV_SAYS_DMA_NOT_REHEARSED,
  HOSTDEV_SAYS_DMA_32_BIT,
  HOSTDEV_SAYS_ADVISE_HUGE_PAGES,
  HOSTDEV_SAYS_EEH_VFIO_LACKS,
  HOSTDEV_SAYS_EEH_RECOVERY_OFF,
  HOSTDEV_SAYS_PE_SHARED,
  HOSTDEV_SAYS_PE_BRIDGE,

  /* Guests of s390x, and that a guest and a host are not of one architecture. */
  HOSTDEV_SAYS_HOST_ARCHITECTURE,
  HOSTDEV_SAYS_ZPCI_UNTESTED,
  HOSTDEV_SAYS_ZPCI_STANDBY,
  HOSTDEV_SAYS_ZPCI_ID_RANGE,
  HOSTDEV_SAYS_ZPCI_UID_TWICE,
  HOSTDEV_SAYS_ZPCI_FID_TWICE,
  HOSTDEV_SAYS_ZPCI_NO_SLOT,
  HOSTDEV_SAYS_ZPCI_HOST_LACKS,
  HOSTDEV_SAYS_ZPCI_INTERPRET_OFF,
  HOSTDEV_SAYS_ZPCI_MACHINE,
  HOSTDEV_SAYS_ZPCI_PROTECTED,
  HOSTDEV_SAYS_ZPCI_FORWARDING_OFF,
  HOSTDEV_SAYS_ZPCI_MSIX,
  HOSTDEV_SAYS_ZPCI_ERROR_STOPS,
  HOSTDEV_SAYS_ZPCI_NOT_REHEARSED,
  HOSTDEV_SAYS_ZPCI_WISH,
  HOSTDEV_SAYS_ZPCI_SPARE_PHBS,

  /* Guests of s390x that run. */
  HOSTDEV_SAYS_ZPCI_NOT_ASKED,
  HOSTDEV_SAYS_ZPCI_NOT_INTERPRETED,
  HOSTDEV_SAYS_ZPCI_NOT_FORWARDED,
  HOSTDEV_SAYS_ZPCI_ID_DIFFERS,
  HOSTDEV_SAYS_ZPCI_MISSING,
  HOSTDEV_SAYS_ZPCI_HOST_DRIVER,
  HOSTDEV_SAYS_ZPCI_BY_HOST,

  HOSTDEV_SAYS_LAST
} HostdevStatementId;

typedef struct
{
  HostdevStatementId id;
  const char *code; /* "no-free-phb" */
  HostdevSeverity severity;
  gboolean wish;          /* a policy that requires what is lacking makes it a refusal */
  CommonErrorCode reason; /* the kind of error that a refusal is, for clients and on D-Bus */
  const char *sentence;   /* marked with N_(): what is so */
  const char *remedy;     /* … and what to do */
  const char *source;     /* where that rule comes from; not translated */
} HostdevStatement;

/** Those of one of the table's files; @count: (out). */
const HostdevStatement *hostdev_statements_of_host (gsize *count);
const HostdevStatement *hostdev_statements_of_guest (gsize *count);
const HostdevStatement *hostdev_statements_of_kernel (gsize *count);
const HostdevStatement *hostdev_statements_of_zpci (gsize *count);
const HostdevStatement *hostdev_statements_of_running (gsize *count);

/** hostdev_statement_get: of all but HOSTDEV_SAYS_LAST there is one. */
const HostdevStatement *hostdev_statement_get (HostdevStatementId id);

/** hostdev_statement_find: by its code; NULL. */
const HostdevStatement *hostdev_statement_find (const char *code);

/* What goes into a template: "guest" and "ps1". */
typedef struct
{
  const char *name, *value;
} HostdevWord;

/**
 * hostdev_statement_fill: @text with each {name} in it replaced by the value of that word, which is
 * not looked at. A name that is not among @words is a fault of ours: it stays, and is complained
 * of.
 */
char *hostdev_statement_fill (const char *text, const HostdevWord *words, gsize count);

/** hostdev_statement_show: @text for people who ask what a code means: {guest} becomes GUEST. */
char *hostdev_statement_show (const char *text);

const char *hostdev_severity_to_string (HostdevSeverity severity); /* "refuse", "warn", "advise" */
