/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostdev/hostdev-plan.h"

/**
 * The test data of libvirt's own source (tests/schema/fetch-libvirt), whose directory is in
 * LIBVIRT_DATA. @suite: "bookworm" or "trixie".
 */

/* All of a file that has to be there. */
char *libvirt_data_read_text (const char *path);

/* A file of the source; NULL where there is none. */
char *libvirt_data_find_file (const char *suite, const char *folder, const char *name);

/* As a domain under KVM, which a plan is for. */
HostdevDomain *libvirt_data_read_domain (const char *text);

/* The host that the domains are made for. */
HostdevHost *libvirt_data_read_host (const char *suite);

/* What libvirt is expected to make of the domain NAME; NULL where it makes nothing of it.
 * @arch: "ppc64" */
char *libvirt_data_find_expected (const char *suite, const char *name, const char *arch);

/* The names of the domains that libvirt's tests begin with, and that have @machine in their text:
 * "machine='pseries". */
GPtrArray *libvirt_data_list_names (const char *suite, const char *machine);
