/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/xattr.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/common-error.h"

/* The three roots are opened once: what is mounted over them later does not matter. */
typedef struct
{
  int roots[3];
} Linux;

/* Every open goes through openat2 (Linux 5.6; VFIO on POWER needs 6.4 or newer, so there is no
 * older kernel to fall back for): no "..", absolute link or magic link leads out of the root. */
static int
open_in (int directory, const char *path, int flags)
{
  struct open_how how = {
    .flags = (guint64) (flags | O_CLOEXEC),
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
  };
  long fd;

  do
    fd = syscall (SYS_openat2, directory, path, &how, sizeof how);
  while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return fd < 0 ? -errno : (int) fd;
}

static int
open_beneath (Linux *self, KvmHelperRoot root, const char *path, int flags)
{
  return open_in (self->roots[root], path, flags);
}

static int
linux_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  return open_beneath (data, root, path, flags | O_NOCTTY);
}

static int
linux_open_at (gpointer data, int directory, const char *path, int flags)
{
  return open_in (directory, path, flags | O_NOCTTY);
}

static void
linux_close (gpointer data, int handle)
{
  close (handle);
}

static gssize
linux_read (gpointer data, int handle, void *buffer, gsize length)
{
  gssize n;

  do
    n = read (handle, buffer, length);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

static gssize
linux_write (gpointer data, int handle, const void *buffer, gsize length)
{
  gssize n;

  do
    n = write (handle, buffer, length);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

static gssize
linux_readlink_at (gpointer data, int directory, const char *path, char *buffer, gsize size)
{
  /* The link itself, also where it is a magic one: it is read, not followed. */
  int link = open_in (directory, path, O_PATH | O_NOFOLLOW);
  gssize n;

  if (link < 0)
    return link;
  n = readlinkat (link, "", buffer, size);
  if (n < 0)
    n = errno == ENOENT ? -EINVAL : -errno; /* what readlinkat says of a file that is no link */
  close (link);
  return n;
}

static gssize
linux_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  Linux *self = data;

  return linux_readlink_at (data, self->roots[root], path, buffer, size);
}

static int
linux_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  int fd = open_beneath (data, root, path, O_RDONLY | O_DIRECTORY);
  DIR *directory;
  int result;

  if (fd < 0)
    return fd;
  directory = fdopendir (fd);
  if (directory == NULL)
    {
      result = -errno;
      close (fd);
      return result;
    }
  for (;;)
    {
      const struct dirent *entry;

      errno = 0;
      entry = readdir (directory);
      if (entry == NULL)
        break;
      if (g_str_equal (entry->d_name, ".") || g_str_equal (entry->d_name, ".."))
        continue;
      g_ptr_array_add (names, g_strdup (entry->d_name));
    }
  result = -errno;
  closedir (directory);
  return result;
}

static int
linux_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  Linux *self = data;
  struct statx stat;

  /* The links in /proc/PID/fd are magic ones and lead anywhere: this is the one call that follows
   * them, and it opens nothing. AT_STATX_DONT_SYNC: a user's dead file server (FUSE, NFS) must not
   * hold us up; the numbers of a device node do not change. */
  if (statx (self->roots[root], path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &stat) != 0)
    return -errno;
  *result = (KvmHelperStat){ stat.stx_mode, stat.stx_rdev_major, stat.stx_rdev_minor };
  return 0;
}

static int
linux_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  int result = ioctl (handle, request, argument);

  return result < 0 ? -errno : result;
}

static int
linux_mmap (gpointer data, int handle, gsize length, guint64 offset, void **address)
{
  void *mapped = mmap (NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, handle, (off_t) offset);

  if (mapped == MAP_FAILED)
    return -errno;
  *address = mapped;
  return 0;
}

static int
linux_munmap (gpointer data, void *address, gsize length)
{
  return munmap (address, length) == 0 ? 0 : -errno;
}

static guint64
linux_load (gpointer data, const void *address)
{
  return GUINT64_FROM_BE (*(const volatile guint64 *) address);
}

static int
linux_eventfd (gpointer data)
{
  int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);

  return fd < 0 ? -errno : fd;
}

/* The attributes of a file are reached by a path or an open file. To open a group takes it, and to
 * walk the path once more could lead elsewhere: so by the link of a descriptor that only names the
 * file. */
typedef struct
{
  int fd;
  char path[32];
} Named;

