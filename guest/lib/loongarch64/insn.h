// SPDX-License-Identifier: Apache-2.0
// Instruction words for tests that write code. Registers by number: $ra 1, $a0 4, $t0 12.
#pragma once

#include "base/types.h"

#define INSN_NOP     0x03400000u // andi $zero, $zero, 0
#define INSN_RETURN  0x4c000020u // jirl $zero, $ra, 0
#define INSN_IBAR    0x38728000u // ibar 0
#define INSN_SYSCALL 0x002b0000u // | code
#define INSN_BREAK   0x002a0000u // | code

// ori rd, $zero, value; value is 12 bits.
static inline u32 insn_load(unsigned rd, unsigned value)
{
    return 0x03800000u | value << 10 | rd;
}

// addi.d rd, rj, value
static inline u32 insn_add(unsigned rd, unsigned rj, int value)
{
    return 0x02c00000u | ((u32)value & 0xfff) << 10 | rj << 5 | rd;
}

// b offset; offset in bytes.
static inline u32 insn_branch(s64 offset)
{
    u32 n = (u32)(offset >> 2);
    return 0x50000000u | (n & 0xffff) << 10 | (n >> 16 & 0x3ff);
}

// st.w rd, rj, 0 and ld.w rd, rj, 0
static inline u32 insn_store(unsigned rd, unsigned rj)
{
    return 0x29800000u | rj << 5 | rd;
}
static inline u32 insn_read(unsigned rd, unsigned rj)
{
    return 0x28800000u | rj << 5 | rd;
}

// Instructions written before are fetched after.
static inline void insn_barrier(void)
{
    __asm__ volatile("dbar 0; ibar 0" ::: "memory");
}
