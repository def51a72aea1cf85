/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <unistd.h>

#include "cli-fake-helper.h"

#define NOBODY 65534

/* A user of no rank took the helper's name. Nothing that he says may be believed, nor may he be
 * told what is wanted. The test is that user; where it is root, it joins the bus as another. */
static void
test_squatter (void)
{
  g_autoptr (CliBus) bus = cli_bus_start (NULL);
  g_autoptr (CliFakeHelper) squatter = NULL;
  g_auto (CliRun) run = { 0 };
  gboolean is_root = geteuid () == 0;

  if (is_root)
    g_assert_cmpint (setresuid (NOBODY, NOBODY, 0), ==, 0);
  squatter = cli_fake_helper_new (bus, CLI_FAKE_ANSWERS);
  if (is_root)
    g_assert_cmpint (setresuid (0, 0, 0), ==, 0);

  run = cli_run (bus, "rehearse 0000:01:00.0");
  g_assert_cmpint (run.code, ==, 5);
  g_assert_cmpstr (run.out, ==, "");
  g_assert_nonnull (strstr (run.err, "not to root"));
  g_assert_cmpuint (cli_fake_helper_get_calls (squatter), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cli/owner/squatter", test_squatter);
  return g_test_run ();
}
