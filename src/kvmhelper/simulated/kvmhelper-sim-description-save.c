/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "kvmhelper/simulated/kvmhelper-sim-description.h"
#include "kvmhelper/simulated/kvmhelper-sim-node.h"
#include "kvmhelper/simulated/kvmhelper-sim-eeh.h"
#include "kvmhelper/simulated/kvmhelper-sim-use.h"

/* Writes the description that a host as it is now comes from. */

/* What a PE's flags have without anything having happened. */
#define BOOT_FLAGS (guint) (EEH_PE_PRI_BUS | EEH_PE_CFG_RESTRICTED)

typedef struct
{
  KvmHelperSim *sim;
  GString *text;
  guint depth;
} Save;

/* --- XML --- */

static void
open_element (Save *save, const char *name)
{
  g_string_append_printf (save->text, "%*s<%s", (int) save->depth * 2, "", name);
}

static void
put (Save *save, const char *name, const char *value)
{
  g_autofree char *escaped = g_markup_escape_text (value, -1);

  g_string_append_printf (save->text, " %s=\"%s\"", name, escaped);
}

static void
put_number (Save *save, const char *name, guint value)
{
  g_string_append_printf (save->text, " %s=\"%u\"", name, value);
}

static void
put_hex (Save *save, const char *name, guint digits, guint value)
{
  g_string_append_printf (save->text, " %s=\"0x%0*x\"", name, (int) digits, value);
}

/* What is as it is when nothing is said is left out. */
static void
put_if (Save *save, const char *name, guint value, guint otherwise)
{
  if (value != otherwise)
    put_number (save, name, value);
}

static void
put_flag (Save *save, const char *name, gboolean value, gboolean otherwise)
{
  if (!value != !otherwise)
    put (save, name, value ? "yes" : "no");
}

static void
close_empty (Save *save)
{
  g_string_append (save->text, "/>\n");
}

static void
begin_content (Save *save)
{
  g_string_append (save->text, ">\n");
  save->depth++;
}

static void
end_content (Save *save, const char *name)
{
  save->depth--;
  g_string_append_printf (save->text, "%*s</%s>\n", (int) save->depth * 2, "", name);
}

/* --- the host --- */

static void
save_host (Save *save)
{
  static const char *const bypasses[] = { "on", "off", "refused", "swallowed" };
  const KvmHelperSim *sim = save->sim;
  const KvmHelperSimMachine *machine = sim->machine;
  const KvmHelperSimProfile *profile = &sim->profile;

  put (save, "kernel", profile->name);
  put (save, "platform", profile->powernv ? "powernv" : "pseries");
  put (save, "release", sim->release);
  put (save, "command-line", sim->command_line);
  put (save, "cpu", machine->cpu);
  put (save, "revision", machine->revision);
  put (save, "model", machine->model);
  put (save, "machine", machine->machine);
  put (save, "firmware", machine->firmware);
  put (save, "mmu", machine->mmu);
  put (save, "compatible", machine->compatible);
  put (save, "consoles", machine->consoles);
  put_number (save, "cpus", machine->cpus);
  put_number (save, "memory", machine->memory);
  put_number (save, "memory-available", machine->memory_available);
  put_number (save, "page-size", (guint) sim->page_size);
  put_flag (save, "drivers-autoprobe", !sim->no_autoprobe, TRUE);
  put (save, "kvm-hv", profile->kvm_hv ? "yes" : "no");
  put (save, "eeh", profile->eeh || kvmhelper_sim_command_line_has (sim, "eeh=off") ? "yes" : "no");
  put (save, "bypass", bypasses[profile->bypass]);
  put (save, "boot-id", sim->boot_id);
}

static void
save_id (Save *save, const KvmHelperSimId *id)
{
  open_element (save, "id");
  put_hex (save, "vendor", 4, id->vendor);
  put_hex (save, "device", 4, id->device);
  if (id->subsystem_vendor != G_MAXUINT)
    put_hex (save, "subsystem-vendor", 4, id->subsystem_vendor);
  if (id->subsystem_device != G_MAXUINT)
    put_hex (save, "subsystem-device", 4, id->subsystem_device);
  if (id->class_mask != 0)
    {
      put_hex (save, "class", 6, id->class);
      put_hex (save, "class-mask", 6, id->class_mask);
    }
  close_empty (save);
}

static void
save_driver (Save *save, const KvmHelperSimDriver *driver)
{
  open_element (save, "driver");
  put (save, "name", driver->name);
  put_flag (save, "lies", driver->lies, FALSE);
  if (driver->probe_errno != 0)
    put (save, "probe-error", strerrorname_np (driver->probe_errno));
  if (driver->ids->len == 0)
    {
      close_empty (save);
      return;
    }
  begin_content (save);
  for (guint i = 0; i < driver->ids->len; i++)
    save_id (save, &g_array_index (driver->ids, KvmHelperSimId, i));
  end_content (save, "driver");
}

