/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-serve.h"

#include <glib-unix.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
typedef struct
{
  GMainLoop *loop;
  const KvmHelperPlace *place;
  int status;
} Program;

static void
end (Program *program, int status)
{
  program->status = MAX (program->status, status);
  g_main_loop_quit (program->loop);
}

static void
name_acquired (GDBusConnection *connection, const char *name, gpointer program)
{
  g_debug ("Serves as %s", name);
  sd_notify (0, "READY=1");
}

static void
name_lost (GDBusConnection *connection, const char *name, gpointer program)
{
  g_warning ("The name %s is not to be had, or was lost", name);
  end (program, EXIT_FAILURE);
}

/* A bus does not go while one serves on it; the one caller does, when it has what it wanted. */
static void
connection_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
  Program *program = data;

  if (program->place->name == NULL)
    {
      end (program, EXIT_SUCCESS);
      return;
    }
  g_warning ("The bus is gone%s%s", error == NULL ? "" : ": ", error == NULL ? "" : error->message);
  end (program, EXIT_FAILURE);
}

static gboolean
told_to_end (gpointer program)
{
  end (program, EXIT_SUCCESS);
  return G_SOURCE_CONTINUE;
}

static gboolean
export_beside (const KvmHelperPlace *place, GError **error)
{
  return place->beside == NULL
         || g_dbus_interface_skeleton_export (place->beside, place->connection, place->beside_path,
                                              error);
}

/* Runs until the end. The name comes last: who sees it finds all there. */
static void
run (Program *program)
{
  const KvmHelperPlace *place = program->place;
  guint name = 0;

  g_unix_signal_add (SIGTERM, told_to_end, program);
  g_unix_signal_add (SIGINT, told_to_end, program);
  g_signal_connect (place->connection, "closed", G_CALLBACK (connection_closed), program);
  if (place->name != NULL)
    name = g_bus_own_name_on_connection (place->connection, place->name,
                                         G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE, name_acquired,
                                         name_lost, program, NULL);
  g_dbus_connection_start_message_processing (place->connection);
  if (g_dbus_connection_is_closed (place->connection))
    connection_closed (place->connection, TRUE, NULL, program);
  else
    g_main_loop_run (program->loop);
  if (name != 0)
    g_bus_unown_name (name);
}

gboolean
kvmhelper_serve (const KvmHelperServiceConfig *config, const KvmHelperPlace *place, int *status,
                 GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Program program = { loop, place, EXIT_SUCCESS };
  KvmHelperService *service;

  g_dbus_connection_set_exit_on_close (place->connection, FALSE);
  service = kvmhelper_service_new (config, place->connection, error);
  if (service == NULL || !export_beside (place, error))
    return FALSE;
  run (&program);
  sd_notify (0, "STOPPING=1");
  if (!kvmhelper_service_stop (service))
    {
      /* Something hangs in the kernel. What it had is in the journal, for the next start. */
      g_warning ("A call did not come to its end in time");
      program.status = EXIT_FAILURE;
    }
  g_dbus_connection_flush_sync (place->connection, NULL, NULL);
  *status = program.status;
  return TRUE;
}
