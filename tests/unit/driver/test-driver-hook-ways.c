/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "driver-hook-side.h"

/* Other ways for a guest to come to a device, to come, and to go. */

/* --- the ports of networks --- */

#define PORT(plug)                                                                                 \
  "<hookData><network><name>functions</name><forward mode='hostdev'/></network><networkport>"      \
  "<owner><name>guest</name><uuid>5BD1DC5D-9a3f-4c62-8d4b-70773970c640</uuid></owner>"             \
  "<mac address='52:54:00:00:00:01'/>" plug "</networkport></hookData>"
#define PORT_OF(domain)                                                                            \
  PORT ("<plug type='hostdev-pci' managed='yes'><driver name='vfio'/><address domain='" domain     \
        "' bus='0x01' slot='0x00' function='0x0'/></plug>")
#define ON_NETWORK "<interface type='network'><source network='functions'/></interface>"

/* A guest that starts, and has its function by a network, which says which when it has begun. */
static void
test_network (TestHook *self, gconstpointer data)
{
  g_autofree char *before = test_hook_xml ("kvm", "", ON_NETWORK);
  g_autofree char *after = test_hook_xml ("kvm", "", TEST_HOSTDEV2);

  test_hook_check (self, "prepare", before, 0, NULL, "");
  test_hook_check (self, "port-created", PORT_OF ("0x0002"), 0, NULL, "Prepare(0002:01:00.0,auto)");
  /* libvirtd tells of it again when it is restarted. */
  test_hook_check (self, "port-created", PORT_OF ("0x0002"), 0, NULL, "");
  test_hook_check (self, "started", after, 0, NULL, "Commit(L1)");
  test_hook_check (self, "port-deleted", PORT_OF ("0x0002"), 0, NULL, "");
  test_hook_check (self, "release", after, 0, NULL, "Release(L1)");
}

/* One that runs, to which something was attached. */
static void
test_network_hot (TestHook *self, gconstpointer data)
{
  test_helper_add_lease (self->fake, TEST_UUID, "0001:01:00.0", "prepared", 1);
  /* The network chose another than it looked like. */
  test_hook_check (self, "port-created", PORT_OF ("0x0002"), 0, NULL, "Prepare(0002:01:00.0,auto)");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 2);
}

/* Of a guest that is none of ours, and of ports that give nothing of the host's. */
static void
test_network_others (TestHook *self, gconstpointer data)
{
  g_autofree char *tcg = test_hook_xml ("qemu", "", ON_NETWORK);
  g_autofree char *kvm = test_hook_xml ("kvm", "", ON_NETWORK);

  test_hook_check (self, "prepare", tcg, 0, NULL, "");
  test_hook_check (self, "port-created", PORT_OF ("0x0002"), 0, NULL, "");
  test_hook_check (self, "prepare", kvm, 0, NULL, "");
  test_hook_check (self, "port-created", PORT ("<plug type='network' bridge='br0'/>"), 0, NULL, "");
  test_hook_check (self, "port-created", PORT (""), 0, NULL, "");
  test_hook_check (self, "port-created", "hostdev-pci", 0, NULL, "");
  test_hook_check (self, "port-created", "<hookData>hostdev-pci</hookData>", 0, NULL, "");
  test_hook_check (self, "plugged", PORT_OF ("0x0002"), 0, NULL, "");
  g_assert_cmpuint (test_helper_get_n_leases (self->fake), ==, 0);
}

static void
test_network_refused (TestHook *self, gconstpointer data)
{
  g_autofree char *xml = test_hook_xml ("kvm", "", ON_NETWORK);
  g_autofree char *words = NULL;

  test_hook_check (self, "prepare", xml, 0, NULL, "");
  test_helper_fail_prepare (self->fake, "0002:01:00.0");
  test_hook_check (self, "port-created", PORT_OF ("0x0002"), 1, "EEH said no.",
                   "Prepare(0002:01:00.0,auto)");
  test_helper_leave (self->fake);
  test_hook_check (self, "port-created", PORT_OF ("0x0002"), 1, "systemctl status ppc64-kvmhelper",
                   "");
  /* Without virtppc64d it is not known whose it is. */
  g_assert_no_errno (g_unlink (self->path));
  g_assert_cmpint (test_hook_run (self->path, "port-created", PORT_OF ("0x0002"), &words), ==, 0);
  /* … and a guest without a device starts. */
  g_clear_pointer (&words, g_free);
  g_assert_cmpint (test_hook_run (self->path, "prepare", xml, &words), ==, 0);
  g_assert_cmpstr (words, ==, "");
}

/* --- other ways for a guest to come, and to go --- */

