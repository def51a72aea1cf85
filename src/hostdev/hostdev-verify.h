/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-monitor.h"
#include "hostdev/hostdev-plan.h"

/**
 * HostdevVerdict: what an s390x guest that runs has of its functions of the host, against what its
 * XML asks for. No helper is for such a host: all comes from libvirt, from the guest's QEMU by way
 * of libvirt, and from what anybody may read of the host's sysfs.
 *
 * Not run on such a machine: what is concluded here follows from the source of QEMU
 * (hostdev-monitor.h) and Linux, which each statement names.
 */

/* A function of the host, by arch/s390/pci/pci_sysfs.c: function_id, uid, uid_is_unique, pchid. */
typedef struct
{
  PciAddress address;
  char *driver; /* on the host now; "": none */
  gboolean has_ids;
  guint uid, fid, pchid;
  gboolean uid_is_unique;
} HostdevZpciHost;

void hostdev_zpci_host_free (HostdevZpciHost *function);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevZpciHost, hostdev_zpci_host_free)

/* What was seen. */
typedef struct
{
  const GPtrArray *functions; /* HostdevZpciFunction, from QEMU; NULL: it was not asked */
  const GPtrArray *host;      /* HostdevZpciHost: those that could be read */
  gboolean has_forwarded;
  guint64 forwarded; /* KVM's count of the interrupts that it passed on to the guest by itself
                        (arch/s390/kvm/interrupt.c: aen_host_forward) */
} HostdevSeen;

/* A function of the host that the guest has in its XML. */
typedef struct
{
  const HostdevDevice *device;
  const HostdevZpciHost *host;         /* NULL: not read */
  const HostdevZpciFunction *function; /* NULL: QEMU has none for it, or was not asked */
  /* How its interrupts come: as HostdevExpectation's of an s390x guest, each with its source */
  const char *asked, *asked_source;
  const char *got, *got_source;
} HostdevVerified;

typedef struct
{
  HostdevPlan *said; /* its reasons: none refuses, and one that warns says that something differs */
  GPtrArray *devices; /* HostdevVerified, in the XML's order */
  GPtrArray
      *others; /* HostdevZpciFunction of the guest that are none of these: all emulated ones */
} HostdevVerdict;

/**
 * hostdev_verify: never fails. @domain: the live XML of an s390x guest
 *
 * Returns: it has pointers into @domain and @seen, which live longer.
 */
HostdevVerdict *hostdev_verify (const HostdevDomain *domain, const HostdevSeen *seen);
void hostdev_verdict_free (HostdevVerdict *verdict);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevVerdict, hostdev_verdict_free)
