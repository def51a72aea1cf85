/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "hostdev/hostdev-domain.h"

/**
 * hostdev_qemu_args_read: what <qemu:commandline> says of interrupts. libvirt has no element of its
 * own for either.
 * @domain: the <domain>
 * @ic_mode: ic-mode of -machine or -M; as it was where it is not given
 * @kernel_irqchip: kernel-irqchip of -machine, -M or -accel (QEMU hands the first two on to the
 * accelerator); as it was where it is not given
 *
 * Of two, the later one holds, as in QEMU.
 */
void
hostdev_qemu_args_read (const xmlNode *domain, HostdevIcMode *ic_mode, gboolean *kernel_irqchip);
