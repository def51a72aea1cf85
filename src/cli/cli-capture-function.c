/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-capture-private.h"

#include <string.h>

#include "common/common-vfio.h"

/* The ways to reset a function that a description can have (drivers/pci/pci.c:
 * pci_reset_fn_methods). */
static const char *const reset_methods[]
    = { "device_specific", "acpi", "flr", "af_flr", "pm", "bus", "cxl_bus", NULL };

#define WORD   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
#define LETTER "abcdefghijklmnopqrstuvwxyz0123456789"

const char *
cli_capture_text (GVariant *dictionary, const char *key)
{
  const char *text = "";

  g_variant_lookup (dictionary, key, "&s", &text);
  return text;
}

guint
cli_capture_number (GVariant *dictionary, const char *key)
{
  guint number = 0;

  g_variant_lookup (dictionary, key, "u", &number);
  return number;
}

gboolean
cli_capture_is (GVariant *dictionary, const char *key)
{
  gboolean value = FALSE;

  g_variant_lookup (dictionary, key, "b", &value);
  return value;
}

void
cli_capture_set (xmlNode *node, const char *name, const char *value)
{
  if (*value != '\0')
    xmlNewProp (node, BAD_CAST name, BAD_CAST value);
}

void
cli_capture_set_decimal (xmlNode *node, const char *name, guint number)
{
  g_autofree char *text = g_strdup_printf ("%u", number);

  if (number != 0)
    cli_capture_set (node, name, text);
}

void
cli_capture_set_hexadecimal (xmlNode *node, const char *name, guint digits, guint number)
{
  g_autofree char *text = g_strdup_printf ("0x%0*x", (int) digits, number);

  cli_capture_set (node, name, text);
}

gboolean
cli_capture_is_word (const char *text)
{
  return strlen (text) <= 64 && text[strspn (text, WORD)] == '\0';
}

/* Only what says something of drivers: anybody who is root can write anything there. */
static void
write_override (xmlNode *node, GVariant *dictionary)
{
  const char *override = cli_capture_text (dictionary, "driver-override");

  if (cli_capture_is_word (override)
      && (common_driver_is_vfio (override)
          || g_str_equal (override, cli_capture_text (dictionary, "driver"))))
    cli_capture_set (node, "driver-override", override);
}

/* What the kernel would choose, and what is bound in its place. Who took it from its driver, if not
 * a lease, is the only one who knows that driver. */
static void
write_drivers (xmlNode *node, GVariant *dictionary)
{
  const char *bound = cli_capture_text (dictionary, "driver");
  const char *natural = cli_capture_text (dictionary, "natural-driver");

  if (*natural == '\0' && !common_driver_is_vfio (bound))
    natural = bound;
  if (cli_capture_is_word (natural))
    cli_capture_set (node, "driver", natural);
  if (!g_str_equal (natural, bound) && cli_capture_is_word (bound))
    xmlNewProp (node, BAD_CAST "bound", BAD_CAST bound);
  write_override (node, dictionary);
}

static void
write_place (xmlNode *node, const CliCaptured *function)
{
  g_autofree char *group = g_strdup_printf ("%u", function->group);

  if (function->has_pe)
    cli_capture_set_hexadecimal (node, "pe", 1, function->pe);
  if (function->has_group)
    cli_capture_set (node, "group", group);
}

static void
write_identity (xmlNode *node, const CliCaptured *function)
{
  static const struct
  {
    const char *key;
    guint digits;
  } numbers[] = { { "vendor", 4 },
                  { "device", 4 },
                  { "subsystem-vendor", 4 },
                  { "subsystem-device", 4 },
                  { "class", 6 } };
  char name[PCI_ADDRESS_LEN];
  guint numa_node;

  cli_capture_set (node, "address", pci_address_format (&function->address, name));
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      guint number = cli_capture_number (function->dictionary, numbers[i].key);

      if (number != 0)
        cli_capture_set_hexadecimal (node, numbers[i].key, numbers[i].digits, number);
    }
  cli_capture_set_decimal (node, "revision", cli_capture_number (function->dictionary, "revision"));
  if (g_variant_lookup (function->dictionary, "numa-node", "u", &numa_node))
    {
      g_autofree char *text = g_strdup_printf ("%u", numa_node);

      cli_capture_set (node, "numa-node", text);
    }
}

