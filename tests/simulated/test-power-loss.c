/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <string.h>

#include "disk-model.h"
#include "leases-world.h"

/*
 * The power is lost after every call by which a record is written, and before every write to sysfs.
 * In whatever state the disk is then: a record is the one before or the new one, and never in
 * parts; what was about to be written to sysfs is announced in a record that is on disk; and a
 * helper that finds that disk gives everything back, on the host as it was at that moment (harder
 * than in truth: the kernel would have forgotten) and on one that has booted anew.
 */

#define BOOT "0b3a3b62-7a0f-4d5c-9a43-2f8d4c1e6b70"

typedef struct
{
  World *world;
  DiskModel *disk;
  GHashTable *whole; /* every text that a record had when it was complete */
  GHashTable *seen;  /* hosts and disks that were tried */
  guint losses, states, writes;
} Power;

/* --- what a disk has to be --- */

/* Records are whole. */
static void
check_records (const Power *power, GHashTable *directory)
{
  GHashTableIter iter;
  gpointer name, text;

  g_hash_table_iter_init (&iter, directory);
  while (g_hash_table_iter_next (&iter, &name, &text))
    if (g_str_has_suffix (name, ".lease") && !g_hash_table_contains (power->whole, text))
      g_error ("%s is no record that was ever written: \"%s\"", (char *) name, (char *) text);
}

/* Whether a record in @directory tells what the function has to get back. */
static gboolean
is_announced (const Power *power, GHashTable *directory, const char *function)
{
  const char *before = g_hash_table_lookup (power->world->bindings, function);
  PciAddress address = simulated_address (function);
  GHashTableIter iter;
  gpointer name, text;

  g_hash_table_iter_init (&iter, directory);
  while (g_hash_table_iter_next (&iter, &name, &text))
    {
      g_autoptr (KvmHelperLease) lease = g_str_has_suffix (name, ".lease")
                                             ? kvmhelper_lease_from_text (text, strlen (text), NULL)
                                             : NULL;
      const KvmHelperMember *member
          = lease == NULL ? NULL : kvmhelper_lease_find_member (lease, &address);
      g_autofree char *known
          = member == NULL ? NULL
                           : g_strdup_printf ("%s %s", member->driver, member->driver_override);

      if (g_strcmp0 (known, before) == 0)
        return TRUE;
    }
  return FALSE;
}

/* --- what is found after it --- */

static void
write_directory (const World *world, GHashTable *directory)
{
  GHashTableIter iter;
  gpointer name, text;

  g_assert_cmpint (g_mkdir_with_parents (world->records, 0700), ==, 0);
  g_hash_table_iter_init (&iter, directory);
  while (g_hash_table_iter_next (&iter, &name, &text))
    {
      g_autofree char *path = g_build_filename (world->records, name, NULL);

      g_assert_true (
          g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
}

/* A helper on the host of @xml finds @directory. */
static void
start_again (const Power *power, const char *xml, GHashTable *directory)
{
  World *world = world_new (xml);
  gpointer address, before;
  GHashTableIter iter;

  /* What they had at first, and not when the power went. */
  g_hash_table_iter_init (&iter, power->world->bindings);
  while (g_hash_table_iter_next (&iter, &address, &before))
    g_hash_table_replace (world->bindings, address, g_strdup (before));
  write_directory (world, directory);
  world_start (world, NULL, NULL);
  world_check_legal (world);
  world_settle (world);
  world_free (world);
}

/* The same host and disk give the same. */
static gboolean
is_new (const Power *power, const char *xml, GHashTable *directory)
{
  g_autofree gpointer *names = g_hash_table_get_keys_as_array (directory, NULL);
  g_autoptr (GString) text = g_string_new (xml);
  guint count = g_hash_table_size (directory);

  for (guint i = 0; i < count; i++)
    g_string_append_printf (text, "%s\n%s\n", (char *) names[i],
                            (char *) g_hash_table_lookup (directory, names[i]));
  return g_hash_table_add (power->seen,
                           g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, -1));
}

static void
lose_power (Power *power)
{
  g_autoptr (GPtrArray) directories = disk_model_lose (power->disk);
  g_autofree char *xml = kvmhelper_sim_to_xml (power->world->sim);
  g_autofree char *original = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *rebooted = NULL;

  g_assert_true (g_file_get_contents (HOST_FILE, &original, NULL, NULL));
  parts = g_strsplit (original, BOOT, -1);
  rebooted = g_strjoinv ("0b3a3b62-7a0f-4d5c-9a43-2f8d4c1e6b71", parts);
  g_assert_cmpstr (rebooted, !=, original);
  power->losses++;
  for (guint i = 0; i < directories->len; i++)
    {
      GHashTable *directory = directories->pdata[i];

      check_records (power, directory);
      if (!is_new (power, xml, directory))
        continue;
      power->states++;
      start_again (power, xml, directory);
      start_again (power, rebooted, directory);
    }
}

/* --- the life before --- */

static void
after_call (const JournalCall *call, gpointer data)
{
  Power *power = data;

  disk_model_note (power->disk, call);
  /* What is on disk in full, and named a record after that, is one. */
  if (call->kind == JOURNAL_FSYNC && *call->name != '\0')
    {
      g_autofree char *path = g_build_filename (power->world->records, call->name, NULL);
      char *text = NULL;

      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      g_hash_table_add (power->whole, text);
    }
  lose_power (power);
}

/* The functions of the group that is about to be changed: the leased ones. */
static void
before_write (gpointer data)
{
  Power *power = data;
  g_autoptr (GPtrArray) directories = disk_model_lose (power->disk);
  g_autoptr (GPtrArray) leases = NULL;
  GHashTableIter iter;
  gpointer function;

  power->writes++;
  leases = kvmhelper_leases_list (power->world->leases);
  g_assert_cmpuint (leases->len, ==, 1);
  g_hash_table_iter_init (&iter, power->world->bindings);
  while (g_hash_table_iter_next (&iter, &function, NULL))
    {
      PciAddress address = simulated_address (function);

      if (kvmhelper_lease_find_member (leases->pdata[0], &address) == NULL)
        continue;
      for (guint i = 0; i < directories->len; i++)
        if (!is_announced (power, directories->pdata[i], function))
          g_error ("%s is written to, and the disk need not know", (char *) function);
    }
}

static void
test_life (gconstpointer data)
{
  const WorldLife *life = data;
  World *world = world_new (NULL);
  Power power = { .world = world,
                  .disk = disk_model_new (),
                  .whole = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                  .seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL) };
  const KvmHelperFaultHooks fault_hooks = { .kill = before_write, .data = &power };
  const JournalHooks journal_hooks = { NULL, after_call, &power };

  journal_calls_watch (world->records, &journal_hooks);
  world_start (world, "write /sys/bus/pci/* 1+ kill", &fault_hooks);
  life->run (world);
  journal_calls_watch (NULL, NULL);
  world_check_back (world);
  g_test_message ("%s: %u losses of power, %u disks, %u writes to sysfs", life->name, power.losses,
                  power.states, power.writes);
  g_assert_cmpuint (power.losses, >, 5);
  g_assert_cmpuint (power.writes, >, 5);
  world_settle (world);
  world_free (world);
  disk_model_free (power.disk);
  g_hash_table_unref (power.whole);
  g_hash_table_unref (power.seen);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  for (guint i = 0; world_lives[i].name != NULL; i++)
    {
      g_autofree char *path = g_strdup_printf ("/simulated/power-loss/%u", i + 1);

      g_test_add_data_func (path, &world_lives[i], test_life);
    }
  return g_test_run ();
}
