/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * cli_libvirt_schema_check: a domain's XML against the RELAX NG schema that libvirt installed
 * (LIBVIRT_SCHEMA_DIR/domain.rng), as "virsh define --validate" does.
 * @xml: well-formed, as common_xml_read takes it
 * @findings: gets a message for each error, with its line; to be freed with g_free
 *
 * Returns: FALSE with COMMON_ERROR_LIBVIRT_UNAVAILABLE where the schema cannot be read.
 */
gboolean
cli_libvirt_schema_check (const char *xml, gsize length, GPtrArray *findings, GError **error);
