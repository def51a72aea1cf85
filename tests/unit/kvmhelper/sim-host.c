/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim-host.h"

#include <fcntl.h>
#include <string.h>

#include "kvmhelper/kvmhelper-abi.h"

KvmHelperSim *
sim_host_new (const char *xml)
{
  g_autoptr (GError) error = NULL;
  KvmHelperSim *sim = kvmhelper_sim_new_from_xml (xml, "test.xml", &error);

  g_assert_no_error (error);
  return sim;
}

KvmHelperSimProcess *
sim_host_start (KvmHelperSim *sim, guint uid)
{
  const KvmHelperSimProcessConfig config = { "a-command-that-is-long", uid, uid == 0, 1 << 20 };

  return kvmhelper_sim_process_new (sim, &config);
}

void
sim_host_write (const KvmHelperKernel *kernel, const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_kernel_write (kernel, KVMHELPER_SYS, path, text, &error);
  g_assert_no_error (error);
}

void
sim_host_expect_text (const KvmHelperKernel *kernel, const char *path, const char *expected)
{
  g_autofree char *text = kvmhelper_kernel_read_line (kernel, KVMHELPER_SYS, path);

  g_test_message ("%s", path);
  g_assert_cmpstr (text, ==, expected);
}

void
sim_host_expect_link (const KvmHelperKernel *kernel, const char *path, const char *expected)
{
  g_autofree char *name = kvmhelper_kernel_link_name (kernel, KVMHELPER_SYS, path);

  g_test_message ("%s", path);
  g_assert_cmpstr (name, ==, expected);
}

void
sim_host_give_to_vfio (const KvmHelperKernel *kernel, const char *address)
{
  g_autofree char *override = g_strdup_printf ("bus/pci/devices/%s/driver_override", address);
  g_autofree char *unbind = g_strdup_printf ("bus/pci/devices/%s/driver/unbind", address);

  sim_host_write (kernel, override, "vfio-pci");
  sim_host_write (kernel, unbind, address);
  sim_host_write (kernel, "bus/pci/drivers_probe", address);
}

void
sim_host_open_group (const KvmHelperKernel *kernel, guint number, gulong type, int *group,
                     int *container)
{
  g_autofree char *path = g_strdup_printf ("vfio/%u", number);

  *group = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, path, O_RDWR);
  *container = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "vfio/vfio", O_RDWR);
  g_assert_cmpint (*group, >=, 0);
  g_assert_cmpint (*container, >=, 0);
  g_assert_cmpint (
      kvmhelper_kernel_ioctl (kernel, *group, VFIO_GROUP_SET_CONTAINER, (gulong) container), ==, 0);
  g_assert_cmpint (kvmhelper_kernel_ioctl (kernel, *container, VFIO_SET_IOMMU, type), ==, 0);
}

int
sim_host_open_device (const KvmHelperKernel *kernel, int group, const char *address)
{
  int device = kvmhelper_kernel_ioctl (kernel, group, VFIO_GROUP_GET_DEVICE_FD, (gulong) address);

  g_assert_cmpint (device, >=, 0);
  return device;
}

guint
sim_host_count_lines (KvmHelperSim *sim, const char *part)
{
  g_auto (GStrv) log = kvmhelper_sim_kernel_log (sim);
  guint count = 0;

  for (guint i = 0; log[i] != NULL; i++)
    count += strstr (log[i], part) != NULL;
  return count;
}

void
sim_host_expect_round_trip (KvmHelperSim *sim)
{
  g_autofree char *first = kvmhelper_sim_to_xml (sim);
  g_autoptr (KvmHelperSim) again = sim_host_new (first);
  g_autofree char *second = kvmhelper_sim_to_xml (again);

  g_assert_cmpstr (first, ==, second);
}
