/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev/hostdev-emulated.h"

#include <string.h>

#include "hostdev/hostdev-xml.h"

static gboolean
child_is (const xmlNode *node, const char *name, const char *attribute, const char *value)
{
  const xmlNode *child = common_xml_child (node, name);

  return child != NULL && common_xml_attribute_is (child, attribute, value);
}

/* The parts of one USB 2 controller, which have its index, are functions of one slot. */
static gboolean
is_companion (HostdevEmulated *emulated, const xmlNode *node, gboolean has_address)
{
  g_autofree char *model = common_xml_get_or_empty (node, "model");
  guint index = 0;

  if (!g_str_has_prefix (model, "ich9-")
      || !common_xml_get_number (node, "index", HOSTDEV_USB_MAX - 1, COMMON_ERROR_INVALID_DOMAIN,
                                 &index, NULL))
    return FALSE;
  if (has_address)
    emulated->seated[index] = TRUE;
  else
    emulated->companions[index]++;
  return TRUE;
}

/* As long as libvirt only counts, none of them finds the slot of another. */
static void
count_companions (HostdevEmulated *emulated)
{
  for (guint i = 0; i < HOSTDEV_USB_MAX; i++)
    if (emulated->companions[i] > 0 && !emulated->seated[i])
      {
        emulated->before++;
        emulated->trial += emulated->companions[i] - 1;
      }
}

/* An IBM virtual SCSI adapter, the default, is on the virtual I/O bus; the first IDE controller is
 * part of the machine to libvirt. */
static gboolean
controller_is_pci (HostdevEmulated *emulated, const xmlNode *node, gboolean has_address)
{
  g_autofree char *type = common_xml_get_or_empty (node, "type");
  g_autofree char *model = common_xml_get_or_empty (node, "model");
  guint index = 0;

  common_xml_get_number (node, "index", G_MAXUINT, COMMON_ERROR_INVALID_DOMAIN, &index, NULL);
  if (strcmp (type, "usb") == 0)
    {
      emulated->has_usb = emulated->has_usb || index == 0;
      return strcmp (model, "none") != 0 && !is_companion (emulated, node, has_address);
    }
  if (strcmp (type, "virtio-serial") == 0)
    return emulated->has_serial = TRUE;
  if (strcmp (type, "sata") == 0)
    return emulated->has_sata = TRUE;
  if (strcmp (type, "scsi") == 0)
    return *model != '\0' && strcmp (model, "ibmvscsi") != 0 && strcmp (model, "ncr53c90") != 0
           && strcmp (model, "auto") != 0;
  if (strcmp (type, "pci") == 0)
    return *model != '\0' && strcmp (model, "pci-root") != 0;
  return strcmp (type, "ide") == 0 && index != 0;
}

static gboolean
interface_is_pci (const xmlNode *node)
{
  return !common_xml_attribute_is (node, "type", "hostdev")
         && !child_is (node, "model", "type", "spapr-vlan")
         && !child_is (node, "model", "type", "usb-net");
}

static gboolean
sound_is_pci (const xmlNode *node)
{
  static const char *const models[] = { "es1370", "ac97", "ich6", "ich9", "virtio", NULL };
  g_autofree char *model = common_xml_get_or_empty (node, "model");

  return g_strv_contains (models, model);
}

static gboolean
filesystem_is_pci (const xmlNode *node)
{
  static const char *const drivers[] = { "mtp", "loop", "nbd", "ploop", NULL };
  const xmlNode *driver = common_xml_child (node, "driver");
  g_autofree char *type = driver != NULL ? common_xml_get (driver, "type") : NULL;

  return type == NULL || !g_strv_contains (drivers, type);
}

/* A bus of the target, or what its name begins with (src/conf/domain_conf.c:
 * virDomainDiskDefParsePrivateData and virDiskNameToBusDeviceIndex). */
static gboolean
disk_is_on (const xmlNode *node, const char *bus, const char *prefix)
{
  const xmlNode *target = common_xml_child (node, "target");

  if (target == NULL)
    return FALSE;
  g_autofree char *its = common_xml_get (target, "bus");
  g_autofree char *name = common_xml_get_or_empty (target, "dev");
  return its != NULL ? strcmp (its, bus) == 0 : prefix != NULL && g_str_has_prefix (name, prefix);
}

/* Those that libvirt seats before the devices of the host. */
static gboolean
is_before (HostdevEmulated *emulated, const xmlNode *node, const char *name, gboolean has_address)
{
  if (strcmp (name, "controller") == 0)
    return controller_is_pci (emulated, node, has_address);
  if (strcmp (name, "interface") == 0)
    return interface_is_pci (node);
  if (strcmp (name, "sound") == 0)
    return sound_is_pci (node);
  if (strcmp (name, "filesystem") == 0)
    return filesystem_is_pci (node);
  if (strcmp (name, "disk") == 0)
    {
      emulated->wants_sata = emulated->wants_sata || disk_is_on (node, "sata", NULL);
      return disk_is_on (node, "virtio", "vd");
    }
  return FALSE;
}

/* … and those after, of which most are PCI devices by one model alone. */
static gboolean
is_after (HostdevEmulated *emulated, const xmlNode *node, const char *name)
{
  static const struct
  {
    const char *name, *attribute, *value;
  } rules[] = { { "watchdog", "model", "i6300esb" },  { "input", "bus", "virtio" },
                { "iommu", "model", "virtio" },       { "crypto", "model", "virtio" },
                { "memory", "model", "virtio-pmem" }, { "memory", "model", "virtio-mem" },
                { "panic", "model", "pvpanic" } };
  static const char *const always[] = { "rng", "shmem", "vsock", "pstore", NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    if (strcmp (name, rules[i].name) == 0
        && common_xml_attribute_is (node, rules[i].attribute, rules[i].value))
      return TRUE;
  if (strcmp (name, "memballoon") == 0)
    {
      emulated->has_balloon = TRUE;
      return !common_xml_attribute_is (node, "model", "none");
    }
  if (strcmp (name, "video") == 0)
    {
      emulated->has_video = TRUE;
      return !child_is (node, "model", "type", "none")
             && !child_is (node, "model", "type", "ramfb");
    }
  if (strcmp (name, "serial") == 0)
    return child_is (node, "target", "type", "pci-serial");
  return g_strv_contains (always, name);
}

void
hostdev_emulated_add (HostdevEmulated *emulated, const xmlNode *node, gboolean has_address)
{
  const char *name = (const char *) node->name;
  gboolean before = is_before (emulated, node, name, has_address);
  gboolean after = !before && is_after (emulated, node, name);

  if (strcmp (name, "graphics") == 0)
    emulated->wants_video = TRUE;
  else if (strcmp (name, "channel") == 0 || strcmp (name, "console") == 0)
    emulated->wants_serial = emulated->wants_serial || child_is (node, "target", "type", "virtio");
  if (has_address)
    return;
  emulated->before += before ? 1 : 0;
  emulated->after += after ? 1 : 0;
}

void
hostdev_emulated_finish (HostdevEmulated *emulated)
{
  count_companions (emulated);
  emulated->before += emulated->has_usb ? 0 : 1;
  emulated->before += emulated->wants_serial && !emulated->has_serial ? 1 : 0;
  emulated->before += emulated->wants_sata && !emulated->has_sata ? 1 : 0;
  emulated->after += emulated->has_balloon ? 0 : 1;
  emulated->after += emulated->wants_video && !emulated->has_video ? 1 : 0;
}
