/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-simulated-schema.h"

#include "cli-resources.h"

#define SCHEMA "/org/libvirt/ppc64/cli/simulated-host.rng"

gboolean
cli_simulated_schema_check (xmlNode *root, GError **error)
{
  /* Once for each run would do: a run checks a few files. */
  xmlRelaxNG *schema = common_xml_schema_load (cli_get_resource (), SCHEMA);
  gboolean valid = common_xml_validate (root, schema, COMMON_ERROR_INVALID_HOST, error);

  xmlRelaxNGFree (schema);
  return valid;
}
