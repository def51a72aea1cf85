/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-session.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/cli-libvirt.h"
#include "common/common-error.h"
#include "hostdev/hostdev-domain.h"

/* Who may own the session's QEMU processes: one daemon for all, or one for each driver. */
static const char *const daemons[] = { "virtqemud", "libvirtd" };

void
cli_session_free (CliSession *session)
{
  if (session->process >= 0)
    close (session->process);
  g_free (session->uuid);
  g_free (session->name);
  g_free (session);
}

static CliSession *
session_alloc (void)
{
  CliSession *session = g_new0 (CliSession, 1);

  session->process = -1;
  return session;
}

/* The words of a process's command line. */
static GStrv
read_command (guint pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%u/cmdline", pid);
  g_autofree char *text = NULL;
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gsize length = 0;

  if (g_file_get_contents (path, &text, &length, NULL))
    for (gsize i = 0; i < length; i += strlen (text + i) + 1)
      g_strv_builder_add (builder, text + i);
  return g_strv_builder_end (builder);
}

/* The process, held before it is looked at. */
static int
hold (guint pid)
{
  return (int) syscall (SYS_pidfd_open, (pid_t) pid, 0);
}

static gboolean
read_pid (const char *path, guint *pid)
{
  g_autofree char *text = NULL;
  guint64 number;

  if (!g_file_get_contents (path, &text, NULL, NULL)
      || !g_ascii_string_to_unsigned (g_strstrip (text), 10, 1, G_MAXINT, &number, NULL))
    return FALSE;
  *pid = (guint) number;
  return TRUE;
}

/* src/qemu/qemu_conf.c: virQEMUDriverConfigSetupDirs: the state directory of a session. */
static gboolean
hold_qemu (CliSession *session)
{
  g_autofree char *file = g_strconcat (session->name, ".pid", NULL);
  g_autofree char *path
      = g_build_filename (g_get_user_runtime_dir (), "libvirt", "qemu", "run", file, NULL);
  g_auto (GStrv) command = NULL;
  guint pid;

  if (!read_pid (path, &pid))
    return FALSE;
  session->process = hold (pid);
  command = read_command (pid);
  return session->process >= 0 && g_strv_contains ((const char *const *) command, session->uuid);
}

/* src/remote/remote_daemon.c: virPidFileConstructPath */
static gboolean
hold_daemon (CliSession *session)
{
  for (guint i = 0; i < G_N_ELEMENTS (daemons); i++)
    {
      g_autofree char *file = g_strconcat (daemons[i], ".pid", NULL);
      g_autofree char *path = g_build_filename (g_get_user_runtime_dir (), "libvirt", file, NULL);
      g_auto (GStrv) command = NULL;
      g_autofree char *base = NULL;
      int process;
      guint pid;

      if (!read_pid (path, &pid))
        continue;
      process = hold (pid);
      command = read_command (pid);
      base = command[0] == NULL ? NULL : g_path_get_basename (command[0]);
      if (process >= 0 && g_strcmp0 (base, daemons[i]) == 0)
        {
          session->process = process;
          return TRUE;
        }
      if (process >= 0)
        close (process);
    }
  return FALSE;
}

/* What libvirt will want of the limit when the guest gets a device; without a limit of its own to
 * go by, what the guest can use. */
static guint64
needed_memory (const HostdevDomain *domain)
{
  const HostdevMemory *memory = hostdev_domain_get_memory (domain);
  guint phbs = hostdev_domain_get_phbs (domain)->len;
  guint64 limit = hostdev_memory_limit (memory, phbs, TRUE);

  return limit == G_MAXUINT64 ? hostdev_memory_formula (memory, phbs, TRUE) : limit;
}

CliSession *
cli_session_find (const char *uri, const char *name, GError **error)
{
  g_autofree char *xml = cli_libvirt_get_xml (uri, name, FALSE, error);
  g_autoptr (HostdevDomain) domain
      = xml == NULL ? NULL : hostdev_domain_new_from_xml (xml, -1, error);
  g_autoptr (CliSession) session = session_alloc ();

  if (domain == NULL)
    return NULL;
  if (!hostdev_domain_is_pseries_kvm (domain))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_NOT_PSERIES_KVM,
                   _ ("“%s” is no pSeries guest under KVM."), name);
      return NULL;
    }
  session->uuid = g_strdup (hostdev_domain_get_uuid (domain));
  session->name = g_strdup (hostdev_domain_get_name (domain));
  session->memory = needed_memory (domain);
  session->running = hostdev_domain_is_running (domain);
  if (session->running ? hold_qemu (session) : hold_daemon (session))
    return g_steal_pointer (&session);
  g_set_error (
      error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
      session->running
          ? _ ("The process of “%s” cannot be found below %s; is it a guest of your own?")
          : _ ("“%s” does not run, and the session’s libvirt, which would start it, cannot "
               "be found below %s."),
      name, g_get_user_runtime_dir ());
  return NULL;
}

/* What stands behind -uuid. */
static const char *
find_uuid (char *const *command)
{
  for (guint i = 0; command[i] != NULL && command[i + 1] != NULL; i++)
    if (g_str_equal (command[i], "-uuid") || g_str_equal (command[i], "--uuid"))
      return command[i + 1];
  return NULL;
}

CliSession *
cli_session_of_process (const char *name, guint pid, guint64 memory, GError **error)
{
  g_autoptr (CliSession) session = session_alloc ();
  g_auto (GStrv) command = NULL;
  const char *uuid;

  session->process = hold (pid);
  if (session->process < 0)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, _ ("Process %u: %s"), pid,
                   g_strerror (errno));
      return NULL;
    }
  command = read_command (pid);
  uuid = find_uuid (command);
  if (uuid == NULL || !g_uuid_string_is_valid (uuid))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   _ ("Process %u is no QEMU whose guest has a UUID (-uuid)."), pid);
      return NULL;
    }
  session->uuid = g_ascii_strdown (uuid, -1);
  session->name = g_strdup (name);
  session->memory = memory;
  session->running = TRUE;
  return g_steal_pointer (&session);
}
