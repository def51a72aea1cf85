/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev-fixture.h"
#include "hostdev-recorded.h"
#include "hostdev/hostdev-verify.h"

/* What a running s390x guest has, against its XML: from QEMU's recorded answers, in which the
 * device of hostdev0 is made one of the host's where that is what a test is about. */

#define ZPCI5 "/machine/peripheral/zpci5"
#define GLOBAL(value)                                                                              \
  "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg "           \
  "value='-global'/><qemu:arg value='" value "'/></qemu:commandline>"
#define HOSTDEV(alias, uid, fid)                                                                   \
  "<hostdev type='pci' managed='yes'><source><address domain='2'/></source><alias name='" alias    \
  "'/><address type='pci' slot='1'><zpci uid='" uid "' fid='" fid "'/></address></hostdev>"
#define DEVICE HOSTDEV ("hostdev0", "5", "7")

/* A guest, and what is seen of it. Left out: it is as was asked for. */
typedef struct
{
  const char *top, *devices, *machine;
  gboolean not_asked, intercepted, by_host, unplugged;
  const char *driver; /* on the host; NULL: vfio-pci */
  guint64 forwarded;
} Case;

typedef struct
{
  HostdevStatementId id;
  Case yes, no;
} Code;

static const Code codes[] = {
  { HOSTDEV_SAYS_ZPCI_UNTESTED, { .top = NULL }, { .top = NULL } },
  { HOSTDEV_SAYS_ZPCI_NOT_ASKED, { .not_asked = TRUE }, { .not_asked = FALSE } },
  { HOSTDEV_SAYS_ZPCI_NOT_INTERPRETED,
    { .intercepted = TRUE },
    { .intercepted = TRUE, .top = GLOBAL ("zpci.interpret=off") } },
  { HOSTDEV_SAYS_ZPCI_NOT_FORWARDED,
    { .by_host = TRUE },
    { .by_host = TRUE, .top = GLOBAL ("zpci.forwarding-assist=off") } },
  { HOSTDEV_SAYS_ZPCI_ID_DIFFERS,
    { .devices = HOSTDEV ("hostdev0", "5", "8") },
    { .devices = HOSTDEV ("hostdev0", "5", "7") } },
  { HOSTDEV_SAYS_ZPCI_MISSING,
    { .devices = HOSTDEV ("hostdev2", "9", "9") },
    { .devices = HOSTDEV ("hostdev2", "9", "9"), .not_asked = TRUE } },
  { HOSTDEV_SAYS_ZPCI_HOST_DRIVER, { .driver = "mlx5_core" }, { .driver = "mlx5_vfio_pci" } },
  { HOSTDEV_SAYS_ZPCI_BY_HOST,
    { .forwarded = 12 },
    { .forwarded = 12, .top = GLOBAL ("zpci.forwarding-assist=off") } },
};

static HostdevDomain *
read_domain (const Case *what)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = g_strdup_printf (
      "<domain type='kvm' id='1'><name>guest</name><uuid>" FIXTURE_UUID "</uuid>%s"
      "<os><type arch='s390x' machine='%s'>hvm</type></os><devices>%s</devices></domain>",
      what->top != NULL ? what->top : "",
      what->machine != NULL ? what->machine : "s390-ccw-virtio-8.2",
      what->devices != NULL ? what->devices : DEVICE);
  HostdevDomain *domain = hostdev_domain_new_from_xml (xml, -1, &error);

  g_assert_no_error (error);
  return domain;
}

/* The recorded answers with a device of the host's as hostdev0. */
static GPtrArray *
read_functions (const Case *what)
{
  g_autoptr (Recorded) recorded = recorded_new ();
  g_autoptr (GError) error = NULL;
  GPtrArray *functions;

  recorded_set (recorded, "/machine/peripheral", NULL,
                what->unplugged ? "{\"return\": [{\"name\": \"zpci5\", \"type\": \"child<zpci>\"}]}"
                                : "{\"return\": [{\"name\": \"zpci5\", \"type\": \"child<zpci>\"}, "
                                  "{\"name\": \"hostdev0\", \"type\": \"child<vfio-pci>\"}]}");
  if (!what->intercepted)
    recorded_set (recorded, ZPCI5, "interpret", "{\"return\": true}");
  if (!what->intercepted && !what->by_host)
    recorded_set (recorded, ZPCI5, "forwarding-assist", "{\"return\": true}");
  functions = hostdev_monitor_read (recorded_ask, recorded, &error);
  g_assert_no_error (error);
  return functions;
}

/* All of it, for as long as the verdict is looked at. */
typedef struct
{
  HostdevDomain *domain;
  GPtrArray *functions, *host;
  HostdevVerdict *verdict;
} Run;

static void
run_clear (Run *run)
{
  hostdev_verdict_free (run->verdict);
  hostdev_domain_free (run->domain);
  g_ptr_array_unref (run->host);
  g_clear_pointer (&run->functions, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static void
verify (const Case *what, Run *run)
{
  HostdevZpciHost *host = g_new0 (HostdevZpciHost, 1);
  HostdevSeen seen = { .has_forwarded = TRUE, .forwarded = what->forwarded };

  host->address.domain = 2;
  host->driver = g_strdup (what->driver != NULL ? what->driver : "vfio-pci");
  run->host = g_ptr_array_new_with_free_func ((GDestroyNotify) hostdev_zpci_host_free);
  g_ptr_array_add (run->host, host);
  run->domain = read_domain (what);
  run->functions = what->not_asked ? NULL : read_functions (what);
  seen.functions = run->functions;
  seen.host = run->host;
  run->verdict = hostdev_verify (run->domain, &seen);
}

static const HostdevReason *
find (const HostdevVerdict *verdict, HostdevStatementId id)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (verdict->said);
  const HostdevReason *found = NULL;

  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];

      g_test_message ("  %s: %s %s", reason->statement->code, reason->sentence, reason->remedy);
      if (reason->statement->id == id)
        found = reason;
    }
  return found;
}

