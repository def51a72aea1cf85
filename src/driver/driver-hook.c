/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-hook.h"

#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <unistd.h>

#include "common/common-error.h"
#include "common/common-log.h"
#include "driver/driver-hook-protocol.h"
#include "driver/driver-ports.h"
#include "driver/driver-settle.h"
#include "hostdev/hostdev-plan.h"

enum
{
  REQUESTS_MAX = 16,
  /* Seconds. QEMU is gone by then, and its descriptors with it. */
  RELEASE_TIMEOUT = 15,
  /* Until libvirt has let go of a domain after `reconnect`, or of a port's function. */
  RECONNECT_DELAY = 5,
};

struct _DriverHook
{
  GSocketService *service;
  DriverHelper *helper;
  DriverTransactions *transactions;
  DriverPorts *ports;
  GMutex lock; /* of running */
  GCond idle;
  guint running;
};

/* --- prepare -------------------------------------------------------------------------------- */

/* What holds for a group is the strongest wish of the devices in it. */
static HostdevRehearse
rehearse_of_group (const GPtrArray *devices, guint group)
{
  HostdevRehearse strongest = HOSTDEV_REHEARSE_NEVER;

  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevPlanDevice *device = devices->pdata[i];

      if (device->group == group && device->policy.rehearse != HOSTDEV_REHEARSE_NEVER
          && strongest != HOSTDEV_REHEARSE_ALWAYS)
        strongest = device->policy.rehearse;
    }
  return strongest;
}

static void
undo (DriverHook *self, const GPtrArray *leases)
{
  for (guint i = 0; i < leases->len; i++)
    driver_settle_release (self->helper, leases->pdata[i], RELEASE_TIMEOUT);
}

/* Takes every group of the plan; those it took are in @leases. */
static gboolean
take_groups (DriverHook *self, const HostdevDomain *domain, const HostdevPlan *plan,
             GPtrArray *leases, GError **error)
{
  const GPtrArray *devices = hostdev_plan_get_devices (plan);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  gint64 deadline = g_get_monotonic_time () + DRIVER_HOOK_PREPARE_LIMIT * G_TIME_SPAN_SECOND;

  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevPlanDevice *device = devices->pdata[i];
      DriverLease *lease;

      if (!g_hash_table_add (seen, GUINT_TO_POINTER (device->group)))
        continue;
      if (g_get_monotonic_time () + DRIVER_HELPER_PREPARE_TIMEOUT * G_TIME_SPAN_SECOND > deadline)
        {
          g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_TIMED_OUT,
                               _ ("taking the guest's devices from the host lasts too long. Start "
                                  "it again: what was rehearsed is not rehearsed twice."));
          return FALSE;
        }
      lease = driver_helper_prepare (self->helper, hostdev_domain_get_uuid (domain),
                                     hostdev_domain_get_name (domain), &device->address,
                                     rehearse_of_group (devices, device->group), error);
      if (lease == NULL)
        return FALSE;
      g_ptr_array_add (leases, lease);
    }
  return TRUE;
}

static gboolean
prepare (DriverHook *self, const HostdevDomain *domain, GPtrArray *leases, GError **error)
{
  g_autoptr (HostdevHost) host = driver_helper_get_host (self->helper, error);

  if (host == NULL)
    return FALSE;

  g_autoptr (HostdevPlan) plan = hostdev_plan_start (domain, host);
  return !hostdev_plan_set_error (plan, error) && take_groups (self, domain, plan, leases, error);
}

static void
answer (GSocketConnection *connection, gboolean allowed, const char *why)
{
  driver_hook_send (connection, g_variant_new (DRIVER_HOOK_REPLY, allowed, why), NULL);
}

static void
serve_prepare (DriverHook *self, const HostdevDomain *domain, GSocketConnection *connection)
{
  g_autoptr (GPtrArray) leases
      = g_ptr_array_new_with_free_func ((GDestroyNotify) driver_lease_free);
  g_autoptr (GError) error = NULL;

  driver_transactions_starting (self->transactions, hostdev_domain_get_uuid (domain));
  driver_ports_note (self->ports, hostdev_domain_get_uuid (domain));
  /* What its networks give to it, they tell. */
  if (hostdev_domain_get_devices (domain)->len == 0)
    {
      answer (connection, TRUE, "");
      return;
    }
  if (prepare (self, domain, leases, &error))
    {
      /* With the hook program gone libvirt has refused the start already. */
      if (!driver_hook_send (connection, g_variant_new (DRIVER_HOOK_REPLY, TRUE, ""), &error))
        undo (self, leases);
      return;
    }
  common_log_lease (G_LOG_LEVEL_MESSAGE, NULL, hostdev_domain_get_uuid (domain), NULL,
                    _ ("guest %s may not start: %s: %s"), hostdev_domain_get_name (domain),
                    common_error_name (common_error_code (error)), error->message);
  undo (self, leases);
  /* A Prepare that was given up may still come to its end, or have come there before the helper
     went away. */
  if (g_error_matches (error, COMMON_ERROR, COMMON_ERROR_TIMED_OUT)
      || g_error_matches (error, COMMON_ERROR, COMMON_ERROR_HELPER_UNAVAILABLE))
    driver_transactions_settle (self->transactions, hostdev_domain_get_uuid (domain),
                                DRIVER_SETTLE_GRACE);
  answer (connection, FALSE, error->message);
}

/* --- the ports of networks ----------------------------------------------------------------------
 */

