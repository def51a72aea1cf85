/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-agent.h"

#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "pkttyagent"
/* The agent's end of the pipe that it closes once it is registered. */
#define NOTIFY_FD 3
/* polkitd answers at once, or is not there. */
#define REGISTER_MSEC 5000

struct _CliAgent
{
  GPid pid;
};

static void
wait_registered (int fd)
{
  struct pollfd ready = { .fd = fd, .events = POLLIN | POLLHUP };

  while (poll (&ready, 1, REGISTER_MSEC) < 0 && errno == EINTR)
    continue;
}

CliAgent *
cli_agent_start (void)
{
  g_autofree char *process = g_strdup_printf ("%d", (int) getpid ());
  const char *const argv[] = {
    PROGRAM, "--process", process, "--notify-fd", G_STRINGIFY (NOTIFY_FD), "--fallback", NULL
  };
  const int target = NOTIFY_FD;
  int ends[2];
  GPid pid;
  gboolean started;
  CliAgent *agent;

  if (geteuid () == 0 || !g_unix_open_pipe (ends, FD_CLOEXEC, NULL))
    return NULL;
  /* It asks on /dev/tty. Where it cannot register there is no polkit, as the helper will say. */
  started = g_spawn_async_with_pipes_and_fds (
      NULL, argv, NULL,
      G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CHILD_INHERITS_STDIN
          | G_SPAWN_STDERR_TO_DEV_NULL,
      NULL, NULL, -1, -1, -1, &ends[1], &target, 1, &pid, NULL, NULL, NULL, NULL);
  close (ends[1]);
  if (started)
    wait_registered (ends[0]);
  close (ends[0]);
  if (!started)
    return NULL;
  agent = g_new0 (CliAgent, 1);
  agent->pid = pid;
  return agent;
}

void
cli_agent_stop (CliAgent *agent)
{
  if (agent == NULL)
    return;
  kill (agent->pid, SIGTERM);
  while (waitpid (agent->pid, NULL, 0) < 0 && errno == EINTR)
    continue;
  g_spawn_close_pid (agent->pid);
  g_free (agent);
}
