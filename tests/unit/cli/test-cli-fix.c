/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli-bus.h"

/* What a guest is made of, in a directory of the test's own. */
typedef struct
{
  char *directory;
  char *guest; /* the file's path */
  char *host;
  char *text; /* what is in it */
} Files;

#define PHB(index) "    <controller type='pci' index='" index "' model='pci-root'/>\n"

#define HOSTDEV(managed, within, domain, function, place)                                          \
  "    <hostdev mode='subsystem' type='pci' managed='" managed "'>\n" within "      <source>\n"    \
  "        <address domain='0x000" domain "' bus='0x01' slot='0x00' function='0x" function "'/>\n" \
  "      </source>\n" place "    </hostdev>\n"

#define AT(bus, slot, function)                                                                    \
  "      <address type='pci' domain='0x0000' bus='0x0" bus "' slot='0x0" slot                      \
  "' function='0x" function "'/>\n"

#define VIRTIO(within)                                                                             \
  "    <interface type='user'>\n      <model type='virtio'/>\n" within                             \
  "      <alias name='ua-net'/>\n    </interface>\n"
#define TEAMING(attributes) "      <teaming " attributes "/>\n"
#define MDEV(number)                                                                               \
  "    <hostdev mode='subsystem' type='mdev' model='vfio-pci'>\n      <source>\n"                  \
  "        <address uuid='00000000-0000-4000-8000-00000000000" number "'/>\n"                      \
  "      </source>\n    </hostdev>\n"

/* What is nobody's business here, and what looks like XML and is none. */
#define FOREIGN                                                                                    \
  "  <!-- <devices> of \"mine\" > yours -->\n"                                                     \
  "  <x:own  a=\"1>2\" b='/devices>&lt;' ><![CDATA[</devices>]]></x:own >\n"

#define GUEST(top, devices)                                                                        \
  "<?xml version='1.0' encoding=\"UTF-8\"?>\n"                                                     \
  "<domain type='kvm' xmlns:x=\"urn:x\">\n"                                                        \
  "  <name>ps1</name>\n"                                                                           \
  "  <memory unit='KiB'>1048576</memory>\n" top FOREIGN "  <os>\n"                                 \
  "    <type arch='ppc64le' machine='pseries-7.2'>hvm</type>\n"                                    \
  "  </os>\n"                                                                                      \
  "  <devices>\n" devices "  </devices>\n"                                                         \
  "</domain>\n"

static void
files_init (Files *files, const char *text)
{
  g_autoptr (GError) error = NULL;

  files->directory = g_dir_make_tmp ("cli-fix-XXXXXX", &error);
  g_assert_no_error (error);
  files->guest = g_build_filename (files->directory, "guest.xml", NULL);
  files->host = cli_data_file ("fix-host.xml");
  files->text = g_strdup (text);
  g_file_set_contents (files->guest, text, -1, &error);
  g_assert_no_error (error);
}

