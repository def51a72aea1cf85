/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-session.h"

#include <string.h>

#include "common/common-error.h"
#include "conformance-expect.h"
#include "conformance-value.h"
#include "conformance-verbs.h"

typedef struct
{
  const ConformanceRun *run;
  const ConformanceScript *script;
  ConformanceTell tell;
  gpointer data;
  ConformanceSideData *side;
  ConformanceHost *host;
  GHashTable *processes; /* name -> ConformanceProcess */
  gboolean failed;       /* setup did: the rest is not asked */
} Session;

static void
tell (Session *session, ConformanceResult *result)
{
  session->tell (session->data, result);
  conformance_result_free (result);
}

/* Something about the script as a whole. */
static void
tell_whole (Session *session, ConformanceStatus status, const char *what, const char *why)
{
  ConformanceResult *result = conformance_result_new (session->script->name, 0, what, status);

  if (status == CONFORMANCE_SKIPPED)
    result->reason = g_strdup (why);
  else
    result->got = g_strdup (why);
  result->side = session->script->side;
  tell (session, result);
}

/* --- what the session itself does --- */

static gboolean
start_process (Session *session, const char *name, const ConformanceWords *words, GError **error)
{
  const char *memlock = words != NULL ? conformance_words_named (words, "memlock") : NULL;
  ConformanceProcessConfig config = { FALSE, memlock != NULL, 0 };
  ConformanceProcess *process;

  for (guint i = 2; words != NULL && i < words->words->len; i++)
    if (g_str_equal (conformance_words_nth (words, i), "nobody"))
      config.nobody = TRUE;
  if (memlock != NULL
      && !conformance_value (memlock, NULL, NULL, NULL, NULL, &config.memlock, error))
    return FALSE;
  process = session->run->calls->process_new (session->side, &config, error);
  if (process == NULL)
    return FALSE;
  g_hash_table_insert (session->processes, g_strdup (name), process);
  return TRUE;
}

static ConformanceProcess *
find_process (Session *session, const char *name, GError **error)
{
  ConformanceProcess *process
      = g_hash_table_lookup (session->processes, name != NULL ? name : "main");

  if (process == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, "there is no process %s",
                 name);
  return process;
}

static gboolean
do_session (Session *session, ConformanceProcess *process, const char *call,
            const ConformanceWords *words, ConformanceReply **reply, GError **error)
{
  const ConformanceSideCalls *calls = session->run->calls;
  const char *verb = conformance_words_nth (words, 0);
  const char *name = conformance_words_nth (words, 1);
  const char *within = conformance_words_named (words, "within");
  ConformanceProcess *to;
  guint milliseconds = 10000;

  if (g_str_equal (verb, "process"))
    return start_process (session, name, words, error);
  if (g_str_equal (verb, "kill"))
    {
      if (find_process (session, name, error) == NULL)
        return FALSE;
      calls->process_kill (g_hash_table_lookup (session->processes, name));
      g_hash_table_remove (session->processes, name);
    }
  else if (g_str_equal (verb, "pass"))
    {
      to = find_process (session, conformance_words_nth (words, 3), error);
      if (to == NULL)
        return FALSE;
      (*reply)->answer = calls->pass (process, name, to);
    }
  else if (g_str_equal (verb, "begin"))
    calls->begin (process, strstr (call, "begin") + strlen ("begin"));
  else if (g_str_equal (verb, "result"))
    {
      if (within != NULL && !conformance_milliseconds (within, &milliseconds, error))
        return FALSE;
      g_clear_pointer (reply, conformance_reply_free);
      *reply = calls->result (process, milliseconds);
    }
  else
    {
      if (!conformance_milliseconds (name, &milliseconds, error))
        return FALSE;
      g_usleep (milliseconds * 1000);
    }
  return TRUE;
}

