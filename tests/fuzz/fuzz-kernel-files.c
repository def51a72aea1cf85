/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kvmhelper/kvmhelper-busy.h"
#include "kvmhelper/kvmhelper-capability.h"
#include "kvmhelper/kvmhelper-eeh.h"
#include "kvmhelper/kvmhelper-function.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/*
 * What all the small files of a kernel say: mountinfo, swaps, routes, cpuinfo, EEH's counters and
 * states, configuration space, links and directories. The input is such a host: a line
 * "== WORD", and below it what each file, link or directory has whose path has WORD in it, up to
 * the next such line; of a directory the names, a line each. The first one that fits counts.
 */
typedef struct
{
  GPtrArray *words;
  GPtrArray *texts; /* GString */
  GArray *open;     /* Reading, by handle - 3 */
} Host;

typedef struct
{
  guint text;
  gsize at;
} Reading;

static int
find (const Host *host, const char *path)
{
  for (guint i = 0; i < host->words->len; i++)
    if (strstr (path, host->words->pdata[i]) != NULL)
      return (int) i;
  return -ENOENT;
}

static int
fuzz_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  Host *host = data;
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
  const Host *host = data;
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
  g_assert_not_reached ();
}

static gssize
fuzz_readlink (gpointer data, KvmHelperRoot root, const char *path, char *buffer, gsize size)
{
  const Host *host = data;
  int found = find (host, path);
  const GString *text;
  gsize length;

  if (found < 0)
    return found;
  text = host->texts->pdata[found];
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
static int
fuzz_list (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names)
{
  const Host *host = data;
  int found = find (host, path);
  g_auto (GStrv) lines = NULL;

  if (found < 0)
    return found;
  lines = g_strsplit (((const GString *) host->texts->pdata[found])->str, "\n", -1);
  for (guint i = 0; lines[i] != NULL && i < 32; i++)
    if (*lines[i] != '\0' && strchr (lines[i], '/') == NULL && !g_str_equal (lines[i], ".")
        && !g_str_equal (lines[i], ".."))
      g_ptr_array_add (names, g_strdup (lines[i]));
  return 0;
}

static int
fuzz_stat (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result)
{
  int found = find (data, path);

  if (found < 0)
    return found;
  memset (result, 0, sizeof *result);
  return 0;
}

static int
fuzz_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  return -ENOTTY;
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
};

static void
free_text (gpointer text)
{
  g_string_free (text, TRUE);
}

static void
read_host (Host *host, const char *data, gsize size)
{
  const char *end = data + size;

  while (data < end)
    {
      const char *line_end = memchr (data, '\n', (gsize) (end - data));
      const char *next;

      if (line_end == NULL || line_end - data < 4 || strncmp (data, "== ", 3) != 0)
        return;
      next = g_strstr_len (line_end, end - line_end, "\n== ");
      g_ptr_array_add (host->words, g_strndup (data + 3, (gsize) (line_end - data - 3)));
      data = next == NULL ? end : next + 1;
      g_ptr_array_add (host->texts, g_string_new_len (line_end + 1, data - line_end - 1));
    }
}

static void
look (const KvmHelperKernel *kernel)
{
  g_autoptr (GPtrArray) functions = kvmhelper_function_read_all (kernel);
  g_autoptr (KvmHelperBusy) busy = kvmhelper_busy_new (kernel);
  g_autoptr (GVariant) capabilities G_GNUC_UNUSED
      = g_variant_ref_sink (kvmhelper_capabilities_read (kernel, kvmhelper_platform_read (kernel)));

  for (guint i = 0; i < functions->len; i++)
    g_ptr_array_unref (kvmhelper_busy_get (busy, functions->pdata[i]));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Host host = { g_ptr_array_new_with_free_func (g_free), g_ptr_array_new_with_free_func (free_text),
                g_array_new (FALSE, FALSE, sizeof (Reading)) };
  const KvmHelperKernel kernel = { &calls, &host, 0x10000, 4242, NULL };
  g_autofree char *text = g_strndup ((const char *) data, size);

  kvmhelper_eeh_parse (text);
  read_host (&host, (const char *) data, size);
  look (&kernel);
  g_ptr_array_unref (host.words);
  g_ptr_array_unref (host.texts);
  g_array_unref (host.open);
  return 0;
}