static void
files_clear (Files *files)
{
  g_autoptr (GDir) dir = g_dir_open (files->directory, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (files->directory, name, NULL);

      g_unlink (path);
    }
  g_rmdir (files->directory);
  g_free (files->directory);
  g_free (files->guest);
  g_free (files->host);
  g_free (files->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Files, files_clear)

static CliRun
run (const Files *files, const char *arguments)
{
  g_autofree char *line = g_strdup_printf ("--host '%s' %s", files->host, arguments);

  return cli_run (NULL, line);
}

static char *
read_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

/* The codes of what was changed, one after the other. */
static char *
changed_codes (const char *json)
{
  g_autoptr (JsonNode) root = json_from_string (json, NULL);
  GString *codes = g_string_new (NULL);
  JsonArray *changes;

  g_assert_nonnull (root);
  changes = json_object_get_array_member (json_node_get_object (root), "changes");
  for (guint i = 0; i < json_array_get_length (changes); i++)
    g_string_append_printf (
        codes, "%s%s", i > 0 ? " " : "",
        json_object_get_string_member (json_array_get_object_element (changes, i), "code"));
  return g_string_free (codes, FALSE);
}

typedef struct
{
  const char *name;
  const char *text;
  const char *options; /* of fix, and of plan where it is --attach */
  const char *codes;   /* of what is changed */
  int exit;            /* of fix, of plan on what it wrote, and of fix on that */
  const char *there;   /* in what it wrote; NULL */
  const char *gone;    /* not there any more; NULL */
} Case;

static const Case cases[] = {
  { "nothing", GUEST ("", PHB ("0") HOSTDEV ("yes", "", "1", "0", "")), "", "", 0, NULL, NULL },
  { "managed", GUEST ("", PHB ("0") HOSTDEV ("no", "", "1", "0", "")), "", "unmanaged-bound", 0,
    "<hostdev mode='subsystem' type='pci' managed='yes'>", "managed='no'" },
  { "driver", GUEST ("", PHB ("0") HOSTDEV ("yes", "      <driver name='kvm'/>\n", "1", "0", "")),
    "", "driver-unsupported", 0, "<driver name='vfio'/>", "kvm'/>" },
  { "iommufd",
    GUEST ("", PHB ("0")
                   HOSTDEV ("yes", "      <driver name='vfio'  iommufd=\"yes\"/>\n", "1", "0", "")),
    "", "driver-iommufd", 0, "<driver name='vfio'/>", "iommufd" },
  { "shared",
    GUEST ("", PHB ("0") PHB ("1") HOSTDEV ("yes", "", "1", "0", AT ("1", "1", "0"))
                   HOSTDEV ("yes", "", "0", "0", AT ("1", "2", "0"))
                       HOSTDEV ("yes", "", "0", "1", AT ("1", "2", "1"))),
    "", "phb-shared", 0, AT ("2", "2", "1"), AT ("1", "2", "0") },
  { "shared-three",
    GUEST ("", PHB ("0") PHB ("1") PHB ("2") HOSTDEV ("yes", "", "1", "0", AT ("1", "1", "0"))
                   HOSTDEV ("yes", "", "0", "0", AT ("1", "2", "0"))
                       HOSTDEV ("yes", "", "2", "0", AT ("1", "3", "0"))),
    "", "phb-shared phb-shared", 0, AT ("3", "2", "0"), NULL },
  { "split",
    GUEST ("", PHB ("0") PHB ("1") PHB ("2") HOSTDEV ("yes", "", "0", "0", AT ("1", "1", "0"))
                   HOSTDEV ("yes", "", "0", "1", AT ("2", "1", "0"))),
    "", "group-split", 0, AT ("1", "2", "0"), AT ("2", "1", "0") },
  { "memory",
    GUEST ("  <memtune><hard_limit unit='MiB'>900</hard_limit></memtune>\n",
           PHB ("0") PHB ("1") HOSTDEV ("yes", "", "1", "0", "")),
    "", "memory-limit", 0, "<memtune><hard_limit unit='KiB'>", "MiB" },
  { "memory-of-phbs",
    GUEST ("  <memtune><hard_limit unit='MiB'>5000</hard_limit></memtune>\n",
           PHB ("0") HOSTDEV ("yes", "", "0", "0", "") HOSTDEV ("yes", "", "1", "0", "")
               HOSTDEV ("yes", "", "2", "0", "")),
    "", "memory-limit-close", 0, "<memtune><hard_limit unit='KiB'>", "MiB" },
  { "model",
    GUEST ("", PHB ("0") HOSTDEV ("yes", "      <driver name='vfio' model='mlx5_vfio_pci'/>\n", "1",
                                  "0", "")),
    "", "driver-model", 0, "<driver name='vfio'/>", "mlx5" },
  { "function-lone",
    GUEST ("", PHB ("0") PHB ("1") HOSTDEV ("yes", "", "1", "0", AT ("1", "1", "3"))), "",
    "function-lone", 0, AT ("1", "2", "0"), AT ("1", "1", "3") },
  { "slot-zero", GUEST ("", PHB ("0") PHB ("1") HOSTDEV ("yes", "", "1", "0", AT ("1", "0", "0"))),
    "", "slot-zero", 0, AT ("1", "1", "0"), AT ("1", "0", "0") },
  { "address-twice",
    GUEST ("", PHB ("0") PHB ("1") HOSTDEV ("yes", "", "0", "0", AT ("1", "1", "0"))
                   HOSTDEV ("yes", "", "0", "1", AT ("1", "1", "0"))),
    "", "address-twice", 0, AT ("1", "2", "0"), NULL },
  { "spare", GUEST ("", PHB ("0") "    <emulator>/usr/bin/qemu</emulator>\n"), "--spare-phbs 2",
    "spare-phbs spare-phbs spare-phbs", 0,
    "    <controller type='pci' index='2' model='pci-root'>\n"
    "      <model name='spapr-pci-host-bridge'/>\n"
    "      <target index='2'/>\n"
    "    </controller>\n"
    "    <emulator>",
    NULL },
  { "spare-metadata", GUEST ("  <metadata>\n    <x:y/>\n  </metadata>\n", PHB ("0") PHB ("1")),
    "--spare-phbs 1", "spare-phbs", 0,
    "    <x:y/>\n    <ppc64:passthrough xmlns:ppc64='http://libvirt.org/schemas/domain/ppc64/1.0' "
    "spare-phbs='1'/>\n  </metadata>",
    NULL },
  { "spare-element",
    GUEST ("  <metadata><a:passthrough xmlns:a=\"http://libvirt.org/schemas/domain/ppc64/1.0\" "
           "eeh=\"off\"/></metadata>\n",
           PHB ("0") PHB ("1")),
    "--spare-phbs 1", "spare-phbs", 0, "eeh=\"off\" spare-phbs='1'/></metadata>", NULL },
  { "no-controller", GUEST ("", ""), "--spare-phbs 1", "spare-phbs spare-phbs", 0,
    "<controller type='pci' index='1'", NULL },
  { "no-devices",
    "<domain type='kvm' xmlns:x='urn:x'>\n  <name>ps1</name>\n"
    "  <memory unit='KiB'>1048576</memory>\n" FOREIGN
    "  <os><type arch='ppc64le' machine='pseries-7.2'>hvm</type></os>\n</domain>\n",
    "--attach 0001:01:00.0", "no-free-phb", 0,
    "  <devices>\n    <controller type='pci' index='1' model='pci-root'>\n", NULL },
  { "attach", GUEST ("", PHB ("0")), "--attach 0001:01:00.0", "no-free-phb", 0,
    "<controller type='pci' index='1' model='pci-root'>", NULL },
  { "guest-domain",
    GUEST ("", PHB ("0") PHB ("1")
                   HOSTDEV ("yes", "", "0", "0",
                            "      <address type='pci' domain='0x0001' bus='1' slot='1'/>\n")),
    "", "guest-domain", 0, "<address type='pci' domain='0x0000' bus='1' slot='1'/>", NULL },
  { "multifunction",
    GUEST ("", PHB ("0") PHB ("1")
                   HOSTDEV ("yes", "", "0", "0",
                            "      <address type='pci' bus='1' slot='1' multifunction='off'/>\n")
                       HOSTDEV ("yes", "", "0", "1", AT ("1", "1", "1"))),
    "", "multifunction-off", 0, "<address type='pci' bus='1' slot='1' multifunction='on'/>",
    "multifunction='off'" },
  { "memory-hotplug",
    GUEST ("  <maxMemory slots='4' unit='GiB'>64</maxMemory>\n"
           "  <memtune><hard_limit unit='GiB'>9</hard_limit></memtune>\n",
           PHB ("0") PHB ("1") HOSTDEV ("yes", "", "1", "0", "")),
    "", "memory-hotplug", 0, "<memtune><hard_limit unit='KiB'>", "GiB'>9<" },
  { "teaming",
    GUEST ("", PHB ("0") VIRTIO (TEAMING ("type='persistent'"))
                   HOSTDEV ("yes", TEAMING ("type='transient' persistent='ua-net'"), "1", "0", "")),
    "", "teaming", 0, VIRTIO (""), "teaming" },
  { "mdev", GUEST ("", PHB ("0") MDEV ("1") HOSTDEV ("yes", "", "1", "0", "") MDEV ("2")), "",
    "mdev mdev", 0, PHB ("0") HOSTDEV ("yes", "", "1", "0", "") "  </devices>", "mdev" },
  { "busy", GUEST ("", PHB ("0") HOSTDEV ("no", "", "3", "0", "")), "", "unmanaged-bound", 3,
    "managed='yes'", NULL },
};

static gboolean
has_schema (void)
{
  return g_file_test (LIBVIRT_SCHEMA_DIR "/domain.rng", G_FILE_TEST_EXISTS);
}

/* Shows what it would change, changes nothing; then writes it, and is content with that. */
static void
test_case (gconstpointer data)
{
  const Case *one = data;
  g_auto (Files) files = { 0 };
  g_autofree char *after = NULL;
  g_autofree char *fixed = NULL;
  g_autofree char *codes = NULL;
  g_autofree char *as_it_was = NULL;

  files_init (&files, one->text);
  fixed = g_build_filename (files.directory, "fixed.xml", NULL);

  g_autofree char *show = g_strdup_printf ("fix '%s' %s", files.guest, one->options);
  g_autofree char *json = g_strdup_printf ("%s --json", show);
  g_autofree char *write = g_strdup_printf ("%s --output '%s'", show, fixed);
  g_autofree char *plan = g_strdup_printf (
      "plan '%s' %s", fixed, g_str_has_prefix (one->options, "--attach") ? one->options : "");
  g_autofree char *again = g_strdup_printf ("fix '%s' %s --json", fixed, one->options);
  g_auto (CliRun) shown = run (&files, show);
  g_auto (CliRun) told = run (&files, json);
  g_auto (CliRun) written = run (&files, write);
  g_auto (CliRun) planned = run (&files, plan);
  g_auto (CliRun) repeated = run (&files, again);

  as_it_was = read_file (files.guest);
  after = read_file (fixed);
  codes = changed_codes (told.out);
  g_test_message ("%s\n%s", shown.out, shown.err);
  g_assert_cmpstr (as_it_was, ==, files.text);
  g_assert_cmpstr (codes, ==, one->codes);
  g_assert_cmpint (shown.code, ==, one->exit);
  g_assert_cmpint (*one->codes != '\0', ==, g_str_has_prefix (shown.out, "--- "));
  g_assert_cmpint (written.code, ==, one->exit);
  g_assert_cmpstr (written.out, ==, "");
  g_assert_cmpint (planned.code, ==, one->exit);
  g_assert_cmpint (repeated.code, ==, one->exit);
  g_clear_pointer (&codes, g_free);
  codes = changed_codes (repeated.out);
  g_assert_cmpstr (codes, ==, "");
  g_assert_nonnull (strstr (after, FOREIGN));
  if (*one->codes == '\0')
    g_assert_cmpstr (after, ==, files.text);
  if (one->there != NULL)
    g_assert_nonnull (strstr (after, one->there));
  if (one->gone != NULL)
    g_assert_null (strstr (after, one->gone));
  if (one->exit == 3)
    g_assert_nonnull (strstr (shown.err, "member-mounted"));
}

/* With the line ends that the file has, however it is written. */
static void
test_line_ends (void)
{
  g_auto (Files) files = { 0 };
  g_auto (GStrv) lines = g_strsplit (GUEST ("", PHB ("0")), "\n", -1);
  g_autofree char *text = g_strjoinv ("\r\n", lines);
  g_autofree char *command = NULL;
  g_auto (CliRun) fixed = { 0 };

  files_init (&files, text);
  command = g_strdup_printf ("fix '%s' --spare-phbs 1 --output -", files.guest);
  fixed = run (&files, command);
  g_assert_cmpint (fixed.code, ==, 0);
  g_assert_nonnull (strstr (fixed.out, "\r\n      <target index='1'/>\r\n    </controller>\r\n"));
  for (const char *end = strchr (fixed.out, '\n'); end != NULL; end = strchr (end + 1, '\n'))
    g_assert_cmpint (end[-1], ==, '\r');
}

/* In the place of the file, whose mode stays, and of which a link stays one. */
static void
test_in_place (void)
{
  g_auto (Files) files = { 0 };
  g_autofree char *link = NULL;
  g_autofree char *command = NULL;
  g_autofree char *after = NULL;
  g_auto (CliRun) first = { 0 };
  g_auto (CliRun) second = { 0 };
  GStatBuf before, status;

  files_init (&files, GUEST ("", PHB ("0") HOSTDEV ("no", "", "1", "0", "")));
  link = g_build_filename (files.directory, "link.xml", NULL);
  g_assert_cmpint (symlink ("guest.xml", link), ==, 0);
  g_assert_cmpint (g_chmod (files.guest, 0640), ==, 0);
  command = g_strdup_printf ("fix '%s' --in-place", link);
  first = run (&files, command);
  g_assert_cmpint (first.code, ==, 0);
  g_assert_cmpstr (first.out, ==, "");
  after = read_file (files.guest);
  g_assert_nonnull (strstr (after, "managed='yes'"));
  g_assert_true (g_file_test (link, G_FILE_TEST_IS_SYMLINK));
  g_assert_cmpint (g_stat (files.guest, &before), ==, 0);
  g_assert_cmpint (before.st_mode & 07777, ==, 0640);

  /* Nothing is left to do: the file is not written. */
  second = run (&files, command);
  g_assert_cmpint (second.code, ==, 0);
  g_assert_cmpint (g_stat (files.guest, &status), ==, 0);
  g_assert_cmpint ((gint64) status.st_ino, ==, (gint64) before.st_ino);
}

/* What it writes, libvirt accepts. */
static void
test_schema (void)
{
  if (!has_schema ())
    {
      g_test_skip ("libvirt's schemas are not installed");
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Files) files = { 0 };
      g_autoptr (GString) text = g_string_new (cases[i].text);
      g_autofree char *fix = NULL;
      g_autofree char *validate = NULL;
      g_auto (CliRun) fixed = { 0 };
      g_auto (CliRun) valid = { 0 };

      /* The schema of libvirt 9.0 knows no iommufd, and wants what is foreign last, or nowhere. */
      g_string_replace (text, FOREIGN, "", 0);
      files_init (&files, text->str);
      fix = g_strdup_printf ("fix '%s' --in-place %s", files.guest, cases[i].options);
      validate = g_strdup_printf ("validate --libvirt '%s'", files.guest);
      fixed = run (&files, fix);
      valid = cli_run (NULL, validate);
      g_test_message ("%s: %s", cases[i].name, valid.out);
      g_assert_cmpint (valid.code, ==, 0);
    }
}