/* Makes the call of a line; a mistake is a reply too. */
static ConformanceReply *
ask (Session *session, const ConformanceLine *line)
{
  const ConformanceSideCalls *calls = session->run->calls;
  ConformanceReply *reply = conformance_reply_new ();
  GError *error = NULL;
  g_autofree char *call = conformance_expand (line->call, session->host->variables, &error);
  g_autoptr (ConformanceWords) words = call != NULL ? conformance_words_new (call, &error) : NULL;
  ConformanceProcess *process
      = words != NULL ? find_process (session, line->process, &error) : NULL;
  const char *verb;

  if (process != NULL)
    {
      verb = conformance_words_nth (words, 0);
      if (conformance_verbs_is_session (verb))
        do_session (session, process, call, words, &reply, &error);
      else
        {
          conformance_reply_free (reply);
          reply = conformance_verbs_is_outside (verb) ? calls->outside (session->side, call)
                                                      : calls->ask (process, call);
        }
    }
  if (error != NULL)
    {
      conformance_reply_free (reply);
      reply = conformance_reply_mistake (error);
    }
  return reply;
}

/* --- lines --- */

static const char *
expected_answer (Session *session, const ConformanceLine *line)
{
  const ConformanceAlternative *plain = g_ptr_array_index (line->alternatives, 0);

  for (guint i = 1; i < line->alternatives->len; i++)
    {
      const ConformanceAlternative *alternative = g_ptr_array_index (line->alternatives, i);

      if (conformance_condition_holds (alternative->condition, &session->host->facts))
        return alternative->answer;
    }
  return plain->answer;
}

static void
keep (Session *session, const ConformanceLine *line, const ConformanceReply *reply)
{
  for (guint i = 0; i < line->keeps->len; i++)
    {
      const ConformanceKeep *kept = g_ptr_array_index (line->keeps, i);
      const ConformanceFieldValue *field = conformance_reply_field (reply, kept->field);

      if (field == NULL)
        continue;
      g_hash_table_replace (session->host->variables, g_strdup (kept->variable),
                            field->text != NULL
                                ? g_strdup (field->text)
                                : g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", field->number));
    }
}

/* Asks again until it is as expected, where the line says so. */
static ConformanceReply *
ask_within (Session *session, const ConformanceLine *line, const ConformanceExpect *expect,
            char **got)
{
  gint64 end = g_get_monotonic_time () + line->within * G_TIME_SPAN_MILLISECOND;

  for (;;)
    {
      ConformanceReply *reply = ask (session, line);

      if (conformance_expect_matches (expect, reply, got) || reply->kind == CONFORMANCE_MISTAKE
          || g_get_monotonic_time () >= end)
        return reply;
      g_clear_pointer (got, g_free);
      conformance_reply_free (reply);
      g_usleep (50000);
    }
}

static void
check (Session *session, const ConformanceLine *line, ConformanceResult *result)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *answer
      = conformance_expand (expected_answer (session, line), session->host->variables, &error);
  g_autoptr (ConformanceExpect) expect
      = answer != NULL ? conformance_expect_new (answer, &error) : NULL;
  g_autoptr (ConformanceReply) reply = NULL;

  result->expected = g_strdup (answer != NULL ? answer : expected_answer (session, line));
  if (expect == NULL)
    {
      result->got = g_strdup (error->message);
      return;
    }
  reply = ask_within (session, line, expect, &result->got);
  keep (session, line, reply);
}

static void
set_up (Session *session, const ConformanceLine *line, ConformanceResult *result)
{
  g_autoptr (ConformanceReply) reply = ask (session, line);

  keep (session, line, reply);
  if (!conformance_reply_failed (reply))
    return;
  result->got = conformance_reply_describe (reply);
  session->failed = TRUE;
}

static void
run_line (Session *session, const ConformanceLine *line)
{
  ConformanceSide other
      = session->run->calls->real ? CONFORMANCE_MODEL_ONLY : CONFORMANCE_REAL_ONLY;
  gboolean is_check = line->alternatives->len > 0;
  ConformanceResult *result
      = conformance_result_new (session->script->name, line->line, line->text, CONFORMANCE_SKIPPED);

  result->side = line->side != CONFORMANCE_BOTH ? line->side : session->script->side;
  result->reason
      = g_strdup (line->side != CONFORMANCE_BOTH ? line->reason : session->script->reason);
  if (line->side != other)
    {
      if (session->failed)
        result->got = g_strdup ("not asked: setup has failed");
      else if (is_check)
        check (session, line, result);
      else
        set_up (session, line, result);
      result->status = result->got == NULL ? CONFORMANCE_OK : CONFORMANCE_NOT_OK;
    }
  if (is_check
      || (result->status == CONFORMANCE_NOT_OK && !g_str_has_prefix (result->got, "not asked"))
      || (session->run->verbose && result->status == CONFORMANCE_OK))
    session->tell (session->data, result);
  conformance_result_free (result);
}

