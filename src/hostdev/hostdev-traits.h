/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "hostdev/hostdev-set.h"

/**
 * HostdevTraits: of a domain's XML, what a plan has an opinion on beside its PCI devices and its
 * buses. What is not there, or cannot be read as meant, is as if it were not written: libvirt
 * refuses such a domain itself.
 */
typedef struct
{
  /* The machine type's version, "pseries-4.0", "s390-ccw-virtio-7.1"; 0.0: the newest, as "pseries"
   * is. */
  guint machine_major, machine_minor;
  guint cpu_power;        /* <cpu><model>: POWER8 is 8; 0: none, or one without a number */
  char *memory_nodes;     /* <numatune><memory mode='strict' nodeset=>, NULL */
  char *cpus;             /* the host's CPUs that its vCPUs are bound to, "0-7,8"; NULL: any */
  guint cells;            /* <cpu><numa><cell>: NUMA nodes of its own */
  guint64 current;        /* <currentMemory> in KiB; 0: none */
  gboolean balloon;       /* it has a <memballoon> that can take memory back */
  guint mdevs;            /* <hostdev type='mdev'> */
  char *nvme;             /* source address of the first <disk type='nvme'>, "0001:01:00.0"; NULL */
  gboolean qemu_device;   /* <qemu:commandline> gives it a vfio-pci device by itself */
  gboolean ic_mode_given; /* … or names an ic-mode, whatever it is */
  /* The guest's PHBs have no dynamic DMA windows, by that element ("qemu:override"). */
  gboolean ddw_off;
  const char *ddw_element;
  /* Of their first window what was changed: where it begins, 0 as QEMU has it; its size, 0: the
   * same. */
  guint64 window_start, window_size;
  char *slow_option;        /* "x-no-mmap=on", of its devices of the host, … */
  const char *slow_element; /* … by that element; NULL */
  guint64 hpt_page;         /* <features><hpt><maxpagesize> in KiB; 0: none */
  /* Of an s390x guest: its zPCI devices are told not to be interpreted, not to have their
   * interrupts forwarded; its memory is its own alone (<launchSecurity type='s390-pv'>). */
  gboolean zpci_interpret_off, zpci_forwarding_off, protected_memory;
  char *twice;          /* an address in the guest that two devices have, "0000:01:02.0"; NULL */
  guint32 alone[256];   /* of each bus the slots, a bit each, whose function 0 says
                           multifunction='off' */
  guint8 used[256][32]; /* of each slot of each bus the functions that devices have, a bit each */
  gboolean
      phb_node[256]; /* which PCI controllers say on which of the guest's NUMA nodes they are */
  char *overridden;  /* the alias of a device of which <qemu:override> changes the host's side;
                        NULL */
} HostdevTraits;

/** hostdev_traits_read: of a <domain>. Never fails. */
void hostdev_traits_read (const xmlNode *domain, HostdevTraits *traits);

/** hostdev_traits_read_qemu: its part of that (hostdev-traits-qemu.c): what <qemu:commandline> and
 * <qemu:override> change of PHBs and devices of the host. */
void hostdev_traits_read_qemu (const xmlNode *domain, HostdevTraits *traits);

/** hostdev_traits_new_of_device: the same of device XML alone, as attach-device takes it: to be
 * cleared and freed; NULL where it is no XML. */
HostdevTraits *hostdev_traits_new_of_device (const char *xml, gssize length);

void hostdev_traits_clear (HostdevTraits *traits);
