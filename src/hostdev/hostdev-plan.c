/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-plan.h"

#include "hostdev/hostdev-arch.h"

static void
free_reason (gpointer data)
{
  HostdevReason *reason = data;

  g_free (reason->sentence);
  g_free (reason->remedy);
  g_free (reason);
}

static void
free_device (gpointer data)
{
  HostdevPlanDevice *device = data;

  g_free (device->alias);
  g_free (device->network);
  g_free (device->group_name);
  g_ptr_array_unref (device->taken);
  g_ptr_array_unref (device->companions);
  g_ptr_array_unref (device->along);
  g_free (device->interrupts.source);
  g_free (device->dma.source);
  g_free (device->eeh.source);
  g_free (device);
}

void
hostdev_plan_free (HostdevPlan *plan)
{
  if (plan == NULL)
    return;
  g_free (plan->domain_uuid);
  g_free (plan->domain_name);
  g_hash_table_unref (plan->said);
  g_hash_table_unref (plan->frozen);
  g_ptr_array_unref (plan->reasons);
  g_ptr_array_unref (plan->devices);
  g_free (plan);
}

HostdevPlan *
hostdev_plan_new (HostdevOperation operation, const HostdevDomain *domain)
{
  HostdevPlan *plan = g_new0 (HostdevPlan, 1);

  plan->operation = operation;
  plan->domain_uuid = g_strdup (hostdev_domain_get_uuid (domain));
  plan->domain_name = g_strdup (hostdev_domain_get_name (domain));
  plan->reasons = g_ptr_array_new_with_free_func (free_reason);
  plan->devices = g_ptr_array_new_with_free_func (free_device);
  plan->said = g_hash_table_new (g_str_hash, g_str_equal);
  plan->frozen = g_hash_table_new (NULL, NULL);
  return plan;
}

static HostdevPlanDevice *
add_entry (const HostdevPlanning *planning, const HostdevDevice *device)
{
  HostdevPlanDevice *entry = g_new0 (HostdevPlanDevice, 1);

  entry->address = device->address;
  entry->alias = g_strdup (device->alias);
  entry->network = g_strdup (device->network);
  entry->policy = hostdev_domain_get_policy (planning->domain, device);
  entry->group_name = g_strdup ("");
  entry->taken = g_ptr_array_new_with_free_func (g_free);
  entry->companions = g_ptr_array_new_with_free_func (g_free);
  entry->along = g_ptr_array_new_with_free_func (g_free);
  entry->interrupts = (HostdevExpectation){ "unknown", g_strdup ("") };
  entry->dma = (HostdevExpectation){ "unknown", g_strdup ("") };
  entry->eeh = (HostdevExpectation){ "unknown", g_strdup ("") };
  g_ptr_array_add (planning->plan->devices, entry);
  return entry;
}

HostdevPlan *
hostdev_plan_finish (HostdevPlan *plan)
{
  GPtrArray *sorted = g_ptr_array_new_full (plan->reasons->len, free_reason);

  for (int severity = HOSTDEV_REFUSE; severity <= HOSTDEV_ADVISE; severity++)
    for (guint i = 0; i < plan->reasons->len; i++)
      {
        HostdevReason *reason = plan->reasons->pdata[i];

        if ((int) reason->severity == severity)
          g_ptr_array_add (sorted, reason);
      }
  g_ptr_array_set_free_func (plan->reasons, NULL);
  g_ptr_array_unref (plan->reasons);
  plan->reasons = sorted;
  return plan;
}

/* NULL, which is said, where nothing is known of its architecture. */
static const HostdevArch *
find_arch (const HostdevPlanning *planning)
{
  const HostdevArch *arch = hostdev_arch_of (planning->domain);

  if (arch == NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_NOT_PSERIES_KVM, NULL, NULL);
  return arch;
}

/* A device of the guest already cannot come a second time; libvirt would say so after it had
 * touched the device. */
static void
check_not_there (const HostdevPlanning *planning, const HostdevDevice *device)
{
  if (hostdev_domain_find_address (planning->domain, &device->address) != NULL)
    hostdev_plan_say (planning->plan, HOSTDEV_SAYS_DEVICE_THERE_ALREADY, &device->address, NULL);
}

/* All that is about one device, once it has its place. */
static void
check_entry (const HostdevPlanning *planning, const HostdevArch *arch,
             const HostdevPlacement *placement, HostdevPlanDevice *entry)
{
  hostdev_plan_check_people (planning, entry);
  arch->check_function (planning, entry);
  arch->expect_interrupts (planning, entry);
  arch->expect_dma (planning, entry);
  arch->expect_errors (planning, placement, entry);
}

