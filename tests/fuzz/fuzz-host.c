/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz-host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kvmhelper/kvmhelper-abi.h"

struct _FuzzHost
{
  KvmHelperKernel kernel;
  GPtrArray *words;
  GPtrArray *texts; /* GString */
  GArray *open;     /* Reading, by handle - 3 */
  gsize answered;   /* how much of the answers to ioctls was given */
};

typedef struct
{
  guint text;
  gsize at;
} Reading;

/* More than a process can have. */
#define HANDLES 1024

static int
find (const FuzzHost *host, const char *path)
{
  for (guint i = 0; i < host->words->len; i++)
    if (strstr (path, host->words->pdata[i]) != NULL)
      return (int) i;
  return -ENOENT;
}

const GString *
fuzz_host_get (const FuzzHost *host, const char *path)
{
  int found = find (host, path);

  return found < 0 ? NULL : host->texts->pdata[found];
}

static int
fuzz_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  FuzzHost *host = data;
  Reading reading = { 0, 0 };
  int found = find (host, path);

  if (found < 0)
    return found;
  reading.text = (guint) found;
  g_array_append_val (host->open, reading);
  return (int) host->open->len + 2;
}

static int
fuzz_open_at (gpointer data, int directory, const char *path, int flags)
{
  return fuzz_open (data, KVMHELPER_SYS, path, flags);
}

static void
fuzz_close (gpointer data, int handle)
{
}

static gssize
fuzz_read (gpointer data, int handle, void *buffer, gsize length)
{
  const FuzzHost *host = data;
  Reading *reading = &g_array_index (host->open, Reading, handle - 3);
  const GString *text = host->texts->pdata[reading->text];
  gsize n = MIN (length, text->len - reading->at);

  memcpy (buffer, text->str + reading->at, n);
  reading->at += n;
  return (gssize) n;
}

static gssize
fuzz_write (gpointer data, int handle, const void *buffer, gsize length)
{
  return -EACCES;
}

static gssize
fuzz_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  const GString *text = fuzz_host_get (data, path);
  gsize length;

  if (text == NULL)
    return -ENOENT;
  length = MIN (size, strcspn (text->str, "\n"));
  memcpy (buffer, text->str, length);
  return (gssize) length;
}

static gssize
fuzz_readlink_at (gpointer data, int directory, const char *path, char *buffer, gsize size)
{
  return fuzz_readlink (data, KVMHELPER_SYS, path, buffer, size);
}

/* The kernel's names have no "/", and are neither "." nor "..". */
static gboolean
is_name (const char *name, gsize length)
{
  return length > 0 && memchr (name, '/', length) == NULL
         && !(name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')));
}

/* A directory has a name once. */
static gboolean
is_listed (const GPtrArray *names, const char *name, gsize length)
{
  for (guint i = 0; i < names->len; i++)
    if (strlen (names->pdata[i]) == length && memcmp (names->pdata[i], name, length) == 0)
      return TRUE;
  return FALSE;
}

static int
fuzz_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  const GString *text = fuzz_host_get (data, path);
  const char *line = text == NULL ? NULL : text->str;

  if (text == NULL)
    return -ENOENT;
  for (guint i = 0; *line != '\0' && i < 32; i++)
    {
      gsize length = strcspn (line, "\n");

      if (is_name (line, length) && !is_listed (names, line, length))
        g_ptr_array_add (names, g_strndup (line, length));
      line += length + (line[length] == '\n' ? 1 : 0);
    }
  return 0;
}

static int
fuzz_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  const GString *text = fuzz_host_get (data, path);
  const char *second = text == NULL ? NULL : strchr (text->str, '\n');

  if (text == NULL)
    return -ENOENT;
  memset (result, 0, sizeof *result);
  if (second != NULL && sscanf (second, "\nc%u:%u", &result->major, &result->minor) == 2)
    result->mode = S_IFCHR | 0600;
  return 0;
}

/* What the kernel writes into the struct of a request, in bytes: the whole, or what is behind what
 * it was asked. */
static void
find_answer (gulong request, gsize *from, gsize *size)
{
  *from = *size = 0;
  if (request == VFIO_GROUP_GET_STATUS)
    {
      *from = offsetof (struct vfio_group_status, flags);
      *size = sizeof (struct vfio_group_status) - *from;
    }
  else if (request == VFIO_DEVICE_GET_IRQ_INFO)
    {
      *from = offsetof (struct vfio_irq_info, count);
      *size = sizeof (guint32);
    }
  else if (request == VFIO_IOMMU_SPAPR_TCE_GET_INFO)
    {
      *from = offsetof (struct vfio_iommu_spapr_tce_info, dma32_window_start);
      *size = sizeof (struct vfio_iommu_spapr_tce_info) - *from;
    }
  else if (request == VFIO_IOMMU_SPAPR_TCE_CREATE)
    {
      *from = offsetof (struct vfio_iommu_spapr_tce_create, start_addr);
      *size = sizeof (guint64);
    }
  else if (request == KVM_CREATE_DEVICE)
    {
      *from = offsetof (struct kvm_create_device, fd);
      *size = sizeof (guint32);
    }
}

