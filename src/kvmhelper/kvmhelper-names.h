/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * Names of PCI vendors, devices and classes, from the pci.ids of this machine and nowhere else.
 * Each is "" where pci.ids does not know. To be freed. From any thread.
 */
char *kvmhelper_names_vendor (guint vendor);
char *kvmhelper_names_device (guint vendor, guint device);

/* @class: 24 bits. */
char *kvmhelper_names_class (guint class);
