/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-traits.h"

#include <string.h>

#include "hostdev/hostdev-device.h"
#include "hostdev/hostdev-memory-limit.h"
#include "hostdev/hostdev-xml.h"

void
hostdev_traits_clear (HostdevTraits *traits)
{
  g_free (traits->memory_nodes);
  g_free (traits->cpus);
  g_free (traits->nvme);
  g_free (traits->overridden);
  g_free (traits->slow_option);
  g_free (traits->twice);
}

static const xmlNode *
child (const xmlNode *node, const char *name)
{
  return node == NULL ? NULL : common_xml_child (node, name);
}

/* "pseries-4.0", with what a distribution may append: "pseries-rhel7.6.0" has no such number. */
static void
read_machine (const xmlNode *domain, HostdevTraits *traits)
{
  const xmlNode *type = child (child (domain, "os"), "type");
  g_autofree char *machine = type == NULL ? NULL : common_xml_get (type, "machine");
  const char *version;
  char *end;

  if (machine == NULL)
    return;
  if (g_str_has_prefix (machine, "pseries-"))
    version = machine + strlen ("pseries-");
  else if (g_str_has_prefix (machine, "s390-ccw-virtio-"))
    version = machine + strlen ("s390-ccw-virtio-");
  else
    return;
  if (!g_ascii_isdigit (*version))
    return;
  traits->machine_major = (guint) MIN (g_ascii_strtoull (version, &end, 10), 1000);
  if (*end == '.' && g_ascii_isdigit (end[1]))
    traits->machine_minor = (guint) MIN (g_ascii_strtoull (end + 1, NULL, 10), 1000);
}

/* libvirt takes POWER8 in either case, also with a version ("POWER9_v2.0"). */
static void
read_cpu (const xmlNode *domain, HostdevTraits *traits)
{
  const xmlNode *cpu = child (domain, "cpu");
  const xmlNode *model = child (cpu, "model");
  const xmlNode *numa = child (cpu, "numa");
  xmlChar *content = model == NULL ? NULL : xmlNodeGetContent (model);
  const char *name = content == NULL ? "" : (const char *) content;

  while (g_ascii_isspace (*name))
    name++;
  if (g_ascii_strncasecmp (name, "power", 5) == 0 && g_ascii_isdigit (name[5]))
    traits->cpu_power = (guint) MIN (g_ascii_strtoull (name + 5, NULL, 10), 1000);
  xmlFree (content);
  for (const xmlNode *cell = child (numa, "cell"); cell != NULL;
       cell = common_xml_next (cell, "cell"))
    traits->cells++;
}

/* Of memory that is only preferred on a node nothing can be said. */
static void
read_numa (const xmlNode *domain, HostdevTraits *traits)
{
  const xmlNode *memory = child (child (domain, "numatune"), "memory");
  const xmlNode *vcpu = child (domain, "vcpu");
  const xmlNode *tune = child (domain, "cputune");
  g_autoptr (GString) pins = g_string_new (NULL);

  if (memory != NULL && !common_xml_attribute_is (memory, "mode", "preferred"))
    traits->memory_nodes = common_xml_get (memory, "nodeset");
  for (const xmlNode *pin = child (tune, "vcpupin"); pin != NULL;
       pin = common_xml_next (pin, "vcpupin"))
    {
      g_autofree char *set = common_xml_get_or_empty (pin, "cpuset");

      g_string_append_printf (pins, "%s%s", pins->len > 0 ? "," : "", set);
    }
  traits->cpus = pins->len > 0  ? g_strdup (pins->str)
                 : vcpu != NULL ? common_xml_get (vcpu, "cpuset")
                                : NULL;
}

static void
read_nvme (const xmlNode *disk, HostdevTraits *traits)
{
  const xmlNode *address = child (child (disk, "source"), "address");
  PciAddress host;

  if (traits->nvme != NULL || !common_xml_attribute_is (disk, "type", "nvme"))
    return;
  if (address == NULL
      || !hostdev_xml_get_address (address, COMMON_ERROR_INVALID_DOMAIN, &host, NULL))
    return;
  traits->nvme = pci_address_to_string (&host);
}

/* An address that is all zero is none to libvirt, which then chooses. */
static void
read_address (const xmlNode *device, HostdevTraits *traits)
{
  const xmlNode *address = child (device, "address");
  PciAddress guest;
  guint8 bit;

  if (address == NULL || !common_xml_attribute_is (address, "type", "pci")
      || !hostdev_xml_get_address (address, COMMON_ERROR_INVALID_DOMAIN, &guest, NULL)
      || (guest.bus == 0 && guest.slot == 0))
    return;
  bit = (guint8) (1u << guest.function);
  if ((traits->used[guest.bus][guest.slot] & bit) != 0 && traits->twice == NULL)
    traits->twice = pci_address_to_string (&guest);
  traits->used[guest.bus][guest.slot] |= bit;
  if (guest.function == 0 && common_xml_attribute_is (address, "multifunction", "off"))
    traits->alone[guest.bus] |= 1u << guest.slot;
}

