/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS 4096

static const char *watched;
static const JournalHooks *hooks;
/* Descriptors of the directory, "", and of files in it; NULL for all others. */
static char *names[DESCRIPTORS];

void
journal_calls_watch (const char *directory, const JournalHooks *with)
{
  watched = directory;
  hooks = with;
}

const char *
journal_call_name (JournalCallKind kind)
{
  static const char *const kinds[] = { "create", "write", "fsync", "rename", "unlink" };

  return kinds[kind];
}

static const char *
name_of (int descriptor)
{
  return descriptor >= 0 && descriptor < DESCRIPTORS && watched != NULL ? names[descriptor] : NULL;
}

static void
set_name (int descriptor, const char *name)
{
  if (descriptor < 0 || descriptor >= DESCRIPTORS)
    return;
  g_free (names[descriptor]);
  names[descriptor] = g_strdup (name);
}

/* Makes @number with the hooks around it, where there are any. */
#define AROUND(result, made, call)                                                                 \
  do                                                                                               \
    {                                                                                              \
      int refused = hooks->before == NULL ? 0 : hooks->before (call, hooks->data);                 \
                                                                                                   \
      if (refused != 0)                                                                            \
        {                                                                                          \
          errno = refused;                                                                         \
          return -1;                                                                               \
        }                                                                                          \
      result = made;                                                                               \
      if (result >= 0 && hooks->after != NULL)                                                     \
        hooks->after (call, hooks->data);                                                          \
    }                                                                                              \
  while (0)

int
openat (int directory, const char *name, int flags, ...)
{
  gboolean inside = name_of (directory) != NULL && *name_of (directory) == '\0';
  JournalCall call = { JOURNAL_CREATE, name, NULL, NULL, 0 };
  va_list arguments;
  mode_t mode;
  int result;

  va_start (arguments, flags);
  mode = (flags & O_CREAT) != 0 ? va_arg (arguments, mode_t) : 0;
  va_end (arguments);
  if (inside && (flags & O_CREAT) != 0)
    AROUND (result, (int) syscall (SYS_openat, directory, name, flags, mode), &call);
  else
    result = (int) syscall (SYS_openat, directory, name, flags, mode);
  if (result >= 0 && watched != NULL && g_str_equal (name, watched))
    set_name (result, "");
  else if (result >= 0 && inside)
    set_name (result, g_str_equal (name, ".") ? "" : name);
  return result;
}

ssize_t
write (int descriptor, const void *data, size_t length)
{
  JournalCall call = { JOURNAL_WRITE, name_of (descriptor), NULL, data, length };
  ssize_t result;

  if (call.name == NULL)
    return syscall (SYS_write, descriptor, data, length);
  AROUND (result, syscall (SYS_write, descriptor, data, length), &call);
  return result;
}

int
fsync (int descriptor)
{
  JournalCall call = { JOURNAL_FSYNC, name_of (descriptor), NULL, NULL, 0 };
  int result;

  if (call.name == NULL)
    return (int) syscall (SYS_fsync, descriptor);
  AROUND (result, (int) syscall (SYS_fsync, descriptor), &call);
  return result;
}

int
renameat (int from, const char *name, int to, const char *other)
{
  JournalCall call = { JOURNAL_RENAME, name, other, NULL, 0 };
  int result;

  if (name_of (from) == NULL)
    return (int) syscall (SYS_renameat2, from, name, to, other, 0);
  AROUND (result, (int) syscall (SYS_renameat2, from, name, to, other, 0), &call);
  return result;
}

int
unlinkat (int directory, const char *name, int flags)
{
  JournalCall call = { JOURNAL_UNLINK, name, NULL, NULL, 0 };
  int result;

  if (name_of (directory) == NULL)
    return (int) syscall (SYS_unlinkat, directory, name, flags);
  AROUND (result, (int) syscall (SYS_unlinkat, directory, name, flags), &call);
  return result;
}

int
close (int descriptor)
{
  if (name_of (descriptor) != NULL)
    set_name (descriptor, NULL);
  return (int) syscall (SYS_close, descriptor);
}
