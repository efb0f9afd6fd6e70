// SPDX-License-Identifier: Apache-2.0
#include "dune/stats.h"
#include "dune/calls.h"
#include "dune/message.h"
#include "dune/process.h"

static void print_calls(const struct stats *s)
{
    bool shown[512] = {false};
    for (int line = 0; line < 10; line++) {
        int best = -1;
        for (int i = 0; i < 512; i++)
            if (!shown[i] && s->of_call[i] && (best < 0 || s->of_call[i] > s->of_call[best]))
                best = i;
        if (best < 0)
            return;
        const struct call *c = calls_find((u64)best);
        shown[best] = true;
        message("%u %s", (u64)s->of_call[best], c ? c->name : "(no such call)");
    }
}

// Exits that the monitor needed besides, in hundredths.
static void print_ratio(const struct stats *s)
{
    u64 calls = s->calls ? s->calls : 1, others = s->faults + s->signals;
    u64 exits = s->exits > others ? s->exits - others : 0;
    message("%u exits, %u calls, %u faults, %u signals", (u64)s->exits, (u64)s->calls,
            (u64)s->faults, (u64)s->signals);
    message("%u.%u%u exits per call, faults and signals left out", exits / calls,
            exits * 10 / calls % 10, exits * 100 / calls % 10);
}

void stats_print_at_end(struct process *p)
{
    const struct settings *settings = p->settings;
    const struct stats *s = settings->stats;
    if (!s || p->pid != settings->root_pid)
        return;
    print_ratio(s);
    message("%u threads, %u forks, %u programs executed, %u calls refused", (u64)s->threads,
            (u64)s->forks, (u64)s->execs, (u64)s->refused);
    print_calls(s);
}
