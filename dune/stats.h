// SPDX-License-Identifier: Apache-2.0
// Counters of `--stat`, in memory that all processes of one run share.
#pragma once

struct process;

// Prints them if this is the process that the user started and nobody else has.
void stats_print_at_end(struct process *p);