static void
save_unloaded (Save *save, const char *name)
{
  if (*name == '\0' || g_hash_table_contains (save->sim->drivers, name))
    return;
  open_element (save, "driver");
  put (save, "name", name);
  put (save, "loaded", "no");
  close_empty (save);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

static void
save_drivers (Save *save)
{
  g_autoptr (GList) loaded = g_hash_table_get_keys (save->sim->drivers);
  g_autoptr (GList) names = NULL;
  g_autoptr (GHashTable) unloaded = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer value;

  loaded = g_list_sort (loaded, compare_names);
  for (GList *i = loaded; i != NULL; i = i->next)
    save_driver (save, g_hash_table_lookup (save->sim->drivers, i->data));
  g_hash_table_iter_init (&iter, save->sim->functions);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const KvmHelperSimFunction *function = value;

      g_hash_table_add (unloaded, function->natural_driver);
      g_hash_table_add (unloaded, function->vf_driver);
    }
  g_hash_table_add (unloaded, (gpointer) "vfio-pci");
  names = g_list_sort (g_hash_table_get_keys (unloaded), compare_names);
  for (GList *i = names; i != NULL; i = i->next)
    save_unloaded (save, i->data);
}

/* --- functions --- */

static void
save_bound (Save *save, const KvmHelperSimFunction *function)
{
  const char *driver = function->driver == NULL ? "" : function->driver->name;

  if (function->node != NULL && !g_str_equal (driver, function->natural_driver)
      && (function->driver != NULL
          || g_hash_table_contains (save->sim->drivers, function->natural_driver)))
    put (save, "bound", driver);
  if (function->driver_override != NULL)
    put (save, "driver-override", function->driver_override);
}

static void
save_common (Save *save, const KvmHelperSimFunction *function)
{
  char name[PCI_ADDRESS_LEN];

  put (save, "address", pci_address_format (&function->address, name));
  put_hex (save, "vendor", 4, function->vendor);
  put_hex (save, "device", 4, function->device);
  put_hex (save, "subsystem-vendor", 4, function->subsystem_vendor);
  put_hex (save, "subsystem-device", 4, function->subsystem_device);
  put_hex (save, "class", 6, function->class);
  put_hex (save, "revision", 2, function->revision);
  if (function->pe != NULL)
    put_hex (save, "pe", 1, function->pe->number);
  if (function->group != NULL)
    put_number (save, "group", function->group->number);
  if (function->numa_node >= 0)
    put_number (save, "numa-node", (guint) function->numa_node);
  if (!function->bridge && function->physfn == NULL)
    put_if (save, "dma-bits", function->dma_bits, KVMHELPER_SIM_DMA_BITS);
  put_if (save, "enabled", function->enabled, 0);
  if (*function->natural_driver != '\0')
    put (save, "driver", function->natural_driver);
  save_bound (save, function);
  put (save, "reset", function->all_reset_methods);
  if (!g_str_equal (function->reset_methods, function->all_reset_methods))
    put (save, "reset-enabled", function->reset_methods);
  put_flag (save, "removed", function->node == NULL, FALSE);
}

static void
save_vf (Save *save, const KvmHelperSimFunction *vf, guint number)
{
  open_element (save, "vf");
  put_number (save, "number", number);
  if (vf->pe != NULL && vf->pe != vf->physfn->pe)
    put_hex (save, "pe", 1, vf->pe->number);
  if (vf->group != NULL && vf->group != vf->physfn->group)
    put_number (save, "group", vf->group->number);
  save_bound (save, vf);
  close_empty (save);
}

static void
save_interface (Save *save, const KvmHelperSimInterface *interface)
{
  open_element (save, "interface");
  put (save, "name", interface->name);
  put (save, "address", interface->address);
  put_flag (save, "up", interface->up, FALSE);
  put_flag (save, "default-route", interface->route, FALSE);
  close_empty (save);
}

static void
save_disk (Save *save, const char *element, const KvmHelperSimDisk *disk)
{
  open_element (save, element);
  put (save, "name", disk->name);
  g_string_append_printf (save->text, " sectors=\"%" G_GUINT64_FORMAT "\"", disk->size);
  if (*disk->mount != '\0')
    put (save, "mount", disk->mount);
  put_flag (save, "swap", disk->swap, FALSE);
  if (disk->partitions->len == 0)
    {
      close_empty (save);
      return;
    }
  begin_content (save);
  for (guint i = 0; i < disk->partitions->len; i++)
    save_disk (save, "partition", disk->partitions->pdata[i]);
  end_content (save, element);
}

static void
save_sriov (Save *save, const KvmHelperSimFunction *function)
{
  if (function->total_vfs == 0)
    return;
  put_number (save, "total-vfs", function->total_vfs);
  put_if (save, "num-vfs", function->num_vfs, 0);
  put_hex (save, "vf-device", 4, function->vf_device);
  put_number (save, "vf-offset", function->vf_offset);
  put_number (save, "vf-stride", function->vf_stride);
  put_flag (save, "vf-autoprobe", function->vf_autoprobe, TRUE);
  if (*function->vf_driver != '\0')
    put (save, "vf-driver", function->vf_driver);
}