static void
read_controller (const xmlNode *controller, HostdevTraits *traits)
{
  guint index = 0;

  if (common_xml_attribute_is (controller, "type", "pci")
      && common_xml_get_number (controller, "index", 255, COMMON_ERROR_INVALID_DOMAIN, &index,
                                NULL))
    traits->phb_node[index] = child (child (controller, "target"), "node") != NULL;
}

static void
read_device (const xmlNode *node, HostdevTraits *traits)
{
  read_address (node, traits);
  if (common_xml_is (node, "memballoon"))
    traits->balloon = !common_xml_attribute_is (node, "model", "none");
  else if (common_xml_is (node, "controller"))
    read_controller (node, traits);
  else if (common_xml_is (node, "hostdev"))
    traits->mdevs += common_xml_attribute_is (node, "type", "mdev") ? 1 : 0;
  else if (common_xml_is (node, "disk"))
    read_nvme (node, traits);
}

static void
read_devices (const xmlNode *domain, HostdevTraits *traits)
{
  const xmlNode *devices = child (domain, "devices");

  /* Where the XML has none libvirt adds one. */
  traits->balloon = TRUE;
  for (const xmlNode *node = devices == NULL ? NULL : devices->children; node != NULL;
       node = node->next)
    if (node->type == XML_ELEMENT_NODE)
      read_device (node, traits);
}

static void
read_argument (const xmlNode *node, HostdevTraits *traits)
{
  g_autofree char *value = common_xml_get_or_empty (node, "value");

  if (strstr (value, "ic-mode=") != NULL)
    traits->ic_mode_given = TRUE;
  if (strstr (value, "zpci.interpret=off") != NULL)
    traits->zpci_interpret_off = TRUE;
  if (strstr (value, "zpci.forwarding-assist=off") != NULL)
    traits->zpci_forwarding_off = TRUE;
}

/* <qemu:device alias=''><qemu:frontend><qemu:property name='host' …/>: of what libvirt writes for a
 * device of the host these two say which it is. */
static void
read_override (const xmlNode *device, HostdevTraits *traits)
{
  for (const xmlNode *side = device->children; side != NULL; side = side->next)
    for (const xmlNode *node = hostdev_xml_is_qemu (side, "frontend") ? side->children : NULL;
         node != NULL; node = node->next)
      if (traits->overridden == NULL && hostdev_xml_is_qemu (node, "property")
          && (common_xml_attribute_is (node, "name", "host")
              || common_xml_attribute_is (node, "name", "sysfsdev")))
        traits->overridden = common_xml_get (device, "alias");
}

static void
read_qemu (const xmlNode *domain, HostdevTraits *traits)
{
  for (const xmlNode *list = domain->children; list != NULL; list = list->next)
    {
      gboolean arguments = hostdev_xml_is_qemu (list, "commandline"),
               overrides = hostdev_xml_is_qemu (list, "override");

      for (const xmlNode *node = arguments || overrides ? list->children : NULL; node != NULL;
           node = node->next)
        if (arguments && hostdev_xml_is_qemu (node, "arg"))
          read_argument (node, traits);
        else if (overrides && hostdev_xml_is_qemu (node, "device"))
          read_override (node, traits);
    }
}

void
hostdev_traits_read (const xmlNode *domain, HostdevTraits *traits)
{
  const xmlNode *security = child (domain, "launchSecurity");
  const xmlNode *hpt = child (child (domain, "features"), "hpt");

  *traits = (HostdevTraits){ .cells = 0 };
  traits->protected_memory
      = security != NULL && common_xml_attribute_is (security, "type", "s390-pv");
  read_machine (domain, traits);
  read_cpu (domain, traits);
  read_numa (domain, traits);
  read_devices (domain, traits);
  read_qemu (domain, traits);
  hostdev_traits_read_qemu (domain, traits);
  traits->hpt_page = hpt == NULL ? 0 : hostdev_memory_read_size (hpt, "maxpagesize");
  traits->current = hostdev_memory_read_size (domain, "currentMemory");
}

HostdevTraits *
hostdev_traits_new_of_device (const char *xml, gssize length)
{
  g_autoptr (xmlDoc) document = common_xml_read (xml, length, HOSTDEV_DEVICE_XML_MAX, NULL);
  HostdevTraits *traits = document == NULL ? NULL : g_new0 (HostdevTraits, 1);

  if (traits != NULL)
    read_device (xmlDocGetRootElement (document), traits);
  return traits;
}
