/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"
#include "kvmhelper/simulated/kvmhelper-sim-tree.h"

/**
 * Inside the simulated host: what it is made of. Everything here is used with the host's lock held.
 */
typedef struct _KvmHelperSimPhb KvmHelperSimPhb;
typedef struct _KvmHelperSimPe KvmHelperSimPe;
typedef struct _KvmHelperSimGroup KvmHelperSimGroup;
typedef struct _KvmHelperSimFunction KvmHelperSimFunction;
typedef struct _KvmHelperSimDriver KvmHelperSimDriver;
typedef struct _KvmHelperSimTable KvmHelperSimTable;
typedef struct _KvmHelperSimIrq KvmHelperSimIrq;
typedef struct _KvmHelperSimMachine KvmHelperSimMachine; /* kvmhelper-sim-machine.h */
typedef struct _KvmHelperSimUses KvmHelperSimUses;       /* kvmhelper-sim-use.h */

/* How KVM's interrupt bypass is broken, if it is (arch/powerpc/kvm/book3s_hv.c,
 * kvmppc_set_passthru_irq). */
typedef enum
{
  KVMHELPER_SIM_BYPASS_ON,
  KVMHELPER_SIM_BYPASS_OFF,      /* kvm_hv.kvm_irq_bypass=0 */
  KVMHELPER_SIM_BYPASS_REFUSED,  /* not OPAL's MSI chip: -ENOENT, as in a partition */
  KVMHELPER_SIM_BYPASS_SWALLOWED /* set_mapped fails and nobody hears of it */
} KvmHelperSimBypass;

/* What the kernel, its command line and the firmware make of the host. */
typedef struct
{
  const char *name;         /* "6.1", "6.12", "7.2" */
  gboolean powernv;         /* else a partition, pSeries */
  gboolean msi_devices;     /* each function has an interrupt chip of its own for MSIs */
  gboolean autoprobe_added; /* drivers_autoprobe counts for functions that are found, too */
  gboolean vfio_binds;      /* 6.1's vfio-pci fails on POWER with EINVAL */
  gboolean kvm_hv;          /* kvm_hv can be loaded, and is */
  gboolean xive;            /* the host's own interrupts are XIVE's, not XICS' (xive=off) */
  gboolean xive_native;     /* KVM_CAP_PPC_IRQ_XIVE */
  gboolean eeh;             /* enabled on the host (eeh=off) */
  guint32 dma32_size;       /* the default window, bytes */
  guint64 tce_page_sizes;   /* a bit for each shift */
  guint tce_windows;        /* max_dynamic_windows_supported */
  guint tce_levels;
  gboolean no_bypass; /* KVM has nothing for it: kvm_arch_has_irq_bypass */
  KvmHelperSimBypass bypass;
} KvmHelperSimProfile;

struct _KvmHelperSimPhb
{
  KvmHelperSim *sim;
  guint domain;
  guint bus;          /* the number of its root bus */
  GPtrArray *pes;     /* owned */
  guint pe_count;     /* how many it can have */
  KvmHelperSimPe *pe; /* EEH's own of all of it, above those (kvmhelper-sim-eeh.c); NULL: no EEH */
  gboolean fenced;    /* nothing behind it answers until it was reset */
  gboolean dead;      /* for good */
  guint32 msi_base;   /* the first hardware interrupt of its MSIs, and … */
  guint32 msi_count;  /* … how many there are; the INTx come after them */
  KvmHelperSimNode *node; /* /sys/devices/pciDDDD:BB */
};

/* What the hardware, and the firmware's view of it, has of a PE; enum of
 * include/uapi/linux/vfio.h's states is what VFIO makes of it. */
typedef enum
{
  KVMHELPER_SIM_PE_MMIO_FROZEN = 1 << 0,
  KVMHELPER_SIM_PE_DMA_FROZEN = 1 << 1,
  KVMHELPER_SIM_PE_RESET = 1 << 2,       /* held in reset */
  KVMHELPER_SIM_PE_UNAVAILABLE = 1 << 3, /* temporarily */
  KVMHELPER_SIM_PE_DEAD = 1 << 4         /* permanently */
} KvmHelperSimPeState;

