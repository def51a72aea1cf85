/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-grant-node.h"

#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

#include "common/common-error.h"

#include <glib/gi18n-lib.h>

/* An ACL as the attribute has it: a header, and entries in the order of their tags. libacl would
 * open the node, which takes the group, or walk its path again. */
typedef struct
{
  guint tag, perm, id;
} Entry;

#define MAX_ACL 4096

static void
add_entry (GArray *acl, guint tag, guint perm, guint id)
{
  const Entry entry = { tag, perm, id };

  g_array_append_val (acl, entry);
}

static Entry *
find_entry (GArray *acl, guint tag, guint id)
{
  for (guint i = 0; i < acl->len; i++)
    {
      Entry *entry = &g_array_index (acl, Entry, i);

      if (entry->tag == tag && entry->id == id)
        return entry;
    }
  return NULL;
}

static gboolean
parse (const guint8 *data, gsize length, GArray *acl)
{
  struct posix_acl_xattr_header header;
  struct posix_acl_xattr_entry entry;

  if (length < sizeof header || (length - sizeof header) % sizeof entry != 0)
    return FALSE;
  memcpy (&header, data, sizeof header);
  if (GUINT32_FROM_LE (header.a_version) != POSIX_ACL_XATTR_VERSION)
    return FALSE;
  for (gsize i = sizeof header; i < length; i += sizeof entry)
    {
      memcpy (&entry, data + i, sizeof entry);
      add_entry (acl, GUINT16_FROM_LE (entry.e_tag), GUINT16_FROM_LE (entry.e_perm),
                 GUINT32_FROM_LE (entry.e_id));
    }
  return TRUE;
}

/* What a mode says. */
static void
from_mode (guint mode, GArray *acl)
{
  add_entry (acl, ACL_USER_OBJ, mode >> 6 & 7, G_MAXUINT32);
  add_entry (acl, ACL_GROUP_OBJ, mode >> 3 & 7, G_MAXUINT32);
  add_entry (acl, ACL_OTHER, mode & 7, G_MAXUINT32);
}

static char *
node_path (guint group)
{
  return g_strdup_printf ("vfio/%u", group);
}

/* The ACL of the node: 0, or a negative errno. */
static int
read_acl (const KvmHelperKernel *kernel, const char *path, GArray *acl)
{
  guint8 data[MAX_ACL];
  KvmHelperStat stat;
  gssize length = kernel->calls->get_acl (kernel->data, KVMHELPER_DEV, path, data, sizeof data);
  int result;

  if (length >= 0)
    return parse (data, (gsize) length, acl) ? 0 : -EINVAL;
  if (length != -ENODATA)
    return (int) length;
  result = kvmhelper_kernel_stat (kernel, KVMHELPER_DEV, path, &stat);
  if (result == 0)
    from_mode (stat.mode, acl);
  return result;
}

static int
write_acl (const KvmHelperKernel *kernel, const char *path, const GArray *acl)
{
  const struct posix_acl_xattr_header header = { GUINT32_TO_LE (POSIX_ACL_XATTR_VERSION) };
  g_autoptr (GByteArray) data = g_byte_array_new ();

  g_byte_array_append (data, (const guint8 *) &header, sizeof header);
  for (guint i = 0; i < acl->len; i++)
    {
      const Entry *from = &g_array_index (acl, Entry, i);
      const struct posix_acl_xattr_entry entry
          = { GUINT16_TO_LE ((guint16) from->tag), GUINT16_TO_LE ((guint16) from->perm),
              GUINT32_TO_LE (from->id) };

      g_byte_array_append (data, (const guint8 *) &entry, sizeof entry);
    }
  return kernel->calls->set_acl (kernel->data, KVMHELPER_DEV, path, data->data, data->len);
}

static gboolean
is_under_mask (const Entry *entry)
{
  return entry->tag == ACL_USER || entry->tag == ACL_GROUP_OBJ || entry->tag == ACL_GROUP;
}

/* The mask lets through what the entries below it say. So that nobody gets more by a wider one,
 * each keeps no more than what counted of it before. */
