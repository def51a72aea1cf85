/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-work.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "driver/driver-companions.h"
#include "driver/driver-define.h"
#include "driver/driver-require.h"
#include "driver/driver-rights.h"
#include "driver/driver-settle.h"
#include "hostdev/hostdev-network.h"
#include "hostdev/hostdev-plan.h"

/* Seconds. */
enum
{
  /* libvirt's own work: QEMU pins all of the guest's memory at the first device. */
  FORWARD_TIMEOUT = 600,
  /* How long a client waits for its detach, so that the host has the device when it returns. */
  DETACH_RELEASE_TIMEOUT = 15,
  RELEASE_TIMEOUT = 10,
  DETACH_TIMEOUT = 60,
};

struct _DriverWork
{
  DriverTransactions *owner;
  DriverHelper *helper;
  const DriverDomains *domains;
  guint grace;
  DriverCall *call;
  HostdevDevice *device; /* NULL where the call names an alias, or an NVMe disk */
  char *network;         /* NULL, or what chooses the device's address */
  DriverCompanions along;
};

DriverWork *
driver_work_new (DriverTransactions *owner, DriverHelper *helper, const DriverDomains *domains,
                 guint grace)
{
  DriverWork *self = g_new0 (DriverWork, 1);

  self->owner = owner;
  self->helper = helper;
  self->domains = domains;
  self->grace = grace;
  return self;
}

void
driver_work_free (DriverWork *self)
{
  g_clear_pointer (&self->call, driver_call_unref);
  hostdev_device_free (self->device);
  g_free (self->network);
  driver_companions_clear (&self->along);
  g_free (self);
}

/* --- attach ------------------------------------------------------------------------------- */

/* Plans, and takes the group from the host. */
static DriverLease *
prepare (DriverWork *self, const HostdevDomain *domain, GError **error)
{
  g_autoptr (HostdevHost) host = driver_helper_get_host (self->helper, error);

  if (host == NULL)
    return NULL;

  g_autoptr (HostdevPlan) plan = hostdev_plan_attach (domain, self->device, host);
  driver_define_log (plan, domain);
  if (hostdev_plan_set_error (plan, error))
    return NULL;
  /* What a network hands out is for it to choose. */
  if (self->network == NULL)
    driver_companions_init (&self->along, self->call, self->device, plan);
  return driver_helper_prepare (self->helper, hostdev_domain_get_uuid (domain),
                                hostdev_domain_get_name (domain), &self->device->address,
                                hostdev_domain_get_policy (domain, self->device).rehearse, error);
}

/* Where the guest has the device libvirt chose, so that only its XML knows. What did not work is
 * tried once more, by who settles. */
static void
tell_addresses (const DriverWork *self, const DriverLease *lease)
{
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (GError) error = NULL;

  if (!driver_domains_get (self->domains, lease->domain_uuid, &domain, &error))
    common_log_lease (G_LOG_LEVEL_INFO, NULL, lease->domain_uuid, lease->id,
                      "where guest %s has its devices is not known: %s", lease->domain_name,
                      error->message);
  else if (domain == NULL || driver_helper_tell_addresses (self->helper, lease, domain))
    return;
  driver_transactions_settle (self->owner, lease->domain_uuid, self->grace);
}

/* libvirt has attached it: what the guest got of it, and whether that will do. */
static gboolean
accept (DriverWork *self, const HostdevDomain *domain, const DriverLease *lease, GError **error)
{
  const HostdevPolicy policy = hostdev_domain_get_policy (domain, self->device);
  const DriverSettle how = { .domain_uuid = lease->domain_uuid,
                             .grace = self->grace,
                             .release_timeout = DETACH_RELEASE_TIMEOUT };
  g_auto (HostdevGot) got = { NULL, NULL, NULL };
  gboolean asked;

  driver_settle_commit (self->helper, lease, &got);
  if (driver_require (self->call, lease, &self->device->address, &policy, &got, &asked, error))
    {
      tell_addresses (self, lease);
      return TRUE;
    }
  driver_companions_undo (&self->along);
  /* The guest was asked to let go of it again; else it keeps it, as after any detach that failed.
   */
  if (asked)
    driver_settle_asked (self->helper, self->domains, lease->domain_uuid, &self->device->address,
                         NULL);
  if (driver_settle (self->helper, self->domains, &how) != DRIVER_SETTLED)
    driver_transactions_settle (self->owner, lease->domain_uuid, self->grace);
  return FALSE;
}

