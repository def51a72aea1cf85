/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <libxml/parser.h>

#include "cli-bus.h"

/* virt-ppc64 map and nova, validate for each kind of file, and what a plan ends with. */

static CliRun
run_with (const char *format, const char *guest)
{
  g_autofree char *host = cli_data_file ("fix-host.xml");
  g_autofree char *file = cli_data_file (guest);
  g_autoptr (GString) line = g_string_new (format);

  g_string_replace (line, "HOST", host, 0);
  g_string_replace (line, "GUEST", file, 0);
  return cli_run (NULL, line->str);
}

static JsonObject *
parse (const CliRun *run, JsonNode **root)
{
  *root = json_from_string (run->out, NULL);
  g_assert_nonnull (*root);
  return json_node_get_object (*root);
}

static void
test_map_text (void)
{
  g_auto (CliRun) host = run_with ("map --host HOST", "map-guest.xml");
  g_auto (CliRun) guest = run_with ("map --host HOST GUEST", "map-guest.xml");

  g_assert_cmpint (host.code, ==, 0);
  cli_assert_golden (host.out, "map-host.txt");
  g_assert_cmpint (guest.code, ==, 0);
  cli_assert_golden (guest.out, "map-guest.txt");
}

/* What the XML has, has its place before what is attached, though libvirt never had that XML. */
static void
test_map_attach (void)
{
  g_auto (CliRun) run = run_with ("map --host HOST GUEST --attach 0001:01:00.0", "map-guest.xml");

  g_assert_cmpint (run.code, ==, 0);
  cli_assert_golden (run.out, "map-attach.txt");
}

/* The devices, with where they will be. */
static void
test_plan_text (void)
{
  g_auto (CliRun) start = run_with ("plan --host HOST GUEST", "map-guest.xml");
  g_auto (CliRun) attach
      = run_with ("plan --verbose --host HOST GUEST --attach 0001:01:00.0", "map-guest.xml");

  g_assert_cmpint (start.code, ==, 0);
  cli_assert_golden (start.out, "plan-start.txt");
  g_assert_cmpint (attach.code, ==, 0);
  cli_assert_golden (attach.out, "plan-attach.txt");
}

/* A refusal has no map of what is to come, and says why. */
static void
test_map_refused (void)
{
  g_auto (CliRun) refused
      = run_with ("map --host HOST GUEST --attach 0003:01:00.0", "map-guest.xml");

  g_assert_cmpint (refused.code, ==, 3);
  g_assert_null (strstr (refused.out, "After"));
  g_assert_nonnull (strstr (refused.out, "/dev/nvme0n1p1 on /"));
}

static void
test_map_json (void)
{
  g_auto (CliRun) run = run_with ("map --json --host HOST GUEST", "map-guest.xml");
  g_autoptr (JsonNode) root = NULL;
  JsonObject *document = parse (&run, &root);
  JsonObject *now = json_object_get_object_member (document, "now");
  JsonObject *after = json_object_get_object_member (document, "after");
  JsonObject *was, *is, *phb;

  was = json_array_get_object_element (
      json_object_get_array_member (
          json_array_get_object_element (json_object_get_array_member (now, "host"), 0),
          "functions"),
      0);
  is = json_array_get_object_element (
      json_object_get_array_member (
          json_array_get_object_element (json_object_get_array_member (after, "host"), 0),
          "functions"),
      0);
  g_assert_cmpstr (json_object_get_string_member (was, "where"), ==, "host");
  g_assert_cmpstr (json_object_get_string_member (was, "driver"), ==, "tg3");
  g_assert_cmpstr (json_object_get_string_member (is, "where"), ==, "guest");
  g_assert_true (json_object_get_boolean_member (is, "changed"));
  g_assert_cmpint (json_object_get_int_member (is, "phb"), ==, 1);
  g_assert_cmpint (json_object_get_int_member (is, "slot"), ==, 1);
  phb = json_array_get_object_element (json_object_get_array_member (after, "guest"), 0);
  g_assert_cmpint (json_object_get_int_member (phb, "phb"), ==, 0);
  g_assert_cmpint (json_object_get_int_member (phb, "emulated"), ==, 1);
}

/* Well-formed whatever the names are; nothing of it comes from elsewhere. */
static void
test_map_svg (void)
{
  g_auto (CliRun) run = run_with ("map --svg --all --host HOST GUEST", "map-guest.xml");
  xmlDoc *document = xmlReadMemory (run.out, (int) strlen (run.out), NULL, NULL, XML_PARSE_NONET);

  g_assert_cmpint (run.code, ==, 0);
  g_assert_nonnull (document);
  g_assert_cmpstr ((const char *) xmlDocGetRootElement (document)->name, ==, "svg");
  xmlFreeDoc (document);
  g_assert_nonnull (strstr (run.out, "ConnectX-5 &lt;R&amp;D&gt;"));
  g_assert_nonnull (strstr (run.out, "prefers-color-scheme:dark"));
  g_assert_nonnull (strstr (run.out, "class=\"line new\""));
  g_assert_nonnull (strstr (run.out, "class=\"with-group new\""));
  g_assert_null (strstr (run.out, "href"));
  g_assert_null (strstr (run.out, "<script"));
  g_assert_null (strstr (run.out, "url("));
}

