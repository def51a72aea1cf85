/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-fault-private.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "common/common-error.h"

#include <glib/gi18n-lib.h>

struct _KvmHelperFaults
{
  KvmHelperFaultHooks hooks;
  GMutex lock;
  GPtrArray *rules; /* elements KvmHelperFaultRule */
  guint64 calls;
};

/* A kernel under the rules. */
typedef struct
{
  KvmHelperFaults *faults;
  const KvmHelperKernel *base;
  GMutex lock;
  GHashTable *paths; /* handle -> "/sys/…", of those that were opened by a path */
} Layer;

static void
kill_here (gpointer data)
{
  _exit (128 + SIGKILL);
}

static gboolean
check_hooks (const KvmHelperFaults *faults, const KvmHelperFaultRule *rule, GError **error)
{
  if ((rule->action == KVMHELPER_FAULT_VANISH && faults->hooks.vanish == NULL)
      || (rule->action == KVMHELPER_FAULT_REPLACE && faults->hooks.replace == NULL))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   _ ("The fault \"%s\" needs a host that is simulated"), rule->text);
      return FALSE;
    }
  return TRUE;
}

static gboolean
add_rules (KvmHelperFaults *faults, const char *text, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (text, ";", -1);

  for (guint i = 0; parts[i] != NULL; i++)
    {
      KvmHelperFaultRule *rule;

      if (*g_strstrip (parts[i]) == '\0')
        continue;
      rule = kvmhelper_fault_rule_parse (parts[i], error);
      if (rule == NULL)
        return FALSE;
      g_ptr_array_add (faults->rules, rule);
      if (!check_hooks (faults, rule, error))
        return FALSE;
    }
  return TRUE;
}

KvmHelperFaults *
kvmhelper_faults_parse (const char *const *rules, const KvmHelperFaultHooks *hooks, GError **error)
{
  g_autoptr (KvmHelperFaults) faults = g_new0 (KvmHelperFaults, 1);

  g_mutex_init (&faults->lock);
  faults->rules = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_fault_rule_free);
  if (hooks != NULL)
    faults->hooks = *hooks;
  if (faults->hooks.kill == NULL)
    faults->hooks.kill = kill_here;
  for (guint i = 0; rules[i] != NULL; i++)
    if (!add_rules (faults, rules[i], error))
      return NULL;
  return g_steal_pointer (&faults);
}

void
kvmhelper_faults_free (KvmHelperFaults *faults)
{
  g_ptr_array_unref (faults->rules);
  g_mutex_clear (&faults->lock);
  g_free (faults);
}

/* --- what a call comes to --- */

typedef struct
{
  gboolean refused;
  int errnum; /* of one that is refused; 0: a lie */
  gsize length;
} Verdict;

static gboolean
fits (const KvmHelperFaultRule *rule, KvmHelperCall call, const char *path, gulong request)
{
  if (rule->call != KVMHELPER_CALL_ANY && rule->call != call)
    return FALSE;
  if (rule->pattern == NULL)
    return TRUE;
  return (path != NULL && g_pattern_spec_match_string (rule->pattern, path))
         || (call == KVMHELPER_CALL_IOCTL && kvmhelper_ioctl_matches (request, rule->pattern));
}

/* Counts the call, and says whether the rule strikes it. */
static gboolean
strikes (KvmHelperFaultRule *rule, KvmHelperCall call)
{
  gboolean refusable = call != KVMHELPER_CALL_CLOSE && call != KVMHELPER_CALL_LOAD;

  rule->seen++;
  if (rule->action == KVMHELPER_FAULT_REFUSE && !refusable)
    return FALSE;
  if (rule->seen < rule->number)
    return FALSE;
  return rule->number == 0 || rule->onwards || rule->struck == 0;
}

/* What is to be done outside of the lock, in the order of the rules. */
typedef struct
{
  KvmHelperFaultAction action;
  guint64 amount;
  PciAddress address;
} Event;

