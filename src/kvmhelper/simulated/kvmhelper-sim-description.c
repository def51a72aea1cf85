/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "kvmhelper/simulated/kvmhelper-sim-description.h"

#include <string.h>

#include "common/common-vfio.h"
#include "kvmhelper-sim-resources.h"
#include "kvmhelper/simulated/kvmhelper-sim-node.h"

#include <glib/gi18n-lib.h>

#define SCHEMA "/org/libvirt/ppc64/simulated-host.rng"

/* A description of a host with 65,536 functions is no larger. */
#define MAX_SIZE (64 * 1024 * 1024)

#define MAX_CPUS       2048
#define DEFAULT_MEMORY 65536 /* MiB */

gboolean
kvmhelper_sim_load_fail (const xmlNode *node, GError **error, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, COMMON_ERROR, COMMON_ERROR_INVALID_HOST, _ ("Line %ld: %s"),
               xmlGetLineNo (node), text);
  return FALSE;
}

gboolean
kvmhelper_sim_load_number (const xmlNode *node, const char *attribute, guint max, guint *value,
                           GError **error)
{
  return common_xml_get_number (node, attribute, max, COMMON_ERROR_INVALID_HOST, value, error);
}

gboolean
kvmhelper_sim_load_flag (const xmlNode *node, const char *attribute, gboolean otherwise)
{
  return common_xml_attribute_is (node, attribute, otherwise ? "no" : "yes") ? !otherwise
                                                                             : otherwise;
}

char *
kvmhelper_sim_load_string (const xmlNode *node, const char *attribute, const char *otherwise)
{
  char *value = common_xml_get (node, attribute);

  return value == NULL ? g_strdup (otherwise) : value;
}

/* --- what the host is --- */

static gboolean
load_profile (KvmHelperSim *sim, const xmlNode *root, GError **error)
{
  static const char *const bypasses[] = { "on", "off", "refused", "swallowed" };
  KvmHelperSimProfile *profile = &sim->profile;
  g_autofree char *kernel = common_xml_get (root, "kernel");
  g_autofree char *bypass = common_xml_get (root, "bypass");

  if (!kvmhelper_sim_profile_init (profile, kernel,
                                   common_xml_attribute_is (root, "platform", "powernv")))
    return kvmhelper_sim_load_fail (
        root, error, _ ("There is no model of Linux %s, but of 6.1, 6.12 and 7.2"), kernel);
  sim->release
      = kvmhelper_sim_load_string (root, "release", kvmhelper_sim_profile_release (profile));
  sim->command_line = kvmhelper_sim_load_string (root, "command-line", "console=hvc0");
  sim->no_autoprobe = !kvmhelper_sim_load_flag (root, "drivers-autoprobe", TRUE);
  profile->kvm_hv = kvmhelper_sim_load_flag (root, "kvm-hv", TRUE);
  profile->xive = !kvmhelper_sim_command_line_has (sim, "xive=off");
  profile->xive_native = profile->xive_native && profile->kvm_hv && profile->xive;
  profile->eeh = kvmhelper_sim_load_flag (root, "eeh", TRUE)
                 && !kvmhelper_sim_command_line_has (sim, "eeh=off");
  sim->machine->bypass = profile->bypass;
  for (guint i = 0; bypass != NULL && i < G_N_ELEMENTS (bypasses); i++)
    if (g_str_equal (bypass, bypasses[i]))
      profile->bypass = i;
  return TRUE;
}

static gboolean
load_memory (const xmlNode *root, KvmHelperSimMachine *machine, GError **error)
{
  machine->memory = DEFAULT_MEMORY;
  if (!kvmhelper_sim_load_number (root, "memory", G_MAXUINT, &machine->memory, error))
    return FALSE;
  machine->memory_available = machine->memory;
  if (!kvmhelper_sim_load_number (root, "memory-available", G_MAXUINT, &machine->memory_available,
                                  error))
    return FALSE;
  if (machine->memory_available > machine->memory)
    return kvmhelper_sim_load_fail (root, error, _ ("Of %u MiB of memory, %u cannot be available"),
                                    machine->memory, machine->memory_available);
  return TRUE;
}

static gboolean
load_machine (KvmHelperSim *sim, const xmlNode *root, GError **error)
{
  KvmHelperSimMachine *machine = sim->machine;
  const gboolean powernv = sim->profile.powernv;
  g_autofree char *named = NULL;
  guint page_size = 65536;

  machine->cpu = kvmhelper_sim_load_string (root, "cpu",
                                            powernv ? "POWER9, altivec supported"
                                                    : "POWER9 (architected), altivec supported");
  machine->revision = kvmhelper_sim_load_string (root, "revision", "2.2 (pvr 004e 1202)");
  machine->model = kvmhelper_sim_load_string (root, "model", powernv ? "9006-22P" : "IBM,9009-42A");
  named = g_strconcat (powernv ? "PowerNV " : "CHRP ", machine->model, NULL);
  machine->machine = kvmhelper_sim_load_string (root, "machine", named);
  machine->firmware = kvmhelper_sim_load_string (root, "firmware", powernv ? "OPAL" : "");
  machine->mmu = kvmhelper_sim_load_string (root, "mmu", "Radix");
  machine->compatible
      = kvmhelper_sim_load_string (root, "compatible", powernv ? "ibm,powernv" : "IBM,9009-42A");
  machine->consoles = kvmhelper_sim_load_string (root, "consoles", "hvc0");
  sim->boot_id = common_xml_get (root, "boot-id");
  if (sim->boot_id == NULL)
    sim->boot_id = g_uuid_string_random ();
  if (!kvmhelper_sim_load_number (root, "cpus", MAX_CPUS, &machine->cpus, error)
      || !kvmhelper_sim_load_number (root, "page-size", 65536, &page_size, error)
      || !load_memory (root, machine, error))
    return FALSE;
  if (machine->cpus == 0)
    return kvmhelper_sim_load_fail (root, error, _ ("A host has at least one CPU"));
  if (page_size != 4096 && page_size != 65536)
    return kvmhelper_sim_load_fail (
        root, error, _ ("A POWER host has pages of 4096 or 65536 bytes, not of %u"), page_size);
  sim->page_size = page_size;
  return TRUE;
}

