/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-traits.h"

#include <string.h>

#include "hostdev/hostdev-xml.h"

/*
 * What <qemu:commandline> and <qemu:override> change of the guest's PHBs and of its devices of the
 * host, behind libvirt's back: properties of QEMU's, by their names.
 */

#define COMMANDLINE "qemu:commandline"
#define OVERRIDE    "qemu:override"

/* qapi/string-input-visitor.c: qapi_bool_parse */
static gboolean
is_off (const char *value)
{
  static const char *const words[] = { "off", "no", "n", "false", NULL };

  return g_strv_contains (words, value);
}

/* Of spapr-pci-host-bridge (hw/ppc/spapr_pci.c: spapr_phb_properties). */
static void
read_phb (const char *property, const char *value, const char *element, HostdevTraits *traits)
{
  if (strcmp (property, "ddw") == 0 && is_off (value))
    {
      traits->ddw_off = TRUE;
      traits->ddw_element = element;
    }
  else if (strcmp (property, "dma_win_addr") == 0)
    traits->window_start = g_ascii_strtoull (value, NULL, 0);
  else if (strcmp (property, "dma_win_size") == 0)
    traits->window_size = g_ascii_strtoull (value, NULL, 0);
}

/* Of vfio-pci (hw/vfio/pci.c: vfio_pci_dev_properties): what has QEMU do itself what KVM and the
 * device do without it. */
static void
read_vfio (const char *property, const char *value, const char *element, HostdevTraits *traits)
{
  static const char *const slow[] = { "x-no-kvm-msi", "x-no-kvm-msix", "x-no-mmap", NULL };

  if (traits->slow_option != NULL || !g_strv_contains (slow, property) || is_off (value))
    return;
  traits->slow_option = g_strconcat (property, "=on", NULL);
  traits->slow_element = element;
}

/* "spapr-pci-host-bridge.ddw=off"; QEMU takes "driver=…,property=…,value=…" as well. */
static void
read_global (const char *value, HostdevTraits *traits)
{
  g_auto (GStrv) long_form = g_strsplit_set (value, ",=", -1);
  const char *dot = strchr (value, '.');
  const char *equals = dot == NULL ? NULL : strchr (dot, '=');
  g_autofree char *driver = NULL;
  g_autofree char *property = NULL;

  if (g_strv_length (long_form) == 6 && strcmp (long_form[0], "driver") == 0)
    {
      driver = g_strdup (long_form[1]);
      property = g_strdup (long_form[3]);
      equals = strrchr (value, '=');
    }
  else if (equals != NULL)
    {
      driver = g_strndup (value, (gsize) (dot - value));
      property = g_strndup (dot + 1, (gsize) (equals - dot - 1));
    }
  if (g_strcmp0 (driver, "spapr-pci-host-bridge") == 0)
    read_phb (property, equals + 1, COMMANDLINE, traits);
  else if (g_strcmp0 (driver, "vfio-pci") == 0)
    read_vfio (property, equals + 1, COMMANDLINE, traits);
}

/* "device.hostdev0.x-no-mmap=on" */
static void
read_set (const char *value, HostdevTraits *traits)
{
  g_auto (GStrv) parts = g_strsplit (value, ".", 3);
  char *equals = g_strv_length (parts) == 3 ? strchr (parts[2], '=') : NULL;

  if (equals == NULL || strcmp (parts[0], "device") != 0)
    return;
  *equals = '\0';
  read_phb (parts[2], equals + 1, COMMANDLINE, traits);
  read_vfio (parts[2], equals + 1, COMMANDLINE, traits);
}

/* A device that libvirt knows nothing of; it may be JSON as well. */
static void
read_device (const char *value, HostdevTraits *traits)
{
  if (strstr (value, "vfio-pci") != NULL)
    traits->qemu_device = TRUE;
  if (strstr (value, "ddw=off") != NULL || strstr (value, "ddw=false") != NULL)
    read_phb ("ddw", "off", COMMANDLINE, traits);
}

/* QEMU takes one dash or two. */
static gboolean
is_option (const char *argument, const char *name)
{
  const char *rest = argument + (g_str_has_prefix (argument, "--") ? 2 : 1);

  return *argument == '-' && strcmp (rest, name) == 0;
}

static void
read_commandline (const xmlNode *list, HostdevTraits *traits)
{
  g_autofree char *option = g_strdup ("");

  for (const xmlNode *node = list->children; node != NULL; node = node->next)
    {
      g_autofree char *value
          = hostdev_xml_is_qemu (node, "arg") ? common_xml_get_or_empty (node, "value") : NULL;

      if (value == NULL)
        continue;
      if (is_option (option, "device"))
        read_device (value, traits);
      else if (is_option (option, "global"))
        read_global (value, traits);
      else if (is_option (option, "set"))
        read_set (value, traits);
      g_free (option);
      option = g_steal_pointer (&value);
    }
}

/* <qemu:device alias=''><qemu:frontend><qemu:property name='ddw' type='bool' value='false'/> */
static void
read_override (const xmlNode *device, HostdevTraits *traits)
{
  for (const xmlNode *side = device->children; side != NULL; side = side->next)
    for (const xmlNode *node = hostdev_xml_is_qemu (side, "frontend") ? side->children : NULL;
         node != NULL; node = node->next)
      {
        if (!hostdev_xml_is_qemu (node, "property"))
          continue;
        g_autofree char *name = common_xml_get_or_empty (node, "name");
        g_autofree char *value = common_xml_get_or_empty (node, "value");

        read_phb (name, value, OVERRIDE, traits);
        read_vfio (name, value, OVERRIDE, traits);
      }
}

void
hostdev_traits_read_qemu (const xmlNode *domain, HostdevTraits *traits)
{
  for (const xmlNode *list = domain->children; list != NULL; list = list->next)
    {
      if (hostdev_xml_is_qemu (list, "commandline"))
        read_commandline (list, traits);
      for (const xmlNode *node = hostdev_xml_is_qemu (list, "override") ? list->children : NULL;
           node != NULL; node = node->next)
        if (hostdev_xml_is_qemu (node, "device"))
          read_override (node, traits);
    }
}
