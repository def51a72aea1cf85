/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli-commands.h"
#include "cli/cli-diff.h"
#include "cli/cli-fix-rules.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-plan-text.h"
#include "cli/cli-terminal.h"
#include "hostdev/hostdev-domain.h"

/* More than a guest can have PHBs and devices; rules that undo each other end here. */
#define CHANGES_MAX 512

/* Of --spare-phbs, where it is not given: no number that it takes. */
#define SPARE_UNSAID G_MININT

/* What the command line asks for. */
typedef struct
{
  char *attach;
  char *output;
  gboolean in_place;
  int spare; /* SPARE_UNSAID: as the metadata says */
} Request;

static void
request_clear (Request *request)
{
  g_free (request->attach);
  g_free (request->output);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

/* One thing that was changed, and why. */
typedef struct
{
  char *code;
  char *sentence;
} Change;

static void
change_free (gpointer data)
{
  Change *change = data;

  g_free (change->code);
  g_free (change->sentence);
  g_free (change);
}

/* A file on its way. */
typedef struct
{
  const char *name;
  char *before;
  gsize before_length;
  CliEdit *edit;
  HostdevDevice *device; /* NULL: a start */
  HostdevHost *host;
  HostdevPlan *plan;  /* of what the text is now */
  GPtrArray *changes; /* Change */
} Work;

static void
work_clear (Work *work)
{
  g_free (work->before);
  cli_edit_free (work->edit);
  hostdev_device_free (work->device);
  g_clear_pointer (&work->host, hostdev_host_free);
  g_clear_pointer (&work->plan, hostdev_plan_free);
  g_clear_pointer (&work->changes, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

static void
note (Work *work, const char *code, const char *sentence)
{
  Change *change = g_new0 (Change, 1);

  change->code = g_strdup (code);
  change->sentence = g_strdup (sentence);
  g_ptr_array_add (work->changes, change);
}

static HostdevDomain *
read_domain (const Work *work, GError **error)
{
  gsize length;
  const char *text = cli_edit_get_text (work->edit, &length);
  HostdevDomain *domain = hostdev_domain_new_from_xml (text, (gssize) length, error);

  if (domain == NULL)
    g_prefix_error (error, "%s: ", work->name);
  return domain;
}

/* Plans, and does something about the first reason that something can be done about; *changed:
 * whether there was one. */
static gboolean
step (Work *work, gboolean *changed, GError **error)
{
  g_autoptr (HostdevDomain) domain = read_domain (work, error);
  const GPtrArray *reasons;

  *changed = FALSE;
  if (domain == NULL)
    return FALSE;
  g_clear_pointer (&work->plan, hostdev_plan_free);
  work->plan = work->device != NULL ? hostdev_plan_attach (domain, work->device, work->host)
                                    : hostdev_plan_start (domain, work->host);
  reasons = hostdev_plan_get_reasons (work->plan);
  for (guint i = 0; i < reasons->len && !*changed; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];

      *changed = cli_fix_apply (work->edit, domain, work->host, work->device, work->plan, reason);
      if (*changed)
        note (work, reason->statement->code, reason->sentence);
    }
  return TRUE;
}

static gboolean
wish_spare (Work *work, guint count, GError **error)
{
  g_autoptr (HostdevDomain) domain = read_domain (work, error);

  if (domain == NULL)
    return FALSE;
  if (cli_fix_wish_spare (work->edit, domain, count))
    {
      g_autofree char *sentence
          = g_strdup_printf (ngettext ("The metadata wishes %u PHB free for hotplug.",
                                       "The metadata wishes %u PHBs free for hotplug.", count),
                             count);

      note (work, "spare-phbs", sentence);
    }
  return TRUE;
}

static gboolean
mend (Work *work, const Request *request, GError **error)
{
  gboolean changed = TRUE;

  if (request->spare >= 0 && !wish_spare (work, (guint) request->spare, error))
    return FALSE;
  for (guint i = 0; i < CHANGES_MAX && changed; i++)
    if (!step (work, &changed, error))
      return FALSE;
  return TRUE;
}

/* In the file's place at once, so that nobody sees half of it. */
static gboolean
write_file (const char *name, const char *text, gsize length, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *path = NULL;
  char *real = realpath (name, NULL);
  GStatBuf status;
  int mode = 0666;

  /* A link stays one. */
  path = g_strdup (real != NULL ? real : name);
  free (real);
  if (g_stat (path, &status) == 0)
    mode = (int) (status.st_mode & 07777);
  if (g_file_set_contents_full (path, text, (gssize) length,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, mode,
                                &local))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, _ ("%s cannot be written: %s"),
               name, local->message);
  return FALSE;
}

static const char *
target_of (const Work *work, const Request *request)
{
  return request->in_place ? work->name : request->output;
}

static gboolean
write_result (const Work *work, const Request *request, GError **error)
{
  gsize length;
  const char *text = cli_edit_get_text (work->edit, &length);
  const char *target = target_of (work, request);

  if (target == NULL || (request->in_place && work->changes->len == 0))
    return TRUE;
  if (!g_str_equal (target, "-"))
    return write_file (target, text, length, error);
  fwrite (text, 1, length, stdout); /* main sees whether that went well */
  return TRUE;
}

/* Beside the diff, which is alone on standard output. */
static void
say (const Work *work)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (work->plan);

  for (guint i = 0; i < work->changes->len; i++)
    {
      const Change *change = work->changes->pdata[i];
      g_autofree char *sentence = cli_text_clean (change->sentence, FALSE);

      g_printerr (_ ("Changed, for %s: %s\n"), change->code, sentence);
    }
  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];
      g_autofree char *sentence = cli_text_clean (reason->sentence, FALSE);
      g_autofree char *remedy = cli_text_clean (reason->remedy, FALSE);

      if (reason->severity == HOSTDEV_ADVISE)
        continue;
      g_printerr (_ ("Left, %s: %s %s\n"), reason->statement->code, sentence, remedy);
    }
  if (work->changes->len == 0)
    g_printerr (_ ("Nothing to change.\n"));
}

