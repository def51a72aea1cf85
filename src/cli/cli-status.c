/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>

#include "cli/cli-commands.h"
#include "cli/cli-helper.h"
#include "cli/cli-json.h"
#include "cli/cli-lease-json.h"
#include "cli/cli-lease-text.h"
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

static CliExit
run (CliOptions *options, GStrv *argv, GError **error)
{
  g_autoptr (CliHelper) helper = NULL;
  g_autoptr (GPtrArray) leases = NULL;

  if (!cli_options_parse (options, &cli_status_command, NULL, argv, error)
      || !cli_options_expect (&cli_status_command, *argv, 0, 1, error)
      || !cli_options_need_helper (options, &cli_status_command, error))
    return CLI_EXIT_OK;
  helper = cli_helper_open (options->simulate, error);
  if (helper == NULL)
    return CLI_EXIT_FAILED;
  leases = list (helper, (*argv)[1], error);
  if (leases == NULL)
    return CLI_EXIT_FAILED;
  for (guint i = 0; i < leases->len; i++)
    inspect (helper, g_ptr_array_index (leases, i));
  return show (leases, options, error);
}

const CliCommand cli_status_command = {
  "status", "[DOMAIN|ADDRESS]", N_ ("Show which guest has which device, and what it really got"),
  run,      cli_exit_for_error,
};
