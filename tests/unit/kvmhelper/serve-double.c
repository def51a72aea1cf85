/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "common/common-dbus.h"
#include "kvmhelper-double.h"
#include "kvmhelper/kvmhelper-guard.h"
#include "kvmhelper/kvmhelper-service.h"

/*
 * serve-double ADDRESS: the service behind polkit, on a host of files, on a bus, until its standard
 * input ends. For tests that look at a helper from outside, whose memory and descriptors are its
 * own. A line of its input is answered with how many calls the kernel had until then.
 */
static gboolean
read_line (GIOChannel *input, GIOCondition condition, gpointer data)
{
  KvmHelperDouble *host = data;
  g_autofree char *line = NULL;

  if (g_io_channel_read_line (input, &line, NULL, NULL, NULL) != G_IO_STATUS_NORMAL)
    {
      kvmhelper_double_free (host);
      exit (EXIT_SUCCESS);
    }
  printf ("%u\n", g_atomic_int_get ((gint *) &host->calls));
  fflush (stdout);
  return G_SOURCE_CONTINUE;
}

static gboolean
own_name (GDBusConnection *connection, GError **error)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "RequestName", g_variant_new ("(su)", COMMON_DBUS_KVMHELPER_NAME, 4), NULL,
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);

  return reply != NULL;
}

int
main (int argc, char **argv)
{
  KvmHelperDouble *host = kvmhelper_double_new ();
  g_autofree char *state = g_build_filename (host->directory, "state", NULL);
  KvmHelperServiceConfig config = { &host->kernel, state, kvmhelper_rehearsal_here };
  g_autoptr (GIOChannel) input = g_io_channel_unix_new (0);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  if (argc != 2)
    return EXIT_FAILURE;
  kvmhelper_double_function (host, "0003:01:00.0", 3, "e1000e", 0);
  connection = kvmhelper_guard_connect (argv[1], &error);
  if (connection == NULL || kvmhelper_service_new (&config, connection, &error) == NULL
      || !own_name (connection, &error))
    {
      g_printerr ("%s\n", error->message);
      return EXIT_FAILURE;
    }
  host->calls = 0;
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, read_line, host);
  g_main_loop_run (loop);
  return EXIT_SUCCESS;
}