/* At the destination, and without asking anybody. */
static void
test_migrate (TestHook *self, gconstpointer data)
{
  g_autofree char *xml = test_hook_xml ("kvm", "", TEST_HOSTDEV TEST_HOSTDEV2);
  g_autofree char *none = test_hook_xml ("kvm", "", ON_NETWORK);
  g_autofree char *pair = test_hook_xml (
      "kvm", "",
      "<hostdev mode='subsystem' type='pci'><source><address domain='1' bus='1'/></source>"
      "<teaming type='transient' persistent='ua-net0'/></hostdev>");

  test_hook_check (self, "migrate", xml, 1, "(0001:01:00.0, 0002:01:00.0). Detach them first", "");
  test_hook_check (self, "migrate", none, 0, NULL, "");
  test_hook_check (self, "migrate", pair, 0, NULL, "");
}

/* libvirt calls `restore` to have the XML changed, and then starts the guest as any other. */
static void
test_restore (TestHook *self, gconstpointer data)
{
  g_autofree char *xml = test_hook_xml ("kvm", "", TEST_HOSTDEV);

  test_hook_check (self, "restore", xml, 0, NULL, "");
  test_hook_check (self, "prepare", xml, 0, NULL, "GetHost Prepare(0001:01:00.0,auto)");
  test_hook_check (self, "start", xml, 0, NULL, "");
  test_hook_check (self, "started", xml, 0, NULL, "Commit(L1)");
  /* Saved: QEMU has gone. */
  test_hook_check (self, "stopped", xml, 0, NULL, "");
  test_hook_check (self, "release", xml, 0, NULL, "Release(L1)");
}

/* A guest that runs is stopped, and started from the snapshot, which may have other devices. */
static void
test_revert (TestHook *self, gconstpointer data)
{
  g_autofree char *now = test_hook_xml ("kvm", "", TEST_HOSTDEV);
  g_autofree char *then = test_hook_xml ("kvm", "", TEST_HOSTDEV2);

  test_hook_check (self, "prepare", now, 0, NULL, "GetHost Prepare(0001:01:00.0,auto)");
  test_hook_check (self, "started", now, 0, NULL, "Commit(L1)");
  test_hook_check (self, "stopped", now, 0, NULL, "");
  test_hook_check (self, "release", now, 0, NULL, "Release(L1)");
  test_hook_check (self, "prepare", then, 0, NULL, "GetHost Prepare(0002:01:00.0,auto)");
  test_hook_check (self, "started", then, 0, NULL, "Commit(L2)");
}

/* Its own limit of time: what it then says, and for which operation that is a refusal. */
static void
check_timeout (const char *path, const char *operation, int status)
{
  g_autofree char *xml = test_hook_xml ("kvm", "", TEST_HOSTDEV);
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autoptr (GError) error = NULL;
  char words[256] = "";

  g_subprocess_launcher_setenv (launcher, DRIVER_HOOK_SOCKET_ENV, path, TRUE);
  g_autoptr (GSubprocess) process = g_subprocess_launcher_spawn (
      launcher, &error, DRIVER_HOOK, "guest", operation, "begin", "-", NULL);
  g_assert_no_error (error);
  g_output_stream_write_all (g_subprocess_get_stdin_pipe (process), xml, strlen (xml), NULL, NULL,
                             &error);
  g_output_stream_close (g_subprocess_get_stdin_pipe (process), NULL, &error);
  g_assert_no_error (error);
  /* It connects to one who never answers; then its time is over. */
  test_run_for (300);
  g_subprocess_send_signal (process, SIGALRM);
  g_subprocess_wait (process, NULL, NULL);
  g_assert_true (g_subprocess_get_if_exited (process));
  g_assert_cmpint (g_subprocess_get_exit_status (process), ==, status);
  g_input_stream_read_all (g_subprocess_get_stderr_pipe (process), words, sizeof words - 1, NULL,
                           NULL, &error);
  g_assert_nonnull (strstr (words, "did not answer in time"));
}

static void
test_timeout (void)
{
  g_autofree char *directory = g_dir_make_tmp ("hook-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (directory, "hook", NULL);
  g_autoptr (GSocketListener) deaf = g_socket_listener_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  g_autoptr (GError) error = NULL;

  g_socket_listener_add_address (deaf, address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
                                 NULL, NULL, &error);
  g_assert_no_error (error);
  check_timeout (path, "prepare", 1);
  check_timeout (path, "started", 0);
  check_timeout (path, "reconnect", 0);
  check_timeout (path, "release", 0);
  g_unlink (path);
  g_rmdir (directory);
}

int
main (int argc, char **argv)
{
#define ADD(name, function)                                                                        \
  g_test_add ("/driver/hook/" name, TestHook, NULL, test_hook_set_up, function, test_hook_tear_down)

  g_test_init (&argc, &argv, NULL);
  /* Here things are meant to go wrong, and warned of. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("network", test_network);
  ADD ("network/hot", test_network_hot);
  ADD ("network/others", test_network_others);
  ADD ("network/refused", test_network_refused);
  ADD ("migrate", test_migrate);
  ADD ("restore", test_restore);
  ADD ("revert", test_revert);
  g_test_add_func ("/driver/hook/timeout", test_timeout);
  return g_test_run ();
}
