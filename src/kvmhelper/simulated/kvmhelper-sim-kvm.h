/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/simulated/kvmhelper-sim-esb.h"

/**
 * KVM of the simulated host, as the kernel has it (files are kvmhelper-sim-NAME.c):
 *
 *   kvm, kvm-capability     /dev/kvm, which makes VMs
 *   kvm-vm, kvm-memory      a VM (kvm-vm), which lives while anything of it is open
 *   kvm-vcpu                vCPUs (kvm-vcpu)
 *   kvm-device              devices, by KVM_CREATE_DEVICE:
 *     xive-native, -queue     kvm-xive-native: XIVE for the guest …
 *     xive-map                … and what is mapped of it
 *     xive-xics               kvm-xive: XICS for the guest, on the host's XIVE
 *     xive, xive-table        what both have: sources and targets; the table in debugfs
 *     xive-passthru           how a device's interrupt becomes a guest's
 *     xics                    kvm-xics: XICS in software
 *     kvm-vfio                kvm-vfio: VFIO's groups
 *   kvm-tce                 a guest's TCE tables (kvm-spapr-tce) and the windows they drive
 *   kvm-hypercall           what a guest does with them
 *   irqfd                   KVM_IRQFD, an eventfd that is an interrupt
 *   bypass                  who meets whom, by eventfd
 *   esb                     a hardware interrupt source
 */
typedef struct _KvmHelperSimKvm KvmHelperSimKvm;
typedef struct _KvmHelperSimVm KvmHelperSimVm;
typedef struct _KvmHelperSimKvmDevice KvmHelperSimKvmDevice;
typedef struct _KvmHelperSimKvmTable KvmHelperSimKvmTable;
typedef struct _KvmHelperSimIrqfd KvmHelperSimIrqfd;
typedef struct _KvmHelperSimXive KvmHelperSimXive;
typedef struct _KvmHelperSimXics KvmHelperSimXics;
typedef struct _KvmHelperSimPresenter KvmHelperSimPresenter;

/* Limits of arch/powerpc/include/asm/kvm_host.h and kvm_book3s_asm.h. */
#define KVMHELPER_SIM_MAX_VCPUS    2048  /* KVM_MAX_VCPUS */
#define KVMHELPER_SIM_MAX_VCPU_IDS 16384 /* KVM_MAX_VCPU_IDS */
#define KVMHELPER_SIM_MAX_PASSED   1024  /* KVMPPC_PIRQ_MAPPED */

/* sim->kvm */
struct _KvmHelperSimKvm
{
  GPtrArray *vms;       /* that live; not owned */
  GHashTable *ipis;     /* hardware interrupts that KVM has of the firmware (GUINT) */
  guint32 next_ipi;     /* all below it are taken */
  guint escalations;    /* interrupts that wake vCPUs, ever */
  GPtrArray *producers; /* of irqbypass (kvmhelper-sim-bypass.c); owned */
  GPtrArray *consumers; /* KvmHelperSimIrqfd; not owned */
  gboolean warned;      /* WARN_ON_ONCE of virt/kvm/vfio.c */
};

/* An interrupt of the host that goes to the guest, struct kvmppc_irq_map. */
typedef struct
{
  guint32 guest; /* v_hwirq */
  guint32 hw;    /* r_hwirq; 0: not now */
} KvmHelperSimPassed;

/* struct kvm: a file of its own, and a reference of each file that was made with it. */
struct _KvmHelperSimVm
{
  KvmHelperSim *sim;
  guint references;
  KvmHelperSimMm *mm; /* of who made it: all others are refused (EIO) */
  char *name;         /* its directory in debugfs, "PID-HANDLE" */
  gboolean has_directory;
  GArray *slots;          /* KvmHelperSimSlot: the guest's memory */
  GPtrArray *vcpus;       /* owned; a vCPU stays when its file is closed */
  GHashTable *cores;      /* the numbers of vCPUs that have a core, which stays too */
  GPtrArray *devices;     /* KvmHelperSimKvmDevice that are open; not owned */
  GPtrArray *tables;      /* KvmHelperSimKvmTable that are open; not owned */
  GPtrArray *irqfds;      /* owned */
  GArray *passed;         /* KvmHelperSimPassed; NULL until the first (pimap) */
  KvmHelperSimXive *xive; /* one of both, or none: the guest's interrupt controller */
  KvmHelperSimXics *xics;
};

