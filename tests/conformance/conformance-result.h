/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "conformance-script.h"

/** What became of one line of a script. */
typedef enum
{
  CONFORMANCE_OK,
  CONFORMANCE_NOT_OK,
  CONFORMANCE_SKIPPED
} ConformanceStatus;

typedef struct
{
  char *script; /* the file's name */
  guint line;   /* 0: the script as a whole */
  char *text;
  ConformanceStatus status;
  ConformanceSide side;
  char *reason;   /* why it was left out, or is asked of one side alone; NULL */
  char *expected; /* NULL: setup */
  char *got;      /* NULL: as expected */
} ConformanceResult;

ConformanceResult *
conformance_result_new (const char *script, guint line, const char *text, ConformanceStatus status);
void conformance_result_free (ConformanceResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConformanceResult, conformance_result_free)

/* Between processes. */
GVariant *conformance_result_to_variant (const ConformanceResult *result);
ConformanceResult *conformance_result_from_variant (GVariant *variant);
#define CONFORMANCE_RESULT_TYPE "(susuumsmsms)"