static int
fuzz_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  FuzzHost *host = data;
  const GString *answers = fuzz_host_get (host, "ioctl");
  gsize from, size;
  guint8 answer;

  find_answer (request, &from, &size);
  if (answers == NULL || host->answered >= answers->len)
    return -ENOTTY;
  answer = (guint8) answers->str[host->answered++];
  if (answer > 0x80)
    return -(answer - 0x80);
  size = MIN (size, answers->len - host->answered);
  if (size > 0)
    memcpy ((char *) argument + from, answers->str + host->answered, size);
  host->answered += size;
  return answer;
}

/* Nothing but the kernel looks there. */
static int
fuzz_mmap (gpointer data, int handle, gsize length, guint64 offset, void **address)
{
  *address = GSIZE_TO_POINTER (0x10000000);
  return 0;
}

static int
fuzz_munmap (gpointer data, void *address, gsize length)
{
  return 0;
}

static guint64
fuzz_load (gpointer data, const void *address)
{
  return 1;
}

static int
fuzz_eventfd (gpointer data)
{
  return HANDLES;
}

static gssize
fuzz_get_acl (gpointer data, KvmHelperRoot root, const char *path, void *acl, gsize size)
{
  const GString *text = fuzz_host_get (data, path);

  if (text == NULL)
    return -ENOENT;
  if (text->len == 0)
    return -ENODATA;
  if (text->len > size)
    return -ERANGE;
  memcpy (acl, text->str, text->len);
  return (gssize) text->len;
}

static int
fuzz_set_acl (gpointer data, KvmHelperRoot root, const char *path, const void *acl, gsize size)
{
  GString *text = (GString *) fuzz_host_get (data, path);

  if (text == NULL)
    return -ENOENT;
  g_string_truncate (text, 0);
  g_string_append_len (text, acl, (gssize) size);
  return 0;
}

static int
fuzz_pidfd (gpointer data, guint pid)
{
  return HANDLES;
}

static int
fuzz_memlock (gpointer data, guint pid, const KvmHelperLimit *limit, KvmHelperLimit *before)
{
  if (before != NULL)
    *before = (KvmHelperLimit){ 65536, G_MAXUINT64 };
  return 0;
}

static int
fuzz_receive (gpointer data, int fd)
{
  return fd;
}

static const KvmHelperKernelCalls calls = {
  .open = fuzz_open,
  .open_at = fuzz_open_at,
  .readlink_at = fuzz_readlink_at,
  .close = fuzz_close,
  .read = fuzz_read,
  .write = fuzz_write,
  .readlink = fuzz_readlink,
  .list = fuzz_list,
  .stat = fuzz_stat,
  .ioctl = fuzz_ioctl,
  .mmap = fuzz_mmap,
  .munmap = fuzz_munmap,
  .load = fuzz_load,
  .eventfd = fuzz_eventfd,
  .get_acl = fuzz_get_acl,
  .set_acl = fuzz_set_acl,
  .pidfd = fuzz_pidfd,
  .memlock = fuzz_memlock,
  .receive = fuzz_receive,
};

static void
free_text (gpointer text)
{
  g_string_free (text, TRUE);
}

FuzzHost *
fuzz_host_new (const char *data, gsize size)
{
  const char *end = data + size;
  FuzzHost *host = g_new0 (FuzzHost, 1);

  host->kernel = (KvmHelperKernel){ &calls, host, 0x10000, FUZZ_HOST_PID, NULL };
  host->words = g_ptr_array_new_with_free_func (g_free);
  host->texts = g_ptr_array_new_with_free_func (free_text);
  host->open = g_array_new (FALSE, FALSE, sizeof (Reading));
  while (data < end)
    {
      const char *line_end = memchr (data, '\n', (gsize) (end - data));
      const char *next;

      if (line_end == NULL || line_end - data < 4 || strncmp (data, "== ", 3) != 0)
        break;
      next = memmem (line_end, (gsize) (end - line_end), "\n== ", strlen ("\n== "));
      g_ptr_array_add (host->words, g_strndup (data + 3, (gsize) (line_end - data - 3)));
      data = next == NULL ? end : next + 1;
      g_ptr_array_add (host->texts, g_string_new_len (line_end + 1, data - line_end - 1));
    }
  return host;
}

void
fuzz_host_free (FuzzHost *host)
{
  g_ptr_array_unref (host->words);
  g_ptr_array_unref (host->texts);
  g_array_unref (host->open);
  g_free (host);
}

const KvmHelperKernel *
fuzz_host_kernel (const FuzzHost *host)
{
  return &host->kernel;
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if ((level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)) != 0)
    {
      g_log_writer_standard_streams (level, fields, n_fields, NULL);
      abort ();
    }
  return G_LOG_WRITER_HANDLED;
}

void
fuzz_strict (void)
{
  g_log_set_writer_func (write_log, NULL, NULL);
}
