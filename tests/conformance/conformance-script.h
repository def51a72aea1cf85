/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "conformance-line.h"

/** A script, as README.rst describes it. */
typedef struct
{
  char *path;
  char *name; /* its last part */
  char *title;
  char *source;
  GPtrArray *needs; /* char *, "eeh", "device e1000e" */
  GPtrArray *bind;  /* char *, with variables */
  guint seconds;
  ConformanceSide side;
  char *reason;     /* of the side; NULL */
  char *host;       /* a description of its own; NULL */
  GPtrArray *lines; /* ConformanceLine */
} ConformanceScript;

/** conformance_script_new: reads a script. The error begins with "FILE:LINE: ". */
ConformanceScript *conformance_script_new (const char *path, GError **error);

/** conformance_script_parse: the same from a text, which is called @path. */
ConformanceScript *conformance_script_parse (const char *path, const char *text, GError **error);
void conformance_script_free (ConformanceScript *script);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConformanceScript, conformance_script_free)
