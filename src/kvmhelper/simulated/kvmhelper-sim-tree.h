/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-file.h"

/**
 * Inside the simulated host: the trees of /sys, /proc and /dev, as kernfs has them: directories
 * with attributes, links, and nodes of devices.
 */
typedef struct _KvmHelperSimNode KvmHelperSimNode;

/* A file of a directory. Tables of them end with a NULL name; one table serves all directories of a
 * kind, so that a host with thousands of functions costs little. */
typedef struct
{
  const char *name;
  guint mode; /* permissions, 0444 */
  /* The text that a read from the start gives; @length is strlen of it unless set. NULL: *@errnum
   * says why (positive). Only sysfs has files without: it refuses to open them for reading. */
  char *(*show) (gpointer object, gsize *length, int *errnum);
  /* What a write does: 0 (all is taken), or a negative errno. @text is terminated. */
  int (*store) (gpointer object, const char *text, gsize length);
  /* Whether it is there; NULL: always. */
  gboolean (*visible) (gpointer object);
} KvmHelperSimAttribute;

/* A directory whose content is made when it is asked for, such as /proc and /proc/PID/fd. */
typedef struct
{
  /* Adds names (char *, to be freed). */
  void (*list) (gpointer object, KvmHelperSimProcess *process, GPtrArray *names);
  /* The node of that name, which the tree does not own and which lives at least until the next
   * call into the host; NULL: ENOENT. */
  KvmHelperSimNode *(*lookup) (gpointer object, KvmHelperSimProcess *process, const char *name);
} KvmHelperSimDirectoryKind;

/** The roots, directories. */
KvmHelperSimNode *kvmhelper_sim_tree_root (KvmHelperSim *sim, KvmHelperRoot root);

/**
 * kvmhelper_sim_directory: the directory at @path below @parent; those on the way are made.
 * @attributes (may be NULL) and the @object they are called with are set where it was not there.
 */
KvmHelperSimNode *
kvmhelper_sim_directory (KvmHelperSimNode *parent, const char *path,
                         const KvmHelperSimAttribute *attributes, gpointer object);

/** kvmhelper_sim_directory_add: one more table of attributes for a directory, with its object. */
void kvmhelper_sim_directory_add (KvmHelperSimNode *directory,
                                  const KvmHelperSimAttribute *attributes, gpointer object);

/** kvmhelper_sim_directory_dynamic: as kvmhelper_sim_directory; its content is asked for. */
KvmHelperSimNode *
kvmhelper_sim_directory_dynamic (KvmHelperSimNode *parent, const char *path,
                                 const KvmHelperSimDirectoryKind *kind, gpointer object);

/** kvmhelper_sim_text: a file with that content, for good. */
void kvmhelper_sim_text (KvmHelperSimNode *directory, const char *name, guint mode,
                         const char *text, gssize length);

/** kvmhelper_sim_link: a symbolic link; one that was there is replaced. */
void kvmhelper_sim_link (KvmHelperSimNode *directory, const char *name, const char *target);

/**
 * kvmhelper_sim_link_to: a symbolic link to a directory of the same tree, relative as sysfs' are.
 */
void
kvmhelper_sim_link_to (KvmHelperSimNode *directory, const char *name, KvmHelperSimNode *target);

/**
 * kvmhelper_sim_device_node: a node in /dev. @open makes the open file, or answers with a negative
 * errno.
 */
typedef int (*KvmHelperSimOpen) (gpointer object, KvmHelperSimProcess *process, int flags,
                                 KvmHelperSimFile **file);
void kvmhelper_sim_device_node (KvmHelperSimNode *directory, const char *name, guint mode,
                                guint major, guint minor, KvmHelperSimOpen open, gpointer object);

/** kvmhelper_sim_remove: what is of that name, with all below. Reads and writes of files of it that
 * are open answer ENODEV. Nothing there: nothing done. */
void kvmhelper_sim_remove (KvmHelperSimNode *directory, const char *name);

/* Free-standing nodes, for lookup of a dynamic directory; freed with kvmhelper_sim_node_free. */
KvmHelperSimNode *
kvmhelper_sim_node_new_link (KvmHelperSim *sim, const char *target, const KvmHelperStat *stat);
KvmHelperSimNode *
kvmhelper_sim_node_new_text (KvmHelperSim *sim, guint mode, const char *text, gssize length);
void kvmhelper_sim_node_free (KvmHelperSimNode *node);

/** kvmhelper_sim_node_path: "/devices/pci0000:00" of a directory, from its root; to be freed. */
char *kvmhelper_sim_node_path (const KvmHelperSimNode *node);
