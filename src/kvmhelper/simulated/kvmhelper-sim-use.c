/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-use.h"

#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-machine.h"

/* The block devices of drivers without a number of their own (block/genhd.c: BLOCK_EXT_MAJOR). */
#define MAJOR 259

static void
interface_free (gpointer data)
{
  KvmHelperSimInterface *interface = data;

  g_free (interface->name);
  g_free (interface->address);
  g_free (interface);
}

static void
disk_free (gpointer data)
{
  KvmHelperSimDisk *disk = data;

  g_ptr_array_unref (disk->partitions);
  g_free (disk->name);
  g_free (disk->mount);
  g_free (disk);
}

KvmHelperSimUses *
kvmhelper_sim_uses_new (void)
{
  KvmHelperSimUses *uses = g_new0 (KvmHelperSimUses, 1);

  uses->interfaces = g_ptr_array_new_with_free_func (interface_free);
  uses->disks = g_ptr_array_new_with_free_func (disk_free);
  return uses;
}

void
kvmhelper_sim_uses_free (KvmHelperSimUses *uses)
{
  g_ptr_array_unref (uses->interfaces);
  g_ptr_array_unref (uses->disks);
  g_free (uses);
}

KvmHelperSimInterface *
kvmhelper_sim_uses_add_interface (KvmHelperSimUses *uses, const char *name)
{
  KvmHelperSimInterface *interface = g_new0 (KvmHelperSimInterface, 1);

  interface->name = g_strdup (name);
  g_ptr_array_add (uses->interfaces, interface);
  return interface;
}

KvmHelperSimDisk *
kvmhelper_sim_disk_add (KvmHelperSim *sim, GPtrArray *disks, const char *name)
{
  KvmHelperSimDisk *disk = g_new0 (KvmHelperSimDisk, 1);

  disk->name = g_strdup (name);
  disk->mount = g_strdup ("");
  disk->minor = sim->machine->disks++;
  disk->partitions = g_ptr_array_new_with_free_func (disk_free);
  g_ptr_array_add (disks, disk);
  return disk;
}

/* --- network interfaces --- */

static char *
show_address (gpointer object, gsize *length, int *errnum)
{
  return g_strconcat (((KvmHelperSimInterface *) object)->address, "\n", NULL);
}

static char *
show_operstate (gpointer object, gsize *length, int *errnum)
{
  return g_strdup (((KvmHelperSimInterface *) object)->up ? "up\n" : "down\n");
}

static const KvmHelperSimAttribute interface_attributes[] = {
  { "address", 0444, show_address, NULL, NULL },
  { "operstate", 0444, show_operstate, NULL, NULL },
  { NULL, 0, NULL, NULL, NULL },
};

static void
publish_interface (KvmHelperSimFunction *function, KvmHelperSimInterface *interface)
{
  KvmHelperSimNode *class = kvmhelper_sim_directory (
      kvmhelper_sim_tree_root (function->sim, KVMHELPER_SYS), "class/net", NULL, NULL);
  g_autofree char *path = g_strconcat ("net/", interface->name, NULL);
  KvmHelperSimNode *node
      = kvmhelper_sim_directory (function->node, path, interface_attributes, interface);

  kvmhelper_sim_link_to (node, "device", function->node);
  kvmhelper_sim_link_to (node, "subsystem", class);
  kvmhelper_sim_link_to (class, interface->name, node);
}

static void
withdraw_interface (KvmHelperSimFunction *function, KvmHelperSimInterface *interface)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (function->sim, KVMHELPER_SYS);

  kvmhelper_sim_remove (kvmhelper_sim_directory (sys, "class/net", NULL, NULL), interface->name);
  interface->up = FALSE;
  interface->route = FALSE;
}

/* --- disks --- */

static char *
show_dev (gpointer object, gsize *length, int *errnum)
{
  return g_strdup_printf ("%u:%u\n", MAJOR, ((KvmHelperSimDisk *) object)->minor);
}

