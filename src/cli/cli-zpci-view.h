/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>

#include "hostdev/hostdev-verify.h"

/** cli_zpci_print: a verdict for people. @guest: its name; @verbose adds where each was read. */
void cli_zpci_print (const HostdevVerdict *verdict, const char *guest, gboolean verbose);

/** cli_zpci_to_json: … and for programs: a document of its own. */
JsonObject *cli_zpci_to_json (const HostdevVerdict *verdict, const HostdevSeen *seen);
