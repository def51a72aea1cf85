/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-rehearsed.h"

#include <string.h>

#include "kvmhelper/kvmhelper-limits.h"
#include "kvmhelper/kvmhelper-step.h"

/* The file: this group, and one for each function. */
#define GROUP "rehearsed"

struct _KvmHelperRehearsed
{
  char *path;
  GMutex lock; /* of all below */
  GKeyFile *file;
  guint count;
};

static const char *const trials[] = { "untried", "passed", "refused" };

static char *
device_key (const PciAddress *address, const KvmHelperIdentity *identity)
{
  char name[PCI_ADDRESS_LEN];

  return g_strdup_printf ("%s %x:%x:%x:%x:%x", pci_address_format (address, name), identity->vendor,
                          identity->device, identity->subsystem_vendor, identity->subsystem_device,
                          identity->class);
}

/* Without a function, of this kernel and boot. */
static void
start_anew (KvmHelperRehearsed *rehearsed, const char *epoch)
{
  g_clear_pointer (&rehearsed->file, g_key_file_unref);
  rehearsed->file = g_key_file_new ();
  g_key_file_set_string (rehearsed->file, GROUP, "epoch", epoch);
  rehearsed->count = 0;
}

/* Only what was written here: GKeyFile ends each line with a line feed and escapes other ends of
 * lines, but reads others, and the same text differently where more follows. */
static gboolean
load (KvmHelperRehearsed *rehearsed)
{
  g_autofree char *text = NULL;
  gsize length;

  return g_file_get_contents (rehearsed->path, &text, &length, NULL)
         && g_str_has_suffix (text, "\n") && strchr (text, '\r') == NULL
         && g_key_file_load_from_data (rehearsed->file, text, length, G_KEY_FILE_NONE, NULL);
}

KvmHelperRehearsed *
kvmhelper_rehearsed_open (const KvmHelperKernel *kernel, const char *state_directory)
{
  KvmHelperRehearsed *rehearsed = g_new0 (KvmHelperRehearsed, 1);
  g_autofree char *boot_id = kvmhelper_kernel_boot_id (kernel);
  g_autofree char *release = kvmhelper_kernel_release (kernel);
  g_autofree char *epoch = g_strdup_printf ("%s %s", boot_id, release);
  g_autofree char *before = NULL;
  gsize groups = 0;

  g_mutex_init (&rehearsed->lock);
  rehearsed->path = g_build_filename (state_directory, "rehearsed", NULL);
  rehearsed->file = g_key_file_new ();
  if (load (rehearsed))
    {
      before = g_key_file_get_string (rehearsed->file, GROUP, "epoch", NULL);
      g_strfreev (g_key_file_get_groups (rehearsed->file, &groups));
    }
  if (g_strcmp0 (before, epoch) != 0 || groups > KVMHELPER_MAX_REHEARSED)
    start_anew (rehearsed, epoch);
  else
    rehearsed->count = (guint) groups - 1;
  return rehearsed;
}

void
kvmhelper_rehearsed_free (KvmHelperRehearsed *rehearsed)
{
  g_free (rehearsed->path);
  g_key_file_unref (rehearsed->file);
  g_mutex_clear (&rehearsed->lock);
  g_free (rehearsed);
}

/* Of a number that is not there, or none, 0 is as good. */
static guint64
get_number (GKeyFile *file, const char *device, const char *key)
{
  return g_key_file_get_uint64 (file, device, key, NULL);
}

