/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-rehearsal.h"

#include "kvmhelper/kvmhelper-abi.h"

/**
 * Shared by the parts of the rehearsal: what has been made so far, and a step in the making.
 */
typedef struct
{
  const KvmHelperKernel *kernel;
  guint group;
  PciAddress address;

  int kvm, vm, xive, vcpu; /* handles, -1: none */
  int group_handle, container, table, kvm_vfio, device, event;
  void *esb; /* the source's two pages, NULL: none */
  void *memory;
  gsize memory_length;

  gboolean has_xive, has_eeh;              /* what KVM and VFIO say they can do */
  struct vfio_iommu_spapr_tce_info window; /* … the container of its windows */
  guint page_shift;                        /* of the window and of the table */
  guint irq_index;                         /* VFIO_PCI_MSIX_IRQ_INDEX or VFIO_PCI_MSI_IRQ_INDEX */
} KvmHelperRehearsal;

/* The step that is made now: ok until somebody says otherwise. */
typedef struct
{
  KvmHelperStepResult result;
  int errnum;
  char *detail;
  GVariantDict *facts; /* NULL: none */
} KvmHelperOutcome;

/* The kernel refused: @answer is a negative errno. */
void kvmhelper_outcome_fail (KvmHelperOutcome *outcome, int answer);
void kvmhelper_outcome_skip (KvmHelperOutcome *outcome, const char *reason);
void
kvmhelper_outcome_detail (KvmHelperOutcome *outcome, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* What was seen, for programs; takes a floating @value. */
void kvmhelper_outcome_fact (KvmHelperOutcome *outcome, const char *key, GVariant *value);

/* An ioctl that is the step: its answer, a failure where that is negative. */
int kvmhelper_outcome_ioctl (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, int handle,
                             gulong request, gulong argument);

/* A device of the VM's: its handle, -1 with a failure. */
int
kvmhelper_rehearsal_create_device (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, guint type);

/* KVM_SET_DEVICE_ATTR as the step, or a part of it. */
void
kvmhelper_rehearsal_set_attribute (KvmHelperRehearsal *self, KvmHelperOutcome *outcome, int handle,
                                   guint group, guint64 attribute, const void *value);

void kvmhelper_rehearsal_unmap_esb (KvmHelperRehearsal *self, KvmHelperOutcome *outcome);

typedef struct
{
  const char *name;
  const char *title;
  const char *needs; /* names of steps that must be ok, by a space; "" none */
  void (*run) (KvmHelperRehearsal *self, KvmHelperOutcome *outcome);
} KvmHelperStepKind;

/* Each table ends with a NULL name. In this order they are the rehearsal. */
extern const KvmHelperStepKind kvmhelper_rehearsal_kvm_steps[];    /* VM, XIVE, vCPU, source */
extern const KvmHelperStepKind kvmhelper_rehearsal_vfio_steps[];   /* group, container, windows */
extern const KvmHelperStepKind kvmhelper_rehearsal_device_steps[]; /* device, EEH, interrupts */
extern const KvmHelperStepKind kvmhelper_rehearsal_undo_steps[];
