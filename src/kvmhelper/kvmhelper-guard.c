/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/common-error.h"
#include "kvmhelper/kvmhelper-frame.h"
#include "kvmhelper/kvmhelper-limits.h"

/* As many descriptors as a message may have at the kernel (SCM_MAX_FD). */
#define DESCRIPTORS 253

/* What is read at a time of what is passed on or thrown away as it is. */
#define CHUNK (64 * 1024)

#define BEGIN "BEGIN\r\n"

/* What goes to one side, and was not taken by it yet. */
typedef struct
{
  guint8 *bytes;
  gsize length;
  gsize done;
  int fds[DESCRIPTORS]; /* that go with the first byte */
  gsize n_fds;
} Parcel;

typedef struct
{
  int bus;
  int inside;        /* the socket that GDBus has the other end of */
  gboolean speaking; /* messages, after what authentication says line by line */
  char said[sizeof BEGIN];

  Parcel out; /* to the bus */

  /* From the bus: the message that is being read. */
  gsize have;
  gsize want; /* have, when the next thing is known */
  gsize skip; /* how much is still thrown away */
  Parcel in;  /* to inside */
  guint8 *message;
} Guard;

static void
close_fds (Parcel *parcel)
{
  for (gsize i = 0; i < parcel->n_fds; i++)
    close (parcel->fds[i]);
  parcel->n_fds = 0;
}

static gboolean
would_block (gssize n)
{
  return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* FALSE where the other side is gone. */
static gboolean
send_parcel (int fd, Parcel *parcel)
{
  union
  {
    struct cmsghdr header;
    guint8 bytes[CMSG_SPACE (DESCRIPTORS * sizeof (int))];
  } control = { 0 };
  struct iovec vector = { parcel->bytes + parcel->done, parcel->length - parcel->done };
  struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };
  gssize n;

  if (parcel->n_fds > 0)
    {
      header.msg_control = &control;
      header.msg_controllen = CMSG_SPACE (parcel->n_fds * sizeof (int));
      control.header.cmsg_level = SOL_SOCKET;
      control.header.cmsg_type = SCM_RIGHTS;
      control.header.cmsg_len = CMSG_LEN (parcel->n_fds * sizeof (int));
      memcpy (CMSG_DATA (&control.header), parcel->fds, parcel->n_fds * sizeof (int));
    }
  n = sendmsg (fd, &header, MSG_NOSIGNAL);
  if (would_block (n))
    return TRUE;
  if (n < 0)
    return FALSE;
  close_fds (parcel);
  parcel->done += (gsize) n;
  if (parcel->done == parcel->length)
    parcel->done = parcel->length = 0;
  return TRUE;
}

/* The descriptors that came with a part of a message. More than go in a parcel are closed. */
static void
take_fds (struct msghdr *header, Parcel *parcel)
{
  for (struct cmsghdr *control = CMSG_FIRSTHDR (header); control != NULL;
       control = CMSG_NXTHDR (header, control))
    {
      gsize n = (control->cmsg_len - CMSG_LEN (0)) / sizeof (int);

      if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
        continue;
      for (gsize i = 0; i < n; i++)
        {
          int fd;

          memcpy (&fd, CMSG_DATA (control) + i * sizeof fd, sizeof fd);
          if (parcel->n_fds < DESCRIPTORS)
            parcel->fds[parcel->n_fds++] = fd;
          else
            close (fd);
        }
    }
}

/* As read(), with what descriptors come along. */
static gssize
receive (int fd, void *buffer, gsize length, Parcel *parcel)
{
  union
  {
    struct cmsghdr header;
    guint8 bytes[CMSG_SPACE (DESCRIPTORS * sizeof (int))];
  } control;
  struct iovec vector = { buffer, length };
  struct msghdr header = {
    .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };
  gssize n = recvmsg (fd, &header, MSG_CMSG_CLOEXEC);

  if (n >= 0)
    take_fds (&header, parcel);
  return n;
}