static int
name_file (Linux *self, KvmHelperRoot root, const char *path, Named *named)
{
  named->fd = open_beneath (self, root, path, O_PATH | O_NOFOLLOW);
  if (named->fd >= 0)
    snprintf (named->path, sizeof named->path, "/proc/self/fd/%d", named->fd);
  return named->fd;
}

static gssize
linux_get_acl (gpointer data, KvmHelperRoot root, const char *path, void *acl, gsize size)
{
  Named named;
  gssize n;

  if (name_file (data, root, path, &named) < 0)
    return named.fd;
  n = getxattr (named.path, XATTR_NAME_POSIX_ACL_ACCESS, acl, size);
  if (n < 0)
    n = -errno;
  close (named.fd);
  return n;
}

static int
linux_set_acl (gpointer data, KvmHelperRoot root, const char *path, const void *acl, gsize size)
{
  Named named;
  int result;

  if (name_file (data, root, path, &named) < 0)
    return named.fd;
  result = setxattr (named.path, XATTR_NAME_POSIX_ACL_ACCESS, acl, size, 0) == 0 ? 0 : -errno;
  close (named.fd);
  return result;
}

static int
linux_pidfd (gpointer data, guint pid)
{
  long fd = syscall (SYS_pidfd_open, (pid_t) pid, 0); /* close-on-exec by itself */

  return fd < 0 ? -errno : (int) fd;
}

static int
linux_memlock (gpointer data, guint pid, const KvmHelperLimit *limit, KvmHelperLimit *before)
{
  struct rlimit new, old;

  if (limit != NULL)
    new = (struct rlimit){ limit->soft, limit->hard };
  if (prlimit ((pid_t) pid, RLIMIT_MEMLOCK, limit == NULL ? NULL : &new,
               before == NULL ? NULL : &old)
      != 0)
    return -errno;
  if (before != NULL)
    *before = (KvmHelperLimit){ old.rlim_cur, old.rlim_max };
  return 0;
}
G_STATIC_ASSERT (sizeof (rlim_t) == sizeof (guint64) && RLIM_INFINITY == G_MAXUINT64);

/* Handles are descriptors. */
static int
linux_receive (gpointer data, int fd)
{
  return fd;
}

static const KvmHelperKernelCalls linux_calls = {
  .open = linux_open,
  .open_at = linux_open_at,
  .readlink_at = linux_readlink_at,
  .close = linux_close,
  .read = linux_read,
  .write = linux_write,
  .readlink = linux_readlink,
  .list = linux_list,
  .stat = linux_stat,
  .ioctl = linux_ioctl,
  .mmap = linux_mmap,
  .munmap = linux_munmap,
  .load = linux_load,
  .eventfd = linux_eventfd,
  .get_acl = linux_get_acl,
  .set_acl = linux_set_acl,
  .pidfd = linux_pidfd,
  .memlock = linux_memlock,
  .receive = linux_receive,
};

KvmHelperKernel *
kvmhelper_kernel_linux_new (const char *sys, const char *proc, const char *dev, GError **error)
{
  const char *paths[3] = { sys, proc, dev };
  KvmHelperKernel *kernel = g_new0 (KvmHelperKernel, 1);
  Linux *self = g_new0 (Linux, 1);

  kernel->calls = &linux_calls;
  kernel->data = self;
  kernel->page_size = (gsize) sysconf (_SC_PAGESIZE);
  kernel->pid = (guint) getpid ();
  for (guint i = 0; i < 3; i++)
    self->roots[i] = -1;
  for (guint i = 0; i < 3; i++)
    {
      int answer;

      self->roots[i] = open (paths[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
      answer = self->roots[i] < 0 ? -errno : open_beneath (self, (KvmHelperRoot) i, ".", O_PATH);
      if (answer < 0)
        {
          /* ENOSYS: a sandbox without openat2 (RestrictSUIDSGID= of systemd takes it away). */
          common_error_set_errno (error, -answer, "%s", paths[i]);
          kvmhelper_kernel_linux_free (kernel);
          return NULL;
        }
      close (answer);
    }
  return kernel;
}

void
kvmhelper_kernel_linux_free (KvmHelperKernel *kernel)
{
  Linux *self = kernel->data;

  for (guint i = 0; i < 3; i++)
    if (self->roots[i] >= 0)
      close (self->roots[i]);
  g_free (self);
  g_free (kernel);
}