typedef enum
{
  KVMHELPER_SIM_IRQ_DEFAULT, /* KVMPPC_IRQ_DEFAULT: no controller */
  KVMHELPER_SIM_IRQ_XICS,
  KVMHELPER_SIM_IRQ_XIVE
} KvmHelperSimIrqType;

struct _KvmHelperSimVcpu
{
  KvmHelperSimVm *vm;
  guint32 id;
  guint32 pvr; /* what processor it is: the host's, which cannot be changed */
  gboolean papr;
  gboolean sane; /* it may run (vcpu->arch.sane) */
  KvmHelperSimIrqType irq_type;
  KvmHelperSimPresenter *presenter; /* its part of XIVE (vcpu->arch.xive_vcpu); owned */
  guint32 icp_server;               /* its part of XICS in software, with irq_type */
};

/* --- VMs --- */
KvmHelperSimVm *kvmhelper_sim_vm_ref (KvmHelperSimVm *vm);
void kvmhelper_sim_vm_unref (KvmHelperSimVm *vm);
/** kvmhelper_sim_vm_create: KVM_CREATE_VM: the handle, or negative errno. */
int kvmhelper_sim_vm_create (KvmHelperSim *sim, KvmHelperSimProcess *process, gulong type);
/** kvmhelper_sim_vm_attributes: what is in the VM's directory in debugfs; the object is the VM. */
extern const KvmHelperSimAttribute kvmhelper_sim_vm_attributes[];
/** kvmhelper_sim_vm_is_foreign: @process has another address space: -EIO for whatever it asks. */
gboolean kvmhelper_sim_vm_is_foreign (const KvmHelperSimVm *vm, const KvmHelperSimProcess *process);
/** kvmhelper_sim_kvm_check_extension: what the host can, or with @vm its VM can. */
int kvmhelper_sim_kvm_check_extension (KvmHelperSim *sim, gulong extension);

/* --- the guest's memory --- */
typedef struct
{
  guint32 slot;
  guint64 guest, size; /* bytes */
  guint64 user;        /* address in the VM's process */
} KvmHelperSimSlot;

int kvmhelper_sim_vm_set_memory (KvmHelperSimVm *vm, gulong argument);
/** kvmhelper_sim_vm_address: the user's address of the guest's @address; 0: there is none. */
guint64 kvmhelper_sim_vm_address (const KvmHelperSimVm *vm, guint64 address);

/* --- vCPUs --- */
int kvmhelper_sim_vcpu_create (KvmHelperSimVm *vm, KvmHelperSimProcess *process, gulong id);
void kvmhelper_sim_vcpu_free (KvmHelperSimVcpu *vcpu);

/* --- devices --- */

/* A kind of device, struct kvm_device_ops. An accessor that is NULL: EPERM. */
typedef struct
{
  KvmHelperSimFileKind file; /* with kvmhelper_sim_kvm_device_ioctl and _release */
  int (*create) (KvmHelperSimKvmDevice *device);
  /* Its file is closed. */
  void (*release) (KvmHelperSimKvmDevice *device);
  int (*set) (KvmHelperSimKvmDevice *device, KvmHelperSimProcess *process,
              const struct kvm_device_attr *attribute);
  int (*get) (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute);
  int (*has) (KvmHelperSimKvmDevice *device, const struct kvm_device_attr *attribute);
} KvmHelperSimKvmDeviceKind;

struct _KvmHelperSimKvmDevice
{
  KvmHelperSimVm *vm;
  const KvmHelperSimKvmDeviceKind *kind;
  KvmHelperSimFile *file; /* not owned: it owns us */
  gpointer object;        /* the kind's own */
};

extern const KvmHelperSimKvmDeviceKind kvmhelper_sim_kind_xive_native;
extern const KvmHelperSimKvmDeviceKind kvmhelper_sim_kind_xics_on_xive;
extern const KvmHelperSimKvmDeviceKind kvmhelper_sim_kind_xics;
extern const KvmHelperSimKvmDeviceKind kvmhelper_sim_kind_vfio;

int kvmhelper_sim_kvm_device_ioctl (KvmHelperSimFile *file, KvmHelperSimProcess *process,
                                    gulong request, gulong argument);
void kvmhelper_sim_kvm_device_release (KvmHelperSimFile *file);
int
kvmhelper_sim_kvm_device_create (KvmHelperSimVm *vm, KvmHelperSimProcess *process, gulong argument);
/** kvmhelper_sim_kvm_device_of: behind a file that KVM_CREATE_DEVICE made; NULL: no such. */
KvmHelperSimKvmDevice *kvmhelper_sim_kvm_device_of (KvmHelperSimFile *file);