static void
write_resets (xmlNode *node, GVariant *dictionary)
{
  g_auto (GStrv) words = g_strsplit (cli_capture_text (dictionary, "reset-methods"), " ", -1);
  g_autoptr (GString) known = g_string_new (NULL);
  g_autoptr (GVariant) value = g_variant_lookup_value (dictionary, "reset-methods", NULL);

  if (value == NULL)
    return;
  for (guint i = 0; words[i] != NULL; i++)
    if (g_strv_contains (reset_methods, words[i]))
      g_string_append_printf (known, "%s%s", known->len > 0 ? " " : "", words[i]);
  xmlNewProp (node, BAD_CAST "reset", BAD_CAST known->str);
}

/* Where the helper could not read how many a function has, and none is in use, one MSI is a guess:
 * a function of PCI Express has to have one. */
static void
write_interrupts (xmlNode *node, GVariant *dictionary)
{
  guint msi = cli_capture_number (dictionary, "msi");
  guint msix = cli_capture_number (dictionary, "msix");

  if (cli_capture_is (dictionary, "interrupts-in-use-only") && msi == 0 && msix == 0)
    msi = 1;
  cli_capture_set_decimal (node, "msi", msi);
  cli_capture_set_decimal (node, "msix", msix);
  if (cli_capture_number (dictionary, "intx") == 0)
    cli_capture_set (node, "intx", "no");
}

/* Where it is on VFIO the helper does not tell: it is 64 then, as of nearly all. */
static void
write_dma (xmlNode *node, GVariant *dictionary)
{
  guint bits = cli_capture_number (dictionary, "dma-bits");

  if (bits != 0 && bits < 64)
    cli_capture_set_decimal (node, "dma-bits", bits);
}

/* --- SR-IOV --- */

static guint
routing_id (const PciAddress *address)
{
  return ((guint) address->bus << 8) | ((guint) address->slot << 3) | address->function;
}

static void
write_vf (xmlNode *parent, const CliCaptured *vf, guint number)
{
  xmlNode *node = xmlNewChild (parent, NULL, BAD_CAST "vf", NULL);
  const char *natural = cli_capture_text (vf->dictionary, "natural-driver");
  const char *bound = cli_capture_text (vf->dictionary, "driver");
  g_autofree char *text = g_strdup_printf ("%u", number);

  cli_capture_set (node, "number", text);
  write_place (node, vf);
  if ((common_driver_is_vfio (bound) || *natural != '\0') && cli_capture_is_word (bound))
    xmlNewProp (node, BAD_CAST "bound", BAD_CAST bound);
  write_override (node, vf->dictionary);
}

/* The driver that most likely is the one the kernel chooses for VFs: that of the first that has
 * one, or had one. */
static const char *
find_vf_driver (const GPtrArray *vfs)
{
  for (guint i = 0; i < vfs->len; i++)
    {
      GVariant *dictionary = ((const CliCaptured *) vfs->pdata[i])->dictionary;
      const char *natural = cli_capture_text (dictionary, "natural-driver");
      const char *bound = cli_capture_text (dictionary, "driver");

      if (*natural != '\0')
        return natural;
      if (*bound != '\0' && !common_driver_is_vfio (bound))
        return bound;
    }
  return "";
}

/* Those of @function among @all, whose routing ids go up in equal steps (the SR-IOV capability's
 * First VF Offset and VF Stride). */
static void
write_vfs (xmlNode *node, const CliCaptured *function, const GPtrArray *all)
{
  g_autoptr (GPtrArray) vfs = g_ptr_array_new ();
  guint own = routing_id (&function->address);
  const CliCaptured *first;
  char name[PCI_ADDRESS_LEN];

  pci_address_format (&function->address, name);
  for (guint i = 0; i < all->len; i++)
    if (g_str_equal (cli_capture_text (((CliCaptured *) all->pdata[i])->dictionary, "physfn"),
                     name))
      g_ptr_array_add (vfs, all->pdata[i]);
  cli_capture_set_decimal (node, "total-vfs",
                           MAX (cli_capture_number (function->dictionary, "total-vfs"), vfs->len));
  if (vfs->len == 0)
    return;
  first = vfs->pdata[0];
  cli_capture_set_decimal (node, "num-vfs", vfs->len);
  cli_capture_set_hexadecimal (node, "vf-device", 4,
                               cli_capture_number (first->dictionary, "device"));
  cli_capture_set_decimal (node, "vf-offset", routing_id (&first->address) - own);
  if (vfs->len > 1)
    cli_capture_set_decimal (node, "vf-stride",
                             routing_id (&((const CliCaptured *) vfs->pdata[1])->address)
                                 - routing_id (&first->address));
  if (cli_capture_is_word (find_vf_driver (vfs)))
    cli_capture_set (node, "vf-driver", find_vf_driver (vfs));
  for (guint i = 0; i < vfs->len; i++)
    write_vf (node, vfs->pdata[i], i);
}

