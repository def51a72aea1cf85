/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <unistd.h>

#include "cli/cli-commands.h"
#include "cli/cli-helper.h"
#include "cli/cli-input.h"
#include "cli/cli-json.h"
#include "cli/cli-lease.h"
#include "cli/cli-session.h"
#include "cli/cli-terminal.h"

#define MIB (G_GUINT64_CONSTANT (1) << 20)

typedef struct
{
  char *domain;
  char *connect;
  int process;
  gint64 memory; /* MiB */
  gboolean give_back;
} Request;

static void
request_clear (Request *request)
{
  g_free (request->domain);
  g_free (request->connect);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Request, request_clear)

static gboolean
check (const Request *request, const CliOptions *options, GError **error)
{
  const char *wrong = NULL;

  if (request->give_back
      && (request->domain != NULL || request->process != 0 || request->memory != 0))
    wrong = _ ("--give-back goes with the address alone.");
  else if (!request->give_back && request->domain == NULL)
    wrong = _ ("Which guest? --domain names it.");
  else if ((request->process != 0) != (request->memory != 0) || request->process < 0
           || request->memory < 0)
    wrong = _ ("--process and --memory go together.");
  else if (request->process != 0 && request->connect != NULL)
    wrong = _ ("--connect is for guests that libvirt knows, --process for others.");
  else if (options->simulate != NULL && !request->give_back)
    wrong = _ ("A guest of this user does not run on a simulated host.");
  if (wrong != NULL)
    g_set_error_literal (error, CLI_USAGE_ERROR, 0, wrong);
  return wrong == NULL;
}

static CliSession *
find_session (const Request *request, GError **error)
{
  if (request->process != 0)
    return cli_session_of_process (request->domain, (guint) request->process,
                                   (guint64) request->memory * MIB, error);
  return cli_session_find (request->connect != NULL ? request->connect : CLI_SESSION_URI,
                           request->domain, error);
}

static GVariant *
call_grant (CliHelper *helper, const CliSession *session, const char *address, GError **error)
{
  return cli_helper_call_with_descriptor (helper, "Grant",
                                          g_variant_new ("(sssht@a{sv})", session->uuid,
                                                         session->name, address, 0, session->memory,
                                                         g_variant_new ("a{sv}", NULL)),
                                          session->process, error);
}

/* Where nobody has agreed yet, an administrator is asked to, once; it is remembered. */
static GVariant *
grant (CliHelper *helper, const CliSession *session, const char *address, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GVariant) allowed = NULL;
  GVariant *reply = call_grant (helper, session, address, &local);

  if (reply != NULL)
    return reply;
  if (!g_error_matches (local, COMMON_ERROR, COMMON_ERROR_CONSENT_MISSING))
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  allowed = cli_helper_call (helper, "Allow",
                             g_variant_new ("(ust)", (guint32) getuid (), address, session->memory),
                             error);
  return allowed == NULL ? NULL : call_grant (helper, session, address, error);
}

static void
print_granted (const CliSession *session, const char *address)
{
  g_autofree char *clean = cli_text_clean (session->name, FALSE);
  g_autofree char *memory = g_format_size_full (session->memory, G_FORMAT_SIZE_IEC_UNITS);
  g_autofree char *verdict = g_strdup_printf (
      _ ("%s is there for “%s”, which may lock %s of memory."), address, clean, memory);

  cli_text_print (0, CLI_STYLE_GOOD, verdict);
  cli_text_print (
      2, CLI_STYLE_PLAIN,
      session->running
          ? _ ("Attach it with “virsh -c qemu:///session attach-device”, and give it back with "
               "“virt-ppc64 grant --give-back” when it is detached.")
          : _ ("Start the guest, with the device in its XML; when it has ended, give the "
               "device back with “virt-ppc64 grant --give-back”."));
}

static void
print_json (const char *lease, const char *state, const CliSession *session)
{
  JsonObject *document = cli_json_document_new ();
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "lease", lease);
  json_object_set_string_member (object, "state", state);
  if (session != NULL)
    {
      json_object_set_string_member (object, "domain-uuid", session->uuid);
      json_object_set_string_member (object, "domain-name", session->name);
      json_object_set_int_member (object, "memory", (gint64) session->memory);
    }
  json_object_set_object_member (document, "grant", object);
  cli_json_print (document);
}