static char *
show_size (gpointer object, gsize *length, int *errnum)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT "\n", ((KvmHelperSimDisk *) object)->size);
}

static const KvmHelperSimAttribute disk_attributes[] = {
  { "dev", 0444, show_dev, NULL, NULL },
  { "size", 0444, show_size, NULL, NULL },
  { NULL, 0, NULL, NULL, NULL },
};

static void
publish_disk (KvmHelperSim *sim, KvmHelperSimNode *parent, KvmHelperSimDisk *disk)
{
  KvmHelperSimNode *class = kvmhelper_sim_directory (kvmhelper_sim_tree_root (sim, KVMHELPER_SYS),
                                                     "class/block", NULL, NULL);
  KvmHelperSimNode *node = kvmhelper_sim_directory (parent, disk->name, disk_attributes, disk);

  kvmhelper_sim_directory (node, "holders", NULL, NULL);
  kvmhelper_sim_directory (node, "slaves", NULL, NULL);
  kvmhelper_sim_link_to (node, "subsystem", class);
  kvmhelper_sim_link_to (class, disk->name, node);
  for (guint i = 0; i < disk->partitions->len; i++)
    publish_disk (sim, node, disk->partitions->pdata[i]);
}

static void
withdraw_disk (KvmHelperSim *sim, KvmHelperSimDisk *disk)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (sim, KVMHELPER_SYS);

  for (guint i = 0; i < disk->partitions->len; i++)
    withdraw_disk (sim, disk->partitions->pdata[i]);
  kvmhelper_sim_remove (kvmhelper_sim_directory (sys, "class/block", NULL, NULL), disk->name);
}

void
kvmhelper_sim_uses_publish (KvmHelperSimFunction *function)
{
  KvmHelperSimUses *uses = function->uses;

  if (uses == NULL)
    return;
  uses->there = TRUE;
  for (guint i = 0; i < uses->interfaces->len; i++)
    publish_interface (function, uses->interfaces->pdata[i]);
  for (guint i = 0; i < uses->disks->len; i++)
    publish_disk (function->sim, kvmhelper_sim_directory (function->node, "block", NULL, NULL),
                  uses->disks->pdata[i]);
}

void
kvmhelper_sim_uses_withdraw (KvmHelperSimFunction *function)
{
  KvmHelperSimUses *uses = function->uses;

  if (uses == NULL || !uses->there)
    return;
  uses->there = FALSE;
  for (guint i = 0; i < uses->interfaces->len; i++)
    withdraw_interface (function, uses->interfaces->pdata[i]);
  for (guint i = 0; i < uses->disks->len; i++)
    withdraw_disk (function->sim, uses->disks->pdata[i]);
  kvmhelper_sim_remove (function->node, "net");
  kvmhelper_sim_remove (function->node, "block");
}

/* --- what of it is in use, in /proc --- */

typedef void (*DiskFunc) (const KvmHelperSimDisk *disk, GString *text);

static void
each_disk (const GPtrArray *disks, DiskFunc func, GString *text)
{
  for (guint i = 0; i < disks->len; i++)
    {
      const KvmHelperSimDisk *disk = disks->pdata[i];

      func (disk, text);
      each_disk (disk->partitions, func, text);
    }
}

/* Those of functions that were pulled too: who uses one is not asked. */
static void
each_function_disk (KvmHelperSim *sim, DiskFunc func, GString *text)
{
  GHashTableIter iter;
  gpointer function;

  g_hash_table_iter_init (&iter, sim->functions);
  while (g_hash_table_iter_next (&iter, NULL, &function))
    if (((KvmHelperSimFunction *) function)->uses != NULL)
      each_disk (((KvmHelperSimFunction *) function)->uses->disks, func, text);
}

