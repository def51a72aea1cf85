/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "hostdev/hostdev-host.h"

/**
 * cli_groups_to_json: a document with "groups" and "ungrouped"; their keys are those of GetHost
 * in data/org.libvirt.Ppc64.KvmHelper1.xml.
 * @only: (nullable): the one group to write; then there is no "ungrouped"
 */
JsonObject *cli_groups_to_json (const HostdevHost *host, const HostdevGroup *only);
