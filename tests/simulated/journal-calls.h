/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * The system calls by which records of leases are written: a program that links journal-calls.c has
 * its openat, write, fsync, renameat, unlinkat and close in the place of libc's. What concerns one
 * directory is told, and can be refused; all else passes.
 */
typedef enum
{
  JOURNAL_CREATE, /* a file is opened to be written anew */
  JOURNAL_WRITE,
  JOURNAL_FSYNC,
  JOURNAL_RENAME,
  JOURNAL_UNLINK
} JournalCallKind;

typedef struct
{
  JournalCallKind kind;
  const char *name; /* in the directory; "" is itself */
  const char *to;   /* of a rename */
  const void *data; /* of a write */
  gsize length;
} JournalCall;

typedef struct
{
  /* Before a call: the errno that it is refused with; 0: none. */
  int (*before) (const JournalCall *call, gpointer data);
  /* After one that succeeded; of a write @length is how much was written. */
  void (*after) (const JournalCall *call, gpointer data);
  gpointer data;
} JournalHooks;

/** journal_calls_watch: from now on, @directory; NULL: none. @hooks outlives it. */
void journal_calls_watch (const char *directory, const JournalHooks *hooks);

/** journal_call_name: "create", "write" … */
const char *journal_call_name (JournalCallKind kind);
