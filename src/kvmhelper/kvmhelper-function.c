/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-function.h"

#include <fcntl.h>
#include <linux/pci_regs.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-watch.h"

#include <glib/gi18n-lib.h>

char *
kvmhelper_function_path (const PciAddress *address, const char *attribute)
{
  char name[PCI_ADDRESS_LEN];

  pci_address_format (address, name);
  if (attribute == NULL)
    return g_strconcat ("bus/pci/devices/", name, NULL);
  return g_strconcat ("bus/pci/devices/", name, "/", attribute, NULL);
}

static gboolean
read_id (const KvmHelperKernel *kernel, const PciAddress *address, const char *attribute, guint *id)
{
  g_autofree char *path = kvmhelper_function_path (address, attribute);
  guint64 number;

  if (!kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, path, &number) || number > G_MAXUINT32)
    return FALSE;
  *id = (guint) number;
  return TRUE;
}

gboolean
kvmhelper_function_read_identity (const KvmHelperKernel *kernel, const PciAddress *address,
                                  KvmHelperIdentity *identity, GError **error)
{
  g_auto (KvmHelperWatch) watch = { 0 };
  char name[PCI_ADDRESS_LEN];

  kvmhelper_watch_init (&watch, kernel);
  kernel = &watch.kernel;
  if (read_id (kernel, address, "vendor", &identity->vendor)
      && read_id (kernel, address, "device", &identity->device)
      && read_id (kernel, address, "subsystem_vendor", &identity->subsystem_vendor)
      && read_id (kernel, address, "subsystem_device", &identity->subsystem_device)
      && read_id (kernel, address, "class", &identity->class))
    return TRUE;
  if (!kvmhelper_watch_check (&watch, error))
    return FALSE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_UNKNOWN,
               _ ("This host has no PCI function %s"), pci_address_format (address, name));
  return FALSE;
}

gboolean
kvmhelper_identity_equal (const KvmHelperIdentity *a, const KvmHelperIdentity *b)
{
  return a->vendor == b->vendor && a->device == b->device
         && a->subsystem_vendor == b->subsystem_vendor && a->subsystem_device == b->subsystem_device
         && a->class == b->class;
}

char *
kvmhelper_function_driver (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autofree char *path = kvmhelper_function_path (address, "driver");
  char *driver = kvmhelper_kernel_link_name (kernel, KVMHELPER_SYS, path);

  return driver == NULL ? g_strdup ("") : driver;
}

static char *
get_override (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autofree char *path = kvmhelper_function_path (address, "driver_override");
  g_autofree char *override = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, path);

  /* Where there is none the kernel prints a null pointer (drivers/pci/pci-sysfs.c:
   * driver_override_show). */
  if (override == NULL || g_str_equal (override, "(null)"))
    return g_strdup ("");
  /* What is no text is no driver's name, and neither is what it becomes: a lease's record of it can
   * be read again, and the function goes back as one that no driver takes. */
  return kvmhelper_kernel_as_line (override);
}

gboolean
kvmhelper_function_read_binding (const KvmHelperKernel *kernel, const PciAddress *address,
                                 char **driver, char **override, GError **error)
{
  g_auto (KvmHelperWatch) watch = { 0 };

  kvmhelper_watch_init (&watch, kernel);
  *driver = kvmhelper_function_driver (&watch.kernel, address);
  *override = get_override (&watch.kernel, address);
  return kvmhelper_watch_check (&watch, error);
}

static int
get_group (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autofree char *path = kvmhelper_function_path (address, "iommu_group");
  g_autofree char *name = kvmhelper_kernel_link_name (kernel, KVMHELPER_SYS, path);
  guint64 number;

  if (name == NULL || !g_ascii_string_to_unsigned (name, 10, 0, G_MAXINT, &number, NULL))
    return -1;
  return (int) number;
}

gboolean
kvmhelper_function_read_group (const KvmHelperKernel *kernel, const PciAddress *address, int *group,
                               GError **error)
{
  g_auto (KvmHelperWatch) watch = { 0 };

  kvmhelper_watch_init (&watch, kernel);
  *group = get_group (&watch.kernel, address);
  return kvmhelper_watch_check (&watch, error);
}

