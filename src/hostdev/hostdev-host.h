/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "common/pci-address.h"

/**
 * HostdevHost: the description of a host that a plan is made against. It comes as data: over D-Bus
 * from the helper (data/org.libvirt.Ppc64.KvmHelper1.xml, GetHost, says what each key means), or
 * from a file (schemas/host.rng). Immutable.
 */
typedef struct _HostdevHost HostdevHost;

/* A fact is yes, no or unknown, and was read somewhere. */
typedef enum
{
  HOSTDEV_UNKNOWN,
  HOSTDEV_NO,
  HOSTDEV_YES
} HostdevAnswer;

typedef struct
{
  HostdevAnswer answer;
  const char *source; /* never NULL */
} HostdevFact;

/* How something of the host is set, or what it has counted: text, and where it was read. */
typedef struct
{
  char *name, *value, *source;
} HostdevSetting;

typedef enum
{
  HOSTDEV_CAP_KVM_HV,
  HOSTDEV_CAP_HOST_XIVE,
  HOSTDEV_CAP_XIVE_NATIVE,
  HOSTDEV_CAP_XICS,
  HOSTDEV_CAP_IRQ_BYPASS,
  HOSTDEV_CAP_SPAPR_TCE,
  HOSTDEV_CAP_SPAPR_TCE_VFIO,
  HOSTDEV_CAP_VFIO_SPAPR_V2,
  HOSTDEV_CAP_EEH,
  HOSTDEV_CAP_VFIO_EEH,
  HOSTDEV_CAP_ZPCI_OP, /* of s390x: told in files alone, as the helper is not for that */
  HOSTDEV_CAP_LAST
} HostdevCapability;

/* Those of a POWER host, which the helper tells, are before this one. */
#define HOSTDEV_CAP_POWER_LAST HOSTDEV_CAP_ZPCI_OP

/* The key in the description: "xive-native". */
const char *hostdev_capability_name (HostdevCapability capability);

/* Why the host cannot do without a function now. */
typedef struct
{
  char
      *kind; /* "mounted", "swap", "storage", "route", "console", "vfs", "unknown", or newer ones */
  char *detail; /* "/dev/vda on /" */
} HostdevBusy;

typedef struct
{
  PciAddress address;
  guint vendor, device, subsystem_vendor, subsystem_device, class;
  char *vendor_name, *device_name, *class_name; /* "" where not known */
  gboolean endpoint;
  char *driver;          /* "": none */
  char *driver_override; /* "": none */
  gboolean is_vf;
  PciAddress physfn; /* of a VF */
  guint numvfs;
  guint total_vfs;       /* how many virtual functions it can have; 0: none, or not known */
  GPtrArray *busy;       /* HostdevBusy */
  GPtrArray *companions; /* char *: addresses of the other functions of its card */

  /* What it is made of, as far as that was read. */
  guint intx, msi, msix; /* how many interrupts of each kind it has, or at least … */
  gboolean in_use_only;  /* … as many as its driver uses now */
  gboolean has_numa_node;
  guint numa_node;
  char *reset_methods; /* "flr bus"; "": none; NULL: not known */
  guint dma_bits;      /* how far its driver on the host addresses; 0: not known */
  gboolean has_fid;    /* of s390x: … */
  guint fid;           /* … its function id (arch/s390/pci/pci_sysfs.c: function_id) */
} HostdevFunction;

/* A NUMA node of the host. */
typedef struct
{
  guint number;
  char *cpus;      /* as the kernel lists them, "0-15,32-47"; "": none */
  char *distances; /* to node 0, 1, …, "10 20"; "": not known. The list is that of the nodes, by
                      number */
} HostdevNode;

