/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-worker.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

#define END_LINE "end"

static void
print_step (const KvmHelperStep *step, gpointer data)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (kvmhelper_step_to_variant (step));
  g_autofree char *text = g_variant_print (variant, TRUE);

  printf ("%s\n", text);
  fflush (stdout);
}

int
kvmhelper_worker_main (const KvmHelperKernel *kernel, const char *group, const char *address)
{
  PciAddress function;
  guint64 number;

  /* The helper's end, however it comes, is the worker's. */
  if (prctl (PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid () == 1)
    return EXIT_FAILURE;
  if (!g_ascii_string_to_unsigned (group, 10, 0, G_MAXUINT, &number, NULL)
      || !pci_address_parse (address, &function, NULL))
    return EXIT_FAILURE;
  kvmhelper_rehearsal_run (kernel, (guint) number, &function, print_step, NULL);
  puts (END_LINE);
  fflush (stdout);
  return EXIT_SUCCESS;
}

/* The parent's side of a worker. */
typedef struct
{
  GSubprocess *process;
  int output;
  GString *text; /* what came, without the lines that were taken */
  GPtrArray *steps;
  KvmHelperStepFunc step;
  gpointer data;
  gboolean ended; /* it said so */
} Worker;

static void
add_step (Worker *self, KvmHelperStep *step)
{
  g_ptr_array_add (self->steps, step);
  self->step (step, self->data);
}

static void
take_line (Worker *self, const char *line)
{
  KvmHelperStep *step;

  if (g_str_equal (line, END_LINE))
    {
      self->ended = TRUE;
      return;
    }
  step = kvmhelper_step_from_line (line);
  if (step != NULL)
    add_step (self, step);
}

static void
take_lines (Worker *self)
{
  char *end;

  while ((end = strchr (self->text->str, '\n')) != NULL)
    {
      *end = '\0';
      take_line (self, self->text->str);
      g_string_erase (self->text, 0, end - self->text->str + 1);
    }
}

/* Reads until the worker closes its output: TRUE; FALSE when time or patience ended before. */
static gboolean
read_output (Worker *self, GCancellable *cancellable)
{
  gint64 deadline = g_get_monotonic_time () + KVMHELPER_REHEARSAL_SECONDS * G_USEC_PER_SEC;

  for (;;)
    {
      GPollFD fds[2] = { { .fd = self->output, .events = G_IO_IN | G_IO_HUP } };
      gboolean watched = g_cancellable_make_pollfd (cancellable, &fds[1]);
      gint64 left = deadline - g_get_monotonic_time ();
      char buffer[4096];
      gssize n;
      int ready = left <= 0 ? 0 : g_poll (fds, watched ? 2 : 1, (int) (left / 1000) + 1);

      if (watched)
        g_cancellable_release_fd (cancellable);
      if (ready == 0 || g_cancellable_is_cancelled (cancellable))
        return FALSE;
      if (fds[0].revents == 0)
        continue;
      n = read (self->output, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return TRUE;
      g_string_append_len (self->text, buffer, n);
      take_lines (self);
      if (self->text->len > KVMHELPER_MAX_STEP_LINE)
        return FALSE;
    }
}

static gboolean
give_up_waiting (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

typedef enum
{
  REAP_WAITING,
  REAP_DONE,
  REAP_GIVEN_UP
} Reaping;

static void
note_end (GObject *source, GAsyncResult *result, gpointer data)
{
  Reaping *reaping = data;

  *reaping
      = g_subprocess_wait_finish (G_SUBPROCESS (source), result, NULL) ? REAP_DONE : REAP_GIVEN_UP;
}

/* Reaps the worker: FALSE where it does not go, as one that hangs in the kernel. */
static gboolean
reap (Worker *self)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GCancellable) patience = g_cancellable_new ();
  g_autoptr (GSource) timer = g_timeout_source_new_seconds (KVMHELPER_REAP_SECONDS);
  Reaping reaping = REAP_WAITING;

  g_main_context_push_thread_default (context);
  g_source_set_callback (timer, give_up_waiting, patience, NULL);
  g_source_attach (timer, context);
  g_subprocess_wait_async (self->process, patience, note_end, &reaping);
  while (reaping == REAP_WAITING)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (timer);
  g_main_context_pop_thread_default (context);
  return reaping == REAP_DONE;
}

static void
add_failure (Worker *self, const char *meaning)
{
  KvmHelperStep *step = g_new0 (KvmHelperStep, 1);

  step->name = g_strdup ("worker");
  step->title = g_strdup (_ ("The process that rehearses"));
  step->result = KVMHELPER_STEP_FAILED;
  step->meaning = g_strdup (meaning);
  step->detail = g_strdup ("");
  add_step (self, step);
}

static void
run_worker (Worker *self, GCancellable *cancellable)
{
  gboolean whole = read_output (self, cancellable);

  if (!whole)
    g_subprocess_force_exit (self->process);
  if (!reap (self))
    {
      add_failure (self, _ ("It hangs in the kernel and cannot be ended; see the kernel's log"));
      return;
    }
  if (!whole && !g_cancellable_is_cancelled (cancellable))
    add_failure (self, _ ("It took too long and was ended"));
  else if (whole && !self->ended)
    add_failure (self, g_subprocess_get_if_signaled (self->process)
                           ? _ ("It was ended by a signal in the middle")
                           : _ ("It gave up in the middle"));
}

GPtrArray *
kvmhelper_worker_rehearse (const KvmHelperKernel *kernel, guint group, const PciAddress *address,
                           KvmHelperStepFunc step, gpointer data, GCancellable *cancellable,
                           GError **error)
{
  Worker self = { .step = step, .data = data };
  g_autofree char *number = g_strdup_printf ("%u", group);
  g_autoptr (GPtrArray) steps
      = g_ptr_array_new_with_free_func ((GDestroyNotify) kvmhelper_step_free);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) local = NULL;
  char name[PCI_ADDRESS_LEN];

  pci_address_format (address, name);
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &local, "/proc/self/exe",
                              KVMHELPER_WORKER_OPTION, number, name, NULL);
  if (process == NULL)
    {
      g_set_error (error, COMMON_ERROR, COMMON_ERROR_INTERNAL,
                   _ ("The rehearsal could not be started: %s"), local->message);
      return NULL;
    }
  self.process = process;
  self.output
      = g_unix_input_stream_get_fd (G_UNIX_INPUT_STREAM (g_subprocess_get_stdout_pipe (process)));
  self.text = text;
  self.steps = steps;
  run_worker (&self, cancellable);
  if (g_cancellable_is_cancelled (cancellable))
    {
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_CANCELLED,
                           _ ("The rehearsal was broken off, as the helper stops"));
      return NULL;
    }
  return g_steal_pointer (&steps);
}
