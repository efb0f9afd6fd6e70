// SPDX-License-Identifier: Apache-2.0
#include "dev/core_irq.h"
#include "base/bug.h"

u16 core_irq_lines(const struct core_irq *c, unsigned core)
{
    u16 lines = 0;
    for (unsigned s = 0; s < CORE_IRQ_N_SOURCES; s++)
        lines |= c->driven[core][s];
    return lines;
}

void core_irq_drive(struct core_irq *c, enum core_irq_source source, unsigned core, u16 lines)
{
    BUG_ON(core >= CORE_IRQ_MAX_CORES);
    u16 before = core_irq_lines(c, core);
    c->driven[core][source] = lines;
    u16 after = core_irq_lines(c, core);
    for (unsigned line = 0; before != after && line < CORE_N_LINES; line++) {
        struct irq wire = {c->out.set, c->out.opaque, core * CORE_N_LINES + line};
        if ((before ^ after) >> line & 1)
            irq_set(&wire, after >> line & 1);
    }
}
