/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-admission-private.h"

#include <glib/gi18n-lib.h>
#include <libvirt/virterror.h>

#include "driver/driver-opening.h"

static void
call_own (DriverAdmission *self, gint32 procedure, GBytes *frame)
{
  self->own = procedure;
  self->owner.to_libvirt (frame, NULL, self->data);
}

static void
call_own_empty (DriverAdmission *self, gint32 procedure)
{
  g_autoptr (GBytes) frame = driver_opening_new_call (procedure, SERIAL);

  call_own (self, procedure, frame);
}

void
driver_admission_end (DriverAdmission *self)
{
  self->state = ENDED;
  self->owner.end (self->data);
}

/* The client's calls have this for their answer. @format: libvirt's own words of @code. */
static void
refuse (DriverAdmission *self, int code, int domain, const char *format, const char *detail)
{
  self->state = REFUSED;
  self->code = code;
  self->domain = domain;
  self->format = format;
  self->detail = g_strdup (detail);
  self->owner.proceed (self->data);
}

static void
answer_error (DriverAdmission *self, int code, int domain, const char *format, const char *detail)
{
  g_autoptr (GBytes) answer
      = driver_frame_new_error_from (&self->call, domain, code, format, detail);

  self->owner.to_client (answer, self->data);
}

static void
refuse_authentication (DriverAdmission *self, const char *detail)
{
  g_warning (_ ("a client (%s) is refused: %s"), self->described, detail);
  refuse (self, VIR_ERR_AUTH_FAILED, VIR_FROM_RPC, "authentication failed: %s", detail);
}

/* --- who it is, and what libvirt demands --- */

/* libvirt's own words (src/util/virutil.c: virGetUserEnt, virGetGroupEnt); it refuses whoever has
 * no name, at each call that it answers. */
static void
refuse_nameless (DriverAdmission *self)
{
  const DriverPeer *peer = self->peer;
  g_autofree char *detail
      = peer->user == NULL
            ? g_strdup_printf ("Failed to find user record for uid '%u'", peer->uid)
            : g_strdup_printf ("Failed to find group record for gid '%u'", peer->gid);

  refuse (self, VIR_ERR_SYSTEM_ERROR, VIR_FROM_NONE, "%s", detail);
}

static void
look_around (DriverAdmission *self)
{
  if (self->state != ARRIVING || self->peer == NULL || !self->demands_known)
    return;
  self->state = self->demands_polkit ? OUTSIDE : INSIDE;
  if (self->peer->user == NULL || self->peer->group == NULL)
    refuse_nameless (self);
  else
    self->owner.proceed (self->data);
}

static void
named (DriverPeer *peer, const GError *error, gpointer data)
{
  DriverAdmission *self = data;

  self->naming = NULL;
  self->peer = peer;
  look_around (self);
}

static void
learn_demands (DriverAdmission *self, const DriverFrameHeader *header, GBytes *frame)
{
  g_autofree char *message = driver_frame_error_message (frame, NULL);
  g_autoptr (GError) error = NULL;

  self->demands_known = header->status == DRIVER_FRAME_OK
                        && driver_opening_has_polkit (frame, &self->demands_polkit, &error);
  if (self->demands_known)
    look_around (self);
  else
    refuse_authentication (self, error != NULL     ? error->message
                                 : message != NULL ? message
                                                   : _ ("libvirt refused virtppc64d"));
}

/* --- polkit --- */

/* As libvirt words them (src/util/virpolkit.c: virPolkitCheckAuth). */
static void
answer_verdict (DriverAdmission *self, DriverVerdict verdict, const GError *error)
{
  g_autofree char *no_agent
      = g_strdup_printf ("no polkit agent available to authenticate action '%s'",
                         self->read_only ? "org.libvirt.unix.monitor" : "org.libvirt.unix.manage");

  if (error != NULL)
    answer_error (self, VIR_ERR_AUTH_FAILED, VIR_FROM_POLKIT, "authentication failed: %s",
                  error->message);
  else if (verdict == DRIVER_VERDICT_DISMISSED)
    answer_error (self, VIR_ERR_AUTH_CANCELLED, VIR_FROM_POLKIT, "authentication cancelled: %s",
                  "user cancelled authentication process");
  else if (verdict == DRIVER_VERDICT_CHALLENGE)
    answer_error (self, VIR_ERR_AUTH_UNAVAILABLE, VIR_FROM_POLKIT, "authentication unavailable: %s",
                  no_agent);
  else
    answer_error (self, VIR_ERR_AUTH_FAILED, VIR_FROM_POLKIT, "authentication failed: %s",
                  "access denied by policy");
}

/* Root is let in whatever polkit says, when it asks how (src/remote/remote_daemon_dispatch.c:
 * remoteDispatchAuthList). */
static void
vouch_for_root (DriverAdmission *self, GBytes *frame, GUnixFDList *fds)
{
  self->state = VOUCHING;
  self->held = g_bytes_ref (frame);
  self->held_fds = fds != NULL ? g_object_ref (fds) : NULL;
  call_own_empty (self, DRIVER_PROC_AUTH_POLKIT);
}

