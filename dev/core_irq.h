// SPDX-License-Identifier: Apache-2.0
// The interrupt input lines of all cores of a machine.
//
// Several blocks may drive the same line of a core; the core sees their OR. Each block hands over
// the complete set of lines that it drives at a core whenever that set may have changed. Device
// lock held.
#pragma once

#include "base/types.h"
#include "dev/irq.h"

#define CORE_IRQ_MAX_CORES 64

// Bits of ESTAT.IS (LoongArch volume 1, 7.4.6).
enum core_line {
    CORE_LINE_HWI0 = 2,
    CORE_LINE_TIMER = 11,
    CORE_LINE_IPI = 12,
    CORE_N_LINES = 16,
};

enum core_irq_source {
    CORE_IRQ_IPI,
    CORE_IRQ_EXTIOI,
    CORE_IRQ_LIOINTC,
    CORE_IRQ_N_SOURCES,
};

struct core_irq {
    // Called with pin = core * CORE_N_LINES + line, only when the line changes.
    struct irq out;
    u16 driven[CORE_IRQ_MAX_CORES][CORE_IRQ_N_SOURCES];
};

// `lines` has bit n set if the source asserts line n of the core.
void core_irq_drive(struct core_irq *c, enum core_irq_source source, unsigned core, u16 lines);

// The OR of all sources.
u16 core_irq_lines(const struct core_irq *c, unsigned core);
