/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "journal-calls.h"
#include "leases-world.h"

/*
 * The helper is killed at every call: each to the kernel, and each by which a record is written.
 * The next one brings every lease to a legal state, and the one after that finds nothing to do.
 *
 * The life goes on in this process; at each call a child is forked off, in which the helper is dead
 * from there on, while the host and the guest on it live. The recovery is killed in the same way,
 * at each of its calls. What comes after a death depends on the host, the guest and the records and
 * on nothing else: so where all three are as they were at a call before, nobody dies again. With
 * KILL_EVERY=1 somebody does.
 */

typedef struct
{
  World *world;
  GHashTable *seen; /* states, of host and records */
  const char *life;
  guint depth;  /* 0: the life, 1: its recovery; further down nothing is killed */
  gboolean hot; /* calls count: the helper runs */
  gboolean every;
  guint points[2];
  sigjmp_buf dead;
} Killer;

static Killer killer;

/* --- states --- */

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

static void
append_records (const World *world, GString *text)
{
  GDir *directory = g_dir_open (world->records, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  g_clear_pointer (&directory, g_dir_close);
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (world->records, names->pdata[i], NULL);
      g_autofree char *record = NULL;

      g_file_get_contents (path, &record, NULL, NULL);
      g_string_append_printf (text, "%s\n%s\n", (char *) names->pdata[i], record);
    }
}

/* Whether this state is a new one. */
static gboolean
is_new_state (void)
{
  g_autofree char *xml = kvmhelper_sim_to_xml (killer.world->sim);
  g_autoptr (GString) text = g_string_new (xml);

  g_string_append (text, killer.world->qemu == NULL ? "no guest\n" : "guest\n");
  append_records (killer.world, text);
  return g_hash_table_add (killer.seen,
                           g_compute_checksum_for_string (G_CHECKSUM_SHA256, text->str, -1));
}

/* --- death --- */

static void
wait_for (pid_t child, const char *what)
{
  int status;

  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    g_error ("%s: killed before call %u of it, %u of the recovery, at %s: status 0x%x", killer.life,
             killer.points[0], killer.points[1], what, (guint) status);
}

static void
kill_here (const char *what)
{
  pid_t child;

  if (!killer.hot || killer.depth > 1)
    return;
  killer.points[killer.depth]++;
  if (!is_new_state () && !killer.every)
    return;
  fflush (stdout);
  child = fork ();
  if (child == 0)
    siglongjmp (killer.dead, 1);
  wait_for (child, what);
}

static void
on_call (gpointer data)
{
  kill_here ("a call to the kernel");
}

static int
on_journal_call (const JournalCall *call, gpointer data)
{
  kill_here (journal_call_name (call->kind));
  return 0;
}

static void
on_journal_done (const JournalCall *call, gpointer data)
{
  kill_here (journal_call_name (call->kind));
}

static const KvmHelperFaultHooks fault_hooks = { .kill = on_call };
static const JournalHooks journal_hooks = { on_journal_call, on_journal_done, NULL };

/* A helper that can be killed. */
static void
start_mortal (World *world)
{
  journal_calls_watch (world->records, &journal_hooks);
  killer.hot = TRUE;
  world_start (world, "call 1+ kill", &fault_hooks);
}

static void
end_mortal (World *world)
{
  killer.hot = FALSE;
  journal_calls_watch (NULL, NULL);
}

/* --- what comes after it --- */

static void
start_and_look (World *world, gboolean mortal, char **description)
{
  if (mortal)
    start_mortal (world);
  else
    world_start (world, NULL, NULL);
  end_mortal (world);
  world_check_legal (world);
  *description = world_describe (world);
  world_stop (world);
}

/* In a child: the helper is dead. */
static void
live_on (World *world)
{
  g_autofree char *first = NULL;
  g_autofree char *second = NULL;

  end_mortal (world);
  killer.depth++;
  world_kill (world);
  world_take_copy (world);
  g_hash_table_remove_all (killer.seen);
  start_and_look (world, killer.depth < 2, &first);
  killer.depth = G_MAXUINT;
  start_and_look (world, FALSE, &second);
  g_assert_cmpstr (first, ==, second);
  world_settle (world);
  simulated_directory_remove (world->state);
  _exit (0);
}

static void
test_life (gconstpointer data)
{
  const WorldLife *life = data;
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  World *world = world_new (NULL);

  killer = (Killer){
    .world = world, .seen = seen, .life = life->name, .every = g_getenv ("KILL_EVERY") != NULL
  };
  if (sigsetjmp (killer.dead, 0) != 0)
    live_on (killer.world);
  start_mortal (killer.world);
  life->run (killer.world);
  kill_here ("the end");
  end_mortal (killer.world);
  world_check_back (killer.world);
  g_test_message ("%s: killed at %u calls, %u states", life->name, killer.points[0],
                  g_hash_table_size (seen));
  g_assert_cmpuint (g_hash_table_size (seen), >, 8);
  world_settle (killer.world);
  world_free (killer.world);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (simulated_write_log, NULL, NULL);
  g_main_context_default ();
  for (guint i = 0; world_lives[i].name != NULL; i++)
    {
      g_autofree char *path = g_strdup_printf ("/simulated/kill-at-every-call/%u", i + 1);

      g_test_add_data_func (path, &world_lives[i], test_life);
    }
  return g_test_run ();
}
