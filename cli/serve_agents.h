#ifndef CLI_SERVE_AGENTS_H
#define CLI_SERVE_AGENTS_H

/* What an agents file names that the plan does not have. That is no error, since plans and agents
 * change at different times, but most often it is a slip that leaves tickets waiting.
 */

#include "io/agents_file.h"
#include "proto/plan.h"

/* One line on standard error for each such queue and skill, ten at most. Returns how many names
 * there are. */
uint32_t serve_agents_warn(const struct agents_file *file, const struct plan *plan);

#endif
