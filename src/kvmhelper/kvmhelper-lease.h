/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"

/**
 * KvmHelperLease: the record of a group that was taken from the host, as it stands in memory and on
 * disk. Members are known by address and identity, never by the number of their group, which
 * changes over a reboot.
 */
typedef enum
{
  KVMHELPER_PHASE_INTENT,    /* nothing was written to sysfs before this was on disk */
  KVMHELPER_PHASE_PREPARED,  /* every member is on a VFIO driver */
  KVMHELPER_PHASE_ACTIVE,    /* the guest has it */
  KVMHELPER_PHASE_RELEASING, /* to be given back, and being worked on */
  KVMHELPER_PHASE_PENDING    /* to be given back, and something is in the way: see left */
} KvmHelperPhase;

const char *kvmhelper_phase_name (KvmHelperPhase phase);

typedef struct
{
  PciAddress address;
  KvmHelperIdentity identity;
  char *driver;          /* as it was, "": none */
  char *driver_override; /* as it was, "": none */
  gboolean returned;     /* given back, or gone from the host */
} KvmHelperMember;

typedef struct
{
  char *id;           /* random; names the file */
  char *boot_id;      /* of the boot it was made in */
  char *domain_uuid;  /* "": a rehearsal by itself, which always ends with giving back */
  char *domain_name;  /* for messages */
  PciAddress address; /* the function asked for */
  KvmHelperPhase phase;
  gint64 since;       /* seconds since the epoch */
  guint holder_pid;   /* who held the group at Commit, 0 before */
  char *granted;      /* what the guest had at Commit, "" before: "interrupts=xive-native …" */
  char *left;         /* what keeps it from its end, for people; "" for nothing */
  GPtrArray *members; /* KvmHelperMember, by address */
} KvmHelperLease;

/**
 * kvmhelper_lease_new: an intent, with a random id, for the endpoints among @functions (elements
 * KvmHelperFunction).
 */
KvmHelperLease *
kvmhelper_lease_new (const char *boot_id, const char *domain_uuid, const char *domain_name,
                     const PciAddress *address, const GPtrArray *functions);
KvmHelperLease *kvmhelper_lease_copy (const KvmHelperLease *lease);
void kvmhelper_lease_free (KvmHelperLease *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperLease, kvmhelper_lease_free)

gboolean kvmhelper_lease_is_rehearsal (const KvmHelperLease *lease);

/** kvmhelper_lease_find_member: the member at @address, NULL for none. */
KvmHelperMember *
kvmhelper_lease_find_member (const KvmHelperLease *lease, const PciAddress *address);

/** kvmhelper_lease_set_left: replaces what is left; NULL for nothing. */
void kvmhelper_lease_set_left (KvmHelperLease *lease, const char *left);

/** kvmhelper_lease_to_text: the record, as a key file; to be freed. */
char *kvmhelper_lease_to_text (const KvmHelperLease *lease);

/**
 * kvmhelper_lease_from_text: reads a record. Everything in it is checked before it can become a
 * part of a path. NULL with COMMON_ERROR_JOURNAL_FAILED.
 */
KvmHelperLease *kvmhelper_lease_from_text (const char *text, gsize length, GError **error);
