/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/cli-diff.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli-terminal.h"
#include "common/common-error.h"

/* The descriptors that diff finds the two texts at. */
#define BEFORE_FD 3
#define AFTER_FD  4

static int
open_text (const char *text, gsize length, GError **error)
{
  int fd = memfd_create ("virt-ppc64", MFD_CLOEXEC);
  gsize done = 0;

  while (fd >= 0 && done < length)
    {
      ssize_t n = write (fd, text + done, length - done);

      if (n < 0 && errno != EINTR)
        {
          common_error_set_errno (error, errno, "memfd");
          close (fd);
          return -1;
        }
      done += n > 0 ? (gsize) n : 0;
    }
  if (fd < 0)
    common_error_set_errno (error, errno, "memfd_create");
  return fd;
}

char *
cli_diff (const char *name, const char *before, gsize before_length, const char *after,
          gsize after_length, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GSubprocess) diff = NULL;
  g_autofree char *old_label = g_strdup_printf ("--label=%s", name);
  char *text = NULL;
  int first = open_text (before, before_length, error);
  int second = first >= 0 ? open_text (after, after_length, error) : -1;

  if (second < 0)
    {
      if (first >= 0)
        close (first);
      return NULL;
    }
  g_subprocess_launcher_take_fd (launcher, first, BEFORE_FD);
  g_subprocess_launcher_take_fd (launcher, second, AFTER_FD);
  diff = g_subprocess_launcher_spawn (launcher, error, "diff", "-u", "-a", old_label, old_label,
                                      "/dev/fd/3", "/dev/fd/4", NULL);
  if (diff == NULL || !g_subprocess_communicate_utf8 (diff, NULL, NULL, &text, NULL, error))
    return NULL;
  if (!g_subprocess_get_if_exited (diff) || g_subprocess_get_exit_status (diff) > 1)
    {
      g_free (text);
      g_set_error_literal (error, COMMON_ERROR, COMMON_ERROR_INTERNAL,
                           _ ("diff ended with an error"));
      return NULL;
    }
  return text;
}

static CliStyle
line_style (const char *line)
{
  if (g_str_has_prefix (line, "+++") || g_str_has_prefix (line, "---"))
    return CLI_STYLE_STRONG;
  return *line == '+'   ? CLI_STYLE_GOOD
         : *line == '-' ? CLI_STYLE_BAD
         : *line == '@' ? CLI_STYLE_FAINT
                        : CLI_STYLE_PLAIN;
}

void
cli_diff_print (const char *diff)
{
  g_auto (GStrv) lines = NULL;

  /* Elsewhere it is for patch(1), byte for byte. */
  if (!cli_terminal_is_tty ())
    {
      fputs (diff, stdout);
      return;
    }
  lines = g_strsplit (diff, "\n", -1);
  for (guint i = 0; lines[i] != NULL && lines[i + 1] != NULL; i++)
    {
      g_autofree char *clean = cli_text_clean (lines[i], FALSE);
      CliStyle style = line_style (lines[i]);

      g_print ("%s%s%s\n", cli_terminal_style (style), clean, cli_terminal_style_end (style));
    }
}
