/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include <libxml/relaxng.h>

#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-xml.h"
#include "kvmhelper/simulated/kvmhelper-sim.h"

/*
 * Documents that fit a schema and documents that do not, each bad one wrong in one way. A bad one
 * says in a comment what that is, in which line, in the words of jing, which are exact:
 * <!-- expect: line 4: … -->. jing, xmllint and the library have to agree on every one.
 */

static xmlRelaxNG *
read_schema (const char *path)
{
  xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt (path);
  xmlRelaxNG *schema = xmlRelaxNGParse (parser);

  xmlRelaxNGFreeParserCtxt (parser);
  if (schema == NULL)
    g_error ("%s is no RELAX NG", path);
  return schema;
}

static xmlRelaxNG *
read_own_schema (const char *name)
{
  g_autofree char *path = g_strdup_printf ("%s/%s.rng", g_getenv ("SCHEMA_SOURCE_DIR"), name);

  return read_schema (path);
}

static void
note_error (void *data, CommonXmlError error)
{
  char **first = data;

  g_test_message ("line %d: %s", error->line, error->message);
  if (*first == NULL)
    *first = g_strdup (error->message);
}

/* The first error; NULL where @document fits. */
static char *
validate (xmlRelaxNG *schema, xmlDoc *document)
{
  char *first = NULL;
  xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt (schema);
  xmlRelaxNGSetValidStructuredErrors (context, note_error, &first);
  gboolean valid = xmlRelaxNGValidateDoc (context, document) == 0;
  xmlRelaxNGFreeValidCtxt (context);

  g_assert_cmpint (valid, ==, first == NULL);
  return first;
}

/* The paths of data/SCHEMA/KIND/…xml, of which there are some. */
static GPtrArray *
list (const char *schema, const char *kind)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *folder = g_test_build_filename (G_TEST_DIST, schema, kind, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) directory = g_dir_open (folder, 0, &error);
  const char *name;

  g_assert_no_error (error);
  while ((name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, ".xml"))
      g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
  g_assert_cmpuint (paths->len, >, 0);
  return paths;
}

static xmlDoc *
read_document (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  g_test_message ("%s", path);
  g_assert_true (g_file_get_contents (path, &text, NULL, &error));
  g_assert_no_error (error);
  xmlDoc *document = common_xml_read (text, -1, 1024 * 1024, &error);
  g_assert_no_error (error);
  return document;
}

/* What the document says is wrong with it, and where. */
static char *
get_expectation (const char *path, guint *line)
{
  g_autoptr (xmlDoc) document = read_document (path);

  for (const xmlNode *node = document->children; node != NULL; node = node->next)
    {
      char *rest;

      if (node->type != XML_COMMENT_NODE
          || !g_str_has_prefix ((const char *) node->content, " expect: line "))
        continue;
      *line = (guint) strtoul ((const char *) node->content + strlen (" expect: line "), &rest, 10);
      if (*line > 0 && g_str_has_prefix (rest, ": "))
        return g_strstrip (g_strdup (rest + strlen (": ")));
    }
  g_error ("%s does not say what to expect", path);
}

/* "Line 4: …", as our own messages begin, after @prefix. */
static void
expect_line (const char *path, const char *prefix, const GError *error)
{
  guint line;
  g_autofree char *what = get_expectation (path, &line);
  g_autofree char *begin = g_strdup_printf ("%sLine %u: ", prefix, line);

  g_test_message ("%s: %s: %s", path, what, error->message);
  g_assert_true (g_str_has_prefix (error->message, begin));
}

static void
test_good (const void *name)
{
  xmlRelaxNG *schema = read_own_schema (name);
  g_autoptr (GPtrArray) paths = list (name, "good");

  for (guint i = 0; i < paths->len; i++)
    {
      g_autoptr (xmlDoc) document = read_document (paths->pdata[i]);
      g_autofree char *first = validate (schema, document);

      g_assert_cmpstr (first, ==, NULL);
    }
  xmlRelaxNGFree (schema);
}

static void
test_bad (const void *name)
{
  xmlRelaxNG *schema = read_own_schema (name);
  g_autoptr (GPtrArray) paths = list (name, "bad");

  for (guint i = 0; i < paths->len; i++)
    {
      g_autoptr (xmlDoc) document = read_document (paths->pdata[i]);
      g_autofree char *first = validate (schema, document);

      g_assert_nonnull (first);
    }
  xmlRelaxNGFree (schema);
}

