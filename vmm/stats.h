// SPDX-License-Identifier: Apache-2.0
// What a run took, for -d stats.
#pragma once

#include "base/log.h"
#include "mach/machine.h"

// Instructions of each processor since the machine was made, `ns` nanoseconds ago, and what the
// whole process took from the host. No processor runs.
void stats_tell(struct log *l, const struct machine *m, u64 ns);
