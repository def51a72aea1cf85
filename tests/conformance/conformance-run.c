/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conformance-run: asks scripts of kernel calls of the simulated host, or of the kernel that runs
 * here, and compares what both said. README.rst beside this file says how. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/common-error.h"
#include "conformance-calls.h"
#include "conformance-report.h"
#include "conformance-session.h"

#define PACKET           (1024 * 1024)
#define CLEAN_UP_SECONDS 20

static char *option_simulated, *option_host, *option_json;
static gboolean option_real, option_compare, option_calls, option_verbose;
static int option_patience = 1;
static char **option_files;

static const GOptionEntry options[] = {
  { "simulated", 's', 0, G_OPTION_ARG_FILENAME, &option_simulated,
    "ask the model, on the host that this file describes", "HOST.xml" },
  { "real", 'r', 0, G_OPTION_ARG_NONE, &option_real, "ask the kernel that runs here; as root",
    NULL },
  { "host", 'H', 0, G_OPTION_ARG_FILENAME, &option_host,
    "what scripts may use (powernv.host, pseries.host beside the first script)", "FILE" },
  { "json", 'j', 0, G_OPTION_ARG_FILENAME, &option_json, "leave the results in this file too",
    "FILE" },
  { "patience", 'p', 0, G_OPTION_ARG_INT, &option_patience,
    "scripts may take so many times as long", "N" },
  { "verbose", 'v', 0, G_OPTION_ARG_NONE, &option_verbose, "tell of setup that succeeds too",
    NULL },
  { "compare", 'c', 0, G_OPTION_ARG_NONE, &option_compare,
    "compare results of the model and of kernels", NULL },
  { "calls", 0, 0, G_OPTION_ARG_NONE, &option_calls, "list all ioctls with their fields", NULL },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &option_files, NULL,
    "SCRIPT|DIRECTORY…" },
  { NULL },
};

/* All that was heard. */
typedef struct
{
  ConformanceRun run;
  GPtrArray *results; /* elements ConformanceResult */
  guint failed;
} Runner;

static void
take (Runner *runner, ConformanceResult *result)
{
  if (result->status == CONFORMANCE_NOT_OK)
    runner->failed++;
  g_ptr_array_add (runner->results, result);
  conformance_report_tap (result, runner->results->len);
}

/* --- a script, in a child --- */

static void
send_result (gpointer data, const ConformanceResult *result)
{
  int socket = *(int *) data;
  g_autoptr (GVariant) variant = g_variant_ref_sink (conformance_result_to_variant (result));

  if (send (socket, g_variant_get_data (variant), g_variant_get_size (variant), MSG_NOSIGNAL) < 0)
    _exit (3);
}

static gboolean
receive_result (Runner *runner, int socket)
{
  g_autofree char *packet = g_malloc (PACKET);
  gssize length = recv (socket, packet, PACKET, 0);
  g_autoptr (GVariant) variant = NULL;

  if (length <= 0)
    return FALSE;
  variant = g_variant_ref_sink (g_variant_new_from_data (
      G_VARIANT_TYPE (CONFORMANCE_RESULT_TYPE), packet, (gsize) length, FALSE, NULL, NULL));
  take (runner, conformance_result_from_variant (variant));
  return TRUE;
}

static ConformanceResult *
failure (const ConformanceScript *script, const char *what, const char *got)
{
  ConformanceResult *result = conformance_result_new (script->name, 0, what, CONFORMANCE_NOT_OK);

  result->side = script->side;
  result->got = g_strdup (got);
  return result;
}

/* Until the child closes its end, or its time is over: TRUE if it was in time. */
static gboolean
receive (Runner *runner, int socket, guint seconds)
{
  gint64 end = g_get_monotonic_time () + (gint64) seconds * option_patience * G_TIME_SPAN_SECOND;

  for (;;)
    {
      gint64 left = (end - g_get_monotonic_time ()) / G_TIME_SPAN_MILLISECOND;
      struct pollfd poll_fd = { socket, POLLIN, 0 };

      if (left <= 0 || poll (&poll_fd, 1, (int) left) == 0)
        return FALSE;
      if (!receive_result (runner, socket))
        return TRUE;
    }
}

