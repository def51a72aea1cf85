/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-rehearsed.h"

#include "kvmhelper/kvmhelper-limits.h"

#define GROUP "passed"

struct _KvmHelperRehearsed
{
  char *path;
  char *epoch;         /* boot and kernel */
  GHashTable *devices; /* text of device_key */
};

static char *
device_key (const PciAddress *address, const KvmHelperIdentity *identity)
{
  char name[PCI_ADDRESS_LEN];

  return g_strdup_printf ("%s %x:%x:%x:%x:%x", pci_address_format (address, name), identity->vendor,
                          identity->device, identity->subsystem_vendor, identity->subsystem_device,
                          identity->class);
}

KvmHelperRehearsed *
kvmhelper_rehearsed_open (const KvmHelperKernel *kernel, const char *state_directory)
{
  KvmHelperRehearsed *rehearsed = g_new0 (KvmHelperRehearsed, 1);
  g_autofree char *boot_id = kvmhelper_kernel_boot_id (kernel);
  g_autofree char *release = kvmhelper_kernel_release (kernel);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *epoch = NULL;
  g_auto (GStrv) devices = NULL;

  rehearsed->path = g_build_filename (state_directory, "rehearsed", NULL);
  rehearsed->epoch = g_strdup_printf ("%s %s", boot_id, release);
  rehearsed->devices = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!g_key_file_load_from_file (file, rehearsed->path, G_KEY_FILE_NONE, NULL))
    return rehearsed;
  epoch = g_key_file_get_string (file, GROUP, "epoch", NULL);
  if (g_strcmp0 (epoch, rehearsed->epoch) != 0)
    return rehearsed;
  devices = g_key_file_get_string_list (file, GROUP, "devices", NULL, NULL);
  for (guint i = 0; devices != NULL && devices[i] != NULL && i < KVMHELPER_MAX_REHEARSED; i++)
    g_hash_table_add (rehearsed->devices, g_strdup (devices[i]));
  return rehearsed;
}

void
kvmhelper_rehearsed_free (KvmHelperRehearsed *rehearsed)
{
  g_free (rehearsed->path);
  g_free (rehearsed->epoch);
  g_hash_table_unref (rehearsed->devices);
  g_free (rehearsed);
}

static void
save (const KvmHelperRehearsed *rehearsed)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_autofree gpointer *devices = NULL;
  g_autofree char *text = NULL;
  guint length;

  devices = g_hash_table_get_keys_as_array (rehearsed->devices, &length);
  g_key_file_set_string (file, GROUP, "epoch", rehearsed->epoch);
  g_key_file_set_string_list (file, GROUP, "devices", (const char *const *) devices, length);
  text = g_key_file_to_data (file, NULL, NULL);
  if (!g_file_set_contents_full (rehearsed->path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                 &error))
    g_warning ("%s", error->message);
}

gboolean
kvmhelper_rehearsed_has (const KvmHelperRehearsed *rehearsed, const PciAddress *address,
                         const KvmHelperIdentity *identity)
{
  g_autofree char *key = device_key (address, identity);

  return g_hash_table_contains (rehearsed->devices, key);
}

void
kvmhelper_rehearsed_add (KvmHelperRehearsed *rehearsed, const PciAddress *address,
                         const KvmHelperIdentity *identity)
{
  if (g_hash_table_size (rehearsed->devices) >= KVMHELPER_MAX_REHEARSED)
    g_hash_table_remove_all (rehearsed->devices);
  if (g_hash_table_add (rehearsed->devices, device_key (address, identity)))
    save (rehearsed);
}

void
kvmhelper_rehearsed_remove (KvmHelperRehearsed *rehearsed, const PciAddress *address,
                            const KvmHelperIdentity *identity)
{
  g_autofree char *key = device_key (address, identity);

  if (g_hash_table_remove (rehearsed->devices, key))
    save (rehearsed);
}
