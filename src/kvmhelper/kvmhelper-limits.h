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

/* How deep stacked block devices and network interfaces are followed. */
#define KVMHELPER_MAX_STACK 16

/* Leases at a time, and the size of one record on disk. */
#define KVMHELPER_MAX_LEASES 4096
#define KVMHELPER_MAX_RECORD (256 * 1024)

/* Functions in an IOMMU group: a PCI bus has 256 of them. */
#define KVMHELPER_MAX_MEMBERS 256

/* What a domain's name may be long, in bytes. */
#define KVMHELPER_MAX_DOMAIN_NAME 1024

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

/* A release that is pending: the first and the longest pause between tries, in seconds. */
#define KVMHELPER_RETRY_FIRST_SECONDS 1
#define KVMHELPER_RETRY_MAX_SECONDS   60

/* Questions to polkit that may wait for a person: of all callers, and of one bus name. */
#define KVMHELPER_MAX_QUESTIONS            32
#define KVMHELPER_MAX_QUESTIONS_PER_CALLER 4

/* How long a stop waits for what is under way, in seconds. */
#define KVMHELPER_STOP_SECONDS 80
