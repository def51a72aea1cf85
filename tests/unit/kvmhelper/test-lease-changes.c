/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service-fixture.h"

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-leases-private.h"
#include "kvmhelper/kvmhelper-service-private.h"

/* A lease that is not any more what a person was asked about, when he says yes. */

static void
keep_error (GObject *source, GAsyncResult *result, gpointer error)
{
  g_autoptr (GVariant) reply
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, error);

  g_assert_null (reply);
}

/* The record behind the id that a person is asked about says another guest's name when he says yes.
 * No call can bring that about; whatever does, what he agreed to is not what would be done. */
static void
test_other_lease (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autofree char *id = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  GError *refusal = NULL;

  fixture->says_yes = TRUE;
  id = service_fixture_prepare (fixture);

  fixture->open = g_ptr_array_new ();
  service_fixture_begin (fixture->client, "Release", g_variant_new ("(sa{sv})", id, NULL),
                         G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, keep_error, &refusal);
  service_fixture_wait_open (fixture, 1);
  lease = kvmhelper_leases_find (fixture->service->leases, id, &error);
  g_assert_no_error (error);
  g_free (lease->domain_name);
  lease->domain_name = g_strdup ("another");
  kvmhelper_leases_store (fixture->service->leases, lease, &error);
  g_assert_no_error (error);
  service_fixture_answer (fixture, TRUE);
  g_clear_pointer (&fixture->open, g_ptr_array_unref);
  before = service_fixture_list_leases (fixture);
  while (refusal == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (refusal, COMMON_ERROR, COMMON_ERROR_NOT_AUTHORIZED);
  g_error_free (refusal);
  after = service_fixture_list_leases (fixture);
  g_assert_cmpstr (after, ==, before);
  kvmhelper_double_assert (fixture->host, SERVICE_FIRST, "vfio-pci", "vfio-pci");
}

/* The lease that a person is asked about comes to its end, and its device goes to another guest,
 * before the person says yes: that was no yes to anything else. */
static void
test_changed_during_question (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) again = NULL;
  g_autofree char *lease = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  GError *refusal = NULL;
  GPtrArray *open;

  fixture->says_yes = TRUE;
  lease = service_fixture_prepare (fixture);

  fixture->open = g_ptr_array_new ();
  service_fixture_begin (fixture->client, "Release", g_variant_new ("(sa{sv})", lease, NULL),
                         G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, keep_error, &refusal);
  service_fixture_wait_open (fixture, 1);
  g_assert_true (g_str_has_suffix (fixture->asked, " 1 " SERVICE_FIRST " " SERVICE_UUID " guest"));
  open = g_steal_pointer (&fixture->open);
  g_variant_unref (service_fixture_call (
      fixture, "Release", g_variant_new ("(sa{sv})", lease, NULL), G_DBUS_CALL_FLAGS_NONE, &error));
  g_assert_no_error (error);
  again = service_fixture_call (
      fixture, "Prepare",
      g_variant_new_parsed ("(%s, 'another', %s, {'rehearse': <'never'>})",
                            "4dea22b3-1d52-d8f3-2516-000000000000", SERVICE_FIRST),
      G_DBUS_CALL_FLAGS_NONE, &error);
  g_assert_no_error (error);
  before = service_fixture_list_leases (fixture);

  fixture->open = open;
  service_fixture_answer (fixture, TRUE);
  g_clear_pointer (&fixture->open, g_ptr_array_unref);
  while (refusal == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (refusal, COMMON_ERROR, COMMON_ERROR_LEASE_UNKNOWN);
  g_error_free (refusal);
  after = service_fixture_list_leases (fixture);
  g_assert_cmpstr (after, ==, before);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/kvmhelper/lease-changes/other-lease", ServiceFixture, NULL, service_fixture_set_up,
              test_other_lease, service_fixture_tear_down);
  g_test_add ("/kvmhelper/lease-changes/changed-during-question", ServiceFixture, NULL,
              service_fixture_set_up, test_changed_during_question, service_fixture_tear_down);
  return g_test_run ();
}
