/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/common-error.h"

#define PREFIX "org.libvirt.Ppc64.Error."

/* The one table of names: the kebab-case one is made from the D-Bus one. */
static const GDBusErrorEntry entries[] = {
  { COMMON_ERROR_INVALID_ADDRESS, PREFIX "InvalidAddress" },
  { COMMON_ERROR_INVALID_XML, PREFIX "InvalidXml" },
  { COMMON_ERROR_INVALID_DOMAIN, PREFIX "InvalidDomain" },
  { COMMON_ERROR_INVALID_DEVICE, PREFIX "InvalidDevice" },
  { COMMON_ERROR_INVALID_METADATA, PREFIX "InvalidMetadata" },
  { COMMON_ERROR_INVALID_HOST, PREFIX "InvalidHost" },
  { COMMON_ERROR_INVALID_ARGUMENT, PREFIX "InvalidArgument" },
  { COMMON_ERROR_DEVICE_UNKNOWN, PREFIX "DeviceUnknown" },
  { COMMON_ERROR_NOT_ENDPOINT, PREFIX "NotEndpoint" },
  { COMMON_ERROR_NO_IOMMU_GROUP, PREFIX "NoIommuGroup" },
  { COMMON_ERROR_NOT_PSERIES_KVM, PREFIX "NotPseriesKvm" },
  { COMMON_ERROR_MEMBER_NOT_TAKEABLE, PREFIX "MemberNotTakeable" },
  { COMMON_ERROR_GROUP_IN_USE, PREFIX "GroupInUse" },
  { COMMON_ERROR_UNMANAGED_BOUND, PREFIX "UnmanagedBound" },
  { COMMON_ERROR_NO_FREE_PHB, PREFIX "NoFreePhb" },
  { COMMON_ERROR_PHB_UNKNOWN, PREFIX "PhbUnknown" },
  { COMMON_ERROR_PHB_SHARED, PREFIX "PhbShared" },
  { COMMON_ERROR_GROUP_SPLIT, PREFIX "GroupSplit" },
  { COMMON_ERROR_XIVE_UNAVAILABLE, PREFIX "XiveUnavailable" },
  { COMMON_ERROR_TCE_UNAVAILABLE, PREFIX "TceUnavailable" },
  { COMMON_ERROR_EEH_UNAVAILABLE, PREFIX "EehUnavailable" },
  { COMMON_ERROR_VFIO_UNAVAILABLE, PREFIX "VfioUnavailable" },
  { COMMON_ERROR_KVM_UNAVAILABLE, PREFIX "KvmUnavailable" },
  { COMMON_ERROR_PE_FROZEN, PREFIX "PeFrozen" },
  { COMMON_ERROR_PE_FAILED, PREFIX "PeFailed" },
  { COMMON_ERROR_DRIVER_UNSUPPORTED, PREFIX "DriverUnsupported" },
  { COMMON_ERROR_MEMORY_LIMIT, PREFIX "MemoryLimit" },
  { COMMON_ERROR_INTERRUPT_LIMIT, PREFIX "InterruptLimit" },
  { COMMON_ERROR_DMA_WINDOW, PREFIX "DmaWindow" },
  { COMMON_ERROR_POLICY_REQUIRES, PREFIX "PolicyRequires" },
  { COMMON_ERROR_ADVISE_XICS, PREFIX "AdviseXics" },
  { COMMON_ERROR_ADVISE_IRQ_BYPASS, PREFIX "AdviseIrqBypass" },
  { COMMON_ERROR_RESET_UNSAFE, PREFIX "ResetUnsafe" },
  { COMMON_ERROR_REHEARSAL_FAILED, PREFIX "RehearsalFailed" },
  { COMMON_ERROR_BIND_FAILED, PREFIX "BindFailed" },
  { COMMON_ERROR_DEVICE_CHANGED, PREFIX "DeviceChanged" },
  { COMMON_ERROR_JOURNAL_FAILED, PREFIX "JournalFailed" },
  { COMMON_ERROR_KERNEL_FAILED, PREFIX "KernelFailed" },
  { COMMON_ERROR_LEASE_UNKNOWN, PREFIX "LeaseUnknown" },
  { COMMON_ERROR_GROUP_NOT_HELD, PREFIX "GroupNotHeld" },
  { COMMON_ERROR_COMPANION_FAILED, PREFIX "CompanionFailed" },
  { COMMON_ERROR_BUSY, PREFIX "Busy" },
  { COMMON_ERROR_NOT_AUTHORIZED, PREFIX "NotAuthorized" },
  { COMMON_ERROR_CONSENT_MISSING, PREFIX "ConsentMissing" },
  { COMMON_ERROR_HELPER_UNAVAILABLE, PREFIX "HelperUnavailable" },
  { COMMON_ERROR_LIBVIRT_UNAVAILABLE, PREFIX "LibvirtUnavailable" },
  { COMMON_ERROR_TIMED_OUT, PREFIX "TimedOut" },
  { COMMON_ERROR_CANCELLED, PREFIX "Cancelled" },
  { COMMON_ERROR_INTERNAL, PREFIX "Internal" },
};
G_STATIC_ASSERT (G_N_ELEMENTS (entries) == COMMON_ERROR_LAST);

GQuark
common_error_quark (void)
{
  static gsize quark = 0;

  g_dbus_error_register_error_domain ("ppc64-hostdev-error", &quark, entries,
                                      G_N_ELEMENTS (entries));
  return (GQuark) quark;
}

/* "NoFreePhb" becomes "no-free-phb". */
static char *
kebab_case (const char *camel)
{
  GString *name = g_string_new (NULL);

  for (const char *c = camel; *c != '\0'; c++)
    {
      if (g_ascii_isupper (*c) && c != camel)
        g_string_append_c (name, '-');
      g_string_append_c (name, g_ascii_tolower (*c));
    }
  return g_string_free (name, FALSE);
}

static const char *const *
names (void)
{
  static char *table[COMMON_ERROR_LAST];
  static gsize ready = 0;

  if (g_once_init_enter (&ready))
    {
      for (gsize i = 0; i < G_N_ELEMENTS (entries); i++)
        table[entries[i].error_code] = kebab_case (entries[i].dbus_error_name + strlen (PREFIX));
      g_once_init_leave (&ready, 1);
    }
  return (const char *const *) table;
}

const char *
common_error_name (CommonErrorCode code)
{
  if ((int) code < 0 || code >= COMMON_ERROR_LAST)
    code = COMMON_ERROR_INTERNAL;
  return names ()[code];
}

CommonErrorCode
common_error_code (const GError *error)
{
  if (error != NULL && error->domain == COMMON_ERROR && error->code >= 0
      && error->code < COMMON_ERROR_LAST)
    return (CommonErrorCode) error->code;
  return COMMON_ERROR_INTERNAL;
}

void
common_error_set_errno (GError **error, int errnum, const char *what, ...)
{
  va_list args;

  va_start (args, what);
  g_autofree char *text = g_strdup_vprintf (what, args);
  va_end (args);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED, "%s: %s", text,
               g_strerror (errnum));
}
