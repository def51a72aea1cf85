/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-companions.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "common/common-log.h"

/* Seconds. */
enum
{
  /* As for the client's own: the first of them has QEMU pin all of the guest's memory. */
  ATTACH_TIMEOUT = 600,
  DETACH_TIMEOUT = 60,
};

static char *
device_xml (const PciAddress *address, gboolean managed)
{
  return g_strdup_printf (
      "<hostdev mode='subsystem' type='pci' managed='%s'><source><address domain='0x%04x' "
      "bus='0x%02x' slot='0x%02x' function='0x%x'/></source></hostdev>",
      managed ? "yes" : "no", address->domain, address->bus, address->slot, address->function);
}

/* Function 0 last; the others by address, from the highest on. */
static gint
compare (gconstpointer a, gconstpointer b)
{
  const PciAddress *one = a, *other = b;

  if ((one->function == 0) != (other->function == 0))
    return one->function == 0 ? 1 : -1;
  return pci_address_compare (other, one);
}

static GArray *
new_list (void)
{
  return g_array_new (FALSE, FALSE, sizeof (PciAddress));
}

void
driver_companions_init (DriverCompanions *self, DriverCall *call, const HostdevDevice *device,
                        const HostdevPlan *plan)
{
  const HostdevPlanDevice *planned = hostdev_plan_get_devices (plan)->pdata[0];

  *self = (DriverCompanions){ .call = call,
                              .wanted = device->address,
                              .managed = device->managed,
                              .has_address = device->has_guest_bus };
  if (planned->along->len == 0)
    return;
  self->along = new_list ();
  self->attached = new_list ();
  for (guint i = 0; i < planned->along->len; i++)
    g_array_append_vals (self->along, planned->along->pdata[i], 1);
  g_array_sort (self->along, compare);
}

void
driver_companions_clear (DriverCompanions *self)
{
  g_clear_pointer (&self->along, g_array_unref);
  g_clear_pointer (&self->attached, g_array_unref);
}

static gboolean
attach (DriverCompanions *self, const PciAddress *address, GError **error)
{
  g_autofree char *xml = device_xml (address, self->managed);
  char name[PCI_ADDRESS_LEN], wanted[PCI_ADDRESS_LEN];
  g_autofree char *message = NULL;
  DriverOutcome outcome
      = driver_call_own (self->call, DRIVER_DEVICE_ATTACH, xml, ATTACH_TIMEOUT, NULL, &message);

  pci_address_format (address, name);
  pci_address_format (&self->wanted, wanted);
  if (outcome == DRIVER_OUTCOME_OK)
    {
      common_log_lease (G_LOG_LEVEL_MESSAGE, name, driver_call_get_args (self->call)->domain_uuid,
                        NULL, _ ("%s comes along with %s"), name, wanted);
      g_array_append_vals (self->attached, address, 1);
      return TRUE;
    }
  if (outcome == DRIVER_OUTCOME_ERROR)
    g_set_error (error, COMMON_ERROR, COMMON_ERROR_COMPANION_FAILED,
                 _ ("%s, which is to come along with %s, was not attached, so that neither is: %s"),
                 name, wanted, message != NULL ? message : "");
  else
    g_set_error (
        error, COMMON_ERROR, COMMON_ERROR_TIMED_OUT,
        _ ("libvirt did not say whether %s, which is to come along with %s, was attached."), name,
        wanted);
  return FALSE;
}

/* libvirt chooses the places of the companions: not before the client has the one that it chose for
   its own. */
static gboolean
is_first (const DriverCompanions *self, const PciAddress *address)
{
  return !self->has_address && address->function != 0;
}

static gboolean
attach_all (DriverCompanions *self, gboolean first, GError **error)
{
  for (guint i = 0; self->along != NULL && i < self->along->len; i++)
    {
      const PciAddress *address = &g_array_index (self->along, PciAddress, i);

      if (is_first (self, address) == first && !attach (self, address, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
driver_companions_attach_first (DriverCompanions *self, GError **error)
{
  return attach_all (self, TRUE, error);
}

gboolean
driver_companions_attach_rest (DriverCompanions *self, GError **error)
{
  return attach_all (self, FALSE, error);
}

void
driver_companions_undo (DriverCompanions *self)
{
  if (self->attached == NULL)
    return;
  driver_companions_detach (self->call, self->attached);
  g_array_set_size (self->attached, 0);
}

void
driver_companions_detach (DriverCall *call, const GArray *addresses)
{
  const char *uuid = driver_call_get_args (call)->domain_uuid;

  for (guint i = 0; addresses != NULL && i < addresses->len; i++)
    {
      const PciAddress *address = &g_array_index (addresses, PciAddress, i);
      g_autofree char *xml = device_xml (address, TRUE), *message = NULL;
      char name[PCI_ADDRESS_LEN];
      DriverOutcome outcome
          = driver_call_own (call, DRIVER_DEVICE_DETACH, xml, DETACH_TIMEOUT, NULL, &message);

      pci_address_format (address, name);
      if (outcome == DRIVER_OUTCOME_OK)
        common_log_lease (G_LOG_LEVEL_MESSAGE, name, uuid, NULL,
                          _ ("the guest was asked to give %s back, too"), name);
      else
        common_log_lease (G_LOG_LEVEL_WARNING, name, uuid, NULL,
                          _ ("%s was not detached along with the others (%s): detach it"), name,
                          message != NULL ? message : _ ("libvirt did not answer"));
    }
}

static const HostdevDevice *
find_device (const HostdevDomain *domain, const PciAddress *address, const char *alias)
{
  const GPtrArray *devices = hostdev_domain_get_devices (domain);

  if (address != NULL)
    return hostdev_domain_find_address (domain, address);
  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevDevice *device = devices->pdata[i];

      if (g_strcmp0 (device->alias, alias) == 0)
        return device;
    }
  return NULL;
}

static gboolean
has_member (const DriverLease *lease, const PciAddress *address)
{
  for (guint i = 0; i < lease->members->len; i++)
    if (pci_address_equal (&g_array_index (lease->members, PciAddress, i), address))
      return TRUE;
  return FALSE;
}

GArray *
driver_companions_find (DriverHelper *helper, const DriverDomains *domains, const char *domain_uuid,
                        const PciAddress *address, const char *alias)
{
  g_autoptr (HostdevDomain) domain = NULL;
  g_autoptr (GPtrArray) leases = NULL;
  const HostdevDevice *device = NULL;
  GArray *found;

  if (driver_domains_get (domains, domain_uuid, &domain, NULL) && domain != NULL
      && hostdev_domain_is_running (domain) && hostdev_domain_is_pseries_kvm (domain))
    device = find_device (domain, address, alias);
  if (device == NULL
      || hostdev_domain_get_policy (domain, device).companions != HOSTDEV_COMPANIONS_ATTACH)
    return NULL;
  leases = driver_helper_list_leases (helper, domain_uuid, NULL);
  found = new_list ();
  for (guint i = 0; leases != NULL && i < leases->len; i++)
    {
      const DriverLease *lease = leases->pdata[i];

      for (guint j = 0; has_member (lease, &device->address) && j < lease->members->len; j++)
        {
          const PciAddress *member = &g_array_index (lease->members, PciAddress, j);

          if (!pci_address_equal (member, &device->address)
              && hostdev_domain_find_address (domain, member) != NULL)
            g_array_append_vals (found, member, 1);
        }
    }
  g_array_sort (found, compare);
  return found;
}
