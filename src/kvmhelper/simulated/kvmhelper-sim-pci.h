/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-host.h"

/**
 * PCI of the simulated host: what kvmhelper-sim-pci.c, -driver.c, -function.c, -sriov.c, -hotplug.c
 * and the description do for each other.
 */

/* --- hardware: kvmhelper-sim-pci.c --- */

#define KVMHELPER_SIM_ANY_NUMBER G_MAXUINT

/* What nearly all drivers say of their functions, and what the kernel begins with
 * (drivers/pci/probe.c: pci_setup_device). */
#define KVMHELPER_SIM_DMA_BITS 64
#define KVMHELPER_SIM_DMA_MASK 32

/** kvmhelper_sim_phb_root_pe: of the root bus. The last of all numbers is what belongs to no other,
 * the one before it this, the rest are given from above
 * (arch/powerpc/platforms/powernv/pci-ioda.c: pnv_pci_init_ioda_phb, pnv_ioda_alloc_pe). */
guint kvmhelper_sim_phb_root_pe (const KvmHelperSimPhb *phb);

void kvmhelper_sim_pci_init (KvmHelperSim *sim);
KvmHelperSimPhb *kvmhelper_sim_phb_new (KvmHelperSim *sim, guint domain);

/** kvmhelper_sim_function_new: a function that is nobody's yet; its address is not taken. */
KvmHelperSimFunction *kvmhelper_sim_function_new (KvmHelperSimPhb *phb, const PciAddress *address);

/** kvmhelper_sim_functions: those that are there, by address; not owned. */
GPtrArray *kvmhelper_sim_functions (KvmHelperSim *sim);
/** kvmhelper_sim_compare_functions: by address, for g_ptr_array_sort. */
int kvmhelper_sim_compare_functions (gconstpointer a, gconstpointer b);

KvmHelperSimPe *kvmhelper_sim_phb_find_pe (const KvmHelperSimPhb *phb, guint number);
/** kvmhelper_sim_pe_new: KVMHELPER_SIM_ANY_NUMBER: the next free one; NULL: there is none. */
KvmHelperSimPe *kvmhelper_sim_pe_new (KvmHelperSimPhb *phb, guint number);
/** kvmhelper_sim_pe_free: a GDestroyNotify; its functions stay. */
void kvmhelper_sim_pe_free (gpointer pe);
KvmHelperSimGroup *kvmhelper_sim_group_new (KvmHelperSimPe *pe, guint number);
/** kvmhelper_sim_function_join: puts it into a PE, and its group (NULL: none). _leave: out. */
void kvmhelper_sim_function_join (KvmHelperSimFunction *function, KvmHelperSimPe *pe,
                                  KvmHelperSimGroup *group);
void kvmhelper_sim_function_leave (KvmHelperSimFunction *function);

/** kvmhelper_sim_config: the first 256 bytes of configuration space (kvmhelper-sim-config.c). */
#define KVMHELPER_SIM_CONFIG_SIZE 256
void kvmhelper_sim_config (const KvmHelperSimFunction *function, guint8 *config);

/* --- drivers: kvmhelper-sim-driver.c --- */

/* What new_id adds; a value of G_MAXUINT stands for any. */
typedef struct
{
  guint vendor, device, subsystem_vendor, subsystem_device;
  guint class, class_mask;
} KvmHelperSimId;

/** kvmhelper_sim_driver_get: the driver of that name, which is made where it is not there. */
KvmHelperSimDriver *kvmhelper_sim_driver_get (KvmHelperSim *sim, const char *name);
void kvmhelper_sim_driver_free (KvmHelperSimDriver *driver);
void kvmhelper_sim_drivers_start (KvmHelperSim *sim);

/** kvmhelper_sim_driver_matches: pci_bus_match. */
gboolean kvmhelper_sim_driver_matches (const KvmHelperSimDriver *driver,
                                       const KvmHelperSimFunction *function);

/** kvmhelper_sim_driver_probe: __driver_probe_device: 0; negative: refused before the driver was
 * asked; positive: the errno that its probe failed with. */
