/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-rights.h"

#include <glib/gi18n-lib.h>
#include <libvirt/virterror.h>

#include "common/common-error.h"
#include "common/common-log.h"

enum
{
  /* Seconds. libvirt waits thirty for what else is done with the guest (src/conf/virdomainjob.c:
     VIR_JOB_WAIT_TIME). */
  TIMEOUT = 60,
};

/* libvirt has read the device, and so had nothing against the client. By the number alone: a
   message may have a guest's name in it, which is whatever the client calls it. */
static gboolean
is_about_device (int code)
{
  return code == VIR_ERR_CONFIG_UNSUPPORTED || code == VIR_ERR_XML_ERROR
         || code == VIR_ERR_XML_DETAIL;
}

gboolean
driver_rights_check (DriverCall *call)
{
  const DriverDeviceCall *args = driver_call_get_args (call);
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;
  DriverOutcome outcome;
  int code;

  if (!driver_call_is_limited (call))
    return TRUE;
  outcome = driver_call_own (call, args->operation, "<" DRIVER_RIGHTS_DEVICE "/>", TIMEOUT, &code,
                             &message);
  if (driver_call_get_outcome (call) != DRIVER_OUTCOME_PENDING || outcome == DRIVER_OUTCOME_LOST)
    {
      driver_call_reply (call);
      return FALSE;
    }
  if (outcome == DRIVER_OUTCOME_LATE)
    {
      g_set_error_literal (
          &error, COMMON_ERROR, COMMON_ERROR_TIMED_OUT,
          _ ("libvirt did not say in time whether this client may change the guest. Another "
             "operation on it may be under way; try again later."));
      driver_call_refuse (call, error);
      return FALSE;
    }
  if (outcome == DRIVER_OUTCOME_OK || is_about_device (code))
    return TRUE;
  common_log_lease (G_LOG_LEVEL_MESSAGE, NULL, args->domain_uuid, NULL,
                    _ ("libvirt refuses this to the client (%s): %s"), driver_call_get_peer (call),
                    message != NULL ? message : "");
  driver_call_reply_own (call);
  return FALSE;
}