static void
narrow (GArray *acl, guint mask)
{
  for (guint i = 0; i < acl->len; i++)
    {
      Entry *entry = &g_array_index (acl, Entry, i);

      if (is_under_mask (entry))
        entry->perm &= mask;
    }
}

static void
insert_entry (GArray *acl, guint tag, guint perm, guint id)
{
  const Entry entry = { tag, perm, id };
  guint i = 0;

  while (i < acl->len && g_array_index (acl, Entry, i).tag < tag)
    i++;
  g_array_insert_val (acl, i, entry);
}

/* A mask that is as wide as what is below it; none where there are no users and groups. */
static void
set_mask (GArray *acl)
{
  Entry *mask = find_entry (acl, ACL_MASK, G_MAXUINT32);
  guint perm = 0;
  gboolean needed = FALSE;

  for (guint i = 0; i < acl->len; i++)
    {
      const Entry *entry = &g_array_index (acl, Entry, i);

      if (is_under_mask (entry))
        perm |= entry->perm;
      needed |= entry->tag == ACL_USER || entry->tag == ACL_GROUP;
    }
  if (mask != NULL && needed)
    mask->perm = perm;
  else if (needed)
    insert_entry (acl, ACL_MASK, perm, G_MAXUINT32);
  else if (mask != NULL)
    g_array_remove_index (acl, (guint) (mask - (Entry *) (gpointer) acl->data));
}

static void
change (GArray *acl, guint user, int entry)
{
  const Entry *mask = find_entry (acl, ACL_MASK, G_MAXUINT32);
  Entry *own;

  if (mask != NULL)
    narrow (acl, mask->perm);
  own = find_entry (acl, ACL_USER, user);
  if (entry == KVMHELPER_NO_ENTRY && own != NULL)
    g_array_remove_index (acl, (guint) (own - (Entry *) (gpointer) acl->data));
  else if (own != NULL)
    own->perm = (guint) entry;
  else if (entry != KVMHELPER_NO_ENTRY)
    insert_entry (acl, ACL_USER, (guint) entry, user);
  set_mask (acl);
}

static gboolean
fail (GError **error, const char *path, int result)
{
  common_error_set_errno (error, -result, "/dev/%s", path);
  return FALSE;
}

gboolean
kvmhelper_grant_node_read (const KvmHelperKernel *kernel, guint group, guint user, int *entry,
                           GError **error)
{
  g_autofree char *path = node_path (group);
  g_autoptr (GArray) acl = g_array_new (FALSE, FALSE, sizeof (Entry));
  int result = read_acl (kernel, path, acl);
  const Entry *own, *mask;

  *entry = KVMHELPER_NO_ENTRY;
  if (result == -ENOENT)
    return TRUE;
  if (result != 0)
    return fail (error, path, result);
  own = find_entry (acl, ACL_USER, user);
  mask = find_entry (acl, ACL_MASK, G_MAXUINT32);
  if (own != NULL)
    *entry = (int) (own->perm & (mask == NULL ? 7 : mask->perm));
  return TRUE;
}

gboolean
kvmhelper_grant_node_write (const KvmHelperKernel *kernel, guint group, guint user, int entry,
                            GError **error)
{
  g_autofree char *path = node_path (group);
  g_autoptr (GArray) acl = g_array_new (FALSE, FALSE, sizeof (Entry));
  int result = read_acl (kernel, path, acl);
  int now;

  if (result == 0 && (entry != KVMHELPER_NO_ENTRY || find_entry (acl, ACL_USER, user) != NULL))
    {
      change (acl, user, entry);
      result = write_acl (kernel, path, acl);
    }
  if (result == -ENOENT && entry == KVMHELPER_NO_ENTRY)
    return TRUE;
  if (result != 0)
    return fail (error, path, result);
  if (!kvmhelper_grant_node_read (kernel, group, user, &now, error))
    return FALSE;
  if (now == entry)
    return TRUE;
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_KERNEL_FAILED,
               _ ("/dev/%s: what was set in its access list is not there"), path);
  return FALSE;
}
