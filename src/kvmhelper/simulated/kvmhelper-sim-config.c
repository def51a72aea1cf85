/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

#include <linux/pci_regs.h>
#include <string.h>

/*
 * Configuration space, as far as it is of interest here: who it is, and its capabilities.
 */

/* Where the capabilities stand. */
#define PM_AT   0x40
#define MSI_AT  0x50
#define PCIE_AT 0x70
#define MSIX_AT 0xb0

/* It is little-endian, whatever the host is. */
static void
put16 (guint8 *config, guint at, guint value)
{
  config[at] = value & 0xff;
  config[at + 1] = (value >> 8) & 0xff;
}

static void
put32 (guint8 *config, guint at, guint32 value)
{
  put16 (config, at, value & 0xffff);
  put16 (config, at + 2, value >> 16);
}

/* Adds a capability to the list, whose last pointer is at *@last. */
static void
add_capability (guint8 *config, guint *last, guint at, guint id)
{
  config[*last] = (guint8) at;
  config[at] = (guint8) id;
  *last = at + PCI_CAP_LIST_NEXT;
}

static guint
log2_of (guint count)
{
  guint power = 0;

  while ((1u << power) < count)
    power++;
  return power;
}

static void
put_capabilities (const KvmHelperSimFunction *function, guint8 *config)
{
  guint last = PCI_CAPABILITY_LIST;

  put16 (config, PCI_STATUS, PCI_STATUS_CAP_LIST);
  add_capability (config, &last, PM_AT, PCI_CAP_ID_PM);
  put16 (config, PM_AT + PCI_PM_PMC, 3);
  put16 (config, PM_AT + PCI_PM_CTRL, function->powered ? 0 : 3);
  if (function->msi > 0)
    {
      add_capability (config, &last, MSI_AT, PCI_CAP_ID_MSI);
      put16 (config, MSI_AT + PCI_MSI_FLAGS, PCI_MSI_FLAGS_64BIT | (log2_of (function->msi) << 1));
    }
  add_capability (config, &last, PCIE_AT, PCI_CAP_ID_EXP);
  put16 (config, PCIE_AT + PCI_EXP_FLAGS,
         2 | ((function->bridge ? PCI_EXP_TYPE_ROOT_PORT : PCI_EXP_TYPE_ENDPOINT) << 4));
  if (function->msix > 0)
    {
      add_capability (config, &last, MSIX_AT, PCI_CAP_ID_MSIX);
      put16 (config, MSIX_AT + PCI_MSIX_FLAGS, function->msix - 1);
    }
}

void
kvmhelper_sim_config (const KvmHelperSimFunction *function, guint8 *config)
{
  gboolean multi = function->address.function > 0;
  PciAddress sibling = function->address;

  memset (config, 0, KVMHELPER_SIM_CONFIG_SIZE);
  for (sibling.function = 1; sibling.function < 8 && !multi; sibling.function++)
    multi = kvmhelper_sim_find (function->sim, &sibling) != NULL;
  put16 (config, PCI_VENDOR_ID, function->vendor);
  put16 (config, PCI_DEVICE_ID, function->device);
  put16 (config, PCI_COMMAND,
         PCI_COMMAND_MEMORY | PCI_COMMAND_PARITY | PCI_COMMAND_SERR
             | (function->driver != NULL ? PCI_COMMAND_MASTER : 0));
  put32 (config, PCI_CLASS_REVISION, (function->class << 8) | function->revision);
  config[PCI_HEADER_TYPE]
      = (guint8) ((function->bridge ? PCI_HEADER_TYPE_BRIDGE : PCI_HEADER_TYPE_NORMAL)
                  | (multi ? 0x80 : 0));
  if (function->bridge)
    {
      config[PCI_PRIMARY_BUS] = function->address.bus;
      config[PCI_SECONDARY_BUS] = (guint8) function->secondary_bus;
      config[PCI_SUBORDINATE_BUS] = (guint8) function->secondary_bus;
    }
  else
    {
      put16 (config, PCI_SUBSYSTEM_VENDOR_ID, function->subsystem_vendor);
      put16 (config, PCI_SUBSYSTEM_ID, function->subsystem_device);
      config[PCI_INTERRUPT_PIN] = function->intx > 0 ? 1 : 0;
    }
  put_capabilities (function, config);
}
