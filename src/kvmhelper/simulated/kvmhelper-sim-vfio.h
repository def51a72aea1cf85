/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/simulated/kvmhelper-sim-host.h"
#include "kvmhelper/simulated/kvmhelper-sim-memory.h"

/**
 * VFIO of the simulated host, as the kernel has it (files are kvmhelper-sim-NAME.c):
 *
 *   vfio-group       /dev/vfio/N, a group: whoever has it open may use its functions
 *   vfio-container   /dev/vfio/vfio, a container: the address space for DMA of groups
 *   vfio-spapr, vfio-window, vfio-map   what POWER has for an IOMMU, inside a container
 *   tce              its windows in hardware
 *   memory           memory that is pinned for DMA, of an address space
 *   vfio-sysfs       the classes of groups and devices
 *   vfio-device, vfio-info, vfio-irqs, vfio-reset   [vfio-device], a function that is open
 */
typedef struct _KvmHelperSimVfioGroup KvmHelperSimVfioGroup;
typedef struct _KvmHelperSimVfioDevice KvmHelperSimVfioDevice;
typedef struct _KvmHelperSimContainer KvmHelperSimContainer;
typedef struct _KvmHelperSimSpapr KvmHelperSimSpapr;

/* drivers/vfio/group.c: alloc_chrdev_region gives what is free, which is this on POWER9. */
#define KVMHELPER_SIM_VFIO_MAJOR 246

/* VFIO_PCI_OFFSET_SHIFT: the regions of a function lie one after the other in its file. */
#define KVMHELPER_SIM_VFIO_REGION_SHIFT 40

/* struct vfio_group: there from the first function of an IOMMU group on a VFIO driver to the last,
 * and as long as its file is open. */
struct _KvmHelperSimVfioGroup
{
  guint references; /* the driver core's, and its open file's */
  KvmHelperSim *sim;
  KvmHelperSimGroup *group; /* NULL: its last function left while the file was open */
  guint minor;
  GPtrArray *devices;       /* that can be opened; not owned */
  guint drivers;            /* functions on VFIO drivers, also those that are just leaving */
  KvmHelperSimFile *opened; /* a group is open once, or not; not owned: its release clears this */
  KvmHelperSimContainer *container; /* held */
  guint users;                      /* container_users: 1, and each open device */
};

/* struct vfio_pci_core_device. */
struct _KvmHelperSimVfioDevice
{
  KvmHelperSimFunction *function;
  KvmHelperSimVfioGroup *group;
  guint index;      /* of its name, "vfio0" */
  gboolean leaving; /* it is being unbound, which waits for it to be closed */
  guint opens;
  guint irq_type;     /* VFIO_PCI_INTX_IRQ_INDEX, …; VFIO_PCI_NUM_IRQS: none is enabled */
  GPtrArray *vectors; /* KvmHelperSimIrq that is signalled, or NULL */
  GArray *counts;     /* guint64, of vectors that had another eventfd before: the host's interrupt,
                       * and its count, stay until all are disabled (kstat_irqs) */
  KvmHelperSimFile *error, *request; /* eventfds of VFIO_PCI_ERR_IRQ_INDEX, _REQ_; held */
  KvmHelperSimFile *unmask;          /* that is to unmask INTx; held */
  guint requests;                    /* how often the user was asked to give it back */
};

/* struct vfio_container. */
struct _KvmHelperSimContainer
{
  KvmHelperSim *sim;
  guint references;         /* its file's, and each group's */
  GPtrArray *groups;        /* KvmHelperSimVfioGroup, the newest first; not owned */
  KvmHelperSimSpapr *iommu; /* since VFIO_SET_IOMMU, until the last group leaves */
};

