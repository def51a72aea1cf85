/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "conformance-reply.h"
#include "kvmhelper/kvmhelper-kernel.h"

/**
 * Where a script is asked: a side has processes, which are asked, and an outside, from where things
 * happen to the host. There are two: the model, whose processes live in this one, and the kernel
 * that runs here, on which each is a process.
 */
typedef struct _ConformanceSideData ConformanceSideData;
typedef struct _ConformanceProcess ConformanceProcess;

typedef struct
{
  gboolean nobody;  /* else root */
  gboolean limited; /* RLIMIT_MEMLOCK is @memlock */
  guint64 memlock;
} ConformanceProcessConfig;

typedef struct
{
  gboolean real;

  /* Starts the side for a script; @host: the description of a model's host. */
  ConformanceSideData *(*start) (const char *host, GError **error);
  void (*stop) (ConformanceSideData *side);
  /* The host as the runner itself sees it, as root. */
  const KvmHelperKernel *(*kernel) (ConformanceSideData *side);
  /* How many handles are still open though every process has ended; 0 where nobody can know. */
  guint (*left_open) (ConformanceSideData *side);

  ConformanceProcess *(*process_new) (ConformanceSideData *side,
                                      const ConformanceProcessConfig *config, GError **error);
  /* Ends it as SIGKILL does, and frees it. All that it had is closed then. */
  void (*process_kill) (ConformanceProcess *process);
  ConformanceReply *(*ask) (ConformanceProcess *process, const char *call);
  /* Begins a call; result waits for the end of it for so long. */
  void (*begin) (ConformanceProcess *process, const char *call);
  ConformanceReply *(*result) (ConformanceProcess *process, guint milliseconds);
  /* Gives the handle of that name to another process. 0 or a negative errno. */
  int (*pass) (ConformanceProcess *from, const char *name, ConformanceProcess *to);

  /* Something from outside ("freeze 0000:01:00.0"). */
  ConformanceReply *(*outside) (ConformanceSideData *side, const char *call);
} ConformanceSideCalls;

extern const ConformanceSideCalls conformance_model;
extern const ConformanceSideCalls conformance_real;
