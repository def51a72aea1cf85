/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-capability.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/kvmhelper-limits.h"

char *
kvmhelper_cpuinfo (const char *cpuinfo, const char *key)
{
  g_auto (GStrv) lines = g_strsplit (cpuinfo, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *colon = strchr (lines[i], ':');

      if (colon == NULL)
        continue;
      *colon = '\0';
      if (g_str_equal (g_strstrip (lines[i]), key))
        return g_utf8_make_valid (g_strstrip (colon + 1), -1);
    }
  return g_strdup ("");
}

/* "MemTotal:       16373184 kB" */
guint64
kvmhelper_meminfo (const KvmHelperKernel *kernel, const char *key)
{
  g_autofree char *text
      = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, "meminfo", KVMHELPER_MAX_LIST, NULL, NULL);
  g_autofree char *value = kvmhelper_cpuinfo (text == NULL ? "" : text, key);
  guint64 kib = g_ascii_strtoull (value, NULL, 10);

  return g_str_has_suffix (value, " kB") && kib <= G_MAXUINT64 / 1024 ? kib * 1024 : 0;
}

KvmHelperPlatform
kvmhelper_platform_read (const KvmHelperKernel *kernel)
{
  gsize length = 0;
  g_autofree char *compatible
      = kvmhelper_kernel_read (kernel, KVMHELPER_SYS, "firmware/devicetree/base/compatible",
                               KVMHELPER_MAX_ATTRIBUTE, &length, NULL);
  g_autofree char *cpuinfo = NULL;
  g_autofree char *platform = NULL;

  /* a list of strings, each with its NUL */
  for (gsize i = 0; i < length; i += strlen (compatible + i) + 1)
    if (g_str_equal (compatible + i, "ibm,powernv"))
      return KVMHELPER_PLATFORM_POWERNV;
  cpuinfo
      = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, "cpuinfo", KVMHELPER_MAX_LIST, NULL, NULL);
  platform = kvmhelper_cpuinfo (cpuinfo == NULL ? "" : cpuinfo, "platform");
  return g_str_equal (platform, "pSeries") ? KVMHELPER_PLATFORM_PSERIES : KVMHELPER_PLATFORM_OTHER;
}

const char *
kvmhelper_platform_name (KvmHelperPlatform platform)
{
  static const char *const names[] = { "powernv", "pseries", "other" };

  return names[platform];
}

gboolean
kvmhelper_irq_bypass_off (const KvmHelperKernel *kernel)
{
  guint64 value;

  return kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, KVMHELPER_BYPASS_PARAMETER, &value)
         && value == 0;
}

static void
add (GVariantBuilder *builder, const char *name, const char *answer, const char *source)
{
  g_variant_builder_add (builder, "{s(ss)}", name, answer, source);
}

static const char *
yes_no (int result)
{
  return result < 0 ? "unknown" : result > 0 ? "yes" : "no";
}

static void
add_kvm (GVariantBuilder *builder, const KvmHelperKernel *kernel)
{
  static const struct
  {
    const char *name;
    gulong extension;
    const char *source;
  } extensions[] = {
    { "xive-native", KVM_CAP_PPC_IRQ_XIVE, "KVM_CHECK_EXTENSION (KVM_CAP_PPC_IRQ_XIVE)" },
    { "xics", KVM_CAP_IRQ_XICS, "KVM_CHECK_EXTENSION (KVM_CAP_IRQ_XICS)" },
    { "spapr-tce", KVM_CAP_SPAPR_TCE_64, "KVM_CHECK_EXTENSION (KVM_CAP_SPAPR_TCE_64)" },
    { "spapr-tce-vfio", KVM_CAP_SPAPR_TCE_VFIO, "KVM_CHECK_EXTENSION (KVM_CAP_SPAPR_TCE_VFIO)" },
  };
  int kvm = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "kvm", O_RDWR);
  int vm = kvm < 0 ? kvm : kvmhelper_kernel_ioctl (kernel, kvm, KVM_CREATE_VM, KVM_VM_PPC_HV);

  if (kvm < 0)
    add (builder, "kvm-hv", kvm == -ENOENT || kvm == -ENODEV ? "no" : "unknown", "/dev/kvm");
  else
    /* EINVAL: KVM has no such type of VM, as kvm_hv is not loaded or this is no POWER host. */
    add (builder, "kvm-hv",
         vm >= 0         ? "yes"
         : vm == -EINVAL ? "no"
                         : "unknown",
         "KVM_CREATE_VM (KVM_VM_PPC_HV)");
  for (guint i = 0; i < G_N_ELEMENTS (extensions); i++)
    if (kvm < 0)
      add (builder, extensions[i].name, "unknown", "/dev/kvm");
    else
      add (builder, extensions[i].name,
           yes_no (kvmhelper_kernel_ioctl (kernel, vm >= 0 ? vm : kvm, KVM_CHECK_EXTENSION,
                                           extensions[i].extension)),
           extensions[i].source);
  if (vm >= 0)
    kvmhelper_kernel_close (kernel, vm);
  if (kvm >= 0)
    kvmhelper_kernel_close (kernel, kvm);
}

