/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-transaction.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "driver/driver-jobs.h"
#include "driver/driver-settle.h"
#include "hostdev/hostdev-plan.h"

/* Seconds. */
enum
{
  /* libvirt's own work: QEMU pins all of the guest's memory at the first device. */
  FORWARD_TIMEOUT = 600,
  /* How long a client waits for its detach, so that the host has the device when it returns. */
  DETACH_RELEASE_TIMEOUT = 15,
  RELEASE_TIMEOUT = 10,
  RESYNC_RETRY = 30,
  RESYNC_RETRY_MAX = 600,
};

struct _DriverTransactions
{
  DriverHelper *helper;
  const DriverDomains *domains;
  DriverJobs *jobs;
  guint grace;
  guint retry;        /* seconds to the next try of a resync that failed; the resyncs' own */
  GMutex lock;        /* of the timers: workers start some */
  GHashTable *timers; /* GSource to UUID: settlings that are to come */
};

/* One held call. */
typedef struct
{
  DriverTransactions *owner;
  DriverCall *call;
  HostdevDevice *device; /* NULL where the call names an alias */
} Transaction;

/* One domain to settle, or all of them (""). */
typedef struct
{
  DriverTransactions *owner;
  char *domain_uuid;
  GSource *timer;
  guint delay; /* seconds that it waited for its turn */
} Settling;

static void
transaction_free (Transaction *transaction)
{
  driver_call_unref (transaction->call);
  hostdev_device_free (transaction->device);
  g_free (transaction);
}

static void
settling_free (Settling *settling)
{
  g_free (settling->domain_uuid);
  g_free (settling);
}

/* --- attach ------------------------------------------------------------------------------- */

/* The domain, where this attachment is ours to see to. Else NULL, with @error where the call is
   refused, or without where it passes. */
static HostdevDomain *
find_guest (const Transaction *self, GError **error)
{
  const char *uuid = driver_call_get_args (self->call)->domain_uuid;
  g_autoptr (HostdevDomain) domain = NULL;
  GError *failed = NULL;

  if (!driver_domains_get (self->owner->domains, uuid, &domain, &failed))
    {
      /* A domain that this code cannot read is none of ours; our own element in it is. */
      if (g_error_matches (failed, COMMON_ERROR, COMMON_ERROR_INVALID_XML)
          || g_error_matches (failed, COMMON_ERROR, COMMON_ERROR_INVALID_DOMAIN)
          || g_error_matches (failed, COMMON_ERROR, COMMON_ERROR_INVALID_DEVICE))
        g_error_free (failed);
      else
        g_propagate_error (error, failed);
      return NULL;
    }
  if (domain == NULL || !hostdev_domain_is_running (domain)
      || !hostdev_domain_is_pseries_kvm (domain))
    return NULL;
  return g_steal_pointer (&domain);
}

static void
log_reasons (const HostdevPlan *plan, const HostdevDomain *domain)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);

  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];
      char buffer[PCI_ADDRESS_LEN];

      common_log_lease (reason->severity == HOSTDEV_ADVISE ? G_LOG_LEVEL_INFO : G_LOG_LEVEL_MESSAGE,
                        reason->has_address ? pci_address_format (&reason->address, buffer) : NULL,
                        hostdev_domain_get_uuid (domain), NULL, "%s: %s: %s %s",
                        hostdev_domain_get_name (domain), common_error_name (reason->code),
                        reason->sentence, reason->remedy);
    }
}

/* Plans, and takes the group from the host. */
static DriverLease *
prepare (const Transaction *self, const HostdevDomain *domain, GError **error)
{
  g_autoptr (HostdevHost) host = driver_helper_get_host (self->owner->helper, error);

  if (host == NULL)
    return NULL;

  g_autoptr (HostdevPlan) plan = hostdev_plan_attach (domain, self->device, host);
  log_reasons (plan, domain);
  if (hostdev_plan_set_error (plan, error))
    return NULL;
  return driver_helper_prepare (self->owner->helper, hostdev_domain_get_uuid (domain),
                                hostdev_domain_get_name (domain), &self->device->address,
                                hostdev_domain_get_policy (domain, self->device).rehearse, error);
}

/* Where the guest has the device libvirt chose, so that only its XML knows. What did not work is
 * tried once more, by who settles. */
static void
tell_addresses (DriverTransactions *owner, const DriverLease *lease)
{
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (GError) error = NULL;

  if (!driver_domains_get (owner->domains, lease->domain_uuid, &domain, &error))
    common_log_lease (G_LOG_LEVEL_INFO, NULL, lease->domain_uuid, lease->id,
                      "where guest %s has its devices is not known: %s", lease->domain_name,
                      error->message);
  else if (domain == NULL || driver_helper_tell_addresses (owner->helper, lease, domain))
    return;
  driver_transactions_settle (owner, lease->domain_uuid, owner->grace);
}

