/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-admission-private.h"

#include <glib/gi18n-lib.h>

#include "common/common-error.h"
#include "driver/driver-opening.h"
#include "driver/driver-refusal.h"

static gboolean
is_call (const DriverFrameHeader *header)
{
  return header->type == DRIVER_FRAME_CALL || header->type == DRIVER_FRAME_CALL_WITH_FDS;
}

static gboolean
is_reply (const DriverFrameHeader *header)
{
  return header->type == DRIVER_FRAME_REPLY || header->type == DRIVER_FRAME_REPLY_WITH_FDS;
}

/* In either form; libvirt takes both for every procedure. */
static gboolean
is_remote_call (const DriverFrameHeader *header, gint32 procedure)
{
  return is_call (header) && driver_frame_is_remote (header, (DriverFrameType) header->type)
         && header->procedure == procedure;
}

static DriverPipeAction
show_open (DriverAdmission *self, const DriverFrameHeader *header)
{
  if (self->uid != 0 || !is_remote_call (header, DRIVER_PROC_CONNECT_SET_IDENTITY))
    return DRIVER_PIPE_PASS;
  self->told = TRUE;
  self->user = DRIVER_USER_NOBODY;
  return header->length <= CALL_MAX ? DRIVER_PIPE_GATHER : DRIVER_PIPE_PASS;
}

/* The procedures of authentication: libvirt answers them before it. */
static gboolean
is_authentication (const DriverFrameHeader *header)
{
  return header->procedure >= DRIVER_PROC_AUTH_LIST && header->procedure <= DRIVER_PROC_AUTH_POLKIT
         && is_remote_call (header, header->procedure);
}

/* libvirt refuses everything else by itself where it demands polkit: nobody is authenticated. */
static DriverPipeAction
show_refused (DriverAdmission *self, const DriverFrameHeader *header)
{
  if (!is_call (header) || (self->demands_polkit && !is_authentication (header)))
    return DRIVER_PIPE_PASS;
  self->call = *header;
  if (header->length <= CALL_MAX)
    return DRIVER_PIPE_GATHER;
  driver_admission_end (self);
  return DRIVER_PIPE_HOLD;
}

/* Whether the call is how this client comes in, which is not libvirt's alone. */
static gboolean
is_entry (const DriverAdmission *self, const DriverFrameHeader *header)
{
  return self->state == OUTSIDE
         && (is_remote_call (header, DRIVER_PROC_AUTH_POLKIT)
             || (self->uid == 0 && is_remote_call (header, DRIVER_PROC_AUTH_LIST)));
}

DriverPipeAction
driver_admission_call (DriverAdmission *self, const DriverFrameHeader *header)
{
  if (self->state == OPEN)
    return show_open (self, header);
  if (header->program == DRIVER_PROGRAM_KEEPALIVE && self->state != ENDED)
    return DRIVER_PIPE_PASS;
  if (self->state == REFUSED)
    return show_refused (self, header);
  if ((self->state != OUTSIDE && self->state != INSIDE) || self->under_way)
    return DRIVER_PIPE_HOLD;
  if (!is_call (header))
    return DRIVER_PIPE_PASS;

  self->call = *header;
  self->under_way = TRUE;
  if (!is_entry (self, header))
    {
      if (!is_remote_call (header, DRIVER_PROC_CONNECT_OPEN))
        return DRIVER_PIPE_PASS;
      self->before = self->state;
      self->state = OPENING;
    }
  if (header->length <= CALL_MAX)
    return DRIVER_PIPE_GATHER;
  /* Nothing of a client's that comes in is as long; and what it opens has to be known. */
  driver_admission_end (self);
  return DRIVER_PIPE_HOLD;
}

static void
describe_again (DriverAdmission *self, GBytes *frame)
{
  g_autofree char *whom = driver_opening_describe (frame, &self->user);
  g_autofree char *before = NULL;

  if (whom == NULL)
    return;
  before = g_steal_pointer (&self->described);
  self->described = g_strdup_printf ("%s (uid 0, pid %d)", whom, self->peer->pid);
}

/* FALSE: the call is answered, and libvirt does not hear of it. */
static gboolean
take_told (DriverAdmission *self, const DriverFrameHeader *header, GBytes *frame)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) answer = NULL;

  describe_again (self, frame);
  if (self->owner.told (self->user, self->data))
    return TRUE;
  g_set_error_literal (&error, COMMON_ERROR, COMMON_ERROR_BUSY,
                       _ ("this user has too many connections already. Try again when some of them "
                          "are closed."));
  answer = driver_refusal_new_frame (header, error);
  self->owner.to_client (answer, self->data);
  return FALSE;
}