static void
vouched (DriverAdmission *self, const DriverFrameHeader *header, GBytes *frame)
{
  g_autoptr (GBytes) held = g_steal_pointer (&self->held);
  g_autoptr (GUnixFDList) fds = g_steal_pointer (&self->held_fds);
  g_autofree char *message = driver_frame_error_message (frame, NULL);
  g_autofree char *detail = NULL;

  if (header->status == DRIVER_FRAME_OK)
    {
      self->state = INSIDE;
      self->owner.to_libvirt (held, fds, self->data);
      return;
    }
  detail = g_strdup_printf (
      _ ("libvirt does not let virtppc64d in (%s); is its polkit rule installed?"),
      message != NULL ? message : "");
  g_warning (_ ("a client (%s) is refused: %s"), self->described, detail);
  self->state = OUTSIDE;
  self->under_way = FALSE;
  answer_error (self, VIR_ERR_AUTH_FAILED, VIR_FROM_RPC, "authentication failed: %s", detail);
  self->owner.proceed (self->data);
}

static void
asked (DriverVerdict verdict, const GError *error, gpointer data)
{
  DriverAdmission *self = data;
  g_autoptr (GBytes) held = g_steal_pointer (&self->held);
  g_autoptr (GUnixFDList) fds = g_steal_pointer (&self->held_fds);

  self->question = NULL;
  if (error == NULL && verdict == DRIVER_VERDICT_YES)
    {
      self->state = PROVING;
      self->owner.to_libvirt (held, fds, self->data);
      return;
    }
  if (error != NULL)
    g_warning (_ ("polkit was not asked about a client (%s): %s"), self->described, error->message);
  self->state = OUTSIDE;
  self->under_way = FALSE;
  answer_verdict (self, verdict, error);
  self->owner.proceed (self->data);
}

static void
ask (DriverAdmission *self, GBytes *frame, GUnixFDList *fds)
{
  self->state = ASKING;
  self->held = g_bytes_ref (frame);
  self->held_fds = fds != NULL ? g_object_ref (fds) : NULL;
  self->question
      = driver_access_ask (self->access, self->peer, self->client, self->read_only, asked, self);
}

/* --- the connection --- */

void
driver_admission_opened (DriverAdmission *self, GBytes *frame)
{
  g_autoptr (GBytes) identity = driver_opening_new_identity (self->peer, SERIAL);

  self->held = g_bytes_ref (frame);
  self->state = IDENTIFYING;
  if (identity != NULL)
    call_own (self, DRIVER_PROC_CONNECT_SET_IDENTITY, identity);
  else
    {
      answer_error (self, VIR_ERR_AUTH_FAILED, VIR_FROM_RPC, "authentication failed: %s",
                    "the client's name is too long");
      driver_admission_end (self);
    }
}

static void
identified (DriverAdmission *self, const DriverFrameHeader *header, GBytes *frame)
{
  g_autofree char *message = driver_frame_error_message (frame, NULL);
  g_autofree char *detail = NULL;

  if (header->status == DRIVER_FRAME_OK)
    {
      g_autoptr (GBytes) look = driver_opening_new_look (SERIAL);

      self->state = LOOKING;
      call_own (self, DRIVER_PROC_CONNECT_SUPPORTS_FEATURE, look);
      return;
    }
  detail = g_strdup_printf (_ ("libvirt does not take it from virtppc64d who the client is (%s). "
                               "See virtppc64d(8)."),
                            message != NULL ? message : "");
  g_warning (_ ("a client (%s) is refused: %s"), self->described, detail);
  answer_error (self, VIR_ERR_AUTH_FAILED, VIR_FROM_RPC, "authentication failed: %s", detail);
  driver_admission_end (self);
}

/* What libvirt refuses to this client here, it would have refused to it at CONNECT_OPEN. */
static void
looked (DriverAdmission *self, const DriverFrameHeader *header, GBytes *frame)
{
  if (header->status == DRIVER_FRAME_OK)
    {
      self->state = OPEN;
      self->owner.to_client (self->held, self->data);
      g_clear_pointer (&self->held, g_bytes_unref);
      self->owner.proceed (self->data);
      return;
    }
  g_autoptr (GBytes) answer = driver_opening_answer (frame, &self->call);

  self->owner.to_client (answer, self->data);
  driver_admission_end (self);
}

void
driver_admission_arrive (DriverAdmission *self, DriverPeer *peer, const GError *error)
{
  if (peer == NULL)
    {
      refuse_authentication (self, error->message);
      return;
    }
  call_own_empty (self, DRIVER_PROC_AUTH_LIST);
  self->naming = driver_access_name (self->access, peer, named, self);
}

void
driver_admission_enter (DriverAdmission *self, const DriverFrameHeader *header, GBytes *frame,
                        GUnixFDList *fds)
{
  if (header->procedure == DRIVER_PROC_AUTH_LIST)
    vouch_for_root (self, frame, fds);
  else
    ask (self, frame, fds);
}

void
driver_admission_answered (DriverAdmission *self, gint32 own, const DriverFrameHeader *header,
                           GBytes *frame)
{
  if (own == DRIVER_PROC_AUTH_LIST)
    learn_demands (self, header, frame);
  else if (own == DRIVER_PROC_AUTH_POLKIT)
    vouched (self, header, frame);
  else if (own == DRIVER_PROC_CONNECT_SET_IDENTITY)
    identified (self, header, frame);
  else
    looked (self, header, frame);
}

void
driver_admission_answer_refusal (DriverAdmission *self)
{
  answer_error (self, self->code, self->domain, self->format, self->detail);
}
