/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * Which polkit action each method and each property of the D-Bus interface is behind: one action an
 * effect. What is not in the table is denied, and a test walks the table against the interface:
 * each member stands there once, with one action or with KVMHELPER_PUBLIC.
 */
#define KVMHELPER_ACTION_INSPECT  "org.libvirt.ppc64.kvmhelper.inspect"
#define KVMHELPER_ACTION_REHEARSE "org.libvirt.ppc64.kvmhelper.rehearse"
#define KVMHELPER_ACTION_LEASE    "org.libvirt.ppc64.kvmhelper.lease"
#define KVMHELPER_ACTION_OVERRIDE "org.libvirt.ppc64.kvmhelper.override"
#define KVMHELPER_ACTION_GRANT    "org.libvirt.ppc64.kvmhelper.grant"
#define KVMHELPER_ACTION_GRANTED  "org.libvirt.ppc64.kvmhelper.granted"
#define KVMHELPER_ACTION_CHECK    "org.libvirt.ppc64.kvmhelper.check"

/* For everybody, and without a question to polkit: of nothing so far. */
#define KVMHELPER_PUBLIC "public"

typedef enum
{
  KVMHELPER_POLICY_METHOD,
  KVMHELPER_POLICY_PROPERTY
} KvmHelperPolicyKind;

typedef struct
{
  KvmHelperPolicyKind kind;
  const char *name;
  const char *action;
  /* An option of the method's "options" that has an effect of its own, and what that is behind;
   * NULL: there is none. Where a call has it, both actions are needed. */
  const char *option;
  const char *option_action;
  /* It is a question to polkit itself, about somebody else (kvmhelper-check.h): no thread works at
   * it. */
  gboolean is_question;
} KvmHelperPolicy;

/** kvmhelper_policy_find: NULL for what is to be denied. */
const KvmHelperPolicy *kvmhelper_policy_find (KvmHelperPolicyKind kind, const char *name);

/** kvmhelper_policy_table: all of it, *@length entries. */
const KvmHelperPolicy *kvmhelper_policy_table (guint *length);

/**
 * KvmHelperShare: of the helper's threads. A user has one for what changes nothing, so that looking
 * never waits for work; one for what anybody may who was given a device (they are many, and a
 * give-back may wait a minute); and one for what an administrator or the driver does.
 */
typedef enum
{
  KVMHELPER_SHARE_LOOK,
  KVMHELPER_SHARE_GRANTED,
  KVMHELPER_SHARE_WORK,
  KVMHELPER_N_SHARES
} KvmHelperShare;

KvmHelperShare kvmhelper_policy_share (const KvmHelperPolicy *policy);

/** kvmhelper_share_threads: how many threads one user may have of it. */
guint kvmhelper_share_threads (KvmHelperShare share);

/** kvmhelper_uuid_is_canonical: a UUID in lower case. */
gboolean kvmhelper_uuid_is_canonical (const char *text);

/**
 * kvmhelper_domain_name_is_sane: neither empty, nor longer than KVMHELPER_MAX_DOMAIN_NAME bytes,
 * and without control characters. @name is UTF-8.
 */
gboolean kvmhelper_domain_name_is_sane (const char *name);