void
driver_admission_take_call (DriverAdmission *self, const DriverFrameHeader *header, GBytes *frame,
                            GUnixFDList *fds)
{
  if (self->state == REFUSED)
    {
      driver_admission_answer_refusal (self);
      return;
    }
  if (self->state == OUTSIDE)
    {
      driver_admission_enter (self, header, frame, fds);
      return;
    }
  if (self->state == OPENING)
    self->may_write = driver_opening_may_write (frame);
  else if (!take_told (self, header, frame))
    return;
  self->owner.to_libvirt (frame, fds, self->data);
}

/* Of libvirt's answer to a call of ours: what is too long for one is none. */
static DriverPipeAction
show_own (DriverAdmission *self, const DriverFrameHeader *header)
{
  if (header->type == DRIVER_FRAME_REPLY && header->length <= REPLY_MAX)
    return DRIVER_PIPE_GATHER;
  driver_admission_end (self);
  return DRIVER_PIPE_PASS;
}

static DriverPipeAction
show_opened (DriverAdmission *self, const DriverFrameHeader *header)
{
  if (header->status == DRIVER_FRAME_OK && self->before == INSIDE)
    return show_own (self, header);
  self->state = self->before;
  /* It opened a connection for nobody. */
  if (header->status == DRIVER_FRAME_OK)
    driver_admission_end (self);
  else
    self->owner.proceed (self->data);
  return DRIVER_PIPE_PASS;
}

DriverPipeAction
driver_admission_reply (DriverAdmission *self, const DriverFrameHeader *header)
{
  if (self->state == OPEN || self->state == ENDED || !is_reply (header))
    return DRIVER_PIPE_PASS;
  if (self->own != 0)
    return driver_frame_is_remote (header, (DriverFrameType) header->type)
                   && header->procedure == self->own && header->serial == SERIAL
               ? show_own (self, header)
               : DRIVER_PIPE_PASS;
  if (!self->under_way || header->program != self->call.program
      || header->procedure != self->call.procedure || header->serial != self->call.serial)
    return DRIVER_PIPE_PASS;
  self->under_way = FALSE;
  if (self->state == OPENING)
    return show_opened (self, header);
  if (self->state == PROVING)
    self->state = header->status == DRIVER_FRAME_OK ? INSIDE : OUTSIDE;
  self->owner.proceed (self->data);
  return DRIVER_PIPE_PASS;
}

void
driver_admission_take_reply (DriverAdmission *self, const DriverFrameHeader *header, GBytes *frame)
{
  gint32 own = self->own;

  self->own = 0;
  /* Refused meanwhile, for its names. */
  if (self->state == REFUSED || self->state == ENDED)
    return;
  if (self->state == OPENING)
    driver_admission_opened (self, frame);
  else
    driver_admission_answered (self, own, header, frame);
}

gboolean
driver_admission_is_open (const DriverAdmission *self)
{
  return self->state == OPEN;
}

gboolean
driver_admission_may_write (const DriverAdmission *self)
{
  return self->state == OPEN && self->may_write && !self->read_only;
}

gboolean
driver_admission_is_root (const DriverAdmission *self)
{
  return self->uid == 0 && !self->told;
}

guint32
driver_admission_get_user (const DriverAdmission *self)
{
  return self->user;
}

const char *
driver_admission_describe (const DriverAdmission *self)
{
  return self->described;
}

DriverAdmission *
driver_admission_new (DriverAccess *access, int client, gboolean read_only,
                      const DriverAdmissionOwner *owner, gpointer data)
{
  DriverAdmission *self = g_new0 (DriverAdmission, 1);
  g_autoptr (GError) error = NULL;
  DriverPeer *peer = driver_peer_new (client, &error);

  self->owner = *owner;
  self->data = data;
  self->access = access;
  self->client = client;
  self->read_only = read_only;
  self->uid = self->user = peer != NULL ? peer->uid : DRIVER_USER_NOBODY;
  self->described = peer != NULL ? g_strdup_printf ("uid %u, pid %d", peer->uid, peer->pid)
                                 : g_strdup ("unknown");
  driver_admission_arrive (self, peer, error);
  return self;
}

void
driver_admission_free (DriverAdmission *self)
{
  if (self == NULL)
    return;
  if (self->naming != NULL)
    driver_access_cancel (self->naming);
  if (self->question != NULL)
    driver_access_cancel (self->question);
  driver_peer_free (self->peer);
  g_clear_pointer (&self->held, g_bytes_unref);
  g_clear_object (&self->held_fds);
  g_free (self->described);
  g_free (self->detail);
  g_free (self);
}