/* fs/proc_namespace.c: show_mountinfo */
static void
append_mount (const KvmHelperSimDisk *disk, GString *text)
{
  if (*disk->mount != '\0')
    g_string_append_printf (text, "%u 1 %u:%u / %s rw,relatime shared:%u - ext4 /dev/%s rw\n",
                            30 + disk->minor, MAJOR, disk->minor, disk->mount, 1 + disk->minor,
                            disk->name);
}

/* mm/swapfile.c: swap_show */
static void
append_swap (const KvmHelperSimDisk *disk, GString *text)
{
  g_autofree char *path = g_strconcat ("/dev/", disk->name, NULL);

  if (disk->swap)
    g_string_append_printf (text, "%-40spartition\t%" G_GUINT64_FORMAT "\t\t0\t\t-2\n", path,
                            disk->size / 2);
}

static char *
show_mountinfo (KvmHelperSim *sim)
{
  GString *text = g_string_new ("21 1 0:20 / /sys rw,nosuid,nodev,noexec - sysfs sysfs rw\n"
                                "22 1 0:21 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
                                "23 1 0:5 / /dev rw,nosuid - devtmpfs udev rw\n");

  each_function_disk (sim, append_mount, text);
  return g_string_free (text, FALSE);
}

static char *
show_swaps (gpointer object, gsize *length, int *errnum)
{
  GString *text = g_string_new ("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");

  each_function_disk (object, append_swap, text);
  return g_string_free (text, FALSE);
}

/* net/ipv4/fib_trie.c: fib_route_seq_show */
static char *
show_route (gpointer object, gsize *length, int *errnum)
{
  KvmHelperSim *sim = object;
  GString *text = g_string_new (NULL);
  GHashTableIter iter;
  gpointer value;

  g_string_printf (text, "%-127s\n",
                   "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
                   "\tWindow\tIRTT");
  g_hash_table_iter_init (&iter, sim->functions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const KvmHelperSimUses *uses = ((KvmHelperSimFunction *) value)->uses;

      for (guint i = 0; uses != NULL && uses->there && i < uses->interfaces->len; i++)
        {
          const KvmHelperSimInterface *interface = uses->interfaces->pdata[i];
          g_autofree char *line = g_strconcat (
              interface->name, "\t00000000\t0202000A\t0003\t0\t0\t0\t00000000\t0\t0\t0", NULL);

          if (interface->up && interface->route)
            g_string_append_printf (text, "%-127s\n", line);
        }
    }
  return g_string_free (text, FALSE);
}

static char *
show_nothing (gpointer object, gsize *length, int *errnum)
{
  return g_strdup ("");
}

static const KvmHelperSimAttribute net_attributes[] = {
  { "route", 0444, show_route, NULL, NULL },
  { "ipv6_route", 0444, show_nothing, NULL, NULL },
  { NULL, 0, NULL, NULL, NULL },
};

static const KvmHelperSimAttribute proc_attributes[] = {
  { "swaps", 0444, show_swaps, NULL, NULL },
  { NULL, 0, NULL, NULL, NULL },
};

void
kvmhelper_sim_uses_start (KvmHelperSim *sim)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (sim, KVMHELPER_SYS);
  KvmHelperSimNode *proc = kvmhelper_sim_tree_root (sim, KVMHELPER_PROC);
  KvmHelperSimNode *each = kvmhelper_sim_process_files (sim);
  KvmHelperSimNode *classes = kvmhelper_sim_directory (sys, "class/net", NULL, NULL);
  g_autofree char *mounts = show_mountinfo (sim);

  kvmhelper_sim_directory (sys, "class/block", NULL, NULL);
  kvmhelper_sim_link_to (classes, "lo",
                         kvmhelper_sim_directory (sys, "devices/virtual/net/lo", NULL, NULL));
  kvmhelper_sim_directory_add (proc, proc_attributes, sim);
  kvmhelper_sim_link (proc, "net", "self/net");
  kvmhelper_sim_text (each, "mountinfo", 0444, mounts, -1); /* nothing mounts anything here */
  kvmhelper_sim_directory (each, "net", net_attributes, sim);
}
