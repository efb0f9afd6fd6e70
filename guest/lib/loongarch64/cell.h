// SPDX-License-Identifier: Apache-2.0
// For payloads in a cell of the hypervisor that grants debugging: how often this processor left it.
#pragma once

#include "base/types.h"

enum cell_exit {
#define EXIT(name, text) CELL_EXIT_##name,
#include "include/longhouse/exits.def"
#undef EXIT
    N_CELL_EXITS
};

enum { CELL_CALL_NOTHING = 0, CELL_CALL_COUNT = 1 };

static inline u64 cell_call(u64 function, u64 argument)
{
    register u64 a0 __asm__("a0") = function;
    register u64 a1 __asm__("a1") = argument;
    __asm__ volatile(".word 0x002b804c" : "+r"(a0) : "r"(a1) : "memory"); // hvcl 0x4c
    return a0;
}

static inline u64 cell_count(enum cell_exit kind)
{
    return cell_call(CELL_CALL_COUNT, kind);
}
