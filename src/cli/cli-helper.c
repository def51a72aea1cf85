/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-helper.h"

#include <gio/gunixfdlist.h>
#include <glib/gi18n.h>

#include "cli/cli-agent.h"
#include "cli/cli-helper-error.h"
#include "cli/cli-simulated.h"
#include "cli/cli-terminal.h"
#include "common/common-dbus.h"
#include "common/common-error.h"
#include "common/common-owner.h"
#include "kvmhelper-dbus.h"

/* Reading a host takes well under a second; a start of the helper comes on top. */
#define TIMEOUT_READ_MSEC (60 * 1000)
/* A password is typed by hand. */
#define TIMEOUT_ASK_MSEC (10 * 60 * 1000)
/* Each reset of a PE is held 250 ms and settles in 1800 ms (asm/eeh.h), and a group may have many
 * functions: minutes at worst. */
#define TIMEOUT_REHEARSE_MSEC (30 * 60 * 1000)

struct _CliHelper
{
  KvmHelperDBusKvmHelper1 *proxy;
  CliSimulated *simulated; /* NULL: the real one */
  CliAgent *agent;
  gboolean interactive;
};

static KvmHelperDBusKvmHelper1 *
new_proxy_for (GDBusConnection *connection, const char *owner, GError **error)
{
  return kvm_helper_dbus_kvm_helper1_proxy_new_sync (
      connection, G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
      owner, COMMON_DBUS_KVMHELPER_PATH, NULL, error);
}

static KvmHelperDBusKvmHelper1 *
new_proxy (GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &local);
  g_autofree char *owner = NULL;

  if (bus == NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE,
                   _ ("The system bus cannot be reached: %s"), local->message);
      return NULL;
    }
  g_dbus_connection_set_exit_on_close (bus, FALSE);
  owner = common_owner_find (bus, 0, NULL, error);
  if (owner == NULL)
    return NULL;
  return new_proxy_for (bus, owner, error);
}

/* On a simulated host polkit has no part, so nobody is asked for a password. */
static gboolean
open_simulated (CliHelper *helper, const char *what, GError **error)
{
  helper->simulated = cli_simulated_open (what, error);
  if (helper->simulated == NULL)
    return FALSE;
  cli_simulated_note (cli_simulated_get_description (helper->simulated));
  helper->proxy = new_proxy_for (cli_simulated_get_connection (helper->simulated),
                                 cli_simulated_get_owner (helper->simulated), error);
  return helper->proxy != NULL;
}

static gboolean
open_real (CliHelper *helper, GError **error)
{
  helper->proxy = new_proxy (error);
  if (helper->proxy == NULL)
    return FALSE;
  helper->interactive = cli_terminal_is_interactive ();
  helper->agent = helper->interactive ? cli_agent_start () : NULL;
  return TRUE;
}

CliHelper *
cli_helper_open (const char *simulate, GError **error)
{
  g_autoptr (CliHelper) helper = g_new0 (CliHelper, 1);
  g_autoptr (GError) local = NULL;

  /* Registers the names of our errors with GDBus. */
  (void) common_error_quark ();
  if (simulate != NULL ? open_simulated (helper, simulate, &local) : open_real (helper, &local))
    return g_steal_pointer (&helper);
  cli_helper_error_explain (&local, CLI_HELPER_OPENING);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

void
cli_helper_free (CliHelper *helper)
{
  if (helper == NULL)
    return;
  cli_agent_stop (helper->agent);
  g_clear_object (&helper->proxy);
  g_clear_pointer (&helper->simulated, cli_simulated_close);
  g_free (helper);
}

static CliHelperMoment
calling (const CliHelper *helper)
{
  return helper->simulated != NULL ? CLI_HELPER_SIMULATING : CLI_HELPER_CALLING;
}

static GDBusCallFlags
call_flags (const CliHelper *helper)
{
  return helper->interactive ? G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION
                             : G_DBUS_CALL_FLAGS_NONE;
}

GVariant *
cli_helper_call (CliHelper *helper, const char *method, GVariant *parameters, GError **error)
{
  g_autoptr (GError) local = NULL;
  /* A release waits itself, for as long as a minute. */
  gboolean patient
      = helper->interactive || g_str_equal (method, "Release") || g_str_equal (method, "GiveBack");
  GVariant *reply;

  reply = g_dbus_proxy_call_sync (G_DBUS_PROXY (helper->proxy), method, parameters,
                                  call_flags (helper),
                                  patient ? TIMEOUT_ASK_MSEC : TIMEOUT_READ_MSEC, NULL, &local);
  if (reply == NULL)
    {
      cli_helper_error_explain (&local, calling (helper));
      g_propagate_error (error, g_steal_pointer (&local));
    }
  return reply;
}

/* A Grant may rehearse. */
GVariant *
cli_helper_call_with_descriptor (CliHelper *helper, const char *method, GVariant *parameters,
                                 int descriptor, GError **error)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (parameters);
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
  g_autoptr (GError) local = NULL;
  GVariant *reply = NULL;

  if (g_unix_fd_list_append (list, descriptor, &local) >= 0)
    reply = g_dbus_proxy_call_with_unix_fd_list_sync (G_DBUS_PROXY (helper->proxy), method, owned,
                                                      call_flags (helper), TIMEOUT_REHEARSE_MSEC,
                                                      list, NULL, NULL, &local);
  if (reply == NULL)
    {
      cli_helper_error_explain (&local, calling (helper));
      g_propagate_error (error, g_steal_pointer (&local));
    }
  return reply;
}

typedef struct
{
  const char *address;
  CliHelperStep step;
  gpointer data;
  GMainLoop *loop;
  GAsyncResult *result;
} Rehearsal;

static void
on_step (KvmHelperDBusKvmHelper1 *proxy, const char *address, GVariant *step, gpointer data)
{
  Rehearsal *rehearsal = data;

  if (g_str_equal (address, rehearsal->address))
    rehearsal->step (step, rehearsal->data);
}

static void
on_rehearsed (GObject *proxy, GAsyncResult *result, gpointer data)
{
  Rehearsal *rehearsal = data;

  rehearsal->result = g_object_ref (result);
  g_main_loop_quit (rehearsal->loop);
}

GVariant *
cli_helper_rehearse (CliHelper *helper, const char *address, CliHelperStep step, gpointer data,
                     gboolean *passed, GError **error)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) local = NULL;
  Rehearsal rehearsal = { address, step, data, loop, NULL };
  GVariant *steps;
  gulong handler
      = g_signal_connect (helper->proxy, "rehearsal-step", G_CALLBACK (on_step), &rehearsal);

  g_dbus_proxy_call (G_DBUS_PROXY (helper->proxy), "Rehearse",
                     g_variant_new ("(sa{sv})", address, NULL), call_flags (helper),
                     TIMEOUT_REHEARSE_MSEC, NULL, on_rehearsed, &rehearsal);
  g_main_loop_run (loop);
  g_signal_handler_disconnect (helper->proxy, handler);
  result = g_steal_pointer (&rehearsal.result);
  reply = g_dbus_proxy_call_finish (G_DBUS_PROXY (helper->proxy), result, &local);
  if (reply == NULL)
    {
      cli_helper_error_explain (&local, calling (helper));
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  g_variant_get (reply, "(b@aa{sv})", passed, &steps);
  return steps;
}
