/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-eeh.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

/* /sys/kernel/debug/powerpc: EEH's switches and tests (arch/powerpc/kernel/eeh.c: eeh_init_proc,
 * eeh_cache.c; platforms/powernv/eeh-powernv.c: pnv_eeh_post_init). */

/* What the tests read of what is written to them (simple_write_to_buffer into buf[20]). */
#define MOST_TEXT 19

/* kstrtoull with base 0, of debugfs' numbers. */
static gboolean
parse_number (const char *text, guint64 *number)
{
  g_autofree char *copy = g_strchomp (g_strdup (text));
  guint base = 10;
  const char *digits = copy;

  if (g_ascii_strncasecmp (copy, "0x", 2) == 0)
    {
      base = 16;
      digits += 2;
    }
  else if (copy[0] == '0' && copy[1] != '\0')
    base = 8;
  return g_ascii_string_to_unsigned (digits, base, 0, G_MAXUINT64, number, NULL);
}

/* --- switches --- */

static char *
show_enable (gpointer object, gsize *length, int *errnum)
{
  return g_strdup_printf ("0x%x\n", kvmhelper_sim_eeh_enabled (object) ? 1 : 0);
}

static int
store_enable (gpointer object, const char *text, gsize length)
{
  KvmHelperSim *sim = object;
  KvmHelperSimEeh *self = sim->eeh;
  guint64 value;

  if (!parse_number (text, &value))
    return -EINVAL;
  self->forced_off = value == 0;
  return 0;
}

static char *
show_max_freezes (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimEeh *self = ((KvmHelperSim *) object)->eeh;

  return g_strdup_printf ("%u\n", self->max_freezes);
}

static int
store_max_freezes (gpointer object, const char *text, gsize length)
{
  KvmHelperSimEeh *self = ((KvmHelperSim *) object)->eeh;
  guint64 value;

  if (!parse_number (text, &value))
    return -EINVAL;
  self->max_freezes = (guint32) value;
  return 0;
}

static char *
show_disable_recovery (gpointer object, gsize *length, int *errnum)
{
  const KvmHelperSimEeh *self = ((KvmHelperSim *) object)->eeh;

  return g_strdup (self->no_recovery ? "Y\n" : "N\n");
}

/* debugfs_write_file_bool: what is no kstrtobool is taken, and changes nothing. */
static int
store_disable_recovery (gpointer object, const char *text, gsize length)
{
  KvmHelperSimEeh *self = ((KvmHelperSim *) object)->eeh;

  if (strchr ("yYtT1", text[0]) != NULL || g_ascii_strncasecmp (text, "on", 2) == 0)
    self->no_recovery = TRUE;
  else if (strchr ("nNfF0", text[0]) != NULL || g_ascii_strncasecmp (text, "of", 2) == 0)
    self->no_recovery = FALSE;
  return 0;
}

/* --- tests --- */

static char *
show_nothing (gpointer object, gsize *length, int *errnum)
{
  *errnum = EINVAL; /* vfs_read: the file has no read */
  return NULL;
}

static char *
show_denied (gpointer object, gsize *length, int *errnum)
{
  *errnum = EACCES; /* simple_attr_read: it has nothing to get */
  return NULL;
}

static char *
show_usage (gpointer object, gsize *length, int *errnum)
{
  return g_strdup ("input format: <domain>:<bus>:<dev>.<fn>\n");
}

/* eeh_debug_lookup_pdev. */
static int
find_function (KvmHelperSim *sim, const char *text, KvmHelperSimFunction **function)
{
  g_autofree char *start = g_strndup (text, MOST_TEXT);
  guint domain, bus, slot, number;
  PciAddress address;

  if (sscanf (start, "%x:%x:%x.%x", &domain, &bus, &slot, &number) != 4)
    return -EINVAL;
  if (domain > G_MAXUINT16 || bus > G_MAXUINT8 || slot > 31 || number > 7)
    return -ENODEV;
  address = (PciAddress){ (guint16) domain, (guint8) bus, (guint8) slot, (guint8) number };
  *function = kvmhelper_sim_find (sim, &address);
  return *function != NULL && (*function)->node != NULL ? 0 : -ENODEV;
}

