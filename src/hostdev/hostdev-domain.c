/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-domain.h"

#include <string.h>

#include <glib/gi18n-lib.h>

#include "hostdev/hostdev-buses.h"
#include "hostdev/hostdev-device-xml.h"
#include "hostdev/hostdev-policy-set.h"
#include "hostdev/hostdev-qemu-args.h"
#include "hostdev/hostdev-xml.h"

struct _HostdevDomain
{
  char *uuid;
  char *name;
  gboolean pseries_kvm, s390x, s390x_kvm;
  HostdevZpciList zpci;
  gboolean running;
  HostdevIcMode ic_mode;
  gboolean kernel_irqchip;
  HostdevMemory memory;
  HostdevTraits traits;
  HostdevBuses *buses;
  gboolean has_networks;
  GPtrArray *devices;
  GHashTable *by_alias;   /* char * of the device: HostdevDevice */
  GHashTable *by_address; /* PciAddress of the device: HostdevDevice */
  HostdevPolicySet *policies;
};

void
hostdev_domain_free (HostdevDomain *domain)
{
  if (domain == NULL)
    return;
  g_free (domain->uuid);
  g_free (domain->name);
  hostdev_buses_free (domain->buses);
  g_hash_table_unref (domain->by_alias);
  g_hash_table_unref (domain->by_address);
  g_ptr_array_unref (domain->devices);
  hostdev_policy_set_free (domain->policies);
  hostdev_traits_clear (&domain->traits);
  hostdev_zpci_list_clear (&domain->zpci);
  g_free (domain);
}

/* The text of a child element without the white space around it; "" where it is not there. */
static char *
child_text (const xmlNode *node, const char *name)
{
  const xmlNode *child = common_xml_child (node, name);
  xmlChar *content = child != NULL ? xmlNodeGetContent (child) : NULL;
  char *text = g_strstrip (g_strdup (content != NULL ? (const char *) content : ""));

  xmlFree (content);
  return text;
}

/* In lower case with its dashes. libvirt takes a UUID also without them or with blanks
 * (src/util/viruuid.c: virUUIDParse). */
static char *
read_uuid (const xmlNode *root, GError **error)
{
  g_autofree char *text = child_text (root, "uuid");
  g_autoptr (GString) uuid = g_string_new (NULL);

  if (*text == '\0')
    return g_steal_pointer (&text);
  for (const char *c = text; *c != '\0'; c++)
    {
      if (*c == '-' || *c == ' ')
        continue;
      if (uuid->len == 8 || uuid->len == 13 || uuid->len == 18 || uuid->len == 23)
        g_string_append_c (uuid, '-');
      g_string_append_c (uuid, g_ascii_tolower (*c));
    }
  if (!g_uuid_string_is_valid (uuid->str))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_DOMAIN,
                   _ ("Line %ld: “%.40s” is not a UUID"),
                   xmlGetLineNo (common_xml_child (root, "uuid")), text);
      return NULL;
    }
  return g_strdup (uuid->str);
}

static void
read_machine (const xmlNode *root, HostdevDomain *domain)
{
  const xmlNode *os = common_xml_child (root, "os");
  const xmlNode *type = os != NULL ? common_xml_child (os, "type") : NULL;
  if (type == NULL)
    return;

  g_autofree char *arch = common_xml_get_or_empty (type, "arch");
  g_autofree char *machine = common_xml_get_or_empty (type, "machine");
  domain->s390x = strcmp (arch, "s390x") == 0
                  && (strcmp (machine, "s390-ccw-virtio") == 0
                      || g_str_has_prefix (machine, "s390-ccw-virtio-"));
  if (!common_xml_attribute_is (root, "type", "kvm"))
    return;
  domain->pseries_kvm
      = (strcmp (arch, "ppc64") == 0 || strcmp (arch, "ppc64le") == 0)
        && (strcmp (machine, "pseries") == 0 || g_str_has_prefix (machine, "pseries-"));
  domain->s390x_kvm = domain->s390x;
}