/* A partitionable endpoint: the unit that freezes. kvmhelper-sim-eeh.c. */
struct _KvmHelperSimPe
{
  KvmHelperSimPhb *phb;
  KvmHelperSimPe *parent; /* that of the bridge above, of a VF that of its PF; NULL */
  guint number;
  guint state;          /* KvmHelperSimPeState, of the hardware */
  guint flags;          /* of the kernel, EEH_PE_* of arch/powerpc/include/asm/eeh.h */
  guint passed;         /* pass_dev_cnt: open VFIO devices */
  guint freezes;        /* that the host handled, in the hour since … */
  gint64 counted;       /* … the first of them, on the host's clock */
  GPtrArray *functions; /* not owned */
};

/* What VFIO's device or a host driver gets interrupts by. */
struct _KvmHelperSimIrq
{
  KvmHelperSimFunction *function;
  guint index; /* VFIO_PCI_INTX_IRQ_INDEX, … */
  guint vector;
  guint virq;                /* the kernel's number, in /proc/interrupts */
  guint32 hw;                /* the hardware's */
  guint8 pq;                 /* of its ESB: P is 2, Q is 1 */
  guint64 count;             /* delivered to the host's handler */
  KvmHelperSimFile *eventfd; /* that the handler signals; held */
  gpointer vcpu;             /* irq_set_vcpu_affinity: KVM's source that has it */
  gboolean masked;  /* INTx of VFIO masks itself when it is raised (vfio_intx_handler); … */
  gboolean pending; /* … raised while it was masked */
  char *name;       /* "vfio-msix[0](0000:01:00.0)" */
};

/* An IOMMU group. What VFIO has of it is VFIO's (kvmhelper-sim-vfio.h). */
struct _KvmHelperSimGroup
{
  KvmHelperSim *sim;
  guint number;
  KvmHelperSimPe *pe;
  GPtrArray *functions;         /* not owned */
  guint dma_users;              /* functions on host drivers that use DMA through the kernel */
  gpointer dma_owner;           /* who claimed all of its DMA: VFIO's container; NULL */
  KvmHelperSimTable *tables[2]; /* the windows that the hardware has now */
  gboolean refused; /* a partition's firmware refused it a window once (failed_ddw_pdn_list) */
  KvmHelperSimNode *node;    /* /sys/kernel/iommu_groups/N, and … */
  KvmHelperSimNode *devices; /* … its devices; NULL while it has no function */
  gpointer vfio;             /* KvmHelperSimVfioGroup; NULL while no function is on a VFIO driver */
};

/* A DMA window in hardware, struct iommu_table. */
struct _KvmHelperSimTable
{
  guint references;
  guint page_shift;
  guint64 offset; /* in pages */
  guint64 size;   /* in pages */
  guint levels;
  guint64 locked;      /* bytes, on account of the container's mm */
  GHashTable *entries; /* page in the window -> TCE (kvmhelper-sim-vfio.h); NULL: none */
};