static void
test_code (gconstpointer data)
{
  const Code *code = data;
  g_auto (Run) yes = { NULL };
  g_auto (Run) no = { NULL };
  const HostdevReason *reason;

  verify (&code->yes, &yes);
  verify (&code->no, &no);
  reason = find (yes.verdict, code->id);
  g_assert_nonnull (reason);
  /* every name was put in, and with something in it */
  g_assert_false (g_regex_match_simple ("\\{[a-z]+\\}|“”|\\(\\)|  ", reason->sentence, 0, 0));
  g_assert_false (g_regex_match_simple ("\\{[a-z]+\\}|“”|\\(\\)|  ", reason->remedy, 0, 0));
  /* that it was never run on such a machine is said of each */
  g_assert_nonnull (find (no.verdict, HOSTDEV_SAYS_ZPCI_UNTESTED));
  if (code->id != HOSTDEV_SAYS_ZPCI_UNTESTED)
    g_assert_null (find (no.verdict, code->id));
}

/* What can be said is said in some case, and none of it refuses what is there already. */
static void
test_complete (void)
{
  gsize count;
  const HostdevStatement *statements = hostdev_statements_of_running (&count);

  for (gsize i = 0; i < count; i++)
    {
      guint found = 0;

      for (gsize j = 0; j < G_N_ELEMENTS (codes); j++)
        found += codes[j].id == statements[i].id ? 1 : 0;
      g_test_message ("%s", statements[i].code);
      g_assert_cmpuint (found, ==, 1);
      g_assert_cmpint (statements[i].severity, !=, HOSTDEV_REFUSE);
    }
}

static void
expect (const Case *what, const char *asked, const char *got)
{
  g_auto (Run) run = { NULL };
  const HostdevVerified *entry;

  verify (what, &run);
  entry = run.verdict->devices->pdata[0];
  g_test_message ("%s %s", entry->asked_source, entry->got_source);
  g_assert_cmpstr (entry->asked, ==, asked);
  g_assert_cmpstr (entry->got, ==, got);
  g_assert_cmpuint (strlen (entry->asked_source), >, 0);
  g_assert_cmpuint (strlen (entry->got_source), >, 0);
}

/* What is asked, by the XML; what is, by QEMU; and nothing is claimed where it was not asked, or
 * has no device yet. */
static void
test_values (void)
{
  expect (&(Case){ .top = NULL }, "forwarded", "forwarded");
  expect (&(Case){ .by_host = TRUE }, "forwarded", "by-host");
  expect (&(Case){ .intercepted = TRUE }, "forwarded", "intercepted");
  expect (&(Case){ .not_asked = TRUE }, "forwarded", "unknown");
  expect (&(Case){ .unplugged = TRUE }, "forwarded", "unknown");
  expect (&(Case){ .machine = "s390-ccw-virtio-7.1" }, "intercepted", "forwarded");
  expect (&(Case){ .top = GLOBAL ("zpci.interpret=off"), .intercepted = TRUE }, "intercepted",
          "intercepted");
  expect (&(Case){ .top = GLOBAL ("zpci.forwarding-assist=off"), .by_host = TRUE }, "by-host",
          "by-host");
}

/* All as it was asked for: nothing warns. A zpci device that still waits for its PCI device, and
 * says by itself that it is interpreted, is none that the guest has. */
static void
test_verdicts (void)
{
  g_auto (Run) good = { NULL };
  g_auto (Run) waiting = { NULL };

  verify (&(Case){ .top = NULL }, &good);
  g_assert_cmpuint (hostdev_plan_get_reasons (good.verdict->said)->len, ==, 1);
  /* the one that QEMU made by itself */
  g_assert_cmpuint (good.verdict->others->len, ==, 1);
  verify (&(Case){ .unplugged = TRUE }, &waiting);
  g_assert_nonnull (find (waiting.verdict, HOSTDEV_SAYS_ZPCI_MISSING));
}

/* A guest without a device of the host's: nobody is told to ask QEMU of that. */
static void
test_none (void)
{
  g_auto (Run) run = { NULL };

  verify (&(Case){ .devices = "<disk type='block'/>", .not_asked = TRUE, .forwarded = 3 }, &run);
  g_assert_cmpuint (run.verdict->devices->len, ==, 0);
  g_assert_cmpuint (hostdev_plan_get_reasons (run.verdict->said)->len, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/verify/complete", test_complete);
  g_test_add_func ("/hostdev/verify/values", test_values);
  g_test_add_func ("/hostdev/verify/verdicts", test_verdicts);
  g_test_add_func ("/hostdev/verify/none", test_none);
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/hostdev/verify/%s", hostdev_statement_get (codes[i].id)->code);

      g_test_add_data_func (path, &codes[i], test_code);
    }
  return g_test_run ();
}