static gboolean
guest_has (const DriverWork *self, const DriverLease *lease)
{
  g_autoptr (HostdevDomain) domain = NULL;

  return driver_domains_get (self->domains, lease->domain_uuid, &domain, NULL) && domain != NULL
         && driver_lease_is_in (lease, domain);
}

/* Its companions do not stay without it; where that is not known, nothing is taken from the guest.
 */
static void
undo_companions_without (DriverWork *self, const char *uuid)
{
  g_autoptr (HostdevDomain) domain = NULL;

  if (self->along.attached == NULL || self->along.attached->len == 0
      || !driver_domains_get (self->domains, uuid, &domain, NULL) || domain == NULL
      || hostdev_domain_find_address (domain, &self->device->address) != NULL)
    return;
  driver_companions_undo (&self->along);
}

/* It was not attached, as far as libvirt says: the XML decides what of the group goes back. */
static void
give_up (const DriverWork *self, const DriverLease *lease)
{
  const DriverSettle how = { .domain_uuid = lease->domain_uuid,
                             .own_lease = lease->id,
                             .grace = self->grace,
                             .release_timeout = RELEASE_TIMEOUT };

  if (driver_settle (self->helper, self->domains, &how) == DRIVER_SETTLE_UNKNOWN)
    driver_transactions_settle (self->owner, lease->domain_uuid, self->grace);
}

/* All of the card but what the client asked for itself, before or after that. */
static gboolean
attach_along (DriverWork *self, const DriverLease *lease, gboolean after, GError **error)
{
  if (after ? driver_companions_attach_rest (&self->along, error)
            : driver_companions_attach_first (&self->along, error))
    return TRUE;
  common_log_lease (G_LOG_LEVEL_MESSAGE, NULL, lease->domain_uuid, lease->id, "%s",
                    (*error)->message);
  /* libvirt may work on it still, and its XML says nothing before it is done. */
  if (g_error_matches (*error, COMMON_ERROR, COMMON_ERROR_TIMED_OUT))
    {
      driver_transactions_settle (self->owner, lease->domain_uuid, self->grace);
      return FALSE;
    }
  if (after)
    driver_call_own (self->call, DRIVER_DEVICE_DETACH, NULL, DETACH_TIMEOUT, NULL, NULL);
  driver_companions_undo (&self->along);
  give_up (self, lease);
  return FALSE;
}

/* The group is taken: libvirt's turn, and then what came of it. FALSE: the client gets @error. */
static gboolean
forward_attach (DriverWork *self, const HostdevDomain *domain, const DriverLease *lease,
                GError **error)
{
  DriverOutcome outcome;

  if (!attach_along (self, lease, FALSE, error))
    return FALSE;
  outcome = driver_call_forward (self->call, FORWARD_TIMEOUT);
  if (outcome == DRIVER_OUTCOME_OK && !attach_along (self, lease, TRUE, error))
    return FALSE;
  /* A network may have chosen another function than it looked like. */
  if (outcome == DRIVER_OUTCOME_OK && self->network == NULL)
    return accept (self, domain, lease, error);
  if (outcome == DRIVER_OUTCOME_OK && guest_has (self, lease))
    return accept (self, domain, lease, error);
  if (outcome == DRIVER_OUTCOME_LOST || outcome == DRIVER_OUTCOME_LATE)
    {
      /* libvirt may work on it still, and its XML says nothing before it is done. */
      common_log_lease (G_LOG_LEVEL_WARNING, NULL, lease->domain_uuid, lease->id,
                        _ ("libvirt's answer is missing; the guest's XML will tell"));
      driver_transactions_settle (self->owner, lease->domain_uuid, self->grace);
      return TRUE;
    }
  if (outcome == DRIVER_OUTCOME_ERROR)
    {
      g_autofree char *message = driver_call_dup_message (self->call);

      common_log_lease (G_LOG_LEVEL_MESSAGE, NULL, lease->domain_uuid, lease->id,
                        _ ("libvirt did not attach the device: %s"),
                        message != NULL ? message : "");
    }
  /* An error is no proof that nothing was attached: with LIVE and CONFIG it may come from the
     saving alone (libvirt src/qemu/qemu_driver.c: qemuDomainAttachDeviceLiveAndConfig). And where
     the client left, the lease may be one that other functions of the group had before. */
  undo_companions_without (self, lease->domain_uuid);
  give_up (self, lease);
  return TRUE;
}

