/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/kvmhelper-function.h"
#include "kvmhelper/kvmhelper-grant.h"

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
/** kvmhelper_phase_from_name: FALSE where there is none of that name. */
gboolean kvmhelper_phase_from_name (const char *name, KvmHelperPhase *phase);

typedef struct
{
  PciAddress address;
  KvmHelperIdentity identity;
  char *slot;            /* where it sits: kvmhelper_slot_path; "": not known */
  char *slot_name;       /* the kernel's name of that place; "": it has none */
  char *driver;          /* as it was, "": none */
  char *driver_override; /* as it was, "": none */
  char *module;          /* that the driver came with, "": none */
  gboolean returned;     /* given back, or gone from the host */
} KvmHelperMember;

void kvmhelper_member_free (KvmHelperMember *member);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperMember, kvmhelper_member_free)

typedef struct
{
  char *id;           /* random; names the file */
  char *boot_id;      /* of the boot it was made in */
  char *domain_uuid;  /* "": a rehearsal by itself, which always ends with giving back */
  char *domain_name;  /* for messages */
  PciAddress address; /* the function asked for */
  KvmHelperPhase phase;
  gint64 since;          /* seconds since the epoch */
  guint holder_pid;      /* who held the group at Commit, 0 before */
  char *granted;         /* what the guest had at Commit, "" before: "interrupts=xive-native …" */
  char *left;            /* what keeps it from its end, for people; "" for nothing */
  char *command;         /* that brings it there; "" while nothing is in the way */
  gint64 ending_since;   /* since when it is to be given back, 0: it is not; as since */
  guint thaws;           /* of its PE, in vain, since this helper runs */
  gboolean unreadable;   /* its record is: of all this only id, phase, left and command are known */
  GPtrArray *members;    /* KvmHelperMember, by address */
  KvmHelperGrant *grant; /* of a user's own; NULL: of the system's guests */
} KvmHelperLease;

/**
 * kvmhelper_lease_new: an intent, with a random id, for the endpoints among @functions (elements
 * KvmHelperFunction).
 */
KvmHelperLease *
kvmhelper_lease_new (const char *boot_id, const char *domain_uuid, const char *domain_name,
                     const PciAddress *address, const GPtrArray *functions);

/** kvmhelper_lease_new_unreadable: stands for a record that is there and cannot be read. */
KvmHelperLease *kvmhelper_lease_new_unreadable (const char *id, const char *left);

/** kvmhelper_lease_alloc: without members, and with no text set, for who sets all. */
KvmHelperLease *kvmhelper_lease_alloc (void);
KvmHelperLease *kvmhelper_lease_copy (const KvmHelperLease *lease);
void kvmhelper_lease_free (KvmHelperLease *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperLease, kvmhelper_lease_free)

gboolean kvmhelper_lease_is_rehearsal (const KvmHelperLease *lease);

/** kvmhelper_lease_find_member: the member at @address, NULL for none. */
KvmHelperMember *
kvmhelper_lease_find_member (const KvmHelperLease *lease, const PciAddress *address);

/** kvmhelper_lease_set_left: replaces what is left; NULL for nothing. */
void kvmhelper_lease_set_left (KvmHelperLease *lease, const char *left);

/** kvmhelper_lease_set_command: replaces the command; NULL for none. */
void kvmhelper_lease_set_command (KvmHelperLease *lease, const char *command);

/** kvmhelper_lease_to_text: the record, as a key file; to be freed. */
char *kvmhelper_lease_to_text (const KvmHelperLease *lease);

/**
 * kvmhelper_lease_from_text: reads a record, of this version or an older one. Everything in it is
 * checked before it can become a part of a path; one that lost members is none. NULL with
 * COMMON_ERROR_JOURNAL_FAILED.
 */
KvmHelperLease *kvmhelper_lease_from_text (const char *text, gsize length, GError **error);
