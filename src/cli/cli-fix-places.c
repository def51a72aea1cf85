/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-fix-private.h"

/* A slot of a PHB that nothing of the guest's has; slot 0 is nobody's. */
#define SLOT_MAX 31

static guint
free_target (const HostdevDomain *domain)
{
  const GPtrArray *phbs = hostdev_domain_get_phbs (domain);
  gboolean taken[HOSTDEV_PHB_TARGET_MAX + 1] = { TRUE };
  guint target = 0;

  for (guint i = 0; i < phbs->len; i++)
    {
      const HostdevPhb *phb = phbs->pdata[i];

      if (phb->target_index <= HOSTDEV_PHB_TARGET_MAX)
        taken[phb->target_index] = TRUE;
    }
  while (target <= HOSTDEV_PHB_TARGET_MAX && taken[target])
    target++;
  return target;
}

static xmlNode *
last_pci_controller (const xmlNode *devices)
{
  xmlNode *last = NULL;

  for (xmlNode *node = common_xml_child (devices, "controller"); node != NULL;
       node = common_xml_next (node, "controller"))
    if (common_xml_attribute_is (node, "type", "pci"))
      last = node;
  return last;
}

/* A PHB of that index, which no controller has. */
static gboolean
add_phb (const CliFixing *fixing, guint index)
{
  guint target = free_target (fixing->domain);
  xmlNode *devices = cli_fixing_devices (fixing);
  xmlNode *before = devices != NULL ? last_pci_controller (devices) : NULL;
  g_autofree char *element = NULL;

  if (target > HOSTDEV_PHB_TARGET_MAX || index > 255)
    return FALSE;
  element = g_strdup_printf ("<controller type='pci' index='%u' model='pci-root'>\n"
                             "  <model name='spapr-pci-host-bridge'/>\n"
                             "  <target index='%u'/>\n"
                             "</controller>",
                             index, target);
  if (before != NULL)
    cli_edit_add_after (fixing->edit, before, element);
  else
    {
      if (devices == NULL)
        cli_edit_add_within (fixing->edit, cli_edit_get_root (fixing->edit), "<devices/>");
      cli_edit_add_within (fixing->edit, cli_fixing_devices (fixing), element);
    }
  return TRUE;
}

gboolean
cli_fix_add_free_phb (const CliFixing *fixing)
{
  return add_phb (fixing, hostdev_domain_get_free_bus (fixing->domain, 1));
}

/* The bus that the device wants, which the guest does not have. */
gboolean
cli_fix_add_named_phb (const CliFixing *fixing)
{
  const HostdevDevice *device = fixing->device;

  return device != NULL && device->has_guest_bus
         && hostdev_domain_get_free_bus (fixing->domain, device->guest_bus) == device->guest_bus
         && add_phb (fixing, device->guest_bus);
}

/* Whether a device of the host's is on the PHB, or an emulated one. */
static gboolean
is_free (const HostdevDomain *domain, const HostdevPhb *phb)
{
  const GPtrArray *devices = hostdev_domain_get_devices (domain);

  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevDevice *device = devices->pdata[i];
      guint index;

      if (device->has_guest_bus && hostdev_domain_get_phb_of_bus (domain, device->guest_bus, &index)
          && index == phb->index)
        return FALSE;
    }
  return phb->index != 0 && phb->emulated == 0;
}

static const HostdevPhb *
find_free_phb (const HostdevDomain *domain)
{
  const GPtrArray *phbs = hostdev_domain_get_phbs (domain);

  for (guint i = 0; i < phbs->len; i++)
    if (is_free (domain, phbs->pdata[i]))
      return phbs->pdata[i];
  return NULL;
}

static void
set_guest_place (const CliFixing *fixing, const PciAddress *address, const char *name, guint value)
{
  xmlNode *node = cli_fixing_find (fixing, address);
  /* As libvirt writes them. */
  g_autofree char *text = g_str_equal (name, "function") ? g_strdup_printf ("0x%x", value)
                                                         : g_strdup_printf ("0x%02x", value);

  cli_edit_set_attribute (fixing->edit, common_xml_child (node, "address"), name, text);
}

static const HostdevGroup *
group_of (const CliFixing *fixing, const HostdevDevice *device)
{
  const HostdevGroup *group = NULL;

  hostdev_host_find (fixing->host, &device->address, &group);
  return group;
}

static gboolean
is_on_same_phb (const HostdevDomain *domain, const HostdevDevice *a, const HostdevDevice *b)
{
  guint first, second;

  return a->has_guest_bus && b->has_guest_bus
         && hostdev_domain_get_phb_of_bus (domain, a->guest_bus, &first)
         && hostdev_domain_get_phb_of_bus (domain, b->guest_bus, &second) && first == second;
}

/* The last device that is on a PHB with one of another group before it; NULL: there is none. */
static const HostdevDevice *
find_intruder (const CliFixing *fixing)
{
  const GPtrArray *devices = hostdev_domain_get_devices (fixing->domain);

  for (guint i = devices->len; i-- > 1;)
    for (guint j = 0; j < i; j++)
      {
        const HostdevGroup *group = group_of (fixing, devices->pdata[i]);

        if (group != NULL && group != group_of (fixing, devices->pdata[j])
            && is_on_same_phb (fixing->domain, devices->pdata[i], devices->pdata[j]))
          return devices->pdata[i];
      }
  return NULL;
}

/* All of a group that shares a bus with another goes on a PHB of its own: slot and function stay.
 */
