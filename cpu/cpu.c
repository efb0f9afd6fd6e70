// SPDX-License-Identifier: Apache-2.0
#include "cpu/cpu.h"

#include <stdatomic.h>

// The wake callback takes the owner's lock after the bit is set, and the owner tests the bits with
// that lock held before it sleeps: no request is lost.
void cpu_request(struct cpu *c, u32 request)
{
    atomic_fetch_or_explicit(&c->requests, request, memory_order_seq_cst);
    if (c->ops->kick)
        c->ops->kick(c);
    if (c->wake)
        c->wake(c->wake_opaque, c);
}

void cpu_set_line(struct cpu *c, unsigned line, bool level)
{
    u32 bit = 1u << line;
    u32 before = level ? atomic_fetch_or_explicit(&c->lines, bit, memory_order_seq_cst)
                       : atomic_fetch_and_explicit(&c->lines, ~bit, memory_order_seq_cst);
    if (!(before & bit) != !level)
        cpu_request(c, CPU_REQ_IRQ);
}
