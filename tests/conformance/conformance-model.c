/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-process.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/vfio.h>

#include "common/common-error.h"
#include "conformance-actor.h"
#include "conformance-value.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"
#include "kvmhelper/simulated/kvmhelper-sim-kvm.h"
#include "kvmhelper/simulated/kvmhelper-sim.h"

/* The model: a host of its own for each script, whose processes live in this one. */
#define NOBODY 65534

struct _ConformanceSideData
{
  KvmHelperSim *sim;
  KvmHelperSimProcess *runner;
};

struct _ConformanceProcess
{
  ConformanceSideData *side;
  KvmHelperSimProcess *process;
  ConformanceActor *actor;
  /* A call that was begun. */
  GThread *thread;
  GMutex lock;
  GCond done;
  char *call;
  ConformanceReply *reply;
};

static ConformanceSideData *
model_start (const char *host, GError **error)
{
  const KvmHelperSimProcessConfig config = { "conformance-run", 0, TRUE, G_MAXUINT64 };
  KvmHelperSim *sim = kvmhelper_sim_new_from_file (host, error);
  ConformanceSideData *side;

  if (sim == NULL)
    return NULL;
  side = g_new0 (ConformanceSideData, 1);
  side->sim = sim;
  side->runner = kvmhelper_sim_process_new (sim, &config);
  return side;
}

static void
model_stop (ConformanceSideData *side)
{
  kvmhelper_sim_free (side->sim);
  g_free (side);
}

static const KvmHelperKernel *
model_kernel (ConformanceSideData *side)
{
  return kvmhelper_sim_process_kernel (side->runner);
}

static guint
model_left_open (ConformanceSideData *side)
{
  return kvmhelper_sim_handles (side->sim);
}

/* What the device raises is what is enabled of it: VFIO enables one of the three at a time, and
 * what nobody enabled is lost. */
static int
model_raise (gpointer data, int handle, const char *bdf, guint vector)
{
  static const guint indexes[]
      = { VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX, VFIO_PCI_MSIX_IRQ_INDEX };
  ConformanceSideData *side = data;
  PciAddress address;

  if (!pci_address_parse (bdf, &address, NULL))
    return -ENODEV;
  for (guint i = 0; i < G_N_ELEMENTS (indexes); i++)
    if (!kvmhelper_sim_inject_interrupt (side->sim, &address, indexes[i],
                                         indexes[i] == VFIO_PCI_INTX_IRQ_INDEX ? 0 : vector, NULL))
      return -ENODEV;
  return 0;
}

static int
model_put_tce (gpointer data, int handle, guint64 liobn, guint64 address, guint64 tce)
{
  KvmHelperSimProcess *process = data;
  const KvmHelperSimFile *file = kvmhelper_sim_process_file (process, handle);
  int answer;

  if (file == NULL)
    return -EBADF;
  g_mutex_lock (&process->sim->lock);
  answer = kvmhelper_sim_kvm_put_tce (file->object, liobn, address, tce);
  g_mutex_unlock (&process->sim->lock);
  return answer;
}

static int
model_stand_in (guint pid)
{
  g_autofree char *name
      = pid == 0 ? g_strdup ("none") : g_strdup_printf (KVMHELPER_SIM_STAND_IN "%u", pid);
  int fd = memfd_create (name, MFD_CLOEXEC);

  return fd < 0 ? -errno : fd;
}

static ConformanceProcess *
model_process_new (ConformanceSideData *side, const ConformanceProcessConfig *config,
                   GError **error)
{
  const KvmHelperSimProcessConfig process_config = {
    .command = "conformance-run",
    .uid = config->nobody ? NOBODY : 0,
    .ipc_lock = !config->nobody,
    .memlock = config->limited ? config->memlock : G_MAXUINT64,
  };
  ConformanceProcess *process = g_new0 (ConformanceProcess, 1);

  process->side = side;
  process->process = kvmhelper_sim_process_new (side->sim, &process_config);
  process->actor
      = conformance_actor_new (kvmhelper_sim_process_kernel (process->process), model_raise, side);
  process->actor->stand_in = model_stand_in;
  process->actor->put_tce = model_put_tce;
  process->actor->put_tce_data = process->process;
  g_mutex_init (&process->lock);
  g_cond_init (&process->done);
  return process;
}

static void
model_process_kill (ConformanceProcess *process)
{
  kvmhelper_sim_process_exit (process->process);
  g_clear_pointer (&process->thread, g_thread_join);
  conformance_actor_free (process->actor);
  g_clear_pointer (&process->reply, conformance_reply_free);
  g_free (process->call);
  g_mutex_clear (&process->lock);
  g_cond_clear (&process->done);
  g_free (process);
}

