// SPDX-License-Identifier: Apache-2.0
#include "vmm/stats.h"

#include "jit/jit.h"

#include <sys/resource.h>

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

// KVM does not count instructions, and translated code only if it is asked to.
static void tell_instructions(struct log *l, const struct cpu *c, const struct jit *j)
{
    if (c->n_insns && (!j || jit_counts_insns(j)))
        log_write(l, LOG_STATS, "cpu %u: %llu instructions", c->index,
                  (unsigned long long)c->n_insns);
}

static void tell_translator(struct log *l, const struct jit *j)
{
    struct jit_counts n = jit_count(j);
    log_write(l, LOG_STATS,
              "translated %llu instructions in %llu blocks, %.1f bytes each; dropped %llu pages, "
              "%llu times all",
              (unsigned long long)n.n_insns, (unsigned long long)n.n_blocks,
              (double)n.n_bytes / (double)(n.n_insns ? n.n_insns : 1),
              (unsigned long long)n.n_invalidated, (unsigned long long)n.n_flushes);
    log_write(l, LOG_STATS,
              "targets looked up %llu, blocks linked %llu, slots filled %llu, instructions left to "
              "the interpreter %llu, called %llu",
              (unsigned long long)n.n_lookups, (unsigned long long)n.n_links,
              (unsigned long long)n.n_fills, (unsigned long long)n.n_interpreted,
              (unsigned long long)n.n_calls);
}

void stats_tell(struct log *l, const struct machine *m, const struct jit *j, u64 ns)
{
    struct rusage u = {0};
    if (!log_is_on(l, LOG_STATS))
        return;
    for (unsigned i = 0; i < m->n_cpus; i++)
        tell_instructions(l, m->cpus[i], j);
    if (j)
        tell_translator(l, j);
    getrusage(RUSAGE_SELF, &u);
    log_write(l, LOG_STATS,
              "%.3f s, of the host's processors %.3f s and %.3f s in its kernel, "
              "%ld KiB resident at most",
              (double)ns / 1e9, seconds(&u.ru_utime), seconds(&u.ru_stime), u.ru_maxrss);
}
