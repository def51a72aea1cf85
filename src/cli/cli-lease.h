/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/**
 * CliLease: a device that virt-ppc64 status tells about: a lease, what the kernel says of its
 * group now, or both. The keys of the dictionaries are in data/org.libvirt.Ppc64.KvmHelper1.xml.
 */
typedef struct
{
  char *address;
  GVariant *lease;      /* a{sv} as of ListLeases; NULL: none on this device */
  GVariant *inspection; /* a{sv} as of Inspect; NULL where it failed */
  GError *error;        /* why it failed */
} CliLease;

void cli_lease_free (CliLease *lease);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliLease, cli_lease_free)

/** cli_lease_get: a text of a dictionary (nullable); "" where it has none. */
const char *cli_lease_get (GVariant *dict, const char *key);

/** cli_lease_get_fact: a "(ss)" of a dictionary (nullable); FALSE where it has none. */
gboolean
cli_lease_get_fact (GVariant *dict, const char *key, const char **value, const char **source);

/**
 * cli_lease_explain: what the helper means by @word (a phase, a reason), for people.
 * @words: @n_words of the helper's, each with its text (N_())
 * @otherwise: (transfer none): what a word that is not among them is shown as
 */
const char *cli_lease_explain (const char *const words[][2], gsize n_words, const char *word,
                               const char *otherwise);

/** cli_lease_matches: whether @what is the lease's device, one of its members, or its guest. */
gboolean cli_lease_matches (const CliLease *lease, const char *what);
