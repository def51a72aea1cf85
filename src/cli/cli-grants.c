/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <pwd.h>

#include "cli/cli-commands.h"
#include "cli/cli-helper.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-lease.h"
#include "cli/cli-table.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)

typedef struct
{
  gboolean all;
  char *allow;
  char *revoke;
  char *user;
  gint64 memory; /* MiB */
} Request;

static void
request_clear (Request *request)
{
  g_free (request->allow);
  g_free (request->revoke);
  g_free (request->user);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

static gboolean
check (const Request *request, GError **error)
{
  gboolean changes = request->allow != NULL || request->revoke != NULL;
  const char *wrong = NULL;

  if (request->allow != NULL && request->revoke != NULL)
    wrong = _ ("--allow and --revoke do not go together.");
  else if (changes != (request->user != NULL) || (changes && request->all))
    wrong = _ ("--user goes with --allow and --revoke, and these with nothing else.");
  else if ((request->allow != NULL) != (request->memory > 0))
    wrong = _ ("--allow needs --memory: how much the user may lock.");
  if (wrong != NULL)
    g_set_error_literal (error, CLI_USAGE_ERROR, 0, wrong);
  return wrong == NULL;
}

static gboolean
find_user (const char *name, guint32 *user, GError **error)
{
  const struct passwd *entry = getpwnam (name);
  guint64 number;

  if (entry != NULL)
    *user = entry->pw_uid;
  else if (g_ascii_string_to_unsigned (name, 10, 0, G_MAXUINT32 - 1, &number, NULL))
    *user = (guint32) number;
  else
    {
      g_set_error (error, CLI_USAGE_ERROR, 0, _ ("There is no user “%s”."), name);
      return FALSE;
    }
  return TRUE;
}

static CliExit
change (CliHelper *helper, const Request *request, const CliOptions *options, GError **error)
{
  const char *argument = request->allow != NULL ? request->allow : request->revoke;
  g_autoptr (GVariant) reply = NULL;
  const char *state = "done";
  PciAddress address;
  char name[PCI_ADDRESS_LEN];
  guint32 user;

  if (!cli_input_address (argument, &address, error) || !find_user (request->user, &user, error))
    return CLI_EXIT_USAGE;
  pci_address_format (&address, name);
  reply = request->allow != NULL
              ? cli_helper_call (
                  helper, "Allow",
                  g_variant_new ("(ust)", user, name, (guint64) request->memory * MIB), error)
              : cli_helper_call (helper, "Revoke", g_variant_new ("(us)", user, name), error);
  if (reply == NULL)
    return CLI_EXIT_FAILED;
  if (request->revoke != NULL)
    g_variant_get (reply, "(&s)", &state);
  if (options->quiet || options->json)
    return CLI_EXIT_OK;
  if (request->allow != NULL)
    cli_text_print (0, CLI_STYLE_GOOD, _ ("It is remembered until it is revoked."));
  else if (g_str_equal (state, "done"))
    cli_text_print (0, CLI_STYLE_GOOD, _ ("It is revoked."));
  else
    cli_text_print (0, CLI_STYLE_WARN,
                    _ ("It is revoked. A guest still has the device; it goes back to the host when "
                       "the guest lets go of it."));
  return CLI_EXIT_OK;
}

static guint64
get_number (GVariant *dict, const char *key)
{
  guint64 number = 0;

  g_variant_lookup (dict, key, "t", &number);
  return number;
}

static void
add_row (CliTable *table, GVariant *dict)
{
  const char *name = cli_lease_get (dict, "user-name");
  guint64 memory = get_number (dict, "memory");
  g_autofree char *size
      = memory == 0 ? g_strdup ("") : g_format_size_full (memory, G_FORMAT_SIZE_IEC_UNITS);
  guint32 user = 0;

  g_variant_lookup (dict, "user", "u", &user);
  cli_table_add (table, CLI_STYLE_PLAIN, cli_lease_get (dict, "address"));
  if (*name != '\0')
    cli_table_add (table, CLI_STYLE_PLAIN, name);
  else
    cli_table_add_format (table, CLI_STYLE_PLAIN, "%u", user);
  cli_table_add (table, CLI_STYLE_PLAIN, size);
  cli_table_add (table, CLI_STYLE_PLAIN, cli_lease_get (dict, "domain-name"));
  cli_table_add (table, CLI_STYLE_PLAIN, cli_lease_get (dict, "phase"));
  cli_table_add (table, CLI_STYLE_PLAIN,
                 memory == 0 ? _ ("revoked") : cli_lease_get (dict, "left"));
}

static void
print_text (GVariant *grants)
{
  const char *const titles[]
      = { _ ("DEVICE"), _ ("USER"), _ ("MEMORY"), _ ("GUEST"), _ ("PHASE"), _ ("NOTE") };
  g_autoptr (CliTable) table = cli_table_new (0, titles, G_N_ELEMENTS (titles));
  GVariantIter iter;
  GVariant *dict;

  if (g_variant_n_children (grants) == 0)
    {
      cli_text_print (0, CLI_STYLE_PLAIN, _ ("Nothing is granted."));
      return;
    }
  cli_table_align_right (table, 2);
  g_variant_iter_init (&iter, grants);
  while (g_variant_iter_loop (&iter, "@a{sv}", &dict))
    add_row (table, dict);
  cli_table_print (table);
}

static JsonObject *
grant_to_json (GVariant *dict)
{
  static const char *const texts[] = { "address",     "user-name",   "device", "lease",
                                       "domain-uuid", "domain-name", "phase",  "left" };
  JsonObject *object = json_object_new ();
  guint32 user = 0;
  gint64 since;

  g_variant_lookup (dict, "user", "u", &user);
  json_object_set_int_member (object, "user", user);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    cli_json_set_text (object, texts[i], cli_lease_get (dict, texts[i]));
  if (get_number (dict, "memory") != 0)
    json_object_set_int_member (object, "memory", (gint64) get_number (dict, "memory"));
  if (g_variant_lookup (dict, "since", "x", &since))
    json_object_set_int_member (object, "since", since);
  return object;
}

static void
print_json (GVariant *grants)
{
  JsonObject *document = cli_json_document_new ();
  JsonArray *array = json_array_new ();
  GVariantIter iter;
  GVariant *dict;

  g_variant_iter_init (&iter, grants);
  while (g_variant_iter_loop (&iter, "@a{sv}", &dict))
    json_array_add_object_element (array, grant_to_json (dict));
  json_object_set_array_member (document, "grants", array);
  cli_json_print (document);
}

static CliExit
list (CliHelper *helper, const Request *request, const CliOptions *options, GError **error)
{
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) grants = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  if (request->all)
    g_variant_builder_add (&builder, "{sv}", "all", g_variant_new_boolean (TRUE));
  reply = cli_helper_call (helper, "ListGrants",
                           g_variant_new ("(@a{sv})", g_variant_builder_end (&builder)), error);
  if (reply == NULL)
    return CLI_EXIT_FAILED;
  grants = g_variant_get_child_value (reply, 0);
  if (options->json)
    print_json (grants);
  else if (!options->quiet)
    print_text (grants);
  return CLI_EXIT_OK;
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_auto (Request) request = { 0 };
  const GOptionEntry own[] = {
    { "all", 'a', 0, G_OPTION_ARG_NONE, &request.all, N_ ("Those of all users"), NULL },
    { "allow", 0, 0, G_OPTION_ARG_STRING, &request.allow,
      N_ ("Let a user's own guests have this device, until it is revoked"), N_ ("ADDRESS") },
    { "revoke", 0, 0, G_OPTION_ARG_STRING, &request.revoke,
      N_ ("Take that back, and the device when the guest lets go of it"), N_ ("ADDRESS") },
    { "user", 'u', 0, G_OPTION_ARG_STRING, &request.user,
      N_ ("With --allow and --revoke: which user"), N_ ("USER") },
    { "memory", 0, 0, G_OPTION_ARG_INT64, &request.memory,
      N_ ("With --allow: how much memory he may lock"), N_ ("MIB") },
    { NULL },
  };
  g_autoptr (CliHelper) helper = NULL;

  if (!cli_options_parse (options, &cli_grants_command, own, argv, error)
      || !cli_options_expect (&cli_grants_command, *argv, 0, 0, error)
      || !cli_options_need_helper (options, &cli_grants_command, error) || !check (&request, error))
    return CLI_EXIT_OK;
  helper = cli_helper_open (options->simulate, error);
  if (helper == NULL)
    return CLI_EXIT_FAILED;
  if (request.allow != NULL || request.revoke != NULL)
    return change (helper, &request, options, error);
  return list (helper, &request, options, error);
}

const CliCommand cli_grants_command = {
  "grants",
  "[--all] | --allow|--revoke ADDRESS --user USER",
  N_ ("Show and decide which devices users' own guests may have"),
  run,
  cli_exit_for_refusal,
};
