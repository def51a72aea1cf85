/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-ways.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const bench_way_names[BENCH_WAYS_MAX] = { "direct", "relayed", "proxied" };

/* Two hundred clients in this process, and each with all ways at once: the children inherit it. */
static void
raise_limit (void)
{
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = limit.rlim_max;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static char *
new_directory (const char *parent)
{
  g_autofree char *template = g_build_filename (parent, "bench-relay-XXXXXX", NULL);

  g_assert_nonnull (g_mkdtemp (template));
  test_daemon_give (template);
  return g_steal_pointer (&template);
}

char *
bench_ways_new_directory (void)
{
  return new_directory (access ("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir ());
}

/* Who runs it may not enter the directory that it was built in. */
static void
copy_program (const char *from, const char *to)
{
  const char *const names[] = { "virtproxyd", "libvirt.so.0" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *source_path = g_build_filename (from, names[i], NULL);
      g_autofree char *target_path = g_build_filename (to, names[i], NULL);
      g_autoptr (GFile) source = g_file_new_for_path (source_path);
      g_autoptr (GFile) target = g_file_new_for_path (target_path);
      g_autoptr (GError) error = NULL;

      g_file_copy (source, target, G_FILE_COPY_TARGET_DEFAULT_PERMS, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (chmod (target_path, 0755), ==, 0);
    }
}

static void
start_proxy (BenchWays *self, const char *from)
{
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autofree char *sockets = NULL, *program = NULL;
  g_autoptr (GError) error = NULL;

  self->proxy_directory = new_directory (g_get_tmp_dir ());
  copy_program (from, self->proxy_directory);
  sockets = g_build_filename (self->proxy_directory, "libvirt", NULL);
  program = g_build_filename (self->proxy_directory, "virtproxyd", NULL);
  test_daemon_set_up (launcher, self->proxy_directory);
  g_subprocess_launcher_setenv (launcher, "LD_LIBRARY_PATH", self->proxy_directory, TRUE);
  self->proxy = g_subprocess_launcher_spawn (launcher, &error, program, "--timeout", "0", NULL);
  g_assert_no_error (error);
  test_daemon_wait (sockets);
}

void
bench_ways_start (BenchWays *self)
{
  const char *proxy = g_getenv ("VIRTPROXYD");

  *self = (BenchWays){ .n = 2 };
  raise_limit ();
  test_daemon_start (&self->daemons);
  if (proxy == NULL || *proxy == '\0')
    return;
  start_proxy (self, proxy);
  self->n = 3;
}

void
bench_ways_stop (BenchWays *self)
{
  if (self->proxy != NULL)
    {
      g_subprocess_send_signal (self->proxy, SIGTERM);
      g_subprocess_wait (self->proxy, NULL, NULL);
      g_object_unref (self->proxy);
      test_daemon_remove_tree (self->proxy_directory);
      g_free (self->proxy_directory);
    }
  test_daemon_stop (&self->daemons);
}

char *
bench_ways_uri (const BenchWays *self, BenchWay way, const char *scheme, const char *path)
{
  /* virtproxyd opens what is named there, else a daemon of the machine's. */
  if (way == BENCH_WAY_PROXIED)
    return g_strdup_printf ("%s+unix:///%s?socket=%s/libvirt/libvirt-sock"
                            "&name=%s:///%s%%3Fsocket%%3D%s/libvirt-sock",
                            scheme, path, self->proxy_directory, scheme, path,
                            self->daemons.sockets);
  return test_daemon_uri (&self->daemons, scheme, path, way == BENCH_WAY_RELAYED);
}

const char *
bench_ways_process (const BenchWays *self, BenchWay way)
{
  GSubprocess *const processes[] = { self->daemons.libvirtd, self->daemons.driver, self->proxy };

  return g_subprocess_get_identifier (processes[way]);
}
