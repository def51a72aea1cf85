/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-tce.h"

#include <string.h>

#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

/* The first QEMU that is known to refuse a device whose table it cannot link. */
#define LINKING_QEMU 10

static KvmHelperFact
inferred (const char *value, const char *reason)
{
  return (KvmHelperFact){ value, g_strconcat ("inferred: ", reason, NULL) };
}

KvmHelperFact
kvmhelper_tce_dma (const KvmHelperHolding *holding)
{
  if (holding->vm < 0)
    return inferred ("unknown", _ ("the holder has no virtual machine of KVM's"));
  if (holding->tce_tables == 0 || holding->kvm_vfio < 0)
    return inferred ("user-space", _ ("the holder has no TCE table, or no VFIO device, of KVM"));
  /* Each has a window, and each window wants a table. */
  if (holding->tce_tables < holding->containers)
    return inferred ("unknown", _ ("the holder has fewer TCE tables of KVM than containers"));
  return inferred ("in-kernel", _ ("the holder has TCE tables and the VFIO device of KVM, so that "
                                   "KVM answers what the guest maps"));
}

/* "pseries-10.0", with or without "type=" before it. */
static gboolean
parse_type (const char *word, guint *major, guint *minor)
{
  guint64 first, second;
  char *end;

  if (g_str_has_prefix (word, "type="))
    word += strlen ("type=");
  if (!g_str_has_prefix (word, "pseries-"))
    return FALSE;
  word += strlen ("pseries-");
  if (!g_ascii_isdigit (*word))
    return FALSE;
  first = g_ascii_strtoull (word, &end, 10);
  if (*end != '.' || !g_ascii_isdigit (end[1]))
    return FALSE;
  second = g_ascii_strtoull (end + 1, NULL, 10);
  if (first > G_MAXUINT || second > G_MAXUINT)
    return FALSE;
  *major = (guint) first;
  *minor = (guint) second;
  return TRUE;
}

gboolean
kvmhelper_qemu_machine (const char *command_line, gsize length, guint *major, guint *minor)
{
  gboolean is_machine = FALSE;
  gboolean found = FALSE;

  for (gsize at = 0; at < length;)
    {
      gsize left = strnlen (command_line + at, length - at);
      g_autofree char *word = g_strndup (command_line + at, left);

      if (is_machine)
        {
          g_auto (GStrv) options = g_strsplit (word, ",", -1);

          /* the last one that is given counts */
          for (guint i = 0; options[i] != NULL; i++)
            found = parse_type (options[i], major, minor) || found;
        }
      is_machine = !is_machine
                   && (g_str_equal (word, "-machine") || g_str_equal (word, "--machine")
                       || g_str_equal (word, "-M"));
      at += left + 1;
    }
  return found;
}

KvmHelperFact
kvmhelper_tce_linked (const KvmHelperKernel *kernel, const KvmHelperHolding *holding, guint pid)
{
  g_autofree char *path = g_strdup_printf ("%u/cmdline", pid);
  g_autofree char *text = NULL;
  gsize length = 0;
  guint major, minor;

  if (holding->tce_tables == 0)
    return inferred ("no", _ ("the holder has no TCE table of KVM's"));
  if (holding->kvm_vfio < 0)
    return inferred ("no", _ ("the holder has no VFIO device of KVM's, which links them"));
  text = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, path, KVMHELPER_MAX_LIST, &length, NULL);
  if (text == NULL || !kvmhelper_qemu_machine (text, length, &major, &minor))
    return inferred ("unknown", _ ("the kernel shows it nowhere, and the holder's version is not "
                                   "to be seen; QEMU before 10 may go on with a table that is not "
                                   "linked"));
  if (major >= LINKING_QEMU)
    return (KvmHelperFact){
      "yes", g_strdup_printf (_ ("inferred: the holder has the machine type pseries-%u.%u "
                                 "(/proc/%s), and a QEMU of 10 or newer has no device whose table "
                                 "it could not link"),
                              major, minor, path)
    };
  return (KvmHelperFact){
    "unknown", g_strdup_printf (_ ("inferred: the kernel shows it nowhere, and with the machine "
                                   "type pseries-%u.%u (/proc/%s) the holder may be a QEMU before "
                                   "10, which may go on with a table that is not linked"),
                                major, minor, path)
  };
}