static int
store_check (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function;
  int answer = find_function (object, text, &function);
  char address[PCI_ADDRESS_LEN];

  if (answer != 0)
    return answer;
  pci_address_format (&function->address, address);
  if (!kvmhelper_sim_eeh_has (function))
    {
      kvmhelper_sim_log (object, "pci %s: No eeh_dev for this device!", address);
      return -ENODEV;
    }
  answer = kvmhelper_sim_eeh_check (function);
  kvmhelper_sim_log (object, "pci %s: eeh_dev_check_failure(%s) = %d", address, address, answer);
  return 0;
}

static int
store_break (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function;
  int answer = find_function (object, text, &function);

  return answer != 0 ? answer : kvmhelper_sim_eeh_break (function);
}

static int
store_can_recover (gpointer object, const char *text, gsize length)
{
  KvmHelperSimFunction *function;
  int answer = find_function (object, text, &function);

  if (answer != 0)
    return answer;
  return kvmhelper_sim_eeh_driver_recovers (function->driver) ? 0 : -EOPNOTSUPP;
}

static KvmHelperSimPhb *
find_phb (KvmHelperSim *sim, guint domain)
{
  for (guint i = 0; i < sim->phbs->len; i++)
    {
      KvmHelperSimPhb *phb = sim->phbs->pdata[i];

      if (phb->domain == domain)
        return phb;
    }
  return NULL;
}

/* eeh_force_recover_write: no question is asked of the PE's state, or of its owner. */
static int
store_force_recover (gpointer object, const char *text, gsize length)
{
  g_autofree char *start = g_strndup (text, MOST_TEXT + 1);
  guint domain, number;
  const KvmHelperSimPhb *phb;
  KvmHelperSimPe *pe;

  if (g_str_has_prefix (start, "hwcheck"))
    {
      kvmhelper_sim_eeh_look (object);
      return 0;
    }
  if (sscanf (start, "%x:%x", &domain, &number) != 2)
    return -EINVAL;
  phb = find_phb (object, domain);
  pe = phb == NULL ? NULL : kvmhelper_sim_eeh_find (phb, number);
  if (pe == NULL)
    return -ENODEV;
  kvmhelper_sim_eeh_send (pe, TRUE);
  return 0;
}

/* eeh_addr_cache_show: each range of memory of each device, by address. The model's BARs have none:
 * they stand here one after the other in the PHB's window, as the firmware of POWER9 lays it out.
 */
#define WINDOW_START  G_GUINT64_CONSTANT (0x600c000000000)
#define WINDOW_LENGTH G_GUINT64_CONSTANT (0x80000000)
#define BAR_LENGTH    0x20000

static char *
show_address_cache (gpointer object, gsize *length, int *errnum)
{
  g_autoptr (GPtrArray) functions = kvmhelper_sim_functions (object);
  GString *text = g_string_new (NULL);
  guint domain = G_MAXUINT, count = 0;

  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperSimFunction *function = functions->pdata[i];
      char address[PCI_ADDRESS_LEN];

      if (function->bridge || !kvmhelper_sim_eeh_has (function))
        continue;
      if (function->phb->domain != domain)
        count = 0;
      domain = function->phb->domain;
      pci_address_format (&function->address, address);
      for (guint region = 0; region < MIN (function->regions, 6); region++, count++)
        {
          guint64 start = WINDOW_START + domain * WINDOW_LENGTH + count * BAR_LENGTH;

          g_string_append_printf (text,
                                  "mem addr range [0x%016" G_GINT64_MODIFIER
                                  "x-0x%016" G_GINT64_MODIFIER "x]: %s\n",
                                  start, start + BAR_LENGTH - 1, address);
        }
    }
  return g_string_free (text, FALSE);
}