/* The library's own answer is the same: what it carries within is the file. */
static void
test_library (void)
{
  static const struct
  {
    const char *name;
    HostdevSchema schema;
  } schemas[] = { { "domain-ppc64", HOSTDEV_SCHEMA_DOMAIN }, { "host", HOSTDEV_SCHEMA_HOST } };

  for (gsize i = 0; i < G_N_ELEMENTS (schemas); i++)
    {
      g_autoptr (GPtrArray) good = list (schemas[i].name, "good");
      g_autoptr (GPtrArray) bad = list (schemas[i].name, "bad");

      for (guint j = 0; j < good->len; j++)
        {
          g_autoptr (xmlDoc) document = read_document (good->pdata[j]);
          g_autoptr (GError) error = NULL;

          g_assert_true (hostdev_xml_validate (xmlDocGetRootElement (document), schemas[i].schema,
                                               COMMON_ERROR_INVALID_HOST, &error));
          g_assert_no_error (error);
        }
      for (guint j = 0; j < bad->len; j++)
        {
          g_autoptr (xmlDoc) document = read_document (bad->pdata[j]);
          g_autoptr (GError) error = NULL;

          g_assert_false (hostdev_xml_validate (xmlDocGetRootElement (document), schemas[i].schema,
                                                COMMON_ERROR_INVALID_HOST, &error));
          g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST);
          expect_line (bad->pdata[j], "", error);
        }
    }
}

/* So it is with the simulated host's. */
static void
test_simulated_host (void)
{
  g_autoptr (GPtrArray) good = list ("simulated-host", "good");
  g_autoptr (GPtrArray) bad = list ("simulated-host", "bad");

  for (guint i = 0; i < good->len; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (KvmHelperSim) sim = kvmhelper_sim_new_from_file (good->pdata[i], &error);

      g_test_message ("%s", (char *) good->pdata[i]);
      g_assert_no_error (error);
      g_assert_nonnull (sim);
    }
  for (guint i = 0; i < bad->len; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (KvmHelperSim) sim = kvmhelper_sim_new_from_file (bad->pdata[i], &error);
      g_autofree char *prefix = g_strdup_printf ("%s: ", (char *) bad->pdata[i]);

      g_assert_null (sim);
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST);
      expect_line (bad->pdata[i], prefix, error);
    }
}

/* … and a whole domain's, which the library reads for its metadata. */
static void
test_domain (void)
{
  g_autoptr (GPtrArray) good = list ("domain", "good");
  g_autoptr (GPtrArray) bad = list ("domain", "bad");

  for (guint i = 0; i < good->len + bad->len; i++)
    {
      const char *path = i < good->len ? good->pdata[i] : bad->pdata[i - good->len];
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;

      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      g_autoptr (HostdevDomain) domain = hostdev_domain_new_from_xml (text, -1, &error);
      g_assert_cmpint (domain != NULL, ==, i < good->len);
      if (error != NULL)
        expect_line (path, "", error);
    }
}

/* libvirt keeps and allows what our schema does: its own says nothing against any good document. */
static void
check_libvirt (const char *directory)
{
  g_autofree char *path = g_build_filename (directory, "domain.rng", NULL);

  g_test_message ("%s", path);
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_test_skip ("libvirt's schemas are not there");
      return;
    }
  xmlRelaxNG *schema = read_schema (path);
  g_autoptr (GPtrArray) paths = list ("domain", "good");

  for (guint i = 0; i < paths->len; i++)
    {
      g_autoptr (xmlDoc) document = read_document (paths->pdata[i]);
      g_autofree char *first = validate (schema, document);

      g_assert_cmpstr (first, ==, NULL);
    }
  xmlRelaxNGFree (schema);
}

/* … as it is installed, and as Debian 12 and 13 have it where they were fetched. */
static void
test_libvirt (void)
{
  static const char *const releases[] = { "bookworm", "trixie" };
  const char *data = g_getenv ("LIBVIRT_DATA");

  check_libvirt (LIBVIRT_SCHEMA_DIR);
  for (gsize i = 0; data != NULL && i < G_N_ELEMENTS (releases); i++)
    {
      g_autofree char *directory = g_build_filename (data, releases[i], "schemas", NULL);

      check_libvirt (directory);
    }
}

