/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-policy.h"

static const KvmHelperPolicy policies[] = {
  /* method, action, address, domain, lease */
  { "GetHost", KVMHELPER_ACTION_INSPECT, -1, -1, -1 },
  { "ListLeases", KVMHELPER_ACTION_INSPECT, -1, -1, -1 },
  { "Inspect", KVMHELPER_ACTION_INSPECT, 0, -1, -1 },
  { "Rehearse", KVMHELPER_ACTION_REHEARSE, 0, -1, -1 },
  { "Prepare", KVMHELPER_ACTION_LEASE, 2, 0, -1 },
  { "Commit", KVMHELPER_ACTION_LEASE, -1, -1, 0 },
  { "Release", KVMHELPER_ACTION_LEASE, -1, -1, 0 },
};

const KvmHelperPolicy *
kvmhelper_policy_find (const char *method)
{
  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    if (g_str_equal (policies[i].method, method))
      return &policies[i];
  return NULL;
}

gboolean
kvmhelper_uuid_is_canonical (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_isupper (*c))
      return FALSE;
  return g_uuid_string_is_valid (text);
}
