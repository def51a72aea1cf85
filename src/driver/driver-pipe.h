/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gunixfdlist.h>

#include "driver/driver-frame.h"
#include "driver/driver-splice.h"

/**
 * DriverPipe: one direction of a connection. It reads frames from one socket, shows each header to
 * its owner, and writes to the other socket, byte for byte, what the owner lets pass. It never
 * blocks. What is written at once is never copied, and while something waits, nothing is read.
 *
 * After a CALL_WITH_FDS from a client, or a REPLY_WITH_FDS from a daemon, come that many messages
 * of one byte with one descriptor each (libvirt src/util/virsocket.c: virSocketSendFD).
 */
typedef struct _DriverPipe DriverPipe;

typedef enum
{
  DRIVER_PIPE_PASS,   /* as it comes, without being held as a whole */
  DRIVER_PIPE_GATHER, /* take the whole frame out of the stream, and give it to frame() */
  DRIVER_PIPE_HOLD,   /* not now: nothing is read until driver_pipe_resume */
} DriverPipeAction;

typedef struct
{
  /* A frame begins. */
  DriverPipeAction (*header) (const DriverFrameHeader *header, gpointer data);
  /* A gathered frame is complete, with the descriptors that followed it (NULL: none); it comes to
     the other side only by driver_pipe_inject. */
  void (*frame) (const DriverFrameHeader *header, GBytes *frame, GUnixFDList *fds, gpointer data);
} DriverPipeOwner;

/** driver_pipe_new: @fds_type is the type of frame that descriptors follow in this direction. */
DriverPipe *driver_pipe_new (DriverFrameType fds_type, const DriverPipeOwner *owner, gpointer data);
void driver_pipe_free (DriverPipe *pipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DriverPipe, driver_pipe_free)

/** driver_pipe_set_splice: large frames that pass go by it; it outlives the pipe. */
void driver_pipe_set_splice (DriverPipe *pipe, DriverSplice *splice);

typedef enum
{
  DRIVER_PIPE_MORE,  /* there may be more at once */
  DRIVER_PIPE_AGAIN, /* not now */
  DRIVER_PIPE_END    /* closed by the peer, failed, or (reading) no libvirt RPC: @error says which,
                        unset for a close */
} DriverPipeResult;

/** driver_pipe_move: reads what is there @from, at most one buffer, and writes what it can @to
 * (-1: nobody reads any more); what fails there is for driver_pipe_write to find. */
DriverPipeResult driver_pipe_move (DriverPipe *pipe, int from, int to, GError **error);

/** driver_pipe_write: writes what it can to @fd. */
DriverPipeResult driver_pipe_write (DriverPipe *pipe, int fd, GError **error);

/** driver_pipe_resume: where a frame is held, it is shown to the owner once more. */
void driver_pipe_resume (DriverPipe *pipe);
gboolean driver_pipe_is_held (const DriverPipe *pipe);

/** driver_pipe_wants_input: FALSE while something waits to be written, or a frame is held. */
gboolean driver_pipe_wants_input (const DriverPipe *pipe);
/** driver_pipe_has_input: something was read already, behind a frame that was held. */
gboolean driver_pipe_has_input (const DriverPipe *pipe);
gboolean driver_pipe_has_output (const DriverPipe *pipe);
/** driver_pipe_is_full: too much waits, with what was injected. */
gboolean driver_pipe_is_full (const DriverPipe *pipe);

/** driver_pipe_inject: puts a whole frame into the stream, as soon as one that passes has passed,
 * and behind it the descriptors that @fds has (NULL: none), which are taken out of it. */
void driver_pipe_inject (DriverPipe *pipe, GBytes *frame, GUnixFDList *fds);

/** driver_pipe_is_amid: a frame that passes has not passed as a whole: what is injected waits. */
gboolean driver_pipe_is_amid (const DriverPipe *pipe);
/** driver_pipe_drop_injected: the rest of that frame never comes: what waits for it is dropped, and
 * told of. */
void driver_pipe_drop_injected (DriverPipe *pipe,
                                void (*dropped) (const DriverFrameHeader *header, gpointer data),
                                gpointer data);

/** driver_pipe_discard: nobody reads the other side any more: drops what waits, and what comes. */
void driver_pipe_discard (DriverPipe *pipe);
