/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

#include <errno.h>
#include <stdio.h>

#include "common/common-vfio.h"

/*
 * /sys/bus/pci, and the directories of its drivers (drivers/base/bus.c, drivers/pci/pci-driver.c).
 */

/* bus_find_device_by_name, which compares with sysfs_streq: one line end does not count. */
static KvmHelperSimFunction *
find_by_name (KvmHelperSim *sim, const char *text)
{
  g_autofree char *name = kvmhelper_sim_line (text);
  PciAddress address;

  return pci_address_parse (name, &address, NULL) ? kvmhelper_sim_find (sim, &address) : NULL;
}

/* bind_store: device_driver_attach */
static int
store_bind (gpointer object, const char *text, gsize length)
{
  KvmHelperSimDriver *driver = object;
  KvmHelperSimFunction *function = find_by_name (driver->sim, text);
  int result;

  if (function == NULL || !kvmhelper_sim_driver_matches (driver, function))
    return -ENODEV;
  kvmhelper_sim_device_lock (function);
  result = kvmhelper_sim_driver_probe (driver, function);
  kvmhelper_sim_device_unlock (function);
  return result > 0 ? -result : result;
}

/* unbind_store: device_driver_detach */
static int
store_unbind (gpointer object, const char *text, gsize length)
{
  KvmHelperSimDriver *driver = object;
  KvmHelperSimFunction *function = find_by_name (driver->sim, text);

  if (function == NULL || function->driver != driver)
    return -ENODEV;
  kvmhelper_sim_device_lock (function);
  if (function->driver == driver)
    kvmhelper_sim_device_release (function);
  kvmhelper_sim_device_unlock (function);
  return 0;
}

static int
parse_id (const char *text, KvmHelperSimId *id)
{
  *id = (KvmHelperSimId){ .subsystem_vendor = G_MAXUINT, .subsystem_device = G_MAXUINT };
  return sscanf (text, "%x %x %x %x %x %x", &id->vendor, &id->device, &id->subsystem_vendor,
                 &id->subsystem_device, &id->class, &id->class_mask);
}

/* Whether the driver takes a function with these ids already. */
static gboolean
is_known (const KvmHelperSimDriver *driver, const KvmHelperSimId *id)
{
  g_autoptr (GPtrArray) functions = kvmhelper_sim_functions (driver->sim);

  for (guint i = 0; i < driver->ids->len; i++)
    {
      const KvmHelperSimId *known = &g_array_index (driver->ids, KvmHelperSimId, i);

      if (known->vendor == id->vendor && known->device == id->device)
        return TRUE;
    }
  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperSimFunction *function = functions->pdata[i];

      if (function->vendor == id->vendor && function->device == id->device
          && g_str_equal (function->natural_driver, driver->name))
        return TRUE;
    }
  return FALSE;
}

/* new_id_store: and driver_attach, which tries all functions without a driver. */
static int
store_new_id (gpointer object, const char *text, gsize length)
{
  KvmHelperSimDriver *driver = object;
  g_autoptr (GPtrArray) functions = NULL;
  KvmHelperSimId id;

  if (parse_id (text, &id) < 2)
    return -EINVAL;
  if (is_known (driver, &id))
    return -EEXIST;
  g_array_append_val (driver->ids, id);
  functions = kvmhelper_sim_functions (driver->sim);
  for (guint i = 0; i < functions->len; i++)
    {
      KvmHelperSimFunction *function = functions->pdata[i];

      if (function->driver != NULL || !kvmhelper_sim_driver_matches (driver, function))
        continue;
      kvmhelper_sim_device_lock (function);
      kvmhelper_sim_driver_probe (driver, function);
      kvmhelper_sim_device_unlock (function);
    }
  return 0;
}

