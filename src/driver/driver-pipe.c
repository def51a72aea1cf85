/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-pipe.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/common-error.h"
#include "driver/driver-output.h"
#include "driver/driver-passing.h"

enum
{
  READ_MAX = 64 * 1024,
  /* Reading stops while that much waits to be written. Frames that are injected come on top: their
     number is bounded by those who inject. */
  OUTPUT_MAX = 256 * 1024,
};

typedef enum
{
  IN_HEADER,
  IN_BODY,
  IN_FDS
} State;

/* A whole frame, and its descriptors. */
typedef struct
{
  GBytes *frame;
  GUnixFDList *fds; /* NULL: none */
} Injected;

struct _DriverPipe
{
  DriverPipeOwner owner;
  gpointer data;
  DriverFrameType fds_type;

  State state;
  guint8 start[DRIVER_FRAME_HEADER + 4]; /* the header, and the number of descriptors */
  gsize start_have, start_need;
  DriverFrameHeader header;
  gsize left;         /* bytes of the frame to come */
  guint fds_left;     /* descriptors to come */
  gboolean held;      /* the header is there, and the owner wants no more now */
  GByteArray *gather; /* of a frame that is taken out */
  GArray *gather_fds; /* int: what followed it; NULL: none yet */

  DriverOutput output;
  GQueue injected; /* Injected: they wait for the end of a frame */
};

static void
injected_free (Injected *injected)
{
  g_bytes_unref (injected->frame);
  g_clear_object (&injected->fds);
  g_free (injected);
}

static void
close_int (gpointer fd)
{
  close (*(int *) fd);
}

DriverPipe *
driver_pipe_new (DriverFrameType fds_type, const DriverPipeOwner *owner, gpointer data)
{
  DriverPipe *pipe = g_new0 (DriverPipe, 1);

  pipe->owner = *owner;
  pipe->data = data;
  pipe->fds_type = fds_type;
  pipe->start_need = DRIVER_FRAME_HEADER;
  driver_output_init (&pipe->output);
  g_queue_init (&pipe->injected);
  return pipe;
}

void
driver_pipe_free (DriverPipe *pipe)
{
  if (pipe == NULL)
    return;
  g_clear_pointer (&pipe->gather, g_byte_array_unref);
  g_clear_pointer (&pipe->gather_fds, g_array_unref);
  driver_output_clear (&pipe->output);
  g_queue_clear_full (&pipe->injected, (GDestroyNotify) injected_free);
  g_free (pipe);
}

gboolean
driver_pipe_wants_input (const DriverPipe *pipe)
{
  return !pipe->held && driver_output_get_length (&pipe->output) < OUTPUT_MAX
         && driver_output_get_n_fds (&pipe->output) < DRIVER_FRAME_FDS_MAX;
}

gboolean
driver_pipe_is_held (const DriverPipe *pipe)
{
  return pipe->held;
}

gboolean
driver_pipe_has_output (const DriverPipe *pipe)
{
  return driver_output_is_waiting (&pipe->output);
}

static void
queue_injected (DriverPipe *pipe, GBytes *frame, GUnixFDList *fds)
{
  g_autofree int *taken = fds != NULL ? g_unix_fd_list_steal_fds (fds, NULL) : NULL;

  driver_output_add (&pipe->output, g_bytes_get_data (frame, NULL), g_bytes_get_size (frame));
  for (gsize i = 0; taken != NULL && taken[i] >= 0; i++)
    driver_output_add_fd (&pipe->output, taken[i]);
}

static gboolean
at_boundary (const DriverPipe *pipe)
{
  return pipe->state == IN_HEADER || pipe->gather != NULL;
}

void
driver_pipe_inject (DriverPipe *pipe, GBytes *frame, GUnixFDList *fds)
{
  Injected *injected;

  if (at_boundary (pipe))
    {
      queue_injected (pipe, frame, fds);
      return;
    }
  injected = g_new (Injected, 1);
  *injected = (Injected){ g_bytes_ref (frame), fds != NULL ? g_object_ref (fds) : NULL };
  g_queue_push_tail (&pipe->injected, injected);
}

