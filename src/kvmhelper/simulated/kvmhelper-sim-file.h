/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim.h"

/**
 * Inside the simulated host: open files, what is mapped of them, and the processes that have them.
 * All of this is called with the host's lock held.
 */
typedef struct _KvmHelperSimFile KvmHelperSimFile;
typedef struct _KvmHelperSimVma KvmHelperSimVma;
typedef struct _KvmHelperSimMm KvmHelperSimMm;

/* What a kind of open file does; what is NULL is refused as Linux refuses it (ioctl: ENOTTY, mmap:
 * ENODEV, read and write: EINVAL). All answer with a negative errno. */
typedef struct
{
  /* What /proc/PID/fd/N shows, "anon_inode:kvm-vm"; NULL: the path that was opened. */
  const char *link;
  /* No handle and no mapping leads to it any more, though others may still hold it; NULL: nothing
   * happens. An eventfd tells its KVM_IRQFD then (EPOLLHUP). */
  void (*hang_up) (KvmHelperSimFile *file);
  /* The last reference is gone. */
  void (*release) (KvmHelperSimFile *file);
  int (*ioctl) (KvmHelperSimFile *file, KvmHelperSimProcess *process, gulong request,
                gulong argument);
  gssize (*read) (KvmHelperSimFile *file, void *buffer, gsize length);
  gssize (*write) (KvmHelperSimFile *file, const void *buffer, gsize length);
  /* Whether [@offset, @offset + @length) bytes may be mapped. */
  int (*mmap) (KvmHelperSimFile *file, KvmHelperSimProcess *process, gsize length, guint64 offset);
  /* What is at the page number @page of the file, for the first access: a page of the kind's own,
   * or NULL: SIGBUS. */
  gpointer (*fault) (KvmHelperSimFile *file, guint64 page);
  /* A load of 8 bytes at @offset in a page that fault gave; it may have effects, as ESBs have.
   * NULL: the page is plain memory. */
  guint64 (*load) (KvmHelperSimFile *file, gpointer page, guint64 offset);
} KvmHelperSimFileKind;

struct _KvmHelperSimFile
{
  KvmHelperSim *sim;
  const KvmHelperSimFileKind *kind;
  gpointer object; /* the kind's own */
  guint references;
  guint handles;                  /* of all processes; each has a reference */
  char *path;                     /* as opened, "/dev/vfio/0"; NULL for anonymous ones */
  int flags;                      /* as opened; O_RDWR unless it came from a path */
  struct _KvmHelperSimNode *node; /* that was opened, a reference; NULL */
  KvmHelperStat stat;
  guint64 position; /* of read and write */
  GPtrArray *vmas;  /* elements KvmHelperSimVma, what is mapped of it now; not owned */
};

/* A mapping of a part of a file in a process; the file is held by it. */
struct _KvmHelperSimVma
{
  KvmHelperSimFile *file;
  KvmHelperSimProcess *process;
  guint8 *start; /* address space that is reserved and cannot be touched */
  gsize length;
  guint64 offset;
  GHashTable *pages; /* page number in the file (GUINT) -> what fault gave: the pages present */
};

/* The address space: what KVM and VFIO compare (current->mm), and where locked memory counts. */
struct _KvmHelperSimMm
{
  guint references;         /* of its process, and of containers and VMs that stay behind */
  guint64 locked;           /* locked_vm, bytes */
  gpointer vfio;            /* regions of registered memory (kvmhelper-sim-memory.c), and … */
  GDestroyNotify vfio_free; /* … how they go */
};

struct _KvmHelperSimProcess
{
  KvmHelperSim *sim;
  KvmHelperKernel kernel; /* its view */
  guint pid;
  guint parent;
  char *command;
  char **arguments;
  guint uid;
  gboolean ipc_lock;
  guint64 memlock; /* RLIMIT_MEMLOCK, soft; … */
  guint64 memlock_hard;
  gint64 started; /* on the host's clock, µs */
  KvmHelperSimMm *mm;
  GPtrArray *handles; /* index = handle; KvmHelperSimFile, or NULL */
  GPtrArray *vmas;    /* elements KvmHelperSimVma */
  guint calls;        /* that it is in now */
  GPtrArray *nodes;   /* elements KvmHelperSimNode: of /proc/PID, until the next is asked for */
};

/* Handles below are the standard streams, which the model has not; RLIMIT_NOFILE is the soft one
 * that systemd gives (DefaultLimitNOFILE=). */
