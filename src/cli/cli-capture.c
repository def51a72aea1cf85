/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-capture-private.h"

#include <glib/gi18n.h>
#include <stdio.h>

#include "common/common-error.h"

/* The host as it is gathered: its functions, VFs apart, by address. */
typedef struct
{
  GPtrArray *functions; /* CliCaptured */
  GPtrArray *vfs;
  GPtrArray *frozen; /* groups, dictionaries, whose PE is not at its best */
  gboolean powernv;
} Capture;

static void
captured_free (gpointer data)
{
  CliCaptured *captured = data;

  g_variant_unref (captured->dictionary);
  g_free (captured);
}

static void
capture_clear (Capture *capture)
{
  g_ptr_array_unref (capture->functions);
  g_ptr_array_unref (capture->vfs);
  g_ptr_array_unref (capture->frozen);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Capture, capture_clear)

/* A bridge without a bus behind it leads nowhere, and is left out. */
static void
gather_function (Capture *capture, GVariant *dictionary, GVariant *group)
{
  CliCaptured *captured;
  PciAddress address;

  if (!pci_address_parse (cli_capture_text (dictionary, "address"), &address, NULL)
      || (!cli_capture_is (dictionary, "endpoint")
          && cli_capture_number (dictionary, "secondary-bus") == 0))
    return;
  captured = g_new0 (CliCaptured, 1);
  captured->dictionary = g_variant_ref (dictionary);
  captured->address = address;
  captured->has_group = group != NULL && g_variant_lookup (group, "number", "u", &captured->group);
  /* In a partition the name of a group has 0 in the place of its PE's number
   * (arch/powerpc/platforms/pseries/iommu.c: iommu_register_group). */
  captured->has_pe
      = capture->powernv && group != NULL && g_variant_lookup (group, "pe", "u", &captured->pe);
  g_ptr_array_add (*cli_capture_text (dictionary, "physfn") != '\0' ? capture->vfs
                                                                    : capture->functions,
                   captured);
}

static void
gather_functions (Capture *capture, GVariant *holder, const char *key, GVariant *group)
{
  g_autoptr (GVariant) list = g_variant_lookup_value (holder, key, G_VARIANT_TYPE ("aa{sv}"));
  gsize count = list == NULL ? 0 : g_variant_n_children (list);

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) dictionary = g_variant_get_child_value (list, i);

      gather_function (capture, dictionary, group);
    }
}

static const char *
pe_state (GVariant *group)
{
  const char *state = "";

  g_variant_lookup (group, "pe-state", "(&s&s)", &state, NULL);
  return state;
}

/* The state in the words of a simulated host's description; NULL: there is none to write. */
static const char *
pe_word (const char *state)
{
  if (g_str_equal (state, "frozen"))
    return "mmio-frozen dma-frozen";
  if (g_str_equal (state, "unavailable"))
    return "unavailable";
  return g_str_equal (state, "failed") ? "dead" : NULL;
}

static void
gather_groups (Capture *capture, GVariant *host)
{
  g_autoptr (GVariant) groups = g_variant_lookup_value (host, "groups", G_VARIANT_TYPE ("aa{sv}"));
  gsize count = groups == NULL ? 0 : g_variant_n_children (groups);

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) group = g_variant_get_child_value (groups, i);

      gather_functions (capture, group, "members", group);
      if (pe_word (pe_state (group)) != NULL)
        g_ptr_array_add (capture->frozen, g_variant_ref (group));
    }
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return pci_address_compare (&(*(const CliCaptured *const *) a)->address,
                              &(*(const CliCaptured *const *) b)->address);
}

static void
note_multifunction (const GPtrArray *functions)
{
  for (guint i = 0; i + 1 < functions->len; i++)
    {
      CliCaptured *one = functions->pdata[i], *next = functions->pdata[i + 1];
      PciAddress slot = next->address;

      slot.function = one->address.function;
      if (pci_address_equal (&slot, &one->address))
        one->multifunction = next->multifunction = TRUE;
    }
}

/* --- the machine --- */

/* Which of the kernels that can be simulated behaves as @release does: vfio-pci takes no function
 * on POWER from 5.19 to 6.3 (arch/powerpc/kernel/iommu.c). */
static const char *
choose_kernel (const char *release)
{
  guint major = 6, minor = 12;

  if (sscanf (release, "%u.%u", &major, &minor) != 2)
    return "6.12";
  if (major >= 7)
    return "7.2";
  return (major == 5 && minor >= 19) || (major == 6 && minor <= 3) ? "6.1" : "6.12";
}

static gboolean
lacks (GVariant *host, const char *capability)
{
  g_autoptr (GVariant) capabilities
      = g_variant_lookup_value (host, "capabilities", G_VARIANT_TYPE ("a{s(ss)}"));
  const char *answer;

  return capabilities != NULL
         && g_variant_lookup (capabilities, capability, "(&s&s)", &answer, NULL)
         && g_str_equal (answer, "no");
}

