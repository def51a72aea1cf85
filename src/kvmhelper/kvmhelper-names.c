/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-names.h"

#include <pci/pci.h>

/* libpci has one list of names for an access, and no lock. */
static GMutex lock;

static void G_GNUC_PRINTF (1, 2) ignore (char *format, ...) {}

static void G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN give_up (char *format, ...)
{
  g_error ("libpci: %s", format);
}

/* Only the names are wanted: pci_init, which looks for a way to the bus and ends the process when
 * there is none, is left out, and so its default handlers are. */
static struct pci_access *
get_access (void)
{
  static struct pci_access *access = NULL;

  if (access == NULL)
    {
      access = pci_alloc ();
      access->error = give_up;
      access->warning = ignore;
      access->debug = ignore;
      access->id_lookup_mode = 0; /* no cache of what the network said */
    }
  return access;
}

/* Of pci.ids alone: where udev has no database of hardware libpci asks for it anew with each name,
 * and leaks what it got (lib/names-hwdb.c: pci_id_hwdb_lookup). */
static char *
lookup (int flags, int first, int second)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  char buffer[256];
  const char *name
      = pci_lookup_name (get_access (), buffer, sizeof buffer,
                         flags | PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB, first, second);

  return name == NULL ? g_strdup ("") : g_utf8_make_valid (name, -1);
}

char *
kvmhelper_names_vendor (guint vendor)
{
  return lookup (PCI_LOOKUP_VENDOR, (int) vendor, 0);
}

char *
kvmhelper_names_device (guint vendor, guint device)
{
  return lookup (PCI_LOOKUP_DEVICE, (int) vendor, (int) device);
}

char *
kvmhelper_names_class (guint class)
{
  return lookup (PCI_LOOKUP_CLASS, (int) (class >> 8), 0);
}
