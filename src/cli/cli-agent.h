/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/**
 * CliAgent: polkit's own agent for terminals, pkttyagent(1), which asks for a password where
 * no desktop does. It is registered for this process alone and with --fallback, so that an agent
 * of the session goes before it.
 */
typedef struct _CliAgent CliAgent;

/**
 * cli_agent_start: starts it, and waits until it is registered. NULL where there is no need (root
 * is never asked) or no pkttyagent: then polkit refuses what needs a password.
 */
CliAgent *cli_agent_start (void);

/** cli_agent_stop: ends it; NULL is allowed. */
void cli_agent_stop (CliAgent *agent);
