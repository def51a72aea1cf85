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

#define KVM_DEV_XIVE_GRP_CTRL   1
#define KVM_DEV_XIVE_NR_SERVERS 3
#define KVM_DEV_XIVE_GRP_SOURCE 2

#define KVM_XIVE_ESB_PAGE_OFFSET 4

struct kvm_create_spapr_tce_64
{
  __u64 liobn;
  __u32 page_shift;
  __u32 flags;
  __u64 offset; /* in pages */
  __u64 size;   /* in pages */
};

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
