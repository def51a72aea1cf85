/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-private.h"

/*
 * POSIX ACLs, fs/posix_acl.c. Of the three trees devtmpfs has them (CONFIG_TMPFS_POSIX_ACL), sysfs
 * and procfs have not. A node that has one keeps it as the attribute has it; what the mode says as
 * well is not kept (posix_acl_update_mode).
 */
typedef struct posix_acl_xattr_entry Entry;

#define HEADER (sizeof (struct posix_acl_xattr_header))

typedef struct
{
  guint tag, perm, id;
} Rule;

static guint
count_entries (gsize size)
{
  return (guint) ((size - HEADER) / sizeof (Entry));
}

static Rule
read_rule (const guint8 *acl, guint index)
{
  Entry entry;

  memcpy (&entry, acl + HEADER + index * sizeof entry, sizeof entry);
  return (Rule){ GUINT16_FROM_LE (entry.e_tag), GUINT16_FROM_LE (entry.e_perm),
                 GUINT32_FROM_LE (entry.e_id) };
}

/* posix_acl_from_xattr; *@count 0: there is to be none. */
static int
parse (const guint8 *acl, gsize size, guint *count)
{
  guint32 version;

  *count = 0;
  if (size == 0)
    return 0;
  if (size < HEADER)
    return -EINVAL;
  memcpy (&version, acl, sizeof version);
  if (GUINT32_FROM_LE (version) != POSIX_ACL_XATTR_VERSION)
    return -EOPNOTSUPP;
  if ((size - HEADER) % sizeof (Entry) != 0)
    return -EINVAL;
  *count = count_entries (size);
  for (guint i = 0; i < *count; i++)
    {
      Rule rule = read_rule (acl, i);

      if ((rule.tag != ACL_USER_OBJ && rule.tag != ACL_USER && rule.tag != ACL_GROUP_OBJ
           && rule.tag != ACL_GROUP && rule.tag != ACL_MASK && rule.tag != ACL_OTHER)
          || ((rule.tag == ACL_USER || rule.tag == ACL_GROUP) && rule.id == G_MAXUINT32))
        return -EINVAL;
    }
  return 0;
}

/* posix_acl_valid: the entries in their order, one of each but for users and groups, and a mask
 * where there are such. */
static gboolean
is_valid (const guint8 *acl, guint count)
{
  guint state = ACL_USER_OBJ;
  gboolean needs_mask = FALSE;

  for (guint i = 0; i < count; i++)
    {
      Rule rule = read_rule (acl, i);

      if ((rule.perm & ~7u) != 0)
        return FALSE;
      if (rule.tag == ACL_USER_OBJ && state == ACL_USER_OBJ)
        state = ACL_USER;
      else if (rule.tag == ACL_USER && state == ACL_USER)
        needs_mask = TRUE;
      else if (rule.tag == ACL_GROUP_OBJ && state == ACL_USER)
        state = ACL_GROUP;
      else if (rule.tag == ACL_GROUP && state == ACL_GROUP)
        needs_mask = TRUE;
      else if (rule.tag == ACL_MASK && state == ACL_GROUP)
        state = ACL_OTHER;
      else if (rule.tag == ACL_OTHER && (state == ACL_OTHER || (state == ACL_GROUP && !needs_mask)))
        state = 0;
      else
        return FALSE;
    }
  return state == 0;
}

/* posix_acl_equiv_mode: the mode that says the same, or as much of it as a mode can. TRUE: all. */
static gboolean
to_mode (const guint8 *acl, guint count, guint *mode)
{
  gboolean same = TRUE;
  guint mask = G_MAXUINT, group = 0;

  *mode = 0;
  for (guint i = 0; i < count; i++)
    {
      Rule rule = read_rule (acl, i);

      if (rule.tag == ACL_USER_OBJ)
        *mode |= rule.perm << 6;
      else if (rule.tag == ACL_GROUP_OBJ)
        group = rule.perm;
      else if (rule.tag == ACL_OTHER)
        *mode |= rule.perm;
      else
        same = FALSE;
      if (rule.tag == ACL_MASK)
        mask = rule.perm;
    }
  *mode |= (mask == G_MAXUINT ? group : mask) << 3;
  return same;
}

