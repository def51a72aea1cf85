/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-plan.h"

/**
 * The making of a plan, in the order of its parts:
 *   hostdev-plan.c         the guest and the host as a whole; who calls what
 *   hostdev-plan-say.c     what is said, of the table in hostdev-statement.h
 *   hostdev-plan-group.c   the function, its group, and what stands against taking them
 *   hostdev-plan-device.c  the XML of the device, and of the guest
 *   hostdev-plan-people.c  what goes along with it, and who else has to do with it
 *   hostdev-plan-interrupts.c  how many interrupts it wants
 *   hostdev-plan-phb.c     where in the guest it goes
 *   hostdev-plan-seat.c    … as libvirt chooses it
 *   hostdev-plan-memory.c  the memory that its DMA takes
 *   hostdev-plan-dma.c     the DMA windows of its group
 *   hostdev-plan-expect.c  what the guest will have of it, and whether that does
 *   hostdev-plan-zpci.c    where in an s390x guest it goes
 * What of these is for which architecture is in hostdev-arch.h.
 */
struct _HostdevPlan
{
  HostdevOperation operation;
  char *domain_uuid, *domain_name;
  GPtrArray *reasons;
  GPtrArray *devices;
  GHashTable *said;   /* what the reasons say already */
  GHashTable *frozen; /* HostdevGroup: of which it is said what a freeze takes with it */
};

/* What a part of the plan is made from. */
typedef struct
{
  HostdevPlan *plan;
  const HostdevDomain *domain;
  const HostdevHost *host;
} HostdevPlanning;

/** hostdev_plan_new: one that says nothing yet, and has no devices. */
HostdevPlan *hostdev_plan_new (HostdevOperation operation, const HostdevDomain *domain);

/** hostdev_plan_finish: sorts its reasons: refusals first; among equals, the order they were found
 * in. Returns @plan. */
HostdevPlan *hostdev_plan_finish (HostdevPlan *plan);

/**
 * hostdev_plan_say: adds a reason, once: the same sentence a second time is let go.
 * @address: the function it is about, or NULL
 * @...: the words that go into the templates, "name", "value", … NULL; "guest" and, with an
 *   @address, "device" need not be given
 */
void hostdev_plan_say (HostdevPlan *plan, HostdevStatementId id, const PciAddress *address,
                       ...) G_GNUC_NULL_TERMINATED;

/**
 * hostdev_plan_say_wish: the same of something that @entry's policy has a wish for: nothing where
 * that is off; a refusal, with the policy itself as one more reason, where it is required.
 * @attribute: of the metadata: "eeh"
 */
void hostdev_plan_say_wish (HostdevPlan *plan, HostdevStatementId id, HostdevWish wish,
                            const char *attribute, const PciAddress *address,
                            ...) G_GNUC_NULL_TERMINATED;

/* hostdev-plan-group.c */

/** "0001:01:00.0 (82574L Gigabit Network Connection, driver e1000e)" */
char *hostdev_plan_describe_function (const HostdevFunction *function);

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

/** Whether it is on a driver of VFIO's now. */
gboolean hostdev_plan_is_vfio (const HostdevFunction *function);

/* hostdev-plan-device.c */

/** hostdev_plan_check_device: the rules about the XML of a device that the guest is to have. */
void hostdev_plan_check_device (const HostdevPlanning *planning, const HostdevDevice *device);

/** hostdev_plan_check_detach: … and of one that it has and is to give back. */
void hostdev_plan_check_detach (const HostdevPlanning *planning, const HostdevDevice *device);

/** hostdev_plan_check_other: the devices of the host that are no PCI hostdevs. */
void hostdev_plan_check_other (const HostdevPlanning *planning, const HostdevTraits *traits);

/** hostdev_plan_check_guest: what else the guest's XML says; @devices: how many of the host's it is
 * to have. */
void hostdev_plan_check_guest (const HostdevPlanning *planning, guint devices);

/* hostdev-plan-people.c */

/** hostdev_plan_check_people: what goes along with the device of @entry, and who else has to do
 * with it; after it was placed. */
void hostdev_plan_check_people (const HostdevPlanning *planning, const HostdevPlanDevice *entry);

/* hostdev-plan-interrupts.c */

/** hostdev_plan_check_vectors: all that the guest's devices can ask for, against what there is. */
void hostdev_plan_check_vectors (const HostdevPlanning *planning);

/** hostdev_plan_check_pin: a device that has a pin for its interrupts, and nothing else. */
void hostdev_plan_check_pin (const HostdevPlanning *planning, const HostdevPlanDevice *entry);

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

/** hostdev_placement_place_all: the same of all of the domain's, each with its entry in the plan,
 * in libvirt's order. */
void hostdev_placement_place_all (HostdevPlacement *placement);

/** hostdev_placement_check: the rules about sharing; after all devices were placed. */
void hostdev_placement_check (HostdevPlacement *placement);

/** hostdev_placement_check_spare: whether as many PHBs are free as the guest's metadata wishes. */
void hostdev_placement_check_spare (HostdevPlacement *placement);

/** Whether devices of more than one group are on the PHB: QEMU then offers no EEH there. */
gboolean hostdev_placement_is_shared (const HostdevPlacement *placement, guint phb_index);

/** How many PHBs the guest has, those included that libvirt adds for a start. */
guint hostdev_placement_count_phbs (const HostdevPlacement *placement);

/* hostdev-plan-seat.c */

/**
 * hostdev_plan_seats_new: the slots of the guest, before a device is placed that has no address:
 * to be freed with g_free. For a start with as many PHBs as libvirt adds when it defines the guest.
 */
HostdevSlots *hostdev_plan_seats_new (const HostdevPlanning *planning);

/**
 * hostdev_plan_take_seat: notes in @entry the address that @device has in the guest: its own, or
 * the next that libvirt gives one of its group. FALSE where there is none.
 */
gboolean hostdev_plan_take_seat (const HostdevPlanning *planning, HostdevSlots *slots,
                                 const HostdevDevice *device, HostdevPlanDevice *entry);

/* hostdev-plan-memory.c */

/** "1.5 GiB" */
char *hostdev_plan_size_text (guint64 bytes);

/** hostdev_plan_check_memory: the rules about memory that is locked for a device.
 * @phbs: how many the guest has */
void hostdev_plan_check_memory (const HostdevPlanning *planning, guint phbs);

/* hostdev-plan-dma.c */

/** hostdev_plan_check_windows: what the group of @entry offers against what its PHB will ask for;
 * where a rehearsal has found that out. */
void hostdev_plan_check_windows (const HostdevPlanning *planning, const HostdevPlanDevice *entry);

/* hostdev-plan-zpci.c */

/** hostdev_plan_seat_zpci: HostdevArch's seat of an s390x guest; NULL. */
HostdevPlacement *
hostdev_plan_seat_zpci (const HostdevPlanning *planning, const HostdevDevice *device);

/* hostdev-plan-expect.c */

/**
 * hostdev_plan_expect_interrupts, …: fills in what is expected of @entry on pSeries, and holds its
 * policy against that.
 */
void hostdev_plan_expect_interrupts (const HostdevPlanning *planning, HostdevPlanDevice *entry);
void hostdev_plan_expect_dma (const HostdevPlanning *planning, HostdevPlanDevice *entry);
void hostdev_plan_expect_eeh (const HostdevPlanning *planning, const HostdevPlacement *placement,
                              HostdevPlanDevice *entry);