/* --- drivers --- */

/* The number of "EIO"; 0: there is none. */
static int
find_errno (const char *name)
{
  for (int i = 1; i < 256; i++)
    if (g_strcmp0 (strerrorname_np (i), name) == 0)
      return i;
  return 0;
}

static gboolean
load_id (KvmHelperSimDriver *driver, const xmlNode *node, GError **error)
{
  KvmHelperSimId id = { .subsystem_vendor = G_MAXUINT, .subsystem_device = G_MAXUINT };

  if (!kvmhelper_sim_load_number (node, "vendor", G_MAXUINT, &id.vendor, error)
      || !kvmhelper_sim_load_number (node, "device", G_MAXUINT, &id.device, error)
      || !kvmhelper_sim_load_number (node, "subsystem-vendor", G_MAXUINT, &id.subsystem_vendor,
                                     error)
      || !kvmhelper_sim_load_number (node, "subsystem-device", G_MAXUINT, &id.subsystem_device,
                                     error)
      || !kvmhelper_sim_load_number (node, "class", 0xffffff, &id.class, error)
      || !kvmhelper_sim_load_number (node, "class-mask", 0xffffff, &id.class_mask, error))
    return FALSE;
  g_array_append_val (driver->ids, id);
  return TRUE;
}

static gboolean
load_driver (KvmHelperSimLoad *load, const xmlNode *node, GError **error)
{
  g_autofree char *name = common_xml_get (node, "name");
  g_autofree char *failure = common_xml_get (node, "probe-error");
  KvmHelperSimDriver *driver;

  if (g_hash_table_contains (load->sim->drivers, name)
      || g_hash_table_contains (load->unloaded, name))
    return kvmhelper_sim_load_fail (node, error, _ ("There are two drivers %s"), name);
  if (!kvmhelper_sim_load_flag (node, "loaded", TRUE))
    {
      g_hash_table_add (load->unloaded, g_steal_pointer (&name));
      return TRUE;
    }
  driver = kvmhelper_sim_driver_get (load->sim, name);
  driver->lies = kvmhelper_sim_load_flag (node, "lies", FALSE);
  driver->probe_errno = failure == NULL ? 0 : find_errno (failure);
  if (failure != NULL && driver->probe_errno == 0)
    return kvmhelper_sim_load_fail (node, error, _ ("There is no errno %s"), failure);
  for (const xmlNode *id = common_xml_child (node, "id"); id != NULL;
       id = common_xml_next (id, "id"))
    if (!load_id (driver, id, error))
      return FALSE;
  return TRUE;
}

gboolean
kvmhelper_sim_load_driver (KvmHelperSimLoad *load, const char *name)
{
  if (*name == '\0' || g_hash_table_contains (load->unloaded, name))
    return FALSE;
  kvmhelper_sim_driver_get (load->sim, name);
  return TRUE;
}

/* --- all of it --- */

static gboolean
load_host (KvmHelperSimLoad *load, const xmlNode *root, GError **error)
{
  if (!load_profile (load->sim, root, error) || !load_machine (load->sim, root, error)
      || !kvmhelper_sim_nodes_load (load->sim, root, error))
    return FALSE;
  for (const xmlNode *node = common_xml_child (root, "driver"); node != NULL;
       node = common_xml_next (node, "driver"))
    if (!load_driver (load, node, error))
      return FALSE;
  kvmhelper_sim_load_driver (load, COMMON_VFIO_DRIVER);
  for (const xmlNode *node = common_xml_child (root, "phb"); node != NULL;
       node = common_xml_next (node, "phb"))
    if (!kvmhelper_sim_load_phb (load, node, error))
      return FALSE;
  return kvmhelper_sim_load_topology (load, root, error);
}

static xmlRelaxNG *
get_schema (void)
{
  static xmlRelaxNG *schema;

  if (g_once_init_enter (&schema))
    g_once_init_leave (&schema, common_xml_schema_load (kvmhelper_sim_get_resource (), SCHEMA));
  return schema;
}

gboolean
kvmhelper_sim_description_load (KvmHelperSim *sim, const char *xml, GError **error)
{
  KvmHelperSimLoad load = { .sim = sim };
  g_autoptr (xmlDoc) document = common_xml_read (xml, -1, MAX_SIZE, error);
  xmlNode *root = document == NULL ? NULL : xmlDocGetRootElement (document);
  gboolean good;

  kvmhelper_sim_pci_init (sim);
  if (root == NULL || !common_xml_validate (root, get_schema (), COMMON_ERROR_INVALID_HOST, error))
    {
      g_prefix_error (error, "%s: ", sim->name);
      return FALSE;
    }
  load.wishes = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  load.groups = g_hash_table_new (NULL, NULL);
  load.buses = g_hash_table_new (NULL, NULL);
  load.names = g_hash_table_new (g_str_hash, g_str_equal);
  load.unloaded = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  good = load_host (&load, root, error);
  if (!good)
    g_prefix_error (error, "%s: ", sim->name);
  g_hash_table_unref (load.wishes);
  g_hash_table_unref (load.groups);
  g_hash_table_unref (load.buses);
  g_hash_table_unref (load.names);
  g_hash_table_unref (load.unloaded);
  return good;
}