/* --- the whole --- */

static GPtrArray *
bound (Session *session, GError **error)
{
  g_autoptr (GPtrArray) functions = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < session->script->bind->len; i++)
    {
      char *bdf = conformance_expand (g_ptr_array_index (session->script->bind, i),
                                      session->host->variables, error);

      if (bdf == NULL)
        return NULL;
      g_ptr_array_add (functions, bdf);
    }
  return g_steal_pointer (&functions);
}

static void
kill_all (Session *session)
{
  GHashTableIter iter;
  gpointer process;

  g_hash_table_iter_init (&iter, session->processes);
  while (g_hash_table_iter_next (&iter, NULL, &process))
    session->run->calls->process_kill (process);
  g_hash_table_remove_all (session->processes);
}

static void
run_lines (Session *session)
{
  g_autoptr (GError) error = NULL;
  guint open;

  if (!start_process (session, "main", NULL, &error))
    {
      tell_whole (session, CONFORMANCE_NOT_OK, "a process starts", error->message);
      return;
    }
  for (guint i = 0; i < session->script->lines->len; i++)
    run_line (session, g_ptr_array_index (session->script->lines, i));
  kill_all (session);
  open = session->run->calls->left_open (session->side);
  if (open > 0)
    {
      g_autofree char *text = g_strdup_printf ("%u handles are open", open);

      tell_whole (session, CONFORMANCE_NOT_OK, "nothing is left of the script", text);
    }
}

static void
run_bound (Session *session)
{
  const KvmHelperKernel *kernel = session->run->calls->kernel (session->side);
  GError *error = NULL;
  g_autoptr (GPtrArray) functions = bound (session, &error);
  guint done = 0;

  while (functions != NULL && done < functions->len
         && conformance_host_bind (kernel, g_ptr_array_index (functions, done), &error))
    done++;
  if (error == NULL)
    run_lines (session);
  else
    tell_whole (session, CONFORMANCE_NOT_OK, "vfio-pci takes the devices", error->message);
  g_clear_error (&error);
  for (guint i = 0; functions != NULL && i < functions->len; i++)
    if (!conformance_host_bind_back (kernel, g_ptr_array_index (functions, i), &error))
      {
        tell_whole (session, CONFORMANCE_NOT_OK, "the devices are back", error->message);
        g_clear_error (&error);
      }
}

static void
run_on_host (Session *session)
{
  for (guint i = 0; i < session->script->needs->len; i++)
    {
      const char *need = g_ptr_array_index (session->script->needs, i);
      g_autofree char *why = g_strdup_printf ("needs %s", need);

      if (!conformance_host_has (session->host, need))
        {
          tell_whole (session, CONFORMANCE_SKIPPED, session->script->title, why);
          return;
        }
    }
  run_bound (session);
}

void
conformance_session_run (const ConformanceRun *run, const ConformanceScript *script,
                         ConformanceTell told, gpointer data)
{
  Session session = { .run = run, .script = script, .tell = told, .data = data };
  g_autoptr (GError) error = NULL;
  g_autofree char *directory = g_path_get_dirname (script->path);
  g_autofree char *own_host
      = script->host != NULL ? g_build_filename (directory, script->host, NULL) : NULL;

  session.side = run->calls->start (own_host != NULL ? own_host : run->description, &error);
  if (session.side != NULL)
    session.host = conformance_host_new (run->calls->kernel (session.side), run->calls->real,
                                         run->directory, run->host_file, &error);
  if (session.host == NULL)
    tell_whole (&session, CONFORMANCE_NOT_OK, "the host is there", error->message);
  else
    {
      session.processes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      run_on_host (&session);
      g_hash_table_unref (session.processes);
      conformance_host_free (session.host);
    }
  if (session.side != NULL)
    run->calls->stop (session.side);
}
