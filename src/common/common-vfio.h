/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The driver that takes any PCI function for VFIO. */
#define COMMON_VFIO_DRIVER "vfio-pci"

/**
 * common_driver_is_vfio: whether @driver gives functions to user space by VFIO: vfio-pci, or one
 * made of it for one kind of device, as mlx5_vfio_pci and nvgrace-gpu-vfio-pci
 * (drivers/vfio/pci). "" is none.
 */
static inline gboolean
common_driver_is_vfio (const char *driver)
{
  return g_str_equal (driver, COMMON_VFIO_DRIVER) || g_str_has_suffix (driver, "-vfio-pci")
         || g_str_has_suffix (driver, "_vfio_pci");
}
