/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-simulated.h"

#include <errno.h>
#include <gio/gunixconnection.h>
#include <glib/gi18n.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli-terminal.h"
#include "common/common-dbus.h"
#include "common/common-error.h"

#define HELPER       "ppc64-kvmhelper"
#define TIMEOUT_MSEC 10000

/* Where the helper has its end of the socket. */
#define HELPER_FD 3

/* Of what the helper said, as much as makes a message. */
#define SAID_MAX 4096

struct _CliSimulated
{
  GDBusConnection *connection;
  char *owner;
  char *description;
  GSubprocess *helper; /* of our own; NULL */
  int said;            /* what it wrote to standard error; -1 */
};

static char *noted;

void
cli_simulated_note (const char *name)
{
  g_autofree char *clean = NULL;

  if (name == NULL || *name == '\0' || noted != NULL)
    return;
  noted = g_strdup (name);
  clean = cli_text_clean (name, FALSE);
  g_printerr (_ ("virt-ppc64: this host is simulated (%s)\n"), clean);
}

const char *
cli_simulated_get_name (void)
{
  return noted;
}

GDBusConnection *
cli_simulated_get_connection (const CliSimulated *simulated)
{
  return simulated->connection;
}

const char *
cli_simulated_get_owner (const CliSimulated *simulated)
{
  return simulated->owner;
}

const char *
cli_simulated_get_description (const CliSimulated *simulated)
{
  return simulated->description;
}

/* Whether @path is a program that whoever owns @stat owns too, and nobody else can write. */
static gboolean
is_program_of (const char *path, const struct stat *ours)
{
  struct stat stat;

  return lstat (path, &stat) == 0 && S_ISREG (stat.st_mode) && (stat.st_mode & S_IXUSR) != 0
         && (stat.st_mode & S_IWOTH) == 0 && stat.st_uid == ours->st_uid;
}

/* In a build directory this program is cli/virt-ppc64 and the helper kvmhelper/ppc64-kvmhelper. */
static char *
find_helper (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *directory = self == NULL ? NULL : g_path_get_dirname (self);
  g_autofree char *beside
      = directory == NULL ? NULL : g_build_filename (directory, "..", "kvmhelper", HELPER, NULL);
  struct stat ours;

  if (beside != NULL && !g_str_equal (directory, BINDIR) && stat ("/proc/self/exe", &ours) == 0
      && is_program_of (beside, &ours))
    return g_steal_pointer (&beside);
  return g_build_filename (LIBEXECDIR, HELPER, NULL);
}

static char *
read_said (const CliSimulated *simulated)
{
  g_autofree char *text = g_malloc0 (SAID_MAX + 1);
  gssize n = simulated->said < 0 ? 0 : pread (simulated->said, text, SAID_MAX, 0);

  return cli_text_clean (g_strchomp (n <= 0 ? strcpy (text, "") : text), TRUE);
}

static gboolean
spawn (CliSimulated *simulated, const char *file, int socket, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_autofree char *program = find_helper ();
  g_autofree char *socket_option = g_strdup_printf ("--socket-fd=%d", HELPER_FD);
  g_autofree char *file_option = g_strconcat ("--simulate=", file, NULL);

  simulated->said = memfd_create ("said", MFD_CLOEXEC);
  g_subprocess_launcher_take_fd (launcher, socket, HELPER_FD);
  if (simulated->said >= 0)
    g_subprocess_launcher_take_stderr_fd (launcher, dup (simulated->said));
  simulated->helper
      = g_subprocess_launcher_spawn (launcher, error, program, file_option, socket_option, NULL);
  return simulated->helper != NULL;
}

static gboolean
connect_helper (CliSimulated *simulated, int fd, GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, error);
  g_autoptr (GSocketConnection) stream = NULL;

  if (socket == NULL)
    {
      close (fd);
      return FALSE;
    }
  stream = g_socket_connection_factory_create_connection (socket);
  simulated->connection = g_dbus_connection_new_sync (
      G_IO_STREAM (stream), NULL, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, error);
  return simulated->connection != NULL;
}

