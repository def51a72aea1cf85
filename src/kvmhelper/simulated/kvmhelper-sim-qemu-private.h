/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-qemu.h"

/**
 * Within the simulated QEMU. -1 is a handle that is not open.
 */

/* PAPR's two windows of a vPHB (include/hw/pci-host/spapr.h). */
#define QEMU_WINDOWS     2
#define QEMU_WINDOW_SIZE (G_GUINT64_CONSTANT (1) << 30)         /* dma_win_size */
#define QEMU_WINDOW64    G_GUINT64_CONSTANT (0x800000000000000) /* dma64_win_addr */

/* The guest's interrupt numbers (include/hw/ppc/spapr_irq.h). */
#define QEMU_LISN_EPOW    0x1000
#define QEMU_LISN_HOTPLUG 0x1001
#define QEMU_LISN_VIO     0x1100
#define QEMU_LISN_LSI     0x1200
#define QEMU_LSIS         4 /* of each PHB */
#define QEMU_LISN_MSI     0x1300
#define QEMU_MSIS         0xd00
#define QEMU_LISNS        0x2000

typedef struct
{
  guint64 start;
  gboolean made; /* in the container */
  int table;     /* the guest's view of it, in KVM */
} QemuWindow;

/* A vPHB: an address space for DMA. */
typedef struct
{
  guint index;
  int container;
  gboolean v2;         /* of SPAPR TCE */
  guint64 dma32_start; /* where the host's default window is */
  guint64 page_sizes;  /* that the host's windows can have */
  QemuWindow windows[QEMU_WINDOWS];
  GPtrArray *groups; /* QemuGroup, owned */
} QemuPhb;

typedef struct
{
  guint number;
  int handle;
  gboolean added; /* to KVM's VFIO device */
  QemuPhb *phb;
} QemuGroup;

typedef struct
{
  int eventfd;
  guint lisn;
  gboolean routed; /* by KVM_IRQFD */
} QemuVector;

typedef struct
{
  PciAddress address;
  char *name;
  QemuGroup *group;
  int handle;
  gboolean asked;  /* for it, and the guest has not let go */
  guint irq_index; /* of VFIO, while vectors are in use */
  GArray *vectors; /* QemuVector */
} QemuDevice;

struct _KvmHelperSimQemu
{
  KvmHelperSim *sim;
  KvmHelperSimProcess *process;  /* NULL: it crashed */
  const KvmHelperKernel *kernel; /* mortal */
  KvmHelperKernel mortal;
  const KvmHelperKernel *base; /* that it reaches, with what goes wrong on the way */
  KvmHelperKernel *faulty;     /* NULL: nothing does */
  guint calls_left;            /* until it is killed; 0: it is not */
  gboolean killed;
  char *name, *uuid;
  guint uid, pid, vcpus;
  gboolean session; /* its groups' nodes are not given to it */
  gboolean one_phb;
  gint64 linger;
  gboolean deaf; /* the guest, to hotplug */
  GString *log;
  void *memory; /* the guest's, of which nothing is touched */
  gsize memory_size;
  int kvm, vm, kvm_vfio, irqchip;
  gboolean native; /* irqchip is XIVE's native one */
  GArray *vcpu_handles;
  guint8 *esb, *tima;       /* mapped of it */
  gboolean msis[QEMU_MSIS]; /* in use */
  GPtrArray *phbs;          /* QemuPhb, owned */
  GPtrArray *devices;       /* QemuDevice, owned */
  GPtrArray *lingering; /* what is closed later (kvmhelper-sim-qemu-release.c); the host's lock */
};

int
kvmhelper_sim_qemu_ioctl (KvmHelperSimQemu *qemu, int handle, gulong request, const void *argument);
/** kvmhelper_sim_qemu_attribute: KVM_SET_DEVICE_ATTR. */
int kvmhelper_sim_qemu_attribute (KvmHelperSimQemu *qemu, int handle, guint group,
                                  guint64 attribute, const void *value);
/** kvmhelper_sim_qemu_fail: @error is what QEMU prints; @call, which may be NULL, failed with
 * @answer. */
void kvmhelper_sim_qemu_fail (GError **error, const char *call, int answer, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
void kvmhelper_sim_qemu_warn (KvmHelperSimQemu *qemu, const char *format, ...) G_GNUC_PRINTF (2, 3);
void kvmhelper_sim_qemu_close (KvmHelperSimQemu *qemu, int *handle);

/** kvmhelper_sim_qemu_make_mortal: makes its kernel one that counts its calls. _survived: @done, or
 * FALSE where it was killed meanwhile: it is gone then. _runs: whether it was not before. */
void kvmhelper_sim_qemu_make_mortal (KvmHelperSimQemu *qemu);
gboolean kvmhelper_sim_qemu_survived (KvmHelperSimQemu *qemu, gboolean done, GError **error);
gboolean kvmhelper_sim_qemu_runs (const KvmHelperSimQemu *qemu, GError **error);

/** kvmhelper_sim_qemu_find: NULL with COMMON_ERROR_DEVICE_UNKNOWN. */
QemuDevice *
kvmhelper_sim_qemu_find (KvmHelperSimQemu *qemu, const PciAddress *address, GError **error);

/* The interrupt controller, -irqchip.c. */
void kvmhelper_sim_qemu_make_irqchip (KvmHelperSimQemu *qemu, KvmHelperSimIcMode mode);
int kvmhelper_sim_qemu_claim (KvmHelperSimQemu *qemu, guint lisn, gboolean lsi);
void kvmhelper_sim_qemu_unmask (KvmHelperSimQemu *qemu, guint lisn);
void kvmhelper_sim_qemu_unmap_irqchip (KvmHelperSimQemu *qemu);

/* vPHBs and their windows, -phb.c. */
QemuPhb *kvmhelper_sim_qemu_phb_new (KvmHelperSimQemu *qemu);
void kvmhelper_sim_qemu_phb_free (gpointer phb);
QemuPhb *kvmhelper_sim_qemu_free_phb (KvmHelperSimQemu *qemu);
gboolean
kvmhelper_sim_qemu_make_window (KvmHelperSimQemu *qemu, QemuPhb *phb, guint number,
                                guint page_shift, guint64 size, const char *device, GError **error);
gboolean kvmhelper_sim_qemu_make_ddw (KvmHelperSimQemu *qemu, QemuPhb *phb, const char *device,
                                      GError **error);
/** kvmhelper_sim_qemu_eeh: VFIO_EEH_PE_OP: its answer, or -EPERM where QEMU does not ask. */
int kvmhelper_sim_qemu_eeh (KvmHelperSimQemu *qemu, QemuPhb *phb, guint operation);

/* Interrupts of a function, -vectors.c. */
void kvmhelper_sim_qemu_disable_vectors (KvmHelperSimQemu *qemu, QemuDevice *device);

/* Giving back, -release.c: a group that no function was opened of; a function, and with the last
 * one its group, after @linger µs. */
void kvmhelper_sim_qemu_release_group (KvmHelperSimQemu *qemu, QemuGroup *group);
void kvmhelper_sim_qemu_release (KvmHelperSimQemu *qemu, QemuDevice *device, gint64 linger);
void kvmhelper_sim_qemu_forget (KvmHelperSimQemu *qemu);
void kvmhelper_sim_qemu_device_free (gpointer device);
