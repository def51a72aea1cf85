/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

#include <errno.h>
#include <string.h>

#include "common/common-vfio.h"
#include "kvmhelper/simulated/kvmhelper-sim-use.h"

/*
 * The driver core: which driver takes which function (drivers/base/dd.c, drivers/pci/pci-driver.c).
 */

KvmHelperSimDriver *
kvmhelper_sim_driver_get (KvmHelperSim *sim, const char *name)
{
  KvmHelperSimDriver *driver = g_hash_table_lookup (sim->drivers, name);

  if (driver != NULL)
    return driver;
  driver = g_new0 (KvmHelperSimDriver, 1);
  driver->sim = sim;
  driver->name = g_strdup (name);
  driver->vfio = common_driver_is_vfio (name);
  driver->builtin = g_str_equal (name, "pcieport");
  /* Drivers with driver_managed_dma: their functions leave DMA alone, or give it to user space. */
  driver->manages_dma
      = driver->vfio || g_str_equal (name, "pci-stub") || g_str_equal (name, "pcieport");
  driver->ids = g_array_new (FALSE, FALSE, sizeof (KvmHelperSimId));
  g_hash_table_insert (sim->drivers, driver->name, driver);
  return driver;
}

void
kvmhelper_sim_driver_free (KvmHelperSimDriver *driver)
{
  g_array_unref (driver->ids);
  g_free (driver->name);
  g_free (driver);
}

/* --- device_lock --- */

void
kvmhelper_sim_device_lock (KvmHelperSimFunction *function)
{
  while (function->locked)
    kvmhelper_sim_wait (function->sim);
  function->locked = TRUE;
}

void
kvmhelper_sim_device_unlock (KvmHelperSimFunction *function)
{
  function->locked = FALSE;
  g_cond_broadcast (&function->sim->changed);
}

/* --- matching --- */

static gboolean
id_matches (const KvmHelperSimId *id, const KvmHelperSimFunction *function)
{
  return (id->vendor == G_MAXUINT || id->vendor == function->vendor)
         && (id->device == G_MAXUINT || id->device == function->device)
         && (id->subsystem_vendor == G_MAXUINT
             || id->subsystem_vendor == function->subsystem_vendor)
         && (id->subsystem_device == G_MAXUINT
             || id->subsystem_device == function->subsystem_device)
         && ((id->class ^ function->class) & id->class_mask) == 0;
}

/* drivers/pci/pci-driver.c: pci_match_device */
gboolean
kvmhelper_sim_driver_matches (const KvmHelperSimDriver *driver,
                              const KvmHelperSimFunction *function)
{
  if (function->driver_override != NULL)
    return g_str_equal (function->driver_override, driver->name);
  for (guint i = 0; i < driver->ids->len; i++)
    if (id_matches (&g_array_index (driver->ids, KvmHelperSimId, i), function))
      return TRUE;
  return g_str_equal (function->natural_driver, driver->name);
}

/* --- probing --- */

static void
link_driver (KvmHelperSimFunction *function, KvmHelperSimDriver *driver)
{
  char name[PCI_ADDRESS_LEN];

  kvmhelper_sim_link_to (function->node, "driver", driver->node);
  kvmhelper_sim_link_to (driver->node, pci_address_format (&function->address, name),
                         function->node);
}

void
kvmhelper_sim_driver_unlink (KvmHelperSimFunction *function)
{
  char name[PCI_ADDRESS_LEN];

  if (function->driver == NULL)
    return;
  kvmhelper_sim_remove (function->node, "driver");
  kvmhelper_sim_remove (function->driver->node, pci_address_format (&function->address, name));
}

/* The driver's own probe: 0, or an errno. */
static int
call_probe (KvmHelperSimDriver *driver, KvmHelperSimFunction *function)
{
  if (driver->vfio)
    return kvmhelper_sim_vfio_probe (function);
  /* An override brings functions to drivers that do not know them. */
  if (!g_str_equal (driver->name, function->natural_driver)
      && !g_str_equal (driver->name, "pci-stub"))
    return ENODEV;
  if (!function->bridge && !g_str_equal (driver->name, "pci-stub"))
    function->dma_mask = function->dma_bits;
  kvmhelper_sim_uses_publish (function);
  return 0;
}

int
kvmhelper_sim_driver_take (KvmHelperSimDriver *driver, KvmHelperSimFunction *function)
{
  int errnum;

  function->driver = driver;
  link_driver (function, driver);
  errnum = call_probe (driver, function);
  if (errnum != 0)
    {
      kvmhelper_sim_driver_unlink (function);
      function->driver = NULL;
      return errnum;
    }
  if (function->group != NULL && !driver->manages_dma)
    function->group->dma_users++;
  return 0;
}

/* pci_device_can_probe */
static gboolean
can_probe (const KvmHelperSimFunction *function)
{
  return function->physfn == NULL || function->physfn->vf_autoprobe
         || function->driver_override != NULL;
}