static void
attach (gpointer data)
{
  DriverWork *self = data;
  const DriverDeviceCall *args = driver_call_get_args (self->call);
  char address[PCI_ADDRESS_LEN];
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (DriverLease) lease = NULL;

  /* The client may have left while the call waited for its turn. */
  if (driver_call_get_outcome (self->call) != DRIVER_OUTCOME_PENDING)
    return;
  if (self->network == NULL
      || driver_domains_find_function (self->domains, self->network, self->device))
    domain = driver_domains_get_guest (self->domains, args->domain_uuid, &error);
  if (domain == NULL && error == NULL)
    {
      driver_call_pass (self->call);
      return;
    }
  if (!driver_rights_check (self->call))
    return;
  pci_address_format (&self->device->address, address);
  common_log_lease (G_LOG_LEVEL_MESSAGE, address, args->domain_uuid, NULL,
                    _ ("%s is to be attached to guest %s (%s)"), address, args->domain_name,
                    driver_call_get_peer (self->call));
  if (domain != NULL)
    lease = prepare (self, domain, &error);
  if (lease == NULL)
    {
      common_log_lease (G_LOG_LEVEL_MESSAGE, address, args->domain_uuid, NULL,
                        _ ("%s was not attached to guest %s: %s: %s"), address, args->domain_name,
                        common_error_name (common_error_code (error)), error->message);
      driver_call_refuse (self->call, error);
      /* The helper may come to its end all the same, or have come there before it went away. */
      if (g_error_matches (error, COMMON_ERROR, COMMON_ERROR_TIMED_OUT)
          || g_error_matches (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE))
        driver_transactions_settle (self->owner, args->domain_uuid, self->grace);
      return;
    }
  /* What Prepare tells need not have them. */
  g_free (lease->domain_uuid);
  lease->domain_uuid = g_strdup (args->domain_uuid);
  g_free (lease->domain_name);
  lease->domain_name = g_strdup (hostdev_domain_get_name (domain));
  if (forward_attach (self, domain, lease, &error))
    driver_call_reply (self->call);
  else
    driver_call_refuse (self->call, error);
}

/* --- NVMe disks --------------------------------------------------------------------------- */

static void
attach_nvme (gpointer data)
{
  const DriverWork *self = data;
  const DriverDeviceCall *args = driver_call_get_args (self->call);
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevDomain) domain = NULL;

  if (driver_call_get_outcome (self->call) != DRIVER_OUTCOME_PENDING)
    return;
  domain = driver_domains_get_guest (self->domains, args->domain_uuid, &error);
  if (domain == NULL)
    {
      /* Whether it is a guest that cannot have one, libvirt or QEMU will tell as well. */
      driver_call_pass (self->call);
      return;
    }
  if (!driver_rights_check (self->call))
    return;
  g_set_error (&error, COMMON_ERROR, COMMON_ERROR_DRIVER_UNSUPPORTED,
               _ ("“%s” cannot have an NVMe disk of the host: QEMU's driver for it needs a Type 1 "
                  "IOMMU, which a POWER host does not have. Give the guest the whole device by "
                  "<hostdev>, or its block device by <disk type='block'>."),
               hostdev_domain_get_name (domain));
  common_log_lease (G_LOG_LEVEL_MESSAGE, NULL, args->domain_uuid, NULL, "%s", error->message);
  driver_call_refuse (self->call, error);
}

/* --- definitions ---------------------------------------------------------------------------- */

static void
define (gpointer data)
{
  const DriverWork *self = data;
  g_autoptr (GError) error = NULL;

  if (driver_call_get_outcome (self->call) != DRIVER_OUTCOME_PENDING)
    return;
  if (driver_define_allows (self->helper, driver_call_get_args (self->call)->device, &error))
    {
      driver_call_pass (self->call);
      return;
    }
  g_message (_ ("a guest was not defined (%s): %s: %s"), driver_call_get_peer (self->call),
             common_error_name (common_error_code (error)), error->message);
  driver_call_refuse (self->call, error);
}

