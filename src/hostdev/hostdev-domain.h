/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "hostdev/hostdev-device.h"
#include "hostdev/hostdev-emulated.h"
#include "hostdev/hostdev-memory-limit.h"
#include "hostdev/hostdev-network.h"
#include "hostdev/hostdev-policy.h"
#include "hostdev/hostdev-traits.h"

/**
 * HostdevDomain: of a libvirt domain, what passthrough needs. Immutable; made from the XML that
 * libvirt gives (live or persistent) or that a file holds.
 */
typedef struct _HostdevDomain HostdevDomain;

typedef enum
{
  HOSTDEV_IC_DUAL, /* QEMU's default: the guest chooses at boot */
  HOSTDEV_IC_XIVE,
  HOSTDEV_IC_XICS
} HostdevIcMode;

/* A PCI host bridge of the guest: <controller type='pci' model='pci-root'>. */
typedef struct
{
  guint index;        /* the controller's, what a device's <address bus=''> names */
  guint target_index; /* <target index=''>: QEMU's spapr-pci-host-bridge,index= */
  guint emulated;     /* slots of it, and of bridges on it, that no PCI hostdevs have */
} HostdevPhb;

/* The highest target index of a PHB: libvirt refuses 31 ("must be 0-30"), as QEMU's pSeries machine
 * has no more (SPAPR_MAX_PHBS). */
#define HOSTDEV_PHB_TARGET_MAX 30
#define HOSTDEV_PHB_COUNT_MAX  31

/* As libvirt's own limit for a domain's XML on the wire, remote_protocol.x: REMOTE_STRING_MAX */
#define HOSTDEV_DOMAIN_XML_MAX (4 * 1024 * 1024)

/**
 * hostdev_domain_new_from_xml: reads a <domain>.
 *
 * Returns: NULL with COMMON_ERROR_INVALID_XML, COMMON_ERROR_INVALID_DOMAIN (the root is no
 * <domain>), COMMON_ERROR_INVALID_DEVICE or COMMON_ERROR_INVALID_METADATA (our element does not fit
 * its schema; the message has the line). What is not about passthrough is not looked at.
 */
HostdevDomain *hostdev_domain_new_from_xml (const char *xml, gssize length, GError **error);

/**
 * hostdev_domain_new_with_networks: the same, and each interface of a network that hands out
 * functions of the host is the device that it will be when the guest starts.
 * @networks: (nullable): none to ask: such an interface is none of the guest's devices
 *
 * Returns: NULL also with an error of @networks'.
 */
HostdevDomain *hostdev_domain_new_with_networks (const char *xml, gssize length,
                                                 const HostdevNetworks *networks, GError **error);
void hostdev_domain_free (HostdevDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevDomain, hostdev_domain_free)

/** The UUID in lower case, "" where the XML has none. */
const char *hostdev_domain_get_uuid (const HostdevDomain *domain);
const char *hostdev_domain_get_name (const HostdevDomain *domain);

/** TRUE for type='kvm', arch='ppc64' or 'ppc64le', machine 'pseries' or 'pseries-…'. */
gboolean hostdev_domain_is_pseries_kvm (const HostdevDomain *domain);

/** TRUE for type='kvm', arch='s390x', machine 's390-ccw-virtio' or 's390-ccw-virtio-…'. */
gboolean hostdev_domain_is_s390x_kvm (const HostdevDomain *domain);

/** The same for any type: QEMU's TCG runs such a guest on any machine, with emulated devices. */
gboolean hostdev_domain_is_s390x (const HostdevDomain *domain);

/** Of such a KVM guest its PCI devices; empty of any other. */
const HostdevZpciList *hostdev_domain_get_zpci (const HostdevDomain *domain);

/** TRUE where the XML has an id: libvirt gives one to a running domain only. */
gboolean hostdev_domain_is_running (const HostdevDomain *domain);

/** The ic-mode of <qemu:commandline>'s -machine or -M, the last one given; dual by default. */
HostdevIcMode hostdev_domain_get_ic_mode (const HostdevDomain *domain);

/** FALSE where <qemu:commandline> says kernel-irqchip=off (or kernel_irqchip). */
gboolean hostdev_domain_has_kernel_irqchip (const HostdevDomain *domain);

/** What else of its XML matters. */
const HostdevTraits *hostdev_domain_get_traits (const HostdevDomain *domain);

/** How much memory it has, and may lock. */
const HostdevMemory *hostdev_domain_get_memory (const HostdevDomain *domain);

/** The PHBs by index, elements HostdevPhb; with none in the XML, libvirt's implicit PHB 0. */
const GPtrArray *hostdev_domain_get_phbs (const HostdevDomain *domain);

/** The index of the PHB that PCI bus @bus is, or is behind; FALSE where the XML has no such bus. */
gboolean hostdev_domain_get_phb_of_bus (const HostdevDomain *domain, guint bus, guint *phb_index);

/** The lowest index from @from on that no PCI controller of the XML has; above 255 where there is
 * none. */
guint hostdev_domain_get_free_bus (const HostdevDomain *domain, guint from);

/** The slots that its emulated devices have taken: those with an address of their own. */
const HostdevSlots *hostdev_domain_get_slots (const HostdevDomain *domain);

/** Its emulated devices without one. */
const HostdevEmulated *hostdev_domain_get_emulated (const HostdevDomain *domain);

/** The PCI hostdevs in the XML's order, elements HostdevDevice. */
const GPtrArray *hostdev_domain_get_devices (const HostdevDomain *domain);

/** TRUE where it has an <interface type='network'>: its network may hand out a function of the
 * host. */
gboolean hostdev_domain_has_networks (const HostdevDomain *domain);

/** The device with that host address; NULL. */
const HostdevDevice *
hostdev_domain_find_address (const HostdevDomain *domain, const PciAddress *address);

/** What the metadata asks for a device; @device may be one that is not in the domain (yet). */
HostdevPolicy hostdev_domain_get_policy (const HostdevDomain *domain, const HostdevDevice *device);

/** The alias or host address of a <device> of the metadata that no device of the domain is; NULL.
 */
const char *hostdev_domain_find_stray_policy (const HostdevDomain *domain);

/** spare-phbs of the metadata: how many PHBs hotplug should find free; 0 by default. */
guint hostdev_domain_get_spare_phbs (const HostdevDomain *domain);