typedef struct
{
  guint number; /* today's; never stored */
  char *name;   /* "domain0-pe1fd", or "" */
  guint phb;    /* PCI domain of its host bridge */
  gboolean has_pe;
  guint pe;
  char *pe_state; /* "normal", "frozen", "unavailable", "failed", "unknown" */
  char *pe_state_source;
  char *holder;       /* "none", "guest", "foreign" */
  guint holder_pid;   /* 0: none, or not known */
  char *lease;        /* "": none */
  char *domain_uuid;  /* of the lease, "" */
  char *domain_name;  /* of the lease, "" */
  GPtrArray *members; /* HostdevFunction, by address */

  /* The DMA windows that it offers, where a rehearsal has found that out. */
  gboolean has_windows;
  guint dma32_start;
  guint dma32_size;   /* bytes */
  guint64 page_sizes; /* a bit for each, as 0x1000 for 4 KiB */
  guint windows;      /* at a time */
  guint levels;       /* of a table */
} HostdevGroup;

/** hostdev_host_new_from_variant: @description is an a{sv}. NULL with COMMON_ERROR_INVALID_HOST. */
HostdevHost *hostdev_host_new_from_variant (GVariant *description, GError **error);

/**
 * hostdev_host_new_from_xml: a description in a file. NULL with COMMON_ERROR_INVALID_XML or
 * COMMON_ERROR_INVALID_HOST; the message has the line.
 */
HostdevHost *hostdev_host_new_from_xml (const char *xml, gssize length, GError **error);

void hostdev_host_free (HostdevHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevHost, hostdev_host_free)

const char *hostdev_host_get_platform (const HostdevHost *host); /* "powernv", "pseries", "s390x",
                                                                      "other" */
const char *hostdev_host_get_kernel (const HostdevHost *host);
const char *hostdev_host_get_cpu (const HostdevHost *host);
const char *hostdev_host_get_model (const HostdevHost *host);
const char *hostdev_host_get_firmware (const HostdevHost *host);
/* The name of the simulated host's description; "": it is a real host's. */
const char *hostdev_host_get_simulated (const HostdevHost *host);
guint hostdev_host_get_page_size (const HostdevHost *host);

/**
 * hostdev_host_has_small_pages: known to be other than the 64 KiB that native XIVE for guests
 * takes, whatever KVM says: it refuses QEMU the mapping, which QEMU asks for as if they were those,
 * and QEMU emulates the interrupts then (hw/intc/spapr_xive_kvm.c: kvmppc_xive_mmap;
 * hw/ppc/spapr_irq.c: spapr_irq_init_kvm).
 */
gboolean hostdev_host_has_small_pages (const HostdevHost *host);

/* In MiB: all, and what can be given away without swapping; 0: not known. */
guint hostdev_host_get_memory (const HostdevHost *host);
guint hostdev_host_get_memory_available (const HostdevHost *host);
HostdevFact hostdev_host_get_capability (const HostdevHost *host, HostdevCapability capability);

/** How the host's own EEH is set, elements HostdevSetting, as the description has them; the names
 * are those of GetHost ("max-freezes"). */
const GPtrArray *hostdev_host_get_eeh (const HostdevHost *host);

/* That libvirt has a function in the XML of a guest. */
typedef struct
{
  char *uuid, *name;
  gboolean running;
} HostdevClaim;

/** hostdev_host_find_claim: who else has the function, by what hostdev_host_claim was told: a guest
 * that runs before one that is defined only; NULL. @uuid: the guest that does not count. */
const HostdevClaim *
hostdev_host_find_claim (const HostdevHost *host, const PciAddress *address, const char *uuid);

/** hostdev_host_claim: a guest, of whose XML @address is. No helper tells that: who asks libvirt
 * adds it, before any plan is made. */
void hostdev_host_claim (HostdevHost *host, const PciAddress *address, const char *uuid,
                         const char *name, gboolean running);

/** The NUMA nodes by number, elements HostdevNode; none where they were not read. */
const GPtrArray *hostdev_host_get_nodes (const HostdevHost *host);
const HostdevNode *hostdev_host_find_node (const HostdevHost *host, guint number);

/** The groups by PHB and name, elements HostdevGroup; the functions in no group by address,
 * elements HostdevFunction. */
const GPtrArray *hostdev_host_get_groups (const HostdevHost *host);
const GPtrArray *hostdev_host_get_ungrouped (const HostdevHost *host);

/** The function at an address, and its group (NULL where it has none); NULL where there is none. */
const HostdevFunction *
hostdev_host_find (const HostdevHost *host, const PciAddress *address, const HostdevGroup **group);
