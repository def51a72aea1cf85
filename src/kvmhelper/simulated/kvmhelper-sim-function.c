/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

#include <errno.h>
#include <linux/vfio.h>
#include <string.h>

/*
 * The attributes of a function in sysfs (drivers/pci/pci-sysfs.c, drivers/base/core.c).
 */

#define SHOW(name, ...)                                                                            \
  static char *show_##name (gpointer object, gsize *length, int *errnum)                           \
  {                                                                                                \
    const KvmHelperSimFunction *function = object;                                                 \
                                                                                                   \
    return g_strdup_printf (__VA_ARGS__);                                                          \
  }

SHOW (vendor, "0x%04x\n", function->vendor)
SHOW (device, "0x%04x\n", function->device)
SHOW (subsystem_vendor, "0x%04x\n", function->subsystem_vendor)
SHOW (subsystem_device, "0x%04x\n", function->subsystem_device)
SHOW (revision, "0x%02x\n", function->revision)
SHOW (class, "0x%06x\n", function->class)
SHOW (numa_node, "%d\n", function->numa_node)
SHOW (dma_mask_bits, "%u\n", function->dma_mask)
SHOW (power_state, "%s\n", function->powered ? "D0" : "D3hot")
/* A null pointer, as vsnprintf prints it: there is no override. */
SHOW (driver_override, "%s\n",
      function->driver_override == NULL ? "(null)" : function->driver_override)
SHOW (secondary_bus, "%u\n", function->secondary_bus)
SHOW (modalias, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02x\n", function->vendor, function->device,
      function->subsystem_vendor, function->subsystem_device, function->class >> 16,
      (function->class >> 8) & 0xff, function->class & 0xff)

/* enable_cnt: a driver of the host's enables its function, and with it the bridges above; vfio-pci
 * when it is opened. */
static guint
count_enabled (const KvmHelperSimFunction *function)
{
  gboolean driven = function->driver != NULL && (!function->driver->vfio || function->powered)
                    && !g_str_equal (function->driver->name, "pci-stub");

  return function->enabled + (driven || function->bridge ? 1 : 0);
}

SHOW (enable, "%u\n", count_enabled (function))

/* The first 64 bytes are for everybody (pci_read_config). */
static char *
show_config (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimFunction *function = object;
  const KvmHelperSimProcess *caller = function->sim->caller;
  guint8 *config = g_malloc (KVMHELPER_SIM_CONFIG_SIZE);

  kvmhelper_sim_config (function, config);
  *length = caller == NULL || caller->uid == 0 ? KVMHELPER_SIM_CONFIG_SIZE : 64;
  return (char *) config;
}

static char *
show_uevent (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimFunction *function = object;
  g_autofree char *modalias = show_modalias (object, NULL, NULL);
  char name[PCI_ADDRESS_LEN];

  return g_strdup_printf (
      "%s%s%sPCI_CLASS=%X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\n"
      "MODALIAS=%s",
      function->driver == NULL ? "" : "DRIVER=",
      function->driver == NULL ? "" : function->driver->name, function->driver == NULL ? "" : "\n",
      function->class, function->vendor, function->device, function->subsystem_vendor,
      function->subsystem_device, pci_address_format (&function->address, name), modalias);
}

/* irq_show: with MSI the first of its vectors, else the INTx. */
static char *
show_irq (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimFunction *function = object;
  guint virq = 0;

  for (guint i = 0; i < function->sim->irqs->len; i++)
    {
      const KvmHelperSimIrq *irq = function->sim->irqs->pdata[i];

      if (irq->function == function && irq->index != VFIO_PCI_MSIX_IRQ_INDEX && virq == 0)
        virq = irq->virq;
    }
  return g_strdup_printf ("%u\n", virq);
}

/* enable_store */
static int
store_enable (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function = object;
  guint64 value;

  if (!kvmhelper_sim_parse_ul (text, &value))
    return -EINVAL;
  if (function->driver != NULL)
    return -EBUSY;
  if (value == 0 && function->enabled == 0)
    return -EIO;
  if (value != 0)
    function->enabled++;
  else
    function->enabled--;
  return 0;
}

