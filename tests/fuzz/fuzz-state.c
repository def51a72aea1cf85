/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz-host.h"
#include "kvmhelper/kvmhelper-config.h"
#include "kvmhelper/kvmhelper-consents.h"
#include "kvmhelper/kvmhelper-step.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What the helper reads besides the kernel and its leases: the administrator's file, what
 * administrators agreed to, and the lines of a rehearsal's process. */

static void
read_config (const uint8_t *data, size_t size)
{
  g_autoptr (KvmHelperConfig) config = kvmhelper_config_new ();
  int fd = memfd_create ("config", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);

  if (fd < 0 || write (fd, data, size) != (ssize_t) size)
    abort ();
  kvmhelper_config_read (config, path, FALSE, NULL);
  g_assert_nonnull (config->no_reset);
  close (fd);
}

static void
read_consents (const uint8_t *data, size_t size)
{
  g_autofree char *directory = g_strdup ("/dev/shm/fuzz-state-XXXXXX");
  g_autofree char *path = NULL;
  g_autoptr (KvmHelperConsents) consents G_GNUC_UNUSED = NULL;

  g_assert_nonnull (g_mkdtemp (directory));
  path = g_build_filename (directory, "consents", NULL);
  g_file_set_contents_full (path, (const char *) data, (gssize) size, G_FILE_SET_CONTENTS_NONE,
                            0600, NULL);
  consents = kvmhelper_consents_open (directory);
  unlink (path);
  rmdir (directory);
}

static void
read_step (const uint8_t *data, size_t size)
{
  g_autofree char *line = g_strndup ((const char *) data, size);
  KvmHelperStep *step = kvmhelper_step_from_line (line);

  if (step == NULL)
    return;
  g_variant_unref (g_variant_ref_sink (kvmhelper_step_to_variant (step)));
  kvmhelper_step_free (step);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  fuzz_strict ();
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  switch (data[0])
    {
    case 'c':
      read_config (data + 1, size - 1);
      break;
    case 'a':
      read_consents (data + 1, size - 1);
      break;
    default:
      read_step (data + 1, size - 1);
    }
  return 0;
}