HostdevPlan *
hostdev_plan_attach (const HostdevDomain *domain, const HostdevDevice *device,
                     const HostdevHost *host)
{
  HostdevPlanning planning = { hostdev_plan_new (HOSTDEV_OPERATION_ATTACH, domain), domain, host };
  HostdevPlanDevice *entry = add_entry (&planning, device);
  const HostdevArch *arch = find_arch (&planning);

  if (arch == NULL)
    return planning.plan;
  arch->check_host (&planning);
  check_not_there (&planning, device);
  hostdev_plan_check_group (&planning, device, entry);

  g_autoptr (HostdevPlacement) placement = arch->seat (&planning, device);
  arch->check_guest (&planning, placement, 1);
  check_entry (&planning, arch, placement, entry);
  return hostdev_plan_finish (planning.plan);
}

HostdevPlan *
hostdev_plan_attach_other (const HostdevDomain *domain, const char *xml, gssize length)
{
  HostdevPlanning planning = { NULL, domain, NULL };
  g_autofree HostdevTraits *device = hostdev_traits_new_of_device (xml, length);
  gboolean is_other = device != NULL && (device->mdevs > 0 || device->nvme != NULL);

  if (is_other && !hostdev_domain_is_s390x_kvm (domain))
    {
      planning.plan = hostdev_plan_new (HOSTDEV_OPERATION_ATTACH, domain);
      if (find_arch (&planning) != NULL)
        hostdev_plan_check_other (&planning, device);
    }
  if (device != NULL)
    hostdev_traits_clear (device);
  return planning.plan;
}

HostdevPlan *
hostdev_plan_start (const HostdevDomain *domain, const HostdevHost *host)
{
  HostdevPlanning planning = { hostdev_plan_new (HOSTDEV_OPERATION_START, domain), domain, host };
  const GPtrArray *devices = hostdev_domain_get_devices (domain);
  /* A guest without a PCI device of the host's is none of our business, spare PHBs apart. */
  const HostdevArch *arch = devices->len > 0 ? find_arch (&planning) : hostdev_arch_of (domain);

  for (guint i = 0; i < devices->len; i++)
    add_entry (&planning, devices->pdata[i]);
  if (arch == NULL)
    return planning.plan;
  if (devices->len > 0)
    arch->check_host (&planning);
  for (guint i = 0; i < devices->len; i++)
    hostdev_plan_check_group (&planning, devices->pdata[i], planning.plan->devices->pdata[i]);

  g_autoptr (HostdevPlacement) placement = arch->seat (&planning, NULL);
  arch->check_guest (&planning, placement, devices->len);
  for (guint i = 0; i < devices->len; i++)
    check_entry (&planning, arch, placement, planning.plan->devices->pdata[i]);
  return hostdev_plan_finish (planning.plan);
}

/* Nothing stands against giving a device back: what there is to say is a warning at most. */
HostdevPlan *
hostdev_plan_detach (const HostdevDomain *domain, const HostdevDevice *device,
                     const HostdevHost *host)
{
  HostdevPlanning planning = { hostdev_plan_new (HOSTDEV_OPERATION_DETACH, domain), domain, host };
  const HostdevDevice *there = hostdev_domain_find_address (domain, &device->address);
  HostdevPlanDevice *entry = add_entry (&planning, there != NULL ? there : device);

  hostdev_plan_check_return (&planning, there, entry);
  return hostdev_plan_finish (planning.plan);
}

HostdevOperation
hostdev_plan_get_operation (const HostdevPlan *plan)
{
  return plan->operation;
}

const GPtrArray *
hostdev_plan_get_reasons (const HostdevPlan *plan)
{
  return plan->reasons;
}

const GPtrArray *
hostdev_plan_get_devices (const HostdevPlan *plan)
{
  return plan->devices;
}

/* The reasons are sorted: a refusal is the first, or there is none. */
gboolean
hostdev_plan_is_allowed (const HostdevPlan *plan)
{
  const HostdevReason *first = plan->reasons->len > 0 ? plan->reasons->pdata[0] : NULL;

  return first == NULL || first->severity != HOSTDEV_REFUSE;
}

char *
hostdev_plan_get_refusal (const HostdevPlan *plan)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < plan->reasons->len; i++)
    {
      const HostdevReason *reason = plan->reasons->pdata[i];

      if (reason->severity == HOSTDEV_REFUSE)
        g_string_append_printf (text, "%s%s %s", text->len > 0 ? "\n" : "", reason->sentence,
                                reason->remedy);
    }
  return text->len > 0 ? g_strdup (text->str) : NULL;
}

gboolean
hostdev_plan_set_error (const HostdevPlan *plan, GError **error)
{
  g_autofree char *text = hostdev_plan_get_refusal (plan);

  if (text == NULL)
    return FALSE;
  const HostdevReason *first = plan->reasons->pdata[0];
  g_set_error_literal (error, COMMON_ERROR, (int) first->code, text);
  return TRUE;
}

const char *
hostdev_operation_to_string (HostdevOperation operation)
{
  static const char *const names[] = { "attach", "start", "detach" };

  return names[operation];
}
