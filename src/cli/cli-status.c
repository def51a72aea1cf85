/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <string.h>
#include <sys/utsname.h>

#include "cli/cli-commands.h"
#include "cli/cli-helper.h"
#include "cli/cli-json.h"
#include "cli/cli-lease-json.h"
#include "cli/cli-lease-text.h"
#include "cli/cli-status-zpci.h"
#include "common/pci-address.h"

static CliLease *
new_lease (const char *address, GVariant *dict)
{
  CliLease *lease = g_new0 (CliLease, 1);

  lease->address = g_strdup (address);
  lease->lease = dict != NULL ? g_variant_ref (dict) : NULL;
  return lease;
}

/* The leases that @what (nullable) is about; where it is the address of a device without one,
 * that device. */
static GPtrArray *
list (CliHelper *helper, const char *what, GError **error)
{
  g_autoptr (GPtrArray) leases = g_ptr_array_new_with_free_func ((GDestroyNotify) cli_lease_free);
  g_autoptr (GVariant) reply = cli_helper_call (helper, "ListLeases", NULL, error);
  g_autoptr (GVariantIter) iter = NULL;
  PciAddress address;
  GVariant *dict;

  if (reply == NULL)
    return NULL;
  g_variant_get (reply, "(aa{sv})", &iter);
  while (g_variant_iter_loop (iter, "@a{sv}", &dict))
    {
      g_autoptr (CliLease) lease = new_lease (cli_lease_get (dict, "address"), dict);

      if (what == NULL || cli_lease_matches (lease, what))
        g_ptr_array_add (leases, g_steal_pointer (&lease));
    }
  if (leases->len == 0 && what != NULL && pci_address_parse (what, &address, NULL))
    g_ptr_array_add (leases, new_lease (what, NULL));
  return g_steal_pointer (&leases);
}

/* Reads what the kernel says of the device now. One that cannot be read does not keep the others
 * from being shown. */
static void
inspect (CliHelper *helper, CliLease *lease)
{
  g_autoptr (GVariant) reply
      = cli_helper_call (helper, "Inspect", g_variant_new ("(s)", lease->address), &lease->error);

  if (reply != NULL)
    lease->inspection = g_variant_get_child_value (reply, 0);
}

static void
print_text (const GPtrArray *leases, const CliOptions *options)
{
  if (leases->len == 0)
    g_print (_ ("No device is leased to a guest.\n"));
  for (guint i = 0; i < leases->len; i++)
    {
      if (i > 0)
        g_print ("\n");
      cli_lease_print (g_ptr_array_index (leases, i), options->verbose);
    }
}

static CliExit
show (GPtrArray *leases, const CliOptions *options, GError **error)
{
  CliLease *first = leases->len > 0 ? g_ptr_array_index (leases, 0) : NULL;

  /* Asked for one device by its address, and the helper does not know it. */
  if (first != NULL && first->lease == NULL && first->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&first->error));
      return CLI_EXIT_FAILED;
    }
  if (options->json)
    cli_json_print (cli_leases_to_json (leases));
  else if (!options->quiet)
    print_text (leases, options);
  for (guint i = 0; i < leases->len; i++)
    {
      const CliLease *lease = g_ptr_array_index (leases, i);

      if (lease->error != NULL)
        return cli_exit_for_error (lease->error);
    }
  return CLI_EXIT_OK;
}

/* A guest by libvirt alone: where that was said, and on a machine that no helper is for. */
static gboolean
is_for_libvirt (const CliZpciRequest *request, const CliOptions *options, const char *what)
{
  struct utsname machine;
  PciAddress address;

  if (request->monitor || request->guest.connect != NULL)
    return TRUE;
  return options->simulate == NULL && what != NULL && !pci_address_parse (what, &address, NULL)
         && uname (&machine) == 0 && strcmp (machine.machine, "s390x") == 0;
}

static CliExit
show_zpci (CliZpciRequest *request, const CliOptions *options, const char *domain, GError **error)
{
  if (options->simulate != NULL || domain == NULL)
    {
      g_set_error_literal (error, CLI_USAGE_ERROR, 0,
                           domain == NULL ? _ ("Of s390x, this is about one guest: name it.")
                                          : _ ("A simulated host has no guests of libvirt's: "
                                               "leave out --connect and --monitor."));
      return CLI_EXIT_OK;
    }
  request->guest.domain = g_strdup (domain);
  return cli_status_zpci (request, options, error);
}

static CliExit
show_leases (const CliOptions *options, const char *what, GError **error)
{
  g_autoptr (CliHelper) helper = cli_helper_open (options->simulate, error);
  g_autoptr (GPtrArray) leases = NULL;

  if (helper == NULL)
    return CLI_EXIT_FAILED;
  leases = list (helper, what, error);
  if (leases == NULL)
    return CLI_EXIT_FAILED;
  for (guint i = 0; i < leases->len; i++)
    inspect (helper, g_ptr_array_index (leases, i));
  return show (leases, options, error);
}

static void
request_clear (CliZpciRequest *request)
{
  cli_guest_clear (&request->guest);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliZpciRequest, request_clear)

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_auto (CliZpciRequest) request = { { NULL } };
  const GOptionEntry entries[] = {
    { "connect", 'c', 0, G_OPTION_ARG_STRING, &request.guest.connect,
      N_ ("Of an s390x guest: which libvirt to ask; as virsh by default"), N_ ("URI") },
    { "monitor", 0, 0, G_OPTION_ARG_NONE, &request.monitor,
      N_ ("Of an s390x guest: ask its QEMU as well; libvirt then marks the guest as tainted"),
      NULL },
    { NULL },
  };

  if (!cli_options_parse (options, &cli_status_command, entries, argv, error)
      || !cli_options_expect (&cli_status_command, *argv, 0, 1, error)
      || !cli_options_need_helper (options, &cli_status_command, error))
    return CLI_EXIT_OK;
  return is_for_libvirt (&request, options, (*argv)[1])
             ? show_zpci (&request, options, (*argv)[1], error)
             : show_leases (options, (*argv)[1], error);
}

const CliCommand cli_status_command = {
  "status", "[DOMAIN|ADDRESS]", N_ ("Show which guest has which device, and what it really got"),
  run,      cli_exit_for_error,
};
