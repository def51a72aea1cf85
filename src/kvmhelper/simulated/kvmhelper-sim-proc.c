/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-private.h"

/* /proc/PID (fs/proc/base.c, fd.c, array.c, task_mmu.c): what tells who holds what. */

/* O_LARGEFILE as the kernel has it; the C library's is 0 where every file is large. */
#ifdef __powerpc64__
#define LARGEFILE 0200000
#else
#define LARGEFILE 0100000
#endif

/* TASK_COMM_LEN */
#define MAX_COMMAND 15

static char *
show_comm (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimProcess *process = object;

  return g_strdup_printf ("%.*s\n", MAX_COMMAND, process->command);
}

/* comm_write: a process names itself, and no other. */
static int
store_comm (gpointer object, const char *text, gsize length)
{
  KvmHelperSimProcess *process = object;

  if (process->sim->caller != process)
    return -EINVAL;
  g_free (process->command);
  process->command = g_strndup (text, MAX_COMMAND);
  return 0;
}

static char *
show_cmdline (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimProcess *process = object;
  GString *text = g_string_new (process->command);

  /* each with its NUL */
  g_string_append_c (text, '\0');
  for (char **word = process->arguments; word != NULL && *word != NULL; word++)
    g_string_append_len (text, *word, (gssize) strlen (*word) + 1);
  *length = text->len;
  return g_string_free (text, FALSE);
}

/* fs/proc/array.c: do_task_stat; what is not modelled is 0. */
static char *
show_stat (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimProcess *process = object;
  guint pid = process->pid;
  GString *text = g_string_new (NULL);

  g_string_printf (text, "%u (%.*s) S %u %u %u 0 -1 4194560", pid, MAX_COMMAND, process->command,
                   process->parent, pid, pid);
  for (guint field = 10; field <= 52; field++)
    {
      guint64 value = 0;

      if (field == 18) /* priority */
        value = 20;
      else if (field == 20) /* threads */
        value = 1;
      else if (field == 22) /* starttime, in ticks of USER_HZ */
        value = (guint64) process->started / (G_USEC_PER_SEC / 100);
      g_string_append_printf (text, " %" G_GUINT64_FORMAT, value);
    }
  g_string_append_c (text, '\n');
  return g_string_free (text, FALSE);
}

static char *
show_status (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimProcess *process = object;
  guint uid = process->uid;
  /* All of Linux 6.12's for root; CAP_IPC_LOCK is number 14. */
  guint64 capabilities = uid == 0 ? G_GUINT64_CONSTANT (0x1ffffffffff) : 0;

  if (process->ipc_lock)
    capabilities |= 1 << 14;
  else
    capabilities &= ~(guint64) (1 << 14);
  return g_strdup_printf (
      "Name:\t%.*s\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\n"
      "PPid:\t%u\nTracerPid:\t0\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\n"
      "VmLck:\t%8" G_GUINT64_FORMAT " kB\nVmPin:\t       0 kB\nThreads:\t1\n"
      "CapPrm:\t%016" G_GINT64_MODIFIER "x\nCapEff:\t%016" G_GINT64_MODIFIER "x\n",
      MAX_COMMAND, process->command, process->pid, process->pid, process->parent, uid, uid, uid,
      uid, uid, uid, uid, uid, MAX (64, process->handles->len), process->mm->locked / 1024,
      capabilities, capabilities);
}

static void
append_limit (GString *text, const char *name, guint64 soft, guint64 hard, const char *unit)
{
  const guint64 values[2] = { soft, hard };

  g_string_append_printf (text, "%-25s ", name);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, values[i]);

      g_string_append_printf (text, "%-20s ", values[i] == G_MAXUINT64 ? "unlimited" : number);
    }
  g_string_append_printf (text, "%-10s\n", unit);
}

