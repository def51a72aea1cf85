/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "common/pci-address.h"

/**
 * KvmHelperConfig: what an administrator says to the helper, in a file of his own:
 *
 *     [kvmhelper]
 *     irq-bypass=report
 *     rehearse=auto
 *     eeh-watch=10
 *     idle-exit=60
 *     no-reset=0001:01:00.0;8086:10d3
 *
 * docs/man/ppc64-kvmhelper.conf.rst is the manual of it. What a file does not say has its default.
 */

/* Whether a device is rehearsed before a guest gets it: what a caller of Prepare asks for, and what
 * the administrator says to it. */
typedef enum
{
  KVMHELPER_REHEARSE_AUTO,   /* when it was not yet, under this kernel and in this boot; of the
                                administrator: as the caller asks, who may ask for more or less */
  KVMHELPER_REHEARSE_ALWAYS, /* of the administrator: whatever the caller asks */
  KVMHELPER_REHEARSE_NEVER,  /* of the administrator: not inside Prepare, whatever he asks */
} KvmHelperRehearseMode;

typedef struct
{
  gboolean irq_bypass_set; /* irq-bypass=set: kvm_irq_bypass may be switched on; else reported */
  KvmHelperRehearseMode rehearse;
  guint eeh_watch_seconds; /* between two looks at the PEs that are lent; 0: none */
  guint idle_exit_seconds; /* without anything to do, until the helper ends; 0: it stays */
  char **no_reset;         /* canonical PCI addresses and "vendor:device", lower case; not NULL */
} KvmHelperConfig;

/** kvmhelper_config_defaults: of a helper without a file; never freed. */
const KvmHelperConfig *kvmhelper_config_defaults (void);

/** kvmhelper_config_new: the defaults, to be read into. */
KvmHelperConfig *kvmhelper_config_new (void);
void kvmhelper_config_free (KvmHelperConfig *config);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KvmHelperConfig, kvmhelper_config_free)

/**
 * kvmhelper_config_read: what @file says, over what @config has. A line, group, key or value that
 * means nothing is named in the log, with its line, and what was there before stays; of a list the
 * other entries count. FALSE with COMMON_ERROR_KERNEL_FAILED where the file cannot be read as a
 * whole, is no UTF-8 or is larger than KVMHELPER_MAX_CONFIG: what it forbids cannot be known then.
 * One that is not there says nothing where @optional, and is an error else.
 */
gboolean kvmhelper_config_read (KvmHelperConfig *config, const char *file, gboolean optional,
                                GError **error);

/** kvmhelper_config_no_reset: whether a function is said to be unsafe to reset. */
gboolean kvmhelper_config_no_reset (const KvmHelperConfig *config, const PciAddress *address,
                                    guint vendor, guint device);
