/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-access.h"

#include <fcntl.h>
#include <unistd.h>

enum
{
  NAMING_THREADS = 8,
  NAMING_EACH = 4,
  /* With the 48 of the jobs and the hook (driver-jobs.c, driver-hook.c) not more calls than the
     helper takes of one user (KVMHELPER_MAX_CALLS_PER_CALLER). */
  ASKING_THREADS = 16,
  /* As many questions as the helper leaves open of one client's user
     (KVMHELPER_MAX_QUESTIONS_PER_CALLER). */
  ASKING_EACH = 4,
};

struct _DriverAccess
{
  DriverAskFunc ask;
  gpointer data;
  DriverErrands *names, *questions;
};

typedef struct
{
  DriverPeer *peer;
  GError *error;
  DriverNamedFunc done;
  gpointer data;
} Naming;

typedef struct
{
  DriverAskFunc ask;
  gpointer ask_data;
  int socket;
  gboolean read_only;
  DriverVerdict verdict;
  GError *error;
  DriverAskedFunc done;
  gpointer data;
} Question;

static void
naming_free (gpointer data)
{
  Naming *naming = data;

  driver_peer_free (naming->peer);
  g_clear_error (&naming->error);
  g_free (naming);
}

static void
question_free (gpointer data)
{
  Question *question = data;

  if (question->socket >= 0)
    close (question->socket);
  g_clear_error (&question->error);
  g_free (question);
}

static void
run_naming (gpointer data)
{
  Naming *naming = data;

  driver_peer_name (naming->peer, &naming->error);
}

static void
run_question (gpointer data)
{
  Question *question = data;

  question->verdict = DRIVER_VERDICT_NO;
  question->ask (question->socket, question->read_only, &question->verdict, question->ask_data,
                 &question->error);
}

static void
named (gpointer work, gpointer unused)
{
  Naming *naming = work;

  naming->done (g_steal_pointer (&naming->peer), naming->error, naming->data);
}

static void
asked (gpointer work, gpointer unused)
{
  const Question *question = work;

  question->done (question->verdict, question->error, question->data);
}

DriverAccess *
driver_access_new (DriverAskFunc ask, gpointer data)
{
  DriverAccess *self = g_new0 (DriverAccess, 1);

  self->ask = ask;
  self->data = data;
  self->names = driver_errands_new (NAMING_THREADS, NAMING_EACH, run_naming, naming_free);
  self->questions = driver_errands_new (ASKING_THREADS, ASKING_EACH, run_question, question_free);
  return self;
}

void
driver_access_free (DriverAccess *self)
{
  if (self == NULL)
    return;
  driver_errands_free (self->names);
  driver_errands_free (self->questions);
  g_free (self);
}

DriverErrand *
driver_access_name (DriverAccess *self, DriverPeer *peer, DriverNamedFunc done, gpointer data)
{
  Naming *naming = g_new (Naming, 1);

  *naming = (Naming){ peer, NULL, done, data };
  return driver_errands_push (self->names, peer->uid, naming, named, NULL);
}

DriverErrand *
driver_access_ask (DriverAccess *self, const DriverPeer *peer, int socket, gboolean read_only,
                   DriverAskedFunc done, gpointer data)
{
  Question *question = g_new0 (Question, 1);

  question->ask = self->ask;
  question->ask_data = self->data;
  question->socket = fcntl (socket, F_DUPFD_CLOEXEC, 0);
  question->read_only = read_only;
  question->done = done;
  question->data = data;
  return driver_errands_push (self->questions, peer->uid, question, asked, NULL);
}

void
driver_access_cancel (DriverErrand *errand)
{
  driver_errand_cancel (errand);
}
