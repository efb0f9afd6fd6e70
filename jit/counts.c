// SPDX-License-Identifier: Apache-2.0
// What a translator did so far, for those who ask: `info jit` of the monitor, `-d stats`.
#include "jit/cache.h"

#include <time.h>

static u64 now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

void jit_start_counting(struct jit *j)
{
    j->start_ns = now_ns();
    j->start_ticks = jit_ticks();
}

bool jit_counts_insns(const struct jit *j)
{
    return j->options.count;
}

static struct jit_counts count(const struct jit *j)
{
    struct jit_counts n = j->counts;
    for (unsigned i = 0; i < j->n_vcpus; i++) {
        const struct jit_vcpu *v = &j->vcpus[i];
        n.n_lookups += v->n_lookups;
        n.n_links += v->n_links;
        n.n_interpreted += v->n_interpreted;
        n.n_calls += v->n_calls;
        n.n_fills += v->n_fills;
        n.n_obeyed += v->n_times_obeyed;
        n.n_odd_mode += v->n_odd_mode;
        n.n_no_ram += v->n_no_ram;
    }
    return n;
}

static double per(double n, u64 of)
{
    return n / (double)(of ? of : 1);
}

static double ns_of(const struct jit *j, u64 ticks)
{
    u64 passed = jit_ticks() - j->start_ticks;
    return (double)ticks * (double)(now_ns() - j->start_ns) / (double)(passed ? passed : 1);
}

void jit_show(const struct jit *j, struct text *to)
{
    struct jit_counts n = count(j);
    text_add(to, "translated %llu instructions in %llu blocks, %.1f bytes and %.0f ns each\n",
             (unsigned long long)n.n_insns, (unsigned long long)n.n_blocks,
             per((double)n.n_bytes, n.n_insns), per(ns_of(j, n.n_ticks), n.n_insns));
    text_add(to, "code takes %llu KiB of %llu; it was full and everything dropped %llu times\n",
             (unsigned long long)(j->used >> 10), (unsigned long long)(j->size >> 10),
             (unsigned long long)n.n_flushes);
    text_add(to, "stores dropped %llu pages of code, slots that miss all the time %llu\n",
             (unsigned long long)n.n_invalidated, (unsigned long long)n.n_probing);
    text_add(to, "processors forgot slots of stores %llu times, left for a target %llu times\n",
             (unsigned long long)n.n_obeyed, (unsigned long long)n.n_lookups);
    text_add(to, "jumps linked %llu, slots filled by C %llu\n", (unsigned long long)n.n_links,
             (unsigned long long)n.n_fills);
    text_add(to, "interpreted %llu instructions by calls, %llu by the run loop\n",
             (unsigned long long)n.n_calls, (unsigned long long)n.n_interpreted);
}
