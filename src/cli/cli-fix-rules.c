/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-fix-private.h"

#include <string.h>

#include "hostdev/hostdev-device-xml.h"
#include "hostdev/hostdev-memory-limit.h"
#include "hostdev/hostdev-policy-set.h"

xmlNode *
cli_fixing_devices (const CliFixing *fixing)
{
  return common_xml_child (cli_edit_get_root (fixing->edit), "devices");
}

xmlNode *
cli_fixing_find (const CliFixing *fixing, const PciAddress *address)
{
  const xmlNode *devices = cli_fixing_devices (fixing);

  for (xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL; node = node->next)
    {
      g_autoptr (HostdevDevice) device = NULL;

      if (node->type == XML_ELEMENT_NODE && hostdev_device_new_from_node (node, &device, NULL)
          && device != NULL && pci_address_equal (&device->address, address))
        return node;
    }
  return NULL;
}

static gboolean
mend_driver (const CliFixing *fixing)
{
  xmlNode *node = fixing->address != NULL ? cli_fixing_find (fixing, fixing->address) : NULL;
  xmlNode *driver = node != NULL ? common_xml_child (node, "driver") : NULL;

  if (driver == NULL)
    return FALSE;
  if (common_xml_attribute_is (driver, "iommufd", "yes"))
    cli_edit_set_attribute (fixing->edit, driver, "iommufd", NULL);
  else
    cli_edit_set_attribute (fixing->edit, driver, "name", "vfio");
  return TRUE;
}

static gboolean
drop_model (const CliFixing *fixing)
{
  xmlNode *node = fixing->address != NULL ? cli_fixing_find (fixing, fixing->address) : NULL;
  xmlNode *driver = node != NULL ? common_xml_child (node, "driver") : NULL;

  if (driver == NULL)
    return FALSE;
  cli_edit_set_attribute (fixing->edit, driver, "model", NULL);
  return TRUE;
}

static gboolean
set_managed (const CliFixing *fixing)
{
  xmlNode *node = fixing->address != NULL ? cli_fixing_find (fixing, fixing->address) : NULL;

  if (node == NULL)
    return FALSE;
  cli_edit_set_attribute (fixing->edit, node, "managed", "yes");
  return TRUE;
}

/* Those of the guest, and those that libvirt adds for devices of the plan. */
static guint
count_phbs (const CliFixing *fixing)
{
  const GPtrArray *phbs = hostdev_domain_get_phbs (fixing->domain);
  const GPtrArray *devices = hostdev_plan_get_devices (fixing->plan);
  g_autoptr (GHashTable) indexes = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < phbs->len; i++)
    g_hash_table_add (indexes, GUINT_TO_POINTER (((HostdevPhb *) phbs->pdata[i])->index));
  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevPlanDevice *device = devices->pdata[i];

      if (device->has_phb)
        g_hash_table_add (indexes, GUINT_TO_POINTER (device->phb_index));
    }
  return g_hash_table_size (indexes);
}

/* To what @memory wants by libvirt's formula. */
static gboolean
raise_limit_for (const CliFixing *fixing, const HostdevMemory *memory)
{
  guint phbs = count_phbs (fixing);
  guint64 formula = hostdev_memory_formula (memory, phbs, TRUE);
  xmlNode *memtune = common_xml_child (cli_edit_get_root (fixing->edit), "memtune");
  xmlNode *limit = memtune != NULL ? common_xml_child (memtune, "hard_limit") : NULL;
  g_autofree char *kib = NULL;

  if (limit == NULL || memory->hard_limit == 0
      || hostdev_memory_limit (memory, phbs, TRUE) >= formula)
    return FALSE;
  kib = g_strdup_printf ("%" G_GUINT64_FORMAT, (formula + 1023) / 1024);
  cli_edit_set_content (fixing->edit, limit, kib);
  memtune = common_xml_child (cli_edit_get_root (fixing->edit), "memtune");
  cli_edit_set_attribute (fixing->edit, common_xml_child (memtune, "hard_limit"), "unit", "KiB");
  return TRUE;
}

static gboolean
raise_limit (const CliFixing *fixing)
{
  return raise_limit_for (fixing, hostdev_domain_get_memory (fixing->domain));
}

/* Once, for all that the guest can grow to. */
static gboolean
raise_limit_for_growth (const CliFixing *fixing)
{
  HostdevMemory grown = *hostdev_domain_get_memory (fixing->domain);

  grown.memory = MAX (grown.memory, grown.max_memory);
  return raise_limit_for (fixing, &grown);
}