static int
store_driver_override (gpointer object, const char *text, gsize length)
{
  return kvmhelper_sim_driver_set_override (object, text, length);
}

/* remove_store */
static int
store_remove (gpointer object, const char *text, gsize length)
{
  guint64 value;

  if (!kvmhelper_sim_parse_ul (text, &value))
    return -EINVAL;
  if (value != 0)
    kvmhelper_sim_function_remove (object);
  return 0;
}

/* dev_rescan_store */
static int
store_rescan (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function = object;
  guint64 value;

  if (!kvmhelper_sim_parse_ul (text, &value))
    return -EINVAL;
  if (value != 0)
    kvmhelper_sim_rescan (function->sim);
  return 0;
}

/* --- resets (drivers/pci/pci-sysfs.c: reset_store, drivers/pci/pci.c: reset_method_store) --- */

static gboolean
can_reset (gpointer object)
{
  return *((KvmHelperSimFunction *) object)->all_reset_methods != '\0';
}

static int
store_reset (gpointer object, const char *text, gsize length)
{
  const KvmHelperSimFunction *function = object;
  guint64 value;

  if (!kvmhelper_sim_parse_ul (text, &value) || value != 1)
    return -EINVAL;
  return *function->reset_methods == '\0' ? -ENOTTY : 0;
}

static char *
show_reset_method (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimFunction *function = object;

  return *function->reset_methods == '\0' ? g_strdup ("")
                                          : g_strconcat (function->reset_methods, "\n", NULL);
}

static int
set_reset_methods (KvmHelperSimFunction *function, const char *methods)
{
  g_free (function->reset_methods);
  function->reset_methods = g_strdup (methods);
  function->can_reset = *methods != '\0';
  return 0;
}

static int
store_reset_method (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function = object;
  g_autofree char *line = g_strchomp (g_strdup (text));
  g_auto (GStrv) all = g_strsplit (function->all_reset_methods, " ", -1);
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autoptr (GString) methods = g_string_new (NULL);

  if (g_str_equal (line, "default"))
    return set_reset_methods (function, function->all_reset_methods);
  for (guint i = 0; words[i] != NULL; i++)
    {
      if (*words[i] == '\0')
        continue;
      if (!g_strv_contains ((const char *const *) all, words[i]))
        return -EINVAL;
      g_string_append_printf (methods, "%s%s", methods->len > 0 ? " " : "", words[i]);
    }
  return set_reset_methods (function, methods->str);
}

static gboolean
is_bridge (gpointer object)
{
  return ((KvmHelperSimFunction *) object)->bridge;
}

const KvmHelperSimAttribute kvmhelper_sim_function_attributes[] = {
  { "vendor", 0444, show_vendor, NULL, NULL },
  { "device", 0444, show_device, NULL, NULL },
  { "subsystem_vendor", 0444, show_subsystem_vendor, NULL, NULL },
  { "subsystem_device", 0444, show_subsystem_device, NULL, NULL },
  { "class", 0444, show_class, NULL, NULL },
  { "config", 0644, show_config, NULL, NULL },
  { "driver_override", 0644, show_driver_override, store_driver_override, NULL },
  { "revision", 0444, show_revision, NULL, NULL },
  { "irq", 0444, show_irq, NULL, NULL },
  { "modalias", 0444, show_modalias, NULL, NULL },
  { "uevent", 0644, show_uevent, NULL, NULL },
  { "enable", 0644, show_enable, store_enable, NULL },
  { "numa_node", 0644, show_numa_node, NULL, NULL },
  { "dma_mask_bits", 0444, show_dma_mask_bits, NULL, NULL },
  { "power_state", 0444, show_power_state, NULL, NULL },
  { "remove", 0220, NULL, store_remove, NULL },
  { "rescan", 0200, NULL, store_rescan, NULL },
  { "reset", 0200, NULL, store_reset, can_reset },
  { "reset_method", 0644, show_reset_method, store_reset_method, can_reset },
  { "secondary_bus_number", 0444, show_secondary_bus, NULL, is_bridge },
  { NULL, 0, NULL, NULL, NULL },
};
