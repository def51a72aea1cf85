/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <libxml/tree.h>

#include "cli/cli-capture.h"
#include "common/pci-address.h"

/**
 * Between the parts of a capture: the host and its tree (cli-capture.c), and one function
 * (cli-capture-function.c).
 */
typedef struct
{
  PciAddress address;
  GVariant *dictionary; /* as GetHost has it */
  guint group, pe;      /* where it has them */
  gboolean has_group, has_pe;
  gboolean multifunction; /* its slot has more than this one */
  xmlNode *node;          /* when it is written */
} CliCaptured;

/** cli_capture_text, _number, _is: of a dictionary; "", 0 and FALSE for what is not there. */
const char *cli_capture_text (GVariant *dictionary, const char *key);
guint cli_capture_number (GVariant *dictionary, const char *key);
gboolean cli_capture_is (GVariant *dictionary, const char *key);

/** cli_capture_set, …: an attribute; none for "" and 0. */
void cli_capture_set (xmlNode *node, const char *name, const char *value);
void cli_capture_set_decimal (xmlNode *node, const char *name, guint number);
void cli_capture_set_hexadecimal (xmlNode *node, const char *name, guint digits, guint number);

/** cli_capture_is_word: whether @text is what the kernel calls drivers, and so no text of
 * somebody's. */
gboolean cli_capture_is_word (const char *text);

/**
 * cli_capture_function: writes an endpoint or a bridge below @parent.
 * @vfs: elements CliCaptured, by address: those of all PFs
 */
void cli_capture_function (xmlNode *parent, CliCaptured *function, const GPtrArray *vfs);
