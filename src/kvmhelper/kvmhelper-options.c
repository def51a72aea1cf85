/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-options.h"

#include <glib/gi18n-lib.h>

static gboolean
check (const KvmHelperOptions *options, GError **error)
{
  const char *wrong = NULL;

  if (options->file == NULL
      && (options->bus != NULL || options->socket >= 0 || options->rules != NULL))
    wrong = _ ("--bus, --socket-fd and --fault go with --simulate alone");
  else if (options->bus != NULL && options->socket >= 0)
    wrong = _ ("--bus and --socket-fd do not go together");
  if (wrong != NULL)
    g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, wrong);
  return wrong == NULL;
}

gboolean
kvmhelper_options_parse (int *argc, char ***argv, KvmHelperOptions *options, GError **error)
{
  const GOptionEntry entries[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &options->config_file,
      N_ ("What is configured, in the place of the system's file"), N_ ("FILE") },
    { "state-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->state_directory,
      N_ ("Where leases are written down"), N_ ("DIRECTORY") },
    { "simulate", 0, 0, G_OPTION_ARG_FILENAME, &options->file,
      N_ ("Run on the simulated host that is described there, without privileges and away from "
          "this machine"),
      N_ ("FILE") },
    { "bus", 0, 0, G_OPTION_ARG_STRING, &options->bus,
      N_ ("With --simulate: the bus to be on, in the place of the session's"), N_ ("ADDRESS") },
    { "socket-fd", 0, 0, G_OPTION_ARG_INT, &options->socket,
      N_ ("With --simulate: one caller, at the other end of this socket, and no bus"),
      N_ ("NUMBER") },
    { "fault", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->rules,
      N_ ("With --simulate: what goes wrong in the kernel, see ppc64-simulated-host(5)"),
      N_ ("RULES") },
    { "verbose", 0, 0, G_OPTION_ARG_NONE, &options->verbose, N_ ("Log what is of use to debug"),
      NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_ ("Print the version and exit"),
      NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);

  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_summary (
      context, _ ("Takes PCI devices from this host for KVM guests, and gives them back. Speaks "
                  "D-Bus, as org.libvirt.Ppc64.KvmHelper1."));
  return g_option_context_parse (context, argc, argv, error) && check (options, error);
}

void
kvmhelper_options_clear (KvmHelperOptions *options)
{
  g_free (options->state_directory);
  g_free (options->config_file);
  g_free (options->file);
  g_free (options->bus);
  g_strfreev (options->rules);
}