static void
test_usage (void)
{
  static const char *const wrong[] = { "fix",
                                       "fix a b",
                                       "fix a -i -o b",
                                       "fix - --in-place",
                                       "fix a --spare-phbs 31",
                                       "fix a --json -o -" };

  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_auto (CliRun) run_wrong = cli_run (NULL, wrong[i]);

      g_test_message ("%s", wrong[i]);
      g_assert_cmpint (run_wrong.code, ==, 2);
    }
}

/* What cannot be read or written is left alone. */
static void
test_errors (void)
{
  g_auto (Files) files = { 0 };
  g_autofree char *no_xml = NULL;
  g_autofree char *nowhere = NULL;
  g_auto (CliRun) first = { 0 };
  g_auto (CliRun) second = { 0 };

  files_init (&files, GUEST ("", PHB ("0") HOSTDEV ("no", "", "1", "0", "")));
  nowhere = g_strdup_printf ("fix '%s' --output /nonexistent/x.xml", files.guest);
  first = run (&files, nowhere);
  g_assert_cmpint (first.code, ==, 1);
  g_assert_nonnull (strstr (first.err, "/nonexistent/x.xml cannot be written"));
  g_file_set_contents (files.guest, "<domain>\n<name>", -1, NULL);
  no_xml = g_strdup_printf ("fix '%s'", files.guest);
  second = run (&files, no_xml);
  g_assert_cmpint (second.code, ==, 1);
  g_assert_nonnull (strstr (second.err, "Line 2"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/cli/fix/%s", cases[i].name);

      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/cli/fix/line-ends", test_line_ends);
  g_test_add_func ("/cli/fix/in-place", test_in_place);
  g_test_add_func ("/cli/fix/schema", test_schema);
  g_test_add_func ("/cli/fix/usage", test_usage);
  g_test_add_func ("/cli/fix/errors", test_errors);
  return g_test_run ();
}