static void
add_vfio (GVariantBuilder *builder, const KvmHelperKernel *kernel)
{
  int container = kvmhelper_kernel_open (kernel, KVMHELPER_DEV, "vfio/vfio", O_RDWR);

  if (container < 0)
    {
      const char *answer = container == -ENOENT || container == -ENODEV ? "no" : "unknown";

      add (builder, "vfio-spapr-v2", answer, "/dev/vfio/vfio");
      add (builder, "vfio-eeh", answer, "/dev/vfio/vfio");
      return;
    }
  add (builder, "vfio-spapr-v2",
       yes_no (kvmhelper_kernel_ioctl (kernel, container, VFIO_CHECK_EXTENSION,
                                       VFIO_SPAPR_TCE_v2_IOMMU)),
       "VFIO_CHECK_EXTENSION (VFIO_SPAPR_TCE_v2_IOMMU)");
  add (builder, "vfio-eeh",
       yes_no (kvmhelper_kernel_ioctl (kernel, container, VFIO_CHECK_EXTENSION, VFIO_EEH)),
       "VFIO_CHECK_EXTENSION (VFIO_EEH)");
  kvmhelper_kernel_close (kernel, container);
}

/* The names of the interrupt controllers stand in /proc/interrupts ("XIVE-IRQ", "XICS"). */
static void
add_host_xive (GVariantBuilder *builder, const KvmHelperKernel *kernel)
{
  g_autofree char *interrupts = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, "interrupts",
                                                       KVMHELPER_MAX_TABLE, NULL, NULL);
  const char *answer = "unknown";

  if (interrupts != NULL && strstr (interrupts, "XIVE-") != NULL)
    answer = "yes";
  else if (interrupts != NULL && strstr (interrupts, "XICS") != NULL)
    answer = "no";
  add (builder, "host-xive", answer, "/proc/interrupts");
}

static void
add_bypass (GVariantBuilder *builder, const KvmHelperKernel *kernel, KvmHelperPlatform platform)
{
  guint64 value;

  /* kvmppc_set_passthru_irq_hv takes interrupts of OPAL's MSI chip alone, is_pnv_opal_msi
   * (arch/powerpc/kvm/book3s_hv.c). */
  if (platform != KVMHELPER_PLATFORM_POWERNV)
    add (builder, "irq-bypass", "no", "inferred: KVM passes interrupts on under PowerNV only");
  else if (!kvmhelper_kernel_read_number (kernel, KVMHELPER_SYS, KVMHELPER_BYPASS_PARAMETER,
                                          &value))
    add (builder, "irq-bypass", "unknown", "/sys/" KVMHELPER_BYPASS_PARAMETER);
  else
    add (builder, "irq-bypass", value != 0 ? "yes" : "no", "/sys/" KVMHELPER_BYPASS_PARAMETER);
}

static void
add_eeh (GVariantBuilder *builder, const KvmHelperKernel *kernel)
{
  g_autofree char *text = kvmhelper_kernel_read_line (kernel, KVMHELPER_PROC, "powerpc/eeh");

  add (builder, "eeh",
       text == NULL                                               ? "no"
       : g_str_has_prefix (text, "EEH Subsystem is enabled")      ? "yes"
       : g_str_has_prefix (text, "EEH Subsystem is globally dis") ? "no"
                                                                  : "unknown",
       "/proc/powerpc/eeh");
}

GVariant *
kvmhelper_capabilities_read (const KvmHelperKernel *kernel, KvmHelperPlatform platform)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{s(ss)}"));
  add_kvm (&builder, kernel);
  add_host_xive (&builder, kernel);
  add_bypass (&builder, kernel, platform);
  add_vfio (&builder, kernel);
  add_eeh (&builder, kernel);
  return g_variant_builder_end (&builder);
}
