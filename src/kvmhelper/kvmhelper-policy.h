/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * Which polkit action each method of the D-Bus interface is behind, and which of its arguments a
 * rule is told of. A method that is not in the table is denied.
 */
#define KVMHELPER_ACTION_INSPECT  "org.libvirt.ppc64.kvmhelper.inspect"
#define KVMHELPER_ACTION_REHEARSE "org.libvirt.ppc64.kvmhelper.rehearse"
#define KVMHELPER_ACTION_LEASE    "org.libvirt.ppc64.kvmhelper.lease"

typedef struct
{
  const char *method;
  const char *action;
  int address; /* the argument that is a PCI address, -1: none */
  int domain;  /* … a guest's UUID */
  int lease;   /* … a lease, which has both */
} KvmHelperPolicy;

/** kvmhelper_policy_find: NULL for a method that is to be denied. */
const KvmHelperPolicy *kvmhelper_policy_find (const char *method);

/** kvmhelper_uuid_is_canonical: a UUID in lower case. */
gboolean kvmhelper_uuid_is_canonical (const char *text);
