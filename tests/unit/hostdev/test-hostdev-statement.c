/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "hostdev/hostdev-statement.h"

/* The table of what a plan can say. */

/* Every statement is there, once, and has something to say. */
static void
test_table (void)
{
  g_autoptr (GHashTable) codes = g_hash_table_new (g_str_hash, g_str_equal);

  for (int i = 0; i < HOSTDEV_SAYS_LAST; i++)
    {
      const HostdevStatement *statement = hostdev_statement_get ((HostdevStatementId) i);

      g_test_message ("%d", i);
      g_assert_nonnull (statement);
      g_test_message ("%s", statement->code);
      g_assert_cmpint (statement->id, ==, i);
      g_assert_true (g_hash_table_add (codes, (gpointer) statement->code));
      g_assert_true (g_regex_match_simple ("^[a-z0-9]+(-[a-z0-9]+)*$", statement->code, 0, 0));
      g_assert_true (hostdev_statement_find (statement->code) == statement);
      g_assert_cmpuint (strlen (statement->sentence), >, 10);
      g_assert_cmpuint (strlen (statement->remedy), >, 10);
      g_assert_cmpuint (strlen (statement->source), >, 10);
      /* a sentence ends, and a remedy does */
      g_assert_true (g_str_has_suffix (statement->sentence, "."));
      g_assert_true (g_str_has_suffix (statement->remedy, "."));
      /* only what a guest would lack can be required */
      g_assert_true (!statement->wish || statement->severity != HOSTDEV_REFUSE
                     || g_str_has_suffix (statement->code, "unknown"));
    }
  g_assert_null (hostdev_statement_find ("no-such-code"));
  g_assert_null (hostdev_statement_find (""));
}

/* How many there are in the table's files: none is in two. */
static void
test_files (void)
{
  gsize host, guest, kernel, zpci, running;

  hostdev_statements_of_host (&host);
  hostdev_statements_of_guest (&guest);
  hostdev_statements_of_kernel (&kernel);
  hostdev_statements_of_zpci (&zpci);
  hostdev_statements_of_running (&running);
  g_assert_cmpuint (host + guest + kernel + zpci + running, ==, HOSTDEV_SAYS_LAST);
}

static void
assert_filled (const char *text, const char *expected)
{
  const HostdevWord words[] = { { "guest", "ps1" }, { "odd", "{guest}" }, { "empty", "" } };
  g_autofree char *filled = hostdev_statement_fill (text, words, G_N_ELEMENTS (words));

  g_assert_cmpstr (filled, ==, expected);
}

static void
test_fill (void)
{
  assert_filled ("", "");
  assert_filled ("“{guest}” is “{guest}”{empty}.", "“ps1” is “ps1”.");
  /* what is put in is not looked at */
  assert_filled ("{odd}{guest}", "{guest}ps1");
  /* braces that hold no name are text */
  assert_filled ("{}{ guest}{Guest}{guest", "{}{ guest}{Guest}{guest");
}

static void
test_fill_missing (void)
{
  if (g_test_subprocess ())
    {
      g_autofree char *filled = hostdev_statement_fill ("{nothing} {guest}", NULL, 0);

      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_stderr ("*{nothing}*");
}

static void
test_show (void)
{
  g_autofree char *shown = hostdev_statement_show ("“{guest}” has no {free-phb}: {}.");

  g_assert_cmpstr (shown, ==, "“GUEST” has no FREE-PHB: {}.");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hostdev/statement/table", test_table);
  g_test_add_func ("/hostdev/statement/files", test_files);
  g_test_add_func ("/hostdev/statement/fill", test_fill);
  g_test_add_func ("/hostdev/statement/fill-missing", test_fill_missing);
  g_test_add_func ("/hostdev/statement/show", test_show);
  return g_test_run ();
}
