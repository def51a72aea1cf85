/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-sockets.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/common-error.h"

static const char *const names[DRIVER_SOCKET_LAST] = {
  [DRIVER_SOCKET_RW] = DRIVER_SOCKET_RW_NAME,
  [DRIVER_SOCKET_RO] = "libvirt-sock-ro",
  [DRIVER_SOCKET_HOOK] = "hook",
};

const char *
driver_socket_name (DriverSocket which)
{
  return names[which];
}

static gboolean
take_from_systemd (int fds[DRIVER_SOCKET_LAST], GError **error)
{
  g_auto (GStrv) given = NULL;
  int n = sd_listen_fds_with_names (TRUE, &given);
  gboolean any = FALSE;

  for (int i = 0; i < n; i++)
    {
      int fd = SD_LISTEN_FDS_START + i, found = -1;

      for (int s = 0; s < DRIVER_SOCKET_LAST; s++)
        if (fds[s] < 0 && g_strcmp0 (given[i], names[s]) == 0)
          found = s;
      if (found < 0 || sd_is_socket (fd, AF_UNIX, SOCK_STREAM, 1) <= 0)
        {
          g_warning (_ ("systemd handed over a socket “%s”, which is not known here"), given[i]);
          close (fd);
          continue;
        }
      fds[found] = fd;
      any = TRUE;
    }
  if (!any)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                 _ ("systemd handed over no socket. Start virtppc64d.socket, or use --listen."));
  return any;
}

static int
listen_at (const char *directory, DriverSocket which, mode_t mode, GError **error)
{
  g_autofree char *path = g_build_filename (directory, names[which], NULL);
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd;

  if (g_strlcpy (address.sun_path, path, sizeof address.sun_path) >= sizeof address.sun_path)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                   _ ("%s is too long for a socket"), path);
      return -1;
    }
  fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  unlink (path);
  /* Never open wider than it will be, not even for a moment. */
  mode_t before = umask (0777 & ~mode);
  gboolean bound = fd >= 0 && bind (fd, (const struct sockaddr *) &address, sizeof address) == 0;
  int failed = errno;

  umask (before);
  if (!bound || listen (fd, SOMAXCONN) != 0)
    {
      common_error_set_errno (error, bound ? errno : failed, _ ("cannot listen on %s"), path);
      if (fd >= 0)
        close (fd);
      return -1;
    }
  return fd;
}

gboolean
driver_sockets_listen (const char *directory, mode_t mode, int fds[DRIVER_SOCKET_LAST],
                       GError **error)
{
  for (int s = 0; s < DRIVER_SOCKET_LAST; s++)
    fds[s] = -1;
  if (directory == NULL)
    return take_from_systemd (fds, error);
  for (int s = 0; s < DRIVER_SOCKET_LAST; s++)
    {
      /* The hook's is libvirtd's, which is root. */
      fds[s]
          = listen_at (directory, (DriverSocket) s, s == DRIVER_SOCKET_HOOK ? 0600 : mode, error);
      if (fds[s] < 0)
        return FALSE;
    }
  return TRUE;
}
