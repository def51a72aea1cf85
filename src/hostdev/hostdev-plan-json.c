/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan-build.h"

/*
 * The form of a plan in JSON. Keys are never renamed and never change their meaning; a reader has
 * to pass over those it does not know. "version" is raised when that cannot be kept.
 *
 *   version    1
 *   operation  "attach", "start" or "detach"
 *   allowed    boolean: no reason is a refusal
 *   domain     { "uuid", "name" }: strings, "" where the XML has none
 *   reasons    array, refusals first:
 *     severity   "refuse", "warn" or "advise"
 *     code       as "member-route"; stable; docs/reasons.md has them all
 *     reason     the kind of error that it is, as "member-not-takeable"; stable
 *     sentence   for people, translated
 *     remedy     for people, translated
 *     address    "0001:02:03.4", the function it is about; null where it is about none
 *   devices    array, in the XML's order:
 *     address    of the function on the host
 *     alias      string, or null
 *     network    string: the network of libvirt's that hands it out; left out where none does
 *     group      { "number", "name" }: the IOMMU group today, or null
 *     taken      array of addresses: every endpoint of the group, which all leave the host
 *     companions array of addresses: those of them that the guest does not get
 *     along      array of addresses: those that the guest gets by the same request
 *     phb        the guest's PHB that it is on, as controller index, or null
 *     seat       "0000:02:01.0", its address in the guest as libvirt writes it: bus, slot and
 *                function; or null
 *     zpci       { "uid", "fid" }: numbers, of an s390x guest; left out of any other
 *     policy     { "xive", "tce", "eeh": "preferred", "required" or "off";
 *                  "rehearse": "auto", "always" or "never"; "window64" as "xive";
 *                  "page-sizes": as "64K 2M", "" for any; "companions": "leave", "attach" or
 *                  "refuse"; "lacking": "warn" or "refuse" }
 *     expected   { "interrupts", "dma", "eeh": { "value", "source" } }:
 *                  interrupts: "xive-native", "xics-on-xive", "xics", "emulated" or "unknown";
 *                  of an s390x guest "forwarded" (by the firmware to the guest), "by-host",
 *                  "intercepted" (by QEMU) or "unknown";
 *                  dma: "in-kernel", "user-space" or "unknown";
 *                  eeh: "enabled", "unavailable" or "unknown"
 */

static void
set_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
set_address (JsonBuilder *builder, const char *name, const PciAddress *address)
{
  char buffer[PCI_ADDRESS_LEN];

  set_string (builder, name, address != NULL ? pci_address_format (address, buffer) : NULL);
}

static void
set_addresses (JsonBuilder *builder, const char *name, const GPtrArray *addresses)
{
  char buffer[PCI_ADDRESS_LEN];

  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  for (guint i = 0; i < addresses->len; i++)
    json_builder_add_string_value (builder, pci_address_format (addresses->pdata[i], buffer));
  json_builder_end_array (builder);
}

static void
set_expectation (JsonBuilder *builder, const char *name, const HostdevExpectation *expectation)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
  set_string (builder, "value", expectation->value);
  set_string (builder, "source", expectation->source);
  json_builder_end_object (builder);
}

static void
add_reason (JsonBuilder *builder, const HostdevReason *reason)
{
  json_builder_begin_object (builder);
  set_string (builder, "severity", hostdev_severity_to_string (reason->severity));
  set_string (builder, "code", reason->statement->code);
  set_string (builder, "reason", common_error_name (reason->code));
  set_string (builder, "sentence", reason->sentence);
  set_string (builder, "remedy", reason->remedy);
  set_address (builder, "address", reason->has_address ? &reason->address : NULL);
  json_builder_end_object (builder);
}

static void
set_group (JsonBuilder *builder, const HostdevPlanDevice *device)
{
  json_builder_set_member_name (builder, "group");
  if (!device->has_group)
    {
      json_builder_add_null_value (builder);
      return;
    }
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "number");
  json_builder_add_int_value (builder, device->group);
  set_string (builder, "name", device->group_name);
  json_builder_end_object (builder);
}

static void
add_device (JsonBuilder *builder, const HostdevPlanDevice *device)
{
  g_autofree char *pages = hostdev_policy_page_sizes (device->policy.page_sizes);

  json_builder_begin_object (builder);
  set_address (builder, "address", &device->address);
  set_string (builder, "alias", device->alias);
  if (device->network != NULL)
    set_string (builder, "network", device->network);
  set_group (builder, device);
  set_addresses (builder, "taken", device->taken);
  set_addresses (builder, "companions", device->companions);
  set_addresses (builder, "along", device->along);
  json_builder_set_member_name (builder, "phb");
  if (device->has_phb)
    json_builder_add_int_value (builder, device->phb_index);
  else
    json_builder_add_null_value (builder);
  set_address (builder, "seat", device->has_seat ? &device->seat : NULL);

  if (device->has_zpci)
    {
      json_builder_set_member_name (builder, "zpci");
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "uid");
      json_builder_add_int_value (builder, device->uid);
      json_builder_set_member_name (builder, "fid");
      json_builder_add_int_value (builder, device->fid);
      json_builder_end_object (builder);
    }

  json_builder_set_member_name (builder, "policy");
  json_builder_begin_object (builder);
  set_string (builder, "xive", hostdev_wish_to_string (device->policy.xive));
  set_string (builder, "tce", hostdev_wish_to_string (device->policy.tce));
  set_string (builder, "eeh", hostdev_wish_to_string (device->policy.eeh));
  set_string (builder, "rehearse", hostdev_rehearse_to_string (device->policy.rehearse));
  set_string (builder, "window64", hostdev_wish_to_string (device->policy.window64));
  set_string (builder, "page-sizes", pages);
  set_string (builder, "companions", hostdev_companions_to_string (device->policy.companions));
  set_string (builder, "lacking", device->policy.refuse_lacking ? "refuse" : "warn");
  json_builder_end_object (builder);

  json_builder_set_member_name (builder, "expected");
  json_builder_begin_object (builder);
  set_expectation (builder, "interrupts", &device->interrupts);
  set_expectation (builder, "dma", &device->dma);
  set_expectation (builder, "eeh", &device->eeh);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
}

JsonNode *
hostdev_plan_to_json (const HostdevPlan *plan)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "version");
  json_builder_add_int_value (builder, 1);
  set_string (builder, "operation", hostdev_operation_to_string (plan->operation));
  json_builder_set_member_name (builder, "allowed");
  json_builder_add_boolean_value (builder, hostdev_plan_is_allowed (plan));
  json_builder_set_member_name (builder, "domain");
  json_builder_begin_object (builder);
  set_string (builder, "uuid", plan->domain_uuid);
  set_string (builder, "name", plan->domain_name);
  json_builder_end_object (builder);

  json_builder_set_member_name (builder, "reasons");
  json_builder_begin_array (builder);
  for (guint i = 0; i < plan->reasons->len; i++)
    add_reason (builder, plan->reasons->pdata[i]);
  json_builder_end_array (builder);

  json_builder_set_member_name (builder, "devices");
  json_builder_begin_array (builder);
  for (guint i = 0; i < plan->devices->len; i++)
    add_device (builder, plan->devices->pdata[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}
