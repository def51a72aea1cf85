/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * The seam to the kernel: everything that the helper reads from, writes to or asks of the kernel
 * goes through this one table, so that the same code runs on Linux (kvmhelper-kernel-linux.c) and
 * on a simulated POWER host.
 *
 * A path is relative to one of three roots and has no leading slash. It is made of constants,
 * numbers and names that the kernel gave, and of parsed PCI addresses; never of text that a caller
 * sent.
 *
 * Handles are what the kernel calls file descriptors: they appear inside the structs that are given
 * to ioctls. Every call answers with a negative errno on failure.
 */
typedef enum
{
  KVMHELPER_SYS,  /* /sys */
  KVMHELPER_PROC, /* /proc */
  KVMHELPER_DEV   /* /dev */
} KvmHelperRoot;

typedef struct
{
  guint mode;  /* type and permissions, as in st_mode */
  guint major; /* of a device node */
  guint minor;
} KvmHelperStat;

/* A limit of a process, bytes; G_MAXUINT64: none. */
typedef struct
{
  guint64 soft, hard;
} KvmHelperLimit;

typedef struct
{
  /* A handle. @flags as open(2), close-on-exec is added. Magic links and paths that lead out of the
   * root are refused. */
  int (*open) (gpointer data, KvmHelperRoot root, const char *path, int flags);
  /* As open and readlink, from @directory, which was opened with O_DIRECTORY, instead of a root.
   * What is in it is of what had its name then: where that is gone, so is all that was in it, also
   * when something else has its name now. */
  int (*open_at) (gpointer data, int directory, const char *path, int flags);
  gssize (*readlink_at) (gpointer data, int directory, const char *path, char *buffer, gsize size);
  void (*close) (gpointer data, int handle);
  gssize (*read) (gpointer data, int handle, void *buffer, gsize length);
  gssize (*write) (gpointer data, int handle, const void *buffer, gsize length);
  /* The text of a symbolic link, not terminated; its length. */
  gssize (*readlink) (gpointer data, KvmHelperRoot root, const char *path, char *buffer,
                      gsize size);
  /* Adds the names in a directory to @names (elements char *, freed by the array). */
  int (*list) (gpointer data, KvmHelperRoot root, const char *path, GPtrArray *names);
  /* Follows links, also those of /proc/PID/fd; asks no file server. */
  int (*stat) (gpointer data, KvmHelperRoot root, const char *path, KvmHelperStat *result);
  int (*ioctl) (gpointer data, int handle, gulong request, gulong argument);
  /* Maps @length bytes of a device, shared, to read and write. */
  int (*mmap) (gpointer data, int handle, gsize length, guint64 offset, void **address);
  int (*munmap) (gpointer data, void *address, gsize length);
  /* One aligned load of 8 bytes, big-endian as the hardware has them, from what mmap gave. */
  guint64 (*load) (gpointer data, const void *address);
  /* A new non-blocking eventfd. */
  int (*eventfd) (gpointer data);
  /* The POSIX ACL of what is at @path, as the attribute system.posix_acl_access has it
   * (linux/posix_acl_xattr.h); a link at the end is not followed. Its length; -ENODATA: the mode
   * says all. */
  gssize (*get_acl) (gpointer data, KvmHelperRoot root, const char *path, void *acl, gsize size);
  int (*set_acl) (gpointer data, KvmHelperRoot root, const char *path, const void *acl, gsize size);
  /* A handle of the process that has @pid now, which stays that process's (pidfd_open). */
  int (*pidfd) (gpointer data, guint pid);
  /* RLIMIT_MEMLOCK of a process (prlimit): what it was, then what it is to be; each may be NULL. */
  int (*memlock) (gpointer data, guint pid, const KvmHelperLimit *limit, KvmHelperLimit *before);
  /* The handle of a descriptor that came to this process in a message; @fd is taken. */
  int (*receive) (gpointer data, int fd);
} KvmHelperKernelCalls;

