/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-helper-error.h"

#include <glib/gi18n.h>

#include "common/common-error.h"

#define SERVICE "ppc64-kvmhelper"

static void
explain (GError **error, CommonErrorCode code, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Puts a sentence, and the message that was there behind it, in the place of *error. */
static void
explain (GError **error, CommonErrorCode code, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *was = g_strdup ((*error)->message);
  g_clear_error (error);
  g_set_error (error, COMMON_ERROR, code, "%s (%s)", text, was);
}

static gboolean
is_denied (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_AUTH_FAILED);
}

static gboolean
is_absent (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND);
}

static gboolean
is_late (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_TIMEOUT)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_TIMED_OUT);
}

static gboolean
is_gone (const GError *error)
{
  return is_absent (error) || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_DISCONNECTED)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
explain_opening (GError **error)
{
  if (is_absent (*error))
    explain (error, COMMON_ERROR_HELPER_UNAVAILABLE,
             _ ("%s is not installed on this host, or the bus does not know of it: install it, or "
                "reload the bus with “systemctl reload dbus”"),
             SERVICE);
  else
    explain (error, COMMON_ERROR_HELPER_UNAVAILABLE,
             _ ("%s could not be started: see “systemctl status %s” and “journalctl -u %s”"),
             SERVICE, SERVICE, SERVICE);
}

static void
explain_calling (GError **error)
{
  if (is_late (*error))
    explain (error, COMMON_ERROR_TIMED_OUT,
             _ ("%s did not answer in time; it may still be at work: see “journalctl -u %s”"),
             SERVICE, SERVICE);
  else if (is_gone (*error))
    explain (error, COMMON_ERROR_HELPER_UNAVAILABLE,
             _ ("%s ended before it answered; it is started again with the next call, and gives "
                "back what it had taken: see “journalctl -u %s”"),
             SERVICE, SERVICE);
  else
    explain (error, COMMON_ERROR_INTERNAL, _ ("%s could not be asked"), SERVICE);
}

static void
explain_simulating (GError **error)
{
  if (is_late (*error))
    explain (error, COMMON_ERROR_TIMED_OUT, _ ("The simulated host did not answer in time"));
  else if (is_gone (*error))
    explain (error, COMMON_ERROR_HELPER_UNAVAILABLE,
             _ ("The simulated host ended before it answered"));
  else
    explain (error, COMMON_ERROR_INTERNAL, _ ("The simulated host could not be asked"));
}

void
cli_helper_error_explain (GError **error, CliHelperMoment moment)
{
  g_dbus_error_strip_remote_error (*error);
  if ((*error)->domain == COMMON_ERROR)
    return;
  if (is_denied (*error))
    explain (error, COMMON_ERROR_NOT_AUTHORIZED, _ ("You may not ask %s this"), SERVICE);
  else if (moment == CLI_HELPER_SIMULATING)
    explain_simulating (error);
  else if (moment == CLI_HELPER_OPENING)
    explain_opening (error);
  else
    explain_calling (error);
}
