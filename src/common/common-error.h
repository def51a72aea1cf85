/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * The one error domain of the project, and its codes: the kinds of error.
 *
 * A code has a name that is stable ("no-free-phb"): programs, logs, D-Bus errors and the --json
 * output use it. It is never reused and its meaning never changes. The sentence beside it is for
 * people and is translated.
 *
 * On D-Bus a code travels as org.libvirt.Ppc64.Error.CamelCase ("…Error.NoFreePhb").
 */
#define COMMON_ERROR (common_error_quark ())
GQuark common_error_quark (void);

typedef enum
{
  /* What was said to us. */
  COMMON_ERROR_INVALID_ADDRESS,  /* not a PCI address */
  COMMON_ERROR_INVALID_XML,      /* not XML, too large, or with a DTD */
  COMMON_ERROR_INVALID_DOMAIN,   /* XML, but no libvirt domain */
  COMMON_ERROR_INVALID_DEVICE,   /* XML, but no device, or one that cannot be read */
  COMMON_ERROR_INVALID_METADATA, /* our element in <metadata>: not as in its schema */
  COMMON_ERROR_INVALID_HOST,     /* a host description that does not fit its schema */
  COMMON_ERROR_INVALID_ARGUMENT, /* any other argument of a D-Bus call */

  /* Why a plan refuses, warns or advises. */
  COMMON_ERROR_DEVICE_UNKNOWN,      /* the host (detach: the guest) has no such PCI function */
  COMMON_ERROR_NOT_ENDPOINT,        /* a bridge or root port */
  COMMON_ERROR_NO_IOMMU_GROUP,      /* an endpoint that the kernel put in no IOMMU group */
  COMMON_ERROR_NOT_PSERIES_KVM,     /* the guest is no pSeries guest under KVM */
  COMMON_ERROR_MEMBER_NOT_TAKEABLE, /* a function of the group is needed by the host */
  COMMON_ERROR_GROUP_IN_USE,        /* the group belongs to another guest, or to somebody unknown */
  COMMON_ERROR_UNMANAGED_BOUND,     /* managed='no', and a function is on a host driver */
  COMMON_ERROR_NO_FREE_PHB,         /* no PHB of the guest is free for another group */
  COMMON_ERROR_PHB_UNKNOWN,         /* the device XML names a PHB that the guest does not have */
  COMMON_ERROR_PHB_SHARED,          /* two groups would share one PHB: no EEH for either */
  COMMON_ERROR_GROUP_SPLIT,         /* one group would be on two PHBs: QEMU refuses */
  COMMON_ERROR_XIVE_UNAVAILABLE,    /* native XIVE interrupts are not to be had */
  COMMON_ERROR_TCE_UNAVAILABLE,     /* TCE tables in the kernel are not to be had */
  COMMON_ERROR_EEH_UNAVAILABLE,     /* EEH is off, or not to be had, on this host */
  COMMON_ERROR_VFIO_UNAVAILABLE,    /* the host has no VFIO with SPAPR TCE */
  COMMON_ERROR_KVM_UNAVAILABLE,     /* the host has no KVM HV */
  COMMON_ERROR_PE_FROZEN,           /* the device's PE is frozen, or its state cannot be told */
  COMMON_ERROR_PE_FAILED,           /* … has failed for good: EEH gave it up */
  COMMON_ERROR_DRIVER_UNSUPPORTED,  /* <driver name='kvm'/>, iommufd='yes' and the like */
  COMMON_ERROR_MEMORY_LIMIT,        /* too little memory may be locked, or is there to be locked */
  COMMON_ERROR_INTERRUPT_LIMIT,     /* the guest has about as many interrupts as it can have */
  COMMON_ERROR_DMA_WINDOW,          /* the group's DMA windows are not what the guest asks for */
  COMMON_ERROR_POLICY_REQUIRES,     /* the guest's policy requires what it cannot have */
  COMMON_ERROR_ADVISE_XICS,         /* advice: ic-mode=xics keeps interrupts in the kernel here */
  COMMON_ERROR_ADVISE_IRQ_BYPASS,   /* advice: kvm_irq_bypass is switched off */

  /* Why something that was begun did not come to its end. */
  COMMON_ERROR_RESET_UNSAFE,        /* a function of the group must not be reset */
  COMMON_ERROR_REHEARSAL_FAILED,    /* the kernel refused a step of the rehearsal */
  COMMON_ERROR_BIND_FAILED,         /* a driver did not take, or did not let go of, a function */
  COMMON_ERROR_DEVICE_CHANGED,      /* another device sits at the address now */
  COMMON_ERROR_JOURNAL_FAILED,      /* the lease could not be made durable */
  COMMON_ERROR_KERNEL_FAILED,       /* a read, write or ioctl failed */
  COMMON_ERROR_LEASE_UNKNOWN,       /* no such lease */
  COMMON_ERROR_GROUP_NOT_HELD,      /* no guest has the group */
  COMMON_ERROR_COMPANION_FAILED,    /* a function that comes along with another was not attached */
  COMMON_ERROR_BUSY,                /* another call works on the same group */
  COMMON_ERROR_NOT_AUTHORIZED,      /* polkit said no */
  COMMON_ERROR_CONSENT_MISSING,     /* no administrator agreed that a user gets a device */
  COMMON_ERROR_HELPER_UNAVAILABLE,  /* ppc64-kvmhelper does not answer */
  COMMON_ERROR_LIBVIRT_UNAVAILABLE, /* libvirt does not answer */
  COMMON_ERROR_TIMED_OUT,
  COMMON_ERROR_CANCELLED,
  COMMON_ERROR_INTERNAL,

  COMMON_ERROR_LAST
} CommonErrorCode;

/** common_error_name: the stable name of @code ("no-free-phb"); never NULL. */
const char *common_error_name (CommonErrorCode code);

/**
 * common_error_code: the code of @error; COMMON_ERROR_INTERNAL for one of another domain. An error
 * that came over D-Bus has its code again (GDBus maps the registered names).
 */
CommonErrorCode common_error_code (const GError *error);

/** common_error_set_errno: "WHAT: strerror", with COMMON_ERROR_KERNEL_FAILED. @what is translated.
 */
void
common_error_set_errno (GError **error, int errnum, const char *what, ...) G_GNUC_PRINTF (3, 4);
