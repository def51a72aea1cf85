/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "driver/driver-passing.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef union
{
  struct cmsghdr header;
  char space[CMSG_SPACE (sizeof (int))];
} Control;

gssize
driver_passing_receive (int socket, void *bytes, gsize size, int *fd)
{
  Control control;
  struct iovec iov = { bytes, size };
  /* Without the padding: the kernel would put a second descriptor there. */
  struct msghdr message = { .msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = CMSG_LEN (sizeof (int)) };
  gssize got = recvmsg (socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

  *fd = -1;
  if (got <= 0)
    return got;

  struct cmsghdr *cmsg = CMSG_FIRSTHDR (&message);
  if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS
      && cmsg->cmsg_len == CMSG_LEN (sizeof (int)))
    memcpy (fd, CMSG_DATA (cmsg), sizeof (int));
  /* More than one came, or this process can have no more: the stream is not what it was. */
  if (*fd >= 0 && (message.msg_flags & MSG_CTRUNC) != 0)
    {
      close (*fd);
      *fd = -1;
    }
  return got;
}

gssize
driver_passing_send (int socket, int fd)
{
  Control control = { .header = { .cmsg_level = SOL_SOCKET,
                                  .cmsg_type = SCM_RIGHTS,
                                  .cmsg_len = CMSG_LEN (sizeof (int)) } };
  char byte = 0;
  struct iovec iov = { &byte, 1 };
  struct msghdr message = {
    .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
  };

  memcpy (CMSG_DATA (&control.header), &fd, sizeof (int));
  return sendmsg (socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}