static void
pass_on (Guard *guard, gsize length)
{
  guard->in.bytes = guard->message;
  guard->in.length = length;
  guard->in.done = 0;
}

static void
begin_message (Guard *guard)
{
  guard->have = 0;
  guard->want = KVMHELPER_FRAME_START;
}

/* As much of a message is there as was wanted. FALSE where that cannot be one. */
static gboolean
advance (Guard *guard)
{
  KvmHelperFrame frame;

  if (!kvmhelper_frame_read (guard->message, &frame))
    return FALSE;
  if (frame.header + frame.body <= KVMHELPER_MAX_MESSAGE)
    {
      guard->want = frame.header + frame.body;
      if (guard->have < guard->want)
        return TRUE;
      pass_on (guard, guard->have);
      begin_message (guard);
      return TRUE;
    }
  if (guard->have < frame.header && frame.header <= KVMHELPER_MAX_MESSAGE)
    {
      guard->want = frame.header;
      return TRUE;
    }
  guard->skip = frame.header + frame.body - guard->have;
  if (guard->have == frame.header && kvmhelper_frame_blank (guard->message, guard->have))
    pass_on (guard, guard->have);
  begin_message (guard);
  return TRUE;
}

/* Something can be read of the bus, and nothing waits to be taken inside. */
static gboolean
read_bus (Guard *guard)
{
  gsize length = guard->skip > 0    ? MIN (guard->skip, CHUNK)
                 : !guard->speaking ? CHUNK
                                    : guard->want - guard->have;
  guint8 scratch[CHUNK];
  gboolean skipping = guard->skip > 0;
  Parcel thrown = { NULL };
  gssize n = receive (guard->bus, skipping ? scratch : guard->message + guard->have, length,
                      skipping ? &thrown : &guard->in);

  close_fds (&thrown);
  if (n <= 0)
    return would_block (n);
  if (skipping)
    {
      guard->skip -= (gsize) n;
      return TRUE;
    }
  guard->have += (gsize) n;
  if (!guard->speaking)
    {
      pass_on (guard, guard->have);
      guard->have = 0;
      return TRUE;
    }
  if (guard->have < guard->want)
    return TRUE;
  if (!advance (guard))
    return FALSE;
  if (guard->skip > 0)
    close_fds (&guard->in);
  return TRUE;
}

/* The bus sends messages only after our side has sent the last line of the authentication. */
static void
look_for_begin (Guard *guard, const guint8 *bytes, gsize n)
{
  for (gsize i = 0; i < n && !guard->speaking; i++)
    {
      memmove (guard->said, guard->said + 1, strlen (BEGIN) - 1);
      guard->said[strlen (BEGIN) - 1] = (char) bytes[i];
      guard->speaking = memcmp (guard->said, BEGIN, strlen (BEGIN)) == 0;
    }
  if (guard->speaking)
    begin_message (guard);
}

/* What the helper sends it knows, and there are no descriptors in it. */
static gboolean
read_inside (Guard *guard)
{
  gssize n = read (guard->inside, guard->out.bytes, CHUNK);

  if (n <= 0)
    return would_block (n);
  guard->out.length = (gsize) n;
  guard->out.done = 0;
  if (!guard->speaking)
    look_for_begin (guard, guard->out.bytes, (gsize) n);
  return TRUE;
}

static gboolean
is_ready (const struct pollfd *fd, short events)
{
  return (fd->revents & (events | POLLHUP | POLLERR)) != 0;
}

