/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-private.h"

/* /dev/null (drivers/char/mem.c): what is handed over where something else is wanted. */

static gssize
null_read (KvmHelperSimFile *file, void *buffer, gsize length)
{
  return 0;
}

static gssize
null_write (KvmHelperSimFile *file, const void *buffer, gsize length)
{
  return (gssize) length;
}

static const KvmHelperSimFileKind null_kind = { .read = null_read, .write = null_write };

static int
null_open (gpointer object, KvmHelperSimProcess *process, int flags, KvmHelperSimFile **file)
{
  *file = kvmhelper_sim_file_new (object, &null_kind, NULL);
  return 0;
}

void
kvmhelper_sim_null_start (KvmHelperSim *sim)
{
  kvmhelper_sim_device_node (kvmhelper_sim_tree_root (sim, KVMHELPER_DEV), "null", 0666, 1, 3,
                             null_open, sim);
}
