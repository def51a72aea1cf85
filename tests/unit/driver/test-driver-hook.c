/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "driver-hook-side.h"

/* Nothing of these ever asks anybody: the socket is not even there. */
static void
test_none_of_ours (void)
{
  static const char *const types[] = { "qemu", "kvm", "kvm" };
  static const char *const operations[]
      = { "prepare", "start", "started", "stopped", "release", "reconnect", "migrate" };
  g_autofree char *message = NULL;

  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    for (gsize o = 0; o < G_N_ELEMENTS (operations); o++)
      {
        g_autofree char *text = test_hook_xml (types[t], "", t != 1 ? TEST_HOSTDEV : TEST_DISK);
        g_autoptr (GString) xml = g_string_new (text);
        g_autofree char *words = NULL;

        if (t == 2)
          g_assert_cmpuint (g_string_replace (xml, "'ppc64le' machine='pseries-7.2'",
                                              "'s390x' machine='s390-ccw-virtio-8.2'", 0),
                            ==, 1);
        g_assert_cmpint (test_hook_run ("/nonexistent/hook", operations[o], xml->str, &words), ==,
                         0);
        g_assert_cmpstr (words, ==, "");
      }
  g_assert_cmpint (test_hook_run ("/nonexistent/hook", "prepare", "no XML at all", &message), ==,
                   0);
}

/* Only a start may be stopped. At `started` and `reconnect` a failure would kill the guest. */
static void
test_no_driver (TestHook *self, gconstpointer data)
{
  static const char *const operations[] = { "started", "release", "reconnect" };
  g_autofree char *xml = test_hook_xml ("kvm", "", TEST_HOSTDEV);
  g_autofree char *message = NULL, *early = NULL;

  /* Not before virtppc64d has its place, at the next boot. */
  g_assert_cmpint (test_hook_run ("/nonexistent/hook", "prepare", xml, &early), ==, 0);
  g_assert_cmpstr (early, ==, "");

  /* libvirt's socket stays. */
  g_assert_no_errno (g_unlink (self->path));
  g_assert_cmpint (test_hook_run (self->path, "prepare", xml, &message), ==, 1);
  g_assert_nonnull (strstr (message, "systemctl status virtppc64d"));
  for (gsize i = 0; i < G_N_ELEMENTS (operations); i++)
    {
      g_autofree char *words = NULL;

      g_assert_cmpint (test_hook_run (self->path, operations[i], xml, &words), ==, 0);
    }
}

static void
test_life (TestHook *self, gconstpointer data)
{
  g_autofree char *xml
      = test_hook_xml ("kvm", "", TEST_HOSTDEV TEST_HOSTDEV_XML ("0x0001", "0x1") TEST_HOSTDEV2);

  test_hook_check (self, "prepare", xml, 0, NULL,
                   "GetHost Prepare(0001:01:00.0,auto) Prepare(0002:01:00.0,auto)");
  test_hook_check (self, "start", xml, 0, NULL, "");
  test_hook_check (self, "started", xml, 0, NULL, "Commit(L1) Commit(L2)");
  test_hook_check (self, "reconnect", xml, 0, NULL, "");
  /* libvirt resets the devices between the two. */
  test_hook_check (self, "stopped", xml, 0, NULL, "");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 2);
  test_hook_check (self, "release", xml, 0, NULL, "Release(L1) Release(L2)");
  /* Once more, as after a start that failed. */
  test_hook_check (self, "release", xml, 0, NULL, "");
}

/* The strongest wish of a group's devices holds for it. */
static void
test_rehearse (TestHook *self, gconstpointer data)
{
  g_autofree char *xml = test_hook_xml (
      "kvm",
      "<ppc64:passthrough xmlns:ppc64='http://libvirt.org/schemas/domain/ppc64/1.0' "
      "rehearse='never'><ppc64:device rehearse='always'><ppc64:address domain='0x0001' bus='0x01' "
      "slot='0x00' function='0x1'/></ppc64:device></ppc64:passthrough>",
      TEST_HOSTDEV TEST_HOSTDEV_XML ("0x0001", "0x1") TEST_HOSTDEV2);

  test_hook_check (self, "prepare", xml, 0, NULL,
                   "GetHost Prepare(0001:01:00.0,always) Prepare(0002:01:00.0,never)");
}

