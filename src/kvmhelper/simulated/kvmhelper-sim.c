/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "kvmhelper/simulated/kvmhelper-sim-private.h"

/* The lines of the kernel's log that are kept. */
#define MAX_LOG 1000

/* The pages of a POWER host's kernel, unless its description says otherwise. */
#define PAGE_SIZE_64K 0x10000

KvmHelperSim *
kvmhelper_sim_new_bare (const char *name)
{
  KvmHelperSim *sim = g_new0 (KvmHelperSim, 1);
  static const KvmHelperSimFilesystem filesystems[3]
      = { KVMHELPER_SIM_SYSFS, KVMHELPER_SIM_PROCFS, KVMHELPER_SIM_DEVTMPFS };

  g_mutex_init (&sim->lock);
  g_cond_init (&sim->changed);
  sim->name = g_strdup (name);
  sim->page_size = PAGE_SIZE_64K;
  sim->files = g_hash_table_new (NULL, NULL);
  sim->processes = g_hash_table_new (NULL, NULL);
  sim->timers = g_sequence_new (g_free);
  sim->log = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < 3; i++)
    sim->roots[i] = kvmhelper_sim_tree_new (sim, filesystems[i]);
  sim->process_files = kvmhelper_sim_tree_new (sim, KVMHELPER_SIM_PIDFS);
  kvmhelper_sim_process_start (sim);
  kvmhelper_sim_null_start (sim);
  return sim;
}

void
kvmhelper_sim_free (KvmHelperSim *sim)
{
  g_mutex_lock (&sim->lock);
  kvmhelper_sim_process_free_all (sim);
  kvmhelper_sim_stop_parts (sim);
  g_mutex_unlock (&sim->lock);
  if (g_hash_table_size (sim->files) > 0)
    g_warning ("%s: %u open files are held by nobody", sim->name, g_hash_table_size (sim->files));
  kvmhelper_sim_tree_free (sim->process_files);
  for (guint i = 0; i < 3; i++)
    kvmhelper_sim_tree_free (sim->roots[i]);
  g_hash_table_unref (sim->files);
  g_hash_table_unref (sim->processes);
  g_sequence_free (sim->timers);
  g_ptr_array_unref (sim->log);
  g_free (sim->name);
  g_mutex_clear (&sim->lock);
  g_cond_clear (&sim->changed);
  g_free (sim);
}

void
kvmhelper_sim_log (KvmHelperSim *sim, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (sim->log, g_strdup_vprintf (format, arguments));
  va_end (arguments);
  if (sim->log->len > MAX_LOG)
    g_ptr_array_remove_index (sim->log, 0);
}

GStrv
kvmhelper_sim_kernel_log (KvmHelperSim *sim)
{
  GPtrArray *lines = g_ptr_array_new ();

  g_mutex_lock (&sim->lock);
  for (guint i = 0; i < sim->log->len; i++)
    g_ptr_array_add (lines, g_strdup (sim->log->pdata[i]));
  g_mutex_unlock (&sim->lock);
  g_ptr_array_add (lines, NULL);
  return (GStrv) g_ptr_array_free (lines, FALSE);
}
