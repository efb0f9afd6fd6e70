// SPDX-License-Identifier: Apache-2.0
#include "cpu/cpu.h"

// The wake callback takes the owner's lock after the bit is set, and the owner tests the bits with
// that lock held before it sleeps: no request is lost.
void cpu_request(struct cpu *c, u32 request)
{
    __atomic_fetch_or(&c->requests, request, __ATOMIC_SEQ_CST);
    if (c->wake)
        c->wake(c->wake_opaque, c);
}

void cpu_set_line(struct cpu *c, unsigned line, bool level)
{
    u32 bit = 1u << line;
    u32 before = level ? __atomic_fetch_or(&c->lines, bit, __ATOMIC_SEQ_CST)
                       : __atomic_fetch_and(&c->lines, ~bit, __ATOMIC_SEQ_CST);
    if (!(before & bit) != !level)
        cpu_request(c, CPU_REQ_IRQ);
}