static const KvmHelperSimAttribute attributes[] = {
  { .name = "eeh_enable", .mode = 0600, .show = show_enable, .store = store_enable },
  { .name = "eeh_max_freezes", .mode = 0600, .show = show_max_freezes, .store = store_max_freezes },
  { .name = "eeh_disable_recovery",
    .mode = 0600,
    .show = show_disable_recovery,
    .store = store_disable_recovery },
  { .name = "eeh_dev_check", .mode = 0600, .show = show_usage, .store = store_check },
  { .name = "eeh_dev_break", .mode = 0600, .show = show_usage, .store = store_break },
  { .name = "eeh_dev_can_recover", .mode = 0600, .show = show_usage, .store = store_can_recover },
  { .name = "eeh_force_recover", .mode = 0600, .show = show_nothing, .store = store_force_recover },
  { .name = "eeh_address_cache", .mode = 0400, .show = show_address_cache },
  { .name = NULL },
};

/* --- of each PHB, under PowerNV --- */

/* pnv_eeh_ei_write: as VFIO_EEH_PE_INJECT_ERR, but that the platform alone judges. */
static int
store_injection (gpointer object, const char *text, gsize length)
{
  KvmHelperSimPhb *phb = object;
  g_autofree char *start = g_strndup (text, 50);
  guint number;
  int type, function;
  gulong address, mask;
  KvmHelperSimPe *pe;

  if (sscanf (start, "%x:%x:%x:%lx:%lx", &number, (guint *) &type, (guint *) &function, &address,
              &mask)
      != 5)
    return -EINVAL;
  pe = kvmhelper_sim_eeh_find (phb, number);
  return pe == NULL ? -ENODEV : kvmhelper_sim_eeh_inject (pe, type, function, address, mask);
}

/* A number, and nothing comes of it: dump_diag_regs and dump_ioda_pe_state write to the log
 * (pnv_pci_diag_data_set), the registers of the PHB are armed. */
static int
store_number (gpointer object, const char *text, gsize length)
{
  guint64 value;

  return parse_number (text, &value) ? 0 : -EINVAL;
}

/* err_injct_outbound, …: registers of the PHB, by which errors were injected before OPAL had a call
 * for that (pnv_eeh_dbgfs_get). */
static char *
show_register (gpointer object, gsize *length, int *errnum)
{
  return g_strdup ("0x0\n");
}

static const KvmHelperSimAttribute phb_attributes[] = {
  { .name = "err_injct", .mode = 0200, .show = show_nothing, .store = store_injection },
  { .name = "err_injct_outbound", .mode = 0600, .show = show_register, .store = store_number },
  { .name = "err_injct_inboundA", .mode = 0600, .show = show_register, .store = store_number },
  { .name = "err_injct_inboundB", .mode = 0600, .show = show_register, .store = store_number },
  { .name = "dump_diag_regs", .mode = 0200, .show = show_denied, .store = store_number },
  { .name = "dump_ioda_pe_state", .mode = 0200, .show = show_denied, .store = store_number },
  { .name = NULL },
};

void
kvmhelper_sim_eeh_make_debugfs (KvmHelperSim *sim)
{
  KvmHelperSimNode *directory = kvmhelper_sim_directory (
      kvmhelper_sim_tree_root (sim, KVMHELPER_SYS), "kernel/debug/powerpc", NULL, NULL);

  kvmhelper_sim_directory_add (directory, attributes, sim);
  for (guint i = 0; sim->profile.powernv && i < sim->phbs->len; i++)
    {
      KvmHelperSimPhb *phb = sim->phbs->pdata[i];
      g_autofree char *name = g_strdup_printf ("PCI%04x", phb->domain);

      kvmhelper_sim_directory (directory, name, phb_attributes, phb);
    }
}
