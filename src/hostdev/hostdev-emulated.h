/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "hostdev/hostdev-slots.h"

/* Indexes of USB 2 controllers; above it their parts are not told apart. */
#define HOSTDEV_USB_MAX 32

/**
 * HostdevEmulated: how many PCI slots a pSeries guest's emulated devices take that have no address
 * in the XML: libvirt seats some of them before the devices of the host, which matters where PHB 0
 * has no room for all.
 *
 * Source: libvirt 9.0 to 11.3, src/qemu/qemu_domain_address.c: qemuDomainAssignDevicePCISlots (the
 * order), qemuDomainDeviceCalculatePCIConnectFlags (what is a PCI device at all),
 * qemuDomainAssignSpaprVIOAddresses (what is on the virtual I/O bus instead); and what it adds
 * unasked: src/qemu/qemu_postparse.c: qemuDomainDefAddDefaultDevices, src/conf/domain_postparse.c.
 */
typedef struct
{
  guint before, after; /* the devices of the host */
  guint trial;         /* more of those before, while libvirt counts how many PHBs are wanted */
  gboolean has_usb, has_serial, has_sata, has_balloon, has_video;
  gboolean wants_serial, wants_sata, wants_video;
  guint companions[HOSTDEV_USB_MAX]; /* the parts of each USB 2 controller without an address */
  gboolean seated[HOSTDEV_USB_MAX];  /* another part of it has one */
} HostdevEmulated;

/** hostdev_emulated_add: @node is a child of <devices> that is no device of the host. */
void hostdev_emulated_add (HostdevEmulated *emulated, const xmlNode *node, gboolean has_address);

/** hostdev_emulated_finish: adds what libvirt would, after all of <devices>. */
void hostdev_emulated_finish (HostdevEmulated *emulated);
