// SPDX-License-Identifier: Apache-2.0
#include "cpu/loongarch64/probe.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

static bool wants_guest(const struct la_cpu *c, const struct cpu_question *q)
{
    return q->mode == CPU_MODE_NOW ? la_in_guest(c) : q->mode == CPU_MODE_GUEST;
}

bool la_probe_check(struct cpu *cpu, const struct cpu_question *q, struct err *e)
{
    return !wants_guest(la_of(cpu), q) || la_has_lvz(la_of(cpu)) ||
           err_set(e, "this processor has no guests: its model lacks lvz");
}

// As if the root entered its guest: at level 0, with the second-stage table of the last entry with
// this id. 0 if there was none.
static void enter_guest(struct la_cpu *c)
{
    c->root.csr[CSR_PGDL] = c->lvz_counts.root_table_of_gid[la_guest_gid(c) & 0xff];
    c->root.csr[CSR_CRMD] &= ~(u64)CRMD_PLV;
}

struct la_cpu *la_probe_new(const struct la_cpu *c, const struct cpu_question *q)
{
    struct la_cpu *p = aligned_alloc(64, align_up(sizeof(*p), 64));
    BUG_ON(!p);
    memcpy(p, c, sizeof(*p));
    p->decoded = NULL;
    p->contexts = NULL;
    p->context = wants_guest(c, q) ? &p->guest : &p->root;
    p->csr = p->context->csr;
    if (la_in_guest(p) && !la_in_guest(c))
        enter_guest(p);
    if (q->plv != CPU_PLV_NOW)
        p->csr[CSR_CRMD] = (p->csr[CSR_CRMD] & ~(u64)CRMD_PLV) | (q->plv & CRMD_PLV);
    return p;
}

void la_probe_free(struct la_cpu *probe)
{
    free(probe);
}
