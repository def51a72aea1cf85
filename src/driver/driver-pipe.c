/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-pipe.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/common-error.h"
#include "driver/driver-gather.h"
#include "driver/driver-output.h"
#include "driver/driver-passing.h"
#include "driver/driver-start.h"

enum
{
  READ_MAX = 256 * 1024,
  /* Where the rest of a large frame can go by splice: the beginning of one, and as much as most
     calls and replies are. More of a large one is copied for nothing. */
  BEGINNING = 4 * 1024,
  /* Frames that are injected wait beside what was read: their number is bounded by those who
     inject. */
  FULL = 256 * 1024,
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
  DriverSplice *splice; /* NULL: none */

  State state;
  DriverStart start;
  gsize left;           /* bytes of the frame to come */
  guint fds_left;       /* descriptors to come */
  gboolean held;        /* the header is there, and the owner wants no more now */
  DriverGather *gather; /* a frame that is taken out; NULL: it passes */
  int arrived;          /* the descriptor of what was read last, until its byte is seen; -1: none */
  GByteArray *kept;     /* what was read behind a frame that is held; NULL: nothing */

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

DriverPipe *
driver_pipe_new (DriverFrameType fds_type, const DriverPipeOwner *owner, gpointer data)
{
  DriverPipe *pipe = g_new0 (DriverPipe, 1);

  pipe->owner = *owner;
  pipe->data = data;
  driver_start_init (&pipe->start, fds_type);
  pipe->arrived = -1;
  driver_output_init (&pipe->output);
  g_queue_init (&pipe->injected);
  return pipe;
}

static void
drop_arrived (DriverPipe *pipe)
{
  if (pipe->arrived >= 0)
    close (pipe->arrived);
  pipe->arrived = -1;
}

void
driver_pipe_set_splice (DriverPipe *pipe, DriverSplice *splice)
{
  pipe->splice = splice;
}

void
driver_pipe_free (DriverPipe *pipe)
{
  if (pipe == NULL)
    return;
  g_clear_pointer (&pipe->gather, driver_gather_free);
  g_clear_pointer (&pipe->kept, g_byte_array_unref);
  drop_arrived (pipe);
  driver_output_clear (&pipe->output);
  g_queue_clear_full (&pipe->injected, (GDestroyNotify) injected_free);
  g_free (pipe);
}

gboolean
driver_pipe_wants_input (const DriverPipe *pipe)
{
  return !pipe->held && !driver_output_is_waiting (&pipe->output);
}

gboolean
driver_pipe_has_input (const DriverPipe *pipe)
{
  return !pipe->held && pipe->kept != NULL;
}

gboolean
driver_pipe_is_full (const DriverPipe *pipe)
{
  return driver_output_get_length (&pipe->output) >= FULL
         || driver_output_get_n_fds (&pipe->output) >= DRIVER_FRAME_FDS_MAX;
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

gboolean
driver_pipe_is_amid (const DriverPipe *pipe)
{
  return !at_boundary (pipe);
}

void
driver_pipe_drop_injected (DriverPipe *pipe,
                           void (*dropped) (const DriverFrameHeader *header, gpointer data),
                           gpointer data)
{
  Injected *injected;

  while ((injected = g_queue_pop_head (&pipe->injected)) != NULL)
    {
      DriverFrameHeader header;

      driver_frame_header_decode (g_bytes_get_data (injected->frame, NULL), &header);
      injected_free (injected);
      dropped (&header, data);
    }
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
  driver_start_again (&pipe->start);
  flush_injected (pipe);
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
      g_autoptr (DriverGather) gather = g_steal_pointer (&pipe->gather);
      g_autoptr (GUnixFDList) fds = NULL;
      g_autoptr (GBytes) frame = driver_gather_take (gather, &fds);

      pipe->owner.frame (&pipe->start.header, frame, fds, pipe->data);
    }
}

/* The header is complete, and shown to the owner; once more, where it was held. */
static void
show_frame (DriverPipe *pipe)
{
  const DriverStart *start = &pipe->start;

  pipe->left = start->header.length - start->have;
  pipe->fds_left = start->n_fds;
  pipe->state = IN_BODY;
  switch (pipe->owner.header (&start->header, pipe->data))
    {
    case DRIVER_PIPE_HOLD:
      pipe->held = TRUE;
      pipe->state = IN_HEADER;
      flush_injected (pipe);
      return;
    case DRIVER_PIPE_GATHER:
      pipe->gather = driver_gather_new (start->header.length);
      driver_gather_add (pipe->gather, start->bytes, start->have);
      break;
    case DRIVER_PIPE_PASS:
    default:
      if (start->read != NULL)
        driver_output_borrow (&pipe->output, start->read, start->have);
      else
        driver_output_add (&pipe->output, start->bytes, start->have);
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

static gsize
consume_body (DriverPipe *pipe, const guint8 *bytes, gsize length)
{
  gsize take = MIN (length, pipe->left);

  if (pipe->gather != NULL)
    driver_gather_add (pipe->gather, bytes, take);
  else
    driver_output_borrow (&pipe->output, bytes, take);
  pipe->left -= take;
  return take;
}

/* A byte that has a descriptor. */
static gboolean
consume_fd (DriverPipe *pipe, GError **error)
{
  int fd = pipe->arrived;

  if (fd < 0)
    {
      driver_start_fail (error, _ ("a descriptor is missing"));
      return FALSE;
    }
  pipe->arrived = -1;
  if (pipe->gather != NULL)
    driver_gather_add_fd (pipe->gather, fd);
  else
    driver_output_add_fd (&pipe->output, fd);
  pipe->fds_left--;
  return TRUE;
}

static gboolean
consume (DriverPipe *pipe, const guint8 *bytes, gsize length, GError **error)
{
  while (length > 0 && !pipe->held)
    {
      gsize take = 1;

      if (pipe->state == IN_HEADER)
        {
          gssize taken = driver_start_take (&pipe->start, bytes, length, error);

          if (taken < 0)
            return FALSE;
          take = (gsize) taken;
          if (driver_start_is_complete (&pipe->start))
            show_frame (pipe);
        }
      else
        {
          if (pipe->state == IN_BODY)
            take = consume_body (pipe, bytes, length);
          else if (!consume_fd (pipe, error))
            return FALSE;
          if (pipe->left == 0 && (pipe->state == IN_BODY || pipe->fds_left == 0))
            end_frame (pipe);
        }
      bytes += take;
      length -= take;
    }
  if (length > 0)
    {
      pipe->kept = g_byte_array_sized_new ((guint) length);
      g_byte_array_append (pipe->kept, bytes, (guint) length);
    }
  else
    /* It came with bytes that it does not belong to: whoever read(2)s them loses it, too. */
    drop_arrived (pipe);
  return TRUE;
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

/* What was read goes on at once: only what the other side does not take is copied. */
static gboolean
pass_on (DriverPipe *pipe, const guint8 *bytes, gsize length, int to, GError **error)
{
  gboolean good = consume (pipe, bytes, length, error);

  if (to >= 0)
    driver_output_write (&pipe->output, to);
  driver_output_settle (&pipe->output);
  pipe->start.read = NULL;
  return good;
}

/* How much is read and copied. */
static gsize
readable (const DriverPipe *pipe)
{
  if (pipe->splice == NULL)
    return READ_MAX;
  return MIN ((pipe->state == IN_BODY ? pipe->left : 0) + BEGINNING, (gsize) READ_MAX);
}

/* Of a large frame that passes, what is there goes by itself. FALSE: it has to be read. */
static gboolean
move_pages (DriverPipe *pipe, int from, int to, DriverPipeResult *result)
{
  gssize got;

  if (pipe->splice == NULL || pipe->state != IN_BODY || pipe->left < DRIVER_SPLICE_MIN
      || pipe->gather != NULL || to < 0 || driver_output_is_waiting (&pipe->output))
    return FALSE;
  got = driver_splice_move (pipe->splice, from, to, pipe->left, &pipe->output);
  if (got < 0 && errno == ENOSYS)
    return FALSE;
  *result = got > 0 ? DRIVER_PIPE_MORE : got == 0 ? DRIVER_PIPE_END : DRIVER_PIPE_AGAIN;
  if (got <= 0)
    return TRUE;
  pipe->left -= (gsize) got;
  if (pipe->left == 0)
    end_frame (pipe);
  return TRUE;
}

DriverPipeResult
driver_pipe_move (DriverPipe *pipe, int from, int to, GError **error)
{
  guint8 buffer[READ_MAX];
  DriverPipeResult result;
  gboolean has_fd;
  gsize want;
  gssize got;

  if (driver_pipe_has_input (pipe))
    {
      g_autoptr (GByteArray) kept = g_steal_pointer (&pipe->kept);

      return pass_on (pipe, kept->data, kept->len, to, error) ? DRIVER_PIPE_MORE : DRIVER_PIPE_END;
    }
  if (move_pages (pipe, from, to, &result))
    return result;
  want = readable (pipe);
  got = driver_passing_receive (from, buffer, want, &pipe->arrived);
  if (got < 0)
    return fail_errno (error, _ ("cannot read from a client or libvirt"));
  has_fd = pipe->arrived >= 0;
  if (got == 0 || !pass_on (pipe, buffer, (gsize) got, to, error))
    return DRIVER_PIPE_END;
  return has_fd || (gsize) got == want ? DRIVER_PIPE_MORE : DRIVER_PIPE_AGAIN;
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