static void
run_event (const KvmHelperFaultHooks *hooks, const Event *event)
{
  switch (event->action)
    {
    case KVMHELPER_FAULT_DELAY:
      g_usleep (event->amount * 1000);
      break;
    case KVMHELPER_FAULT_KILL:
      hooks->kill (hooks->data);
      break;
    case KVMHELPER_FAULT_VANISH:
      hooks->vanish (&event->address, hooks->data);
      break;
    case KVMHELPER_FAULT_REPLACE:
      hooks->replace (&event->address, hooks->data);
      break;
    case KVMHELPER_FAULT_REFUSE:
    case KVMHELPER_FAULT_SHORT:
    case KVMHELPER_FAULT_LIE:
      break;
    }
}

static gboolean
is_event (const KvmHelperFaultRule *rule)
{
  return rule->action == KVMHELPER_FAULT_DELAY || rule->action == KVMHELPER_FAULT_KILL
         || rule->action == KVMHELPER_FAULT_VANISH || rule->action == KVMHELPER_FAULT_REPLACE;
}

/* The rule strikes: its answer, or what is to be done before the call. */
static void
apply (KvmHelperFaultRule *rule, Verdict *verdict, GArray *events)
{
  const Event event = { rule->action, rule->amount, rule->address };

  if (is_event (rule))
    g_array_append_val (events, event);
  else if (verdict->refused)
    return; /* by a rule before it */
  else if (rule->action == KVMHELPER_FAULT_SHORT)
    verdict->length = MIN (verdict->length, rule->amount);
  else
    {
      verdict->refused = TRUE;
      verdict->errnum = rule->action == KVMHELPER_FAULT_LIE ? 0 : rule->errnum;
    }
  rule->struck++;
}

static Verdict
judge (KvmHelperFaults *faults, KvmHelperCall call, const char *path, gulong request, gsize length)
{
  Verdict verdict = { FALSE, 0, length };
  g_autoptr (GArray) events = g_array_new (FALSE, FALSE, sizeof (Event));

  g_mutex_lock (&faults->lock);
  faults->calls++;
  for (guint i = 0; i < faults->rules->len; i++)
    {
      KvmHelperFaultRule *rule = faults->rules->pdata[i];

      if (fits (rule, call, path, request) && strikes (rule, call))
        apply (rule, &verdict, events);
    }
  g_mutex_unlock (&faults->lock);
  for (guint i = 0; i < events->len; i++)
    run_event (&faults->hooks, &g_array_index (events, Event, i));
  return verdict;
}

static Verdict
judge_path (const Layer *layer, KvmHelperCall call, KvmHelperRoot root, const char *path,
            gsize length)
{
  g_autofree char *full = g_strconcat (kvmhelper_kernel_root_name (root), "/", path, NULL);

  return judge (layer->faults, call, full, 0, length);
}

static Verdict
judge_handle (Layer *layer, KvmHelperCall call, int handle, gulong request, gsize length)
{
  g_autofree char *path = NULL;

  g_mutex_lock (&layer->lock);
  path = g_strdup (g_hash_table_lookup (layer->paths, GINT_TO_POINTER (handle)));
  g_mutex_unlock (&layer->lock);
  return judge (layer->faults, call, path, request, length);
}

/* --- the calls --- */

static int
fault_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  Layer *layer = data;
  Verdict verdict = judge_path (layer, KVMHELPER_CALL_OPEN, root, path, 0);
  int handle;

  if (verdict.refused)
    return -verdict.errnum;
  handle = layer->base->calls->open (layer->base->data, root, path, flags);
  if (handle >= 0)
    {
      g_mutex_lock (&layer->lock);
      g_hash_table_replace (layer->paths, GINT_TO_POINTER (handle),
                            g_strconcat (kvmhelper_kernel_root_name (root), "/", path, NULL));
      g_mutex_unlock (&layer->lock);
    }
  return handle;
}

static void
fault_close (gpointer data, int handle)
{
  Layer *layer = data;

  judge_handle (layer, KVMHELPER_CALL_CLOSE, handle, 0, 0);
  /* Before the handle may be another's. */
  g_mutex_lock (&layer->lock);
  g_hash_table_remove (layer->paths, GINT_TO_POINTER (handle));
  g_mutex_unlock (&layer->lock);
  layer->base->calls->close (layer->base->data, handle);
}

static gssize
fault_read (gpointer data, int handle, void *buffer, gsize length)
{
  Layer *layer = data;
  Verdict verdict = judge_handle (layer, KVMHELPER_CALL_READ, handle, 0, length);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->read (layer->base->data, handle, buffer, verdict.length);
}