/* The group is taken: libvirt's turn, and then what came of it. */
static void
forward_attach (const Transaction *self, const DriverLease *lease)
{
  DriverTransactions *owner = self->owner;
  const DriverSettle how = { .domain_uuid = lease->domain_uuid,
                             .own_lease = lease->id,
                             .grace = owner->grace,
                             .release_timeout = RELEASE_TIMEOUT };
  DriverOutcome outcome = driver_call_forward (self->call, FORWARD_TIMEOUT);

  if (outcome == DRIVER_OUTCOME_OK)
    {
      driver_settle_commit (owner->helper, lease);
      tell_addresses (owner, lease);
      return;
    }
  if (outcome == DRIVER_OUTCOME_LOST || outcome == DRIVER_OUTCOME_LATE)
    {
      /* libvirt may work on it still, and its XML says nothing before it is done. */
      common_log_lease (G_LOG_LEVEL_WARNING, NULL, lease->domain_uuid, lease->id,
                        _ ("libvirt's answer is missing; the guest's XML will tell"));
      driver_transactions_settle (owner, lease->domain_uuid, owner->grace);
      return;
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
  if (driver_settle (owner->helper, owner->domains, &how) == DRIVER_SETTLE_UNKNOWN)
    driver_transactions_settle (owner, lease->domain_uuid, owner->grace);
}

static void
attach (gpointer data)
{
  const Transaction *self = data;
  const DriverDeviceCall *args = driver_call_get_args (self->call);
  char address[PCI_ADDRESS_LEN];
  g_autoptr (GError) error = NULL;
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (DriverLease) lease = NULL;

  /* The client may have left while the call waited for its turn. */
  if (driver_call_get_outcome (self->call) != DRIVER_OUTCOME_PENDING)
    return;
  domain = find_guest (self, &error);
  if (domain == NULL && error == NULL)
    {
      driver_call_pass (self->call);
      return;
    }
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
        driver_transactions_settle (self->owner, args->domain_uuid, self->owner->grace);
      return;
    }
  /* What Prepare tells need not have them. */
  g_free (lease->domain_uuid);
  lease->domain_uuid = g_strdup (args->domain_uuid);
  g_free (lease->domain_name);
  lease->domain_name = g_strdup (hostdev_domain_get_name (domain));
  forward_attach (self, lease);
  driver_call_reply (self->call);
}

/* --- detach ------------------------------------------------------------------------------- */

static void
detach (gpointer data)
{
  const Transaction *self = data;
  DriverTransactions *owner = self->owner;
  const char *uuid = driver_call_get_args (self->call)->domain_uuid;
  const DriverSettle how
      = { .domain_uuid = uuid, .grace = owner->grace, .release_timeout = DETACH_RELEASE_TIMEOUT };

  DriverOutcome outcome = driver_call_forward (self->call, FORWARD_TIMEOUT);

  /* A success says that the guest was asked. If it let go of the device already, the group is given
     back before the client hears of it; else DEVICE_REMOVED will come, or never: the lease says so.
   */
  if (outcome == DRIVER_OUTCOME_OK)
    driver_settle_asked (owner->helper, owner->domains, uuid,
                         self->device != NULL ? &self->device->address : NULL,
                         driver_call_get_args (self->call)->device);
  if (outcome == DRIVER_OUTCOME_OK
      && driver_settle (owner->helper, owner->domains, &how) != DRIVER_SETTLED)
    driver_transactions_settle (owner, uuid, owner->grace);
  if (outcome == DRIVER_OUTCOME_LOST || outcome == DRIVER_OUTCOME_LATE)
    driver_transactions_settle (owner, uuid, owner->grace);
  driver_call_reply (self->call);
}

/* --- the main loop's side ------------------------------------------------------------------- */

gboolean
driver_transactions_offer (DriverCall *call, gpointer data)
{
  DriverTransactions *self = data;
  const DriverDeviceCall *args = driver_call_get_args (call);
  g_autoptr (HostdevDevice) device = NULL;
  g_autoptr (GError) error = NULL;
  Transaction *transaction;

  if (!driver_device_call_may_be_live (args))
    return FALSE;
  if (args->by_alias)
    {
      if (!driver_alias_may_be_hostdev (args->device))
        return FALSE;
    }
  /* What cannot be read here is libvirt's to judge. */
  else if (!hostdev_device_new_from_xml (args->device, -1, &device, NULL) || device == NULL)
    return FALSE;

  transaction = g_new0 (Transaction, 1);
  transaction->owner = self;
  transaction->call = driver_call_ref (call);
  transaction->device = g_steal_pointer (&device);
  if (!driver_jobs_push (self->jobs, args->domain_uuid, args->attach ? attach : detach, transaction,
                         (GDestroyNotify) transaction_free, &error))
    {
      driver_call_refuse (call, error);
      transaction_free (transaction);
    }
  return TRUE;
}

