/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-slot.h"

#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-watch.h"

#include <glib/gi18n-lib.h>

#define DEVICES "/devices/"

char *
kvmhelper_slot_path (const KvmHelperKernel *kernel, const PciAddress *address, GError **error)
{
  g_auto (KvmHelperWatch) watch = { 0 };
  g_autofree char *path = kvmhelper_function_path (address, NULL);
  g_autofree char *link = NULL;
  const char *begin;

  kvmhelper_watch_init (&watch, kernel);
  link = kvmhelper_kernel_readlink (&watch.kernel, KVMHELPER_SYS, path);
  if (!kvmhelper_watch_check (&watch, error))
    return NULL;
  /* "../../../devices/pci0003:00/…" */
  begin = link == NULL ? NULL : strstr (link, DEVICES);
  return kvmhelper_kernel_as_line (begin == NULL ? "" : begin + strlen (DEVICES));
}

char *
kvmhelper_slot_name (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, "bus/pci/slots");
  /* A slot is a device's, with all its functions; or, where it has no number of its own, a bus'. */
  g_autofree char *device
      = g_strdup_printf ("%04x:%02x:%02x", address->domain, address->bus, address->slot);
  g_autofree char *bus = g_strdup_printf ("%04x:%02x", address->domain, address->bus);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path
          = g_strdup_printf ("bus/pci/slots/%s/address", (char *) names->pdata[i]);
      g_autofree char *text = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, path);

      if (g_strcmp0 (text, device) == 0 || g_strcmp0 (text, bus) == 0)
        return kvmhelper_kernel_as_line (names->pdata[i]);
    }
  return g_strdup ("");
}

/* The module of a driver, "" for one that is built in. */
static char *
get_module (const KvmHelperKernel *kernel, const char *driver)
{
  g_autofree char *path = g_strdup_printf ("bus/pci/drivers/%s/module", driver);
  char *module = *driver == '\0' ? NULL : kvmhelper_kernel_link_name (kernel, KVMHELPER_SYS, path);

  return module == NULL ? g_strdup ("") : module;
}

gboolean
kvmhelper_slot_note (const KvmHelperKernel *kernel, KvmHelperLease *lease, GError **error)
{
  for (guint i = 0; i < lease->members->len; i++)
    {
      KvmHelperMember *member = lease->members->pdata[i];
      char *slot = kvmhelper_slot_path (kernel, &member->address, error);

      if (slot == NULL)
        return FALSE;
      g_free (member->slot);
      member->slot = slot;
      g_free (member->slot_name);
      member->slot_name = kvmhelper_slot_name (kernel, &member->address);
      g_free (member->module);
      member->module = get_module (kernel, member->driver);
    }
  return TRUE;
}

gboolean
kvmhelper_slot_check (const KvmHelperKernel *kernel, const KvmHelperMember *member, GError **error)
{
  g_autofree char *slot = NULL;
  char name[PCI_ADDRESS_LEN];

  if (*member->slot == '\0')
    return TRUE;
  slot = kvmhelper_slot_path (kernel, &member->address, error);
  if (slot == NULL)
    return FALSE;
  if (g_str_equal (slot, member->slot))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED,
               _ ("%s sits in another place now: %s; it was %s"),
               pci_address_format (&member->address, name), slot, member->slot);
  return FALSE;
}
