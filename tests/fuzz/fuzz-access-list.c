/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fuzz-host.h"
#include "kvmhelper/kvmhelper-grant-node.h"

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

#define USER 1000

/* The access list of a group's node, as the kernel gives it (system.posix_acl_access), and first a
 * byte: what the user is to have. Whatever was there, nobody else gets more or less by it. */

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  fuzz_strict ();
  return 0;
}

typedef struct posix_acl_xattr_entry Entry;

static gsize
count_entries (const GString *acl)
{
  return acl->len < sizeof (struct posix_acl_xattr_header)
             ? 0
             : (acl->len - sizeof (struct posix_acl_xattr_header)) / sizeof (Entry);
}

static Entry
get_entry (const GString *acl, gsize i)
{
  Entry entry;

  memcpy (&entry, acl->str + sizeof (struct posix_acl_xattr_header) + i * sizeof entry,
          sizeof entry);
  return (Entry){ GUINT16_FROM_LE (entry.e_tag), GUINT16_FROM_LE (entry.e_perm),
                  GUINT32_FROM_LE (entry.e_id) };
}

/* The kernel has no others in a list (fs/posix_acl.c: posix_acl_valid). */
#define RIGHTS (ACL_READ | ACL_WRITE | ACL_EXECUTE)

/* The first mask; where there is none, all goes through. */
static guint
get_mask (const GString *acl)
{
  for (gsize i = 0; i < count_entries (acl); i++)
    {
      Entry entry = get_entry (acl, i);

      if (entry.e_tag == ACL_MASK && entry.e_id == G_MAXUINT32)
        return entry.e_perm;
    }
  return G_MAXUINT16;
}

/* What everybody else has, in order: "TAG ID RIGHTS", a line each. */
static char *
describe_others (const GString *acl)
{
  GString *text = g_string_new (NULL);
  guint mask = get_mask (acl);

  for (gsize i = 0; i < count_entries (acl); i++)
    {
      Entry entry = get_entry (acl, i);
      gboolean masked
          = entry.e_tag == ACL_USER || entry.e_tag == ACL_GROUP_OBJ || entry.e_tag == ACL_GROUP;

      if ((entry.e_tag == ACL_USER && entry.e_id == USER) || entry.e_tag == ACL_MASK)
        continue;
      g_string_append_printf (text, "%x %u %x\n", entry.e_tag, entry.e_id,
                              (masked ? entry.e_perm & mask : entry.e_perm) & RIGHTS);
    }
  return g_string_free (text, FALSE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (GString) text = g_string_new ("== vfio/7\n");
  g_autoptr (FuzzHost) host = NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  int entry = size == 0            ? KVMHELPER_NO_ENTRY
              : (data[0] & 8) != 0 ? KVMHELPER_NO_ENTRY
                                   : data[0] & 7;
  int now;

  if (size > 1)
    g_string_append_len (text, (const char *) data + 1, (gssize) size - 1);
  host = fuzz_host_new (text->str, text->len);
  before = describe_others (fuzz_host_get (host, "vfio/7"));
  if (!kvmhelper_grant_node_write (fuzz_host_kernel (host), 7, USER, entry, NULL))
    return 0;
  g_assert_true (kvmhelper_grant_node_read (fuzz_host_kernel (host), 7, USER, &now, NULL));
  g_assert_cmpint (now, ==, entry);
  after = describe_others (fuzz_host_get (host, "vfio/7"));
  /* Where there was no list, the mode became one. */
  if (*before != '\0')
    g_assert_cmpstr (before, ==, after);
  return 0;
}
