/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "hostdev/hostdev-slots.h"

/**
 * The numbers that a PCI function has in an s390x guest beside its address: uid, which is its PCI
 * domain there, and fid, the function's own: <address type='pci'><zpci uid='0x0001' fid='0x0'/>.
 * Each is one function's alone; libvirt keeps what is given and chooses the rest.
 *
 * Source: libvirt 9.0 to 11.3, src/conf/domain_addr.c: virDomainZPCIAddressEnsureAddr;
 * src/util/virpci.c: virZPCIDeviceAddressIsValid. Held against libvirt's own test data; not run on
 * such a machine.
 */
#define HOSTDEV_ZPCI_UID_MAX 0xffffu

typedef struct
{
  gboolean has_uid, has_fid;
  guint uid, fid;
  const char *bad; /* "uid" or "fid": it is given and is none; NULL */
} HostdevZpciIds;

/** hostdev_zpci_ids_read: of a guest's <address type='pci'>; all unset where it has no <zpci>. */
void hostdev_zpci_ids_read (const xmlNode *address, HostdevZpciIds *ids);

/** HostdevZpciSet: which of them are taken. */
typedef struct _HostdevZpciSet HostdevZpciSet;

HostdevZpciSet *hostdev_zpci_set_new (void);
void hostdev_zpci_set_free (HostdevZpciSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevZpciSet, hostdev_zpci_set_free)

/**
 * hostdev_zpci_set_ensure: takes those that @ids has, and gives it those that it has not: the
 * lowest that are free.
 *
 * Returns: NULL; else "uid" or "fid", which another has, or of which there is none left.
 */
const char *hostdev_zpci_set_ensure (HostdevZpciSet *set, HostdevZpciIds *ids);

/* How many kinds of devices libvirt goes through in turn, all others being the last. */
#define HOSTDEV_ZPCI_RANKS 7

/* A PCI device of an s390x guest. */
typedef struct
{
  guint rank; /* libvirt's order of kinds of devices (src/conf/domain_conf.c:
                 virDomainDeviceInfoIterateFlags) */
  HostdevZpciIds ids;
  gboolean is_hostdev;
  guint hostdev; /* its place among the domain's PCI hostdevs */
} HostdevZpciDevice;

/** HostdevZpciList: those of a guest. All zero: none. */
typedef struct
{
  GArray *devices; /* HostdevZpciDevice, in the XML's order; NULL: none */
  guint bridges;   /* <controller>s of PCI without an address in the guest */
  guint loose;     /* other emulated devices that are to be PCI and have none */
} HostdevZpciList;

/** hostdev_zpci_list_add: @node is a child of <devices>. @hostdev: its place among the PCI
 * hostdevs; -1: it is none, and no PCI device either where its XML does not say so. */
void hostdev_zpci_list_add (HostdevZpciList *list, const xmlNode *node, int hostdev);
void hostdev_zpci_list_clear (HostdevZpciList *list);
