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
apply (KvmHelperFaultRule *rule, KvmHelperVerdict *verdict, GArray *events)
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

KvmHelperVerdict
kvmhelper_faults_judge (KvmHelperFaults *faults, KvmHelperCall call, const char *path,
                        gulong request, gsize length)
{
  KvmHelperVerdict verdict = { FALSE, 0, length };
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