struct _KvmHelperSimFunction
{
  KvmHelperSim *sim;
  KvmHelperSimPhb *phb;
  KvmHelperSimPe *pe;
  KvmHelperSimGroup *group; /* NULL: none, as of root ports */
  PciAddress address;
  guint vendor, device, subsystem_vendor, subsystem_device, class, revision;
  gboolean bridge;
  gboolean whole;               /* of a bridge to PCI: all below it is one PE */
  guint secondary_bus;          /* of a bridge */
  KvmHelperSimFunction *parent; /* the bridge above; NULL: on the root bus */
  KvmHelperSimFunction *physfn; /* of a VF */
  guint total_vfs, num_vfs;
  guint vf_offset, vf_stride; /* routing id of the first VF after the PF's, of the next ones */
  guint vf_device;
  char *vf_driver;       /* that the kernel chooses for VFs; "" */
  gboolean vf_autoprobe; /* sriov_drivers_autoprobe */
  GPtrArray *vfs;        /* of a PF, owned, also those that are switched off */
  guint intx, msi, msix; /* how many of each it has */
  guint regions;         /* with a size, of VFIO's first 7 */
  gboolean can_reset;
  char *reset_methods;        /* "pm bus": those in use, … */
  char *all_reset_methods;    /* … and those that it has */
  char *natural_driver;       /* that the kernel chooses; "" */
  char *driver_override;      /* NULL: none */
  KvmHelperSimDriver *driver; /* bound; NULL */
  char *bound;                /* of a description: "" none, NULL: natural_driver */
  gboolean removed;           /* of a description: by sysfs, a rescan finds it */
  gboolean powered;
  gboolean locked;                /* device_lock: a driver is being bound or unbound */
  gboolean absent;                /* the hardware is gone: a rescan does not find it */
  guint next_vendor, next_device; /* what takes its place when its user has let go; 0: nothing */
  guint enabled;                  /* enable_cnt, by hand */
  int numa_node;
  guint dma_bits; /* how far its own driver says that it addresses … */
  guint dma_mask; /* … and what the last driver but VFIO's left there, in bits: 32 without any */
  KvmHelperSimUses *uses; /* interfaces and disks that its own driver makes; NULL */
  KvmHelperSimNode *node; /* in /sys/devices; NULL once it is unplugged or removed */
  gpointer vfio;          /* KvmHelperSimVfioDevice while on a VFIO driver */
};

struct _KvmHelperSimDriver
{
  KvmHelperSim *sim;
  char *name;
  gboolean vfio;        /* vfio-pci or a variant */
  gboolean manages_dma; /* driver_managed_dma: does not count as a user of DMA */
  gboolean lies;        /* bind and drivers_probe say that it took a function, and it did not */
  int probe_errno;      /* its probe fails; 0 */
  gboolean builtin;     /* is no module */
  GArray *ids;          /* of new_id: elements KvmHelperSimId */
  KvmHelperSimNode *node;
};

struct _KvmHelperSim
{
  GMutex lock;   /* of everything; a call from outside takes it, nothing inside does */
  GCond changed; /* something was closed, for those who wait for it */
  char *name;    /* of the file, for messages */
  KvmHelperSimProfile profile;
  char *release, *command_line, *boot_id;
  KvmHelperSimMachine *machine; /* what /proc/cpuinfo and the device tree say of it */
  gsize page_size;
  KvmHelperSimProcess *caller; /* whose call it is that is being made; NULL: nobody's */
  KvmHelperSimNode *roots[3];
  GPtrArray *phbs;   /* owned */
  GPtrArray *groups; /* owned; index is no number */
  guint next_group;
  gboolean no_autoprobe; /* drivers_autoprobe is 0 */
  GHashTable *functions; /* PciAddress packed (kvmhelper_sim_key) -> KvmHelperSimFunction, owned */
  GHashTable *drivers;   /* name -> KvmHelperSimDriver, owned */
  GPtrArray *irqs;       /* KvmHelperSimIrq that are requested, for /proc/interrupts; not owned */
  GHashTable *processes; /* PID -> KvmHelperSimProcess, owned */
  guint next_pid;
  GPtrArray *log; /* what the kernel says, char *; the last lines */
  gboolean manual_clock;
  gint64 now; /* of a manual clock, µs */
  GSequence *timers;
  GHashTable *files;               /* all open ones, for leaks */
  KvmHelperSimNode *process_files; /* kvmhelper_sim_process_files */
  gpointer vfio, kvm, eeh;         /* the state of each part; freed by its own function */
};