gboolean
cli_fix_move_group (const CliFixing *fixing)
{
  const HostdevDevice *moved = find_intruder (fixing);
  const HostdevPhb *phb = find_free_phb (fixing->domain);
  guint index = phb != NULL ? phb->index : hostdev_domain_get_free_bus (fixing->domain, 1);
  const GPtrArray *devices = hostdev_domain_get_devices (fixing->domain);

  if (moved == NULL || (phb == NULL && !cli_fix_add_free_phb (fixing)))
    return FALSE;
  for (guint i = 0; i < devices->len; i++)
    {
      const HostdevDevice *device = devices->pdata[i];

      if (group_of (fixing, device) == group_of (fixing, moved)
          && is_on_same_phb (fixing->domain, device, moved))
        set_guest_place (fixing, &device->address, "bus", index);
    }
  return TRUE;
}

/* The place of a device in the guest, as its XML has it; FALSE: it has none on PCI. */
static gboolean
read_place (const xmlNode *node, guint *bus, guint *slot, guint *function)
{
  const xmlNode *address
      = node->type == XML_ELEMENT_NODE ? common_xml_child (node, "address") : NULL;

  *bus = *slot = *function = 0;
  return address != NULL && common_xml_attribute_is (address, "type", "pci")
         && common_xml_get_number (address, "bus", 255, COMMON_ERROR_INVALID_DOMAIN, bus, NULL)
         && common_xml_get_number (address, "slot", SLOT_MAX, COMMON_ERROR_INVALID_DOMAIN, slot,
                                   NULL)
         && common_xml_get_number (address, "function", 7, COMMON_ERROR_INVALID_DOMAIN, function,
                                   NULL);
}

/* How many devices are on the slot; @function: -1: of any function. */
static guint
count_at (const CliFixing *fixing, guint bus, guint slot, int function)
{
  guint its_bus, its_slot, its_function, count = 0;

  for (const xmlNode *node = cli_fixing_devices (fixing)->children; node != NULL; node = node->next)
    if (read_place (node, &its_bus, &its_slot, &its_function) && its_bus == bus && its_slot == slot
        && (function < 0 || its_function == (guint) function))
      count++;
  return count;
}

/* Puts a device of the domain on a slot of @bus that nothing else has. */
static gboolean
take_slot (const CliFixing *fixing, const HostdevDevice *device, guint bus)
{
  guint slot = 1;

  while (slot <= SLOT_MAX && count_at (fixing, bus, slot, -1) > 0)
    slot++;
  if (slot > SLOT_MAX)
    return FALSE;
  set_guest_place (fixing, &device->address, "bus", bus);
  set_guest_place (fixing, &device->address, "slot", slot);
  set_guest_place (fixing, &device->address, "function", 0);
  return TRUE;
}

gboolean
cli_fix_change_slot (const CliFixing *fixing)
{
  const HostdevDevice *device = fixing->address != NULL
                                    ? hostdev_domain_find_address (fixing->domain, fixing->address)
                                    : NULL;

  return device != NULL && device->has_guest_bus && take_slot (fixing, device, device->guest_bus);
}

gboolean
cli_fix_part_twins (const CliFixing *fixing)
{
  const GPtrArray *devices = hostdev_domain_get_devices (fixing->domain);

  for (guint i = devices->len; i-- > 0;)
    {
      const HostdevDevice *device = devices->pdata[i];

      if (device->has_guest_bus
          && count_at (fixing, device->guest_bus, device->guest_slot, device->guest_function) > 1)
        return take_slot (fixing, device, device->guest_bus);
    }
  return FALSE;
}

/* Goes where the first of the group is, in a slot of its own. */
gboolean
cli_fix_join_group (const CliFixing *fixing)
{
  const GPtrArray *devices = hostdev_domain_get_devices (fixing->domain);
  const HostdevDevice *moved = fixing->address != NULL
                                   ? hostdev_domain_find_address (fixing->domain, fixing->address)
                                   : NULL;
  const HostdevDevice *first = NULL;

  for (guint i = 0; moved != NULL && i < devices->len && first == NULL; i++)
    {
      const HostdevDevice *device = devices->pdata[i];

      if (device->has_guest_bus && group_of (fixing, device) == group_of (fixing, moved))
        first = device;
    }
  if (moved == NULL || !moved->has_guest_bus || first == NULL || first == moved
      || first->guest_bus == moved->guest_bus)
    return FALSE;
  return take_slot (fixing, moved, first->guest_bus);
}

gboolean
cli_fix_let_share (const CliFixing *fixing)
{
  const HostdevDevice *device = fixing->address != NULL
                                    ? hostdev_domain_find_address (fixing->domain, fixing->address)
                                    : NULL;
  guint bus, slot, function;

  if (device == NULL || !device->has_guest_bus)
    return FALSE;
  for (xmlNode *node = cli_fixing_devices (fixing)->children; node != NULL; node = node->next)
    if (read_place (node, &bus, &slot, &function) && bus == device->guest_bus
        && slot == device->guest_slot && function == 0)
      {
        cli_edit_set_attribute (fixing->edit, common_xml_child (node, "address"), "multifunction",
                                "on");
        return TRUE;
      }
  return FALSE;
}

gboolean
cli_fix_leave_domain (const CliFixing *fixing)
{
  xmlNode *node = fixing->address != NULL ? cli_fixing_find (fixing, fixing->address) : NULL;

  if (node == NULL)
    return FALSE;
  cli_edit_set_attribute (fixing->edit, common_xml_child (node, "address"), "domain", "0x0000");
  return TRUE;
}