/* What the program says of all the documents of a kind, in one run. */
static char *
run_validator (const char *const *command, const char *name, const GPtrArray *paths,
               gboolean expected)
{
  g_autofree char *schema = g_strdup_printf ("%s/%s.rng", g_getenv ("SCHEMA_SOURCE_DIR"), name);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *errors = NULL;
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  for (gsize i = 0; command[i] != NULL; i++)
    g_ptr_array_add (arguments, (char *) command[i]);
  g_ptr_array_add (arguments, schema);
  for (guint i = 0; i < paths->len; i++)
    g_ptr_array_add (arguments, paths->pdata[i]);
  g_ptr_array_add (arguments, NULL);
  g_assert_true (g_spawn_sync (NULL, (char **) arguments->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL,
                               NULL, &output, &errors, &status, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_spawn_check_wait_status (status, NULL), ==, expected);
  return g_strconcat ("\n", output, "\n", errors, NULL);
}

/* A line of @output: "PATH:4:…"; NULL where there is none. */
static char *
find_line (const char *output, const char *path)
{
  g_autofree char *begin = g_strdup_printf ("\n%s:", path);
  const char *line = strstr (output, begin);

  return line != NULL ? g_strndup (line + 1, strcspn (line + 1, "\n")) : NULL;
}

static void
run_jing (const char *name, const char *kind, gboolean expected)
{
  static const char *const command[] = { "jing", NULL };
  g_autoptr (GPtrArray) paths = list (name, kind);
  g_autofree char *output = run_validator (command, name, paths, expected);

  for (guint i = 0; i < paths->len; i++)
    {
      g_autofree char *message = find_line (output, paths->pdata[i]);
      guint line;

      g_assert_cmpint (message == NULL, ==, expected);
      if (message == NULL)
        continue;
      g_autofree char *what = get_expectation (paths->pdata[i], &line);
      g_autofree char *where = g_strdup_printf ("%s:%u:", (char *) paths->pdata[i], line);
      if (strstr (message, what) == NULL || !g_str_has_prefix (message, where))
        g_error ("line %u, “%s” is not in “%s”", line, what, message);
    }
}

static const char *const names[] = { "domain-ppc64", "domain", "host", "simulated-host" };

static void
test_jing (void)
{
  g_autofree char *jing = g_find_program_in_path ("jing");

  if (jing == NULL)
    {
      g_test_skip ("jing is not installed");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      run_jing (names[i], "good", TRUE);
      run_jing (names[i], "bad", FALSE);
    }
}

/* libxml2 has an error in an interleave, as a domain's children are in our schema for it, at the
 * element that they are in. */
static void
run_xmllint (const char *name, const char *kind, gboolean expected)
{
  static const char *const command[] = { "xmllint", "--noout", "--relaxng", NULL };
  g_autoptr (GPtrArray) paths = list (name, kind);
  g_autofree char *output = run_validator (command, name, paths, expected);

  for (guint i = 0; i < paths->len; i++)
    {
      g_autofree char *message = find_line (output, paths->pdata[i]);
      g_autofree char *valid = g_strdup_printf ("\n%s validates\n", (char *) paths->pdata[i]);
      guint line;

      g_assert_cmpint (strstr (output, valid) != NULL, ==, expected);
      if (expected || strcmp (name, "domain") == 0)
        continue;
      g_autofree char *what = get_expectation (paths->pdata[i], &line);
      g_autofree char *where = g_strdup_printf ("%s:%u:", (char *) paths->pdata[i], line);
      if (message == NULL || !g_str_has_prefix (message, where))
        g_error ("line %u (%s) is not in “%s”", line, what, message);
    }
}

static void
test_xmllint (void)
{
  g_autofree char *xmllint = g_find_program_in_path ("xmllint");

  if (xmllint == NULL)
    {
      g_test_skip ("xmllint is not installed");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      run_xmllint (names[i], "good", TRUE);
      run_xmllint (names[i], "bad", FALSE);
    }
}

/* There are to be enough of them. */
static void
test_count (void)
{
  guint count = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GPtrArray) good = list (names[i], "good");
      g_autoptr (GPtrArray) bad = list (names[i], "bad");

      count += good->len + bad->len;
    }
  g_test_message ("%u documents", count);
  g_assert_cmpuint (count, >=, 190);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/schema/domain-ppc64/good", "domain-ppc64", test_good);
  g_test_add_data_func ("/schema/domain-ppc64/bad", "domain-ppc64", test_bad);
  g_test_add_data_func ("/schema/domain/good", "domain", test_good);
  g_test_add_data_func ("/schema/domain/bad", "domain", test_bad);
  g_test_add_data_func ("/schema/host/good", "host", test_good);
  g_test_add_data_func ("/schema/host/bad", "host", test_bad);
  g_test_add_data_func ("/schema/simulated-host/good", "simulated-host", test_good);
  g_test_add_data_func ("/schema/simulated-host/bad", "simulated-host", test_bad);
  g_test_add_func ("/schema/library", test_library);
  g_test_add_func ("/schema/simulated-host", test_simulated_host);
  g_test_add_func ("/schema/domain", test_domain);
  g_test_add_func ("/schema/libvirt", test_libvirt);
  g_test_add_func ("/schema/jing", test_jing);
  g_test_add_func ("/schema/xmllint", test_xmllint);
  g_test_add_func ("/schema/count", test_count);
  return g_test_run ();
}
