// SPDX-License-Identifier: Apache-2.0
// What a run took, for -d stats.
#pragma once

#include "base/log.h"
#include "mach/machine.h"

struct jit;

// Instructions of each processor since the machine was made, `ns` nanoseconds ago, and what the
// whole process took from the host. `j` is NULL without a translator. No processor runs.
void stats_tell(struct log *l, const struct machine *m, const struct jit *j, u64 ns);