/* --- detach, and update
 * ------------------------------------------------------------------------------- */

/* libvirt may take its time with a call that it refuses in the end, as where the client reads no
   answers: those who may not change the guest keep nobody waiting for that. FALSE: it is ended. */
static gboolean
may_follow (const DriverWork *self)
{
  const DriverDeviceCall *args = driver_call_get_args (self->call);
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevDomain) domain = NULL;

  if (!driver_call_is_limited (self->call))
    return TRUE;
  if (driver_call_get_outcome (self->call) != DRIVER_OUTCOME_PENDING)
    return FALSE;
  domain = driver_domains_get_guest (self->domains, args->domain_uuid, &error);
  if (domain != NULL || error != NULL)
    return driver_rights_check (self->call);
  driver_call_pass (self->call);
  return FALSE;
}

static void
follow (gpointer data)
{
  const DriverWork *self = data;
  const DriverDeviceCall *args = driver_call_get_args (self->call);
  const char *uuid = args->domain_uuid;
  const DriverSettle how
      = { .domain_uuid = uuid, .grace = self->grace, .release_timeout = DETACH_RELEASE_TIMEOUT };
  const PciAddress *address = self->device != NULL ? &self->device->address : NULL;
  g_autoptr (GArray) along = NULL;

  if (!may_follow (self))
    return;
  if (args->operation == DRIVER_DEVICE_DETACH)
    along = driver_companions_find (self->helper, self->domains, uuid, address, args->device);

  DriverOutcome outcome = driver_call_forward (self->call, FORWARD_TIMEOUT);

  /* A success says that the guest was asked. If it let go of the device already, the group is given
     back before the client hears of it; else DEVICE_REMOVED will come, or never: the lease says so.
   */
  if (outcome == DRIVER_OUTCOME_OK)
    driver_companions_detach (self->call, along);
  if (outcome == DRIVER_OUTCOME_OK && args->operation == DRIVER_DEVICE_DETACH)
    driver_settle_asked (self->helper, self->domains, uuid, address, args->device);
  if (outcome == DRIVER_OUTCOME_OK
      && driver_settle (self->helper, self->domains, &how) != DRIVER_SETTLED)
    driver_transactions_settle (self->owner, uuid, self->grace);
  if (outcome == DRIVER_OUTCOME_LOST || outcome == DRIVER_OUTCOME_LATE)
    driver_transactions_settle (self->owner, uuid, self->grace);
  driver_call_reply (self->call);
}

/* --- which ---------------------------------------------------------------------------------- */

DriverJobFunc
driver_work_choose (DriverWork *self, DriverCall *call)
{
  const DriverDeviceCall *args = driver_call_get_args (call);

  self->call = driver_call_ref (call);
  /* Whether this client may define it, libvirt alone knows, and does not tell beforehand: in 9.0 it
     reads the XML first (src/qemu/qemu_driver.c: qemuDomainDefineXMLFlags). So it is for root;
     others hear of it when the guest starts. */
  if (args->operation == DRIVER_DEVICE_DEFINE)
    return !driver_call_is_limited (call) && driver_define_may_require (args->device) ? define
                                                                                      : NULL;
  if (args->by_alias)
    return driver_alias_may_be_hostdev (args->device) ? follow : NULL;
  if (!hostdev_device_new_from_xml (args->device, -1, &self->device, NULL))
    return NULL;
  if (self->device != NULL)
    return args->operation == DRIVER_DEVICE_ATTACH ? attach : follow;
  if (args->operation != DRIVER_DEVICE_ATTACH)
    return NULL;
  self->device = hostdev_network_device_new (args->device, -1, &self->network);
  if (self->device != NULL)
    return attach;
  return hostdev_device_xml_is_nvme (args->device, -1) ? attach_nvme : NULL;
}

const char *
driver_work_get_queue (const DriverWork *self)
{
  const DriverDeviceCall *args = driver_call_get_args (self->call);

  return args->operation == DRIVER_DEVICE_DEFINE ? "define" : args->domain_uuid;
}

gboolean
driver_work_may_pass (const DriverWork *self)
{
  return self->network != NULL
         || driver_call_get_args (self->call)->operation == DRIVER_DEVICE_DEFINE;
}
