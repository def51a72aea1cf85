/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/cli-options.h"
#include "hostdev/hostdev-domain.h"
#include "hostdev/hostdev-host.h"

/**
 * The guest that a command is about, as the command line names it: by its name or UUID in libvirt,
 * or by a file with its XML.
 */
typedef struct
{
  char *domain;  /* in libvirt */
  char *file;    /* "-": standard input */
  char *connect; /* which libvirt; NULL: as virsh */
} CliGuest;

void cli_guest_clear (CliGuest *guest);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CliGuest, cli_guest_clear)

/**
 * cli_guest_take: what a bare word of the command line names. It is a file where it is "-", has a
 * slash, ends in ".xml", or is the name of one that is there; else it is a domain of libvirt's.
 * FALSE with CLI_USAGE_ERROR where an option named a guest already.
 */
gboolean cli_guest_take (CliGuest *guest, const char *word, GError **error);

/** cli_guest_check: that there is one guest, and --connect for libvirt's only. FALSE with
 * CLI_USAGE_ERROR. */
gboolean cli_guest_check (const CliGuest *guest, GError **error);

/**
 * cli_guest_read: its XML, read.
 * @inactive: of libvirt's, that of the next start, and not that of now
 *
 * Of the next start each interface of a network that hands out functions has the one that libvirt
 * would take now. A file is read as it is: libvirt is not asked.
 *
 * Returns: NULL with an error of cli_libvirt_get_xml, cli_networks_get, cli_input_read or
 * hostdev_domain_new_from_xml; the last has the file's name, or the domain's, before it.
 */
HostdevDomain *cli_guest_read (const CliGuest *guest, gboolean inactive, GError **error);

/**
 * cli_guest_resolve: an <interface type='network'> that the guest is to get now.
 * @device: (out): what its network hands out; NULL where @xml is another device, or the network one
 *   of another kind
 *
 * FALSE with an error of cli_networks_get, and with COMMON_ERROR_INVALID_ARGUMENT for a guest that
 * is a file.
 */
gboolean
cli_guest_resolve (const CliGuest *guest, const char *xml, HostdevDevice **device, GError **error);

/**
 * cli_guest_read_host: the host that the guest is to be on, as cli_input_host has it; with what
 * other guests have of it, where libvirt is asked for the guest anyway and the host is this one.
 */
HostdevHost *cli_guest_read_host (const CliGuest *guest, const CliOptions *options, GError **error);
