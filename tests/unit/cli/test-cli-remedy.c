/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-remedy.h"

/* The parts as "text|" and "xml!" in one string. */
static void
assert_split (const char *remedy, const char *expected)
{
  g_autoptr (GPtrArray) parts = cli_remedy_split (remedy);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < parts->len; i++)
    {
      const CliRemedyPart *part = g_ptr_array_index (parts, i);

      g_string_append_printf (text, "%s%c", part->text, part->xml ? '!' : '|');
    }
  g_assert_cmpstr (text->str, ==, expected);
}

static void
test_sentences (void)
{
  assert_split ("", "");
  assert_split ("Unplug it.", "Unplug it.|");
  assert_split ("Wait while a < b holds, then a > b.", "Wait while a < b holds, then a > b.|");
  assert_split ("An element that does not end: <a>x", "An element that does not end: <a>x|");
  assert_split ("No tag: <a", "No tag: <a|");
}

static void
test_elements (void)
{
  assert_split ("Add a PHB: <controller type='pci' index='1' model='pci-root'/>",
                "Add a PHB:|<controller type='pci' index='1' model='pci-root'/>!");
  assert_split ("Add <a>\n  <b/>\n</a> and start it anew.",
                "Add|<a>\n  <b/>\n</a>!and start it anew.|");
  assert_split ("Add: <a/>. It takes effect at the next start.",
                "Add:|<a/>!It takes effect at the next start.|");
  assert_split ("<a>text</a>\n<b/>", "<a>text</a>\n<b/>!");
  assert_split ("Either <a/> or <b/>.", "Either|<a/>!or|<b/>!");
  assert_split ("<q:arg value='x'/><q:arg value='y'/>", "<q:arg value='x'/><q:arg value='y'/>!");
}

static void
test_lay_out (void)
{
  static const char *const cases[][2] = {
    { "<a/>", "<a/>" },
    { "<a><b/><c x='1'/></a>", "<a>\n  <b/>\n  <c x='1'/>\n</a>" },
    { "<a>\n  <b/>\n</a>", "<a>\n  <b/>\n</a>" },
    { "<a>text</a><b/>", "<a>text</a>\n<b/>" },
    { "<a><b><c/></b></a>", "<a>\n  <b>\n    <c/>\n  </b>\n</a>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = cli_remedy_lay_out (cases[i][0]);

      g_assert_cmpstr (text, ==, cases[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/remedy/sentences", test_sentences);
  g_test_add_func ("/cli/remedy/elements", test_elements);
  g_test_add_func ("/cli/remedy/lay-out", test_lay_out);
  return g_test_run ();
}