static void
serve_port_created (DriverHook *self, const char *xml, GSocketConnection *connection)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *owner = NULL;

  if (driver_ports_take (self->ports, xml, &error))
    {
      answer (connection, TRUE, "");
      return;
    }
  owner = driver_ports_get_owner (xml);
  common_log_lease (G_LOG_LEVEL_MESSAGE, NULL, owner, NULL,
                    _ ("a network may not give its function to guest %s: %s: %s"), owner,
                    common_error_name (common_error_code (error)), error->message);
  driver_transactions_settle (self->transactions, owner, DRIVER_SETTLE_GRACE);
  answer (connection, FALSE, error->message);
}

static void
serve_port_deleted (DriverHook *self, const char *xml, GSocketConnection *connection)
{
  g_autofree char *owner = driver_ports_get_owner (xml);

  if (owner != NULL)
    driver_transactions_settle (self->transactions, owner, RECONNECT_DELAY);
  answer (connection, TRUE, "");
}

/* --- the others, which refuse nothing --------------------------------------------------------- */

static void
for_each_lease (DriverHook *self, const HostdevDomain *domain,
                void (*run) (DriverHelper *helper, const DriverLease *lease,
                             const HostdevDomain *domain))
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) leases
      = driver_helper_list_leases (self->helper, hostdev_domain_get_uuid (domain), &error);

  if (leases == NULL)
    g_warning ("%s", error->message);
  for (guint i = 0; leases != NULL && i < leases->len; i++)
    run (self->helper, leases->pdata[i], domain);
}

static void
started (DriverHelper *helper, const DriverLease *lease, const HostdevDomain *domain)
{
  driver_settle_commit_start (helper, lease);
  driver_helper_tell_addresses (helper, lease, domain);
}

static void
release (DriverHelper *helper, const DriverLease *lease, const HostdevDomain *domain)
{
  driver_settle_release (helper, lease, RELEASE_TIMEOUT);
}

static void
serve (DriverHook *self, GSocketConnection *connection, GError **error)
{
  g_autoptr (GVariant) request = driver_hook_receive (connection, DRIVER_HOOK_REQUEST, error);
  g_autoptr (HostdevDomain) domain = NULL;
  const char *operation, *xml;

  if (request == NULL)
    return;
  g_variant_get (request, "(&s&s)", &operation, &xml);
  if (g_str_equal (operation, "port-created"))
    {
      serve_port_created (self, xml, connection);
      return;
    }
  if (g_str_equal (operation, "port-deleted"))
    {
      serve_port_deleted (self, xml, connection);
      return;
    }
  domain = hostdev_domain_new_from_xml (xml, -1, error);
  if (domain == NULL)
    answer (connection, FALSE, *error != NULL ? (*error)->message : "");
  else if (g_str_equal (operation, "prepare"))
    serve_prepare (self, domain, connection);
  else
    {
      if (g_str_equal (operation, "started"))
        for_each_lease (self, domain, started);
      else if (g_str_equal (operation, "release"))
        for_each_lease (self, domain, release);
      else if (g_str_equal (operation, "reconnect"))
        driver_transactions_settle (self->transactions, hostdev_domain_get_uuid (domain),
                                    RECONNECT_DELAY);
      answer (connection, TRUE, "");
    }
}

/* Root alone, for whom libvirt runs hooks; and who runs this, for whom nothing is gained. */
static gboolean
is_trusted (GSocketConnection *connection)
{
  g_autoptr (GCredentials) peer
      = g_socket_get_credentials (g_socket_connection_get_socket (connection), NULL);
  uid_t uid = peer != NULL ? g_credentials_get_unix_user (peer, NULL) : (uid_t) -1;

  return uid == 0 || uid == geteuid ();
}

/* In a thread. */
static gboolean
on_run (GThreadedSocketService *service, GSocketConnection *connection, GObject *source,
        gpointer data)
{
  DriverHook *self = data;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&self->lock);
  self->running++;
  g_mutex_unlock (&self->lock);

  g_socket_set_timeout (g_socket_connection_get_socket (connection), DRIVER_HOOK_OTHER_TIMEOUT);
  if (is_trusted (connection))
    serve (self, connection, &error);
  else
    g_warning (_ ("somebody other than root wanted to speak as libvirt's hook"));
  if (error != NULL)
    g_warning (_ ("a hook's request could not be answered: %s"), error->message);

  g_mutex_lock (&self->lock);
  if (--self->running == 0)
    g_cond_signal (&self->idle);
  g_mutex_unlock (&self->lock);
  return TRUE;
}

DriverHook *
driver_hook_new (int listener, DriverHelper *helper, DriverTransactions *transactions,
                 GError **error)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (listener, error);
  DriverHook *self;

  if (socket == NULL)
    {
      close (listener);
      return NULL;
    }
  self = g_new0 (DriverHook, 1);
  self->helper = helper;
  self->transactions = transactions;
  self->ports = driver_ports_new (helper);
  g_mutex_init (&self->lock);
  g_cond_init (&self->idle);
  self->service = g_threaded_socket_service_new (REQUESTS_MAX);
  g_signal_connect (self->service, "run", G_CALLBACK (on_run), self);
  if (!g_socket_listener_add_socket (G_SOCKET_LISTENER (self->service), socket, NULL, error))
    {
      driver_hook_free (self);
      return NULL;
    }
  g_socket_service_start (self->service);
  return self;
}

void
driver_hook_stop (DriverHook *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
}

void
driver_hook_free (DriverHook *self)
{
  if (self == NULL)
    return;
  driver_hook_stop (self);
  g_mutex_lock (&self->lock);
  while (self->running > 0)
    g_cond_wait (&self->idle, &self->lock);
  g_mutex_unlock (&self->lock);
  g_object_unref (self->service);
  driver_ports_free (self->ports);
  g_cond_clear (&self->idle);
  g_mutex_clear (&self->lock);
  g_free (self);
}
