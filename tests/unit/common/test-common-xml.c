/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "common/common-xml.h"

static void
expect_refused (const char *xml, gssize length, gsize max, const char *word)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (xmlDoc) document = common_xml_read (xml, length, max, &error);

  g_assert_null (document);
  g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_XML);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  if (strstr (error->message, word) == NULL)
    g_error ("“%s” is not in “%s”", word, error->message);
}

static void
test_read (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (xmlDoc) document
      = common_xml_read ("<?xml version='1.0'?>\n<!-- x -->\n<a b='&lt;'/>", -1, 100, &error);

  g_assert_no_error (error);
  g_autofree char *value = common_xml_get (xmlDocGetRootElement (document), "b");
  g_assert_cmpstr (value, ==, "<");
}

static void
test_size (void)
{
  g_autoptr (xmlDoc) fits = common_xml_read ("<abc/>", -1, 6, NULL);

  g_assert_nonnull (fits);
  expect_refused ("<abc/>", -1, 5, "larger than 5 bytes");
  expect_refused ("<abc/>", 6, 5, "larger than 5 bytes");
  /* Not read beyond what was given. */
  g_autoptr (xmlDoc) cut = common_xml_read ("<abc/><def/>", 6, 100, NULL);
  g_assert_nonnull (cut);
}

static void
test_broken (void)
{
  expect_refused ("", -1, 100, "Line");
  expect_refused ("", 0, 100, "Line");
  expect_refused ("virsh", -1, 100, "Line 1");
  expect_refused ("<a>\n<b>\n</a>", -1, 100, "Line 3");
  expect_refused ("<a/><b/>", -1, 100, "Line 1");
  expect_refused ("<a>\xff\xfe</a>", -1, 100, "Line 1");
  expect_refused ("<a/>\0<b/>", 9, 100, "NUL");
}

/* Neither entities nor a DTD, from wherever, and at once: the text after it is not looked at. */
static void
test_doctype (void)
{
  expect_refused ("<!DOCTYPE a><a/>", -1, 100, "document type");
  expect_refused ("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", -1, 100, "document type");
  expect_refused ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", -1, 100,
                  "document type");
  expect_refused ("<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;'>]><a d='&c;'/>", -1, 100,
                  "document type");
  expect_refused ("<!DOCTYPE a><a", -1, 100, "document type");
}

static void
test_depth (void)
{
  g_autoptr (GString) xml = g_string_new (NULL);

  for (int i = 0; i < 100000; i++)
    g_string_append (xml, "<a>");
  expect_refused (xml->str, -1, 1024 * 1024, "depth");
}

/* As libvirt's virXMLPropUInt with base 0. */
static void
test_number (void)
{
  static const struct
  {
    const char *text;
    guint value;
  } good[] = { { "0", 0 },      { "10", 10 }, { "0x1f", 31 },       { "0X1F", 31 }, { "010", 8 },
               { " 7", 7 },     { "+7", 7 },  { "0x0000", 0 },      { "255", 255 }, { "\t9", 9 },
               { "0xff", 255 }, { "00", 0 },  { "0x000000ff", 255 } };
  /* Not here: 0b1, which libvirt reads where its C library does (glibc 2.38), and so do we. */
  static const char *const bad[] = { "",    " ",     "-1", "-0",  "1f", "0x",
                                     "256", "0x100", "7 ", "1.0", "08", "99999999999999999999999",
                                     "0xg", "++1" };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *xml = g_strdup_printf ("<a n='%s'/>", good[i].text);
      g_autoptr (xmlDoc) document = common_xml_read (xml, -1, 100, NULL);
      g_autoptr (GError) error = NULL;
      guint value = 1000;

      g_test_message ("%s", xml);
      g_assert_true (common_xml_get_number (xmlDocGetRootElement (document), "n", 255,
                                            COMMON_ERROR_INVALID_DEVICE, &value, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (value, ==, good[i].value);
      g_assert_true (common_xml_get_number (xmlDocGetRootElement (document), "m", 255,
                                            COMMON_ERROR_INVALID_DEVICE, &value, &error));
      g_assert_cmpuint (value, ==, good[i].value);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *xml = g_strdup_printf ("<a n='%s'/>", bad[i]);
      g_autoptr (xmlDoc) document = common_xml_read (xml, -1, 100, NULL);
      g_autoptr (GError) error = NULL;
      guint value = 1000;

      g_test_message ("%s", xml);
      g_assert_false (common_xml_get_number (xmlDocGetRootElement (document), "n", 255,
                                             COMMON_ERROR_INVALID_DEVICE, &value, &error));
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_DEVICE);
      g_assert_cmpuint (value, ==, 1000);
    }
}

/* What is wrong with a document of the user's never reaches stderr. */
static void
test_quiet (void)
{
  if (g_test_subprocess ())
    {
      test_broken ();
      test_doctype ();
      test_depth ();
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/common/xml/read", test_read);
  g_test_add_func ("/common/xml/size", test_size);
  g_test_add_func ("/common/xml/broken", test_broken);
  g_test_add_func ("/common/xml/doctype", test_doctype);
  g_test_add_func ("/common/xml/depth", test_depth);
  g_test_add_func ("/common/xml/number", test_number);
  g_test_add_func ("/common/xml/quiet", test_quiet);
  return g_test_run ();
}
