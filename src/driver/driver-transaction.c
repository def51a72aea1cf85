/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-transaction.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "driver/driver-define.h"
#include "driver/driver-jobs.h"
#include "driver/driver-settle.h"
#include "driver/driver-work.h"

/* Seconds. */
enum
{
  RELEASE_TIMEOUT = 10,
  RESYNC_RETRY = 30,
  RESYNC_RETRY_MAX = 600,
  /* From a definition to its check. libvirt holds a guest that starts until its hooks are done, and
     who looks for that guest then holds the list of all guests meanwhile
     (virDomainObjListFindByUUID): every other client that defines one would wait. Many a guest is
     defined to be started at once. */
  CHECK_DELAY = 5,
};

/* Checks of definitions are made only while not more than that is to be done. */
#define CHECK_JOBS_MAX 16

struct _DriverTransactions
{
  DriverHelper *helper;
  const DriverDomains *domains;
  DriverJobs *jobs;
  guint grace;
  guint retry;        /* seconds to the next try of a resync that failed; the resyncs' own */
  GMutex lock;        /* of what follows: workers start some */
  GHashTable *timers; /* GSource to UUID: settlings that are to come */
  GHashTable *checks; /* GSource to UUID: checks that are to come */
  GHashTable *queued; /* UUIDs: settlings that wait for their turn */
};

/* One domain to settle, or all of them (""). */
typedef struct
{
  DriverTransactions *owner;
  char *domain_uuid;
  GSource *timer;
  guint delay; /* seconds that it waited for its turn */
} Settling;

static void
settling_free (Settling *settling)
{
  g_free (settling->domain_uuid);
  g_free (settling);
}

gboolean
driver_transactions_offer (DriverCall *call, gpointer data)
{
  DriverTransactions *self = data;
  const DriverDeviceCall *args = driver_call_get_args (call);
  g_autoptr (GError) error = NULL;
  DriverJobFunc run;
  DriverWork *work;

  if (args->operation != DRIVER_DEVICE_DEFINE && !driver_device_call_may_be_live (args))
    return FALSE;
  work = driver_work_new (self, self->helper, self->domains, self->grace);
  run = driver_work_choose (work, call);
  if (run == NULL)
    {
      driver_work_free (work);
      return FALSE;
    }
  if (!driver_jobs_push (self->jobs, driver_call_get_user (call), driver_work_get_queue (work), run,
                         work, (GDestroyNotify) driver_work_free, &error))
    {
      gboolean pass = driver_work_may_pass (work);

      if (!pass)
        driver_call_refuse (call, error);
      driver_work_free (work);
      return !pass;
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

/* It looks only now: of what comes from here on it may see nothing. */
static void
leave_queue (const Settling *settling)
{
  DriverTransactions *self = settling->owner;

  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->queued, settling->domain_uuid);
  g_mutex_unlock (&self->lock);
}

static void
settle_one (gpointer data)
{
  const Settling *settling = data;
  DriverTransactions *self = settling->owner;
  const DriverSettle how = { .domain_uuid = settling->domain_uuid,
                             .grace = self->grace,
                             .release_timeout = RELEASE_TIMEOUT };

  leave_queue (settling);
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
  g_autoptr (GPtrArray) leases = NULL;
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  leave_queue (settling);
  leases = driver_helper_list_leases (self->helper, NULL, &error);
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
  gboolean is_first;

  *job = (Settling){ self, g_strdup (settling->domain_uuid), NULL, settling->delay };
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->timers, settling->timer);
  is_first = g_hash_table_add (self->queued, g_strdup (job->domain_uuid));
  g_mutex_unlock (&self->lock);
  /* One that waits will do: else whoever keeps a guest's queue, and has that guest stop and start,
     would fill the room of all. */
  if (!is_first)
    {
      settling_free (job);
      return G_SOURCE_REMOVE;
    }
  if (!driver_jobs_push (self->jobs, 0, job->domain_uuid,
                         job->domain_uuid[0] != '\0' ? settle_one : settle_all, job,
                         (GDestroyNotify) settling_free, NULL))
    {
      leave_queue (job);
      retry_settling (self, job);
      settling_free (job);
    }
  return G_SOURCE_REMOVE;
}

static void
start_timer (DriverTransactions *self, GHashTable *timers, const char *domain_uuid, guint delay,
             GSourceFunc begin)
{
  Settling *settling = g_new0 (Settling, 1);
  GSource *timer = delay > 0 ? g_timeout_source_new_seconds (delay) : g_idle_source_new ();

  /* The context asks none of a lower priority while the relay has something to do, and there may
     be a client that sees to that. */
  g_source_set_priority (timer, G_PRIORITY_DEFAULT);
  *settling = (Settling){ self, g_strdup (domain_uuid), timer, delay };
  g_source_set_callback (timer, begin, settling, (GDestroyNotify) settling_free);
  g_mutex_lock (&self->lock);
  g_hash_table_insert (timers, timer, g_strdup (domain_uuid));
  g_source_attach (timer, NULL);
  g_mutex_unlock (&self->lock);
}

void
driver_transactions_settle (DriverTransactions *self, const char *domain_uuid, guint delay)
{
  start_timer (self, self->timers, domain_uuid, delay, begin_settling);
}

static void
check (gpointer data)
{
  const Settling *settling = data;

  driver_define_check (settling->owner->helper, settling->owner->domains, settling->domain_uuid);
}

static gboolean
begin_check (gpointer data)
{
  const Settling *settling = data;
  DriverTransactions *self = settling->owner;
  g_autofree char *queue = g_strdup_printf ("check %s", settling->domain_uuid);
  Settling *job = g_new0 (Settling, 1);

  *job = (Settling){ self, g_strdup (settling->domain_uuid), NULL, 0 };
  g_mutex_lock (&self->lock);
  g_hash_table_remove (self->checks, settling->timer);
  g_mutex_unlock (&self->lock);
  /* Beside what is done for the domain, so that nothing waits for it. */
  if (driver_jobs_get_length (self->jobs) >= CHECK_JOBS_MAX
      || !driver_jobs_push (self->jobs, 0, queue, check, job, (GDestroyNotify) settling_free, NULL))
    settling_free (job);
  return G_SOURCE_REMOVE;
}

static gboolean
is_of (gpointer timer, gpointer timer_uuid, gpointer domain_uuid)
{
  return g_str_equal (timer_uuid, domain_uuid);
}

void
driver_transactions_starting (DriverTransactions *self, const char *domain_uuid)
{
  g_mutex_lock (&self->lock);
  g_hash_table_foreach_remove (self->checks, is_of, (gpointer) domain_uuid);
  g_mutex_unlock (&self->lock);
}

void
driver_transactions_check (DriverTransactions *self, const char *domain_uuid)
{
  /* Of several definitions in a row the last one counts. */
  driver_transactions_starting (self, domain_uuid);
  start_timer (self, self->checks, domain_uuid, MIN (CHECK_DELAY, self->grace), begin_check);
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
  self->checks = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) timer_free, g_free);
  self->queued = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
driver_transactions_free (DriverTransactions *self)
{
  if (self == NULL)
    return;
  driver_jobs_free (self->jobs);
  g_hash_table_unref (self->timers);
  g_hash_table_unref (self->checks);
  g_hash_table_unref (self->queued);
  g_mutex_clear (&self->lock);
  g_free (self);
}

guint
driver_transactions_get_length (const DriverTransactions *self)
{
  return driver_jobs_get_length (self->jobs);
}