gboolean
kvmhelper_rehearsed_recall (KvmHelperRehearsed *rehearsed, const PciAddress *address,
                            const KvmHelperIdentity *identity, KvmHelperFound *found)
{
  g_autofree char *device = device_key (address, identity);
  g_autofree char *trial = NULL;

  *found = (KvmHelperFound){ .passed = FALSE };
  if (rehearsed == NULL)
    return FALSE;
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&rehearsed->lock);
  if (!g_key_file_has_group (rehearsed->file, device))
    return FALSE;
  found->passed = g_key_file_get_boolean (rehearsed->file, device, "passed", NULL);
  trial = g_key_file_get_string (rehearsed->file, device, "bypass", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (trials); i++)
    if (g_strcmp0 (trial, trials[i]) == 0)
      found->bypass = (KvmHelperBypassTrial) i;
  found->has_windows = g_key_file_has_key (rehearsed->file, device, "windows", NULL);
  found->dma32_start = (guint) get_number (rehearsed->file, device, "dma32-start");
  found->dma32_size = (guint) get_number (rehearsed->file, device, "dma32-size");
  found->page_sizes = get_number (rehearsed->file, device, "page-sizes");
  found->windows = (guint) get_number (rehearsed->file, device, "windows");
  found->levels = (guint) get_number (rehearsed->file, device, "levels");
  return TRUE;
}

/* With the lock held. */
static void
save (const KvmHelperRehearsed *rehearsed)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = g_key_file_to_data (rehearsed->file, NULL, NULL);

  if (!g_file_set_contents_full (rehearsed->path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                 &error))
    g_warning ("%s", error->message);
}

void
kvmhelper_rehearsed_note (KvmHelperRehearsed *rehearsed, const PciAddress *address,
                          const KvmHelperIdentity *identity, const KvmHelperFound *found)
{
  g_autofree char *device = device_key (address, identity);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&rehearsed->lock);
  g_autofree char *epoch = g_key_file_get_string (rehearsed->file, GROUP, "epoch", NULL);

  if (g_key_file_remove_group (rehearsed->file, device, NULL))
    rehearsed->count--;
  if (rehearsed->count >= KVMHELPER_MAX_REHEARSED)
    start_anew (rehearsed, epoch);
  g_key_file_set_boolean (rehearsed->file, device, "passed", found->passed);
  g_key_file_set_string (rehearsed->file, device, "bypass", trials[found->bypass]);
  if (found->has_windows)
    {
      g_key_file_set_uint64 (rehearsed->file, device, "dma32-start", found->dma32_start);
      g_key_file_set_uint64 (rehearsed->file, device, "dma32-size", found->dma32_size);
      g_key_file_set_uint64 (rehearsed->file, device, "page-sizes", found->page_sizes);
      g_key_file_set_uint64 (rehearsed->file, device, "windows", found->windows);
      g_key_file_set_uint64 (rehearsed->file, device, "levels", found->levels);
    }
  rehearsed->count++;
  save (rehearsed);
}

void
kvmhelper_found_read (const GPtrArray *steps, KvmHelperFound *found)
{
  *found = (KvmHelperFound){ .passed = kvmhelper_steps_passed (steps) };
  for (guint i = 0; i < steps->len; i++)
    {
      const KvmHelperStep *step = steps->pdata[i];
      gboolean passed;

      if (step->facts == NULL)
        continue;
      if (g_variant_lookup (step->facts, "passed", "b", &passed))
        found->bypass = passed ? KVMHELPER_BYPASS_PASSED : KVMHELPER_BYPASS_REFUSED;
      if (!g_variant_lookup (step->facts, "windows", "u", &found->windows))
        continue;
      found->has_windows = TRUE;
      g_variant_lookup (step->facts, "dma32-start", "u", &found->dma32_start);
      g_variant_lookup (step->facts, "dma32-size", "u", &found->dma32_size);
      g_variant_lookup (step->facts, "page-sizes", "t", &found->page_sizes);
      g_variant_lookup (step->facts, "levels", "u", &found->levels);
    }
}

GVariant *
kvmhelper_found_windows (const KvmHelperFound *found)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "dma32-start",
                         g_variant_new_uint32 (found->dma32_start));
  g_variant_builder_add (&builder, "{sv}", "dma32-size", g_variant_new_uint32 (found->dma32_size));
  g_variant_builder_add (&builder, "{sv}", "page-sizes", g_variant_new_uint64 (found->page_sizes));
  g_variant_builder_add (&builder, "{sv}", "windows", g_variant_new_uint32 (found->windows));
  g_variant_builder_add (&builder, "{sv}", "levels", g_variant_new_uint32 (found->levels));
  return g_variant_builder_end (&builder);
}
