/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-busy-private.h"

#include <stdio.h>
#include <string.h>

#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* include/uapi/linux/route.h: RTF_UP, RTF_REJECT */
#define ROUTE_UP     0x0001
#define ROUTE_REJECT 0x0200

static void
need_free (gpointer data)
{
  KvmHelperNeed *need = data;

  g_free (need->kind);
  g_free (need->detail);
  g_free (need);
}

void
kvmhelper_busy_add (KvmHelperBusy *busy, const char *owner, const char *kind, char *detail)
{
  GPtrArray *needs = g_hash_table_lookup (busy->needs, owner);
  KvmHelperNeed *need;

  if (needs == NULL)
    {
      needs = g_ptr_array_new_with_free_func (need_free);
      g_hash_table_insert (busy->needs, g_strdup (owner), needs);
    }
  for (guint i = 0; i < needs->len; i++)
    {
      need = needs->pdata[i];
      if (g_str_equal (need->kind, kind) && g_str_equal (need->detail, detail))
        {
          g_free (detail);
          return;
        }
    }
  need = g_new0 (KvmHelperNeed, 1);
  need->kind = g_strdup (kind);
  need->detail = detail;
  g_ptr_array_add (needs, need);
}

char *
kvmhelper_busy_owner (const KvmHelperBusy *busy, const char *path)
{
  g_autofree char *text = kvmhelper_kernel_readlink (busy->kernel, KVMHELPER_SYS, path);
  g_auto (GStrv) parts = NULL;

  if (text == NULL)
    return NULL;
  parts = g_strsplit (text, "/", -1);
  for (guint i = g_strv_length (parts); i > 0; i--)
    {
      PciAddress address;

      if (pci_address_parse (parts[i - 1], &address, NULL))
        return g_strdup (parts[i - 1]);
    }
  return NULL;
}

/* @interface carries the default route; so do the ones below it (bridge, bond, team, VLAN), which
 * sysfs links as "lower_NAME" (net/core/dev.c: netdev_adjacent_sysfs_add). */
static void
add_interface (KvmHelperBusy *busy, const char *route, const char *interface, guint depth)
{
  g_autofree char *path = g_strconcat ("class/net/", interface, NULL);
  g_autofree char *owner = kvmhelper_busy_owner (busy, path);

  if (owner != NULL && g_str_equal (route, interface))
    kvmhelper_busy_add (busy, owner, "route",
                        g_strdup_printf (_ ("default route by way of %s"), interface));
  else if (owner != NULL)
    kvmhelper_busy_add (
        busy, owner, "route",
        g_strdup_printf (_ ("default route by way of %s, over %s"), route, interface));
  if (depth < KVMHELPER_MAX_STACK)
    {
      g_autoptr (GPtrArray) names = kvmhelper_kernel_list (busy->kernel, KVMHELPER_SYS, path);

      for (guint i = 0; i < names->len; i++)
        if (g_str_has_prefix (names->pdata[i], "lower_"))
          add_interface (busy, route, (const char *) names->pdata[i] + strlen ("lower_"),
                         depth + 1);
    }
}

/* Of process 1, or ours where that is not to be had: our own /proc/net is that of our namespace. */
static char *
read_of_init (const KvmHelperKernel *kernel, const char *file)
{
  g_autofree char *init = g_strconcat ("1/", file, NULL);
  g_autofree char *self = g_strconcat ("self/", file, NULL);
  char *text = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, init, KVMHELPER_MAX_LIST, NULL, NULL);

  if (text == NULL)
    text = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, self, KVMHELPER_MAX_LIST, NULL, NULL);
  return text == NULL ? g_strdup ("") : text;
}

static void
find_routes (KvmHelperBusy *busy)
{
  g_autofree char *inet = read_of_init (busy->kernel, "net/route");
  g_autofree char *inet6 = read_of_init (busy->kernel, "net/ipv6_route");
  g_auto (GStrv) lines = g_strsplit (inet, "\n", -1);
  g_auto (GStrv) lines6 = g_strsplit (inet6, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char name[64];
      guint destination, flags, mask;

      /* Iface Destination Gateway Flags RefCnt Use Metric Mask */
      if (sscanf (lines[i], "%63s %x %*x %x %*d %*d %*d %x", name, &destination, &flags, &mask) == 4
          && destination == 0 && mask == 0 && (flags & (ROUTE_UP | ROUTE_REJECT)) == ROUTE_UP)
        add_interface (busy, name, name, 0);
    }
  for (guint i = 0; lines6[i] != NULL; i++)
    {
      char name[64], destination[33];
      guint prefix, flags;

      /* destination prefix source prefix next-hop metric refcnt use flags device; unreachable
       * defaults stand on lo */
      if (sscanf (lines6[i], "%32s %x %*s %*x %*s %*x %*x %*x %x %63s", destination, &prefix,
                  &flags, name)
              == 4
          && prefix == 0 && strspn (destination, "0") == 32
          && (flags & (ROUTE_UP | ROUTE_REJECT)) == ROUTE_UP && !g_str_equal (name, "lo"))
        add_interface (busy, name, name, 0);
    }
}

static void
find_consoles (KvmHelperBusy *busy)
{
  g_autofree char *active
      = kvmhelper_kernel_read_line (busy->kernel, KVMHELPER_SYS, "class/tty/console/active");
  g_auto (GStrv) names = g_strsplit (active == NULL ? "" : active, " ", -1);

  for (guint i = 0; names[i] != NULL; i++)
    {
      /* "tty0" is the virtual terminal, on whichever frame buffer. */
      gboolean virtual = g_str_equal (names[i], "tty0");
      g_autofree char *path = g_strconcat ("class/", virtual ? "graphics/fb0" : "tty/",
                                           virtual ? "" : names[i], NULL);
      g_autofree char *owner = *names[i] == '\0' ? NULL : kvmhelper_busy_owner (busy, path);

      if (owner != NULL)
        kvmhelper_busy_add (busy, owner, "console",
                            g_strdup_printf (_ ("the kernel's console %s"), names[i]));
    }
}

KvmHelperBusy *
kvmhelper_busy_new (const KvmHelperKernel *kernel)
{
  KvmHelperBusy *busy = g_new0 (KvmHelperBusy, 1);

  busy->kernel = kernel;
  busy->needs
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  kvmhelper_busy_find_disks (busy);
  find_routes (busy);
  find_consoles (busy);
  return busy;
}

void
kvmhelper_busy_free (KvmHelperBusy *busy)
{
  g_hash_table_unref (busy->needs);
  g_free (busy);
}

GPtrArray *
kvmhelper_busy_get (const KvmHelperBusy *busy, const KvmHelperFunction *function)
{
  char name[PCI_ADDRESS_LEN];
  const GPtrArray *found
      = g_hash_table_lookup (busy->needs, pci_address_format (&function->address, name));
  GPtrArray *needs = g_ptr_array_new_with_free_func (need_free);
  guint known = found == NULL ? 0 : found->len;

  for (guint i = 0; i < known; i++)
    {
      const KvmHelperNeed *need = found->pdata[i];
      KvmHelperNeed *copy = g_new0 (KvmHelperNeed, 1);

      copy->kind = g_strdup (need->kind);
      copy->detail = g_strdup (need->detail);
      g_ptr_array_add (needs, copy);
    }
  if (function->numvfs > 0)
    {
      KvmHelperNeed *need = g_new0 (KvmHelperNeed, 1);

      need->kind = g_strdup ("vfs");
      need->detail = g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "%u virtual function",
                                                   "%u virtual functions", function->numvfs),
                                      function->numvfs);
      g_ptr_array_add (needs, need);
    }
  return needs;
}