/* A PCI hostdev goes on the list; any other device with a PCI address is an emulated one. */
static gboolean
read_device (HostdevDomain *domain, const xmlNode *node, const HostdevNetworks *networks,
             GError **error)
{
  HostdevDevice *device;

  if (!hostdev_device_new_from_node (node, &device, error))
    return FALSE;
  if (device == NULL && networks != NULL
      && !hostdev_network_resolve (networks, node, domain->uuid, &device, error))
    return FALSE;
  if (domain->s390x_kvm)
    hostdev_zpci_list_add (&domain->zpci, node, device != NULL ? (int) domain->devices->len : -1);
  if (device == NULL)
    {
      const xmlNode *address = common_xml_child (node, "address");
      PciAddress guest;

      gboolean chosen = address != NULL && common_xml_attribute_is (address, "type", "pci");
      if (chosen && !hostdev_xml_get_address (address, COMMON_ERROR_INVALID_DOMAIN, &guest, error))
        return FALSE;
      /* All zero is none: libvirt chooses one. */
      chosen = chosen && (guest.bus != 0 || guest.slot != 0);
      hostdev_buses_add_emulated (domain->buses, node, chosen ? &guest : NULL);
      return TRUE;
    }

  g_ptr_array_add (domain->devices, device);
  if (device->has_guest_bus)
    hostdev_buses_name (domain->buses, device->guest_bus);
  if (g_hash_table_contains (domain->by_address, &device->address))
    {
      char address[PCI_ADDRESS_LEN];

      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_DEVICE,
                   _ ("Line %ld: the domain has %s more than once"), xmlGetLineNo (node),
                   pci_address_format (&device->address, address));
      return FALSE;
    }
  g_hash_table_insert (domain->by_address, &device->address, device);
  if (device->alias != NULL)
    g_hash_table_insert (domain->by_alias, device->alias, device);
  return TRUE;
}

static gboolean
read_devices (HostdevDomain *domain, const xmlNode *root, const HostdevNetworks *networks,
              GError **error)
{
  const xmlNode *devices = common_xml_child (root, "devices");

  domain->buses = hostdev_buses_new (devices, error);
  if (domain->buses == NULL)
    return FALSE;
  for (const xmlNode *node = devices != NULL ? common_xml_child (devices, "interface") : NULL;
       node != NULL; node = common_xml_next (node, "interface"))
    domain->has_networks
        = domain->has_networks || common_xml_attribute_is (node, "type", "network");
  for (const xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL;
       node = node->next)
    if (node->type == XML_ELEMENT_NODE && !read_device (domain, node, networks, error))
      return FALSE;
  hostdev_buses_finish (domain->buses);
  return TRUE;
}

/* libvirt keeps the first <metadata> (src/conf/domain_conf.c: "./metadata[1]") and drops the rest
 * without a word: a policy in one of those would be lost. What is not ours there, is libvirt's. */
static gboolean
check_second_metadata (const xmlNode *metadata, GError **error)
{
  while ((metadata = common_xml_next (metadata, "metadata")) != NULL)
    for (const xmlNode *node = metadata->children; node != NULL; node = node->next)
      if (hostdev_policy_is_element (node))
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_METADATA,
                       _ ("Line %ld: libvirt keeps the first <metadata> alone, and this one has an "
                          "element of the namespace %s"),
                       xmlGetLineNo ((xmlNode *) metadata), HOSTDEV_POLICY_NAMESPACE);
          return FALSE;
        }
  return TRUE;
}

/* The schema sees every element of our namespace, so that a misspelt one is not passed over. */
static gboolean
read_metadata (HostdevDomain *domain, const xmlNode *root, GError **error)
{
  const xmlNode *metadata = common_xml_child (root, "metadata");
  gboolean found = FALSE;

  for (xmlNode *node = metadata != NULL ? metadata->children : NULL; node != NULL;
       node = node->next)
    {
      if (!hostdev_policy_is_element (node))
        continue;
      if (found)
        {
          g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_METADATA,
                       _ ("Line %ld: <metadata> has more than one element of the namespace %s"),
                       xmlGetLineNo (node), HOSTDEV_POLICY_NAMESPACE);
          return FALSE;
        }
      if (!hostdev_policy_set_read (domain->policies, node, error))
        return FALSE;
      found = TRUE;
    }
  return metadata == NULL || check_second_metadata (metadata, error);
}

HostdevDomain *
hostdev_domain_new_from_xml (const char *xml, gssize length, GError **error)
{
  return hostdev_domain_new_with_networks (xml, length, NULL, error);
}