/* fs/proc/base.c: proc_pid_limits */
static char *
show_limits (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimProcess *process = object;
  GString *text = g_string_new (NULL);

  g_string_printf (text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
  append_limit (text, "Max cpu time", G_MAXUINT64, G_MAXUINT64, "seconds");
  append_limit (text, "Max file size", G_MAXUINT64, G_MAXUINT64, "bytes");
  append_limit (text, "Max open files", KVMHELPER_SIM_MAX_HANDLES, 524288, "files");
  append_limit (text, "Max locked memory", process->memlock, process->memlock_hard, "bytes");
  append_limit (text, "Max address space", G_MAXUINT64, G_MAXUINT64, "bytes");
  return g_string_free (text, FALSE);
}

/* What /proc/PID/fd/N and maps call an open file. */
static char *
file_name (const KvmHelperSimFile *file)
{
  if (file->kind->link != NULL)
    return g_strdup (file->kind->link);
  return g_strconcat (file->path == NULL ? "anon_inode:[unknown]" : file->path,
                      file->node != NULL && file->node->removed ? " (deleted)" : NULL, NULL);
}

static int
compare_vmas (gconstpointer a, gconstpointer b)
{
  const KvmHelperSimVma *first = *(const KvmHelperSimVma *const *) a;
  const KvmHelperSimVma *second = *(const KvmHelperSimVma *const *) b;

  return (first->start > second->start) - (first->start < second->start);
}

/* fs/proc/task_mmu.c: show_map_vma; of what is mapped, devices alone. */
static char *
show_maps (gpointer object, gsize *length, int *errnum)
{
  KvmHelperSimProcess *process = object;
  g_autoptr (GPtrArray) vmas = g_ptr_array_copy (process->vmas, NULL, NULL);
  GString *text = g_string_new (NULL);

  g_ptr_array_sort (vmas, compare_vmas);
  for (guint i = 0; i < vmas->len; i++)
    {
      const KvmHelperSimVma *vma = vmas->pdata[i];
      g_autofree char *name = file_name (vma->file);

      g_string_append_printf (text, "%08zx-%08zx rw-s %08" G_GINT64_MODIFIER "x 00:0e 1 %s\n",
                              (gsize) vma->start, (gsize) vma->start + vma->length, vma->offset,
                              name);
    }
  return g_string_free (text, FALSE);
}

static const KvmHelperSimAttribute process_attributes[] = {
  { "cmdline", 0444, show_cmdline },
  { "comm", 0644, show_comm, store_comm },
  { "limits", 0444, show_limits },
  { "maps", 0444, show_maps },
  { "stat", 0444, show_stat },
  { "status", 0444, show_status },
  { NULL },
};

/* --- fd and fdinfo --- */

static void
list_handles (gpointer object, KvmHelperSimProcess *caller, GPtrArray *names)
{
  const KvmHelperSimProcess *process = object;

  for (guint i = 0; i < process->handles->len; i++)
    if (process->handles->pdata[i] != NULL)
      g_ptr_array_add (names, g_strdup_printf ("%u", i));
}

static KvmHelperSimFile *
find_handle (KvmHelperSimProcess *process, const char *name)
{
  guint64 number;

  if (!g_ascii_string_to_unsigned (name, 10, 0, G_MAXINT, &number, NULL)
      || (name[0] == '0' && name[1] != '\0'))
    return NULL;
  return kvmhelper_sim_process_file (process, (int) number);
}

static KvmHelperSimNode *
keep (KvmHelperSimProcess *process, KvmHelperSimNode *node)
{
  g_ptr_array_set_size (process->nodes, 0);
  g_ptr_array_add (process->nodes, node);
  return node;
}

static KvmHelperSimNode *
find_link (gpointer object, KvmHelperSimProcess *caller, const char *name)
{
  KvmHelperSimProcess *process = object;
  const KvmHelperSimFile *file = find_handle (process, name);
  g_autofree char *target = file == NULL ? NULL : file_name (file);

  if (file == NULL)
    return NULL;
  return keep (process, kvmhelper_sim_node_new_link (process->sim, target, &file->stat));
}

/* fs/proc/fd.c: seq_show; the handles of the seam are all close-on-exec. */
static KvmHelperSimNode *
find_info (gpointer object, KvmHelperSimProcess *caller, const char *name)
{
  KvmHelperSimProcess *process = object;
  const KvmHelperSimFile *file = find_handle (process, name);
  g_autofree char *text = NULL;
  g_autofree char *more = NULL;

  if (file == NULL)
    return NULL;
  more = kvmhelper_sim_pidfd_info (file);
  text = g_strdup_printf ("pos:\t%" G_GUINT64_FORMAT "\nflags:\t0%o\nmnt_id:\t1\nino:\t1\n%s",
                          file->position,
                          (guint) file->flags | O_CLOEXEC | (file->path == NULL ? 0 : LARGEFILE),
                          more == NULL ? "" : more);
  return keep (process, kvmhelper_sim_node_new_text (process->sim, 0444, text, -1));
}

static const KvmHelperSimDirectoryKind fd_kind = { list_handles, find_link };
static const KvmHelperSimDirectoryKind fdinfo_kind = { list_handles, find_info };

/* --- what every process has, and which one asks --- */

static void
list_common (gpointer object, KvmHelperSimProcess *caller, GPtrArray *names)
{
  KvmHelperSim *sim = object;

  kvmhelper_sim_node_list (sim->process_files, caller, names);
}

static KvmHelperSimNode *
find_common (gpointer object, KvmHelperSimProcess *caller, const char *name)
{
  KvmHelperSim *sim = object;
  KvmHelperSimNode *files = sim->process_files;

  return files->children == NULL ? NULL : g_hash_table_lookup (files->children, name);
}

static const KvmHelperSimDirectoryKind common_kind = { list_common, find_common };

static void
list_self (gpointer object, KvmHelperSimProcess *caller, GPtrArray *names)
{
  g_ptr_array_add (names, g_strdup ("self"));
  g_ptr_array_add (names, g_strdup ("thread-self"));
}

static KvmHelperSimNode *
find_self (gpointer object, KvmHelperSimProcess *caller, const char *name)
{
  g_autofree char *target = NULL;

  if (g_str_equal (name, "self"))
    target = g_strdup_printf ("%u", caller->pid);
  else if (g_str_equal (name, "thread-self"))
    target = g_strdup_printf ("%u/task/%u", caller->pid, caller->pid);
  else
    return NULL;
  return keep (caller, kvmhelper_sim_node_new_link (caller->sim, target, NULL));
}

static const KvmHelperSimDirectoryKind self_kind = { list_self, find_self };

KvmHelperSimNode *
kvmhelper_sim_process_files (KvmHelperSim *sim)
{
  return sim->process_files;
}

void
kvmhelper_sim_proc_start (KvmHelperSim *sim)
{
  kvmhelper_sim_directory_dynamic (sim->roots[KVMHELPER_PROC], ".", &self_kind, sim);
}

/* fs/proc/base.c: tgid_base_stuff, fs/proc/fd.c: proc_fdinfo_permission: fd and fdinfo are the
 * owner's alone, whatever the mode says. */
static KvmHelperSimNode *
add_private (KvmHelperSimNode *directory, const char *name, guint mode,
             const KvmHelperSimDirectoryKind *kind, KvmHelperSimProcess *process)
{
  KvmHelperSimNode *node = kvmhelper_sim_directory_dynamic (directory, name, kind, process);

  node->mode = mode;
  node->secret = TRUE;
  node->owner = process->uid;
  return node;
}

static void
fill (KvmHelperSimNode *directory, KvmHelperSimProcess *process)
{
  directory->kind = &common_kind;
  directory->object = process->sim;
  directory->mode = 0555;
  directory->owner = process->uid;
  add_private (directory, "fd", 0500, &fd_kind, process);
  /* proc_pid_permission, proc_fdinfo_permission; the others have no such function */
  add_private (directory, "fdinfo", 0555, &fdinfo_kind, process)->of_process = TRUE;
}

void
kvmhelper_sim_proc_add (KvmHelperSimProcess *process)
{
  KvmHelperSimNode *proc = process->sim->roots[KVMHELPER_PROC];
  g_autofree char *name = g_strdup_printf ("%u", process->pid);
  KvmHelperSimNode *directory = kvmhelper_sim_directory (proc, name, process_attributes, process);
  KvmHelperSimNode *tasks = kvmhelper_sim_directory (directory, "task", NULL, NULL);

  tasks->mode = 0555;
  tasks->of_process = directory->of_process = TRUE;
  fill (directory, process);
  fill (kvmhelper_sim_directory (tasks, name, process_attributes, process), process);
}

void
kvmhelper_sim_proc_remove (KvmHelperSimProcess *process)
{
  g_autofree char *name = g_strdup_printf ("%u", process->pid);

  kvmhelper_sim_remove (process->sim->roots[KVMHELPER_PROC], name);
}
