/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "busy-fixture.h"

#include "kvmhelper/kvmhelper-busy.h"

KvmHelperDouble *
busy_host_new (void)
{
  KvmHelperDouble *host = kvmhelper_double_new ();

  kvmhelper_double_function (host, BUSY_NVME, 4, "nvme", 0);
  kvmhelper_double_function (host, BUSY_CARD, 3, "ixgbe", 0);
  kvmhelper_double_function (host, BUSY_SECOND, 3, "ixgbe", 0);
  kvmhelper_double_link (host, "proc/1/ns/mnt", "mnt:[1]");
  kvmhelper_double_file (host, "proc/1/mountinfo", "21 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
  kvmhelper_double_file (host, "proc/swaps", "Filename Type Size Used Priority\n");
  return host;
}

void
busy_add_block (KvmHelperDouble *host, const char *directory, const char *name, const char *number)
{
  g_autofree char *target = g_strdup_printf ("../../devices/%s/%s", directory, name);
  g_autofree char *link = g_strconcat ("sys/class/block/", name, NULL);
  g_autofree char *file = g_strdup_printf ("sys/devices/%s/%s/dev", directory, name);

  kvmhelper_double_link (host, link, target);
  kvmhelper_double_file (host, file, number);
}

void
busy_add_disk (KvmHelperDouble *host)
{
  busy_add_block (host, "pci0004:00/" BUSY_NVME "/nvme/nvme0", "nvme0n1", "259:0\n");
  busy_add_block (host, "pci0004:00/" BUSY_NVME "/nvme/nvme0/nvme0n1", "nvme0n1p1", "259:1\n");
}

void
busy_add_interface (KvmHelperDouble *host, const char *directory, const char *name)
{
  g_autofree char *target = g_strdup_printf ("../../devices/%s/net/%s", directory, name);
  g_autofree char *link = g_strconcat ("sys/class/net/", name, NULL);
  g_autofree char *file = g_strdup_printf ("sys/devices/%s/net/%s/mtu", directory, name);

  kvmhelper_double_link (host, link, target);
  kvmhelper_double_file (host, file, "1500\n");
}

char *
busy_get_needs (const KvmHelperKernel *kernel, const char *address)
{
  g_autoptr (KvmHelperBusy) busy = kvmhelper_busy_new (kernel);
  PciAddress function = kvmhelper_double_address (address);
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperFunction) read = kvmhelper_function_read (kernel, &function, &error);
  g_autoptr (GPtrArray) needs = NULL;
  GString *text = g_string_new (NULL);

  g_assert_no_error (error);
  needs = kvmhelper_busy_get (busy, read);
  for (guint i = 0; i < needs->len; i++)
    {
      const KvmHelperNeed *need = needs->pdata[i];

      g_string_append_printf (text, "%s%s%s: %s", i == 0 ? "" : "; ", need->final ? "!" : "",
                              need->kind, need->detail);
    }
  return g_string_free (text, FALSE);
}

void
busy_expect_needs (KvmHelperDouble *host, const char *address, const char *expected)
{
  g_autofree char *needs = busy_get_needs (&host->kernel, address);

  g_assert_cmpstr (needs, ==, expected);
}
