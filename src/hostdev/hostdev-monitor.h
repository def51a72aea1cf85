/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * What QEMU says on its monitor (QMP) of the zPCI functions of an s390x guest.
 *
 * What was asked for can be told by "interpret" and "forwarding-assist" of a zpci device only until
 * a PCI device is plugged into it: then QEMU clears what it cannot have, so that they tell what
 * runs. It clears both of all that is emulated. Source: QEMU 7.2 to 10.0,
 * hw/s390x/s390-pci-bus.c: s390_pci_device_properties, s390_pcihost_plug; a PCI device without a
 * zpci device gets one that is in no peripheral: s390_pci_device_new.
 *
 * Held against answers of QEMU 7.2 (qemu-system-s390x, TCG, emulated devices); not run on such a
 * machine.
 */
typedef struct
{
  guint uid, fid;
  char *target;           /* the id of its PCI device: libvirt's alias of it */
  char *kind;             /* QEMU's type of that device, "vfio-pci"; NULL: it has no such device */
  gboolean can_interpret; /* FALSE: QEMU is of before 7.2, and knows no interpretation */
  gboolean interpret, forwarding;
} HostdevZpciFunction;

/**
 * HostdevMonitorAsk: has QEMU asked.
 * @command: JSON, one command of QMP
 *
 * Returns: QEMU's whole answer, JSON with "return" or "error"; NULL with @error.
 */
typedef char *(*HostdevMonitorAsk) (const char *command, gpointer data, GError **error);

/**
 * hostdev_monitor_read: all zPCI functions of a guest, by uid. Nothing is asked that changes
 * anything: qom-list and qom-get alone. One that is gone before all was asked of it is left out.
 *
 * Returns: elements HostdevZpciFunction; NULL with an error of @ask's, or
 * COMMON_ERROR_LIBVIRT_UNAVAILABLE where an answer is none.
 */
GPtrArray *hostdev_monitor_read (HostdevMonitorAsk ask, gpointer data, GError **error);
