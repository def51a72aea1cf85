/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-input.h"

#include <gio/gunixinputstream.h>
#include <glib/gi18n.h>
#include <unistd.h>

#include "cli/cli-helper.h"
#include "cli/cli-simulated.h"
#include "hostdev/hostdev-domain.h"

static GInputStream *
open_input (const char *name, GError **error)
{
  g_autoptr (GFile) file = NULL;

  if (g_str_equal (name, "-"))
    return g_unix_input_stream_new (STDIN_FILENO, FALSE);
  file = g_file_new_for_commandline_arg (name);
  return G_INPUT_STREAM (g_file_read (file, NULL, error));
}

/* Reads up to @max bytes, and one more to see that there are no more. */
static char *
read_all (GInputStream *stream, gsize max, gsize *length, GError **error)
{
  g_autofree char *text = g_malloc (max + 2);

  if (!g_input_stream_read_all (stream, text, max + 1, length, NULL, error))
    return NULL;
  if (*length > max)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, _ ("it is larger than %zu bytes"), max);
      return NULL;
    }
  text[*length] = '\0';
  return g_steal_pointer (&text);
}

char *
cli_input_read (const char *file, gsize max, gsize *length, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GInputStream) stream = open_input (file, &local);
  char *text = stream != NULL ? read_all (stream, max, length, &local) : NULL;

  if (text == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, _ ("%s cannot be read: %s"),
                 file, local->message);
  return text;
}

GVariant *
cli_input_description (const CliOptions *options, GError **error)
{
  g_autoptr (CliHelper) helper = cli_helper_open (options->simulate, error);
  g_autoptr (GVariant) reply = NULL;

  if (helper == NULL)
    return NULL;
  reply = cli_helper_call (helper, "GetHost", NULL, error);
  return reply == NULL ? NULL : g_variant_get_child_value (reply, 0);
}

static HostdevHost *
ask_helper (const CliOptions *options, GError **error)
{
  g_autoptr (GVariant) description = cli_input_description (options, error);

  return description == NULL ? NULL : hostdev_host_new_from_variant (description, error);
}

static HostdevHost *
read_host (const char *file, GError **error)
{
  g_autofree char *text = NULL;
  gsize length;
  HostdevHost *host;

  text = cli_input_read (file, HOSTDEV_DOMAIN_XML_MAX, &length, error);
  if (text == NULL)
    return NULL;
  host = hostdev_host_new_from_xml (text, (gssize) length, error);
  if (host == NULL)
    g_prefix_error (error, "%s: ", file);
  return host;
}

HostdevHost *
cli_input_host (const CliOptions *options, GError **error)
{
  HostdevHost *host = options->host_file != NULL ? read_host (options->host_file, error)
                                                 : ask_helper (options, error);

  if (host != NULL)
    cli_simulated_note (hostdev_host_get_simulated (host));
  return host;
}

gboolean
cli_input_device_or_xml (const char *argument, HostdevDevice **device, char **xml, GError **error)
{
  PciAddress address;
  g_autoptr (GError) no_address = NULL;
  g_autofree char *text = NULL;
  gsize length;

  *device = NULL;
  *xml = NULL;
  if (pci_address_parse (argument, &address, &no_address))
    {
      *device = g_new0 (HostdevDevice, 1);
      (*device)->address = address;
      (*device)->managed = TRUE;
      return TRUE;
    }
  text = cli_input_read (argument, HOSTDEV_DEVICE_XML_MAX, &length, error);
  if (text == NULL)
    {
      g_prefix_error (error, "%s. ", no_address->message);
      return FALSE;
    }
  if (!hostdev_device_new_from_xml (text, (gssize) length, device, error))
    {
      g_prefix_error (error, "%s: ", argument);
      return FALSE;
    }
  if (*device == NULL)
    *xml = g_steal_pointer (&text);
  return TRUE;
}

void
cli_input_set_no_device (const char *argument, GError **error)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_DEVICE,
               _ ("%s holds no PCI device of the host: a plan needs <hostdev type='pci'> or "
                  "<interface type='hostdev'>."),
               argument);
}

HostdevDevice *
cli_input_device (const char *argument, GError **error)
{
  HostdevDevice *device;
  g_autofree char *xml = NULL;

  if (cli_input_device_or_xml (argument, &device, &xml, error) && device == NULL)
    cli_input_set_no_device (argument, error);
  return device;
}

gboolean
cli_input_address (const char *argument, PciAddress *address, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (pci_address_parse (argument, address, &local))
    return TRUE;
  g_set_error_literal (error, CLI_USAGE_ERROR, 0, local->message);
  return FALSE;
}
