/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "simulated-helper.h"

#include <glib/gstdio.h>

#include "kvmhelper/kvmhelper-function.h"

#define RAM_DISK "/dev/shm"
#define MIB      (G_GUINT64_CONSTANT (1) << 20)

const KvmHelperSimProcessConfig simulated_process = { "ppc64-kvmhelper", 0, FALSE, 64 * MIB };

KvmHelperSimQemuConfig
simulated_guest (const char *uuid)
{
  return (KvmHelperSimQemuConfig){
    .name = "guest", .uuid = uuid, .memory = 64 * MIB, .memlock = 256 * MIB
  };
}

PciAddress
simulated_address (const char *text)
{
  PciAddress address;

  g_assert_true (pci_address_parse (text, &address, NULL));
  return address;
}

char *
simulated_binding (const KvmHelperKernel *kernel, const char *function, guint other)
{
  PciAddress address = simulated_address (function);
  g_autoptr (KvmHelperFunction) found = kvmhelper_function_read (kernel, &address, NULL);

  if (found == NULL || (other != 0 && found->identity.vendor == other))
    return NULL;
  return g_strdup_printf ("%s %s", found->driver, found->driver_override);
}

static void
ignore_lease (const KvmHelperLease *lease, const char *phase, gpointer data)
{
}

void
simulated_ignore_step (const PciAddress *address, const KvmHelperStep *step, gpointer data)
{
}

KvmHelperLeases *
simulated_leases_open (const KvmHelperKernel *kernel, const char *state, GCancellable *cancellable)
{
  static const KvmHelperListener listener = { ignore_lease, simulated_ignore_step, NULL };
  g_autoptr (GError) error = NULL;
  KvmHelperLeases *leases = kvmhelper_leases_open (kernel, state, kvmhelper_rehearsal_here,
                                                   &listener, cancellable, &error);

  g_assert_no_error (error);
  return leases;
}

void
simulated_leases_release (KvmHelperLeases *leases, const char *id, guint seconds)
{
  g_autoptr (GError) error = NULL;
  gboolean done = FALSE;

  kvmhelper_leases_release (leases, id, seconds, &done, &error);
  g_assert_no_error (error);
  g_assert_true (done);
}

char *
simulated_directory_new (const char *name)
{
  g_autofree char *model = g_strconcat (name, "-XXXXXX", NULL);
  g_autofree char *directory = g_build_filename (RAM_DISK, model, NULL);

  return g_mkdtemp (directory) != NULL ? g_steal_pointer (&directory)
                                       : g_dir_make_tmp (model, NULL);
}

void
simulated_directory_remove (const char *path)
{
  GDir *directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      simulated_directory_remove (child);
    }
  g_clear_pointer (&directory, g_dir_close);
  g_remove (path);
}

GLogWriterOutput
simulated_write_log (GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
  return level <= G_LOG_LEVEL_WARNING ? g_log_writer_default (level, fields, count, data)
                                      : G_LOG_WRITER_HANDLED;
}