/* What graphviz makes of a graph, as SVG; NULL: it is not installed. */
static char *
draw (const char *graph)
{
  g_autofree char *program = g_find_program_in_path ("dot");
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  char *picture = NULL;
  g_autofree char *said = NULL;

  if (program == NULL)
    return NULL;
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE
                                  | G_SUBPROCESS_FLAGS_STDERR_PIPE,
                              &error, program, "-Tsvg", NULL);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, graph, NULL, &picture, &said, &error);
  g_assert_no_error (error);
  g_test_message ("%s", said);
  g_assert_true (g_subprocess_get_successful (process));
  g_assert_null (strstr (said, "syntax"));
  return picture;
}

static guint
count (const char *text, const char *what)
{
  guint found = 0;

  for (const char *next = strstr (text, what); next != NULL; next = strstr (next + 1, what))
    found++;
  return found;
}

static void
test_map_dot (void)
{
  g_auto (CliRun) run = run_with ("map --dot --host HOST GUEST", "map-guest.xml");
  g_autofree char *picture = NULL;

  g_assert_cmpint (run.code, ==, 0);
  cli_assert_golden (run.out, "map-guest.dot");
  picture = draw (run.out);
  if (picture == NULL)
    {
      g_test_skip ("graphviz is not installed");
      return;
    }
  /* before and after: each function of the two groups, and the slot of the one that is given */
  g_assert_cmpuint (count (picture, ">0000:01:00.0<"), ==, 2);
  g_assert_cmpuint (count (picture, "class=\"edge\""), ==, 1);
  g_assert_cmpuint (count (picture, ">slot 01.0<"), ==, 1);
}

/* A name is a name, whatever is in it: quotes, and what graphviz would put another name for. */
static void
test_map_dot_names (void)
{
  static const char nasty[] = "A \\N \"b\" \\";
  g_autofree char *path = cli_data_file ("fix-host.xml");
  g_autofree char *text = NULL;
  g_autofree char *directory = g_dir_make_tmp ("cli-views-XXXXXX", NULL);
  g_autofree char *host = g_build_filename (directory, "host.xml", NULL);
  g_autofree char *line = g_strdup_printf ("map --dot --host '%s'", host);
  g_autofree char *picture = NULL;
  g_autofree char *shown = g_markup_escape_text (nasty, -1);
  g_autofree char *attribute = g_strdup (shown);

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_autoptr (GString) changed = g_string_new (text);
  g_assert_cmpuint (g_string_replace (changed, "ConnectX-5 &lt;R&amp;D&gt;", attribute, 0), ==, 1);
  g_assert_true (g_file_set_contents (host, changed->str, -1, NULL));
  g_auto (CliRun) run = cli_run (NULL, line);
  g_unlink (host);
  g_rmdir (directory);
  g_assert_cmpint (run.code, ==, 0);
  g_assert_nonnull (strstr (run.out, "\\nA \\\\N \\\"b\\\" \\\\"));
  picture = draw (run.out);
  if (picture != NULL)
    g_assert_nonnull (strstr (picture, shown));
}

static void
test_map_usage (void)
{
  static const char *const wrong[]
      = { "map a b",          "map --attach 0000:01:00.0", "map --json --svg",
          "map --json --dot", "map --svg --dot",           "map --connect x" };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_auto (CliRun) run = cli_run (NULL, wrong[i]);

      g_test_message ("%s", wrong[i]);
      g_assert_cmpint (run.code, ==, 2);
    }
}

static void
test_nova (void)
{
  g_auto (CliRun) conf = run_with ("nova --host HOST", "map-guest.xml");
  g_auto (CliRun) provider = run_with ("nova --provider --host HOST", "map-guest.xml");

  g_assert_cmpint (conf.code, ==, 0);
  cli_assert_golden (conf.out, "nova.conf");
  g_assert_cmpint (provider.code, ==, 0);
  cli_assert_golden (provider.out, "provider.yaml");
}

