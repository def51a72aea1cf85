/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-hardware.h"

#include <linux/pci_regs.h>
#include <string.h>

#include "common/common-vfio.h"

/* Configuration space without its extension. */
#define CONFIG_SIZE 256

/* More capabilities than fit: a list that comes back to itself ends there. */
#define MAX_CAPABILITIES 48

static guint
get16 (const guint8 *config, guint at)
{
  return config[at] | ((guint) config[at + 1] << 8);
}

static void
read_capability (const guint8 *config, guint at, KvmHelperHardware *hardware)
{
  guint flags = get16 (config, at + 2);

  if (config[at] == PCI_CAP_ID_MSI)
    hardware->msi = 1u << ((flags & PCI_MSI_FLAGS_QMASK) >> 1);
  else if (config[at] == PCI_CAP_ID_MSIX)
    hardware->msix = (flags & PCI_MSIX_FLAGS_QSIZE) + 1;
}

static void
read_capabilities (const guint8 *config, KvmHelperHardware *hardware)
{
  guint at = config[PCI_CAPABILITY_LIST] & ~3u;

  if ((get16 (config, PCI_STATUS) & PCI_STATUS_CAP_LIST) == 0)
    return;
  for (guint i = 0; i < MAX_CAPABILITIES && at >= PCI_STD_HEADER_SIZEOF && at + 4 <= CONFIG_SIZE;
       i++)
    {
      read_capability (config, at, hardware);
      at = config[at + PCI_CAP_LIST_NEXT] & ~3u;
    }
}

/* Those that a driver has enabled, a file each (drivers/pci/msi/msi.c: msi_sysfs). */
static void
count_in_use (const KvmHelperKernel *kernel, const PciAddress *address, KvmHelperHardware *hardware)
{
  g_autofree char *directory = kvmhelper_function_path (address, "msi_irqs");
  g_autoptr (GPtrArray) names = kvmhelper_kernel_list (kernel, KVMHELPER_SYS, directory);
  g_autofree char *path = NULL;
  g_autofree char *mode = NULL;

  hardware->in_use_only = TRUE;
  if (names->len == 0)
    return;
  path = g_strconcat (directory, "/", names->pdata[0], NULL);
  mode = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, path);
  if (g_strcmp0 (mode, "msix") == 0)
    hardware->msix = names->len;
  else if (mode != NULL)
    hardware->msi = names->len;
}

/* Beyond the first 64 bytes it is read with CAP_SYS_ADMIN alone (drivers/pci/pci-sysfs.c:
 * pci_read_config), which the helper's unit does not give it. */
static void
read_config (const KvmHelperKernel *kernel, const PciAddress *address, KvmHelperHardware *hardware)
{
  g_autofree char *path = kvmhelper_function_path (address, "config");
  gsize length = 0;
  g_autofree char *text
      = kvmhelper_kernel_read (kernel, KVMHELPER_SYS, path, CONFIG_SIZE, &length, NULL);
  const guint8 *config = (const guint8 *) text;

  if (length >= PCI_STD_HEADER_SIZEOF)
    {
      hardware->revision = config[PCI_REVISION_ID];
      hardware->intx = config[PCI_INTERRUPT_PIN] != 0 ? 1 : 0;
      if ((config[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_TYPE_BRIDGE)
        hardware->secondary_bus = config[PCI_SECONDARY_BUS];
    }
  if (length >= CONFIG_SIZE)
    read_capabilities (config, hardware);
  else
    count_in_use (kernel, address, hardware);
}

static gboolean
read_number (const KvmHelperKernel *kernel, const PciAddress *address, const char *attribute,
             guint64 *number)
{
  g_autofree char *path = kvmhelper_function_path (address, attribute);

  return kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, path, number);
}

/* "../../../devices/pci0000:00/0000:00:00.0/0000:01:00.0" */
static void
read_parent (const KvmHelperKernel *kernel, const PciAddress *address, KvmHelperHardware *hardware)
{
  g_autofree char *path = kvmhelper_function_path (address, NULL);
  g_autofree char *target = kvmhelper_kernel_readlink (kernel, KVMHELPER_SYS, path);
  g_autofree char *above = target == NULL ? NULL : g_path_get_dirname (target);
  g_autofree char *name = above == NULL ? NULL : g_path_get_basename (above);

  hardware->has_parent = name != NULL && pci_address_parse (name, &hardware->parent, NULL);
}

/* A kernel before 5.15 has no reset_method, and one that has leaves it out where there is no way
 * (drivers/pci/pci-sysfs.c: pci_dev_reset_attr_is_visible), and so it does reset. */
static char *
read_reset_methods (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autofree char *methods = kvmhelper_function_path (address, "reset_method");
  g_autofree char *reset = kvmhelper_function_path (address, "reset");
  char *text = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, methods);

  if (text == NULL && !kvmhelper_kernel_exists (kernel, KVMHELPER_SYS, reset))
    return g_strdup ("");
  return text;
}

