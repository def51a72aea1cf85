/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-plan.h"

/* A host with a group for each situation, read once: what a guest's XML is planned against. */
const HostdevHost *fuzz_host (void);

/* A guest with a PCI device and a spare PHB, read once: what is planned on a host. */
const HostdevDomain *fuzz_domain (void);

/* Makes every plan that can be made of the two, and asks it all that it can be asked. */
void fuzz_plan (const HostdevDomain *domain, const HostdevHost *host);
