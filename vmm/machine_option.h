// SPDX-License-Identifier: Apache-2.0
// The text of -machine: a board's name, and properties behind it.
#pragma once

#include "base/err.h"

enum machine_choice { MACHINE_AUTO, MACHINE_ON, MACHINE_OFF };

struct machine_option {
    const char *board;                  // as in boards.def; NULL: the default
    enum machine_choice kernel_irqchip; // interrupt controllers of the host's KVM
    u32 ipi_delay_ns;                   // that interrupts between processors need at most
};

// `text` may be NULL. False with a message if it is not understood.
bool machine_option_parse(const char *text, struct machine_option *to, struct err *e);
