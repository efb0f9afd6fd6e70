// SPDX-License-Identifier: Apache-2.0
// -cpu MODEL[,FEATURE=on|off]...
#pragma once

#include "base/err.h"
#include "cpu/cpu.h"

#include <stdio.h>

// A processor as `text` (NULL: the default model) says; machine_config.cpu_new. NULL with a
// message.
struct cpu *cpu_option_new(void *text, struct cpu_bus *bus, unsigned index, struct err *e);
// Whether that would work. `text` may be NULL.
bool cpu_option_check(const char *text, struct err *e);
void cpu_option_help(FILE *to);
