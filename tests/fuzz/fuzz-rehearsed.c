/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz-host.h"
#include "kvmhelper/kvmhelper-rehearsed.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The file of what rehearsals found: whatever it has, what is noted is what is recalled, also by
 * another helper. */

static char *directory, *path;

static void
clean (void)
{
  unlink (path);
  rmdir (directory);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  fuzz_strict ();
  directory = g_strdup ("/dev/shm/fuzz-rehearsed-XXXXXX");
  g_assert_nonnull (g_mkdtemp (directory));
  path = g_build_filename (directory, "rehearsed", NULL);
  return atexit (clean);
}

/* A kernel without a name of its boot and release: the file's epoch is " ". */
static int
fuzz_open (gpointer data, KvmHelperRoot root, const char *file, int flags)
{
  return -ENOENT;
}

static const KvmHelperKernelCalls calls = { .open = fuzz_open };

static void
expect (KvmHelperRehearsed *rehearsed, const PciAddress *address, const KvmHelperIdentity *identity,
        const KvmHelperFound *expected)
{
  KvmHelperFound found;

  g_assert_true (kvmhelper_rehearsed_recall (rehearsed, address, identity, &found));
  g_assert_cmpint (found.passed, ==, expected->passed);
  g_assert_cmpint (found.bypass, ==, expected->bypass);
  g_assert_cmpint (found.has_windows, ==, expected->has_windows);
  if (!expected->has_windows)
    return;
  g_assert_cmpuint (found.dma32_start, ==, expected->dma32_start);
  g_assert_cmpuint (found.dma32_size, ==, expected->dma32_size);
  g_assert_cmpuint (found.page_sizes, ==, expected->page_sizes);
  g_assert_cmpuint (found.windows, ==, expected->windows);
  g_assert_cmpuint (found.levels, ==, expected->levels);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const KvmHelperKernel kernel = { &calls, NULL, 0x10000, 4242, NULL };
  const PciAddress address = { 3, 1, 0, 0 }, other = { 4, 1, 0, 0 };
  const KvmHelperIdentity identity = { 0x8086, 0x10d3, 0x8086, 0xa01f, 0x20000 };
  g_autoptr (KvmHelperRehearsed) rehearsed = NULL;
  g_autoptr (KvmHelperRehearsed) again = NULL;
  KvmHelperFound found;
  gboolean known;

  g_file_set_contents_full (path, (const char *) data, (gssize) size, G_FILE_SET_CONTENTS_NONE,
                            0600, NULL);
  rehearsed = kvmhelper_rehearsed_open (&kernel, directory);
  known = kvmhelper_rehearsed_recall (rehearsed, &address, &identity, &found);
  g_assert_true (known || (!found.passed && !found.has_windows));
  g_assert_cmpuint (found.bypass, <=, KVMHELPER_BYPASS_REFUSED);
  g_variant_unref (g_variant_ref_sink (kvmhelper_found_windows (&found)));
  kvmhelper_rehearsed_note (rehearsed, &other, &identity, &found);
  expect (rehearsed, &other, &identity, &found);
  again = kvmhelper_rehearsed_open (&kernel, directory);
  expect (again, &other, &identity, &found);
  if (known)
    expect (again, &address, &identity, &found);
  return 0;
}
