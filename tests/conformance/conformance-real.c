/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance-process.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/common-error.h"
#include "conformance-actor.h"
#include "conformance-hardware.h"

/* The kernel that runs here. Each process of a script is a child that does what its end of a socket
 * pair tells it, one packet a call. */
#define PACKET (2 * 1024 * 1024)
#define NOBODY 65534

struct _ConformanceSideData
{
  KvmHelperKernel *kernel;
  GPtrArray *processes; /* not owned; their sockets must not be in new children */
};

struct _ConformanceProcess
{
  ConformanceSideData *side;
  pid_t pid;
  int socket;
};

static ConformanceSideData *
real_start (const char *host, GError **error)
{
  KvmHelperKernel *kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", error);
  ConformanceSideData *side;

  if (kernel == NULL)
    return NULL;
  side = g_new0 (ConformanceSideData, 1);
  side->kernel = kernel;
  side->processes = g_ptr_array_new ();
  return side;
}

static void
real_stop (ConformanceSideData *side)
{
  g_ptr_array_unref (side->processes);
  kvmhelper_kernel_linux_free (side->kernel);
  g_free (side);
}

static const KvmHelperKernel *
real_kernel (ConformanceSideData *side)
{
  return side->kernel;
}

static guint
real_left_open (ConformanceSideData *side)
{
  return 0;
}

/* --- packets, with a descriptor or without (-1) --- */

