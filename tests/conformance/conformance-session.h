/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "conformance-host.h"
#include "conformance-process.h"
#include "conformance-result.h"

/* Told of each check when it is done, and of setup that failed. @result is freed after. */
typedef void (*ConformanceTell) (gpointer data, const ConformanceResult *result);

typedef struct
{
  const ConformanceSideCalls *calls;
  const char *description; /* of the model's host */
  const char *directory;   /* of the hosts files */
  const char *host_file;   /* NULL: by the host's platform */
  gboolean verbose;        /* setup that succeeds is told of as well */
} ConformanceRun;

/** conformance_session_run: asks one script on a clean host. */
void conformance_session_run (const ConformanceRun *run, const ConformanceScript *script,
                              ConformanceTell tell, gpointer data);
