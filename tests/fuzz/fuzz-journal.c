/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz-host.h"
#include "kvmhelper/kvmhelper-journal.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The directory of leases: a file's name, up to the first line end, and what is in it. What is read
 * of it is a lease of that name; what cannot be read is there still. */

#define SUFFIX ".lease"

static char *state, *leases;

static void
clean (void)
{
  rmdir (leases);
  rmdir (state);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  fuzz_strict ();
  state = g_strdup ("/dev/shm/fuzz-journal-XXXXXX");
  g_assert_nonnull (g_mkdtemp (state));
  leases = g_build_filename (state, "leases", NULL);
  return atexit (clean);
}

static void
check (GPtrArray *found, const char *name, const char *path)
{
  gboolean ours = g_str_has_suffix (name, SUFFIX);

  g_assert_cmpuint (found->len, <=, ours ? 1 : 0);
  /* What is no record, as what a write left that was cut short, is removed. */
  g_assert_cmpint (access (path, F_OK) == 0, ==, ours);
  for (guint i = 0; i < found->len; i++)
    {
      const KvmHelperLease *lease = found->pdata[i];
      g_autofree char *expected = g_strconcat (lease->id, SUFFIX, NULL);

      g_assert_cmpstr (expected, ==, name);
      g_assert_true (lease->unreadable || lease->members != NULL);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const uint8_t *end = memchr (data, '\n', size);
  gsize length = end == NULL ? size : (gsize) (end - data);
  g_autofree char *name = g_strndup ((const char *) data, length);
  g_autofree char *path = NULL;
  g_autoptr (KvmHelperJournal) journal = NULL;
  g_autoptr (GPtrArray) found = NULL;
  g_autoptr (GError) error = NULL;
  int fd;

  if (*name == '\0' || strlen (name) > 255 || strchr (name, '/') != NULL || g_str_equal (name, ".")
      || g_str_equal (name, ".."))
    return 0;
  journal = kvmhelper_journal_open (state, &error);
  g_assert_no_error (error);
  path = g_build_filename (leases, name, NULL);
  fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0 || (end != NULL && write (fd, end + 1, size - length - 1) < 0))
    abort ();
  close (fd);
  found = kvmhelper_journal_load (journal, &error);
  g_assert_no_error (error);
  check (found, name, path);
  unlink (path);
  return 0;
}