/* Waits for what can be done next, and does it. FALSE at the end. */
static gboolean
step (Guard *guard)
{
  gboolean bus_waits = guard->out.length > 0, inside_waits = guard->in.length > 0;
  struct pollfd fds[]
      = { { guard->bus, (short) ((bus_waits ? POLLOUT : 0) | (inside_waits ? 0 : POLLIN)), 0 },
          { guard->inside, (short) ((inside_waits ? POLLOUT : 0) | (bus_waits ? 0 : POLLIN)), 0 } };

  if (poll (fds, 2, -1) < 0)
    return errno == EINTR;
  if (bus_waits && is_ready (&fds[0], POLLOUT) && !send_parcel (guard->bus, &guard->out))
    return FALSE;
  if (inside_waits && is_ready (&fds[1], POLLOUT) && !send_parcel (guard->inside, &guard->in))
    return FALSE;
  if (!inside_waits && is_ready (&fds[0], POLLIN) && !read_bus (guard))
    return FALSE;
  return bus_waits || !is_ready (&fds[1], POLLIN) || read_inside (guard);
}

static gpointer
run (gpointer data)
{
  Guard *guard = data;

  while (step (guard))
    ;
  close_fds (&guard->in);
  close (guard->bus);
  close (guard->inside);
  g_free (guard->out.bytes);
  g_free (guard->message);
  g_free (guard);
  return NULL;
}

/* A socket to the bus that is ours alone. */
static int
connect_socket (const char *address, GError **error)
{
  g_autofree char *system = NULL;
  g_autoptr (GIOStream) stream = NULL;
  int fd;

  if (address == NULL)
    address = system = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  if (address == NULL)
    return -1;
  stream = g_dbus_address_get_stream_sync (address, NULL, NULL, error);
  if (stream == NULL)
    return -1;
  fd = fcntl (g_socket_get_fd (g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream))),
              F_DUPFD_CLOEXEC, 3);
  if (fd < 0 || fcntl (fd, F_SETFL, O_NONBLOCK) < 0)
    common_error_set_errno (error, errno, "%s", address);
  return fd;
}

static GQuark
thread_quark (void)
{
  return g_quark_from_static_string ("kvmhelper-guard");
}

/* The guard at its work; returns the socket that GDBus is to have. */
static GSocketConnection *
begin (int bus, GThread **thread, GError **error)
{
  int pair[2];
  g_autoptr (GSocket) socket = NULL;
  Guard *guard;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0
      || fcntl (pair[1], F_SETFL, O_NONBLOCK) < 0)
    {
      common_error_set_errno (error, errno, "socketpair");
      close (bus);
      return NULL;
    }
  guard = g_new0 (Guard, 1);
  guard->bus = bus;
  guard->inside = pair[1];
  guard->out.bytes = g_malloc (CHUNK);
  guard->message = g_malloc (MAX (KVMHELPER_MAX_MESSAGE, CHUNK));
  *thread = g_thread_new ("guard", run, guard);
  socket = g_socket_new_from_fd (pair[0], error);
  return socket == NULL ? NULL : g_socket_connection_factory_create_connection (socket);
}

GDBusConnection *
kvmhelper_guard_connect (const char *address, GError **error)
{
  int bus = connect_socket (address, error);
  GThread *thread = NULL;
  g_autoptr (GSocketConnection) stream = bus < 0 ? NULL : begin (bus, &thread, error);
  GDBusConnection *connection = NULL;

  if (stream != NULL)
    connection = g_dbus_connection_new_sync (G_IO_STREAM (stream), NULL,
                                             G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                 | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                             NULL, NULL, error);
  /* Where there is none the stream is closed with its last reference, and the guard ends. */
  if (connection != NULL)
    g_object_set_qdata_full (G_OBJECT (connection), thread_quark (), thread,
                             (GDestroyNotify) g_thread_unref);
  else if (thread != NULL)
    g_thread_unref (thread);
  return connection;
}

void
kvmhelper_guard_close (GDBusConnection *connection)
{
  GThread *thread = g_object_steal_qdata (G_OBJECT (connection), thread_quark ());

  g_dbus_connection_flush_sync (connection, NULL, NULL);
  if (thread == NULL)
    return;
  g_dbus_connection_close_sync (connection, NULL, NULL);
  g_thread_join (thread);
}