static gboolean
send_packet (int socket, const void *data, gsize length, int handle)
{
  union
  {
    struct cmsghdr header;
    char room[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  struct iovec part = { (void *) data, length };
  struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

  if (handle >= 0)
    {
      message.msg_control = control.room;
      message.msg_controllen = sizeof control.room;
      control.header.cmsg_level = SOL_SOCKET;
      control.header.cmsg_type = SCM_RIGHTS;
      control.header.cmsg_len = CMSG_LEN (sizeof handle);
      memcpy (CMSG_DATA (&control.header), &handle, sizeof handle);
    }
  return sendmsg (socket, &message, MSG_NOSIGNAL) == (gssize) length;
}

static gssize
receive_packet (int socket, void *data, gsize size, int *handle)
{
  union
  {
    struct cmsghdr header;
    char room[CMSG_SPACE (sizeof (int))];
  } control;
  struct iovec part = { data, size };
  struct msghdr message = { .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = sizeof control.room };
  gssize length = recvmsg (socket, &message, MSG_CMSG_CLOEXEC);

  if (handle != NULL)
    {
      *handle = -1;
      if (length >= 0 && CMSG_FIRSTHDR (&message) != NULL)
        memcpy (handle, CMSG_DATA (CMSG_FIRSTHDR (&message)), sizeof *handle);
    }
  return length;
}

/* --- the child --- */

/* A call begins with 'c', a handle to be given away with 'g', one to be taken with 't'. */
static void
serve (ConformanceActor *actor, int socket)
{
  g_autofree char *packet = g_malloc0 (PACKET + 1);

  for (;;)
    {
      int handle;
      gssize length = receive_packet (socket, packet, PACKET, &handle);

      if (length <= 0)
        return;
      packet[length] = '\0';
      if (packet[0] == 'c')
        {
          g_autoptr (ConformanceReply) reply = conformance_actor_ask (actor, packet + 1);
          g_autoptr (GVariant) variant = g_variant_ref_sink (conformance_reply_to_variant (reply));

          send_packet (socket, g_variant_get_data (variant), g_variant_get_size (variant), -1);
        }
      else if (packet[0] == 'g')
        {
          const char *origin = g_hash_table_lookup (actor->origins, packet + 1);
          const char *answer = origin != NULL ? origin : "-";
          gpointer value;
          gboolean has = g_hash_table_lookup_extended (actor->handles, packet + 1, NULL, &value);

          send_packet (socket, answer, strlen (answer), has ? GPOINTER_TO_INT (value) : -1);
        }
      else
        {
          char *origin = strchr (packet, ' ');

          *origin++ = '\0';
          g_hash_table_insert (actor->handles, g_strdup (packet + 1), GINT_TO_POINTER (handle));
          if (*origin != '-')
            g_hash_table_insert (actor->origins, g_strdup (packet + 1), g_strdup (origin));
        }
    }
}

static void
become (const ConformanceProcessConfig *config)
{
  struct rlimit limit = { config->memlock, config->memlock };

  if (config->limited)
    setrlimit (RLIMIT_MEMLOCK, &limit);
  if (config->nobody && (setgroups (0, NULL) != 0 || setgid (NOBODY) != 0 || setuid (NOBODY) != 0))
    _exit (3);
}

static int
stand_in (guint pid)
{
  long fd
      = pid == 0 ? memfd_create ("none", MFD_CLOEXEC) : syscall (SYS_pidfd_open, (pid_t) pid, 0);

  return fd < 0 ? -errno : (int) fd;
}

G_NORETURN static void
child (const ConformanceProcessConfig *config, int socket)
{
  KvmHelperKernel *kernel = kvmhelper_kernel_linux_new ("/sys", "/proc", "/dev", NULL);
  ConformanceActor *actor;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  become (config);
  if (kernel == NULL)
    _exit (3);
  actor = conformance_actor_new (kernel, conformance_hardware_raise, NULL);
  actor->stand_in = stand_in;
  serve (actor, socket);
  _exit (0);
}

/* --- the parent --- */

static ConformanceProcess *
real_process_new (ConformanceSideData *side, const ConformanceProcessConfig *config, GError **error)
{
  ConformanceProcess *process;
  int sockets[2];
  pid_t pid;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0
      || setsockopt (sockets[0], SOL_SOCKET, SO_SNDBUFFORCE, &(int){ PACKET }, sizeof (int)) != 0
      || setsockopt (sockets[1], SOL_SOCKET, SO_SNDBUFFORCE, &(int){ PACKET }, sizeof (int)) != 0)
    {
      common_error_set_errno (error, errno, "socketpair");
      return NULL;
    }
  pid = fork ();
  if (pid == 0)
    {
      close (sockets[0]);
      for (guint i = 0; i < side->processes->len; i++)
        close (((ConformanceProcess *) g_ptr_array_index (side->processes, i))->socket);
      child (config, sockets[1]);
    }
  close (sockets[1]);
  process = g_new0 (ConformanceProcess, 1);
  process->side = side;
  process->pid = pid;
  process->socket = sockets[0];
  g_ptr_array_add (side->processes, process);
  return process;
}

static void
real_process_kill (ConformanceProcess *process)
{
  kill (process->pid, SIGKILL);
  waitpid (process->pid, NULL, 0);
  close (process->socket);
  g_ptr_array_remove (process->side->processes, process);
  g_free (process);
}

static void
real_begin (ConformanceProcess *process, const char *call)
{
  g_autofree char *packet = g_strconcat ("c", call, NULL);

  send_packet (process->socket, packet, strlen (packet), -1);
}

static ConformanceReply *
mistake (const char *text)
{
  return conformance_reply_mistake (
      g_error_new_literal (COMMON_ERROR, COMMON_ERROR_INVALID_ARGUMENT, text));
}

static ConformanceReply *
real_result (ConformanceProcess *process, guint milliseconds)
{
  struct pollfd poll_fd = { process->socket, POLLIN, 0 };
  g_autofree char *packet = g_malloc (PACKET);
  g_autoptr (GVariant) variant = NULL;
  ConformanceReply *reply;
  gssize length;

  if (poll (&poll_fd, 1, milliseconds == G_MAXUINT ? -1 : (int) milliseconds) == 0)
    {
      reply = conformance_reply_new ();
      reply->kind = CONFORMANCE_PENDING;
      return reply;
    }
  length = receive_packet (process->socket, packet, PACKET, NULL);
  if (length <= 0)
    return mistake ("the process has ended by itself");
  variant = g_variant_ref_sink (g_variant_new_from_data (
      G_VARIANT_TYPE (CONFORMANCE_REPLY_TYPE), packet, (gsize) length, FALSE, NULL, NULL));
  return conformance_reply_from_variant (variant);
}

static ConformanceReply *
real_ask (ConformanceProcess *process, const char *call)
{
  real_begin (process, call);
  return real_result (process, G_MAXUINT);
}

static int
real_pass (ConformanceProcess *from, const char *name, ConformanceProcess *to)
{
  g_autofree char *ask = g_strconcat ("g", name, NULL);
  g_autofree char *give = NULL;
  char origin[64] = "";
  int handle = -1;

  if (!send_packet (from->socket, ask, strlen (ask), -1)
      || receive_packet (from->socket, origin, sizeof origin - 1, &handle) <= 0 || handle < 0)
    return -EBADF;
  give = g_strconcat ("t", name, " ", origin, NULL);
  if (!send_packet (to->socket, give, strlen (give), handle))
    {
      close (handle);
      return -EPIPE;
    }
  close (handle);
  return 0;
}

static ConformanceReply *
real_outside (ConformanceSideData *side, const char *call)
{
  g_autoptr (ConformanceWords) words = conformance_words_new (call, NULL);
  ConformanceReply *reply;

  if (words == NULL || !g_str_equal (conformance_words_nth (words, 0), "freeze"))
    return mistake ("that cannot be done to a real host");
  reply = conformance_reply_new ();
  reply->answer = conformance_hardware_freeze (conformance_words_nth (words, 1));
  return reply;
}

const ConformanceSideCalls conformance_real = {
  .real = TRUE,
  .start = real_start,
  .stop = real_stop,
  .kernel = real_kernel,
  .left_open = real_left_open,
  .process_new = real_process_new,
  .process_kill = real_process_kill,
  .ask = real_ask,
  .begin = real_begin,
  .result = real_result,
  .pass = real_pass,
  .outside = real_outside,
};
