/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "common/pci-address.h"
#include "hostdev/hostdev-zpci.h"

/**
 * HostdevDevice: a PCI function of the host, as domain or device XML gives it to a guest. Read from
 *   <hostdev mode='subsystem' type='pci'>  (mode may be left out: libvirt's default) and
 *   <interface type='hostdev'> with a PCI source,
 * with numbers in decimal, hexadecimal (0x…) or octal (0…) and any of them left out for 0, as
 * libvirt accepts them (libvirt src/conf/device_conf.c: virPCIDeviceAddressParseXML).
 */
typedef struct
{
  PciAddress address;     /* on the host */
  gboolean interface;     /* an <interface>: libvirt seats it before those that are a <hostdev> */
  gboolean managed;       /* managed='yes' */
  char *alias;            /* NULL: none */
  char *driver_name;      /* <driver name=''>, NULL: none */
  char *driver_model;     /* <driver model=''>, NULL: none */
  gboolean iommufd;       /* <driver iommufd='yes'/>: not to be had on ppc64 */
  gboolean has_guest_bus; /* <address type='pci'> of the guest was given */
  guint guest_domain;     /* of that; libvirt takes 0 alone */
  guint guest_bus;        /* the PCI controller's index in the guest */
  guint8 guest_slot, guest_function;
  HostdevZpciIds zpci; /* <zpci> of that address: of an s390x guest */
  gboolean teaming;    /* <teaming type='transient'>: the second of a failover pair */
  char *network;       /* of libvirt's, that hands it out; NULL: none does */
} HostdevDevice;

void hostdev_device_free (HostdevDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevDevice, hostdev_device_free)

/**
 * hostdev_device_new_from_xml: reads device XML as attach-device takes it.
 * @xml, @length: at most HOSTDEV_DEVICE_XML_MAX bytes (-1: NUL-terminated)
 * @device: (out): the device; NULL where the XML is a device of another kind, which is no error
 *
 * Returns: FALSE with COMMON_ERROR_INVALID_XML (no XML, a DTD, too large) or
 * COMMON_ERROR_INVALID_DEVICE (a PCI hostdev whose source address cannot be read).
 */
gboolean hostdev_device_new_from_xml (const char *xml, gssize length, HostdevDevice **device,
                                      GError **error);

/** hostdev_device_xml_is_nvme: <disk type='nvme'>, by which QEMU itself drives an NVMe device of
 * the host (libvirt 6.0.0 and later). */
gboolean hostdev_device_xml_is_nvme (const char *xml, gssize length);

/* Above what anybody writes, below what costs anything to parse. */
#define HOSTDEV_DEVICE_XML_MAX (256 * 1024)