/* A child that tells its results to @socket; NULL: it came to its end, or how it did not. */
static char *
run_child (Runner *runner, const ConformanceScript *script, guint seconds,
           void (*run) (const Runner *runner, const ConformanceScript *script, int *socket))
{
  gboolean in_time;
  int sockets[2], status = 0;
  pid_t pid;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
    return g_strdup ("socketpair");
  fflush (stdout);
  pid = fork ();
  if (pid == 0)
    {
      setpgid (0, 0);
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      close (sockets[0]);
      run (runner, script, &sockets[1]);
      exit (0);
    }
  setpgid (pid, pid);
  close (sockets[1]);
  in_time = receive (runner, sockets[0], seconds);
  close (sockets[0]);
  if (!in_time)
    {
      /* What the kernel does not let go of cannot be waited for. */
      kill (-pid, SIGKILL);
      g_usleep (100000);
      waitpid (pid, &status, WNOHANG);
      return g_strdup ("it was not in time");
    }
  waitpid (pid, &status, 0);
  return WIFSIGNALED (status)        ? g_strdup_printf ("signal %d", WTERMSIG (status))
         : WEXITSTATUS (status) != 0 ? g_strdup_printf ("status %d", WEXITSTATUS (status))
                                     : NULL;
}

static void
run_session (const Runner *runner, const ConformanceScript *script, int *socket)
{
  conformance_session_run (&runner->run, script, send_result, socket);
}

/* What a script that was killed left bound. */
static void
clean_up (const Runner *runner, const ConformanceScript *script, int *socket)
{
  g_autoptr (GError) error = NULL;
  KvmHelperKernel *kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", &error);
  g_autoptr (ConformanceHost) host = NULL;

  if (kernel != NULL)
    host
        = conformance_host_new (kernel, TRUE, runner->run.directory, runner->run.host_file, &error);
  for (guint i = 0; host != NULL && i < script->bind->len; i++)
    {
      g_autofree char *bdf
          = conformance_expand (g_ptr_array_index (script->bind, i), host->variables, &error);

      if (bdf == NULL || !conformance_host_bind_back (kernel, bdf, &error))
        break;
    }
  if (kernel != NULL)
    kvmhelper_kernel_linux_free (kernel);
  if (error != NULL)
    exit (1);
}

/* Whether the kernel has had an oops since it was booted (TAINT_DIE). */
static gboolean
has_died (void)
{
  g_autofree char *tainted = NULL;

  return g_file_get_contents ("/proc/sys/kernel/tainted", &tainted, NULL, NULL)
         && (g_ascii_strtoull (tainted, NULL, 10) & 1 << 7) != 0;
}

/* FALSE: the host is no more what the next script expects. */
static gboolean
run_script (Runner *runner, const ConformanceScript *script)
{
  gboolean died_before = runner->run.calls->real && has_died ();
  g_autofree char *trouble = NULL;
  ConformanceSide other = runner->run.calls->real ? CONFORMANCE_MODEL_ONLY : CONFORMANCE_REAL_ONLY;

  if (script->side == other)
    return TRUE;
  trouble = run_child (runner, script, script->seconds, run_session);
  if (runner->run.calls->real && !died_before && has_died ())
    take (runner, failure (script, "the kernel outlives it", "an oops"));
  if (trouble == NULL)
    return TRUE;
  take (runner, failure (script, "it comes to its end", trouble));
  if (!runner->run.calls->real)
    return TRUE;
  g_free (trouble);
  trouble = run_child (runner, script, CLEAN_UP_SECONDS, clean_up);
  if (trouble != NULL)
    take (runner, failure (script, "the devices are back", trouble));
  return trouble == NULL;
}

/* --- the whole --- */

