/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-private.h"

/* The first process that is not init. */
#define FIRST_PID 1000

/* --- handles --- */

/* The lowest that is free; -1: none is. */
static int
free_handle (const KvmHelperSimProcess *process)
{
  for (guint i = KVMHELPER_SIM_FIRST_HANDLE; i < KVMHELPER_SIM_MAX_HANDLES; i++)
    if (i >= process->handles->len || process->handles->pdata[i] == NULL)
      return (int) i;
  return -1;
}

gboolean
kvmhelper_sim_process_has_room (const KvmHelperSimProcess *process)
{
  return free_handle (process) >= 0;
}

int
kvmhelper_sim_process_install (KvmHelperSimProcess *process, KvmHelperSimFile *file)
{
  int handle = free_handle (process);

  if (handle < 0)
    {
      kvmhelper_sim_file_unref (file);
      return -EMFILE;
    }
  if ((guint) handle >= process->handles->len)
    g_ptr_array_set_size (process->handles, handle + 1);
  process->handles->pdata[handle] = file;
  file->handles++;
  return handle;
}

KvmHelperSimFile *
kvmhelper_sim_process_file (KvmHelperSimProcess *process, int handle)
{
  if (handle < 0 || (guint) handle >= process->handles->len)
    return NULL;
  return process->handles->pdata[handle];
}

void
kvmhelper_sim_process_close (KvmHelperSimProcess *process, int handle)
{
  KvmHelperSimFile *file = kvmhelper_sim_process_file (process, handle);

  if (file == NULL)
    return;
  process->handles->pdata[handle] = NULL;
  if (--file->handles == 0 && file->vmas->len == 0 && file->kind->hang_up != NULL)
    file->kind->hang_up (file);
  kvmhelper_sim_file_unref (file);
}

/* --- processes --- */

static KvmHelperSimProcess *
start_process (KvmHelperSim *sim, guint pid, const KvmHelperSimProcessConfig *config)
{
  KvmHelperSimProcess *process = g_new0 (KvmHelperSimProcess, 1);

  process->sim = sim;
  process->pid = pid;
  process->parent = pid == 1 ? 0 : MAX (config->parent, 1);
  process->command = g_strdup (config->command);
  process->arguments = g_strdupv ((char **) config->arguments);
  process->uid = config->uid;
  process->ipc_lock = config->ipc_lock;
  process->memlock = process->memlock_hard = config->memlock;
  process->started = kvmhelper_sim_now (sim);
  process->mm = kvmhelper_sim_mm_new ();
  process->handles = g_ptr_array_new ();
  process->vmas = g_ptr_array_new ();
  process->nodes = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_sim_node_free);
  process->kernel
      = (KvmHelperKernel){ &kvmhelper_sim_calls, process, sim->page_size, pid, sim->name };
  g_hash_table_insert (sim->processes, GUINT_TO_POINTER (pid), process);
  kvmhelper_sim_proc_add (process);
  return process;
}

void
kvmhelper_sim_process_start (KvmHelperSim *sim)
{
  const KvmHelperSimProcessConfig init = { "systemd", 0, TRUE, G_MAXUINT64 };

  sim->next_pid = FIRST_PID;
  kvmhelper_sim_proc_start (sim);
  start_process (sim, 1, &init);
}

KvmHelperSimProcess *
kvmhelper_sim_process_new (KvmHelperSim *sim, const KvmHelperSimProcessConfig *config)
{
  KvmHelperSimProcess *process;

  g_mutex_lock (&sim->lock);
  process = start_process (sim, sim->next_pid++, config);
  g_mutex_unlock (&sim->lock);
  return process;
}

const KvmHelperKernel *
kvmhelper_sim_process_kernel (KvmHelperSimProcess *process)
{
  return &process->kernel;
}

/* kernel/exit.c: do_exit: the address space goes first (exit_mm), then the files, by number
 * (exit_files). */
static void
end_process (KvmHelperSimProcess *process)
{
  KvmHelperSim *sim = process->sim;

  /* One that waits in the kernel, as for an unbind, cannot be ended. */
  while (process->calls > 0)
    kvmhelper_sim_wait (sim);
  while (process->vmas->len > 0)
    {
      const KvmHelperSimVma *vma = process->vmas->pdata[0];

      kvmhelper_sim_unmap (process, vma->start, vma->length);
    }
  for (guint i = 0; i < process->handles->len; i++)
    kvmhelper_sim_process_close (process, (int) i);
  kvmhelper_sim_proc_remove (process);
  g_hash_table_remove (sim->processes, GUINT_TO_POINTER (process->pid));
  kvmhelper_sim_mm_unref (process->mm);
  g_ptr_array_unref (process->nodes);
  g_ptr_array_unref (process->handles);
  g_ptr_array_unref (process->vmas);
  g_free (process->command);
  g_strfreev (process->arguments);
  g_free (process);
  g_cond_broadcast (&sim->changed);
}

void
kvmhelper_sim_process_exit (KvmHelperSimProcess *process)
{
  KvmHelperSim *sim = process->sim;

  g_mutex_lock (&sim->lock);
  end_process (process);
  g_mutex_unlock (&sim->lock);
}

void
kvmhelper_sim_process_free_all (KvmHelperSim *sim)
{
  g_autoptr (GList) processes = g_hash_table_get_values (sim->processes);

  for (GList *i = processes; i != NULL; i = i->next)
    end_process (i->data);
}

int
kvmhelper_sim_process_pass (KvmHelperSimProcess *from, int handle, KvmHelperSimProcess *to)
{
  KvmHelperSim *sim = from->sim;
  KvmHelperSimFile *file;
  int result;

  g_mutex_lock (&sim->lock);
  file = kvmhelper_sim_process_file (from, handle);
  result
      = file == NULL ? -EBADF : kvmhelper_sim_process_install (to, kvmhelper_sim_file_ref (file));
  g_mutex_unlock (&sim->lock);
  return result;
}

guint
kvmhelper_sim_handles (KvmHelperSim *sim)
{
  GHashTableIter iter;
  gpointer process;
  guint count = 0;

  g_mutex_lock (&sim->lock);
  g_hash_table_iter_init (&iter, sim->processes);
  while (g_hash_table_iter_next (&iter, NULL, &process))
    {
      const GPtrArray *handles = ((KvmHelperSimProcess *) process)->handles;

      for (guint i = 0; i < handles->len; i++)
        count += handles->pdata[i] != NULL;
    }
  g_mutex_unlock (&sim->lock);
  return count;
}
