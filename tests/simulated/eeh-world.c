/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "eeh-world.h"

#include <fcntl.h>
#include <string.h>

#include "kvmhelper/kvmhelper-abi.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"

EehCounts eeh_counts;
static const KvmHelperKernelCalls *real;

static int
counted_open (gpointer data, KvmHelperRoot root, const char *path, int flags)
{
  if (g_str_has_suffix (path, "/eeh_pe_state") && (flags & O_ACCMODE) == O_RDONLY)
    eeh_counts.states++;
  if (g_str_has_suffix (path, "/eeh_force_recover") || g_str_has_suffix (path, "/reset"))
    eeh_counts.resets++;
  return real->open (data, root, path, flags);
}

static gssize
counted_write (gpointer data, int handle, const void *buffer, gsize length)
{
  eeh_counts.writes++;
  return real->write (data, handle, buffer, length);
}

static int
counted_ioctl (gpointer data, int handle, gulong request, gulong argument)
{
  const struct vfio_eeh_pe_op *op = (const struct vfio_eeh_pe_op *) argument;

  eeh_counts.ioctls++;
  if (request == VFIO_EEH_PE_OP && op->op == VFIO_EEH_PE_ENABLE)
    eeh_counts.enables++;
  if (request == VFIO_EEH_PE_OP
      && (op->op == VFIO_EEH_PE_RESET_HOT || op->op == VFIO_EEH_PE_RESET_FUNDAMENTAL))
    eeh_counts.resets++;
  if (request == VFIO_DEVICE_RESET || request == VFIO_DEVICE_PCI_HOT_RESET)
    eeh_counts.resets++;
  return real->ioctl (data, handle, request, argument);
}

void
eeh_world_note (const KvmHelperEehChange *change, gpointer data)
{
  EehWorld *world = data;

  g_assert_cmpstr (change->lease->domain_uuid, ==, SIMULATED_UUID);
  g_string_append_printf (world->said, "%s>%s ", change->before, change->after);
}

void
eeh_world_init (EehWorld *world, KvmHelperSim *sim)
{
  world->sim = sim;
  kvmhelper_sim_advance (world->sim, 0);
  world->kernel
      = kvmhelper_sim_process_kernel (kvmhelper_sim_process_new (world->sim, &simulated_process));
  real = world->kernel->calls;
  world->calls = *real;
  world->calls.open = counted_open;
  world->calls.write = counted_write;
  world->calls.ioctl = counted_ioctl;
  world->counted = *world->kernel;
  world->counted.calls = &world->calls;
  world->state = simulated_directory_new ("eeh-storm");
  world->cancellable = g_cancellable_new ();
  world->leases = simulated_leases_open (&world->counted, world->state, world->cancellable);
  world->said = g_string_new (NULL);
  world->watch = kvmhelper_eeh_watch_new (&world->counted, world->leases, 0, eeh_world_note, world);
  world->card = simulated_address (EEH_CARD);
}

void
eeh_world_clear (EehWorld *world)
{
  kvmhelper_eeh_watch_free (world->watch);
  kvmhelper_leases_free (world->leases);
  kvmhelper_sim_free (world->sim);
  simulated_directory_remove (world->state);
  g_free (world->state);
  g_object_unref (world->cancellable);
  g_string_free (world->said, TRUE);
}

const char *
eeh_world_state (EehWorld *world)
{
  return kvmhelper_eeh_read (world->kernel, &world->card).name;
}

void
eeh_world_freeze (EehWorld *world)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_sim_inject_freeze (world->sim, &world->card, &error);
  g_assert_no_error (error);
}

void
eeh_world_set_recovery (EehWorld *world, gboolean on)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_kernel_write (world->kernel, KVMHELPER_SYS, "kernel/debug/powerpc/eeh_disable_recovery",
                          on ? "0" : "1", &error);
  g_assert_no_error (error);
}

char *
eeh_world_prepare (EehWorld *world)
{
  g_auto (KvmHelperPrepared) prepared = { 0 };
  g_autoptr (GError) error = NULL;

  kvmhelper_leases_prepare (world->leases, SIMULATED_UUID, "guest", &world->card,
                            KVMHELPER_REHEARSE_NEVER, NULL, &prepared, &error);
  g_assert_no_error (error);
  return g_strdup (prepared.lease->id);
}

void
eeh_world_prepare_fails (EehWorld *world, CommonErrorCode code, const char *part)
{
  g_auto (KvmHelperPrepared) prepared = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) left = NULL;

  kvmhelper_leases_prepare (world->leases, SIMULATED_UUID, "guest", &world->card,
                            KVMHELPER_REHEARSE_NEVER, NULL, &prepared, &error);
  g_assert_error (error, COMMON_ERROR, (int) code);
  if (strstr (error->message, part) == NULL)
    g_error ("\"%s\" has no \"%s\"", error->message, part);
  left = kvmhelper_leases_list (world->leases);
  g_assert_cmpuint (left->len, ==, 0);
}

KvmHelperSimQemu *
eeh_world_start_guest (EehWorld *world, gboolean one_phb)
{
  KvmHelperSimQemuConfig config = simulated_guest (SIMULATED_UUID);
  g_autoptr (GError) error = NULL;
  KvmHelperSimQemu *qemu;

  config.one_phb = one_phb;
  qemu = kvmhelper_sim_qemu_new (world->sim, &config, &error);
  g_assert_no_error (error);
  return qemu;
}

void
eeh_world_attach (KvmHelperSimQemu *qemu, const PciAddress *address)
{
  g_autoptr (GError) error = NULL;

  kvmhelper_sim_qemu_attach (qemu, address, &error);
  g_assert_no_error (error);
}

void
eeh_world_commit (EehWorld *world, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = kvmhelper_leases_commit (world->leases, id, &error);

  g_assert_no_error (error);
  g_variant_ref_sink (result);
}

void
eeh_world_look (EehWorld *world, guint pes, const char *expected)
{
  eeh_counts = (EehCounts){ 0 };
  g_string_truncate (world->said, 0);
  kvmhelper_eeh_watch_look (world->watch);
  g_assert_cmpstr (world->said->str, ==, expected);
  g_assert_cmpuint (eeh_counts.states, ==, pes);
  g_assert_cmpuint (eeh_counts.writes, ==, 0);
  g_assert_cmpuint (eeh_counts.ioctls, ==, 0);
}

char *
eeh_world_release_pending (EehWorld *world, const char *id)
{
  g_autoptr (KvmHelperLease) lease = NULL;
  g_autoptr (GError) error = NULL;
  gboolean done = TRUE;

  kvmhelper_leases_release (world->leases, id, 0, &done, &error);
  g_assert_no_error (error);
  g_assert_false (done);
  lease = kvmhelper_leases_find (world->leases, id, NULL);
  g_assert_cmpint (lease->phase, ==, KVMHELPER_PHASE_PENDING);
  return g_strdup (lease->left);
}