static ConformanceFacts
facts_of (Runner *runner)
{
  g_autoptr (GError) error = NULL;
  ConformanceFacts facts = { .real = runner->run.calls->real };
  ConformanceSideData *side = runner->run.calls->start (runner->run.description, &error);
  g_autoptr (ConformanceHost) host = NULL;

  if (side == NULL)
    return facts;
  host = conformance_host_new (runner->run.calls->kernel (side), facts.real, runner->run.directory,
                               runner->run.host_file, NULL);
  if (host != NULL)
    {
      facts = host->facts;
      facts.release = g_strdup (host->facts.release);
    }
  runner->run.calls->stop (side);
  return facts;
}

static gboolean
load_script (GPtrArray *scripts, const char *path, GError **error)
{
  ConformanceScript *script = conformance_script_new (path, error);

  if (script != NULL)
    g_ptr_array_add (scripts, script);
  return script != NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

/* All scripts of a directory, by their names. */
static gboolean
load_directory (GPtrArray *scripts, const char *path, GError **error)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, error);
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  if (directory == NULL)
    return FALSE;
  while ((name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, ".check"))
      g_ptr_array_add (files, g_build_filename (path, name, NULL));
  g_ptr_array_sort (files, compare_names);
  for (guint i = 0; i < files->len; i++)
    if (!load_script (scripts, g_ptr_array_index (files, i), error))
      return FALSE;
  return TRUE;
}

static GPtrArray *
load_scripts (GError **error)
{
  g_autoptr (GPtrArray) scripts
      = g_ptr_array_new_with_free_func ((GDestroyNotify) conformance_script_free);

  for (guint i = 0; option_files[i] != NULL; i++)
    if (!(g_file_test (option_files[i], G_FILE_TEST_IS_DIR)
              ? load_directory (scripts, option_files[i], error)
              : load_script (scripts, option_files[i], error)))
      return NULL;
  return g_steal_pointer (&scripts);
}

static int
run_scripts (GError **error)
{
  g_autofree char *directory = g_file_test (option_files[0], G_FILE_TEST_IS_DIR)
                                   ? g_strdup (option_files[0])
                                   : g_path_get_dirname (option_files[0]);
  g_autoptr (GPtrArray) scripts = load_scripts (error);
  Runner runner = { 0 };
  int status;

  if (scripts == NULL)
    return 2;
  runner.run.calls = option_real ? &conformance_real : &conformance_model;
  runner.run.description = option_simulated;
  runner.run.directory = directory;
  runner.run.host_file = option_host;
  runner.run.verbose = option_verbose;
  runner.results = g_ptr_array_new_with_free_func ((GDestroyNotify) conformance_result_free);
  for (guint i = 0; i < scripts->len; i++)
    if (!run_script (&runner, g_ptr_array_index (scripts, i)))
      {
        g_print ("Bail out! The host is stuck.\n");
        break;
      }
  g_print ("1..%u\n", runner.results->len);
  g_print ("# %u not as expected\n", runner.failed);
  status = runner.failed > 0 ? 1 : 0;
  if (option_json != NULL)
    {
      ConformanceFacts facts = facts_of (&runner);

      if (!conformance_report_json (option_json, &facts, runner.results, error))
        status = 2;
      g_free (facts.release);
    }
  g_ptr_array_unref (runner.results);
  return status;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context
      = g_option_context_new ("- kernel calls and their answers, asked of the model or a kernel");
  g_autoptr (GError) error = NULL;
  int status = 2;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    ;
  else if (option_calls)
    {
      conformance_calls_print ();
      status = 0;
    }
  else if (option_files == NULL || (option_real + option_compare + (option_simulated != NULL)) != 1)
    g_set_error (&error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
                 "one of --simulated, --real and --compare is needed, and files (--help)");
  else if (option_compare)
    {
      int differences = conformance_compare (option_files, &error);

      status = differences < 0 ? 2 : differences > 0 ? 1 : 0;
    }
  else
    status = run_scripts (&error);
  if (error != NULL)
    g_printerr ("conformance-run: %s\n", error->message);
  g_strfreev (option_files);
  g_free (option_simulated);
  g_free (option_host);
  g_free (option_json);
  return status;
}