/* Of the configuration space; anybody may read its first 64 bytes. A function whose PE is frozen,
 * or that is dead, reads as all ones (arch/powerpc/platforms/powernv/pci.c: pnv_pci_read_config):
 * of that one the kernel tells what it was when it was found (drivers/pci/pci-sysfs.c:
 * pci_bridge_attrs_are_visible). It would be left out of its group else, as bridges are. */
static gboolean
is_endpoint (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autofree char *path = kvmhelper_function_path (address, "config");
  g_autofree char *bridge_path = kvmhelper_function_path (address, "secondary_bus_number");
  gsize length;
  g_autofree char *config
      = kvmhelper_kernel_read (kernel, KVMHELPER_SYS, path, PCI_STD_HEADER_SIZEOF, &length, NULL);

  if (config == NULL || length <= PCI_HEADER_TYPE)
    return FALSE;
  if ((guint8) config[PCI_HEADER_TYPE] == 0xff)
    return !kvmhelper_kernel_exists (kernel, KVMHELPER_SYS, bridge_path);
  return (config[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_TYPE_NORMAL;
}

/* What cannot be read is as if it were not there. */
static KvmHelperFunction *
read_function (const KvmHelperKernel *kernel, const PciAddress *address, GError **error)
{
  g_autoptr (KvmHelperFunction) function = g_new0 (KvmHelperFunction, 1);
  g_autofree char *physfn_path = kvmhelper_function_path (address, "physfn");
  g_autofree char *physfn = NULL;

  function->address = *address;
  if (!kvmhelper_function_read_identity (kernel, address, &function->identity, error))
    return NULL;
  function->endpoint = is_endpoint (kernel, address);
  function->driver = kvmhelper_function_driver (kernel, address);
  function->driver_override = get_override (kernel, address);
  function->group = get_group (kernel, address);
  physfn = kvmhelper_kernel_link_name (kernel, KVMHELPER_SYS, physfn_path);
  function->is_vf = physfn != NULL && pci_address_parse (physfn, &function->physfn, NULL);
  if (!function->is_vf)
    read_id (kernel, address, "sriov_numvfs", &function->numvfs);
  return g_steal_pointer (&function);
}

KvmHelperFunction *
kvmhelper_function_read (const KvmHelperKernel *kernel, const PciAddress *address, GError **error)
{
  g_auto (KvmHelperWatch) watch = { 0 };
  g_autoptr (KvmHelperFunction) function = NULL;

  kvmhelper_watch_init (&watch, kernel);
  function = read_function (&watch.kernel, address, error);
  if (function == NULL || !kvmhelper_watch_check (&watch, error))
    return NULL;
  return g_steal_pointer (&function);
}

void
kvmhelper_function_free (KvmHelperFunction *function)
{
  g_free (function->driver);
  g_free (function->driver_override);
  g_free (function);
}

static int
compare_functions (gconstpointer a, gconstpointer b)
{
  const KvmHelperFunction *first = *(const KvmHelperFunction *const *) a;
  const KvmHelperFunction *second = *(const KvmHelperFunction *const *) b;

  return pci_address_compare (&first->address, &second->address);
}

GPtrArray *
kvmhelper_function_read_all (const KvmHelperKernel *kernel)
{
  GPtrArray *functions = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_function_free);
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, "bus/pci/devices");

  for (guint i = 0; i < names->len; i++)
    {
      PciAddress address;
      KvmHelperFunction *function;

      if (!pci_address_parse (names->pdata[i], &address, NULL))
        continue;
      function = read_function (kernel, &address, NULL);
      if (function != NULL)
        g_ptr_array_add (functions, function);
    }
  g_ptr_array_sort (functions, compare_functions);
  return functions;
}

GArray *
kvmhelper_function_read_vfs (const KvmHelperKernel *kernel, const PciAddress *physfn)
{
  GArray *vfs = g_array_new (FALSE, FALSE, sizeof (PciAddress));
  g_autofree char *directory = kvmhelper_function_path (physfn, NULL);
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, directory);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = NULL;
      g_autofree char *name = NULL;
      PciAddress vf;

      if (!g_str_has_prefix (names->pdata[i], "virtfn"))
        continue;
      path = kvmhelper_function_path (physfn, names->pdata[i]);
      name = kvmhelper_kernel_link_name (kernel, KVMHELPER_SYS, path);
      if (name != NULL && pci_address_parse (name, &vf, NULL))
        g_array_append_val (vfs, vf);
    }
  return vfs;
}