/* The kernel begins with 32, and the driver says more (drivers/pci/pci-sysfs.c:
 * dma_mask_bits_show). */
static guint
read_dma_bits (const KvmHelperKernel *kernel, const PciAddress *address)
{
  g_autofree char *driver = kvmhelper_function_driver (kernel, address);
  guint64 bits;

  if (*driver == '\0' || strcmp (driver, "pci-stub") == 0 || common_driver_is_vfio (driver)
      || !read_number (kernel, address, "dma_mask_bits", &bits) || bits > 64)
    return 0;
  return (guint) bits;
}

void
kvmhelper_hardware_read (const KvmHelperKernel *kernel, const PciAddress *address,
                         KvmHelperHardware *hardware)
{
  guint64 number;

  *hardware = (KvmHelperHardware){ .numa_node = -1 };
  read_parent (kernel, address, hardware);
  read_config (kernel, address, hardware);
  if (read_number (kernel, address, "sriov_totalvfs", &number) && number <= G_MAXUINT16)
    hardware->total_vfs = (guint) number;
  /* "-1" is no number here, and no node. */
  if (read_number (kernel, address, "numa_node", &number) && number <= G_MAXUINT16)
    hardware->numa_node = (int) number;
  hardware->dma_bits = read_dma_bits (kernel, address);
  hardware->reset_methods = read_reset_methods (kernel, address);
}

void
kvmhelper_hardware_clear (KvmHelperHardware *hardware)
{
  g_clear_pointer (&hardware->reset_methods, g_free);
}

static void
add (GVariantBuilder *builder, const char *key, guint value)
{
  if (value != 0)
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_uint32 (value));
}

void
kvmhelper_hardware_add (const KvmHelperHardware *hardware, GVariantBuilder *builder)
{
  char name[PCI_ADDRESS_LEN];

  if (hardware->has_parent)
    g_variant_builder_add (builder, "{sv}", "parent",
                           g_variant_new_string (pci_address_format (&hardware->parent, name)));
  add (builder, "secondary-bus", hardware->secondary_bus);
  add (builder, "revision", hardware->revision);
  add (builder, "intx", hardware->intx);
  add (builder, "msi", hardware->msi);
  add (builder, "msix", hardware->msix);
  if (hardware->in_use_only)
    g_variant_builder_add (builder, "{sv}", "interrupts-in-use-only", g_variant_new_boolean (TRUE));
  add (builder, "total-vfs", hardware->total_vfs);
  add (builder, "dma-bits", hardware->dma_bits);
  if (hardware->numa_node >= 0)
    g_variant_builder_add (builder, "{sv}", "numa-node",
                           g_variant_new_uint32 ((guint) hardware->numa_node));
  if (hardware->reset_methods != NULL)
    {
      g_autofree char *text = g_utf8_make_valid (hardware->reset_methods, -1);

      g_variant_builder_add (builder, "{sv}", "reset-methods", g_variant_new_string (text));
    }
}