/* Each kind of file, known by its root. */
static void
test_validate_kinds (void)
{
  static const struct
  {
    const char *file, *kind, *error;
  } files[] = {
    { "map-guest.xml", "domain", NULL },  { "card.xml", "device", NULL },
    { "fix-host.xml", "host", NULL },     { "personal.xml", "simulated-host", NULL },
    { "metadata.xml", "metadata", NULL }, { "metadata-invalid.xml", "metadata", "ine 3" },
    { "disk.xml", NULL, "ine 1" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_auto (CliRun) run = run_with ("validate --json GUEST", files[i].file);
      g_autoptr (JsonNode) root = NULL;
      JsonObject *file = json_array_get_object_element (
          json_object_get_array_member (parse (&run, &root), "files"), 0);

      g_test_message ("%s", files[i].file);
      g_assert_cmpint (run.code, ==, files[i].error == NULL ? 0 : 1);
      g_assert_cmpint (json_object_has_member (file, "kind"), ==, files[i].kind != NULL);
      if (files[i].kind != NULL)
        g_assert_cmpstr (json_object_get_string_member (file, "kind"), ==, files[i].kind);
      if (files[i].error != NULL)
        g_assert_nonnull (strstr (
            json_array_get_string_element (json_object_get_array_member (file, "errors"), 0),
            files[i].error));
    }
}

/* Yes, yes but, and no, by the exit status and in JSON. */
static void
test_verdicts (void)
{
  static const struct
  {
    const char *command;
    int code;
    const char *verdict;
  } plans[] = {
    { "plan --json --host HOST GUEST", 0, "yes" },
    { "plan --json --host HOST --start --domain-xml GUEST", 0, "yes" },
    { "plan --json --host HOST --domain-xml GUEST --device 0001:01:00.0", 0, "yes" },
    { "plan --json --host HOST GUEST --attach 0003:01:00.0", 3, "no" },
    { "plan --json --host HOST GUEST --attach 0002:01:00.0", 0, "yes" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (plans); i++)
    {
      g_auto (CliRun) run = run_with (plans[i].command, "map-guest.xml");
      g_autoptr (JsonNode) root = NULL;
      JsonObject *document = parse (&run, &root);

      g_test_message ("%s: %s", plans[i].command, run.out);
      g_assert_cmpstr (json_object_get_string_member (document, "verdict"), ==, plans[i].verdict);
      g_assert_cmpint (run.code, ==, plans[i].code);
    }
}

/* Two groups on one PHB: the guest runs, without EEH. */
static void
test_verdict_but (void)
{
  g_auto (CliRun) text = run_with ("plan --host HOST GUEST", "map-shared.xml");
  g_auto (CliRun) quiet = run_with ("plan --quiet --host HOST GUEST", "map-shared.xml");

  g_assert_cmpint (text.code, ==, 7);
  g_assert_nonnull (strstr (text.out, "but see the warnings"));
  g_assert_nonnull (strstr (text.out, "phb-shared"));
  g_assert_cmpint (quiet.code, ==, 7);
  g_assert_cmpstr (quiet.out, ==, "");
}

/* An s390x guest, its device and its host from files: yes, with what was never run on such a
 * machine marked as that. A host of another architecture is none for it. */
static void
test_s390x (void)
{
  g_autofree char *guest = cli_data_file ("s390x-guest.xml");
  g_autofree char *device = cli_data_file ("s390x-device.xml");
  g_autofree char *host = cli_data_file ("../../hostdev/data/s390x.xml");
  g_autofree char *files
      = g_strdup_printf ("plan --domain-xml %s --device %s --host ", guest, device);
  g_autofree char *there = g_strconcat (files, host, NULL);
  g_autofree char *elsewhere = g_strconcat (files, "HOST", NULL);
  g_auto (CliRun) yes = cli_run (NULL, there);
  g_auto (CliRun) no = run_with (elsewhere, "s390x-guest.xml");

  g_assert_cmpint (yes.code, ==, 0);
  g_assert_nonnull (strstr (yes.out, "zpci-untested"));
  g_assert_nonnull (strstr (yes.out, "0x0002 0x0000001f"));
  g_assert_nonnull (strstr (yes.out, "forwarded"));
  g_assert_cmpint (no.code, ==, 3);
  g_assert_nonnull (strstr (no.out, "host-architecture"));
}

/* A word that is no file is libvirt's: here of its test driver, whose domain is no pSeries one. */
static void
test_libvirt (void)
{
  g_auto (CliRun) plan = run_with (
      "plan test --connect test:///default --host HOST --attach 0001:01:00.0", "card.xml");
  g_auto (CliRun) map = run_with ("map test --connect test:///default --host HOST", "card.xml");

  g_assert_cmpint (plan.code, ==, 3);
  g_assert_nonnull (strstr (plan.out, "not-pseries-kvm"));
  g_assert_cmpint (map.code, ==, 0);
  g_assert_nonnull (strstr (map.out, "test"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/views/map-text", test_map_text);
  g_test_add_func ("/cli/views/map-attach", test_map_attach);
  g_test_add_func ("/cli/views/plan-text", test_plan_text);
  g_test_add_func ("/cli/views/map-refused", test_map_refused);
  g_test_add_func ("/cli/views/map-json", test_map_json);
  g_test_add_func ("/cli/views/map-svg", test_map_svg);
  g_test_add_func ("/cli/views/map-dot", test_map_dot);
  g_test_add_func ("/cli/views/map-dot-names", test_map_dot_names);
  g_test_add_func ("/cli/views/map-usage", test_map_usage);
  g_test_add_func ("/cli/views/nova", test_nova);
  g_test_add_func ("/cli/views/validate-kinds", test_validate_kinds);
  g_test_add_func ("/cli/views/verdicts", test_verdicts);
  g_test_add_func ("/cli/views/verdict-but", test_verdict_but);
  g_test_add_func ("/cli/views/s390x", test_s390x);
  g_test_add_func ("/cli/views/libvirt", test_libvirt);
  return g_test_run ();
}