static void
test_refused (TestHook *self, gconstpointer data)
{
  g_autofree char *xml = test_hook_xml ("kvm", "", TEST_HOSTDEV TEST_HOSTDEV2);
  g_autofree char *unknown = test_hook_xml ("kvm", "", TEST_HOSTDEV_XML ("0x0077", "0x0"));
  g_autofree char *metadata = test_hook_xml (
      "kvm",
      "<ppc64:passthrough xmlns:ppc64='http://libvirt.org/schemas/domain/ppc64/1.0' xive='maybe'/>",
      TEST_HOSTDEV);

  /* The second group cannot be had: the first one is given back. */
  test_helper_fail_prepare (self->fake, "0002:01:00.0");
  test_hook_check (self, "prepare", xml, 1, "EEH said no.",
                   "GetHost Prepare(0001:01:00.0,auto) Prepare(0002:01:00.0,auto) Release(L1)");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 0);
  test_hook_check (self, "release", xml, 0, NULL, "");
  test_hook_check (self, "prepare", unknown, 1, "0077:01:00.0", "GetHost");
  test_hook_check (self, "prepare", metadata, 1, "xive", "");
  test_hook_check (self, "reconnect", metadata, 0, "xive", "");

  test_helper_leave (self->fake);
  test_hook_check (self, "prepare", xml, 1, "systemctl status ppc64-kvmhelper", "");
  test_hook_check (self, "started", xml, 0, NULL, "");
  test_hook_check (self, "release", xml, 0, NULL, "");
}

/* libvirt gave up while the group was taken. */
static void
test_killed (TestHook *self, gconstpointer data)
{
  g_autofree char *xml = test_hook_xml ("kvm", "", TEST_HOSTDEV);
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE);
  g_autoptr (GError) error = NULL;

  test_helper_hold (self->fake);
  g_subprocess_launcher_setenv (launcher, DRIVER_HOOK_SOCKET_ENV, self->path, TRUE);
  g_autoptr (GSubprocess) process = g_subprocess_launcher_spawn (
      launcher, &error, DRIVER_HOOK, "guest", "prepare", "begin", "-", NULL);
  g_assert_no_error (error);
  g_output_stream_write_all (g_subprocess_get_stdin_pipe (process), xml, strlen (xml), NULL, NULL,
                             &error);
  g_output_stream_close (g_subprocess_get_stdin_pipe (process), NULL, &error);
  g_assert_no_error (error);
  test_wait (test_helper_is_holding, self->fake);
  g_subprocess_force_exit (process);
  g_subprocess_wait (process, NULL, NULL);
  test_helper_go (self->fake);
  for (int i = 0; i < 100 && test_helper_get_n_leases (self->fake) > 0; i++)
    test_run_for (20);
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 0);
}

/* What is no request is not answered, and does no harm. */
static void
test_garbage (TestHook *self, gconstpointer data)
{
  static const char *const garbage[] = { "", "\0\0", "\xff\xff\xff\xff", "\0\0\0\4abcd" };
  static const gsize lengths[] = { 0, 2, 4, 8 };
  g_autofree char *xml = test_hook_xml ("kvm", "", TEST_HOSTDEV);

  for (gsize i = 0; i < G_N_ELEMENTS (garbage); i++)
    {
      g_autoptr (GSocketClient) client = g_socket_client_new ();
      g_autoptr (GSocketAddress) address = g_unix_socket_address_new (self->path);
      g_autoptr (GError) error = NULL;
      g_autoptr (GSocketConnection) connection
          = g_socket_client_connect (client, G_SOCKET_CONNECTABLE (address), NULL, &error);

      g_assert_no_error (error);
      GSocket *socket = g_socket_connection_get_socket (connection);
      if (lengths[i] > 0)
        g_socket_send (socket, garbage[i], lengths[i], NULL, NULL);
      g_socket_shutdown (socket, FALSE, TRUE, NULL);
    }
  test_run_for (50);
  test_hook_check (self, "prepare", xml, 0, NULL, "GetHost Prepare(0001:01:00.0,auto)");
}

/* virtppc64d ends, and waits for something still: a guest that starts meanwhile is not refused. */
static void
test_next (TestHook *self, gconstpointer data)
{
  g_autofree char *xml = test_hook_xml ("kvm", "", TEST_HOSTDEV);
  int listener = dup (self->fds[DRIVER_SOCKET_HOOK]);
  DriverHelper *helper = driver_helper_new (test_helper_get_address (self->fake));
  DriverTransactions *transactions = driver_transactions_new (helper, &self->domains, 60);
  g_autoptr (GError) error = NULL;

  driver_hook_stop (self->hook);
  driver_helper_give_up (self->helper);
  DriverHook *next = driver_hook_new (listener, helper, transactions, &error);
  g_assert_no_error (error);
  test_hook_check (self, "prepare", xml, 0, NULL, "GetHost Prepare(0001:01:00.0,auto)");
  test_hook_check (self, "release", xml, 0, NULL, "Release(L1)");
  driver_hook_free (next);
  driver_transactions_free (transactions);
  driver_helper_free (helper);
}

int
main (int argc, char **argv)
{
#define ADD(name, function)                                                                        \
  g_test_add ("/driver/hook/" name, TestHook, NULL, test_hook_set_up, function, test_hook_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/driver/hook/none-of-ours", test_none_of_ours);
  ADD ("no-driver", test_no_driver);
  ADD ("life", test_life);
  ADD ("rehearse", test_rehearse);
  ADD ("refused", test_refused);
  ADD ("killed", test_killed);
  ADD ("next", test_next);
  ADD ("garbage", test_garbage);
  return g_test_run ();
}
