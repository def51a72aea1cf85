/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-busy-private.h"

#include <string.h>

#include <glib/gi18n-lib.h>

static gboolean
add_console (KvmHelperBusy *busy, const char *path, const char *console)
{
  g_autofree char *owner = kvmhelper_busy_owner (busy, path);

  if (owner == NULL)
    return FALSE;
  kvmhelper_busy_add (busy, owner, "console",
                      g_strdup_printf (_ ("the kernel's console %s"), console));
  return TRUE;
}

/* "tty0" is the foreground virtual terminal, "tty1" the first. */
static gboolean
is_virtual_terminal (const char *console)
{
  return g_str_has_prefix (console, "tty") && console[3] != '\0'
         && strspn (console + 3, "0123456789") == strlen (console + 3);
}

/* The adapter that the firmware drew on is the screen where the frame buffer is the firmware's, and
 * so nobody's (drivers/pci/pci-sysfs.c: boot_vga_show). */
static void
add_boot_adapters (KvmHelperBusy *busy, const char *console)
{
  g_autoptr (GPtrArray) names
      = kvmhelper_kernel_list (busy->kernel, KVMHELPER_SYS, "bus/pci/devices");

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *device = g_strconcat ("bus/pci/devices/", names->pdata[i], NULL);
      g_autofree char *path = g_strconcat (device, "/boot_vga", NULL);
      guint64 boot;

      if (kvmhelper_kernel_read_number (busy->kernel, KVMHELPER_SYS, path, &boot) && boot == 1)
        add_console (busy, device, console);
    }
}

/* It is on one of the frame buffers, and none says on which: each may be it. */
static void
add_screens (KvmHelperBusy *busy, const char *console)
{
  g_autoptr (GPtrArray) names
      = kvmhelper_kernel_list (busy->kernel, KVMHELPER_SYS, "class/graphics");
  gboolean all_owned = TRUE, any = FALSE;

  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_autofree char *path = g_strconcat ("class/graphics/", name, NULL);

      if (!g_str_has_prefix (name, "fb") || !g_ascii_isdigit (name[2]))
        continue; /* fbcon */
      any = TRUE;
      if (!add_console (busy, path, console))
        all_owned = FALSE;
    }
  if (any && !all_owned)
    add_boot_adapters (busy, console);
}

void
kvmhelper_busy_find_consoles (KvmHelperBusy *busy)
{
  g_autofree char *active
      = kvmhelper_kernel_read_line (busy->kernel, KVMHELPER_SYS, "class/tty/console/active");
  g_auto (GStrv) names = g_strsplit (active == NULL ? "" : active, " ", -1);

  for (guint i = 0; names[i] != NULL; i++)
    {
      g_autofree char *path = g_strconcat ("class/tty/", names[i], NULL);

      if (*names[i] == '\0')
        continue;
      if (is_virtual_terminal (names[i]))
        add_screens (busy, names[i]);
      else
        add_console (busy, path, names[i]);
    }
}
