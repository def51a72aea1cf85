/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-refusal.h"

#include <libvirt/virterror.h>

#include "common/common-error.h"

/* libvirt's words (src/util/virerror.c: virErrorMsgStrings). A client shows the message as it
   comes, so the sender puts them in; the daemon's own are not translated for the client either. */
static const struct
{
  int code;
  const char *format;
} words[] = {
  { VIR_ERR_INTERNAL_ERROR, "internal error: %s" },
  { VIR_ERR_OPERATION_FAILED, "operation failed: %s" },
  { VIR_ERR_OPERATION_INVALID, "Requested operation is not valid: %s" },
  { VIR_ERR_CONFIG_UNSUPPORTED, "unsupported configuration: %s" },
  { VIR_ERR_OPERATION_TIMEOUT, "Timed out during operation: %s" },
  { VIR_ERR_RESOURCE_BUSY, "resource busy: %s" },
  { VIR_ERR_ACCESS_DENIED, "access denied: %s" },
  { VIR_ERR_DEVICE_MISSING, "device not found: %s" },
  { VIR_ERR_XML_ERROR, "XML error: %s" },
};

/* Which number a client gets for which reason. Programs decide by it: nova, for one, tries another
   device where one is busy. What is not here is an operation that failed. */
static const struct
{
  CommonErrorCode reason;
  int code;
} numbers[] = {
  { COMMON_ERROR_INVALID_XML, VIR_ERR_XML_ERROR },
  { COMMON_ERROR_INVALID_DOMAIN, VIR_ERR_XML_ERROR },
  { COMMON_ERROR_INVALID_DEVICE, VIR_ERR_XML_ERROR },
  { COMMON_ERROR_INVALID_METADATA, VIR_ERR_XML_ERROR },
  { COMMON_ERROR_INVALID_ADDRESS, VIR_ERR_XML_ERROR },
  { COMMON_ERROR_DEVICE_UNKNOWN, VIR_ERR_DEVICE_MISSING },
  { COMMON_ERROR_NOT_ENDPOINT, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_NO_IOMMU_GROUP, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_NOT_PSERIES_KVM, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_MEMBER_NOT_TAKEABLE, VIR_ERR_RESOURCE_BUSY },
  { COMMON_ERROR_GROUP_IN_USE, VIR_ERR_RESOURCE_BUSY },
  { COMMON_ERROR_UNMANAGED_BOUND, VIR_ERR_OPERATION_INVALID },
  { COMMON_ERROR_NO_FREE_PHB, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_PHB_UNKNOWN, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_PHB_SHARED, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_GROUP_SPLIT, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_XIVE_UNAVAILABLE, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_TCE_UNAVAILABLE, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_EEH_UNAVAILABLE, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_VFIO_UNAVAILABLE, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_KVM_UNAVAILABLE, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_PE_FROZEN, VIR_ERR_OPERATION_INVALID },
  { COMMON_ERROR_MEMORY_LIMIT, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_DMA_WINDOW, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_DRIVER_UNSUPPORTED, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_POLICY_REQUIRES, VIR_ERR_CONFIG_UNSUPPORTED },
  { COMMON_ERROR_BUSY, VIR_ERR_RESOURCE_BUSY },
  { COMMON_ERROR_NOT_AUTHORIZED, VIR_ERR_ACCESS_DENIED },
  { COMMON_ERROR_HELPER_UNAVAILABLE, VIR_ERR_OPERATION_INVALID },
  { COMMON_ERROR_LIBVIRT_UNAVAILABLE, VIR_ERR_OPERATION_INVALID },
  { COMMON_ERROR_TIMED_OUT, VIR_ERR_OPERATION_TIMEOUT },
  { COMMON_ERROR_INTERNAL, VIR_ERR_INTERNAL_ERROR },
};

int
driver_refusal_code (const GError *error, const char **format)
{
  CommonErrorCode reason = common_error_code (error);
  int code = VIR_ERR_OPERATION_FAILED;

  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (numbers[i].reason == reason)
      code = numbers[i].code;
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (words[i].code == code)
      *format = words[i].format;
  return code;
}

GBytes *
driver_refusal_new_frame (const DriverFrameHeader *call, const GError *error)
{
  const char *format;
  int code = driver_refusal_code (error, &format);

  return driver_frame_new_error (call, code, format, error->message);
}
