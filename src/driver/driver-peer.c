/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-peer.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>

#include "common/common-error.h"

enum
{
  /* The field of /proc/PID/stat behind the name, from 0 (fs/proc/array.c: do_task_stat). */
  STAT_START = 19,
  LABEL_MAX = 4096,
  /* A group may have many members, whose names come along. */
  RECORD_MIN = 1024,
  RECORD_MAX = 4 * 1024 * 1024,
};

static gboolean
read_start (gint32 pid, guint64 *start)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *text = NULL;
  /* PID (NAME) STATE …; a name may have brackets. */
  const char *rest = g_file_get_contents (path, &text, NULL, NULL) ? strrchr (text, ')') : NULL;
  g_auto (GStrv) fields = rest != NULL ? g_strsplit (g_strchug ((char *) rest + 1), " ", -1) : NULL;

  return fields != NULL && g_strv_length (fields) > STAT_START
         && g_ascii_string_to_unsigned (fields[STAT_START], 10, 0, G_MAXUINT64, start, NULL);
}

static char *
read_label (int fd)
{
  char label[LABEL_MAX];
  socklen_t length = sizeof label;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERSEC, label, &length) != 0 || length == 0)
    return NULL;
  return g_strndup (label, length);
}

DriverPeer *
driver_peer_new (int fd, GError **error)
{
  g_autoptr (DriverPeer) self = g_new0 (DriverPeer, 1);
  struct ucred credentials;
  socklen_t length = sizeof credentials;

  if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   _ ("who the client is cannot be found out: %s"), g_strerror (errno));
      return NULL;
    }
  self->uid = credentials.uid;
  self->gid = credentials.gid;
  self->pid = credentials.pid;
  self->selinux = read_label (fd);
  if (read_start (self->pid, &self->start))
    return g_steal_pointer (&self);
  g_set_error (
      error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
      _ ("the process that connected, %d, is not there any more, or virtppc64d may not see "
         "it (/proc is mounted with “hidepid”)"),
      self->pid);
  return NULL;
}

void
driver_peer_free (DriverPeer *self)
{
  if (self == NULL)
    return;
  g_free (self->user);
  g_free (self->group);
  g_free (self->selinux);
  g_free (self);
}

static char *
find_user (guint32 uid)
{
  for (gsize size = RECORD_MIN; size <= RECORD_MAX; size *= 2)
    {
      g_autofree char *buffer = g_malloc (size);
      struct passwd record, *found = NULL;
      int failed = getpwuid_r (uid, &record, buffer, size, &found);

      if (failed != ERANGE)
        return failed == 0 && found != NULL ? g_strdup (found->pw_name) : NULL;
    }
  return NULL;
}

static char *
find_group (guint32 gid)
{
  for (gsize size = RECORD_MIN; size <= RECORD_MAX; size *= 2)
    {
      g_autofree char *buffer = g_malloc (size);
      struct group record, *found = NULL;
      int failed = getgrgid_r (gid, &record, buffer, size, &found);

      if (failed != ERANGE)
        return failed == 0 && found != NULL ? g_strdup (found->gr_name) : NULL;
    }
  return NULL;
}

gboolean
driver_peer_name (DriverPeer *self, GError **error)
{
  self->user = find_user (self->uid);
  self->group = find_group (self->gid);
  if (self->user != NULL && self->group != NULL)
    return TRUE;
  if (self->user == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
                 _ ("the user %u of the client has no name"), self->uid);
  else
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED,
                 _ ("the group %u of the client has no name"), self->gid);
  return FALSE;
}
