/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/**
 * Every limit of the helper, in one place.
 */

/* Files of the kernel's, in bytes: one attribute, a list (mounts, routes; a host with many
 * containers has MiBs of them), and /proc/interrupts or KVM's XIVE table of a large guest on a host
 * with many CPUs. */
#define KVMHELPER_MAX_ATTRIBUTE 4096
#define KVMHELPER_MAX_LIST      (16 * 1024 * 1024)
#define KVMHELPER_MAX_TABLE     (16 * 1024 * 1024)

/* The administrator's file, in bytes. */
#define KVMHELPER_MAX_CONFIG (64 * 1024)

/* Leases at a time, and the size of one record on disk. */
#define KVMHELPER_MAX_LEASES 4096
#define KVMHELPER_MAX_RECORD (256 * 1024)

/* Functions in an IOMMU group: a PCI bus has 256 of them. */
#define KVMHELPER_MAX_MEMBERS 256

/* What a domain's name may be long, in bytes. */
#define KVMHELPER_MAX_DOMAIN_NAME 1024

/* Leases of users: of one user, and the processes that one of them is for; how often the helper
 * looks whether these live, in seconds; consents of administrators that are remembered. */
#define KVMHELPER_MAX_USER_LEASES     64
#define KVMHELPER_MAX_GRANT_PROCESSES 8
#define KVMHELPER_WATCH_USERS_SECONDS 5
#define KVMHELPER_MAX_CONSENTS        1024

/* A rehearsal: the time limit in seconds, the time for a killed worker to go, a line of its output.
 * Two EEH resets of the PE, of 2 to 3 s each, are a part of opening and closing a device. */
#define KVMHELPER_REHEARSAL_SECONDS 60
#define KVMHELPER_REAP_SECONDS      10
#define KVMHELPER_MAX_STEP_LINE     8192

/* Rehearsals that are remembered. */
#define KVMHELPER_MAX_REHEARSED 4096

/* Release: the default and the longest wait, in seconds; how often it looks, in milliseconds. */
#define KVMHELPER_RELEASE_SECONDS     10
#define KVMHELPER_MAX_RELEASE_SECONDS 60
#define KVMHELPER_RELEASE_POLL_MS     200

/* How long a guest may take to let go of a device before it counts as one that does not, in
 * seconds. */
#define KVMHELPER_GUEST_SECONDS 30

/* A release that is pending: the first and the longest pause between tries, in seconds. */
#define KVMHELPER_RETRY_FIRST_SECONDS 1
#define KVMHELPER_RETRY_MAX_SECONDS   60

/* How often a PE that a guest left frozen is thawed before a lease only waits for it. */
#define KVMHELPER_EEH_TRIES 3

/* Calls under way, from their arrival to their answer: of all callers, and of one bus name or one
 * user. virtppc64d has 48 threads that may call (driver-jobs.c, driver-hook.c). */
#define KVMHELPER_MAX_CALLS            1024
#define KVMHELPER_MAX_CALLS_PER_CALLER 64

/* Calls of any kind, and of all bus names, whose answer is not on its way yet: more than one user
 * can have, who has 256 connections to the system's bus (dbus-daemon(1)). Of one name it is as
 * above. */
#define KVMHELPER_MAX_UNANSWERED (2 * 256 * KVMHELPER_MAX_CALLS_PER_CALLER)

/* A message from the bus, in bytes. The longest that is meant is a guest's addresses of a full
 * group. */
#define KVMHELPER_MAX_MESSAGE (128 * 1024)

/* Bus names that are remembered: those of four such users. */
#define KVMHELPER_MAX_CALLERS 1024

/* Threads that work, and how many of them work for one user: looking; with devices of his own; and
 * all else. */
#define KVMHELPER_MAX_THREADS          64
#define KVMHELPER_MAX_LOOKS_PER_USER   4
#define KVMHELPER_MAX_GRANTED_PER_USER 2
#define KVMHELPER_MAX_WORKS_PER_USER   32

/* Questions to polkit that may wait for a person: of all users, and of one. */
#define KVMHELPER_MAX_QUESTIONS            128
#define KVMHELPER_MAX_QUESTIONS_PER_CALLER 4

/* How long the bus may take to say who a caller is, polkit to answer by itself, and a person to
 * type a password; in seconds. */
#define KVMHELPER_BUS_SECONDS      25
#define KVMHELPER_POLKIT_SECONDS   60
#define KVMHELPER_QUESTION_SECONDS 600

/* How long a stop waits for what is under way, in seconds. */
#define KVMHELPER_STOP_SECONDS 80

/* The end of an idle helper: how long it answers who knows it and not its name, how often it looks
 * whether all is answered, in milliseconds; how long systemd may take to hear of it, in seconds. */
#define KVMHELPER_LINGER_MS       1000
#define KVMHELPER_DRAIN_POLL_MS   50
#define KVMHELPER_BARRIER_SECONDS 5

/* How long a helper waits for another, which comes to its end, to let go of the leases. */
#define KVMHELPER_PREDECESSOR_SECONDS 2