/* drivers/base/dd.c: really_probe */
int
kvmhelper_sim_driver_probe (KvmHelperSimDriver *driver, KvmHelperSimFunction *function)
{
  const KvmHelperSimGroup *group = function->group;
  char name[PCI_ADDRESS_LEN];
  int errnum;

  if (function->node == NULL || function->absent)
    return -ENODEV;
  if (function->driver != NULL)
    return -EBUSY;
  /* pci_dma_configure: iommu_device_use_default_domain */
  if (group != NULL && !driver->manages_dma && group->dma_owner != NULL)
    return -EBUSY;
  if (driver->lies)
    return 0;
  errnum = !can_probe (function)      ? ENODEV
           : driver->probe_errno != 0 ? driver->probe_errno
                                      : kvmhelper_sim_driver_take (driver, function);
  /* call_driver_probe: these two are no failure, but "not mine" */
  if (errnum != 0 && errnum != ENODEV && errnum != ENXIO)
    kvmhelper_sim_log (function->sim, "%s %s: probe with driver %s failed with error -%d",
                       driver->name, pci_address_format (&function->address, name), driver->name,
                       errnum);
  return errnum;
}

/* bus_for_each_drv with __device_attach_driver: what a driver's probe fails with lets the next one
 * try; what the core refuses ends it. */
static int
try_driver (KvmHelperSimDriver *driver, KvmHelperSimFunction *function)
{
  int result;

  if (driver == NULL || !kvmhelper_sim_driver_matches (driver, function))
    return 0;
  result = kvmhelper_sim_driver_probe (driver, function);
  return result < 0 ? result : result == 0;
}

/* The function's own driver is there since the start: it comes before all others. */
static int
try_drivers (KvmHelperSimFunction *function)
{
  GHashTable *drivers = function->sim->drivers;
  KvmHelperSimDriver *natural = g_hash_table_lookup (drivers, function->natural_driver);
  GHashTableIter iter;
  gpointer driver;
  int result;

  if (function->driver_override != NULL)
    return try_driver (g_hash_table_lookup (drivers, function->driver_override), function);
  result = try_driver (natural, function);
  g_hash_table_iter_init (&iter, drivers);
  while (result == 0 && g_hash_table_iter_next (&iter, NULL, &driver))
    if (driver != natural && ((KvmHelperSimDriver *) driver)->ids->len > 0)
      result = try_driver (driver, function);
  return result;
}

int
kvmhelper_sim_device_attach (KvmHelperSimFunction *function)
{
  int result;

  kvmhelper_sim_device_lock (function);
  if (function->node == NULL)
    result = 0;
  else if (function->driver != NULL)
    result = 1;
  else
    result = try_drivers (function);
  kvmhelper_sim_device_unlock (function);
  return result;
}

/* drivers/pci/bus.c: pci_bus_add_device calls device_attach, which does not look at
 * drivers_autoprobe; later kernels' device_initial_probe does (drivers/base/dd.c). */
void
kvmhelper_sim_device_come (KvmHelperSimFunction *function)
{
  const KvmHelperSim *sim = function->sim;

  if (!sim->no_autoprobe || !sim->profile.autoprobe_added)
    kvmhelper_sim_device_attach (function);
}

void
kvmhelper_sim_driver_drop (KvmHelperSimFunction *function)
{
  if (function->driver == NULL)
    return;
  kvmhelper_sim_uses_withdraw (function);
  kvmhelper_sim_remove (function->node, "msi_irqs");
  if (function->group != NULL && !function->driver->manages_dma)
    function->group->dma_users--;
  function->driver = NULL;
  function->powered = TRUE;
}

/* drivers/base/dd.c: __device_release_driver: the links go first, then the driver is asked, which
 * for VFIO takes until the device is closed. */
void
kvmhelper_sim_device_release (KvmHelperSimFunction *function)
{
  if (function->driver == NULL)
    return;
  kvmhelper_sim_driver_unlink (function);
  if (function->num_vfs > 0)
    kvmhelper_sim_sriov_set (function, 0);
  if (function->driver->vfio)
    while (!kvmhelper_sim_vfio_remove (function))
      kvmhelper_sim_wait (function->sim);
  kvmhelper_sim_driver_drop (function);
}

/* drivers/base/driver.c: driver_set_override. Who holds the function's lock does not keep it
 * waiting (asked on Linux 6.12). */
int
kvmhelper_sim_driver_set_override (KvmHelperSimFunction *function, const char *text, gsize length)
{
  gsize end;

  /* One for the line end of the answer, and one for the NUL. */
  if (length >= function->sim->page_size - 1)
    return -EINVAL;
  end = strcspn (text, "\n");
  g_free (function->driver_override);
  function->driver_override = end == 0 ? NULL : g_strndup (text, end);
  return 0;
}

char *
kvmhelper_sim_line (const char *text)
{
  gsize length = strlen (text);

  return g_strndup (text, length > 0 && text[length - 1] == '\n' ? length - 1 : length);
}

gboolean
kvmhelper_sim_parse_ul (const char *text, guint64 *value)
{
  char *end;

  /* lib/kstrtox.c: neither blanks before it nor anything but one line end after it */
  if (*text == '+')
    text++;
  if (!g_ascii_isdigit (*text))
    return FALSE;
  errno = 0;
  *value = g_ascii_strtoull (text, &end, 0);
  if (errno != 0)
    return FALSE;
  return *end == '\0' || (*end == '\n' && end[1] == '\0');
}