void
driver_pipe_discard (DriverPipe *pipe)
{
  driver_output_discard (&pipe->output);
}

static void
flush_injected (DriverPipe *pipe)
{
  Injected *injected;

  while ((injected = g_queue_pop_head (&pipe->injected)) != NULL)
    {
      queue_injected (pipe, injected->frame, injected->fds);
      injected_free (injected);
    }
}

/* The stream is between two frames: the place for what was injected. */
static void
begin_frame (DriverPipe *pipe)
{
  pipe->state = IN_HEADER;
  pipe->start_have = 0;
  pipe->start_need = DRIVER_FRAME_HEADER;
  flush_injected (pipe);
}

static GUnixFDList *
take_gathered_fds (DriverPipe *pipe)
{
  g_autoptr (GArray) fds = g_steal_pointer (&pipe->gather_fds);

  if (fds == NULL)
    return NULL;
  g_array_set_clear_func (fds, NULL);
  return g_unix_fd_list_new_from_array ((const int *) (gconstpointer) fds->data, (gint) fds->len);
}

static void
end_frame (DriverPipe *pipe)
{
  if (pipe->fds_left > 0)
    {
      pipe->state = IN_FDS;
      return;
    }
  begin_frame (pipe);
  if (pipe->gather != NULL)
    {
      g_autoptr (GBytes) frame = g_byte_array_free_to_bytes (g_steal_pointer (&pipe->gather));
      g_autoptr (GUnixFDList) fds = take_gathered_fds (pipe);

      pipe->owner.frame (&pipe->header, frame, fds, pipe->data);
    }
}

static gboolean
fail_protocol (GError **error, const char *what)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("not a frame of libvirt's RPC: %s"), what);
  return FALSE;
}

/* The header is complete, and shown to the owner; once more, where it was held. */
static void
show_frame (DriverPipe *pipe)
{
  pipe->left = pipe->header.length - pipe->start_have;
  pipe->state = IN_BODY;
  switch (pipe->owner.header (&pipe->header, pipe->data))
    {
    case DRIVER_PIPE_HOLD:
      pipe->held = TRUE;
      pipe->state = IN_HEADER;
      flush_injected (pipe);
      return;
    case DRIVER_PIPE_GATHER:
      pipe->gather = g_byte_array_sized_new (pipe->header.length);
      g_byte_array_append (pipe->gather, pipe->start, (guint) pipe->start_have);
      break;
    case DRIVER_PIPE_PASS:
    default:
      driver_output_add (&pipe->output, pipe->start, pipe->start_have);
    }
  if (pipe->left == 0)
    end_frame (pipe);
}

void
driver_pipe_resume (DriverPipe *pipe)
{
  if (!pipe->held)
    return;
  pipe->held = FALSE;
  show_frame (pipe);
}

/* The header is complete, and the number of descriptors where there is one. */
static gboolean
begin_body (DriverPipe *pipe, GError **error)
{
  pipe->fds_left = 0;
  if (pipe->header.type == (guint32) pipe->fds_type)
    {
      pipe->fds_left = driver_frame_length (pipe->start + DRIVER_FRAME_HEADER);
      if (pipe->fds_left > DRIVER_FRAME_FDS_MAX)
        return fail_protocol (error, _ ("too many descriptors"));
    }
  show_frame (pipe);
  return TRUE;
}

/* Some more of the header is there. */
static gboolean
check_header (DriverPipe *pipe, GError **error)
{
  /* As libvirt does, with the first word alone. */
  if (pipe->start_have >= 4 && !driver_frame_length_valid (driver_frame_length (pipe->start)))
    return fail_protocol (error, _ ("bad length"));
  if (pipe->start_have < pipe->start_need)
    return TRUE;
  if (pipe->start_need == DRIVER_FRAME_HEADER)
    {
      driver_frame_header_decode (pipe->start, &pipe->header);
      if (pipe->header.type == (guint32) pipe->fds_type)
        {
          pipe->start_need += 4;
          if (pipe->header.length < pipe->start_need)
            return fail_protocol (error, _ ("no number of descriptors"));
          return TRUE;
        }
    }
  return begin_body (pipe, error);
}