int kvmhelper_sim_driver_probe (KvmHelperSimDriver *driver, KvmHelperSimFunction *function);

/** kvmhelper_sim_driver_take: it is bound, whatever quirks the driver has; an errno, or 0. */
int kvmhelper_sim_driver_take (KvmHelperSimDriver *driver, KvmHelperSimFunction *function);
/** kvmhelper_sim_driver_unlink, _drop: both halves of letting go of a function: the links of sysfs
 * go first, the driver is not the function's after. */
void kvmhelper_sim_driver_unlink (KvmHelperSimFunction *function);
void kvmhelper_sim_driver_drop (KvmHelperSimFunction *function);

/** kvmhelper_sim_device_attach: device_attach: looks for a driver. 1: bound; 0: none took it. */
int kvmhelper_sim_device_attach (KvmHelperSimFunction *function);

/** kvmhelper_sim_device_come: pci_bus_add_device: a function that was found gets its driver. */
void kvmhelper_sim_device_come (KvmHelperSimFunction *function);

/** kvmhelper_sim_device_release: device_release_driver; waits until the driver lets go. */
void kvmhelper_sim_device_release (KvmHelperSimFunction *function);

/** kvmhelper_sim_driver_set_override: driver_set_override; 0 or negative errno. */
int
kvmhelper_sim_driver_set_override (KvmHelperSimFunction *function, const char *text, gsize length);

/** kvmhelper_sim_device_lock: device_lock. */
void kvmhelper_sim_device_lock (KvmHelperSimFunction *function);
void kvmhelper_sim_device_unlock (KvmHelperSimFunction *function);

/** kvmhelper_sim_line: @text without one line end, as sysfs_streq compares it; to be freed. */
char *kvmhelper_sim_line (const char *text);
/** kvmhelper_sim_parse_ul: kstrtoul with base 0: one line end after it is allowed. */
gboolean kvmhelper_sim_parse_ul (const char *text, guint64 *value);

/* --- sysfs: kvmhelper-sim-function.c, -publish.c --- */

extern const KvmHelperSimAttribute kvmhelper_sim_function_attributes[];

/** kvmhelper_sim_function_publish: its directory and all links to it. _withdraw: they go. */
void kvmhelper_sim_function_publish (KvmHelperSimFunction *function);
void kvmhelper_sim_function_withdraw (KvmHelperSimFunction *function);
void kvmhelper_sim_publish_phb (KvmHelperSimPhb *phb);
void kvmhelper_sim_publish_group (KvmHelperSimGroup *group);

/* --- SR-IOV: kvmhelper-sim-sriov.c --- */

/** kvmhelper_sim_sriov_vf: the VF of that number, which is made where it was never there; NULL: its
 * address is beyond the domain's last, or taken. */
KvmHelperSimFunction *kvmhelper_sim_sriov_vf (KvmHelperSimFunction *physfn, guint number);
/** kvmhelper_sim_sriov_join: PE and group of a VF (pnv_pci_sriov_enable). */
void kvmhelper_sim_sriov_join (KvmHelperSimFunction *vf, guint pe, guint group);
/** kvmhelper_sim_sriov_link, _unlink: physfn of a VF, and the PF's virtfnN. */
void kvmhelper_sim_sriov_link (KvmHelperSimFunction *vf);
void kvmhelper_sim_sriov_unlink (KvmHelperSimFunction *vf);
/** kvmhelper_sim_sriov_set: what the driver's sriov_configure does; 0 or negative errno. */
int kvmhelper_sim_sriov_set (KvmHelperSimFunction *physfn, guint count);
extern const KvmHelperSimAttribute kvmhelper_sim_sriov_attributes[];

/* --- coming and going: kvmhelper-sim-hotplug.c --- */

/** kvmhelper_sim_function_remove: pci_stop_and_remove_bus_device. */
void kvmhelper_sim_function_remove (KvmHelperSimFunction *function);
/** kvmhelper_sim_rescan: pci_rescan_bus of all. */
void kvmhelper_sim_rescan (KvmHelperSim *sim);