/* struct tce_container. */
struct _KvmHelperSimSpapr
{
  KvmHelperSim *sim;
  gboolean v2; /* pre-registered memory and windows of the user's choice */
  gboolean enabled;
  gboolean def_window_pending; /* the default window is promised, and made when it is needed */
  guint64 locked;              /* v1: what ENABLE accounted, bytes */
  KvmHelperSimMm *mm;          /* whose it is, for ever; held */
  KvmHelperSimTable *tables[2];
  GPtrArray *groups;     /* KvmHelperSimGroup, the newest first; not owned */
  GPtrArray *registered; /* KvmHelperSimMemory that it registered; not owned */
};

/* Groups. */
KvmHelperSimVfioGroup *kvmhelper_sim_vfio_group_join (KvmHelperSimFunction *function);
void kvmhelper_sim_vfio_group_leave (KvmHelperSimVfioGroup *self);
/** kvmhelper_sim_vfio_group_use, _unuse: a device is opened first, closed last; -EINVAL without a
 * container that is set up (drivers/vfio/container.c: vfio_group_use_container). */
int kvmhelper_sim_vfio_group_use (KvmHelperSimVfioGroup *self);
void kvmhelper_sim_vfio_group_unuse (KvmHelperSimVfioGroup *self);
/** kvmhelper_sim_vfio_group_of: behind a group file; NULL: no group file. */
KvmHelperSimVfioGroup *kvmhelper_sim_vfio_group_of (const KvmHelperSimFile *file);

/* Containers. */
int kvmhelper_sim_container_open (gpointer object, KvmHelperSimProcess *process, int flags,
                                  KvmHelperSimFile **file);
/** kvmhelper_sim_container_of: behind a container file; NULL: no container. */
KvmHelperSimContainer *kvmhelper_sim_container_of (const KvmHelperSimFile *file);
int kvmhelper_sim_container_attach (KvmHelperSimContainer *self, KvmHelperSimVfioGroup *group);
void kvmhelper_sim_container_detach (KvmHelperSimContainer *self, KvmHelperSimVfioGroup *group);

/* The IOMMU driver of a container. */
KvmHelperSimSpapr *kvmhelper_sim_spapr_new (KvmHelperSim *sim, gboolean v2);
void kvmhelper_sim_spapr_free (KvmHelperSimSpapr *self);
int kvmhelper_sim_spapr_check_extension (KvmHelperSim *sim, gulong extension);
int kvmhelper_sim_spapr_attach (KvmHelperSimSpapr *self, KvmHelperSimGroup *group);
void kvmhelper_sim_spapr_detach (KvmHelperSimSpapr *self, KvmHelperSimGroup *group);
int kvmhelper_sim_spapr_ioctl (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, guint request,
                               gulong argument);

/* Its windows. */
int kvmhelper_sim_spapr_create_default (KvmHelperSimSpapr *self, KvmHelperSimProcess *process);
int
kvmhelper_sim_spapr_create (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, gulong argument);
int kvmhelper_sim_spapr_remove (KvmHelperSimSpapr *self, gulong argument);
/** kvmhelper_sim_spapr_find: the number of the window that @address is in, or -1. */
int kvmhelper_sim_spapr_find (KvmHelperSimSpapr *self, guint64 address);
void kvmhelper_sim_spapr_free_table (KvmHelperSimSpapr *self, guint number);

/* What is mapped in them. */
int
kvmhelper_sim_spapr_map (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, gulong argument);
int
kvmhelper_sim_spapr_unmap (KvmHelperSimSpapr *self, KvmHelperSimProcess *process, gulong argument);
void kvmhelper_sim_spapr_clear (KvmHelperSimSpapr *self, KvmHelperSimTable *table);

/** kvmhelper_sim_vfio_lowest_free: as ida_alloc: the lowest number that is not among those @taken
 * (guint); in one pass over them, for hosts that have thousands. */
guint kvmhelper_sim_vfio_lowest_free (const GArray *taken);

