/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-simulation.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper/simulated/kvmhelper-fault.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"

#include <glib/gi18n-lib.h>

/* As the unit has it, LimitMEMLOCK= (data/ppc64-kvmhelper.service.in). */
#define MEMLOCK (64 * 1024 * 1024)

/* What a fault puts in the place of a function: a network card that hardly is the one before. */
#define OTHER_VENDOR 0x8086
#define OTHER_DEVICE 0x10fb

struct _KvmHelperSimulation
{
  KvmHelperKernel kernel; /* first: who has this has all of it */
  KvmHelperSim *host;
  KvmHelperSimProcess *helper;
  KvmHelperFaults *faults;
  KvmHelperKernel *faulty; /* the helper's, with them */
  char *name;              /* of the description: its file's, without the directory */
  char *state;             /* where the host is kept */
};

/* As SIGKILL would: what the host has become is all that is left. */
static void
on_kill (gpointer simulation)
{
  g_autoptr (GError) error = NULL;

  if (!kvmhelper_simulation_save (simulation, &error))
    g_warning ("%s", error->message);
  g_message ("A fault ends the helper here");
  _exit (128 + SIGKILL);
}

/* What is gone already cannot go once more. */
static void
on_vanish (const PciAddress *address, gpointer data)
{
  KvmHelperSimulation *simulation = data;

  kvmhelper_sim_inject_unplug (simulation->host, address, NULL);
}

static void
on_replace (const PciAddress *address, gpointer data)
{
  KvmHelperSimulation *simulation = data;

  kvmhelper_sim_inject_replace (simulation->host, address, OTHER_VENDOR, OTHER_DEVICE, NULL);
}

/* A process that is allowed what the helper's unit allows. */
static KvmHelperSimProcess *
start_process (KvmHelperSim *host, guint parent)
{
  const KvmHelperSimProcessConfig config
      = { .command = "ppc64-kvmhelper", .memlock = MEMLOCK, .parent = parent };

  return kvmhelper_sim_process_new (host, &config);
}

/* Leases without the host that they are of are a real helper's: with another host they would be
 * taken for those of another boot, and dropped. */
static gboolean
check_directory (const char *state_directory, GError **error)
{
  g_autofree char *leases = g_build_filename (state_directory, "leases", NULL);

  if (!g_file_test (leases, G_FILE_TEST_EXISTS))
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("%s has leases, and no simulated host that they are of; use another directory"),
               state_directory);
  return FALSE;
}

/* The host is there from the first start on, so that a directory is known to be a simulated one's
 * whatever becomes of this process. */
static gboolean
open_host (KvmHelperSimulation *simulation, const char *file, const char *state_directory,
           GError **error)
{
  gboolean resumed = g_file_test (simulation->state, G_FILE_TEST_EXISTS);

  if (!resumed && !check_directory (state_directory, error))
    return FALSE;
  simulation->host = kvmhelper_sim_new_from_file (resumed ? simulation->state : file, error);
  if (simulation->host == NULL)
    return FALSE;
  if (resumed)
    {
      g_message ("The host goes on as it was left in %s; to begin anew, use another directory",
                 simulation->state);
      return TRUE;
    }
  if (g_mkdir_with_parents (state_directory, 0700) == 0)
    return kvmhelper_simulation_save (simulation, error);
  common_error_set_errno (error, errno, "%s", state_directory);
  return FALSE;
}

KvmHelperSimulation *
kvmhelper_simulation_new (const char *file, const char *state_directory, char **rules,
                          GError **error)
{
  static char *no_rules[] = { NULL };
  g_autoptr (KvmHelperSimulation) simulation = g_new0 (KvmHelperSimulation, 1);
  KvmHelperFaultHooks hooks = { on_kill, on_vanish, on_replace, simulation };

  simulation->faults = kvmhelper_faults_parse (
      (const char *const *) (rules == NULL ? no_rules : rules), &hooks, error);
  if (simulation->faults == NULL)
    return NULL;
  simulation->state = g_build_filename (state_directory, KVMHELPER_SIMULATION_STATE, NULL);
  if (!open_host (simulation, file, state_directory, error))
    return NULL;
  simulation->helper = start_process (simulation->host, 0);
  simulation->faulty = kvmhelper_faults_wrap (simulation->faults,
                                              kvmhelper_sim_process_kernel (simulation->helper));
  simulation->kernel = *simulation->faulty;
  simulation->kernel.simulated = simulation->name = g_path_get_basename (file);
  return g_steal_pointer (&simulation);
}

gboolean
kvmhelper_simulation_save (KvmHelperSimulation *simulation, GError **error)
{
  g_autofree char *xml = kvmhelper_sim_to_xml (simulation->host);

  return g_file_set_contents_full (simulation->state, xml, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                   error);
}

void
kvmhelper_simulation_free (KvmHelperSimulation *simulation)
{
  g_clear_pointer (&simulation->faulty, kvmhelper_faults_unwrap);
  g_clear_pointer (&simulation->faults, kvmhelper_faults_free);
  g_clear_pointer (&simulation->host, kvmhelper_sim_free);
  g_free (simulation->name);
  g_free (simulation->state);
  g_free (simulation);
}

KvmHelperSim *
kvmhelper_simulation_host (KvmHelperSimulation *simulation)
{
  return simulation->host;
}

const KvmHelperKernel *
kvmhelper_simulation_kernel (const KvmHelperSimulation *simulation)
{
  return &simulation->kernel;
}

GPtrArray *
kvmhelper_simulation_rehearse (const KvmHelperKernel *kernel, guint group,
                               const PciAddress *address, KvmHelperStepFunc step, gpointer data,
                               GCancellable *cancellable, GError **error)
{
  const KvmHelperSimulation *simulation = (const KvmHelperSimulation *) kernel;
  KvmHelperSimProcess *worker = start_process (simulation->host, kernel->pid);
  KvmHelperKernel *faulty
      = kvmhelper_faults_wrap (simulation->faults, kvmhelper_sim_process_kernel (worker));
  g_autoptr (GPtrArray) steps
      = kvmhelper_rehearsal_here (faulty, group, address, step, data, cancellable, error);

  kvmhelper_faults_unwrap (faulty);
  kvmhelper_sim_process_exit (worker);
  if (steps == NULL || !g_cancellable_is_cancelled (cancellable))
    return g_steal_pointer (&steps);
  g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_CANCELLED,
                       _ ("The rehearsal was broken off, as the helper stops"));
  return NULL;
}