static ConformanceReply *
model_ask (ConformanceProcess *process, const char *call)
{
  return conformance_actor_ask (process->actor, call);
}

static gpointer
run (gpointer data)
{
  ConformanceProcess *process = data;
  ConformanceReply *reply = conformance_actor_ask (process->actor, process->call);

  g_mutex_lock (&process->lock);
  process->reply = reply;
  g_cond_signal (&process->done);
  g_mutex_unlock (&process->lock);
  return NULL;
}

static void
model_begin (ConformanceProcess *process, const char *call)
{
  g_free (process->call);
  process->call = g_strdup (call);
  process->thread = g_thread_new ("process", run, process);
}

static ConformanceReply *
model_result (ConformanceProcess *process, guint milliseconds)
{
  gint64 end = g_get_monotonic_time () + milliseconds * G_TIME_SPAN_MILLISECOND;
  ConformanceReply *reply;

  g_mutex_lock (&process->lock);
  while (process->reply == NULL && process->thread != NULL
         && g_cond_wait_until (&process->done, &process->lock, end))
    ;
  reply = g_steal_pointer (&process->reply);
  g_mutex_unlock (&process->lock);
  if (reply == NULL)
    {
      reply = conformance_reply_new ();
      reply->kind = CONFORMANCE_PENDING;
    }
  else
    g_clear_pointer (&process->thread, g_thread_join);
  return reply;
}

static int
model_pass (ConformanceProcess *from, const char *name, ConformanceProcess *to)
{
  const char *origin = g_hash_table_lookup (from->actor->origins, name);
  gpointer value;
  int handle;

  if (!g_hash_table_lookup_extended (from->actor->handles, name, NULL, &value))
    return -EBADF;
  handle = kvmhelper_sim_process_pass (from->process, GPOINTER_TO_INT (value), to->process);
  if (handle < 0)
    return handle;
  g_hash_table_insert (to->actor->handles, g_strdup (name), GINT_TO_POINTER (handle));
  if (origin != NULL)
    g_hash_table_insert (to->actor->origins, g_strdup (name), g_strdup (origin));
  return 0;
}

static gboolean
inject (ConformanceSideData *side, const ConformanceWords *words, GError **error)
{
  const char *verb = conformance_words_nth (words, 0);
  const char *what = conformance_words_nth (words, 1);
  guint64 vendor, device;
  guint milliseconds;
  PciAddress address;

  if (g_str_equal (verb, "advance"))
    {
      if (!conformance_milliseconds (what, &milliseconds, error))
        return FALSE;
      kvmhelper_sim_advance (side->sim, milliseconds * G_TIME_SPAN_MILLISECOND);
      return TRUE;
    }
  if (!pci_address_parse (what, &address, error))
    return FALSE;
  if (g_str_equal (verb, "freeze"))
    return kvmhelper_sim_inject_freeze (side->sim, &address, error);
  if (g_str_equal (verb, "fence"))
    return kvmhelper_sim_inject_fence (side->sim, &address, error);
  if (g_str_equal (verb, "fail"))
    return kvmhelper_sim_inject_fail (side->sim, &address, error);
  if (g_str_equal (verb, "unplug"))
    return kvmhelper_sim_inject_unplug (side->sim, &address, error);
  return conformance_value (conformance_words_nth (words, 2), NULL, NULL, NULL, NULL, &vendor,
                            error)
         && conformance_value (conformance_words_nth (words, 3), NULL, NULL, NULL, NULL, &device,
                               error)
         && kvmhelper_sim_inject_replace (side->sim, &address, (guint) vendor, (guint) device,
                                          error);
}

static ConformanceReply *
model_outside (ConformanceSideData *side, const char *call)
{
  GError *error = NULL;
  g_autoptr (ConformanceWords) words = conformance_words_new (call, &error);

  if (words == NULL || !inject (side, words, &error))
    return conformance_reply_mistake (error);
  return conformance_reply_new ();
}

const ConformanceSideCalls conformance_model = {
  .real = FALSE,
  .start = model_start,
  .stop = model_stop,
  .kernel = model_kernel,
  .left_open = model_left_open,
  .process_new = model_process_new,
  .process_kill = model_process_kill,
  .ask = model_ask,
  .begin = model_begin,
  .result = model_result,
  .pass = model_pass,
  .outside = model_outside,
};
