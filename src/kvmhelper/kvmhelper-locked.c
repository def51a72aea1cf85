/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-locked.h"

#include <string.h>

#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-vectors.h"

#define CAP_IPC_LOCK 14 /* include/uapi/linux/capability.h */

/* What stands behind @key at the beginning of a line, NULL: there is none. */
static const char *
find_value (const char *text, const char *key)
{
  gsize length = strlen (key);

  for (const char *line = text; line != NULL; line = strchr (line, '\n'))
    {
      line += *line == '\n' ? 1 : 0;
      if (strncmp (line, key, length) == 0)
        return line + length + strspn (line + length, " \t");
    }
  return NULL;
}

static gboolean
take_number (const char *text, guint base, guint64 *number)
{
  char *end;

  if (text == NULL || !g_ascii_isxdigit (*text))
    return FALSE;
  *number = g_ascii_strtoull (text, &end, base);
  return end != text && (*end == '\0' || g_ascii_isspace (*end));
}

KvmHelperLocked
kvmhelper_locked_parse (const char *status, const char *limits)
{
  KvmHelperLocked locked = { .known = FALSE };
  const char *limit = find_value (limits, "Max locked memory");
  guint64 capabilities;

  if (!take_number (find_value (status, "VmLck:"), 10, &locked.locked)
      || !take_number (find_value (status, "VmPin:"), 10, &locked.pinned)
      || !take_number (find_value (status, "CapEff:"), 16, &capabilities))
    return locked;
  locked.locked *= 1024;
  locked.pinned *= 1024;
  locked.ipc_lock = (capabilities & (1u << CAP_IPC_LOCK)) != 0;
  if (limit != NULL && g_str_has_prefix (limit, "unlimited"))
    {
      locked.limit = G_MAXUINT64;
      locked.known = TRUE;
    }
  else
    locked.known = take_number (limit, 10, &locked.limit);
  return locked;
}

KvmHelperLocked
kvmhelper_locked_read (const KvmHelperKernel *kernel, guint pid)
{
  g_autofree char *status_path = g_strdup_printf ("%u/status", pid);
  g_autofree char *limits_path = g_strdup_printf ("%u/limits", pid);
  g_autofree char *status = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, status_path,
                                                   KVMHELPER_MAX_ATTRIBUTE * 4, NULL, NULL);
  g_autofree char *limits = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, limits_path,
                                                   KVMHELPER_MAX_ATTRIBUTE * 4, NULL, NULL);

  return kvmhelper_locked_parse (status == NULL ? "" : status, limits == NULL ? "" : limits);
}

gboolean
kvmhelper_locked_is_near (const KvmHelperLocked *locked)
{
  return locked->known && !locked->ipc_lock && locked->limit != G_MAXUINT64
         && kvmhelper_near_limit (locked->locked, locked->limit);
}
