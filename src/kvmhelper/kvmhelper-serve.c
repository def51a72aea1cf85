/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-serve.h"

#include <glib-unix.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "kvmhelper/kvmhelper-guard.h"
#include "kvmhelper/kvmhelper-life.h"

typedef struct
{
  GMainLoop *loop;
  const KvmHelperPlace *place;
  KvmHelperService *service;
  guint name; /* that it owns; 0: none, or none any more */
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

static void
give_up_name (gpointer data, gpointer unused)
{
  Program *program = data;

  if (program->name != 0)
    g_bus_unown_name (program->name);
  program->name = 0;
}

static void
gone (gpointer program, gpointer unused)
{
  end (program, EXIT_SUCCESS);
}

static void
leave (gpointer data, gpointer unused)
{
  Program *program = data;
  const KvmHelperPlace *place = program->place;
  KvmHelperLeave how = { place->connection, place->name, give_up_name, gone, program };

  g_debug ("There is nothing to do: it ends until it is called again");
  kvmhelper_life_leave (program->service, &how);
}

/* Runs until the end. The name comes last: who sees it finds all there. */
static void
run (Program *program, guint idle_seconds)
{
  const KvmHelperPlace *place = program->place;

  g_unix_signal_add (SIGTERM, told_to_end, program);
  g_unix_signal_add (SIGINT, told_to_end, program);
  g_signal_connect (place->connection, "closed", G_CALLBACK (connection_closed), program);
  kvmhelper_life_kick_watchdog (program->service);
  if (place->name != NULL)
    {
      program->name = g_bus_own_name_on_connection (place->connection, place->name,
                                                    G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                                    name_acquired, name_lost, program, NULL);
      kvmhelper_life_watch_idle (program->service, idle_seconds, leave, program);
    }
  g_dbus_connection_start_message_processing (place->connection);
  if (g_dbus_connection_is_closed (place->connection))
    connection_closed (place->connection, TRUE, NULL, program);
  else
    g_main_loop_run (program->loop);
  give_up_name (program, NULL);
}

gboolean
kvmhelper_serve (const KvmHelperServiceConfig *config, const KvmHelperPlace *place, int *status,
                 GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Program program = { .loop = loop, .place = place, .status = EXIT_SUCCESS };
  guint idle_seconds = config->config == NULL ? 0 : config->config->idle_exit_seconds;
  KvmHelperService *service;

  g_dbus_connection_set_exit_on_close (place->connection, FALSE);
  service = kvmhelper_service_new (config, place->connection, error);
  if (service == NULL || !export_beside (place, error))
    return FALSE;
  program.service = service;
  run (&program, idle_seconds);
  sd_notify (0, "STOPPING=1");
  if (!kvmhelper_service_stop (service))
    {
      /* Something hangs in the kernel. What it had is in the journal, for the next start. */
      g_warning ("A call did not come to its end in time");
      program.status = EXIT_FAILURE;
    }
  kvmhelper_guard_close (place->connection);
  *status = program.status;
  return TRUE;
}
