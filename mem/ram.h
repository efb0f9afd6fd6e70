// SPDX-License-Identifier: Apache-2.0
// Between mem/ram.c and mem/space.c only.
#pragma once

#include "mem/space.h"

void mem_free_ram(struct mem_space *m);

// Host address of [gpa, gpa + size) if one RAM block holds all of it, else NULL.
u8 *mem_ram_host(struct mem_space *m, gpa_t gpa, u64 size);
