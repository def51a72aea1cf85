/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>

#include "cli/cli-commands.h"
#include "cli/cli-helper.h"
#include "cli/cli-json.h"
#include "cli/cli-lease.h"
#include "cli/cli-table.h"

/* Of --timeout, where it is not given: no number of seconds. */
#define TIMEOUT_UNSAID G_MININT

/* The helper waits no longer (data/org.libvirt.Ppc64.KvmHelper1.xml: Release). */
#define TIMEOUT_MAX 60

/* What the helper says of a lease that stays: left, and the command that ends it; "" for nothing.
 * To be freed with g_free. */
static void
find_left (CliHelper *helper, const char *id, char **left, char **command)
{
  g_autoptr (GVariant) reply = cli_helper_call (helper, "ListLeases", NULL, NULL);
  g_autoptr (GVariantIter) iter = NULL;
  GVariant *dict;

  *left = g_strdup ("");
  *command = g_strdup ("");
  if (reply == NULL)
    return;
  g_variant_get (reply, "(aa{sv})", &iter);
  while (g_variant_iter_loop (iter, "@a{sv}", &dict))
    if (g_str_equal (cli_lease_get (dict, "lease"), id))
      {
        g_free (*left);
        *left = g_strdup (cli_lease_get (dict, "left"));
        g_free (*command);
        *command = g_strdup (cli_lease_get (dict, "command"));
      }
}

static void
print_text (const char *id, gboolean done, const char *left, const char *command)
{
  g_autofree char *clean = cli_text_clean (id, FALSE);
  g_autofree char *verdict
      = g_strdup_printf (done ? _ ("%s is given back.") : _ ("%s is not given back yet."), clean);

  cli_text_print (0, done ? CLI_STYLE_GOOD : CLI_STYLE_BAD, verdict);
  if (*left != '\0')
    cli_text_print (2, CLI_STYLE_WARN, left);
  if (*command != '\0')
    cli_text_print (2, CLI_STYLE_PLAIN, command);
}

static void
print_json (const char *id, const char *state, const char *left, const char *command)
{
  JsonObject *document = cli_json_document_new ();
  JsonObject *release = json_object_new ();

  json_object_set_string_member (release, "lease", id);
  json_object_set_string_member (release, "state", state);
  cli_json_set_text (release, "left", left);
  cli_json_set_text (release, "command", command);
  json_object_set_object_member (document, "release", release);
  cli_json_print (document);
}

static GVariant *
make_options (int timeout, gboolean forget)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (timeout != TIMEOUT_UNSAID)
    g_variant_builder_add (&builder, "{sv}", "timeout", g_variant_new_uint32 ((guint32) timeout));
  if (forget)
    g_variant_builder_add (&builder, "{sv}", "forget", g_variant_new_boolean (TRUE));
  return g_variant_builder_end (&builder);
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  int timeout = TIMEOUT_UNSAID;
  gboolean forget = FALSE;
  const GOptionEntry own[] = {
    { "timeout", 't', 0, G_OPTION_ARG_INT, &timeout,
      N_ ("Wait so long for the group to be free (10)"), N_ ("SECONDS") },
    { "forget", 0, 0, G_OPTION_ARG_NONE, &forget,
      N_ ("End the lease also where something is left, which stays as it is"), NULL },
    { NULL },
  };
  g_autoptr (CliHelper) helper = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autofree char *left = NULL;
  g_autofree char *command = NULL;
  const char *id, *state;
  gboolean done;

  if (!cli_options_parse (options, &cli_release_command, own, argv, error)
      || !cli_options_expect (&cli_release_command, *argv, 1, 1, error)
      || !cli_options_need_helper (options, &cli_release_command, error))
    return CLI_EXIT_OK;
  if (timeout != TIMEOUT_UNSAID && (timeout < 0 || timeout > TIMEOUT_MAX))
    {
      g_set_error_literal (error, CLI_USAGE_ERROR, 0,
                           _ ("--timeout takes a number of seconds from 0 to 60."));
      return CLI_EXIT_USAGE;
    }
  id = (*argv)[1];
  helper = cli_helper_open (options->simulate, error);
  if (helper == NULL)
    return CLI_EXIT_FAILED;
  reply = cli_helper_call (helper, "Release",
                           g_variant_new ("(s@a{sv})", id, make_options (timeout, forget)), error);
  if (reply == NULL)
    return CLI_EXIT_FAILED;
  g_variant_get (reply, "(&s)", &state);
  done = g_str_equal (state, "done");
  find_left (helper, id, &left, &command);
  if (options->json)
    print_json (id, state, left, command);
  else if (!options->quiet)
    print_text (id, done, left, command);
  return done ? CLI_EXIT_OK : CLI_EXIT_REFUSED;
}

const CliCommand cli_release_command = {
  "release",
  "[--timeout SECONDS | --forget] LEASE",
  N_ ("Give a lease's devices back to the host"),
  run,
  cli_exit_for_refusal,
};
