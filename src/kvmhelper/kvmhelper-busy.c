/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/kvmhelper-busy-private.h"

#include "common/common-vfio.h"
#include "kvmhelper/kvmhelper-limits.h"

#include <glib/gi18n-lib.h>

const char *const *
kvmhelper_busy_kinds (void)
{
  static const char *const kinds[]
      = { "mounted", "swap", "storage", "route", "console", "vfs", NULL };

  return kinds;
}

gboolean
kvmhelper_need_is_accepted (const KvmHelperNeed *need, const char *const *override)
{
  return !need->final && override != NULL && g_strv_contains (override, need->kind);
}

static void
need_free (gpointer data)
{
  KvmHelperNeed *need = data;

  g_free (need->kind);
  g_free (need->detail);
  g_free (need);
}

/* Takes @detail. */
static void
add_need (GPtrArray *needs, const char *kind, char *detail, gboolean final)
{
  KvmHelperNeed *need = g_new0 (KvmHelperNeed, 1);

  *need = (KvmHelperNeed){ g_strdup (kind), detail, final };
  g_ptr_array_add (needs, need);
}

void
kvmhelper_busy_add (KvmHelperBusy *busy, const char *owner, const char *kind, char *detail)
{
  GPtrArray *needs = g_hash_table_lookup (busy->needs, owner);

  if (needs == NULL)
    {
      needs = g_ptr_array_new_with_free_func (need_free);
      g_hash_table_insert (busy->needs, g_strdup (owner), needs);
    }
  for (guint i = 0; i < needs->len; i++)
    {
      const KvmHelperNeed *need = needs->pdata[i];

      if (g_str_equal (need->kind, kind) && g_str_equal (need->detail, detail))
        {
          g_free (detail);
          return;
        }
    }
  add_need (needs, kind, detail, FALSE);
}

void
kvmhelper_walk_add (KvmHelperWalk *walk, const char *name)
{
  if (walk->names == NULL)
    {
      walk->names = g_ptr_array_new_with_free_func (g_free);
      walk->met = g_hash_table_new (g_str_hash, g_str_equal);
    }
  if (g_hash_table_contains (walk->met, name))
    return;
  g_ptr_array_add (walk->names, g_strdup (name));
  g_hash_table_add (walk->met, g_ptr_array_index (walk->names, walk->names->len - 1));
}

void
kvmhelper_walk_clear (KvmHelperWalk *walk)
{
  g_clear_pointer (&walk->met, g_hash_table_unref);
  g_clear_pointer (&walk->names, g_ptr_array_unref);
}

char *
kvmhelper_busy_owner (const KvmHelperBusy *busy, const char *path)
{
  g_autofree char *text = kvmhelper_kernel_readlink (busy->kernel, KVMHELPER_SYS, path);
  g_auto (GStrv) parts = NULL;

  if (text == NULL)
    return NULL;
  parts = g_strsplit (text, "/", -1);
  for (guint i = g_strv_length (parts); i > 0; i--)
    {
      PciAddress address;

      if (pci_address_parse (parts[i - 1], &address, NULL))
        return g_strdup (parts[i - 1]);
    }
  return NULL;
}

char *
kvmhelper_busy_file (const KvmHelperBusy *busy, const char *file, gboolean *cut)
{
  const KvmHelperKernel *kernel = busy->kernel;
  g_autofree char *init = g_strconcat ("1/", file, NULL);
  gsize length = 0;
  char *text
      = kvmhelper_kernel_read (kernel, KVMHELPER_PROC, init, KVMHELPER_MAX_LIST, &length, NULL);

  if (cut != NULL)
    *cut = length >= KVMHELPER_MAX_LIST;
  return text == NULL ? g_strdup ("") : text;
}

char *
kvmhelper_busy_unmangle (const char *text)
{
  g_autofree char *name = g_strcompress (text);

  return g_utf8_make_valid (name, -1); /* it goes into messages */
}

KvmHelperBusy *
kvmhelper_busy_new (const KvmHelperKernel *kernel)
{
  KvmHelperBusy *busy = g_new0 (KvmHelperBusy, 1);

  kvmhelper_watch_init (&busy->watch, kernel);
  busy->kernel = &busy->watch.kernel;
  busy->needs
      = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  kvmhelper_busy_find_disks (busy);
  kvmhelper_busy_find_routes (busy);
  kvmhelper_busy_find_consoles (busy);
  return busy;
}

void
kvmhelper_busy_free (KvmHelperBusy *busy)
{
  kvmhelper_watch_clear (&busy->watch);
  g_hash_table_unref (busy->needs);
  g_free (busy);
}

gboolean
kvmhelper_busy_check (const KvmHelperBusy *busy, GError **error)
{
  return kvmhelper_watch_check (&busy->watch, error);
}

/* A VF that somebody has: a guest's driver is bound to it, or the host itself needs it. It goes
 * when its PF's driver does (drivers/pci/iov.c: sriov_disable), from whoever has it. */
static gboolean
is_used (const KvmHelperBusy *busy, const PciAddress *vf)
{
  g_autofree char *driver = kvmhelper_function_driver (busy->kernel, vf);
  char name[PCI_ADDRESS_LEN];

  return common_driver_is_vfio (driver)
         || g_hash_table_contains (busy->needs, pci_address_format (vf, name));
}

static void
add_vfs (const KvmHelperBusy *busy, const KvmHelperFunction *function, GPtrArray *needs)
{
  g_autoptr (GArray) vfs = kvmhelper_function_read_vfs (busy->kernel, &function->address);
  g_autoptr (GString) detail = g_string_new (NULL);
  gboolean used = FALSE;

  g_string_printf (detail,
                   g_dngettext (GETTEXT_PACKAGE, "%u virtual function", "%u virtual functions",
                                function->numvfs),
                   function->numvfs);
  for (guint i = 0; i < vfs->len; i++)
    {
      const PciAddress *vf = &g_array_index (vfs, PciAddress, i);
      char name[PCI_ADDRESS_LEN];

      if (!is_used (busy, vf))
        continue;
      g_string_append_printf (detail, used ? ", %s" : _ (", in use: %s"),
                              pci_address_format (vf, name));
      used = TRUE;
    }
  add_need (needs, "vfs", g_string_free (g_steal_pointer (&detail), FALSE), used);
}

GPtrArray *
kvmhelper_busy_get (KvmHelperBusy *busy, const KvmHelperFunction *function)
{
  char name[PCI_ADDRESS_LEN];
  const GPtrArray *found
      = g_hash_table_lookup (busy->needs, pci_address_format (&function->address, name));
  GPtrArray *needs = g_ptr_array_new_with_free_func (need_free);
  guint known = found == NULL ? 0 : found->len;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < known; i++)
    {
      const KvmHelperNeed *need = found->pdata[i];

      add_need (needs, need->kind, g_strdup (need->detail), need->final);
    }
  if (kvmhelper_busy_is_away (busy, function))
    add_need (needs, "route",
              g_strdup (_ ("its network interface is in another network namespace, where routes "
                           "cannot be seen")),
              FALSE);
  if (function->numvfs > 0)
    add_vfs (busy, function, needs);
  if (!kvmhelper_busy_check (busy, &error))
    add_need (needs, "unknown", g_strdup (error->message), TRUE);
  return needs;
}
