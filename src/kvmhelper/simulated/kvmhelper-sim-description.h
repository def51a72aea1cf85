/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/common-xml.h"
#include "kvmhelper/simulated/kvmhelper-sim-machine.h"
#include "kvmhelper/simulated/kvmhelper-sim-pci.h"

/**
 * The description of a host, schemas/simulated-host.rng: its attributes and drivers are read in
 * kvmhelper-sim-description.c, functions in -description-pci.c, what the kernel would make of them
 * in -description-topology.c; -description-save.c writes one.
 */

/* What a description may say of a function's numbers, and where it does. */
typedef struct
{
  KvmHelperSimFunction *function;
  const xmlNode *node;
  guint pe, group; /* KVMHELPER_SIM_ANY_NUMBER: nothing */
} KvmHelperSimWish;

/* While a description is read. */
typedef struct
{
  KvmHelperSim *sim;
  GHashTable *wishes;   /* KvmHelperSimFunction -> KvmHelperSimWish, owned */
  GHashTable *groups;   /* numbers of groups that wishes name */
  GHashTable *buses;    /* domain << 8 | number */
  GHashTable *names;    /* of interfaces and disks; not owned */
  GHashTable *unloaded; /* names of drivers that are not there; owned */
} KvmHelperSimLoad;

/** kvmhelper_sim_load_fail: COMMON_ERROR_INVALID_HOST, with the line of @node; FALSE. */
gboolean kvmhelper_sim_load_fail (const xmlNode *node, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

/** kvmhelper_sim_load_number: an attribute's number; @value as it was where it is not there. */
gboolean kvmhelper_sim_load_number (const xmlNode *node, const char *attribute, guint max,
                                    guint *value, GError **error);
/** kvmhelper_sim_load_flag: of "yes" or "no"; @otherwise where it is not there. */
gboolean kvmhelper_sim_load_flag (const xmlNode *node, const char *attribute, gboolean otherwise);
/** kvmhelper_sim_load_string: to be freed; @otherwise where it is not there. */
char *kvmhelper_sim_load_string (const xmlNode *node, const char *attribute, const char *otherwise);
/** kvmhelper_sim_load_driver: the driver that an attribute names is there, or comes to be. */
gboolean kvmhelper_sim_load_driver (KvmHelperSimLoad *load, const char *name);

/** kvmhelper_sim_load_phb: <phb>, with its functions. */
gboolean kvmhelper_sim_load_phb (KvmHelperSimLoad *load, const xmlNode *node, GError **error);

/** kvmhelper_sim_load_wish: "pe" and "group" of an element. _bound: "bound" and "driver-override".
 */
gboolean kvmhelper_sim_load_wish (KvmHelperSimLoad *load, KvmHelperSimFunction *function,
                                  const xmlNode *node, GError **error);
gboolean kvmhelper_sim_load_bound (KvmHelperSimLoad *load, KvmHelperSimFunction *function,
                                   const xmlNode *node, GError **error);

/** kvmhelper_sim_load_topology: PEs and groups, once all functions are there. */
gboolean kvmhelper_sim_load_topology (KvmHelperSimLoad *load, const xmlNode *root, GError **error);

/** kvmhelper_sim_pe_states: the words for the states of a PE, by bit; NULL at the end. */
extern const char *const kvmhelper_sim_pe_states[];
