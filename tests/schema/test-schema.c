/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <libxml/relaxng.h>

#include "hostdev/hostdev-xml.h"
#include "kvmhelper/simulated/kvmhelper-sim.h"

/*
 * Documents that fit a schema and documents that do not, each bad one wrong in one way. A bad one
 * says in a comment what that is, in the words of jing, which are exact: <!-- expect: … -->.
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

/* What the document says is wrong with it. */
static char *
get_expectation (const char *path)
{
  g_autoptr (xmlDoc) document = read_document (path);

  for (const xmlNode *node = document->children; node != NULL; node = node->next)
    if (node->type == XML_COMMENT_NODE
        && g_str_has_prefix ((const char *) node->content, " expect: "))
      return g_strstrip (g_strdup ((const char *) node->content + strlen (" expect: ")));
  g_error ("%s does not say what to expect", path);
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
          g_assert_true (g_str_has_prefix (error->message, "Line "));
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
      g_autofree char *prefix = g_strdup_printf ("%s: Line ", (char *) bad->pdata[i]);

      g_test_message ("%s", (char *) bad->pdata[i]);
      g_assert_null (sim);
      g_assert_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST);
      g_assert_true (g_str_has_prefix (error->message, prefix));
    }
}

/* libvirt keeps and allows what our schema does: its own says nothing against any good document. */
static void
test_libvirt (void)
{
  if (!g_file_test (LIBVIRT_SCHEMA_DIR "/domain.rng", G_FILE_TEST_EXISTS))
    {
      g_test_skip ("libvirt's schemas are not installed");
      return;
    }
  xmlRelaxNG *schema = read_schema (LIBVIRT_SCHEMA_DIR "/domain.rng");
  g_autoptr (GPtrArray) paths = list ("domain", "good");

  for (guint i = 0; i < paths->len; i++)
    {
      g_autoptr (xmlDoc) document = read_document (paths->pdata[i]);
      g_autofree char *first = validate (schema, document);

      g_assert_cmpstr (first, ==, NULL);
    }
  xmlRelaxNGFree (schema);
}

/* A second validator says the same of every document. */
static void
run_jing (const char *jing, const char *name, const char *kind, gboolean expected)
{
  g_autofree char *schema = g_strdup_printf ("%s/%s.rng", g_getenv ("SCHEMA_SOURCE_DIR"), name);
  g_autoptr (GPtrArray) paths = list (name, kind);
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  g_ptr_array_add (arguments, (char *) jing);
  g_ptr_array_add (arguments, schema);
  for (guint i = 0; i < paths->len; i++)
    g_ptr_array_add (arguments, paths->pdata[i]);
  g_ptr_array_add (arguments, NULL);
  g_assert_true (g_spawn_sync (NULL, (char **) arguments->pdata, NULL, G_SPAWN_STDERR_TO_DEV_NULL,
                               NULL, NULL, &output, NULL, &status, &error));
  g_assert_no_error (error);
  g_test_message ("%s", output);
  g_assert_cmpint (g_spawn_check_wait_status (status, NULL), ==, expected);
  for (guint i = 0; i < paths->len; i++)
    {
      const char *line = strstr (output, paths->pdata[i]);

      g_assert_cmpint (line == NULL, ==, expected);
      if (line == NULL)
        continue;
      g_autofree char *message = g_strndup (line, strcspn (line, "\n"));
      g_autofree char *expectation = get_expectation (paths->pdata[i]);
      if (strstr (message, expectation) == NULL)
        g_error ("“%s” is not in “%s”", expectation, message);
    }
}

static void
test_jing (void)
{
  static const char *const names[] = { "domain-ppc64", "domain", "host", "simulated-host" };
  g_autofree char *jing = g_find_program_in_path ("jing");

  if (jing == NULL)
    {
      g_test_skip ("jing is not installed");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      run_jing (jing, names[i], "good", TRUE);
      run_jing (jing, names[i], "bad", FALSE);
    }
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
  g_test_add_func ("/schema/libvirt", test_libvirt);
  g_test_add_func ("/schema/jing", test_jing);
  return g_test_run ();
}
