/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-host.h"

/**
 * The making of a HostdevHost, for its two forms: first everything is put in, then
 * hostdev_host_finish() sorts, indexes and checks it.
 */

HostdevHost *hostdev_host_new (void);

/* What stands alone in a description; taken over. */
typedef struct
{
  char *platform, *kernel, *cpu, *model, *firmware, *simulated;
  guint page_size;
  guint memory, memory_available; /* MiB */
} HostdevHostFacts;

HostdevHostFacts *hostdev_host_get_facts (HostdevHost *host);

/** hostdev_host_set_capability: a name that is not known (a newer helper's) is passed over. */
void hostdev_host_set_capability (HostdevHost *host, const char *name, const char *answer,
                                  const char *source);

/** hostdev_host_add_eeh: the texts are copied. */
void
hostdev_host_add_eeh (HostdevHost *host, const char *name, const char *value, const char *source);

/** hostdev_host_add_node: the texts are copied. FALSE where @cpus is no list of numbers. */
gboolean
hostdev_host_add_node (HostdevHost *host, guint number, const char *cpus, const char *distances);

/** hostdev_group_new: empty, nobody's, with texts "". */
HostdevGroup *hostdev_group_new (void);
void hostdev_group_free (HostdevGroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevGroup, hostdev_group_free)

/** hostdev_function_new: an endpoint without a driver, with texts "". */
HostdevFunction *hostdev_function_new (void);
void hostdev_function_free (HostdevFunction *function);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostdevFunction, hostdev_function_free)

/** hostdev_function_add_busy: the texts are copied. */
void hostdev_function_add_busy (HostdevFunction *function, const char *kind, const char *detail);

/** hostdev_function_add_companion: FALSE where @address is none. */
gboolean hostdev_function_add_companion (HostdevFunction *function, const char *address);

/** Both take over what they are given. */
void hostdev_host_add_group (HostdevHost *host, HostdevGroup *group);
void hostdev_host_add_ungrouped (HostdevHost *host, HostdevFunction *function);

/**
 * hostdev_host_finish: to be called once, last.
 *
 * Returns: FALSE with COMMON_ERROR_INVALID_HOST where an address or a group's number is there
 * twice.
 */
gboolean hostdev_host_finish (HostdevHost *host, GError **error);