/* Devices. */
int kvmhelper_sim_vfio_device_open (KvmHelperSimVfioDevice *self, KvmHelperSimFile **file);
/** kvmhelper_sim_vfio_device_match: 1: it is the one that @name names, 0: not, or -errno. */
int kvmhelper_sim_vfio_device_match (KvmHelperSimVfioDevice *self, const char *name);
/** kvmhelper_sim_vfio_device_gone: nothing answers at its address any more. */
gboolean kvmhelper_sim_vfio_device_gone (const KvmHelperSimVfioDevice *self);
guint64 kvmhelper_sim_vfio_region_size (const KvmHelperSimVfioDevice *self, guint index);
int kvmhelper_sim_vfio_get_info (KvmHelperSimVfioDevice *self, gulong argument);
int kvmhelper_sim_vfio_get_region_info (KvmHelperSimVfioDevice *self, gulong argument);
int kvmhelper_sim_vfio_get_irq_info (KvmHelperSimVfioDevice *self, gulong argument);
int kvmhelper_sim_vfio_set_irqs (KvmHelperSimVfioDevice *self, KvmHelperSimProcess *process,
                                 gulong argument);
guint kvmhelper_sim_vfio_irq_count (const KvmHelperSimVfioDevice *self, guint index);
/** kvmhelper_sim_vfio_disable_irqs: as the last close does. */
void kvmhelper_sim_vfio_disable_irqs (KvmHelperSimVfioDevice *self);
int kvmhelper_sim_vfio_reset (KvmHelperSimVfioDevice *self);
int kvmhelper_sim_vfio_hot_reset_info (KvmHelperSimVfioDevice *self, gulong argument);
int kvmhelper_sim_vfio_hot_reset (KvmHelperSimVfioDevice *self, KvmHelperSimProcess *process,
                                  gulong argument);

/* Its part of sysfs. */
void kvmhelper_sim_vfio_publish_group (const KvmHelperSimVfioGroup *group);
void kvmhelper_sim_vfio_withdraw_group (const KvmHelperSimVfioGroup *group);
void kvmhelper_sim_vfio_publish_device (const KvmHelperSimVfioDevice *device);
void kvmhelper_sim_vfio_withdraw_device (const KvmHelperSimVfioDevice *device);

/* The windows in hardware, of either platform (struct iommu_table_group_ops). */

/* TCE_PCI_READ, TCE_PCI_WRITE of arch/powerpc/include/asm/tce.h. */
#define KVMHELPER_SIM_TCE_READ  1
#define KVMHELPER_SIM_TCE_WRITE 2

/** kvmhelper_sim_tce_size: bytes that a table of that window needs, hardware's and the copy with
 * user addresses; 0: there is no such window. */
guint64 kvmhelper_sim_tce_size (KvmHelperSim *sim, guint page_shift, guint64 window, guint levels);
/** kvmhelper_sim_tce_create: the table for the window @number of @group. */
int kvmhelper_sim_tce_create (KvmHelperSimGroup *group, guint number, guint page_shift,
                              guint64 window, guint levels, KvmHelperSimTable **table);
/** kvmhelper_sim_tce_set_window, _unset_window: gives it to the hardware, takes it back. */
int kvmhelper_sim_tce_set_window (KvmHelperSimGroup *group, guint number, KvmHelperSimTable *table);
void kvmhelper_sim_tce_unset_window (KvmHelperSimGroup *group, guint number);
/** kvmhelper_sim_tce_take_ownership, _release_ownership: from the host, back to it. */
void kvmhelper_sim_tce_take_ownership (KvmHelperSimGroup *group);
void kvmhelper_sim_tce_release_ownership (KvmHelperSimGroup *group);

/** kvmhelper_sim_tce_get, _exchange: an entry, the page @page of the window: the user's address and
 * KVMHELPER_SIM_TCE_READ, _WRITE; 0: none. _exchange gives what was there before. */
guint64 kvmhelper_sim_tce_get (const KvmHelperSimTable *table, guint64 page);
guint64 kvmhelper_sim_tce_exchange (KvmHelperSimTable *table, guint64 page, guint64 tce);
