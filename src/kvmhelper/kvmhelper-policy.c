/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-policy.h"

#include <string.h>

#include "kvmhelper/kvmhelper-limits.h"

static const KvmHelperPolicy policies[] = {
  { KVMHELPER_POLICY_METHOD, "GetHost", KVMHELPER_ACTION_INSPECT },
  { KVMHELPER_POLICY_METHOD, "ListLeases", KVMHELPER_ACTION_INSPECT },
  { KVMHELPER_POLICY_METHOD, "Inspect", KVMHELPER_ACTION_INSPECT },
  { KVMHELPER_POLICY_METHOD, "Rehearse", KVMHELPER_ACTION_REHEARSE },
  { KVMHELPER_POLICY_METHOD, "Prepare", KVMHELPER_ACTION_LEASE, "override",
    KVMHELPER_ACTION_OVERRIDE },
  { KVMHELPER_POLICY_METHOD, "Commit", KVMHELPER_ACTION_LEASE },
  { KVMHELPER_POLICY_METHOD, "SetGuestAddresses", KVMHELPER_ACTION_LEASE },
  /* To forget a lease leaves the host without what it has lent. */
  { KVMHELPER_POLICY_METHOD, "Release", KVMHELPER_ACTION_LEASE, "forget",
    KVMHELPER_ACTION_OVERRIDE },
  { KVMHELPER_POLICY_METHOD, "Allow", KVMHELPER_ACTION_GRANT },
  { KVMHELPER_POLICY_METHOD, "Revoke", KVMHELPER_ACTION_GRANT },
  /* Of what an administrator agreed to before, and of the caller's own alone. */
  { KVMHELPER_POLICY_METHOD, "Grant", KVMHELPER_ACTION_GRANTED },
  { KVMHELPER_POLICY_METHOD, "GiveBack", KVMHELPER_ACTION_GRANTED },
  { KVMHELPER_POLICY_METHOD, "ListGrants", KVMHELPER_ACTION_GRANTED, "all",
    KVMHELPER_ACTION_INSPECT },
  { KVMHELPER_POLICY_METHOD, "CheckClient", KVMHELPER_ACTION_CHECK, .is_question = TRUE },
};

const KvmHelperPolicy *
kvmhelper_policy_find (KvmHelperPolicyKind kind, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (policies); i++)
    if (policies[i].kind == kind && g_str_equal (policies[i].name, name))
      return &policies[i];
  return NULL;
}

const KvmHelperPolicy *
kvmhelper_policy_table (guint *length)
{
  *length = G_N_ELEMENTS (policies);
  return policies;
}

KvmHelperShare
kvmhelper_policy_share (const KvmHelperPolicy *policy)
{
  if (g_str_equal (policy->action, KVMHELPER_ACTION_INSPECT)
      || g_str_equal (policy->action, KVMHELPER_PUBLIC))
    return KVMHELPER_SHARE_LOOK;
  if (g_str_equal (policy->action, KVMHELPER_ACTION_GRANTED))
    return KVMHELPER_SHARE_GRANTED;
  return KVMHELPER_SHARE_WORK;
}

guint
kvmhelper_share_threads (KvmHelperShare share)
{
  static const guint threads[] = {
    [KVMHELPER_SHARE_LOOK] = KVMHELPER_MAX_LOOKS_PER_USER,
    [KVMHELPER_SHARE_GRANTED] = KVMHELPER_MAX_GRANTED_PER_USER,
    [KVMHELPER_SHARE_WORK] = KVMHELPER_MAX_WORKS_PER_USER,
  };

  return threads[share];
}

gboolean
kvmhelper_uuid_is_canonical (const char *text)
{
  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_isupper (*c))
      return FALSE;
  return g_uuid_string_is_valid (text);
}

gboolean
kvmhelper_domain_name_is_sane (const char *name)
{
  if (*name == '\0' || strnlen (name, KVMHELPER_MAX_DOMAIN_NAME + 1) > KVMHELPER_MAX_DOMAIN_NAME)
    return FALSE;
  for (const char *c = name; *c != '\0'; c = g_utf8_next_char (c))
    if (g_unichar_iscntrl (g_utf8_get_char (c)))
      return FALSE;
  return TRUE;
}
