/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "leases-fixture.h"

#include <errno.h>

/* Whose leases they are that were opened last: a rehearsal is not told. */
static LeasesFixture *running;

static void
note_lease (const KvmHelperLease *lease, const char *phase, gpointer fixture)
{
  g_string_append_printf (((LeasesFixture *) fixture)->heard, "%s ", phase);
}

static void
note_step (const PciAddress *address, const KvmHelperStep *step, gpointer fixture)
{
  g_string_append_printf (((LeasesFixture *) fixture)->heard, "%s ", step->name);
}

static GPtrArray *
rehearse (const KvmHelperKernel *kernel, guint group, const PciAddress *address,
          KvmHelperStepFunc step, gpointer data, GCancellable *cancellable, GError **error)
{
  LeasesFixture *fixture = running;
  GPtrArray *steps = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_step_free);
  KvmHelperStep *one = g_new0 (KvmHelperStep, 1);

  fixture->rehearsals++;
  g_assert_cmpuint (group, ==, 3);
  leases_fixture_assert_taken (fixture);
  one->name = g_strdup ("attach");
  one->title = g_strdup ("Attach");
  one->result = fixture->rehearsal_fails ? KVMHELPER_STEP_FAILED : KVMHELPER_STEP_OK;
  one->errnum = fixture->rehearsal_fails ? EINVAL : 0;
  one->meaning = g_strdup ("No window");
  one->detail = g_strdup ("");
  step (one, data);
  g_ptr_array_add (steps, one);
  if (fixture->rehearsal_leaves_held != 0)
    kvmhelper_double_hold (fixture->host, fixture->rehearsal_leaves_held, 3);
  if (fixture->rehearsal_meanwhile != NULL)
    fixture->rehearsal_meanwhile (fixture);
  return steps;
}

KvmHelperLeases *
leases_fixture_open (LeasesFixture *fixture, GError **error)
{
  const KvmHelperListener listener = { note_lease, note_step, fixture };
  g_autofree char *state = g_build_filename (fixture->host->directory, "state", NULL);

  running = fixture;
  return kvmhelper_leases_open (&fixture->host->kernel, state, rehearse, &listener,
                                fixture->cancellable, error);
}

void
leases_fixture_start (LeasesFixture *fixture)
{
  GError *error = NULL;

  fixture->leases = leases_fixture_open (fixture, &error);
  g_assert_no_error (error);
}

void
leases_fixture_restart (LeasesFixture *fixture)
{
  g_clear_pointer (&fixture->leases, kvmhelper_leases_free);
  leases_fixture_start (fixture);
}

void
leases_fixture_set_up (LeasesFixture *fixture)
{
  KvmHelperDouble *host = kvmhelper_double_new ();

  *fixture = (LeasesFixture){ .host = host,
                              .cancellable = g_cancellable_new (),
                              .heard = g_string_new (NULL) };
  kvmhelper_double_function (host, LEASES_FIRST, 3, "e1000e", 0);
  kvmhelper_double_function (host, LEASES_SECOND, 3, "tg3", 0);
  kvmhelper_double_function (host, LEASES_OTHER, 4, "nvme", 0);
  kvmhelper_double_function (host, "0003:00:00.0", -1, "pcieport", 1);
  kvmhelper_double_file (host, "sys/bus/pci/slots/C4/address", "0003:01:00\n");
  kvmhelper_double_file (host, "sys/bus/pci/slots/C5/address", "0004:02:00\n");
}

void
leases_fixture_tear_down (LeasesFixture *fixture)
{
  g_clear_pointer (&fixture->leases, kvmhelper_leases_free);
  g_object_unref (fixture->cancellable);
  kvmhelper_double_free (fixture->host);
  g_string_free (fixture->heard, TRUE);
}

static void
set_up (LeasesFixture *fixture, gconstpointer data)
{
  leases_fixture_set_up (fixture);
  leases_fixture_start (fixture);
}

static void
tear_down (LeasesFixture *fixture, gconstpointer data)
{
  leases_fixture_tear_down (fixture);
}

void
leases_fixture_add (const LeasesTest *tests, gsize count)
{
  for (gsize i = 0; i < count; i++)
    g_test_add (tests[i].path, LeasesFixture, NULL, set_up, tests[i].func, tear_down);
}

char *
leases_fixture_prepare (LeasesFixture *fixture, const char *uuid, KvmHelperRehearseMode mode,
                        const char *rehearsed)
{
  PciAddress address = kvmhelper_double_address (LEASES_FIRST);
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  GError *error = NULL;

  g_assert_true (kvmhelper_leases_prepare (fixture->leases, uuid, "guest", &address, mode, NULL,
                                           &prepared, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (prepared.rehearsed, ==, rehearsed);
  g_assert_cmpint (prepared.steps != NULL, ==, g_str_equal (rehearsed, "now"));
  return g_strdup (prepared.lease->id);
}

void
leases_fixture_prepare_fails (LeasesFixture *fixture, const char *uuid, const char *function,
                              CommonErrorCode code, const char *text)
{
  PciAddress address = kvmhelper_double_address (function);
  g_auto (KvmHelperPrepared) prepared = { NULL, NULL, NULL };
  g_autoptr (GError) error = NULL;

  g_assert_false (kvmhelper_leases_prepare (fixture->leases, uuid, "guest", &address,
                                            KVMHELPER_REHEARSE_AUTO, NULL, &prepared, &error));
  g_assert_error (error, COMMON_ERROR, (int) code);
  if (strstr (error->message, text) == NULL)
    g_error ("\"%s\" has no \"%s\"", error->message, text);
}

gboolean
leases_fixture_release (LeasesFixture *fixture, const char *id, guint seconds)
{
  GError *error = NULL;
  gboolean done;

  g_assert_true (kvmhelper_leases_release (fixture->leases, id, seconds, &done, &error));
  g_assert_no_error (error);
  return done;
}

guint
leases_fixture_count (LeasesFixture *fixture)
{
  g_autoptr (GPtrArray) list = kvmhelper_leases_list (fixture->leases);

  return list->len;
}

void
leases_fixture_assert_taken (LeasesFixture *fixture)
{
  kvmhelper_double_assert (fixture->host, LEASES_FIRST, "vfio-pci", "vfio-pci");
  kvmhelper_double_assert (fixture->host, LEASES_SECOND, "vfio-pci", "vfio-pci");
}

void
leases_fixture_assert_back (LeasesFixture *fixture)
{
  kvmhelper_double_assert (fixture->host, LEASES_FIRST, "e1000e", "");
  kvmhelper_double_assert (fixture->host, LEASES_SECOND, "tg3", "");
}