typedef struct
{
  const KvmHelperKernelCalls *calls;
  gpointer data;
  gsize page_size; /* of the kernel, bytes */
  guint pid;       /* of this process, as the kernel's files name it */
  /* The name of the simulated host's description; NULL: the Linux that runs here. */
  const char *simulated;
} KvmHelperKernel;

/**
 * kvmhelper_kernel_linux_new: the Linux that runs here. The three directories are opened and held;
 * "/sys", "/proc" and "/dev" outside of tests. NULL with COMMON_ERROR_KERNEL_FAILED.
 */
KvmHelperKernel *
kvmhelper_kernel_linux_new (const char *sys, const char *proc, const char *dev, GError **error);
void kvmhelper_kernel_linux_free (KvmHelperKernel *kernel);

/* "/sys", "/proc", "/dev": for messages and sources. */
const char *kvmhelper_kernel_root_name (KvmHelperRoot root);

/* The calls, by their short names. */
int kvmhelper_kernel_open (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path,
                           int flags);
void kvmhelper_kernel_close (const KvmHelperKernel *kernel, int handle);
int
kvmhelper_kernel_ioctl (const KvmHelperKernel *kernel, int handle, gulong request, gulong argument);
int kvmhelper_kernel_stat (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path,
                           KvmHelperStat *result);

/** kvmhelper_kernel_exists: whether there is something at @path. */
gboolean
kvmhelper_kernel_exists (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path);

/**
 * kvmhelper_kernel_read: the whole of a file, at most @limit bytes (the rest is left out), with a
 * NUL after it. @length may be NULL. NULL with COMMON_ERROR_KERNEL_FAILED.
 */
char *kvmhelper_kernel_read (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path,
                             gsize limit, gsize *length, GError **error);

/**
 * kvmhelper_kernel_as_line: @text, of the kernel's or of whoever wrote it there, as a line of
 * UTF-8, which can be sent and written down: what is none is replaced, and so are control
 * characters.
 */
char *kvmhelper_kernel_as_line (const char *text);

/** kvmhelper_kernel_read_line: a small file's text without white space around it, made UTF-8 where
 * it is none (root may write what it likes into some, as driver_override); NULL: none. */
char *
kvmhelper_kernel_read_line (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path);

/** kvmhelper_kernel_read_number: a small file's number, "0x…" as hexadecimal; FALSE: none. */
gboolean kvmhelper_kernel_read_number (const KvmHelperKernel *kernel, KvmHelperRoot root,
                                       const char *path, guint64 *number);

/** kvmhelper_kernel_write: writes @text in one call, as sysfs wants it. */
gboolean kvmhelper_kernel_write (const KvmHelperKernel *kernel, KvmHelperRoot root,
                                 const char *path, const char *text, GError **error);

/**
 * kvmhelper_kernel_read_at, kvmhelper_kernel_write_at: the same of a file in a directory that is
 * open: 0 and the text, to be freed, or a negative errno.
 */
int kvmhelper_kernel_read_at (const KvmHelperKernel *kernel, int directory, const char *path,
                              gsize limit, char **text);
int kvmhelper_kernel_write_at (const KvmHelperKernel *kernel, int directory, const char *path,
                               const char *text);

/** kvmhelper_kernel_readlink: the text of a link, or NULL. */
char *
kvmhelper_kernel_readlink (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path);

/** kvmhelper_kernel_link_name: the last part of a link's text, as the name of a driver; or NULL,
 * also where that is no name ("..", "", what is no line of UTF-8). */
char *
kvmhelper_kernel_link_name (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path);

/** kvmhelper_kernel_list: the names in a directory, sorted; empty where there is none. */
GPtrArray *
kvmhelper_kernel_list (const KvmHelperKernel *kernel, KvmHelperRoot root, const char *path);

/** kvmhelper_kernel_boot_id: of /proc/sys/kernel/random/boot_id; "" where it cannot be read. */
char *kvmhelper_kernel_boot_id (const KvmHelperKernel *kernel);

/** kvmhelper_kernel_release: of /proc/sys/kernel/osrelease; "" where it cannot be read. */
char *kvmhelper_kernel_release (const KvmHelperKernel *kernel);
