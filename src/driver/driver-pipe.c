/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-pipe.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/common-error.h"

enum
{
  READ_MAX = 64 * 1024,
  /* Reading stops while that much waits to be written. Frames that are injected come on top: their
     number is bounded by those who inject. */
  OUTPUT_MAX = 256 * 1024,
  /* What an idle connection may keep of its buffer. */
  OUTPUT_KEEP = 64 * 1024,
};

typedef enum
{
  IN_HEADER,
  IN_BODY,
  IN_FDS
} State;

/* A descriptor, and after which byte of the output it goes. */
typedef struct
{
  guint64 at;
  int fd;
} Passed;

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
  GByteArray *gather; /* of a frame that is taken out */

  gboolean discard;
  GByteArray *output;
  gsize output_start;
  gsize output_peak;
  guint64 queued, sent; /* bytes of the stream, ever */
  GQueue fds;           /* Passed, in order */
  GQueue injected;      /* GBytes that wait for the end of a frame */
};

static void
passed_free (Passed *passed)
{
  close (passed->fd);
  g_free (passed);
}

DriverPipe *
driver_pipe_new (DriverFrameType fds_type, const DriverPipeOwner *owner, gpointer data)
{
  DriverPipe *pipe = g_new0 (DriverPipe, 1);

  pipe->owner = *owner;
  pipe->data = data;
  pipe->fds_type = fds_type;
  pipe->start_need = DRIVER_FRAME_HEADER;
  pipe->output = g_byte_array_new ();
  g_queue_init (&pipe->fds);
  g_queue_init (&pipe->injected);
  return pipe;
}

void
driver_pipe_free (DriverPipe *pipe)
{
  if (pipe == NULL)
    return;
  g_clear_pointer (&pipe->gather, g_byte_array_unref);
  g_byte_array_unref (pipe->output);
  g_queue_clear_full (&pipe->fds, (GDestroyNotify) passed_free);
  g_queue_clear_full (&pipe->injected, (GDestroyNotify) g_bytes_unref);
  g_free (pipe);
}

gboolean
driver_pipe_wants_input (const DriverPipe *pipe)
{
  return pipe->queued - pipe->sent < OUTPUT_MAX && pipe->fds.length < DRIVER_FRAME_FDS_MAX;
}

gboolean
driver_pipe_has_output (const DriverPipe *pipe)
{
  return pipe->queued != pipe->sent || pipe->fds.length > 0;
}

static void
queue_bytes (DriverPipe *pipe, const void *bytes, gsize length)
{
  if (pipe->discard || length == 0)
    return;
  if (pipe->output_start >= OUTPUT_KEEP)
    {
      g_byte_array_remove_range (pipe->output, 0, (guint) pipe->output_start);
      pipe->output_start = 0;
    }
  g_byte_array_append (pipe->output, bytes, (guint) length);
  pipe->output_peak = MAX (pipe->output_peak, pipe->output->len);
  pipe->queued += length;
}

static gboolean
at_boundary (const DriverPipe *pipe)
{
  return pipe->state == IN_HEADER;
}

void
driver_pipe_inject (DriverPipe *pipe, GBytes *frame)
{
  if (at_boundary (pipe))
    queue_bytes (pipe, g_bytes_get_data (frame, NULL), g_bytes_get_size (frame));
  else
    g_queue_push_tail (&pipe->injected, g_bytes_ref (frame));
}

void
driver_pipe_discard (DriverPipe *pipe)
{
  pipe->discard = TRUE;
  g_byte_array_set_size (pipe->output, 0);
  pipe->output_start = 0;
  pipe->sent = pipe->queued;
  g_queue_clear_full (&pipe->fds, (GDestroyNotify) passed_free);
}

/* The stream is between two frames: the place for what was injected. */
static void
begin_frame (DriverPipe *pipe)
{
  GBytes *frame;

  pipe->state = IN_HEADER;
  pipe->start_have = 0;
  pipe->start_need = DRIVER_FRAME_HEADER;
  while ((frame = g_queue_pop_head (&pipe->injected)) != NULL)
    {
      queue_bytes (pipe, g_bytes_get_data (frame, NULL), g_bytes_get_size (frame));
      g_bytes_unref (frame);
    }
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

      pipe->owner.frame (&pipe->header, frame, pipe->data);
    }
}

