/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "common/common-error.h"
#include "hostdev/hostdev-device.h"
#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-host.h"
#include "hostdev/hostdev-statement.h"

/**
 * HostdevPlan: whether a guest can get a device (or start with those it has, or give one back),
 * what it will have, and if not, why and what to do. All decisions of the project are made here,
 * from data, without I/O: the same input gives the same plan on any machine.
 */
typedef struct _HostdevPlan HostdevPlan;

typedef enum
{
  HOSTDEV_OPERATION_ATTACH, /* a device to a running guest */
  HOSTDEV_OPERATION_START,  /* a guest with the devices of its XML */
  HOSTDEV_OPERATION_DETACH
} HostdevOperation;

/* One reason. The sentence is in the administrator's terms and names what is concerned. */
typedef struct
{
  const HostdevStatement *statement; /* what is said; its code is the reason's */
  HostdevSeverity severity;          /* the statement's, or more where the policy wants it so */
  CommonErrorCode code;              /* the kind of error that it is */
  char *sentence;
  char *remedy; /* what to do; may be an XML element to add; never NULL */
  gboolean has_address;
  PciAddress address; /* the function it is about */
} HostdevReason;

/* What the guest is expected to have of a device once it has it, and from which facts that follows.
 */
typedef struct
{
  const char *value; /* interrupts: "xive-native", "xics-on-xive", "xics", "emulated", "unknown";
                        of an s390x guest: "forwarded", "by-host", "intercepted", "unknown";
                        dma: "in-kernel", "user-space", "unknown"; eeh: "enabled", "unavailable",
                        "unknown" */
  char *source;
} HostdevExpectation;

/* One device in a plan. */
typedef struct
{
  PciAddress address;
  char *alias;   /* or NULL */
  char *network; /* of libvirt's, that hands it out; or NULL */
  HostdevPolicy policy;
  gboolean has_group;
  guint group; /* its number today */
  char *group_name;
  GPtrArray *taken;      /* PciAddress: every endpoint of the group, which all leave the host */
  GPtrArray *companions; /* PciAddress: those of them that the guest does not get */
  GPtrArray *along;      /* PciAddress: those that it gets by the same request */
  gboolean has_phb;
  guint phb_index; /* the guest's PHB that it goes on, by controller index */
  gboolean has_seat;
  PciAddress seat;   /* its address in the guest, as libvirt writes it: bus, slot, function */
  gboolean has_zpci; /* of an s390x guest: what libvirt has it be called there */
  guint uid, fid;
  HostdevExpectation interrupts, dma, eeh;
} HostdevPlanDevice;

/**
 * hostdev_plan_attach: @device to the guest @domain (its live XML).
 * Never fails: what stands against it is in the reasons.
 */
HostdevPlan *hostdev_plan_attach (const HostdevDomain *domain, const HostdevDevice *device,
                                  const HostdevHost *host);

/**
 * hostdev_plan_attach_other: the same of a device of the host that is no PCI hostdev, and that a
 * pSeries guest cannot have: <hostdev type='mdev'>, <disk type='nvme'>.
 * @xml, @length: device XML
 *
 * Returns: NULL where it is no such device, or the guest is one that can have it.
 */
HostdevPlan *
hostdev_plan_attach_other (const HostdevDomain *domain, const char *xml, gssize length);

/** hostdev_plan_start: @domain with all the PCI hostdevs of its XML. */
HostdevPlan *hostdev_plan_start (const HostdevDomain *domain, const HostdevHost *host);

/** hostdev_plan_detach: @device from the guest; @domain is its live XML. */
HostdevPlan *hostdev_plan_detach (const HostdevDomain *domain, const HostdevDevice *device,
                                  const HostdevHost *host);

void hostdev_plan_free (HostdevPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevPlan, hostdev_plan_free)

HostdevOperation hostdev_plan_get_operation (const HostdevPlan *plan);
/** FALSE where one of the reasons is a HOSTDEV_REFUSE. */
gboolean hostdev_plan_is_allowed (const HostdevPlan *plan);
/** Elements HostdevReason, refusals first. */
const GPtrArray *hostdev_plan_get_reasons (const HostdevPlan *plan);
/** Elements HostdevPlanDevice. */
const GPtrArray *hostdev_plan_get_devices (const HostdevPlan *plan);

/** The refusals in one text, "sentence Remedy." each, for an error message; NULL where it is
 * allowed. */
char *hostdev_plan_get_refusal (const HostdevPlan *plan);
/** As a GError with the first refusal's code; FALSE and @error unset where it is allowed. */
gboolean hostdev_plan_set_error (const HostdevPlan *plan, GError **error);

/** The plan as a JSON object; its form is told in hostdev-plan-json.c and in
 * docs/man/virt-ppc64.rst.
 */
JsonNode *hostdev_plan_to_json (const HostdevPlan *plan);

const char *hostdev_operation_to_string (HostdevOperation operation); /* "attach", "start", … */