#define KVMHELPER_SIM_FIRST_HANDLE 3
#define KVMHELPER_SIM_MAX_HANDLES  1024

/** kvmhelper_sim_file_new: an open file with one reference, the caller's. */
KvmHelperSimFile *
kvmhelper_sim_file_new (KvmHelperSim *sim, const KvmHelperSimFileKind *kind, gpointer object);
KvmHelperSimFile *kvmhelper_sim_file_ref (KvmHelperSimFile *file);
void kvmhelper_sim_file_unref (KvmHelperSimFile *file);

/** kvmhelper_sim_file_clear_pages: as unmap_mapping_range: the next access faults again. */
void kvmhelper_sim_file_clear_pages (KvmHelperSimFile *file, guint64 first, guint64 count);

/**
 * kvmhelper_sim_process_install: the lowest free handle for @file, whose reference it takes, also
 * where there is none: -EMFILE.
 */
int kvmhelper_sim_process_install (KvmHelperSimProcess *process, KvmHelperSimFile *file);

/** kvmhelper_sim_process_has_room: whether there is a handle left, for those who ask for it first
 * (get_unused_fd_flags). */
gboolean kvmhelper_sim_process_has_room (const KvmHelperSimProcess *process);
void kvmhelper_sim_process_close (KvmHelperSimProcess *process, int handle);

/** kvmhelper_sim_process_file: the open file behind a handle, not referenced; NULL: EBADF. */
KvmHelperSimFile *kvmhelper_sim_process_file (KvmHelperSimProcess *process, int handle);

/**
 * Mappings. _map: of the open file, as mmap(2) with MAP_SHARED; _unmap: all there is of
 * [@address, +@length), as munmap(2); _fault: the page at an address that is mapped, with the
 * offset in it; NULL: SIGBUS; @vma is NULL where nothing is mapped.
 */
int kvmhelper_sim_map (KvmHelperSimProcess *process, KvmHelperSimFile *file, gsize length,
                       guint64 offset, void **address);
void kvmhelper_sim_unmap (KvmHelperSimProcess *process, const void *address, gsize length);
gpointer kvmhelper_sim_fault (KvmHelperSimProcess *process, const void *address,
                              KvmHelperSimVma **vma, guint64 *offset);

KvmHelperSimMm *kvmhelper_sim_mm_new (void);
KvmHelperSimMm *kvmhelper_sim_mm_ref (KvmHelperSimMm *mm);
void kvmhelper_sim_mm_unref (KvmHelperSimMm *mm);

/**
 * kvmhelper_sim_mm_account: as account_locked_vm (mm/util.c): locks @bytes more in @process' mm.
 * -ENOMEM beyond its limit, unless it has CAP_IPC_LOCK. _unaccount: gives them back.
 */
int kvmhelper_sim_mm_account (KvmHelperSimProcess *process, guint64 bytes);
void kvmhelper_sim_mm_unaccount (KvmHelperSimMm *mm, guint64 bytes);

/**
 * kvmhelper_sim_copy_in, _copy_out: from and to the memory of the process that calls, at the
 * address that it gave: 0, or -EFAULT where there is none.
 */
int kvmhelper_sim_copy_in (gulong address, void *to, gsize length);
int kvmhelper_sim_copy_out (gulong address, const void *from, gsize length);
/** kvmhelper_sim_copy_string: a string of the caller's, to be freed; NULL: EFAULT. */
char *kvmhelper_sim_copy_string (gulong address, gsize limit);
/** kvmhelper_sim_memory_is_mapped: whether all of [@address, +@length) is memory. */
gboolean kvmhelper_sim_memory_is_mapped (guint64 address, guint64 length);

/* eventfds (kvmhelper-sim-eventfd.c) */
KvmHelperSimFile *kvmhelper_sim_eventfd_new (KvmHelperSim *sim);
gboolean kvmhelper_sim_file_is_eventfd (const KvmHelperSimFile *file);
/** kvmhelper_sim_eventfd_take: what it counted, which is 0 from now on (eventfd_ctx_do_read). */
guint64 kvmhelper_sim_eventfd_take (KvmHelperSimFile *eventfd);
/** kvmhelper_sim_eventfd_signal: adds 1, and tells its KVM_IRQFD, where it has one. */
void kvmhelper_sim_eventfd_signal (KvmHelperSimFile *eventfd);