HostdevDomain *
hostdev_domain_new_with_networks (const char *xml, gssize length, const HostdevNetworks *networks,
                                  GError **error)
{
  g_autoptr (xmlDoc) document = common_xml_read (xml, length, HOSTDEV_DOMAIN_XML_MAX, error);
  if (document == NULL)
    return NULL;

  const xmlNode *root = xmlDocGetRootElement (document);
  if (!common_xml_is (root, "domain"))
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_DOMAIN,
                   _ ("Line %ld: this is a <%.40s>, not a <domain>"), xmlGetLineNo (root),
                   (const char *) root->name);
      return NULL;
    }

  g_autoptr (HostdevDomain) domain = g_new0 (HostdevDomain, 1);
  domain->kernel_irqchip = TRUE;
  domain->devices = g_ptr_array_new_with_free_func ((GDestroyNotify) hostdev_device_free);
  domain->by_alias = g_hash_table_new (g_str_hash, g_str_equal);
  domain->by_address
      = g_hash_table_new ((GHashFunc) pci_address_hash, (GEqualFunc) pci_address_equal);
  domain->policies = hostdev_policy_set_new ();
  domain->name = child_text (root, "name");
  domain->uuid = read_uuid (root, error);
  if (domain->uuid == NULL)
    return NULL;

  g_autofree char *id = common_xml_get_or_empty (root, "id");
  domain->running = g_ascii_isdigit (*id);
  read_machine (root, domain);
  hostdev_traits_read (root, &domain->traits);
  hostdev_qemu_args_read (root, &domain->ic_mode, &domain->kernel_irqchip);
  if (!hostdev_memory_read (root, &domain->memory, error)
      || !read_devices (domain, root, networks, error) || !read_metadata (domain, root, error))
    return NULL;
  return g_steal_pointer (&domain);
}

const char *
hostdev_domain_get_uuid (const HostdevDomain *domain)
{
  return domain->uuid;
}

const char *
hostdev_domain_get_name (const HostdevDomain *domain)
{
  return domain->name;
}

gboolean
hostdev_domain_is_pseries_kvm (const HostdevDomain *domain)
{
  return domain->pseries_kvm;
}

gboolean
hostdev_domain_is_s390x_kvm (const HostdevDomain *domain)
{
  return domain->s390x_kvm;
}

gboolean
hostdev_domain_is_s390x (const HostdevDomain *domain)
{
  return domain->s390x;
}

const HostdevZpciList *
hostdev_domain_get_zpci (const HostdevDomain *domain)
{
  return &domain->zpci;
}

gboolean
hostdev_domain_is_running (const HostdevDomain *domain)
{
  return domain->running;
}

HostdevIcMode
hostdev_domain_get_ic_mode (const HostdevDomain *domain)
{
  return domain->ic_mode;
}

gboolean
hostdev_domain_has_kernel_irqchip (const HostdevDomain *domain)
{
  return domain->kernel_irqchip;
}

const HostdevTraits *
hostdev_domain_get_traits (const HostdevDomain *domain)
{
  return &domain->traits;
}

const HostdevMemory *
hostdev_domain_get_memory (const HostdevDomain *domain)
{
  return &domain->memory;
}

const GPtrArray *
hostdev_domain_get_phbs (const HostdevDomain *domain)
{
  return hostdev_buses_get_phbs (domain->buses);
}

gboolean
hostdev_domain_get_phb_of_bus (const HostdevDomain *domain, guint bus, guint *phb_index)
{
  return hostdev_buses_find_phb (domain->buses, bus, phb_index);
}

guint
hostdev_domain_get_free_bus (const HostdevDomain *domain, guint from)
{
  return hostdev_buses_get_free (domain->buses, from);
}

const HostdevSlots *
hostdev_domain_get_slots (const HostdevDomain *domain)
{
  return hostdev_buses_get_slots (domain->buses);
}

const HostdevEmulated *
hostdev_domain_get_emulated (const HostdevDomain *domain)
{
  return hostdev_buses_get_emulated (domain->buses);
}

const GPtrArray *
hostdev_domain_get_devices (const HostdevDomain *domain)
{
  return domain->devices;
}

gboolean
hostdev_domain_has_networks (const HostdevDomain *domain)
{
  return domain->has_networks;
}

const HostdevDevice *
hostdev_domain_find_address (const HostdevDomain *domain, const PciAddress *address)
{
  return g_hash_table_lookup (domain->by_address, address);
}

HostdevPolicy
hostdev_domain_get_policy (const HostdevDomain *domain, const HostdevDevice *device)
{
  return hostdev_policy_set_get (domain->policies, device);
}

const char *
hostdev_domain_find_stray_policy (const HostdevDomain *domain)
{
  return hostdev_policy_set_find_stray (domain->policies, domain->by_alias, domain->by_address);
}

guint
hostdev_domain_get_spare_phbs (const HostdevDomain *domain)
{
  return hostdev_policy_set_get_spare_phbs (domain->policies);
}