/* --- TCE tables --- */

/* A hardware window that the table drives: struct kvmppc_spapr_tce_iommu_table. */
typedef struct
{
  KvmHelperSimTable *window; /* held */
  guint references;          /* of groups in kvm-vfio */
} KvmHelperSimTceLink;

/* What the guest sees of a window, and names by its LIOBN: struct kvmppc_spapr_tce_table. */
struct _KvmHelperSimKvmTable
{
  KvmHelperSimVm *vm;
  guint64 liobn;
  guint page_shift;
  guint64 offset, size; /* in pages */
  guint64 locked;       /* bytes */
  GHashTable *pages;    /* page of the table (GUINT) -> its memory, TCEs */
  GPtrArray *links;     /* KvmHelperSimTceLink, owned */
};

/** kvmhelper_sim_kvm_table_create: KVM_CREATE_SPAPR_TCE, or with @wide _64. */
int kvmhelper_sim_kvm_table_create (KvmHelperSimVm *vm, KvmHelperSimProcess *process,
                                    gulong argument, gboolean wide);
/** kvmhelper_sim_kvm_table_attach: links the table behind @handle to the window of @group that it
 * fits in (kvm_spapr_tce_attach_iommu_group). */
int kvmhelper_sim_kvm_table_attach (KvmHelperSimVm *vm, KvmHelperSimProcess *process, int handle,
                                    KvmHelperSimGroup *group);
/** kvmhelper_sim_kvm_table_release: @group leaves: every link of @vm to its windows loses one
 * reference (kvm_spapr_tce_release_iommu_group). */
void kvmhelper_sim_kvm_table_release (KvmHelperSimVm *vm, KvmHelperSimGroup *group);
/** kvmhelper_sim_kvm_table_of: the table that @vm has by that name; NULL. */
KvmHelperSimKvmTable *kvmhelper_sim_kvm_table_of (KvmHelperSimVm *vm, guint64 liobn);

/** kvmhelper_sim_kvm_table_entry: the guest's view of the @page'th page of its window. */
guint64 *kvmhelper_sim_kvm_table_entry (KvmHelperSimKvmTable *table, guint64 page);

/* What a hypercall answers (arch/powerpc/include/asm/hvcall.h). */
#define KVMHELPER_SIM_SUCCESS   0
#define KVMHELPER_SIM_PARAMETER (-4)
#define KVMHELPER_SIM_TOO_HARD  9999 /* it is QEMU's to do; the guest never sees it */

/** kvmhelper_sim_kvm_put_tce: the guest's H_PUT_TCE: maps its page at @tce (its real address, and
 * permissions) at @address of the bus; without permissions: takes away what is there. */
int kvmhelper_sim_kvm_put_tce (KvmHelperSimVm *vm, guint64 liobn, guint64 address, guint64 tce);

/* --- interrupts --- */
struct _KvmHelperSimIrqfd
{
  KvmHelperSimVm *vm;
  KvmHelperSimFile *eventfd; /* not held: when nobody has it open, the irqfd goes */
  guint32 gsi;               /* the guest's source */
  gboolean consumer;         /* it is one of irqbypass' */
  KvmHelperSimIrq *producer; /* that it is connected with */
};

/** kvmhelper_sim_irq_line: KVM_IRQ_LINE: QEMU itself interrupts the guest. */
int kvmhelper_sim_irq_line (KvmHelperSimVm *vm, gulong argument);
int kvmhelper_sim_irqfd_ioctl (KvmHelperSimVm *vm, KvmHelperSimProcess *process, gulong argument);
void kvmhelper_sim_irqfd_remove (KvmHelperSimIrqfd *irqfd);

/** kvmhelper_sim_bypass_add_consumer, _remove_consumer: an irqfd comes, or goes. */
void kvmhelper_sim_bypass_add_consumer (KvmHelperSimIrqfd *irqfd);
void kvmhelper_sim_bypass_remove_consumer (KvmHelperSimIrqfd *irqfd);

/** kvmhelper_sim_passthru_set, _clear: a host's interrupt goes straight to the guest, or no longer
 * (arch/powerpc/kvm/book3s_hv.c: kvmppc_set_passthru_irq, kvmppc_clr_passthru_irq). */
int kvmhelper_sim_passthru_set (KvmHelperSimVm *vm, KvmHelperSimIrq *irq, guint32 gsi);
int kvmhelper_sim_passthru_clear (KvmHelperSimVm *vm, KvmHelperSimIrq *irq, guint32 gsi);
