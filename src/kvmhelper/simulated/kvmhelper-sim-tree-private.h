/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "kvmhelper/simulated/kvmhelper-sim-host.h"

/**
 * How the trees are made, for those who resolve paths in them and open what they find.
 */

/* Who answers for a file: each refuses in its own way. */
typedef enum
{
  KVMHELPER_SIM_SYSFS,
  KVMHELPER_SIM_DEBUGFS, /* /sys/kernel/debug */
  KVMHELPER_SIM_PROCFS,
  KVMHELPER_SIM_SYSCTL,  /* /proc/sys */
  KVMHELPER_SIM_PIDFS,   /* /proc/PID */
  KVMHELPER_SIM_PROCNET, /* /proc/PID/net */
  KVMHELPER_SIM_DEVTMPFS
} KvmHelperSimFilesystem;

typedef enum
{
  KVMHELPER_SIM_DIRECTORY,
  KVMHELPER_SIM_LINK,
  KVMHELPER_SIM_MAGIC_LINK, /* leads to what it has in stat, whatever its text says */
  KVMHELPER_SIM_TEXT,
  KVMHELPER_SIM_DEVICE
} KvmHelperSimNodeType;

struct _KvmHelperSimNode
{
  KvmHelperSim *sim;
  KvmHelperSimNodeType type;
  KvmHelperSimFilesystem filesystem;
  guint references; /* of its directory, and of open files */
  gboolean removed;
  KvmHelperSimNode *parent; /* NULL: a root, free-standing, or removed */
  char *name;               /* NULL: a root or free-standing */
  guint mode;               /* permissions */
  guint owner;              /* UID */
  gboolean secret;          /* the owner's alone */
  gboolean of_process;      /* who goes into it hears whether the process is there */
  GBytes *acl;              /* what the mode does not say, as the attribute has it; NULL */
  /* Of directories; NULL: none. */
  GHashTable *children; /* name -> KvmHelperSimNode */
  GArray *tables;       /* elements KvmHelperSimTableOfAttributes */
  const KvmHelperSimDirectoryKind *kind;
  gpointer object; /* of kind, or of a device */
  char *text;      /* of a text, or a link's target */
  gsize length;
  KvmHelperStat stat; /* of what a magic link leads to */
  guint major, minor; /* of a device */
  KvmHelperSimOpen open;
};

typedef struct
{
  const KvmHelperSimAttribute *attributes;
  gpointer object;
} KvmHelperSimTableOfAttributes;

KvmHelperSimNode *kvmhelper_sim_node_ref (KvmHelperSimNode *node);

/** kvmhelper_sim_tree_new: one of the three roots; freed with kvmhelper_sim_tree_free. */
KvmHelperSimNode *kvmhelper_sim_tree_new (KvmHelperSim *sim, KvmHelperSimFilesystem filesystem);
void kvmhelper_sim_tree_free (KvmHelperSimNode *root);

/* What a path leads to: a node, or an attribute of a directory. */
typedef struct
{
  KvmHelperSimNode *node;                 /* of an attribute its directory; a reference */
  const KvmHelperSimAttribute *attribute; /* NULL: the node itself */
  gpointer object;
} KvmHelperSimEntry;

void kvmhelper_sim_entry_clear (KvmHelperSimEntry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KvmHelperSimEntry, kvmhelper_sim_entry_clear)

KvmHelperStat kvmhelper_sim_entry_stat (const KvmHelperSimEntry *entry);
guint kvmhelper_sim_entry_owner (const KvmHelperSimEntry *entry);

/** kvmhelper_sim_node_find: what is of that name in a directory; FALSE: nothing. */
gboolean kvmhelper_sim_node_find (KvmHelperSimNode *directory, KvmHelperSimProcess *process,
                                  const char *name, KvmHelperSimEntry *entry);

/** kvmhelper_sim_node_list: adds the names in a directory. */
void kvmhelper_sim_node_list (KvmHelperSimNode *directory, KvmHelperSimProcess *process,
                              GPtrArray *names);

/* How a path is resolved. */
typedef enum
{
  KVMHELPER_SIM_BENEATH = 1 << 0,  /* as openat2 with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS */
  KVMHELPER_SIM_NOFOLLOW = 1 << 1, /* a link that the path ends with is what is meant */
} KvmHelperSimWalk;

/** kvmhelper_sim_walk: what @path below @root leads to: 0, or a negative errno. */
int kvmhelper_sim_walk (KvmHelperSimProcess *process, KvmHelperRoot root, const char *path,
                        KvmHelperSimWalk how, KvmHelperSimEntry *entry);

/** kvmhelper_sim_walk_at: the same, from the directory @from, which may be gone. */
int kvmhelper_sim_walk_at (KvmHelperSimProcess *process, KvmHelperSimNode *from, const char *path,
                           KvmHelperSimWalk how, KvmHelperSimEntry *entry);

/** kvmhelper_sim_directory_of: the directory that @file is; NULL: it is none. */
KvmHelperSimNode *kvmhelper_sim_directory_of (const KvmHelperSimFile *file);

/** kvmhelper_sim_may: whether the process may do that with the entry; @wanted is of 4, 2, 1. */
gboolean kvmhelper_sim_may (const KvmHelperSimProcess *process, const KvmHelperSimEntry *entry,
                            guint wanted);

/** kvmhelper_sim_acl_ask: what a node's ACL says to @uid, which is not its owner, of @wanted. */
typedef enum
{
  KVMHELPER_SIM_UNSAID,
  KVMHELPER_SIM_ALLOWED,
  KVMHELPER_SIM_DENIED
} KvmHelperSimAnswer;
KvmHelperSimAnswer kvmhelper_sim_acl_ask (const KvmHelperSimNode *node, guint uid, guint wanted);

/** kvmhelper_sim_entry_open: 0 and the open file, or a negative errno. */
int kvmhelper_sim_entry_open (KvmHelperSimProcess *process, const KvmHelperSimEntry *entry,
                              int flags, KvmHelperSimFile **file);