/* The caller's lease on @address; to be freed. NULL with COMMON_ERROR_LEASE_UNKNOWN. */
static char *
find_lease (CliHelper *helper, const char *address, GError **error)
{
  g_autoptr (GVariant) reply
      = cli_helper_call (helper, "ListGrants", g_variant_new ("(a{sv})", NULL), error);
  g_autoptr (GVariantIter) iter = NULL;
  char *lease = NULL;
  GVariant *dict;

  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(aa{sv})", &iter);
  while (lease == NULL && g_variant_iter_loop (iter, "@a{sv}", &dict))
    if (g_str_equal (cli_lease_get (dict, "address"), address)
        && *cli_lease_get (dict, "lease") != '\0')
      {
        lease = g_strdup (cli_lease_get (dict, "lease"));
        g_variant_unref (dict);
        break;
      }
  if (lease == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN,
                 _ ("You have no guest that %s was granted to."), address);
  return lease;
}

static CliExit
give_back (CliHelper *helper, const CliOptions *options, const char *address, GError **error)
{
  g_autofree char *lease = find_lease (helper, address, error);
  g_autoptr (GVariant) reply = NULL;
  const char *state;
  gboolean done;

  if (lease == NULL)
    return CLI_EXIT_FAILED;
  reply = cli_helper_call (helper, "GiveBack", g_variant_new ("(sa{sv})", lease, NULL), error);
  if (reply == NULL)
    return CLI_EXIT_FAILED;
  g_variant_get (reply, "(&s)", &state);
  done = g_str_equal (state, "done");
  if (options->json)
    print_json (lease, state, NULL);
  else if (!options->quiet)
    {
      g_autofree char *verdict
          = g_strdup_printf (done ? _ ("%s is given back.")
                                  : _ ("%s is given back as soon as the guest lets go of it."),
                             address);

      cli_text_print (0, done ? CLI_STYLE_GOOD : CLI_STYLE_WARN, verdict);
    }
  return done ? CLI_EXIT_OK : CLI_EXIT_REFUSED;
}

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_auto (Request) request = { 0 };
  const GOptionEntry own[] = {
    { "domain", 'd', 0, G_OPTION_ARG_STRING, &request.domain,
      N_ ("A guest of your own, by its name or UUID in libvirt"), N_ ("DOMAIN") },
    { "connect", 'c', 0, G_OPTION_ARG_STRING, &request.connect,
      N_ ("Which libvirt to ask (qemu:///session)"), N_ ("URI") },
    { "process", 0, 0, G_OPTION_ARG_INT, &request.process,
      N_ ("The guest's QEMU, where no libvirt knows it"), N_ ("PID") },
    { "memory", 0, 0, G_OPTION_ARG_INT64, &request.memory,
      N_ ("With --process: how much memory it has to lock"), N_ ("MIB") },
    { "give-back", 0, 0, G_OPTION_ARG_NONE, &request.give_back, N_ ("Give the device back"), NULL },
    { NULL },
  };
  g_autoptr (CliHelper) helper = NULL;
  g_autoptr (CliSession) session = NULL;
  g_autoptr (GVariant) reply = NULL;
  PciAddress address;
  char name[PCI_ADDRESS_LEN];
  const char *lease;

  if (!cli_options_parse (options, &cli_grant_command, own, argv, error)
      || !cli_options_expect (&cli_grant_command, *argv, 1, 1, error)
      || !cli_options_need_helper (options, &cli_grant_command, error)
      || !check (&request, options, error) || !cli_input_address ((*argv)[1], &address, error))
    return CLI_EXIT_OK;
  pci_address_format (&address, name);
  if (!request.give_back)
    {
      session = find_session (&request, error);
      if (session == NULL)
        return CLI_EXIT_FAILED;
    }
  helper = cli_helper_open (options->simulate, error);
  if (helper == NULL)
    return CLI_EXIT_FAILED;
  if (request.give_back)
    return give_back (helper, options, name, error);
  reply = grant (helper, session, name, error);
  if (reply == NULL)
    return CLI_EXIT_FAILED;
  g_variant_get_child (reply, 0, "&s", &lease);
  if (options->json)
    print_json (lease, "prepared", session);
  else if (!options->quiet)
    print_granted (session, name);
  return CLI_EXIT_OK;
}

const CliCommand cli_grant_command = {
  "grant",
  "ADDRESS --domain DOMAIN | --give-back",
  N_ ("Get a device for a guest of your own (qemu:///session)"),
  run,
  cli_exit_for_refusal,
};
