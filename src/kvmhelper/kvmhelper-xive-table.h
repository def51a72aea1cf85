/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * KVM's table of a guest's interrupt sources, /sys/kernel/debug/kvm/PID-FD/xive
 * (arch/powerpc/kvm/book3s_xive.c: kvmppc_xive_debug_show_sources; native and XICS-on-XIVE write
 * the same rows).
 *
 * Only of a VM of our own, while nobody enables or disables interrupts of it: KVM sleeps with the
 * lock that a reader spins on (docs/kernel-defects.rst).
 */
typedef struct
{
  guint lisn;        /* the guest's number */
  guint hw;          /* the hardware's, of the IPI or of what is passed through */
  gboolean lsi;      /* level, not message */
  gboolean passed;   /* PT: the device's interrupt goes straight to the guest */
  char pq[3];        /* "--", "P-", "-Q", "PQ" */
  guint eisn;        /* what the guest sees of it */
  int cpu, priority; /* 255: masked */
} KvmHelperSource;

typedef struct
{
  gboolean native; /* native XIVE, by "VP=" of a vCPU; XICS on XIVE writes "VP:" */
  GArray *sources; /* KvmHelperSource, in the table's order */
} KvmHelperXiveTable;

/** kvmhelper_xive_table_parse: rows that are none are passed over; never fails. @text has a NUL. */
KvmHelperXiveTable *kvmhelper_xive_table_parse (const char *text);
void kvmhelper_xive_table_free (KvmHelperXiveTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperXiveTable, kvmhelper_xive_table_free)

/** kvmhelper_xive_table_find: the source with this LISN, or NULL. */
const KvmHelperSource *kvmhelper_xive_table_find (const KvmHelperXiveTable *table, guint lisn);
