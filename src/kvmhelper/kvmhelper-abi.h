/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/kvm.h>
#include <linux/vfio.h>

/**
 * The parts of KVM's ABI that stand in powerpc's asm/kvm.h alone. On powerpc they come from there;
 * elsewhere, where the code runs against a simulated host, they are given here as Linux 6.12 has
 * them in arch/powerpc/include/uapi/asm/kvm.h. Numbers of ioctls are always made by the macros of
 * the headers: they differ between architectures.
 */
#ifndef __powerpc64__

/* The level of KVM_IRQ_LINE, where it is no 0 or 1. */
#define KVM_INTERRUPT_SET       -1U
#define KVM_INTERRUPT_UNSET     -2U
#define KVM_INTERRUPT_SET_LEVEL -3U

/* XIVE, native */
#define KVM_DEV_XIVE_GRP_CTRL          1
#define KVM_DEV_XIVE_RESET             1
#define KVM_DEV_XIVE_EQ_SYNC           2
#define KVM_DEV_XIVE_NR_SERVERS        3
#define KVM_DEV_XIVE_GRP_SOURCE        2
#define KVM_DEV_XIVE_GRP_SOURCE_CONFIG 3
#define KVM_DEV_XIVE_GRP_EQ_CONFIG     4
#define KVM_DEV_XIVE_GRP_SOURCE_SYNC   5

#define KVM_XIVE_LEVEL_SENSITIVE (1ULL << 0)
#define KVM_XIVE_LEVEL_ASSERTED  (1ULL << 1)

#define KVM_XIVE_SOURCE_PRIORITY_SHIFT 0
#define KVM_XIVE_SOURCE_PRIORITY_MASK  0x7
#define KVM_XIVE_SOURCE_SERVER_SHIFT   3
#define KVM_XIVE_SOURCE_SERVER_MASK    0xfffffff8ULL
#define KVM_XIVE_SOURCE_MASKED_SHIFT   32
#define KVM_XIVE_SOURCE_MASKED_MASK    0x100000000ULL
#define KVM_XIVE_SOURCE_EISN_SHIFT     33
#define KVM_XIVE_SOURCE_EISN_MASK      0xfffffffe00000000ULL

#define KVM_XIVE_EQ_PRIORITY_SHIFT 0
#define KVM_XIVE_EQ_PRIORITY_MASK  0x7
#define KVM_XIVE_EQ_SERVER_SHIFT   3
#define KVM_XIVE_EQ_SERVER_MASK    0xfffffff8ULL

struct kvm_ppc_xive_eq
{
  __u32 flags;
  __u32 qshift;
  __u64 qaddr;
  __u32 qtoggle;
  __u32 qindex;
  __u8 pad[40];
};
#define KVM_XIVE_EQ_ALWAYS_NOTIFY 0x00000001

#define KVM_XIVE_TIMA_PAGE_OFFSET 0
#define KVM_XIVE_ESB_PAGE_OFFSET  4

/* XICS */
#define KVM_DEV_XICS_GRP_SOURCES 1
#define KVM_DEV_XICS_GRP_CTRL    2
#define KVM_DEV_XICS_NR_SERVERS  1

#define KVM_XICS_DESTINATION_SHIFT 0
#define KVM_XICS_DESTINATION_MASK  0xffffffffULL
#define KVM_XICS_PRIORITY_SHIFT    32
#define KVM_XICS_PRIORITY_MASK     0xff
#define KVM_XICS_LEVEL_SENSITIVE   (1ULL << 40)
#define KVM_XICS_MASKED            (1ULL << 41)
#define KVM_XICS_PENDING           (1ULL << 42)
#define KVM_XICS_PRESENTED         (1ULL << 43)
#define KVM_XICS_QUEUED            (1ULL << 44)

/* TCE tables */
struct kvm_create_spapr_tce
{
  __u64 liobn;
  __u32 window_size;
};

struct kvm_create_spapr_tce_64
{
  __u64 liobn;
  __u32 page_shift;
  __u32 flags;
  __u64 offset; /* in pages */
  __u64 size;   /* in pages */
};

/* The MMU of a guest (KVM_PPC_CONFIGURE_V3_MMU) */
struct kvm_ppc_mmuv3_cfg
{
  __u64 flags;
  __u64 process_table;
};
#define KVM_PPC_MMUV3_RADIX 1
#define KVM_PPC_MMUV3_GTSE  2

#endif

/* Linux 6.6 renamed the group of attributes that 6.1 has as KVM_DEV_VFIO_GROUP; the numbers are the
 * same (include/uapi/linux/kvm.h). */
#ifndef KVM_DEV_VFIO_FILE
#define KVM_DEV_VFIO_FILE     KVM_DEV_VFIO_GROUP
#define KVM_DEV_VFIO_FILE_ADD KVM_DEV_VFIO_GROUP_ADD
#define KVM_DEV_VFIO_FILE_DEL KVM_DEV_VFIO_GROUP_DEL
#endif

/* The pages of XIVE's event state buffers are 64 KiB, two for each source, the second to manage it;
 * a load at this offset of the second gives P and Q and changes nothing
 * (arch/powerpc/include/asm/xive-regs.h: XIVE_ESB_GET). */
#define KVMHELPER_ESB_PAGE 0x10000
#define KVMHELPER_ESB_GET  0x800

/* The first MSI of a pSeries guest (QEMU, include/hw/ppc/spapr_irq.h: SPAPR_IRQ_MSI). */
#define KVMHELPER_LISN_MSI 0x1300
