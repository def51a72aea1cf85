/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-errand.h"

struct _DriverErrands
{
  gint references; /* the owner's, and one of each errand; of the main loop alone */
  guint each;
  DriverErrandRun run;
  GDestroyNotify free_work;
  GThreadPool *threads;
  GHashTable *users; /* uid to User */
};

/* Who has errands. */
typedef struct
{
  guint running;
  GQueue waiting; /* DriverErrand */
} User;

struct _DriverErrand
{
  DriverErrands *owner;
  guint32 user;
  gpointer work;
  DriverErrandDone done; /* NULL: nobody waits */
  gpointer data;
};

static void
owner_unref (DriverErrands *self)
{
  if (--self->references > 0)
    return;
  g_thread_pool_free (self->threads, FALSE, FALSE);
  g_hash_table_unref (self->users);
  g_free (self);
}

static void
errand_free (DriverErrand *errand)
{
  DriverErrands *owner = errand->owner;

  owner->free_work (errand->work);
  g_free (errand);
  owner_unref (owner);
}

static void
start (DriverErrands *self, User *user, DriverErrand *errand)
{
  user->running++;
  g_thread_pool_push (self->threads, errand, NULL);
}

/* On the main loop. */
static gboolean
finish (gpointer data)
{
  DriverErrand *errand = data;
  DriverErrands *self = errand->owner;
  User *user = g_hash_table_lookup (self->users, GUINT_TO_POINTER (errand->user));

  user->running--;
  if (!g_queue_is_empty (&user->waiting))
    start (self, user, g_queue_pop_head (&user->waiting));
  else if (user->running == 0)
    g_hash_table_remove (self->users, GUINT_TO_POINTER (errand->user));
  if (errand->done != NULL)
    errand->done (errand->work, errand->data);
  errand_free (errand);
  return G_SOURCE_REMOVE;
}

/* In a thread. */
static void
run_errand (gpointer data, gpointer user_data)
{
  DriverErrand *errand = data;
  const DriverErrands *self = user_data;
  g_autoptr (GSource) source = g_idle_source_new ();

  self->run (errand->work);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, finish, errand, NULL);
  g_source_attach (source, NULL);
}

DriverErrands *
driver_errands_new (guint threads, guint each, DriverErrandRun run, GDestroyNotify free_work)
{
  DriverErrands *self = g_new0 (DriverErrands, 1);

  self->references = 1;
  self->each = each;
  self->run = run;
  self->free_work = free_work;
  self->threads = g_thread_pool_new (run_errand, self, (gint) threads, FALSE, NULL);
  self->users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

void
driver_errands_free (DriverErrands *self)
{
  if (self != NULL)
    owner_unref (self);
}

DriverErrand *
driver_errands_push (DriverErrands *self, guint32 uid, gpointer work, DriverErrandDone done,
                     gpointer data)
{
  User *user = g_hash_table_lookup (self->users, GUINT_TO_POINTER (uid));
  DriverErrand *errand = g_new (DriverErrand, 1);

  *errand = (DriverErrand){ self, uid, work, done, data };
  self->references++;
  if (user == NULL)
    {
      user = g_new0 (User, 1);
      g_hash_table_insert (self->users, GUINT_TO_POINTER (uid), user);
    }
  if (user->running < self->each)
    start (self, user, errand);
  else
    g_queue_push_tail (&user->waiting, errand);
  return errand;
}

void
driver_errand_cancel (DriverErrand *errand)
{
  User *user = g_hash_table_lookup (errand->owner->users, GUINT_TO_POINTER (errand->user));

  errand->done = NULL;
  if (g_queue_remove (&user->waiting, errand))
    errand_free (errand);
}