static int
find (KvmHelperSimProcess *process, KvmHelperRoot root, const char *path, KvmHelperSimEntry *entry)
{
  if (!kvmhelper_sim_process_has_room (process))
    return -EMFILE;
  return kvmhelper_sim_walk (process, root, path, KVMHELPER_SIM_BENEATH | KVMHELPER_SIM_NOFOLLOW,
                             entry);
}

/* What has a place for one: a node itself in a filesystem that knows them. */
static gboolean
has_place (const KvmHelperSimEntry *entry)
{
  return entry->attribute == NULL && entry->node->filesystem == KVMHELPER_SIM_DEVTMPFS;
}

gssize
kvmhelper_sim_get_acl (KvmHelperSimProcess *process, KvmHelperRoot root, const char *path,
                       void *acl, gsize size)
{
  g_auto (KvmHelperSimEntry) entry = { NULL, NULL, NULL };
  int result = find (process, root, path, &entry);
  gconstpointer data;
  gsize length;

  if (result != 0)
    return result;
  if (!has_place (&entry))
    return -EOPNOTSUPP;
  if (entry.node->acl == NULL)
    return -ENODATA;
  data = g_bytes_get_data (entry.node->acl, &length);
  if (size == 0)
    return (gssize) length;
  if (length > size)
    return -ERANGE;
  result = kvmhelper_sim_copy_out ((gulong) acl, data, length);
  return result != 0 ? result : (gssize) length;
}

/* do_set_acl, set_posix_acl, simple_set_acl: what cannot be read is no list anywhere. */
static int
set_acl (const KvmHelperSimProcess *process, const KvmHelperSimEntry *entry, const guint8 *acl,
         gsize size)
{
  KvmHelperSimNode *node = entry->node;
  guint count, mode;
  int result = parse (acl, size, &count);

  if (result != 0)
    return result;
  if (!has_place (entry))
    return -EOPNOTSUPP;
  if (process->uid != 0 && process->uid != node->owner)
    return -EPERM;
  if (count > 0 && !is_valid (acl, count))
    return -EINVAL;
  g_clear_pointer (&node->acl, g_bytes_unref);
  if (count == 0)
    return 0;
  if (!to_mode (acl, count, &mode))
    node->acl = g_bytes_new (acl, size);
  node->mode = mode;
  return 0;
}

/* The seam opens the node by its path, and only then are the bytes looked at (fs/xattr.c:
 * setxattr_copy). */
int
kvmhelper_sim_set_acl (KvmHelperSimProcess *process, KvmHelperRoot root, const char *path,
                       const void *acl, gsize size)
{
  g_auto (KvmHelperSimEntry) entry = { NULL, NULL, NULL };
  g_autofree guint8 *copy = NULL;
  int result = find (process, root, path, &entry);

  if (result != 0)
    return result;
  if (size > 65536) /* XATTR_SIZE_MAX */
    return -E2BIG;
  copy = g_malloc (size + 1);
  result = kvmhelper_sim_copy_in ((gulong) acl, copy, size);
  return result != 0 ? result : set_acl (process, &entry, copy, size);
}

/* posix_acl_permission, for a process that is in no group: the entry of its user counts under the
 * mask; without one the last entry does, that of all others. acl_permission_check does not ask at
 * all where the mask allows nothing. */
KvmHelperSimAnswer
kvmhelper_sim_acl_ask (const KvmHelperSimNode *node, guint uid, guint wanted)
{
  const guint8 *acl;
  gsize size;
  guint mine = G_MAXUINT, mask = 7;

  if (node->acl == NULL || (node->mode & 070) == 0)
    return KVMHELPER_SIM_UNSAID;
  acl = g_bytes_get_data (node->acl, &size);
  for (guint i = 0; i < count_entries (size); i++)
    {
      Rule rule = read_rule (acl, i);

      if (rule.tag == ACL_USER && rule.id == uid && mine == G_MAXUINT)
        mine = rule.perm;
      else if (rule.tag == ACL_MASK)
        mask = rule.perm;
    }
  if (mine == G_MAXUINT)
    return KVMHELPER_SIM_UNSAID;
  return (mine & mask & wanted) == wanted ? KVMHELPER_SIM_ALLOWED : KVMHELPER_SIM_DENIED;
}
