// SPDX-License-Identifier: Apache-2.0
#include "vmm/stats.h"

#include "jit/jit.h"

#include <string.h>
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
    struct text told = {0};
    jit_show(j, &told);
    for (char *line = told.bytes, *end; line && (end = strchr(line, '\n')); line = end + 1)
        log_write(l, LOG_STATS, "%.*s", (int)(end - line), line);
    text_free(&told);
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