static gboolean
fail_protocol (GError **error, const char *what)
{
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT,
               _ ("not a frame of libvirt's RPC: %s"), what);
  return FALSE;
}

/* The header is complete, and the number of descriptors where there is one. */
static gboolean
begin_body (DriverPipe *pipe, GError **error)
{
  gboolean with_fds = pipe->header.type == (guint32) pipe->fds_type;

  pipe->fds_left = 0;
  if (with_fds)
    {
      pipe->fds_left = driver_frame_length (pipe->start + DRIVER_FRAME_HEADER);
      if (pipe->fds_left > DRIVER_FRAME_FDS_MAX)
        return fail_protocol (error, _ ("too many descriptors"));
    }
  pipe->left = pipe->header.length - pipe->start_have;
  pipe->state = IN_BODY;
  if (!with_fds && pipe->owner.header (&pipe->header, pipe->data) == DRIVER_PIPE_GATHER)
    {
      pipe->gather = g_byte_array_sized_new (pipe->header.length);
      g_byte_array_append (pipe->gather, pipe->start, (guint) pipe->start_have);
    }
  else
    queue_bytes (pipe, pipe->start, pipe->start_have);
  if (pipe->left == 0)
    end_frame (pipe);
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
            queue_bytes (pipe, bytes, take);
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

static DriverPipeResult
read_fd (DriverPipe *pipe, int fd, GError **error)
{
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control;
  char byte;
  struct iovec iov = { &byte, 1 };
  struct msghdr message = {
    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  gssize got = recvmsg (fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

  if (got < 0)
    return fail_errno (error, _ ("cannot read from a client or libvirt"));
  if (got == 0)
    return DRIVER_PIPE_END;

  struct cmsghdr *cmsg = CMSG_FIRSTHDR (&message);
  Passed *passed = g_new0 (Passed, 1);

  passed->fd = -1;
  if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS
      && cmsg->cmsg_len == CMSG_LEN (sizeof (int)))
    memcpy (&passed->fd, CMSG_DATA (cmsg), sizeof (int));
  if (passed->fd < 0 || (message.msg_flags & MSG_CTRUNC) != 0)
    {
      if (passed->fd >= 0)
        close (passed->fd);
      g_free (passed);
      fail_protocol (error, _ ("a descriptor is missing"));
      return DRIVER_PIPE_END;
    }
  if (pipe->discard)
    passed_free (passed);
  else
    {
      passed->at = pipe->queued;
      g_queue_push_tail (&pipe->fds, passed);
    }
  if (--pipe->fds_left == 0)
    begin_frame (pipe);
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

static gssize
write_fd (const Passed *passed, int fd)
{
  union
  {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control = { .header = { .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN (sizeof (int)) } };
  char byte = 0;
  struct iovec iov = { &byte, 1 };
  struct msghdr message = {
    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };

  memcpy (CMSG_DATA (&control.header), &passed->fd, sizeof (int));
  return sendmsg (fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* All that waited is written: begin again at the start of the buffer. */
static void
rewind_output (DriverPipe *pipe)
{
  pipe->output_start = 0;
  if (pipe->output_peak > OUTPUT_KEEP)
    {
      g_byte_array_unref (pipe->output);
      pipe->output = g_byte_array_new ();
      pipe->output_peak = 0;
    }
  else
    g_byte_array_set_size (pipe->output, 0);
}

DriverPipeResult
driver_pipe_write (DriverPipe *pipe, int fd, GError **error)
{
  while (driver_pipe_has_output (pipe))
    {
      const Passed *next = g_queue_peek_head (&pipe->fds);
      guint64 until = next != NULL ? next->at : pipe->queued;
      gssize done;

      if (until == pipe->sent)
        {
          done = write_fd (next, fd);
          if (done > 0)
            {
              passed_free (g_queue_pop_head (&pipe->fds));
              continue;
            }
        }
      else
        done = send (fd, pipe->output->data + pipe->output_start, until - pipe->sent,
                     MSG_DONTWAIT | MSG_NOSIGNAL);
      if (done < 0)
        return fail_errno (error, _ ("cannot write to a client or libvirt"));
      pipe->output_start += (gsize) done;
      pipe->sent += (guint64) done;
      if (pipe->output_start == pipe->output->len)
        rewind_output (pipe);
    }
  return DRIVER_PIPE_MORE;
}