static gboolean
consume (DriverPipe *pipe, const guint8 *bytes, gsize length, GError **error)
{
  while (length > 0)
    {
      gsize take;

      if (pipe->state == IN_HEADER)
        {
          take = MIN (length, pipe->start_need - pipe->start_have);
          memcpy (pipe->start + pipe->start_have, bytes, take);
          pipe->start_have += take;
          if (!check_header (pipe, error))
            return FALSE;
        }
      else
        {
          take = MIN (length, pipe->left);
          if (pipe->gather != NULL)
            g_byte_array_append (pipe->gather, bytes, (guint) take);
          else
            driver_output_add (&pipe->output, bytes, take);
          pipe->left -= take;
          if (pipe->left == 0)
            end_frame (pipe);
        }
      bytes += take;
      length -= take;
    }
  return TRUE;
}

/* How far a plain read may go: to the end of a header or of a frame, and over the next header only
   where no descriptor can stand before it. */
static gsize
readable (const DriverPipe *pipe)
{
  if (pipe->state == IN_HEADER)
    return pipe->start_need - pipe->start_have;
  return MIN (pipe->left + (pipe->fds_left > 0 ? 0 : DRIVER_FRAME_HEADER), (gsize) READ_MAX);
}

static DriverPipeResult
fail_errno (GError **error, const char *what)
{
  if (errno == EAGAIN || errno == EINTR)
    return DRIVER_PIPE_AGAIN;
  /* A peer that went away without a word has closed, too. */
  if (errno != ECONNRESET && errno != EPIPE)
    common_error_set_errno (error, errno, "%s", what);
  return DRIVER_PIPE_END;
}

static void
gather_fd (DriverPipe *pipe, int fd)
{
  if (pipe->gather_fds == NULL)
    {
      pipe->gather_fds = g_array_new (FALSE, FALSE, sizeof (int));
      g_array_set_clear_func (pipe->gather_fds, close_int);
    }
  g_array_append_val (pipe->gather_fds, fd);
}

static DriverPipeResult
read_fd (DriverPipe *pipe, int fd, GError **error)
{
  int passed;
  gssize got = driver_passing_receive (fd, &passed);

  if (got < 0)
    return fail_errno (error, _ ("cannot read from a client or libvirt"));
  if (got == 0)
    return DRIVER_PIPE_END;
  if (passed < 0)
    {
      fail_protocol (error, _ ("a descriptor is missing"));
      return DRIVER_PIPE_END;
    }
  if (pipe->gather != NULL)
    gather_fd (pipe, passed);
  else
    driver_output_add_fd (&pipe->output, passed);
  if (--pipe->fds_left == 0)
    end_frame (pipe);
  return DRIVER_PIPE_MORE;
}

DriverPipeResult
driver_pipe_read (DriverPipe *pipe, int fd, GError **error)
{
  guint8 buffer[READ_MAX];
  gsize want;
  gssize got;

  if (pipe->state == IN_FDS)
    return read_fd (pipe, fd, error);

  want = readable (pipe);
  got = recv (fd, buffer, want, MSG_DONTWAIT);
  if (got < 0)
    return fail_errno (error, _ ("cannot read from a client or libvirt"));
  if (got == 0 || !consume (pipe, buffer, (gsize) got, error))
    return DRIVER_PIPE_END;
  return (gsize) got == want || pipe->state == IN_FDS ? DRIVER_PIPE_MORE : DRIVER_PIPE_AGAIN;
}

DriverPipeResult
driver_pipe_write (DriverPipe *pipe, int fd, GError **error)
{
  int failed = driver_output_write (&pipe->output, fd);

  if (failed == 0)
    return DRIVER_PIPE_MORE;
  errno = failed;
  return fail_errno (error, _ ("cannot write to a client or libvirt"));
}