guint kvmhelper_sim_key (const PciAddress *address);
/** kvmhelper_sim_find: the function that is there now; NULL. */
KvmHelperSimFunction *kvmhelper_sim_find (KvmHelperSim *sim, const PciAddress *address);
KvmHelperSimGroup *kvmhelper_sim_find_group (KvmHelperSim *sim, guint number);

/** kvmhelper_sim_log: a line of the kernel's log. */
void kvmhelper_sim_log (KvmHelperSim *sim, const char *format, ...) G_GNUC_PRINTF (2, 3);

/** kvmhelper_sim_now, _at: the clock, µs; @run is called, with the lock, when it is @when. */
gint64 kvmhelper_sim_now (KvmHelperSim *sim);
void kvmhelper_sim_at (KvmHelperSim *sim, gint64 when, void (*run) (gpointer data), gpointer data);
/**
 * kvmhelper_sim_wait: gives the lock away until something has changed (a handle was closed, a timer
 * was due), for a call that blocks; others are served meanwhile.
 */
void kvmhelper_sim_wait (KvmHelperSim *sim);
/** kvmhelper_sim_run_due: does what is due by now. */
void kvmhelper_sim_run_due (KvmHelperSim *sim);
/** kvmhelper_sim_forget: what is planned for @data is not done. */
void kvmhelper_sim_forget (KvmHelperSim *sim, gpointer data);

/* --- what the parts do for each other --- */

/* PCI and drivers, kvmhelper-sim-pci.c, -driver.c, -sysfs.c; the description, -description.c.
 * Each part's _start makes its nodes and state in a host whose hardware is there; _free is called
 * when every process is gone. */
gboolean kvmhelper_sim_description_load (KvmHelperSim *sim, const char *xml, GError **error);
void kvmhelper_sim_pci_start (KvmHelperSim *sim);
/** kvmhelper_sim_pci_bind: the drivers take their functions, once all parts are started. */
void kvmhelper_sim_pci_bind (KvmHelperSim *sim);
void kvmhelper_sim_pci_free (KvmHelperSim *sim);
/** kvmhelper_sim_unplug: the function vanishes from under everybody (surprise removal). */
void kvmhelper_sim_unplug (KvmHelperSimFunction *function);
/** kvmhelper_sim_replace: another device at the same address, as after a hot swap. */
void kvmhelper_sim_replace (KvmHelperSimFunction *function, guint vendor, guint device);
/** kvmhelper_sim_irq_request: @irq stands in /proc/interrupts until _free; both set virq and hw. */
KvmHelperSimIrq *kvmhelper_sim_irq_request (KvmHelperSimFunction *function, guint index,
                                            guint vector, const char *name);
void kvmhelper_sim_irq_free (KvmHelperSimIrq *irq);
/** kvmhelper_sim_irq_raise: the device raises it: by its ESB to the guest that has it, or to the
 * host's handler, which signals the eventfd. */
void kvmhelper_sim_irq_raise (KvmHelperSimIrq *irq);

/* Processes and their part of /proc: kvmhelper-sim-process.c. */
void kvmhelper_sim_process_start (KvmHelperSim *sim);
void kvmhelper_sim_process_free_all (KvmHelperSim *sim);
/** kvmhelper_sim_process_files: a directory whose content is in every /proc/PID: net/, mountinfo.
 */
KvmHelperSimNode *kvmhelper_sim_process_files (KvmHelperSim *sim);
/** kvmhelper_sim_new_bare: a host without hardware, which has processes and empty trees. */
KvmHelperSim *kvmhelper_sim_new_bare (const char *name);

/* VFIO: kvmhelper-sim-vfio-*.c */
void kvmhelper_sim_vfio_start (KvmHelperSim *sim);
void kvmhelper_sim_vfio_free (KvmHelperSim *sim);
/** A function was bound to a VFIO driver (0, or the errno that its probe fails with), or is to be
 * unbound, which waits for it to be closed: FALSE where it cannot yet. /dev/vfio/N comes and goes.
 */
