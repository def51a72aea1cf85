/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

const char *
kvmhelper_kernel_root_name (KvmHelperRoot root)
{
  static const char *const names[] = { "/sys", "/proc", "/dev" };

  return names[root];
}

int
kvmhelper_kernel_open (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path,
                       int flags)
{
  return kernel->calls->open (kernel->data, root, path, flags);
}

void
kvmhelper_kernel_close (const KvmHelperKernel *kernel, int handle)
{
  kernel->calls->close (kernel->data, handle);
}

int
kvmhelper_kernel_ioctl (const KvmHelperKernel *kernel, int handle, gulong request, gulong argument)
{
  return kernel->calls->ioctl (kernel->data, handle, request, argument);
}

int
kvmhelper_kernel_stat (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path,
                       KvmHelperStat *result)
{
  return kernel->calls->stat (kernel->data, root, path, result);
}

gboolean
kvmhelper_kernel_exists (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path)
{
  KvmHelperStat stat;

  return kvmhelper_kernel_stat (kernel, root, path, &stat) == 0;
}

/* Reads from @handle into @text, at most @limit bytes: 0 or a negative errno. */
static int
read_all (const KvmHelperKernel *kernel, int handle, GString *text, gsize limit)
{
  char buffer[16384];

  while (text->len < limit)
    {
      gsize room = MIN (sizeof buffer, limit - text->len);
      gssize n = kernel->calls->read (kernel->data, handle, buffer, room);

      if (n < 0)
        return (int) n;
      if (n == 0)
        break;
      g_string_append_len (text, buffer, n);
    }
  return 0;
}

char *
kvmhelper_kernel_read (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path,
                       gsize limit, gsize *length, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  int handle = kvmhelper_kernel_open (kernel, root, path, O_RDONLY);
  int result = handle;

  if (handle >= 0)
    {
      result = read_all (kernel, handle, text, limit);
      kvmhelper_kernel_close (kernel, handle);
    }
  if (result < 0)
    {
      common_error_set_errno (error, -result, "%s/%s", kvmhelper_kernel_root_name (root), path);
      return NULL;
    }
  if (length != NULL)
    *length = text->len;
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
kvmhelper_kernel_as_line (const char *text)
{
  char *line = g_utf8_make_valid (text, -1);

  for (char *c = line; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c))
      *c = '?';
  return line;
}

char *
kvmhelper_kernel_read_line (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path)
{
  g_autofree char *text
      = kvmhelper_kernel_read (kernel, root, path, KVMHELPER_MAX_ATTRIBUTE, NULL, NULL);

  return text == NULL ? NULL : g_utf8_make_valid (g_strstrip (text), -1);
}

gboolean
kvmhelper_kernel_read_number (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path,
                              guint64 *number)
{
  g_autofree char *text = kvmhelper_kernel_read_line (kernel, root, path);
  guint base = 10;
  const char *digits = text;

  if (text == NULL)
    return FALSE;
  if (g_str_has_prefix (text, "0x"))
    {
      base = 16;
      digits += 2;
    }
  return g_ascii_string_to_unsigned (digits, base, 0, G_MAXUINT64, number, NULL);
}

/* Writes to @handle, which is closed; or hands on the errno that it is: 0 or a negative errno. */
static int
write_whole (const KvmHelperKernel *kernel, int handle, const char *text)
{
  gsize length = strlen (text);
  gssize n = handle;

  if (handle >= 0)
    {
      n = kernel->calls->write (kernel->data, handle, text, length);
      kvmhelper_kernel_close (kernel, handle);
    }
  if (n >= 0 && (gsize) n != length)
    n = -EIO;
  return n < 0 ? (int) n : 0;
}

gboolean
kvmhelper_kernel_write (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path,
                        const char *text, GError **error)
{
  int result = write_whole (kernel, kvmhelper_kernel_open (kernel, root, path, O_WRONLY), text);

  if (result == 0)
    return TRUE;
  common_error_set_errno (error, -result, "%s/%s", kvmhelper_kernel_root_name (root), path);
  return FALSE;
}

int
kvmhelper_kernel_read_at (const KvmHelperKernel *kernel, int directory, const char *path,
                          gsize limit, char **text)
{
  int handle = kernel->calls->open_at (kernel->data, directory, path, O_RDONLY);
  g_autoptr (GString) content = g_string_new (NULL);
  int result;

  if (handle < 0)
    return handle;
  result = read_all (kernel, handle, content, limit);
  kvmhelper_kernel_close (kernel, handle);
  if (result == 0)
    *text = g_string_free (g_steal_pointer (&content), FALSE);
  return result;
}

int
kvmhelper_kernel_write_at (const KvmHelperKernel *kernel, int directory, const char *path,
                           const char *text)
{
  return write_whole (kernel, kernel->calls->open_at (kernel->data, directory, path, O_WRONLY),
                      text);
}

char *
kvmhelper_kernel_readlink (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path)
{
  char buffer[KVMHELPER_MAX_ATTRIBUTE];
  gssize n = kernel->calls->readlink (kernel->data, root, path, buffer, sizeof buffer);

  /* A text that fills the buffer may have been cut. */
  if (n <= 0 || (gsize) n >= sizeof buffer)
    return NULL;
  return g_strndup (buffer, (gsize) n);
}

char *
kvmhelper_kernel_link_name (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path)
{
  g_autofree char *text = kvmhelper_kernel_readlink (kernel, root, path);
  g_autofree char *line = NULL;
  const char *name;

  if (text == NULL)
    return NULL;
  name = strrchr (text, '/');
  name = name == NULL ? text : name + 1;
  line = kvmhelper_kernel_as_line (name);
  /* It becomes a part of a path. */
  if (*name == '\0' || g_str_equal (name, ".") || g_str_equal (name, "..")
      || !g_str_equal (name, line))
    return NULL;
  return g_strdup (name);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
kvmhelper_kernel_list (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);

  /* What was listed before a failure is as good as it gets: entries come and go anyway. */
  kernel->calls->list (kernel->data, root, path, names);
  g_ptr_array_sort (names, compare_names);
  return names;
}

char *
kvmhelper_kernel_boot_id (const KvmHelperKernel *kernel)
{
  char *id = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, "sys/kernel/random/boot_id");

  return id == NULL ? g_strdup ("") : id;
}

char *
kvmhelper_kernel_release (const KvmHelperKernel *kernel)
{
  char *release = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, "sys/kernel/osrelease");

  return release == NULL ? g_strdup ("") : release;
}
