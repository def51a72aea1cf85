/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <string.h>

#include "common/common-error.h"
#include "common/common-vfio.h"
#include "kvmhelper/simulated/kvmhelper-sim-inject.h"
#include "leases-world.h"

/* Somebody pulls a function and puts in another of the very same kind, or none, before each call
 * that taking its group makes of the kernel. From the moment that it was looked at, what is there
 * now is never touched: identity says nothing, the directory in sysfs that is held does. */

#define FIRST     "0000:01:00.0"
#define SECOND    "0000:01:00.1"
#define DIRECTORY "/sys/bus/pci/devices/" SECOND

/* No function: who vanishes there only says when. */
#define MARK "0009:01:00.0"

typedef struct
{
  World *world;
  guint64 marked; /* the call that the mark was at */
} Events;

static void
on_vanish (const PciAddress *address, gpointer data)
{
  Events *events = data;

  events->marked = kvmhelper_faults_calls (events->world->faults);
  kvmhelper_sim_inject_unplug (events->world->sim, address, NULL);
}

static void
on_replace (const PciAddress *address, gpointer data)
{
  const Events *events = data;

  g_assert_true (kvmhelper_sim_inject_replace (events->world->sim, address, 0x14e4, 0x1657, NULL));
}

/* What is at the address now, as far as the host lets it be told. */
static char *
get_binding (World *world, const char *function)
{
  KvmHelperSimProcess *process = kvmhelper_sim_process_new (world->sim, &simulated_process);
  char *binding = simulated_binding (kvmhelper_sim_process_kernel (process), function, 0);

  kvmhelper_sim_process_exit (process);
  return binding;
}

static gboolean
take (World *world, GError **error)
{
  PciAddress address = simulated_address (FIRST);
  g_auto (KvmHelperPrepared) prepared = { NULL };

  return kvmhelper_leases_prepare (world->leases, SIMULATED_UUID, "guest", &address,
                                   KVMHELPER_REHEARSE_NEVER, NULL, &prepared, error);
}

/* The call that holds the second function; 0: it never does. */
static guint64
find_hold (void)
{
  Events events = { world_new (NULL), 0 };
  const KvmHelperFaultHooks hooks = { .vanish = on_vanish, .replace = on_replace, .data = &events };
  g_autoptr (GError) error = NULL;

  world_start (events.world, "open " DIRECTORY " 1 vanish " MARK, &hooks);
  g_assert_true (take (events.world, &error));
  g_assert_no_error (error);
  world_free (events.world);
  return events.marked;
}

/* Returns FALSE when the call is not made any more. */
static gboolean
try_at (guint64 call, const char *what, guint64 hold, guint *refused)
{
  Events events = { world_new (NULL), 0 };
  World *world = events.world;
  const KvmHelperFaultHooks hooks = { .vanish = on_vanish, .replace = on_replace, .data = &events };
  g_autofree char *rule = g_strdup_printf ("call %" G_GUINT64_FORMAT " %s " SECOND, call, what);
  g_autoptr (GError) error = NULL;
  g_autofree char *binding = NULL;
  const char *before = g_hash_table_lookup (world->bindings, SECOND);
  gboolean taken, struck;

  world_start (world, rule, &hooks);
  taken = world->leases != NULL && take (world, &error);
  struck = kvmhelper_faults_struck (world->faults, 0) > 0;
  binding = get_binding (world, SECOND);
  if (struck && call > hold)
    {
      g_test_message ("%s: %s", rule, taken ? "taken before" : error->message);
      /* The new one has its own driver, and no override of ours. */
      if (g_str_equal (what, "replace"))
        g_assert_cmpstr (binding, ==, before);
      else
        g_assert_null (binding);
      if (!taken)
        {
          g_assert_error (error, COMMON_ERROR, COMMON_ERROR_DEVICE_CHANGED);
          ++*refused;
        }
    }
  if (struck && !taken)
    {
      g_autofree char *first = get_binding (world, FIRST);

      g_assert_cmpstr (first, ==, g_hash_table_lookup (world->bindings, FIRST));
    }
  world_free (world);
  return struck;
}

static void
test_each_call (gconstpointer what)
{
  guint64 hold = find_hold ();
  guint refused = 0;

  g_assert_cmpuint (hold, >, 0);
  for (guint64 call = 1; try_at (call, what, hold, &refused); call++)
    ;
  g_test_message ("refused at %u calls", refused);
  g_assert_cmpuint (refused, >, 30);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_test_add_data_func ("/simulated/device-replaced/same-kind", "replace", test_each_call);
  g_test_add_data_func ("/simulated/device-replaced/gone", "vanish", test_each_call);
  return g_test_run ();
}
