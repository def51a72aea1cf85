/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostdev-codes.h"

#include <string.h>

static const Code *codes;
static gsize n_codes;
static const HostdevStatement *statements;
static gsize n_statements;

static const char *
or_default (const char *text, const char *otherwise)
{
  return text != NULL ? text : otherwise;
}

/* The device's XML, managed or not. */
static char *
make_device (const Plan *plan)
{
  g_autofree char *xml
      = fixture_hostdev (or_default (plan->address, "0000:01:00.0"), or_default (plan->more, ""));
  g_autoptr (GString) text = g_string_new (xml);

  if (plan->unmanaged)
    g_string_replace (text, "managed='yes'", "managed='no'", 1);
  return g_strdup (text->str);
}

static HostdevDomain *
make_domain (const Plan *plan, const char *device)
{
  gboolean there
      = plan->is_there || plan->operation == 's' || (plan->operation == 'd' && !plan->absent);
  const char *machine = or_default (plan->machine, "pseries-7.2");
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = g_strdup_printf (
      "<domain type='kvm' id='1'><name>guest</name><uuid>" FIXTURE_UUID "</uuid>%s"
      "<os><type arch='%s' machine='%s'>hvm</type></os><devices>%s%s%s</devices></domain>",
      or_default (plan->top, ""), or_default (plan->arch, "ppc64le"), machine,
      plan->no_phbs || plan->arch != NULL ? "" : FIXTURE_PHB (1) FIXTURE_PHB (2),
      or_default (plan->devices, ""), there ? device : "");
  HostdevDomain *domain = hostdev_domain_new_from_xml (xml, -1, &error);

  g_assert_no_error (error);
  return domain;
}

static void
add_claim (HostdevHost *host, const Plan *plan)
{
  PciAddress address;

  g_assert_true (pci_address_parse (or_default (plan->address, "0000:01:00.0"), &address, NULL));
  hostdev_host_claim (host, &address, "00000000-0000-4000-8000-000000000001", "neighbour",
                      strcmp (plan->claim, "running") == 0);
}

static HostdevPlan *
make_plan (const Plan *plan)
{
  g_autoptr (HostdevHost) host
      = fixture_host (or_default (plan->host, "powernv.xml"), plan->from, plan->to);
  g_autofree char *xml = g_strcmp0 (plan->address, "") == 0 ? g_strdup ("") : make_device (plan);
  g_autoptr (HostdevDomain) domain = make_domain (plan, xml);
  g_autoptr (HostdevDevice) device = NULL;

  if (plan->claim != NULL)
    add_claim (host, plan);
  if (plan->operation == 's')
    return hostdev_plan_start (domain, host);
  g_assert_true (hostdev_device_new_from_xml (xml, -1, &device, NULL));
  return plan->operation == 'd' ? hostdev_plan_detach (domain, device, host)
                                : hostdev_plan_attach (domain, device, host);
}

/* The reason of that code; all of them are told. */
static const HostdevReason *
find (const HostdevPlan *plan, HostdevStatementId id)
{
  const GPtrArray *reasons = hostdev_plan_get_reasons (plan);
  const HostdevReason *found = NULL;

  for (guint i = 0; i < reasons->len; i++)
    {
      const HostdevReason *reason = reasons->pdata[i];

      g_test_message ("  %s %s: %s %s", hostdev_severity_to_string (reason->severity),
                      reason->statement->code, reason->sentence, reason->remedy);
      if (reason->statement->id == id)
        found = reason;
    }
  return found;
}

static void
test_code (gconstpointer data)
{
  const Code *code = data;
  const HostdevStatement *statement = hostdev_statement_get (code->id);
  g_autoptr (HostdevPlan) yes = make_plan (&code->yes);
  g_autoptr (HostdevPlan) no = make_plan (&code->no);
  const HostdevReason *reason;

  g_test_message ("it is said:");
  reason = find (yes, code->id);
  g_assert_nonnull (reason);
  g_assert_true (reason->severity == statement->severity
                 || (statement->wish && reason->severity == HOSTDEV_REFUSE));
  g_assert_cmpint (reason->code, ==, statement->reason);
  /* every name was put in, and with something in it */
  g_assert_false (g_regex_match_simple ("\\{[a-z]+\\}|“”|\\(\\)|  ", reason->sentence, 0, 0));
  g_assert_false (g_regex_match_simple ("\\{[a-z]+\\}|“”|\\(\\)|  ", reason->remedy, 0, 0));
  g_test_message ("it is not said:");
  g_assert_null (find (no, code->id));
}

/* What can be said is said in some plan. */
static void
test_complete (void)
{
  for (gsize i = 0; i < n_statements; i++)
    {
      guint found = 0;

      for (gsize j = 0; j < n_codes; j++)
        found += codes[j].id == statements[i].id ? 1 : 0;
      g_test_message ("%s", statements[i].code);
      g_assert_cmpuint (found, ==, 1);
    }
  g_assert_cmpuint (n_codes, ==, n_statements);
}

int
codes_run (int argc, char **argv, const char *name, const Code *all, gsize count,
           const HostdevStatement *to_say, gsize n_to_say)
{
  g_autofree char *complete = g_strdup_printf ("/hostdev/codes/%s", name);

  codes = all;
  n_codes = count;
  statements = to_say;
  n_statements = n_to_say;
  g_test_init (&argc, &argv, NULL);
  g_test_add_func (complete, test_complete);
  for (gsize i = 0; i < count; i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/hostdev/codes/%s/%s", name, hostdev_statement_get (all[i].id)->code);

      g_test_add_data_func (path, &all[i], test_code);
    }
  return g_test_run ();
}

static void
test_edge (gconstpointer data)
{
  const Edge *edge = data;
  g_autoptr (HostdevPlan) plan = make_plan (&edge->plan);

  const HostdevReason *reason = find (plan, edge->id);

  g_assert_cmpint (reason != NULL, ==, edge->said);
  if (edge->words != NULL)
    g_assert_nonnull (strstr (reason->sentence, edge->words));
}

int
codes_run_edges (int argc, char **argv, const Edge *edges, gsize count)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < count; i++)
    {
      g_autofree char *path = g_strdup_printf ("/hostdev/codes/edges/%s/%" G_GSIZE_FORMAT,
                                               hostdev_statement_get (edges[i].id)->code, i);

      g_test_add_data_func (path, &edges[i], test_edge);
    }
  return g_test_run ();
}