/* Once more for that domain, with growing pauses, unless that is to come anyway: an event, and so
   the occasion to give a group back, comes only once. */
static void
retry_settling (DriverTransactions *self, const Settling *settling)
{
  guint delay = MAX (MIN (settling->delay * 2, RESYNC_RETRY_MAX), self->grace);
  gboolean pending = FALSE;
  GHashTableIter iter;
  gpointer uuid;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->timers);
  while (!pending && g_hash_table_iter_next (&iter, NULL, &uuid))
    pending = g_str_equal (uuid, settling->domain_uuid);
  g_mutex_unlock (&self->lock);
  if (!pending)
    driver_transactions_settle (self, settling->domain_uuid, delay);
}

static void
settle_one (gpointer data)
{
  const Settling *settling = data;
  DriverTransactions *self = settling->owner;
  const DriverSettle how = { .domain_uuid = settling->domain_uuid,
                             .grace = self->grace,
                             .release_timeout = RELEASE_TIMEOUT };

  switch (driver_settle (self->helper, self->domains, &how))
    {
    case DRIVER_SETTLED:
      break;
    case DRIVER_SETTLE_LATER:
      driver_transactions_settle (self, settling->domain_uuid, self->grace + 1);
      break;
    case DRIVER_SETTLE_UNKNOWN:
      retry_settling (self, settling);
      break;
    }
}

static void
settle_all (gpointer data)
{
  const Settling *settling = data;
  DriverTransactions *self = settling->owner;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) leases = driver_helper_list_leases (self->helper, NULL, &error);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  if (leases == NULL)
    {
      g_warning (_ ("the leases cannot be read; trying again in %u seconds: %s"), self->retry,
                 error->message);
      driver_transactions_settle (self, "", self->retry);
      self->retry = MIN (self->retry * 2, RESYNC_RETRY_MAX);
      return;
    }
  self->retry = RESYNC_RETRY;
  for (guint i = 0; i < leases->len; i++)
    {
      const DriverLease *lease = leases->pdata[i];

      if (lease->domain_uuid[0] != '\0' && g_hash_table_add (seen, lease->domain_uuid))
        driver_transactions_settle (self, lease->domain_uuid, 0);
    }
}

static gboolean
begin_settling (gpointer data)
{
  Settling *settling = data;
  DriverTransactions *self = settling->owner;
  Settling *job = g_new0 (Settling, 1);

  *job = (Settling){ self, g_strdup (settling->domain_uuid), NULL, settling->delay };
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->timers, settling->timer);
  g_mutex_unlock (&self->lock);
  if (!driver_jobs_push (self->jobs, job->domain_uuid,
                         job->domain_uuid[0] != '\0' ? settle_one : settle_all, job,
                         (GDestroyNotify) settling_free, NULL))
    {
      retry_settling (self, job);
      settling_free (job);
    }
  return G_SOURCE_REMOVE;
}

void
driver_transactions_settle (DriverTransactions *self, const char *domain_uuid, guint delay)
{
  Settling *settling = g_new0 (Settling, 1);
  GSource *timer = delay > 0 ? g_timeout_source_new_seconds (delay) : g_idle_source_new ();

  *settling = (Settling){ self, g_strdup (domain_uuid), timer, delay };
  g_source_set_callback (timer, begin_settling, settling, (GDestroyNotify) settling_free);
  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->timers, timer, g_strdup (domain_uuid));
  g_source_attach (timer, NULL);
  g_mutex_unlock (&self->lock);
}

void
driver_transactions_resync (DriverTransactions *self)
{
  driver_transactions_settle (self, "", 0);
}

static void
timer_free (GSource *timer)
{
  g_source_destroy (timer);
  g_source_unref (timer);
}

DriverTransactions *
driver_transactions_new (DriverHelper *helper, const DriverDomains *domains, guint grace)
{
  DriverTransactions *self = g_new0 (DriverTransactions, 1);

  self->helper = helper;
  self->domains = domains;
  self->grace = grace;
  self->retry = RESYNC_RETRY;
  self->jobs = driver_jobs_new ();
  g_mutex_init (&self->lock);
  self->timers = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) timer_free, g_free);
  return self;
}

void
driver_transactions_free (DriverTransactions *self)
{
  if (self == NULL)
    return;
  driver_jobs_free (self->jobs);
  g_hash_table_unref (self->timers);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint
driver_transactions_get_length (const DriverTransactions *self)
{
  return driver_jobs_get_length (self->jobs);
}