/* --- what the host needs it for --- */

/* As systemd names one by where it sits: the host's own name may have its MAC address in it. */
static void
write_interface (xmlNode *parent, const CliCaptured *function)
{
  const PciAddress *address = &function->address;
  xmlNode *node = xmlNewChild (parent, NULL, BAD_CAST "interface", NULL);
  g_autoptr (GString) name = g_string_new ("en");

  if (address->domain != 0)
    g_string_append_printf (name, "P%u", address->domain);
  g_string_append_printf (name, "p%us%u", address->bus, address->slot);
  if (function->multifunction)
    g_string_append_printf (name, "f%u", address->function);
  cli_capture_set (node, "name", name->str);
  cli_capture_set (node, "up", "yes");
  cli_capture_set (node, "default-route", "yes");
}

/* "/dev/vda on /": of the disk the kernel's name, of where it is mounted only whether that is the
 * root. A stack of storage is, here, a disk that is mounted. */
static void
write_disk (xmlNode *parent, const PciAddress *address, const char *kind, const char *detail)
{
  const char *device = strstr (detail, "/dev/");
  gsize length = device == NULL ? 0 : strspn (device + strlen ("/dev/"), LETTER);
  g_autofree char *name = length == 0
                              ? g_strdup_printf ("disk%04x%02x%02x%x", address->domain,
                                                 address->bus, address->slot, address->function)
                              : g_strndup (device + strlen ("/dev/"), length);
  xmlNode *node;

  for (node = parent->children; node != NULL; node = node->next)
    if (g_str_equal (node->name, "disk"))
      {
        g_autofree char *known = (char *) xmlGetProp (node, BAD_CAST "name");

        if (g_strcmp0 (known, name) == 0)
          return;
      }
  node = xmlNewChild (parent, NULL, BAD_CAST "disk", NULL);
  cli_capture_set (node, "name", name);
  if (g_str_equal (kind, "swap"))
    cli_capture_set (node, "swap", "yes");
  else
    cli_capture_set (node, "mount", g_str_has_suffix (detail, " /") ? "/" : "/mnt");
}

static void
write_needs (xmlNode *node, const CliCaptured *function)
{
  g_autoptr (GVariant) busy
      = g_variant_lookup_value (function->dictionary, "busy", G_VARIANT_TYPE ("a(ss)"));
  gboolean routed = FALSE;
  gsize count = busy == NULL ? 0 : g_variant_n_children (busy);

  for (gsize i = 0; i < count; i++)
    {
      const char *kind, *detail;

      g_variant_get_child (busy, i, "(&s&s)", &kind, &detail);
      if (g_str_equal (kind, "route") && !routed)
        {
          write_interface (node, function);
          routed = TRUE;
        }
      else if (g_str_equal (kind, "mounted") || g_str_equal (kind, "swap")
               || g_str_equal (kind, "storage"))
        write_disk (node, &function->address, kind, detail);
    }
}

void
cli_capture_function (xmlNode *parent, CliCaptured *function, const GPtrArray *vfs)
{
  gboolean bridge = cli_capture_number (function->dictionary, "secondary-bus") != 0;
  xmlNode *node = xmlNewChild (parent, NULL, BAD_CAST (bridge ? "bridge" : "function"), NULL);

  function->node = node;
  write_identity (node, function);
  if (bridge)
    cli_capture_set_decimal (node, "bus",
                             cli_capture_number (function->dictionary, "secondary-bus"));
  write_drivers (node, function->dictionary);
  write_resets (node, function->dictionary);
  write_place (node, function);
  if (bridge)
    return;
  write_interrupts (node, function->dictionary);
  write_dma (node, function->dictionary);
  write_vfs (node, function, vfs);
  write_needs (node, function);
}
