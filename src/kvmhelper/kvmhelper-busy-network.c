/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-busy-private.h"

#include <stdio.h>
#include <string.h>

#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* include/uapi/linux/route.h: RTF_UP, RTF_REJECT */
#define ROUTE_UP     0x0001
#define ROUTE_REJECT 0x0200

/* Open vSwitch's own device: below it are the ports of all its bridges, which are not linked to
 * them (net/openvswitch/vport-netdev.c: ovs_netdev_link). */
#define OVS_DEVICE "ovs-system"

#define LOWER "lower_"

static void
add_route (KvmHelperBusy *busy, const char *owner, const char *route, const char *interface)
{
  if (g_str_equal (route, interface))
    kvmhelper_busy_add (busy, owner, "route",
                        g_strdup_printf (_ ("default route by way of %s"), interface));
  else
    kvmhelper_busy_add (
        busy, owner, "route",
        g_strdup_printf (_ ("default route by way of %s, over %s"), route, interface));
}

/* @interface carries @route; those below it go to @walk: of a bridge, bond, team or VLAN, which
 * sysfs links as "lower_NAME" (net/core/dev.c: netdev_adjacent_sysfs_add). */
static void
add_interface (KvmHelperBusy *busy, const char *route, const char *interface, KvmHelperWalk *walk)
{
  g_autofree char *path = g_strconcat ("class/net/", interface, NULL);
  g_autofree char *owner = kvmhelper_busy_owner (busy, path);
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (busy->kernel, KVMHELPER_SYS, path);
  gboolean below = FALSE;

  if (owner != NULL)
    add_route (busy, owner, route, interface);
  for (guint i = 0; i < names->len; i++)
    if (g_str_has_prefix (names->pdata[i], LOWER))
      {
        below = TRUE;
        kvmhelper_walk_add (walk, (const char *) names->pdata[i] + strlen (LOWER));
      }
  /* A virtual interface with nothing below: a port of a switch in the kernel, as OpenStack's
   * "br-ex", which may leave by way of any other port. */
  if (owner == NULL && !below
      && kvmhelper_kernel_exists (busy->kernel, KVMHELPER_SYS, "class/net/" OVS_DEVICE))
    kvmhelper_walk_add (walk, OVS_DEVICE);
}

/* The default route is by way of @name, and by what is below it. */
static void
add_default (KvmHelperBusy *busy, const char *name)
{
  g_auto (KvmHelperWalk) walk = { NULL };

  kvmhelper_walk_add (&walk, name);
  for (guint i = 0; i < walk.names->len; i++)
    add_interface (busy, name, walk.names->pdata[i], &walk);
}

static void
find_inet (KvmHelperBusy *busy)
{
  g_autofree char *text = kvmhelper_busy_file (busy, "net/route", NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char name[64];
      guint destination, flags, mask;

      /* Iface Destination Gateway Flags RefCnt Use Metric Mask */
      if (sscanf (lines[i], "%63s %x %*x %x %*d %*d %*d %x", name, &destination, &flags, &mask) == 4
          && destination == 0 && mask == 0 && (flags & (ROUTE_UP | ROUTE_REJECT)) == ROUTE_UP)
        add_default (busy, name);
    }
}

static void
find_inet6 (KvmHelperBusy *busy)
{
  g_autofree char *text = kvmhelper_busy_file (busy, "net/ipv6_route", NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char name[64], destination[33];
      guint prefix, flags;

      /* destination prefix source prefix next-hop metric refcnt use flags device; unreachable
       * defaults stand on lo */
      if (sscanf (lines[i], "%32s %x %*s %*x %*s %*x %*x %*x %x %63s", destination, &prefix, &flags,
                  name)
              == 4
          && prefix == 0 && strspn (destination, "0") == 32
          && (flags & (ROUTE_UP | ROUTE_REJECT)) == ROUTE_UP && !g_str_equal (name, "lo"))
        add_default (busy, name);
    }
}

void
kvmhelper_busy_find_routes (KvmHelperBusy *busy)
{
  find_inet (busy);
  find_inet6 (busy);
}

/* The directory is there while it has an interface, and lists those of its own namespace
 * (drivers/base/core.c: get_device_parent; fs/kernfs/dir.c: kernfs_fop_readdir). */
gboolean
kvmhelper_busy_is_away (const KvmHelperBusy *busy, const KvmHelperFunction *function)
{
  g_autofree char *path = kvmhelper_function_path (&function->address, "net");
  g_autoptr (GPtrArray) names = NULL;

  if (!function->endpoint || *function->driver == '\0' || common_driver_is_vfio (function->driver)
      || !kvmhelper_kernel_exists (busy->kernel, KVMHELPER_SYS, path))
    return FALSE;
  names = kvmhelper_kernel_list (busy->kernel, KVMHELPER_SYS, path);
  /* Gone between the two looks, as when its driver lets go: nothing is away. */
  return names->len == 0 && kvmhelper_kernel_exists (busy->kernel, KVMHELPER_SYS, path);
}
