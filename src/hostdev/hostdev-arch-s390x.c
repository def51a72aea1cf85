/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev/hostdev-arch.h"

/*
 * An s390x guest has no PHBs, no XIVE, no TCE tables and no EEH. A function is of one kind or the
 * other: interpreted, where the machine itself carries out the guest's PCI instructions and its
 * firmware forwards interrupts to the guest; or intercepted, where QEMU does both.
 *
 * Not run on such a machine: what is here follows from QEMU 7.2 to 10.0, hw/s390x/s390-pci-bus.c:
 * s390_pcihost_plug, and Linux 6.1 to 6.12, arch/s390/kvm/pci.c.
 */

#define FROM_INTERPRET  "<qemu:commandline>: zpci.interpret=off"
#define FROM_FORWARDING "<qemu:commandline>: zpci.forwarding-assist=off"
#define FROM_MACHINE    "<os><type machine=>"
#define FROM_DEFAULT    "QEMU: zpci.interpret and zpci.forwarding-assist are on where nothing is said"

static void
check_host (const HostdevPlanning *planning)
{
  const char *platform = hostdev_host_get_platform (planning->host);

  hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_UNTESTED, NULL, NULL);
  if (strcmp (platform, "s390x") != 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_HOST_ARCHITECTURE, NULL, "arch", "s390x",
                      "platform", platform, NULL);
}

static void
require (const HostdevPlanning *planning, const HostdevDevice *device, gboolean required,
         const char *setting)
{
  if (required)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_WISH, &device->address, "setting", setting,
                      NULL);
}

/* Wishes of the metadata that are for POWER. */
static void
check_policy (const HostdevPlanning *planning, const HostdevDevice *device)
{
  HostdevPolicy policy = hostdev_domain_get_policy (planning->domain, device);

  if (policy.refuse_lacking)
    require (planning, device, TRUE, "lacking='refuse'");
  else
    {
      require (planning, device, policy.xive == HOSTDEV_WISH_REQUIRED, "xive='required'");
      require (planning, device, policy.tce == HOSTDEV_WISH_REQUIRED, "tce='required'");
      require (planning, device, policy.eeh == HOSTDEV_WISH_REQUIRED, "eeh='required'");
      require (planning, device, policy.window64 == HOSTDEV_WISH_REQUIRED, "window64='required'");
    }
  require (planning, device, policy.page_sizes != 0, "page-sizes");
  if (policy.rehearse == HOSTDEV_REHEARSE_ALWAYS)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_NOT_REHEARSED, &device->address, NULL);
}

/* A function that is on standby is no PCI device of the host's. */
static void
check_device (const HostdevPlanning *planning, const HostdevDevice *device)
{
  if (hostdev_host_find (planning->host, &device->address, NULL) == NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_STANDBY, &device->address, NULL);
  check_policy (planning, device);
}

static void
check_detach (const HostdevPlanning *planning, const HostdevDevice *device)
{
  hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_UNTESTED, NULL, NULL);
}

static void
check_guest (const HostdevPlanning *planning, const HostdevPlacement *placement, guint devices)
{
  if (hostdev_domain_get_spare_phbs (planning->domain) > 0)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_SPARE_PHBS, NULL, NULL);
}

static void
expect (HostdevExpectation *expectation, const char *value, const char *source)
{
  g_free (expectation->source);
  expectation->value = value;
  expectation->source = g_strdup (source);
}

/* Of machine types before 7.2 QEMU's default is off (hw/s390x/s390-virtio-ccw.c:
 * ccw_machine_7_1_class_options). */
static gboolean
has_old_machine (const HostdevTraits *traits)
{
  return traits->machine_major > 0
         && (traits->machine_major < 7
             || (traits->machine_major == 7 && traits->machine_minor < 2));
}

/* What stands in the way by the XML alone; HOSTDEV_SAYS_LAST: nothing. */
static HostdevStatementId
find_own_obstacle (const HostdevTraits *traits, const char **source)
{
  *source = FROM_INTERPRET;
  if (traits->zpci_interpret_off)
    return HOSTDEV_SAYS_ZPCI_INTERPRET_OFF;
  *source = FROM_MACHINE;
  return has_old_machine (traits) ? HOSTDEV_SAYS_ZPCI_MACHINE : HOSTDEV_SAYS_LAST;
}

