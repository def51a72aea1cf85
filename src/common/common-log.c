/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-log.h"

#include <unistd.h>

static const char *log_mark;

static GLogWriterOutput
write_fields (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  if (g_log_writer_is_journald (STDERR_FILENO)
      && g_log_writer_journald (level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  return g_log_writer_standard_streams (level, fields, n_fields, NULL);
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer verbose)
{
  const char *mark = g_atomic_pointer_get (&log_mark);
  g_autofree GLogField *marked = NULL;
  g_autofree char *text = NULL;

  if ((level & G_LOG_LEVEL_DEBUG) != 0 && !GPOINTER_TO_INT (verbose))
    return G_LOG_WRITER_HANDLED;
  if (mark == NULL)
    return write_fields (level, fields, n_fields);
  marked = g_memdup2 (fields, n_fields * sizeof *fields);
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (marked[i].key, "MESSAGE") && marked[i].length < 0 && text == NULL)
      {
        text = g_strdup_printf ("%s: %s", mark, (const char *) marked[i].value);
        marked[i].value = text;
      }
  return write_fields (level, marked, n_fields);
}

void
common_log_mark (const char *mark)
{
  g_atomic_pointer_set (&log_mark, g_intern_string (mark));
}

void
common_log_init (const char *program, gboolean verbose)
{
  g_set_prgname (program);
  g_log_set_writer_func (write_log, GINT_TO_POINTER (verbose), NULL);
}

/* The level as syslog's PRIORITY, which is what the journal's writer looks at. */
static const char *
priority (GLogLevelFlags level)
{
  switch (level & G_LOG_LEVEL_MASK)
    {
    case G_LOG_LEVEL_ERROR:
    case G_LOG_LEVEL_CRITICAL:
      return "3";
    case G_LOG_LEVEL_WARNING:
      return "4";
    case G_LOG_LEVEL_MESSAGE:
      return "5";
    case G_LOG_LEVEL_INFO:
      return "6";
    default:
      return "7";
    }
}

void
common_log_lease (GLogLevelFlags level, const char *address, const char *domain_uuid,
                  const char *lease, const char *format, ...)
{
  GLogField fields[6];
  gsize n = 0;
  va_list args;

  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);

  fields[n++] = (GLogField){ "MESSAGE", message, -1 };
  fields[n++] = (GLogField){ "PRIORITY", priority (level), -1 };
  fields[n++] = (GLogField){ "GLIB_DOMAIN", g_get_prgname (), -1 };
  if (address != NULL)
    fields[n++] = (GLogField){ "PCI_ADDRESS", address, -1 };
  if (domain_uuid != NULL)
    fields[n++] = (GLogField){ "DOMAIN_UUID", domain_uuid, -1 };
  if (lease != NULL)
    fields[n++] = (GLogField){ "LEASE", lease, -1 };
  g_log_structured_array (level, fields, n);
}

void
common_log_event (GLogLevelFlags level, const char *const *fields, const char *format, ...)
{
  GLogField log[COMMON_LOG_MAX_FIELDS + 3];
  gsize n = 0;
  va_list args;

  va_start (args, format);
  g_autofree char *message = g_strdup_vprintf (format, args);
  va_end (args);

  log[n++] = (GLogField){ "MESSAGE", message, -1 };
  log[n++] = (GLogField){ "PRIORITY", priority (level), -1 };
  log[n++] = (GLogField){ "GLIB_DOMAIN", g_get_prgname (), -1 };
  for (; fields[0] != NULL && n < G_N_ELEMENTS (log); fields += 2)
    if (fields[1] != NULL && *fields[1] != '\0')
      log[n++] = (GLogField){ fields[0], fields[1], -1 };
  g_log_structured_array (level, log, n);
}
