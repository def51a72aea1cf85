/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-hold.h"

#include <errno.h>
#include <fcntl.h>

#include "common/common-error.h"

#include <glib/gi18n-lib.h>

static void
set_changed (const KvmHelperHold *hold, const KvmHelperIdentity *now, GError **error)
{
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&hold->address, name);
  if (now == NULL)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED,
                 _ ("The device at %s (%04x:%04x) was taken out meanwhile, and nothing more is "
                    "done there; look what is there now, and try again"),
                 name, hold->identity.vendor, hold->identity.device);
  else
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED,
                 _ ("Another device (%04x:%04x) sits at %s now; it was %04x:%04x"), now->vendor,
                 now->device, name, hold->identity.vendor, hold->identity.device);
}

/* A number of the function that is held: 0, or a negative errno. */
static int
read_id (const KvmHelperHold *hold, const char *attribute, guint *id)
{
  g_autofree char *text = NULL;
  guint64 number;
  int result
      = kvmhelper_kernel_read_at (hold->kernel, hold->directory, attribute, G_MAXUINT8, &text);

  if (result < 0)
    return result;
  g_strchomp (text);
  /* "0x8086" */
  if (!g_str_has_prefix (text, "0x")
      || !g_ascii_string_to_unsigned (text + 2, 16, 0, G_MAXUINT32, &number, NULL))
    return -EIO;
  *id = (guint) number;
  return 0;
}

gboolean
kvmhelper_hold_check (const KvmHelperHold *hold, GError **error)
{
  KvmHelperIdentity now = { 0 };
  const struct
  {
    const char *attribute;
    guint *id;
  } parts[] = {
    { "vendor", &now.vendor },
    { "device", &now.device },
    { "subsystem_vendor", &now.subsystem_vendor },
    { "subsystem_device", &now.subsystem_device },
    { "class", &now.class },
  };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      int result = read_id (hold, parts[i].attribute, parts[i].id);

      if (result == -ENOENT || result == -ENODEV)
        set_changed (hold, NULL, error);
      else if (result < 0)
        {
          g_autofree char *path = kvmhelper_function_path (&hold->address, parts[i].attribute);

          common_error_set_errno (error, -result, "/sys/%s", path);
        }
      if (result < 0)
        return FALSE;
    }
  if (kvmhelper_identity_equal (&now, &hold->identity))
    return TRUE;
  set_changed (hold, &now, error);
  return FALSE;
}

KvmHelperHold *
kvmhelper_hold_new (const KvmHelperKernel *kernel, const PciAddress *address,
                    const KvmHelperIdentity *identity, GError **error)
{
  g_autoptr (KvmHelperHold) hold = g_new0 (KvmHelperHold, 1);
  g_autofree char *path = kvmhelper_function_path (address, NULL);
  char name[PCI_ADDRESS_LEN];

  *hold = (KvmHelperHold){ kernel, *address, *identity, -1 };
  hold->directory = kvmhelper_kernel_open (kernel, KVMHELPER_SYS, path, O_RDONLY | O_DIRECTORY);
  if (hold->directory == -ENOENT)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_UNKNOWN,
                 _ ("This host has no PCI function %s"), pci_address_format (address, name));
  else if (hold->directory < 0)
    common_error_set_errno (error, -hold->directory, "/sys/%s", path);
  if (hold->directory < 0 || !kvmhelper_hold_check (hold, error))
    return NULL;
  return g_steal_pointer (&hold);
}

void
kvmhelper_hold_free (KvmHelperHold *hold)
{
  if (hold->directory >= 0)
    kvmhelper_kernel_close (hold->kernel, hold->directory);
  g_free (hold);
}

GPtrArray *
kvmhelper_hold_group (const KvmHelperKernel *kernel, const GPtrArray *functions, GError **error)
{
  g_autoptr (GPtrArray) holds
      = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_hold_free);

  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperFunction *function = functions->pdata[i];
      KvmHelperHold *hold;

      if (!function->endpoint)
        continue;
      hold = kvmhelper_hold_new (kernel, &function->address, &function->identity, error);
      if (hold == NULL)
        return NULL;
      g_ptr_array_add (holds, hold);
    }
  return g_steal_pointer (&holds);
}

const KvmHelperHold *
kvmhelper_hold_find (const GPtrArray *holds, const PciAddress *address)
{
  for (guint i = 0; i < holds->len; i++)
    {
      const KvmHelperHold *hold = holds->pdata[i];

      if (pci_address_equal (&hold->address, address))
        return hold;
    }
  return NULL;
}

gboolean
kvmhelper_hold_write (const KvmHelperHold *hold, const char *attribute, const char *text,
                      GError **error)
{
  g_autofree char *path = NULL;
  int result;

  if (!kvmhelper_hold_check (hold, error))
    return FALSE;
  result = kvmhelper_kernel_write_at (hold->kernel, hold->directory, attribute, text);
  if (result == 0)
    return TRUE;
  if (result == -ENOENT || result == -ENODEV)
    {
      set_changed (hold, NULL, error);
      return FALSE;
    }
  path = kvmhelper_function_path (&hold->address, attribute);
  common_error_set_errno (error, -result, "/sys/%s", path);
  return FALSE;
}

gboolean
kvmhelper_hold_write_name (const KvmHelperHold *hold, const char *path, GError **error)
{
  g_autoptr (GError) refused = NULL;
  char name[PCI_ADDRESS_LEN];

  if (!kvmhelper_hold_check (hold, error))
    return FALSE;
  if (kvmhelper_kernel_write (hold->kernel, KVMHELPER_SYS, path,
                              pci_address_format (&hold->address, name), &refused))
    return TRUE;
  /* A refusal of another function's is none of this one's. */
  if (kvmhelper_hold_check (hold, error))
    g_propagate_error (error, g_steal_pointer (&refused));
  return FALSE;
}