static JsonArray *
changes_to_json (const GPtrArray *changes)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < changes->len; i++)
    {
      const Change *change = changes->pdata[i];
      JsonObject *object = json_object_new ();

      json_object_set_string_member (object, "code", change->code);
      json_object_set_string_member (object, "sentence", change->sentence);
      json_array_add_object_element (array, object);
    }
  return array;
}

/* The reasons that stay are those of the plan, in its form. */
static void
print_json (const Work *work, const char *target, const char *diff)
{
  JsonObject *document = cli_json_document_new ();
  g_autoptr (JsonNode) plan = hostdev_plan_to_json (work->plan);
  JsonObject *of_plan = json_node_get_object (plan);

  json_object_set_boolean_member (document, "allowed", hostdev_plan_is_allowed (work->plan));
  json_object_set_array_member (document, "changes", changes_to_json (work->changes));
  json_object_set_array_member (document, "reasons",
                                json_array_ref (json_object_get_array_member (of_plan, "reasons")));
  json_object_set_string_member (document, "diff", diff);
  cli_json_set_text (document, "written", target);
  cli_json_print (document);
}

static gboolean
parse (Request *request, CliOptions *options, GStrv *argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "attach", 'a', 0, G_OPTION_ARG_FILENAME, &request->attach,
      N_ ("Have the guest ready for a device: its PCI address, or a file with its XML"),
      N_ ("ADDRESS|FILE") },
    { "spare-phbs", 0, 0, G_OPTION_ARG_INT, &request->spare,
      N_ ("Have so many PHBs free for hotplug, and say so in the metadata"), N_ ("NUMBER") },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &request->output,
      N_ ("Write the whole XML to a file, and no diff"), N_ ("FILE") },
    { "in-place", 'i', 0, G_OPTION_ARG_NONE, &request->in_place, N_ ("Write it back to the file"),
      NULL },
    { NULL },
  };
  const char *wrong = NULL;

  request->spare = SPARE_UNSAID;
  if (!cli_options_parse (options, &cli_fix_command, entries, argv, error)
      || !cli_options_expect (&cli_fix_command, *argv, 1, 1, error))
    return FALSE;
  if (request->output != NULL && request->in_place)
    wrong = _ ("--output and --in-place name two places: one of them.");
  else if (request->in_place && g_str_equal ((*argv)[1], "-"))
    wrong = _ ("Standard input cannot be written back to: give --output.");
  else if (request->spare != SPARE_UNSAID
           && (request->spare < 0 || request->spare > HOSTDEV_PHB_TARGET_MAX))
    wrong = _ ("--spare-phbs takes a number from 0 to 30.");
  else if (options->json && g_strcmp0 (request->output, "-") == 0)
    wrong = _ ("--json and --output=- are both for standard output: one of them.");
  if (wrong != NULL)
    g_set_error_literal (error, CLI_USAGE_ERROR, 0, wrong);
  return wrong == NULL;
}

static gboolean
read_work (Work *work, const Request *request, const CliOptions *options, GError **error)
{
  work->changes = g_ptr_array_new_with_free_func (change_free);
  work->before = cli_input_read (work->name, HOSTDEV_DOMAIN_XML_MAX, &work->before_length, error);
  if (work->before == NULL)
    return FALSE;
  work->edit = cli_edit_new (work->before, work->before_length, HOSTDEV_DOMAIN_XML_MAX, error);
  if (work->edit == NULL)
    {
      g_prefix_error (error, "%s: ", work->name);
      return FALSE;
    }
  if (request->attach != NULL)
    {
      work->device = cli_input_device (request->attach, error);
      if (work->device == NULL)
        return FALSE;
    }
  work->host = cli_input_host (options, error);
  return work->host != NULL;
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_auto (Request) request = { 0 };
  g_auto (Work) work = { 0 };
  g_autofree char *diff = NULL;
  const char *after;
  gsize length;

  if (!parse (&request, options, argv, error))
    return CLI_EXIT_OK;
  work.name = (*argv)[1];
  if (!read_work (&work, &request, options, error) || !mend (&work, &request, error)
      || !write_result (&work, &request, error))
    return CLI_EXIT_FAILED;
  after = cli_edit_get_text (work.edit, &length);
  if (options->json || target_of (&work, &request) == NULL)
    {
      diff = cli_diff (work.name, work.before, work.before_length, after, length, error);
      if (diff == NULL)
        return CLI_EXIT_FAILED;
    }
  if (options->json)
    print_json (&work, target_of (&work, &request), diff);
  else if (!options->quiet)
    {
      say (&work);
      if (diff != NULL)
        cli_diff_print (diff);
    }
  return cli_exit_for_plan (work.plan);
}

const CliCommand cli_fix_command = {
  "fix",
  "FILE [--attach ADDRESS|FILE] [--spare-phbs NUMBER] [--output FILE | --in-place]",
  N_ ("Show, or make, the changes of a domain's XML that a plan asks for"),
  run,
  cli_exit_for_error,
};
