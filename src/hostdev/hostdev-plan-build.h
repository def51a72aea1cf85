/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-plan.h"

/**
 * The making of a plan, in the order of its parts:
 *   hostdev-plan.c         the guest and the host as a whole; who calls what
 *   hostdev-plan-group.c   the function, its group, and what stands against taking them
 *   hostdev-plan-phb.c     where in the guest it goes
 *   hostdev-plan-memory.c  what its DMA takes: memory, windows
 *   hostdev-plan-expect.c  what the guest will have of it, and whether that does
 */
struct _HostdevPlan
{
  HostdevOperation operation;
  char *domain_uuid, *domain_name;
  GPtrArray *reasons;
  GPtrArray *devices;
  GHashTable *said; /* what the reasons say already */
};

/* What a part of the plan is made from. */
typedef struct
{
  HostdevPlan *plan;
  const HostdevDomain *domain;
  const HostdevHost *host;
} HostdevPlanning;

/**
 * hostdev_plan_say: adds a reason, once: the same sentence a second time is let go.
 * @address: the function it is about, or NULL
 * @sentence, @remedy: taken over
 */
void hostdev_plan_say (HostdevPlan *plan, HostdevSeverity severity, CommonErrorCode code,
                       const PciAddress *address, char *sentence, char *remedy);

/** hostdev_plan_severity: what a wish that is not fulfilled leads to; FALSE for nothing at all. */
gboolean hostdev_plan_severity (HostdevWish wish, HostdevSeverity *severity);

/* hostdev-plan-group.c */

/** "IOMMU group 0 (domain1-pe1fd)" */
char *hostdev_plan_describe_group (const HostdevGroup *group);

/**
 * hostdev_plan_check_group: the rules about @device on the host.
 * @entry: its group, and what is taken along, is filled in where the host knows them
 */
void hostdev_plan_check_group (const HostdevPlanning *planning, const HostdevDevice *device,
                               HostdevPlanDevice *entry);

/**
 * hostdev_plan_check_return: the rules about giving a device back. None of them refuses.
 * @device: as the guest has it; NULL where it has no such device
 */
void hostdev_plan_check_return (const HostdevPlanning *planning, const HostdevDevice *device,
                                HostdevPlanDevice *entry);

/* hostdev-plan-phb.c */

/** Who sits on which PHB of the guest. */
typedef struct _HostdevPlacement HostdevPlacement;

/** hostdev_placement_new: with those devices of the guest that have an address. */
HostdevPlacement *hostdev_placement_new (const HostdevPlanning *planning);
void hostdev_placement_free (HostdevPlacement *placement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevPlacement, hostdev_placement_free)

/**
 * hostdev_placement_place: puts @device where libvirt would, and notes it in @entry. An attach that
 * finds no place says so; for a start libvirt adds PHBs.
 */
void hostdev_placement_place (HostdevPlacement *placement, const HostdevDevice *device,
                              HostdevPlanDevice *entry);

/** hostdev_placement_check: the rules about sharing; after all devices were placed. */
void hostdev_placement_check (HostdevPlacement *placement);

/** hostdev_placement_check_spare: whether as many PHBs are free as the guest's metadata wishes. */
void hostdev_placement_check_spare (HostdevPlacement *placement);

/** Whether devices of more than one group are on the PHB: QEMU then offers no EEH there. */
gboolean hostdev_placement_is_shared (const HostdevPlacement *placement, guint phb_index);

/* hostdev-plan-memory.c */

/** hostdev_plan_check_memory: the rules about memory that is locked for a device. */
void hostdev_plan_check_memory (const HostdevPlanning *planning);

/** hostdev_plan_check_windows: what the group of @entry offers against what its PHB will ask for;
 * where a rehearsal has found that out. */
void hostdev_plan_check_windows (const HostdevPlanning *planning, const HostdevPlanDevice *entry);

/* hostdev-plan-expect.c */

/**
 * hostdev_plan_expect: fills in what is expected of @entry, and holds its policy against that.
 */
void hostdev_plan_expect (const HostdevPlanning *planning, const HostdevPlacement *placement,
                          HostdevPlanDevice *entry);
