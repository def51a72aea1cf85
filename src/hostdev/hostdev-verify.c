/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-verify.h"

#include <string.h>

#include "common/common-vfio.h"
#include "hostdev/hostdev-arch.h"

#define FROM_QEMU "QEMU's monitor: zpci.interpret, zpci.forwarding-assist"

void
hostdev_zpci_host_free (HostdevZpciHost *function)
{
  if (function == NULL)
    return;
  g_free (function->driver);
  g_free (function);
}

void
hostdev_verdict_free (HostdevVerdict *verdict)
{
  if (verdict == NULL)
    return;
  hostdev_plan_free (verdict->said);
  g_ptr_array_unref (verdict->devices);
  g_ptr_array_unref (verdict->others);
  g_free (verdict);
}

/* By the id of its PCI device, which is libvirt's alias. */
static const HostdevZpciFunction *
find_function (const HostdevSeen *seen, const char *alias)
{
  for (guint i = 0; seen->functions != NULL && alias != NULL && i < seen->functions->len; i++)
    {
      const HostdevZpciFunction *function = seen->functions->pdata[i];

      if (strcmp (function->target, alias) == 0)
        return function;
    }
  return NULL;
}

static const HostdevZpciHost *
find_host (const HostdevSeen *seen, const PciAddress *address)
{
  for (guint i = 0; seen->host != NULL && i < seen->host->len; i++)
    {
      const HostdevZpciHost *host = seen->host->pdata[i];

      if (pci_address_equal (&host->address, address))
        return host;
    }
  return NULL;
}

/* What QEMU has of it. A zpci device whose PCI device is not there has what was asked for, still.
 */
static void
read_got (HostdevVerified *entry, const HostdevSeen *seen)
{
  const HostdevZpciFunction *function = entry->function;

  entry->got = "unknown";
  entry->got_source = seen->functions == NULL ? "QEMU was not asked" : FROM_QEMU;
  if (function == NULL || function->kind == NULL)
    return;
  entry->got = !function->interpret    ? "intercepted"
               : !function->forwarding ? "by-host"
                                       : "forwarded";
  if (!function->can_interpret)
    entry->got_source = "QEMU's monitor: zpci has no property \"interpret\", as before QEMU 7.2";
}

static void
check_ids (HostdevPlan *said, const HostdevVerified *entry)
{
  const HostdevZpciIds *wanted = &entry->device->zpci;
  const HostdevZpciFunction *function = entry->function;
  g_autofree char *uid = g_strdup_printf ("0x%04x", function->uid);
  g_autofree char *fid = g_strdup_printf ("0x%08x", function->fid);
  g_autofree char *wanted_uid = g_strdup_printf ("0x%04x", wanted->uid);
  g_autofree char *wanted_fid = g_strdup_printf ("0x%08x", wanted->fid);

  if (wanted->bad == NULL && wanted->has_uid && wanted->has_fid
      && (wanted->uid != function->uid || wanted->fid != function->fid))
    hostdev_plan_say (said, HOSTDEV_SAYS_ZPCI_ID_DIFFERS, &entry->device->address, "uid", uid,
                      "fid", fid, "wanted", wanted_uid, "other", wanted_fid, NULL);
}

static void
check_got (HostdevPlan *said, const HostdevVerified *entry)
{
  const PciAddress *address = &entry->device->address;

  if (strcmp (entry->got, "intercepted") == 0 && strcmp (entry->asked, "intercepted") != 0)
    hostdev_plan_say (said, HOSTDEV_SAYS_ZPCI_NOT_INTERPRETED, address, NULL);
  if (strcmp (entry->got, "by-host") == 0 && strcmp (entry->asked, "forwarded") == 0)
    hostdev_plan_say (said, HOSTDEV_SAYS_ZPCI_NOT_FORWARDED, address, NULL);
}

static void
check_function (HostdevPlan *said, const HostdevVerified *entry, const HostdevSeen *seen)
{
  if (seen->functions == NULL || entry->device->alias == NULL)
    return;
  if (entry->function == NULL || entry->function->kind == NULL)
    {
      hostdev_plan_say (said, HOSTDEV_SAYS_ZPCI_MISSING, &entry->device->address, NULL);
      return;
    }
  check_ids (said, entry);
  check_got (said, entry);
}

static void
check_driver (HostdevPlan *said, const HostdevVerified *entry)
{
  if (entry->host != NULL && !common_driver_is_vfio (entry->host->driver))
    hostdev_plan_say (said, HOSTDEV_SAYS_ZPCI_HOST_DRIVER, &entry->device->address, "driver",
                      *entry->host->driver != '\0' ? entry->host->driver : "-", NULL);
}

static void
add_device (HostdevVerdict *verdict, const HostdevDomain *domain, const HostdevDevice *device,
            const HostdevSeen *seen)
{
  HostdevVerified *entry = g_new0 (HostdevVerified, 1);

  entry->device = device;
  entry->host = find_host (seen, &device->address);
  entry->function = find_function (seen, device->alias);
  entry->asked = hostdev_zpci_get_asked (domain, &entry->asked_source);
  read_got (entry, seen);
  check_function (verdict->said, entry, seen);
  check_driver (verdict->said, entry);
  g_ptr_array_add (verdict->devices, entry);
}

static void
add_others (HostdevVerdict *verdict, const HostdevSeen *seen)
{
  for (guint i = 0; seen->functions != NULL && i < seen->functions->len; i++)
    {
      gboolean known = FALSE;

      for (guint j = 0; j < verdict->devices->len; j++)
        known = known
                || ((const HostdevVerified *) verdict->devices->pdata[j])->function
                       == seen->functions->pdata[i];
      if (!known)
        g_ptr_array_add (verdict->others, seen->functions->pdata[i]);
    }
}

/* KVM counts what it passes on of functions that it has registered, which are the interpreted ones
 * alone (arch/s390/kvm/pci.c: kvm_s390_pci_aif_enable). */
static void
check_forwarded (HostdevVerdict *verdict, const HostdevDomain *domain, const HostdevSeen *seen)
{
  g_autofree char *count = g_strdup_printf ("%" G_GUINT64_FORMAT, seen->forwarded);
  const char *source;

  if (verdict->devices->len > 0 && seen->has_forwarded && seen->forwarded > 0
      && strcmp (hostdev_zpci_get_asked (domain, &source), "forwarded") == 0)
    hostdev_plan_say (verdict->said, HOSTDEV_SAYS_ZPCI_BY_HOST, NULL, "count", count, NULL);
}

HostdevVerdict *
hostdev_verify (const HostdevDomain *domain, const HostdevSeen *seen)
{
  HostdevVerdict *verdict = g_new0 (HostdevVerdict, 1);
  const GPtrArray *devices = hostdev_domain_get_devices (domain);

  verdict->said = hostdev_plan_new (HOSTDEV_OPERATION_START, domain);
  verdict->devices = g_ptr_array_new_with_free_func (g_free);
  verdict->others = g_ptr_array_new ();
  hostdev_plan_say (verdict->said, HOSTDEV_SAYS_ZPCI_UNTESTED, NULL, NULL);
  for (guint i = 0; i < devices->len; i++)
    add_device (verdict, domain, devices->pdata[i], seen);
  add_others (verdict, seen);
  if (devices->len > 0 && seen->functions == NULL)
    hostdev_plan_say (verdict->said, HOSTDEV_SAYS_ZPCI_NOT_ASKED, NULL, NULL);
  check_forwarded (verdict, domain, seen);
  hostdev_plan_finish (verdict->said);
  return verdict;
}
