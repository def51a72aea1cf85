/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-fault.h"

/**
 * A rule: how it is read (kvmhelper-fault-rule.c), and what it does to a call (kvmhelper-fault.c),
 * each of which goes by there (kvmhelper-fault-calls.c).
 */
typedef enum
{
  KVMHELPER_CALL_OPEN,
  KVMHELPER_CALL_CLOSE,
  KVMHELPER_CALL_READ,
  KVMHELPER_CALL_WRITE,
  KVMHELPER_CALL_READLINK,
  KVMHELPER_CALL_LIST,
  KVMHELPER_CALL_STAT,
  KVMHELPER_CALL_IOCTL,
  KVMHELPER_CALL_MMAP,
  KVMHELPER_CALL_MUNMAP,
  KVMHELPER_CALL_LOAD,
  KVMHELPER_CALL_EVENTFD,
  KVMHELPER_CALL_GET_ACL,
  KVMHELPER_CALL_SET_ACL,
  KVMHELPER_CALL_PIDFD,
  KVMHELPER_CALL_MEMLOCK,
  KVMHELPER_CALL_ANY
} KvmHelperCall;

typedef enum
{
  KVMHELPER_FAULT_REFUSE,
  KVMHELPER_FAULT_SHORT,
  KVMHELPER_FAULT_LIE,
  KVMHELPER_FAULT_DELAY,
  KVMHELPER_FAULT_KILL,
  KVMHELPER_FAULT_VANISH,
  KVMHELPER_FAULT_REPLACE
} KvmHelperFaultAction;

typedef struct
{
  char *text;
  KvmHelperCall call;
  GPatternSpec *pattern; /* NULL: any */
  guint64 number;        /* from 1; 0: each */
  gboolean onwards;      /* @number and all after it */
  KvmHelperFaultAction action;
  int errnum;         /* of REFUSE, positive */
  guint64 amount;     /* bytes, or milliseconds */
  PciAddress address; /* of VANISH and REPLACE */

  guint64 seen; /* calls that fit */
  guint struck;
} KvmHelperFaultRule;

/** kvmhelper_fault_rule_parse: NULL with COMMON_ERROR_INVALID_ARGUMENT. */
KvmHelperFaultRule *kvmhelper_fault_rule_parse (const char *text, GError **error);
void kvmhelper_fault_rule_free (KvmHelperFaultRule *rule);

/** kvmhelper_ioctl_matches: whether an ioctl has a name that @pattern fits. Some numbers have
 * several names. */
gboolean kvmhelper_ioctl_matches (gulong request, GPatternSpec *pattern);

/** kvmhelper_ioctl_is_known: whether there is an ioctl that @pattern fits. */
gboolean kvmhelper_ioctl_is_known (GPatternSpec *pattern);

/* What a call comes to. */
typedef struct
{
  gboolean refused;
  int errnum;   /* of one that is refused; 0: a lie */
  gsize length; /* that it may have of what it asked for */
} KvmHelperVerdict;

/** kvmhelper_faults_judge: counts the call, and does what the rules say is to be done before it.
 * @path: "/sys/…", NULL where it has none; @request: of an ioctl. */
KvmHelperVerdict kvmhelper_faults_judge (KvmHelperFaults *faults, KvmHelperCall call,
                                         const char *path, gulong request, gsize length);