static gssize
fault_write (gpointer data, int handle, const void *buffer, gsize length)
{
  Layer *layer = data;
  Verdict verdict = judge_handle (layer, KVMHELPER_CALL_WRITE, handle, 0, length);

  if (verdict.refused)
    return verdict.errnum == 0 ? (gssize) verdict.length : -verdict.errnum;
  return layer->base->calls->write (layer->base->data, handle, buffer, verdict.length);
}

static gssize
fault_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  Layer *layer = data;
  Verdict verdict = judge_path (layer, KVMHELPER_CALL_READLINK, root, path, size);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->readlink (layer->base->data, root, path, buffer, verdict.length);
}

static int
fault_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  Layer *layer = data;
  Verdict verdict = judge_path (layer, KVMHELPER_CALL_LIST, root, path, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->list (layer->base->data, root, path, names);
}

static int
fault_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  Layer *layer = data;
  Verdict verdict = judge_path (layer, KVMHELPER_CALL_STAT, root, path, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->stat (layer->base->data, root, path, result);
}

static int
fault_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  Layer *layer = data;
  Verdict verdict = judge_handle (layer, KVMHELPER_CALL_IOCTL, handle, request, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->ioctl (layer->base->data, handle, request, argument);
}

static int
fault_mmap (gpointer data, int handle, gsize length, guint64 offset, void **address)
{
  Layer *layer = data;
  Verdict verdict = judge_handle (layer, KVMHELPER_CALL_MMAP, handle, 0, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->mmap (layer->base->data, handle, length, offset, address);
}

static int
fault_munmap (gpointer data, void *address, gsize length)
{
  Layer *layer = data;
  Verdict verdict = judge (layer->faults, KVMHELPER_CALL_MUNMAP, NULL, 0, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->munmap (layer->base->data, address, length);
}

static guint64
fault_load (gpointer data, const void *address)
{
  Layer *layer = data;

  judge (layer->faults, KVMHELPER_CALL_LOAD, NULL, 0, 0);
  return layer->base->calls->load (layer->base->data, address);
}

static int
fault_eventfd (gpointer data)
{
  Layer *layer = data;
  Verdict verdict = judge (layer->faults, KVMHELPER_CALL_EVENTFD, NULL, 0, 0);

  if (verdict.refused)
    return -verdict.errnum;
  return layer->base->calls->eventfd (layer->base->data);
}

static const KvmHelperKernelCalls fault_calls = {
  .open = fault_open,
  .close = fault_close,
  .read = fault_read,
  .write = fault_write,
  .readlink = fault_readlink,
  .list = fault_list,
  .stat = fault_stat,
  .ioctl = fault_ioctl,
  .mmap = fault_mmap,
  .munmap = fault_munmap,
  .load = fault_load,
  .eventfd = fault_eventfd,
};

KvmHelperKernel *
kvmhelper_faults_wrap (KvmHelperFaults *faults, const KvmHelperKernel *base)
{
  KvmHelperKernel *kernel = g_new0 (KvmHelperKernel, 1);
  Layer *layer = g_new0 (Layer, 1);

  layer->faults = faults;
  layer->base = base;
  layer->paths = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_mutex_init (&layer->lock);
  *kernel = *base;
  kernel->calls = &fault_calls;
  kernel->data = layer;
  return kernel;
}

void
kvmhelper_faults_unwrap (KvmHelperKernel *kernel)
{
  Layer *layer = kernel->data;

  g_hash_table_unref (layer->paths);
  g_mutex_clear (&layer->lock);
  g_free (layer);
  g_free (kernel);
}

guint64
kvmhelper_faults_calls (KvmHelperFaults *faults)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&faults->lock);

  return faults->calls;
}

guint
kvmhelper_faults_count (const KvmHelperFaults *faults)
{
  return faults->rules->len;
}

const char *
kvmhelper_faults_rule (const KvmHelperFaults *faults, guint index)
{
  return ((const KvmHelperFaultRule *) faults->rules->pdata[index])->text;
}

guint
kvmhelper_faults_struck (KvmHelperFaults *faults, guint index)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&faults->lock);

  return ((const KvmHelperFaultRule *) faults->rules->pdata[index])->struck;
}
