/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-host.h"

#include <fcntl.h>
#include <string.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-abi.h"

void
conformance_host_free (ConformanceHost *host)
{
  g_free (host->facts.release);
  g_hash_table_unref (host->variables);
  g_free (host);
}

static gboolean
file_has (const KvmHelperKernel *kernel, const char *path, const char *text)
{
  g_autofree char *content
      = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, path, 65536, NULL, NULL);

  return content != NULL && strstr (content, text) != NULL;
}

static gboolean
has_xive_native (const KvmHelperKernel *kernel)
{
  int kvm = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "kvm", O_RDWR);
  gboolean has;

  if (kvm < 0)
    return FALSE;
  has = kvmhelper_kernel_ioctl (kernel, kvm, KVM_CHECK_EXTENSION, KVM_CAP_PPC_IRQ_XIVE) > 0;
  kvmhelper_kernel_close (kernel, kvm);
  return has;
}

static void
set (ConformanceHost *host, const char *name, char *value)
{
  if (value != NULL)
    g_hash_table_replace (host->variables, g_strdup (name), value);
}

/* The group and the driver of a function that the hosts file names. */
static void
look_at (ConformanceHost *host, const KvmHelperKernel *kernel, const char *function,
         const char *group, const char *driver)
{
  const char *bdf = g_hash_table_lookup (host->variables, function);
  g_autofree char *group_path = g_strdup_printf ("bus/pci/devices/%s/iommu_group", bdf);
  g_autofree char *driver_path = g_strdup_printf ("bus/pci/devices/%s/driver", bdf);

  if (bdf == NULL)
    return;
  set (host, group, kvmhelper_kernel_link_name (kernel, KVMHELPER_SYS, group_path));
  set (host, driver, kvmhelper_kernel_link_name (kernel, KVMHELPER_SYS, driver_path));
}

static gboolean
read_file (ConformanceHost *host, const char *path, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) names = NULL;

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, error))
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  names = g_key_file_get_keys (file, "variables", NULL, NULL);
  for (guint i = 0; names != NULL && names[i] != NULL; i++)
    set (host, names[i], g_key_file_get_string (file, "variables", names[i], NULL));
  host->facts.freeze = g_key_file_get_boolean (file, "host", "freeze", NULL);
  return TRUE;
}

ConformanceHost *
conformance_host_new (const KvmHelperKernel *kernel, gboolean real, const char *directory,
                      const char *file, GError **error)
{
  g_autoptr (ConformanceHost) host = g_new0 (ConformanceHost, 1);
  g_autofree char *default_file = NULL;

  host->variables = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  host->facts.real = real;
  host->facts.powernv = file_has (kernel, "cpuinfo", "PowerNV");
  host->facts.eeh = file_has (kernel, "powerpc/eeh", "Subsystem is enabled");
  host->facts.xive_native = has_xive_native (kernel);
  host->facts.release = kvmhelper_kernel_release (kernel);
  default_file
      = g_build_filename (directory, host->facts.powernv ? "powernv.host" : "pseries.host", NULL);
  if (!read_file (host, file != NULL ? file : default_file, error))
    return NULL;
  look_at (host, kernel, "bdf", "group", "driver");
  look_at (host, kernel, "bdf2", "group2", "driver2");
  look_at (host, kernel, "sibling1", "siblings", "sibling_driver");
  return g_steal_pointer (&host);
}

gboolean
conformance_host_has (const ConformanceHost *host, const char *need)
{
  static const struct
  {
    const char *need;
    const char *variable;
  } devices[] = {
    { "group", "group" },
    { "second-group", "group2" },
    { "siblings", "siblings" },
    { "device e1000e", "e1000e" },
  };

  if (!conformance_need_is_device (need))
    return conformance_condition_holds (need, &host->facts);
  for (guint i = 0; i < G_N_ELEMENTS (devices); i++)
    if (g_str_equal (need, devices[i].need))
      return g_hash_table_contains (host->variables, devices[i].variable);
  return FALSE;
}

/* --- drivers --- */

static char *
driver_of (const KvmHelperKernel *kernel, const char *bdf)
{
  g_autofree char *path = g_strdup_printf ("bus/pci/devices/%s/driver", bdf);

  return kvmhelper_kernel_link_name (kernel, KVMHELPER_SYS, path);
}

static gboolean
rebind (const KvmHelperKernel *kernel, const char *bdf, const char *override, GError **error)
{
  g_autofree char *override_path = g_strdup_printf ("bus/pci/devices/%s/driver_override", bdf);
  g_autofree char *unbind_path = g_strdup_printf ("bus/pci/devices/%s/driver/unbind", bdf);
  g_autofree char *driver = driver_of (kernel, bdf);

  return kvmhelper_kernel_write (kernel, KVMHELPER_SYS, override_path, override, error)
         && (driver == NULL
             || kvmhelper_kernel_write (kernel, KVMHELPER_SYS, unbind_path, bdf, error))
         && kvmhelper_kernel_write (kernel, KVMHELPER_SYS, "bus/pci/drivers_probe", bdf, error);
}

gboolean
conformance_host_bind (const KvmHelperKernel *kernel, const char *bdf, GError **error)
{
  g_autofree char *driver = NULL;

  if (!rebind (kernel, bdf, "vfio-pci", error))
    return FALSE;
  driver = driver_of (kernel, bdf);
  if (g_strcmp0 (driver, "vfio-pci") == 0)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED, "%s is on %s, not on vfio-pci", bdf,
               driver != NULL ? driver : "no driver");
  return FALSE;
}

gboolean
conformance_host_bind_back (const KvmHelperKernel *kernel, const char *bdf, GError **error)
{
  g_autofree char *driver = driver_of (kernel, bdf);

  if (driver != NULL && !g_str_equal (driver, "vfio-pci"))
    return TRUE;
  if (!rebind (kernel, bdf, "\n", error))
    return FALSE;
  g_free (driver);
  driver = driver_of (kernel, bdf);
  if (driver != NULL && !g_str_equal (driver, "vfio-pci"))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_BIND_FAILED, "%s is on %s, not on its driver", bdf,
               driver != NULL ? driver : "no driver");
  return FALSE;
}