/* What the helper said is why it did not start. */
static void
explain (CliSimulated *simulated, GError **error)
{
  g_autofree char *said = NULL;
  g_autofree char *was = g_strdup ((*error)->message);

  g_clear_object (&simulated->connection);
  if (simulated->helper != NULL)
    g_subprocess_wait (simulated->helper, NULL, NULL);
  said = read_said (simulated);
  g_clear_error (error);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE,
               _ ("The simulated host could not be started: %s"), *said != '\0' ? said : was);
}

/* Only a helper on a simulated host has this. */
static gboolean
ask_description (CliSimulated *simulated, GError **error)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      simulated->connection, simulated->owner, COMMON_DBUS_SIMULATION_PATH,
      "org.freedesktop.DBus.Properties", "Get",
      g_variant_new ("(ss)", COMMON_DBUS_SIMULATION_NAME, "Description"), G_VARIANT_TYPE ("(v)"),
      G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MSEC, NULL, error);
  g_autoptr (GVariant) value = NULL;

  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(v)", &value);
  simulated->description = g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
                               ? g_variant_dup_string (value, NULL)
                               : g_strdup ("");
  return TRUE;
}

static gboolean
start_helper (CliSimulated *simulated, const char *file, GError **error)
{
  g_autoptr (GError) local = NULL;
  int ends[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE, "socketpair: %s",
                   g_strerror (errno));
      return FALSE;
    }
  if (!spawn (simulated, file, ends[1], &local))
    close (ends[0]);
  else if (connect_helper (simulated, ends[0], &local) && ask_description (simulated, &local))
    return TRUE;
  explain (simulated, &local);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static GVariant *
call_bus (GDBusConnection *bus, const char *method, const char *name, const char *reply,
          GError **error)
{
  return g_dbus_connection_call_sync (bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                      "org.freedesktop.DBus", method, g_variant_new ("(s)", name),
                                      G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NONE, TIMEOUT_MSEC,
                                      NULL, error);
}

/* A helper that runs already; it is another user's only where somebody plays a trick. */
static gboolean
find_running (CliSimulated *simulated, const char *address, GError **error)
{
  g_autoptr (GVariant) owner = NULL;
  g_autoptr (GVariant) user = NULL;
  guint32 uid;

  simulated->connection = g_dbus_connection_new_for_address_sync (
      address,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
          | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
      NULL, NULL, error);
  if (simulated->connection == NULL)
    return FALSE;
  owner
      = call_bus (simulated->connection, "GetNameOwner", COMMON_DBUS_SIMULATION_NAME, "(s)", error);
  if (owner == NULL)
    return FALSE;
  g_variant_get (owner, "(s)", &simulated->owner);
  user = call_bus (simulated->connection, "GetConnectionUnixUser", simulated->owner, "(u)", error);
  if (user == NULL)
    return FALSE;
  g_variant_get (user, "(u)", &uid);
  if (uid == geteuid ())
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE,
               _ ("The simulated host on that bus is user %u's, and not yours"), uid);
  return FALSE;
}

CliSimulated *
cli_simulated_open (const char *what, GError **error)
{
  g_autoptr (CliSimulated) simulated = g_new0 (CliSimulated, 1);
  g_autoptr (GError) local = NULL;

  simulated->said = -1;
  if (!g_dbus_is_supported_address (what, NULL))
    return start_helper (simulated, what, error) ? g_steal_pointer (&simulated) : NULL;
  if (find_running (simulated, what, &local) && ask_description (simulated, &local))
    return g_steal_pointer (&simulated);
  g_dbus_error_strip_remote_error (local);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE,
               _ ("No simulated host is to be had at %s: %s"), what, local->message);
  return NULL;
}

/* The helper ends when nobody is at the other end any more; what it had to say comes last. */
void
cli_simulated_close (CliSimulated *simulated)
{
  if (simulated->connection != NULL)
    g_dbus_connection_close_sync (simulated->connection, NULL, NULL);
  if (simulated->helper != NULL)
    {
      g_autofree char *said = NULL;

      g_subprocess_wait (simulated->helper, NULL, NULL);
      said = read_said (simulated);
      if (simulated->connection != NULL && *said != '\0')
        g_printerr ("%s\n", said);
    }
  g_clear_object (&simulated->helper);
  g_clear_object (&simulated->connection);
  if (simulated->said >= 0)
    close (simulated->said);
  g_free (simulated->owner);
  g_free (simulated->description);
  g_free (simulated);
}