const char *
hostdev_zpci_get_asked (const HostdevDomain *domain, const char **source)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (domain);

  if (find_own_obstacle (traits, source) != HOSTDEV_SAYS_LAST)
    return "intercepted";
  *source = traits->zpci_forwarding_off ? FROM_FORWARDING : FROM_DEFAULT;
  return traits->zpci_forwarding_off ? "by-host" : "forwarded";
}

/* The first that stands in the way; HOSTDEV_SAYS_LAST: nothing that is known. QEMU looks whether
 * the guest is protected when the device is plugged: of one that starts it is not yet. */
static HostdevStatementId
find_obstacle (const HostdevPlanning *planning, const char **source)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);
  HostdevFact op = hostdev_host_get_capability (planning->host, HOSTDEV_CAP_ZPCI_OP);
  HostdevStatementId own = find_own_obstacle (traits, source);

  if (own != HOSTDEV_SAYS_LAST)
    return own;
  *source = "<launchSecurity type='s390-pv'>";
  if (traits->protected_memory && planning->plan->operation == HOSTDEV_OPERATION_ATTACH)
    return HOSTDEV_SAYS_ZPCI_PROTECTED;
  *source = op.source;
  return op.answer == HOSTDEV_NO ? HOSTDEV_SAYS_ZPCI_HOST_LACKS : HOSTDEV_SAYS_LAST;
}

/* MSI-X is all that there is; only an interpreted function is not looked at. Of one whose
 * interrupts were not read nothing is said. */
static void
check_function (const HostdevPlanning *planning, const HostdevPlanDevice *entry)
{
  const HostdevFunction *function = hostdev_host_find (planning->host, &entry->address, NULL);
  const char *source;

  if (function == NULL || function->in_use_only || function->msix != 0
      || (function->intx == 0 && function->msi == 0)
      || find_obstacle (planning, &source) == HOSTDEV_SAYS_LAST)
    return;
  g_autofree char *name = hostdev_plan_describe_function (function);
  hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_MSIX, &entry->address, "function", name,
                    NULL);
}

static void
expect_interrupts (const HostdevPlanning *planning, HostdevPlanDevice *entry)
{
  const HostdevTraits *traits = hostdev_domain_get_traits (planning->domain);
  HostdevFact op = hostdev_host_get_capability (planning->host, HOSTDEV_CAP_ZPCI_OP);
  const char *source;
  HostdevStatementId obstacle = find_obstacle (planning, &source);
  g_autofree char *version
      = g_strdup_printf ("%u.%u", traits->machine_major, traits->machine_minor);

  if (obstacle != HOSTDEV_SAYS_LAST)
    {
      expect (&entry->interrupts, "intercepted", source);
      hostdev_plan_say (planning->plan, obstacle, NULL, "source", source, "version", version, NULL);
    }
  else if (op.answer == HOSTDEV_UNKNOWN)
    expect (&entry->interrupts, "unknown", source);
  else if (traits->zpci_forwarding_off)
    {
      expect (&entry->interrupts, "by-host", FROM_FORWARDING);
      hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_FORWARDING_OFF, NULL, NULL);
    }
  else
    expect (&entry->interrupts, "forwarded", source);
}

/* The guest's instructions that change its tables (RPCIT) are QEMU's in either case, which maps
 * each change with VFIO (hw/s390x/s390-pci-inst.c: rpcit_service_call). */
static void
expect_dma (const HostdevPlanning *planning, HostdevPlanDevice *entry)
{
  expect (&entry->dma, "user-space", "s390x: VFIO type1");
}

/* hw/vfio/pci.c: vfio_err_notifier_handler */
static void
expect_errors (const HostdevPlanning *planning, const HostdevPlacement *placement,
               HostdevPlanDevice *entry)
{
  expect (&entry->eeh, "unavailable", "s390x");
  if (entry->policy.eeh != HOSTDEV_WISH_OFF)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_ZPCI_ERROR_STOPS, NULL, NULL);
}

const HostdevArch hostdev_arch_s390x = {
  hostdev_domain_is_s390x_kvm,
  check_host,
  check_device,
  check_detach,
  hostdev_plan_seat_zpci,
  check_guest,
  check_function,
  expect_interrupts,
  expect_dma,
  expect_errors,
};