/* The <teaming type='persistent'/> of the interface with that alias; NULL. */
static xmlNode *
find_persistent (const CliFixing *fixing, const char *alias)
{
  const xmlNode *devices = cli_fixing_devices (fixing);

  for (xmlNode *node = common_xml_child (devices, "interface"); node != NULL;
       node = common_xml_next (node, "interface"))
    {
      const xmlNode *its = common_xml_child (node, "alias");

      if (its != NULL && common_xml_attribute_is (its, "name", alias))
        return common_xml_child (node, "teaming");
    }
  return NULL;
}

/* Out of both interfaces: the device's own, and the one that it names. */
static gboolean
drop_teaming (const CliFixing *fixing)
{
  xmlNode *node = fixing->address != NULL ? cli_fixing_find (fixing, fixing->address) : NULL;
  xmlNode *teaming = node != NULL ? common_xml_child (node, "teaming") : NULL;
  xmlNode *persistent;
  g_autofree char *alias = NULL;

  if (teaming == NULL)
    return FALSE;
  alias = common_xml_get (teaming, "persistent");
  cli_edit_remove (fixing->edit, teaming);
  persistent = alias != NULL ? find_persistent (fixing, alias) : NULL;
  if (persistent != NULL)
    cli_edit_remove (fixing->edit, persistent);
  return TRUE;
}

/* The first one: as long as there is one, it is said. */
static gboolean
drop_mdev (const CliFixing *fixing)
{
  for (xmlNode *node = common_xml_child (cli_fixing_devices (fixing), "hostdev"); node != NULL;
       node = common_xml_next (node, "hostdev"))
    if (common_xml_attribute_is (node, "type", "mdev"))
      {
        cli_edit_remove (fixing->edit, node);
        return TRUE;
      }
  return FALSE;
}

static const struct
{
  const char *code;
  gboolean (*rule) (const CliFixing *fixing);
} rules[] = {
  { "no-free-phb", cli_fix_add_free_phb },
  { "spare-phbs", cli_fix_add_free_phb },
  { "phb-unknown", cli_fix_add_named_phb },
  { "phb-shared", cli_fix_move_group },
  { "group-split", cli_fix_join_group },
  { "address-taken", cli_fix_change_slot },
  { "address-twice", cli_fix_part_twins },
  { "function-lone", cli_fix_change_slot },
  { "slot-zero", cli_fix_change_slot },
  { "driver-unsupported", mend_driver },
  { "driver-iommufd", mend_driver },
  { "driver-model", drop_model },
  { "unmanaged-bound", set_managed },
  { "memory-limit", raise_limit },
  { "memory-limit-close", raise_limit },
  { "memory-hotplug", raise_limit_for_growth },
  { "multifunction-off", cli_fix_let_share },
  { "guest-domain", cli_fix_leave_domain },
  { "teaming", drop_teaming },
  { "mdev", drop_mdev },
};

gboolean
cli_fix_apply (CliEdit *edit, const HostdevDomain *domain, const HostdevHost *host,
               const HostdevDevice *device, const HostdevPlan *plan, const HostdevReason *reason)
{
  CliFixing fixing
      = { edit, domain, host, device, reason->has_address ? &reason->address : NULL, plan };

  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    if (strcmp (rules[i].code, reason->statement->code) == 0)
      return rules[i].rule (&fixing);
  return FALSE;
}

/* The owner's element in <metadata>; NULL. */
static xmlNode *
find_policy (const xmlNode *metadata)
{
  for (xmlNode *node = metadata != NULL ? metadata->children : NULL; node != NULL;
       node = node->next)
    if (hostdev_policy_is_element (node))
      return node;
  return NULL;
}

gboolean
cli_fix_wish_spare (CliEdit *edit, const HostdevDomain *domain, guint count)
{
  xmlNode *root = cli_edit_get_root (edit);
  xmlNode *metadata = common_xml_child (root, "metadata");
  xmlNode *policy = find_policy (metadata);
  g_autofree char *value = g_strdup_printf ("%u", count);
  g_autofree char *element = g_strdup_printf (
      "<ppc64:passthrough xmlns:ppc64='%s' spare-phbs='%u'/>", HOSTDEV_POLICY_NAMESPACE, count);
  xmlNode *before = common_xml_child (root, "uuid");

  if (hostdev_domain_get_spare_phbs (domain) == count)
    return FALSE;
  if (policy != NULL)
    cli_edit_set_attribute (edit, policy, "spare-phbs", value);
  else if (metadata != NULL)
    cli_edit_add_within (edit, metadata, element);
  else
    {
      g_autofree char *whole = g_strdup_printf ("<metadata>\n  %s\n</metadata>", element);

      if (before == NULL)
        before = common_xml_child (root, "name");
      if (before == NULL)
        return FALSE;
      cli_edit_add_after (edit, before, whole);
    }
  return TRUE;
}