static void
write_machine (xmlNode *root, GVariant *host)
{
  static const char *const texts[] = { "cpu", "model", "firmware" };
  static const char *const memory[] = { "memory", "memory-available" };
  gboolean powernv = g_str_equal (cli_capture_text (host, "platform"), "powernv");

  cli_capture_set (root, "kernel", choose_kernel (cli_capture_text (host, "kernel")));
  cli_capture_set (root, "platform", cli_capture_text (host, "platform"));
  cli_capture_set (root, "release", cli_capture_text (host, "kernel"));
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    cli_capture_set (root, texts[i], cli_capture_text (host, texts[i]));
  cli_capture_set_decimal (root, "page-size", cli_capture_number (host, "page-size"));
  for (guint i = 0; i < G_N_ELEMENTS (memory); i++)
    if (cli_capture_number (host, memory[i]) != 0)
      cli_capture_set_decimal (root, memory[i], cli_capture_number (host, memory[i]));
  if (lacks (host, "kvm-hv"))
    cli_capture_set (root, "kvm-hv", "no");
  if (lacks (host, "eeh"))
    cli_capture_set (root, "eeh", "no");
  if (powernv && lacks (host, "host-xive"))
    cli_capture_set (root, "command-line", "xive=off");
  if (powernv && lacks (host, "irq-bypass"))
    cli_capture_set (root, "bypass", "off");
}

/* Numbers, and nothing else: the schema of a simulated host takes no more. */
static void
write_nodes (xmlNode *root, GVariant *host)
{
  g_autoptr (GVariant) nodes = g_variant_lookup_value (host, "nodes", G_VARIANT_TYPE ("aa{sv}"));
  gsize count = nodes == NULL ? 0 : g_variant_n_children (nodes);

  for (gsize i = 0; i < count; i++)
    {
      g_autoptr (GVariant) dictionary = g_variant_get_child_value (nodes, i);
      g_autofree char *number = g_strdup_printf ("%u", cli_capture_number (dictionary, "number"));
      xmlNode *node = xmlNewChild (root, NULL, BAD_CAST "node", NULL);

      cli_capture_set (node, "number", number);
      cli_capture_set (node, "cpus", cli_capture_text (dictionary, "cpus"));
      cli_capture_set (node, "distances", cli_capture_text (dictionary, "distances"));
    }
}

/* --- PHBs --- */

static void
write_pe_states (xmlNode *phb, const Capture *capture, guint domain)
{
  for (guint i = 0; i < capture->frozen->len; i++)
    {
      GVariant *group = capture->frozen->pdata[i];
      guint number;
      xmlNode *node;

      if (!capture->powernv || cli_capture_number (group, "phb") != domain
          || !g_variant_lookup (group, "pe", "u", &number))
        continue;
      node = xmlNewChild (phb, NULL, BAD_CAST "pe", NULL);
      cli_capture_set_hexadecimal (node, "number", 1, number);
      cli_capture_set (node, "state", pe_word (pe_state (group)));
    }
}

/* The bridge above @function, where that is there and is written; NULL: its host bridge. */
static xmlNode *
find_parent (const Capture *capture, const CliCaptured *function)
{
  const char *parent = cli_capture_text (function->dictionary, "parent");
  char name[PCI_ADDRESS_LEN];

  for (guint i = 0; i < capture->functions->len && *parent != '\0'; i++)
    {
      const CliCaptured *other = capture->functions->pdata[i];

      if (other->node != NULL && g_str_equal (other->node->name, "bridge")
          && g_str_equal (pci_address_format (&other->address, name), parent))
        return other->node;
    }
  return NULL;
}

/* By address: the first of a host bridge is on its root bus, and a bridge, whose bus has a smaller
 * number than those below, comes before what is behind it. */
static void
write_functions (xmlNode *root, const Capture *capture)
{
  xmlNode *phb = NULL;
  guint domain = 0;

  for (guint i = 0; i < capture->functions->len; i++)
    {
      CliCaptured *function = capture->functions->pdata[i];
      xmlNode *parent;

      if (phb == NULL || domain != function->address.domain)
        {
          g_autofree char *text = NULL;

          domain = function->address.domain;
          text = g_strdup_printf ("%u", domain);
          phb = xmlNewChild (root, NULL, BAD_CAST "phb", NULL);
          cli_capture_set (phb, "domain", text);
          cli_capture_set_decimal (phb, "bus", function->address.bus);
          write_pe_states (phb, capture, domain);
        }
      parent = find_parent (capture, function);
      cli_capture_function (parent == NULL ? phb : parent, function, capture->vfs);
    }
}

static char *
write_document (GVariant *host, const Capture *capture)
{
  xmlDoc *document = xmlNewDoc (BAD_CAST "1.0");
  xmlNode *root = xmlNewNode (NULL, BAD_CAST "simulated-host");
  xmlChar *text;
  int length;
  char *xml;

  xmlDocSetRootElement (document, root);
  write_machine (root, host);
  write_nodes (root, host);
  write_functions (root, capture);
  xmlDocDumpFormatMemoryEnc (document, &text, &length, "UTF-8", 1);
  xml = g_strndup ((const char *) text, (gsize) length);
  xmlFree (text);
  xmlFreeDoc (document);
  return xml;
}

char *
cli_capture_to_xml (GVariant *host, GError **error)
{
  const char *platform = cli_capture_text (host, "platform");
  g_auto (Capture) capture = {
    g_ptr_array_new_with_free_func (captured_free),
    g_ptr_array_new_with_free_func (captured_free),
    g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref),
    g_str_equal (platform, "powernv"),
  };

  if (!capture.powernv && !g_str_equal (platform, "pseries"))
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST,
                           _ ("This is no POWER host, and nothing else can be captured"));
      return NULL;
    }
  gather_groups (&capture, host);
  gather_functions (&capture, host, "ungrouped", NULL);
  g_ptr_array_sort (capture.functions, compare);
  g_ptr_array_sort (capture.vfs, compare);
  note_multifunction (capture.functions);
  return write_document (host, &capture);
}
