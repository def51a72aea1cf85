/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kvmhelper/simulated/kvmhelper-sim-file.h"

/*
 * The memory of those who call. It is this process' own, but the address comes from the caller and
 * may lead nowhere: the kernel is asked to copy, which says EFAULT where a plain copy would end
 * the process.
 */

/* What a pipe takes at once. */
#define PIPE_CHUNK 4096

/* Where a sandbox forbids process_vm_readv and _writev: through a pipe, whose ends copy as well. */
static int
copy_by_pipe (void *to, const void *from, gsize length)
{
  int ends[2];
  int result = 0;

  if (pipe2 (ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return -ENOMEM;
  for (gsize done = 0; done < length && result == 0;)
    {
      gsize chunk = MIN (length - done, PIPE_CHUNK);

      if (write (ends[1], (const guint8 *) from + done, chunk) != (gssize) chunk
          || read (ends[0], (guint8 *) to + done, chunk) != (gssize) chunk)
        result = -EFAULT;
      done += chunk;
    }
  close (ends[0]);
  close (ends[1]);
  return result;
}

int
kvmhelper_sim_copy_in (gulong address, void *to, gsize length)
{
  const struct iovec local = { to, length }, remote = { (void *) address, length };
  gssize n = length == 0 ? 0 : process_vm_readv (getpid (), &local, 1, &remote, 1, 0);

  if (n >= 0)
    return (gsize) n == length ? 0 : -EFAULT;
  return errno == EFAULT ? -EFAULT : copy_by_pipe (to, (const void *) address, length);
}

int
kvmhelper_sim_copy_out (gulong address, const void *from, gsize length)
{
  const struct iovec local = { (void *) from, length }, remote = { (void *) address, length };
  gssize n = length == 0 ? 0 : process_vm_writev (getpid (), &local, 1, &remote, 1, 0);

  if (n >= 0)
    return (gsize) n == length ? 0 : -EFAULT;
  return errno == EFAULT ? -EFAULT : copy_by_pipe ((void *) address, from, length);
}

/* Byte by byte up to the end: what stands behind it may not be memory. */
char *
kvmhelper_sim_copy_string (gulong address, gsize limit)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (gsize i = 0; i < limit; i++)
    {
      char byte;

      if (kvmhelper_sim_copy_in (address + i, &byte, 1) != 0)
        return NULL;
      if (byte == '\0')
        break;
      g_string_append_c (text, byte);
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* By the list of what is mapped: memory that was never touched is memory too. To be pinned it has
 * to be writable (mm/gup.c: check_vma_flags with FOLL_WRITE). */
gboolean
kvmhelper_sim_memory_is_mapped (guint64 address, guint64 length)
{
  FILE *maps = fopen ("/proc/self/maps", "re");
  guint64 reached = address;
  char *line = NULL;
  size_t size = 0;

  if (maps == NULL || address + length < address)
    reached = G_MAXUINT64;
  while (reached - address < length && getline (&line, &size, maps) > 0)
    {
      guint64 start, end;
      char mode[5];

      if (sscanf (line, "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x %4s", &start, &end, mode)
              != 3
          || end <= reached)
        continue;
      if (start > reached || mode[0] != 'r' || mode[1] != 'w')
        break;
      reached = end;
    }
  free (line);
  if (maps != NULL)
    fclose (maps);
  return reached != G_MAXUINT64 && reached - address >= length;
}
