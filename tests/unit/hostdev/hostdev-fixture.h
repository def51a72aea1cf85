/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-plan.h"

/* The UUID of the guest in all tests; group 10 of data/powernv.xml is leased to it. */
#define FIXTURE_UUID "5bd1dc5d-9a3f-4c62-8d4b-70773970c640"

/* A <ppc64:passthrough> with these attributes and this content. */
#define FIXTURE_POLICY(attributes, content)                                                        \
  "<metadata><ppc64:passthrough xmlns:ppc64='" HOSTDEV_POLICY_NAMESPACE "' " attributes            \
  ">" content "</ppc64:passthrough></metadata>"

#define FIXTURE_MACHINE_OPTIONS(options)                                                           \
  "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"                     \
  "<qemu:arg value='-machine'/><qemu:arg value='" options "'/></qemu:commandline>"

#define FIXTURE_PHB(index) "<controller type='pci' index='" #index "' model='pci-root'/>"

/* The file data/NAME, in which each @from (NULL: none) is @to. */
HostdevHost *fixture_host (const char *name, const char *from, const char *to);

/* A running pSeries KVM guest "guest" with @top below <domain> and @devices below <devices>. */
HostdevDomain *fixture_domain (const char *top, const char *devices);

/* The XML of a managed PCI hostdev, of an address in the kernel's form, with @more in it; to be
 * freed. */
char *fixture_hostdev (const char *address, const char *more);

/* That device. */
HostdevDevice *fixture_device (const char *address, const char *more);

/* The plan to attach it. */
HostdevPlan *fixture_attach (const char *host, const char *top, const char *devices,
                             const char *address, const char *more);

/* The reason with that code; NULL where the plan has none. */
const HostdevReason *fixture_find (const HostdevPlan *plan, CommonErrorCode code);

/* That the plan has exactly one reason of that kind and severity, whose sentence has @word in it;
 * the reason. */
const HostdevReason *fixture_expect (const HostdevPlan *plan, HostdevSeverity severity,
                                     CommonErrorCode code, const char *word);

/* That the plan refuses nothing, and warns of nothing; notes it may have. */
void fixture_expect_clean (const HostdevPlan *plan);

/* "0001:02:00.0 0001:02:00.1"; to be freed. */
char *fixture_join (const GPtrArray *addresses);