int kvmhelper_sim_vfio_probe (KvmHelperSimFunction *function);
gboolean kvmhelper_sim_vfio_remove (KvmHelperSimFunction *function);
/** kvmhelper_sim_vfio_group: the group whose group or device file that is; NULL: no VFIO file, or
 * of a group whose last function left VFIO. @is_device may be NULL. */
KvmHelperSimGroup *kvmhelper_sim_vfio_group (const KvmHelperSimFile *file, gboolean *is_device);
/** kvmhelper_sim_vfio_irq: the interrupt that is enabled for a function's vector; NULL. */
KvmHelperSimIrq *kvmhelper_sim_vfio_irq (KvmHelperSimFunction *function, guint index, guint vector);
KvmHelperSimTable *kvmhelper_sim_table_ref (KvmHelperSimTable *table);
void kvmhelper_sim_table_unref (KvmHelperSimTable *table);

/* KVM: kvmhelper-sim-kvm*.c, -xive.c */
void kvmhelper_sim_kvm_start (KvmHelperSim *sim);
void kvmhelper_sim_kvm_free (KvmHelperSim *sim);
/** IRQ bypass (virt/lib/irqbypass.c): VFIO gives and takes the producer of an eventfd. */
void kvmhelper_sim_bypass_add_producer (KvmHelperSimFile *eventfd, KvmHelperSimIrq *irq);
void kvmhelper_sim_bypass_remove_producer (KvmHelperSimFile *eventfd, KvmHelperSimIrq *irq);
/** An eventfd was signalled: where KVM_IRQFD has it, the guest's source is triggered and the count
 * taken (irqfd_wakeup). _hang_up: its last handle is closed: the irqfd goes (EPOLLHUP). */
void kvmhelper_sim_kvm_irqfd (KvmHelperSimFile *eventfd);
void kvmhelper_sim_kvm_hang_up (KvmHelperSimFile *eventfd);
/** irq->vcpu is set and the device raised it. */
void kvmhelper_sim_kvm_passed_irq (KvmHelperSimIrq *irq);

/* EEH: kvmhelper-sim-eeh*.c */
void kvmhelper_sim_eeh_start (KvmHelperSim *sim);
void kvmhelper_sim_eeh_free (KvmHelperSim *sim);
/** Attributes eeh_mode, … of a function's directory; @object is the KvmHelperSimFunction. */
extern const KvmHelperSimAttribute kvmhelper_sim_eeh_attributes[];
/** eeh_dev_open, eeh_dev_release: vfio-pci opens a function first, closes it last. */
void kvmhelper_sim_eeh_open (KvmHelperSimFunction *function);
void kvmhelper_sim_eeh_close (KvmHelperSimFunction *function);
/** kvmhelper_sim_eeh_ioctl: VFIO_EEH_PE_OP on one group; the state (>= 0), 0 or negative errno.
 * @argument is the caller's struct vfio_eeh_pe_op. */
int kvmhelper_sim_eeh_ioctl (KvmHelperSimGroup *group, gulong argument);
/** kvmhelper_sim_eeh_enabled: what VFIO_CHECK_EXTENSION says of VFIO_EEH. */
gboolean kvmhelper_sim_eeh_enabled (KvmHelperSim *sim);
/** kvmhelper_sim_eeh_freeze: hardware found an error: the PE stops. _fence: the whole PHB does;
 * _fail: for good. The host, which the hardware tells, recovers what is its own, in its time. */
void kvmhelper_sim_eeh_freeze (KvmHelperSimPe *pe);
void kvmhelper_sim_eeh_fence (KvmHelperSimPhb *phb);
void kvmhelper_sim_eeh_fail (KvmHelperSimPhb *phb);
/** kvmhelper_sim_eeh_blocked: whether the device's DMA, and so its MSIs, get nowhere. _silent:
 * whether reads of it give all ones. */
gboolean kvmhelper_sim_eeh_blocked (const KvmHelperSimFunction *function);
gboolean kvmhelper_sim_eeh_silent (const KvmHelperSimFunction *function);
