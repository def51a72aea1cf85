/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-settle.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "common/common-log.h"

/* The group's first function, for the log; "" where it has none. */
static const char *
lease_address (const DriverLease *lease, char buffer[PCI_ADDRESS_LEN])
{
  if (lease->members->len == 0)
    return "";
  return pci_address_format (&g_array_index (lease->members, PciAddress, 0), buffer);
}

static void
commit (DriverHelper *helper, const DriverLease *lease, gboolean starting, HostdevGot *got)
{
  char buffer[PCI_ADDRESS_LEN];
  const char *address = lease_address (lease, buffer);
  g_autoptr (GError) error = NULL;

  if (!driver_helper_commit (helper, lease->id, got, &error))
    common_log_lease (G_LOG_LEVEL_WARNING, address, lease->domain_uuid, lease->id,
                      _ ("guest %s has the group of %s, but what it got could not be read: %s"),
                      lease->domain_name, address, error->message);
  else if (starting)
    common_log_lease (G_LOG_LEVEL_MESSAGE, address, lease->domain_uuid, lease->id,
                      _ ("guest %s starts with the group of %s; when it has booted, “virt-ppc64 "
                         "status” tells what it got"),
                      lease->domain_name, address);
  else
    common_log_lease (G_LOG_LEVEL_MESSAGE, address, lease->domain_uuid, lease->id,
                      _ ("guest %s has the group of %s: interrupts %s, dma %s, eeh %s"),
                      lease->domain_name, address, got->interrupts, got->dma, got->eeh);
}

void
driver_settle_commit (DriverHelper *helper, const DriverLease *lease, HostdevGot *got)
{
  commit (helper, lease, FALSE, got);
}

void
driver_settle_commit_start (DriverHelper *helper, const DriverLease *lease)
{
  g_auto (HostdevGot) got = { NULL, NULL, NULL };

  commit (helper, lease, TRUE, &got);
}

gboolean
driver_settle_release (DriverHelper *helper, const DriverLease *lease, guint timeout)
{
  char buffer[PCI_ADDRESS_LEN];
  const char *address = lease_address (lease, buffer);
  g_autoptr (GError) error = NULL;
  gboolean done;
  gboolean ok = driver_helper_release (helper, lease->id, timeout, &done, &error);

  if (!ok)
    common_log_lease (G_LOG_LEVEL_WARNING, address, lease->domain_uuid, lease->id,
                      _ ("the group of %s could not be given back: %s"), address, error->message);
  else if (done)
    common_log_lease (G_LOG_LEVEL_MESSAGE, address, lease->domain_uuid, lease->id,
                      _ ("the group of %s is back from guest %s"), address, lease->domain_name);
  else
    common_log_lease (G_LOG_LEVEL_WARNING, address, lease->domain_uuid, lease->id,
                      _ ("the group of %s is not back from guest %s yet; see “virt-ppc64 status”"),
                      address, lease->domain_name);
  return ok;
}

static gboolean
is_young (const DriverLease *lease, const DriverSettle *how)
{
  return g_strcmp0 (lease->phase, "prepared") == 0 && g_strcmp0 (lease->id, how->own_lease) != 0
         && g_get_real_time () / G_USEC_PER_SEC - lease->since < (gint64) how->grace;
}

DriverSettled
driver_settle (DriverHelper *helper, const DriverDomains *domains, const DriverSettle *how)
{
  DriverSettled settled = DRIVER_SETTLED;
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (GPtrArray) leases = NULL;
  g_autoptr (GError) error = NULL;

  /* The leases first, the domain then: a domain that starts has its lease before libvirt shows it
     running, and libvirt shows nothing of it until the hook is done. The other way round, a lease
     made in between would look forgotten. */
  leases = driver_helper_list_leases (helper, how->domain_uuid, &error);
  if (leases != NULL && leases->len == 0)
    return DRIVER_SETTLED;
  if (leases == NULL || !driver_domains_get (domains, how->domain_uuid, &domain, &error))
    {
      common_log_lease (G_LOG_LEVEL_WARNING, NULL, how->domain_uuid, NULL,
                        _ ("the leases of guest %s stay as they are for now: %s"), how->domain_uuid,
                        error->message);
      return DRIVER_SETTLE_UNKNOWN;
    }

  gboolean running = domain != NULL && hostdev_domain_is_running (domain);
  for (guint i = 0; i < leases->len; i++)
    {
      const DriverLease *lease = leases->pdata[i];

      /* The helper has not finished the taking: it does, or undoes it. */
      if (g_strcmp0 (lease->phase, "intent") == 0)
        continue;
      if (running && driver_lease_is_in (lease, domain))
        {
          g_auto (HostdevGot) got = { NULL, NULL, NULL };

          if (g_strcmp0 (lease->phase, "prepared") == 0)
            driver_settle_commit (helper, lease, &got);
          /* Also of one that was committed before: a helper that started anew does not know. */
          driver_helper_tell_addresses (helper, lease, domain);
        }
      else if (is_young (lease, how))
        settled = MAX (settled, DRIVER_SETTLE_LATER);
      else if (!driver_settle_release (helper, lease, how->release_timeout))
        settled = DRIVER_SETTLE_UNKNOWN;
    }
  return settled;
}

/* Whether the guest has @address of what is leased, and nothing else. */
static gboolean
is_only_one (const DriverLease *lease, const HostdevDomain *domain, const PciAddress *address)
{
  gboolean found = FALSE;

  for (guint i = 0; i < lease->members->len; i++)
    {
      const PciAddress *member = &g_array_index (lease->members, PciAddress, i);

      if (hostdev_domain_find_address (domain, member) == NULL)
        continue;
      if (!pci_address_equal (member, address))
        return FALSE;
      found = TRUE;
    }
  return found;
}

static const PciAddress *
find_alias (const HostdevDomain *domain, const char *alias)
{
  const GPtrArray *devices = hostdev_domain_get_devices (domain);

  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevDevice *device = devices->pdata[i];

      if (g_strcmp0 (device->alias, alias) == 0)
        return &device->address;
    }
  return NULL;
}

void
driver_settle_asked (DriverHelper *helper, const DriverDomains *domains, const char *domain_uuid,
                     const PciAddress *address, const char *alias)
{
  g_autoptr (GPtrArray) leases = driver_helper_list_leases (helper, domain_uuid, NULL);
  g_autoptr (HostdevDomain) domain = NULL;

  if (leases == NULL || !driver_domains_get (domains, domain_uuid, &domain, NULL) || domain == NULL
      || !hostdev_domain_is_running (domain))
    return;
  if (address == NULL)
    address = find_alias (domain, alias);
  for (guint i = 0; address != NULL && i < leases->len; i++)
    if (is_only_one (leases->pdata[i], domain, address))
      driver_settle_release (helper, leases->pdata[i], 0);
}
