/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-monitor.h"

/**
 * Recorded: what a real QEMU answered. data/zpci-7.2.qmp was recorded of
 *
 *   qemu-system-s390x -machine s390-ccw-virtio -S \
 *     -device zpci,uid=5,fid=7,target=hostdev0,id=zpci5 -device virtio-net-pci,id=hostdev0 \
 *     -device zpci,uid=65535,fid=4294967295,target=hostdev1,id=zpci65535 \
 *     -device zpci,uid=6,fid=8,target=rng1,id=zpci6 -device virtio-rng-pci,id=rng1 \
 *     -device virtio-rng-pci,id=alone
 *
 * of 7.2 (Debian 12) under TCG: a line with each question, and one with the answer. hostdev1 is not
 * there, and "alone" has a zpci device of QEMU's own.
 */
typedef struct
{
  GHashTable *answers; /* by question */
  guint asked;
} Recorded;

Recorded *recorded_new (void);
void recorded_free (Recorded *recorded);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Recorded, recorded_free)

/** recorded_set: another answer than the recorded one, to a question about a path and a property
 * (NULL: qom-list). */
void recorded_set (Recorded *recorded, const char *path, const char *property, const char *answer);

/** recorded_ask: a HostdevMonitorAsk; @data is a Recorded. A question that was not recorded fails
 * the test. */
char *recorded_ask (const char *command, gpointer data, GError **error);