/* remove_id_store */
static int
store_remove_id (gpointer object, const char *text, gsize length)
{
  KvmHelperSimDriver *driver = object;
  KvmHelperSimId id;

  if (parse_id (text, &id) < 2)
    return -EINVAL;
  for (guint i = 0; i < driver->ids->len; i++)
    {
      const KvmHelperSimId *known = &g_array_index (driver->ids, KvmHelperSimId, i);

      if (known->vendor == id.vendor && known->device == id.device
          && (id.subsystem_vendor == G_MAXUINT || known->subsystem_vendor == id.subsystem_vendor)
          && (id.subsystem_device == G_MAXUINT || known->subsystem_device == id.subsystem_device))
        {
          g_array_remove_index (driver->ids, i);
          return 0;
        }
    }
  return -ENODEV;
}

static const KvmHelperSimAttribute driver_attributes[] = {
  { .name = "bind", .mode = 0200, .store = store_bind },
  { .name = "unbind", .mode = 0200, .store = store_unbind },
  { .name = "new_id", .mode = 0200, .store = store_new_id },
  { .name = "remove_id", .mode = 0200, .store = store_remove_id },
  { NULL },
};

/* drivers_probe_store: no driver that takes the function is no error; what the core refuses is
 * EINVAL, whatever it was. */
static int
store_drivers_probe (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function = find_by_name (object, text);

  if (function == NULL)
    return -ENODEV;
  return function->driver == NULL && kvmhelper_sim_device_attach (function) < 0 ? -EINVAL : 0;
}

static char *
show_autoprobe (gpointer object, gsize *length, int *errnum)
{
  return g_strdup (((KvmHelperSim *) object)->no_autoprobe ? "0\n" : "1\n");
}

static int
store_autoprobe (gpointer object, const char *text, gsize length)
{
  ((KvmHelperSim *) object)->no_autoprobe = *text == '0';
  return 0;
}

/* drivers/pci/pci-sysfs.c: rescan_store */
static int
store_rescan (gpointer object, const char *text, gsize length)
{
  guint64 value;

  if (!kvmhelper_sim_parse_ul (text, &value))
    return -EINVAL;
  if (value != 0)
    kvmhelper_sim_rescan (object);
  return 0;
}

static const KvmHelperSimAttribute bus_attributes[] = {
  { .name = "drivers_autoprobe", .mode = 0644, .show = show_autoprobe, .store = store_autoprobe },
  { .name = "drivers_probe", .mode = 0200, .store = store_drivers_probe },
  { .name = "rescan", .mode = 0200, .store = store_rescan },
  { NULL },
};

static void
start_driver (KvmHelperSimDriver *driver)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (driver->sim, KVMHELPER_SYS);
  g_autofree char *path = g_strconcat ("bus/pci/drivers/", driver->name, NULL);
  g_autofree char *module = g_strdelimit (g_strconcat ("module/", driver->name, NULL), "-", '_');
  g_autofree char *link = g_strconcat ("pci:", driver->name, NULL);
  KvmHelperSimNode *node;

  driver->node = kvmhelper_sim_directory (sys, path, driver_attributes, driver);
  if (driver->builtin)
    return;
  node = kvmhelper_sim_directory (sys, module, NULL, NULL);
  kvmhelper_sim_link_to (driver->node, "module", node);
  kvmhelper_sim_text (node, "initstate", 0444, "live\n", -1);
  kvmhelper_sim_link_to (kvmhelper_sim_directory (node, "drivers", NULL, NULL), link, driver->node);
}

void
kvmhelper_sim_drivers_start (KvmHelperSim *sim)
{
  KvmHelperSimNode *sys = kvmhelper_sim_tree_root (sim, KVMHELPER_SYS);
  GHashTableIter iter;
  gpointer driver;

  kvmhelper_sim_directory (sys, "bus/pci", bus_attributes, sim);
  kvmhelper_sim_directory (sys, "bus/pci/devices", NULL, NULL);
  kvmhelper_sim_directory (sys, "bus/pci/slots", NULL, NULL);
  g_hash_table_iter_init (&iter, sim->drivers);
  while (g_hash_table_iter_next (&iter, NULL, &driver))
    start_driver (driver);
}