static void
save_endpoint (Save *save, const KvmHelperSimFunction *function)
{
  const KvmHelperSimUses *uses = function->uses;

  open_element (save, "function");
  save_common (save, function);
  put_flag (save, "intx", function->intx > 0, TRUE);
  put_if (save, "msi", function->msi, 0);
  put_if (save, "msix", function->msix, 0);
  put_if (save, "bars", function->regions, 1);
  save_sriov (save, function);
  if (function->num_vfs == 0 && uses == NULL)
    {
      close_empty (save);
      return;
    }
  begin_content (save);
  for (guint i = 0; i < function->num_vfs; i++)
    save_vf (save, function->vfs->pdata[i], i);
  for (guint i = 0; uses != NULL && i < uses->interfaces->len; i++)
    save_interface (save, uses->interfaces->pdata[i]);
  for (guint i = 0; uses != NULL && i < uses->disks->len; i++)
    save_disk (save, "disk", uses->disks->pdata[i]);
  end_content (save, "function");
}

static void save_behind (Save *save, const GPtrArray *functions, const KvmHelperSimPhb *phb,
                         const KvmHelperSimFunction *parent);

static void
save_bridge (Save *save, const GPtrArray *functions, const KvmHelperSimFunction *bridge)
{
  open_element (save, "bridge");
  save_common (save, bridge);
  put_number (save, "bus", bridge->secondary_bus);
  put_flag (save, "to-pci", bridge->whole, FALSE);
  begin_content (save);
  save_behind (save, functions, bridge->phb, bridge);
  end_content (save, "bridge");
}

static void
save_behind (Save *save, const GPtrArray *functions, const KvmHelperSimPhb *phb,
             const KvmHelperSimFunction *parent)
{
  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperSimFunction *function = functions->pdata[i];

      if (function->phb != phb || function->parent != parent || function->physfn != NULL
          || function->absent)
        continue;
      if (function->bridge)
        save_bridge (save, functions, function);
      else
        save_endpoint (save, function);
    }
}

/* --- host bridges --- */

static gboolean
is_used (const KvmHelperSimPe *pe, const GPtrArray *functions)
{
  for (guint i = 0; i < functions->len; i++)
    {
      const KvmHelperSimFunction *function = functions->pdata[i];

      if (function->pe == pe && !function->absent)
        return TRUE;
    }
  return FALSE;
}

static void
save_pe (Save *save, const KvmHelperSimPe *pe)
{
  g_autoptr (GString) states = g_string_new (NULL);

  for (guint i = 0; kvmhelper_sim_pe_states[i] != NULL; i++)
    if ((pe->state & (1u << i)) != 0)
      g_string_append_printf (states, "%s%s", states->len > 0 ? " " : "",
                              kvmhelper_sim_pe_states[i]);
  open_element (save, "pe");
  put_hex (save, "number", 1, pe->number);
  if (states->len > 0)
    put (save, "state", states->str);
  if (pe->flags != 0)
    put_hex (save, "flags", 1, pe->flags);
  put_if (save, "freezes", pe->freezes, 0);
  close_empty (save);
}

static void
save_phb (Save *save, const KvmHelperSimPhb *phb, const GPtrArray *functions)
{
  open_element (save, "phb");
  put_number (save, "domain", phb->domain);
  put_if (save, "bus", phb->bus, 0);
  put_number (save, "pes", phb->pe_count);
  put_hex (save, "msi-first", 1, phb->msi_base);
  put_number (save, "msi-count", phb->msi_count);
  if (phb->dead || phb->fenced)
    put (save, "state", phb->dead ? "dead" : "fenced");
  begin_content (save);
  for (guint i = 0; i < phb->pes->len; i++)
    {
      const KvmHelperSimPe *pe = phb->pes->pdata[i];

      if ((pe->state != 0 || (pe->flags & ~BOOT_FLAGS) != 0 || pe->freezes != 0)
          && is_used (pe, functions))
        save_pe (save, pe);
    }
  save_behind (save, functions, phb, NULL);
  end_content (save, "phb");
}

char *
kvmhelper_sim_to_xml (KvmHelperSim *sim)
{
  Save save = { sim, g_string_new ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), 0 };
  g_autoptr (GPtrArray) functions = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer function;

  g_mutex_lock (&sim->lock);
  g_hash_table_iter_init (&iter, sim->functions);
  while (g_hash_table_iter_next (&iter, NULL, &function))
    g_ptr_array_add (functions, function);
  g_ptr_array_sort (functions, kvmhelper_sim_compare_functions);
  open_element (&save, "simulated-host");
  save_host (&save);
  begin_content (&save);
  kvmhelper_sim_nodes_save (sim, save.text);
  save_drivers (&save);
  for (guint i = 0; i < sim->phbs->len; i++)
    save_phb (&save, sim->phbs->pdata[i], functions);
  end_content (&save, "simulated-host");
  g_mutex_unlock (&sim->lock);
  return g_string_free (save.text, FALSE);
}
