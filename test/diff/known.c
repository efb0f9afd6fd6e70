// SPDX-License-Identifier: Apache-2.0
#include "test/diff/known.h"

#include "isa/loongarch64.h"

static const struct {
    u16 op;
    const char *reason;
} left_out[] = {
    {LA_FLDLE_S, "the emulator takes rj + rk for the address (the manual: rj)"},
    {LA_FLDLE_D, "the emulator takes rj + rk for the address (the manual: rj)"},
    {LA_FSTLE_S, "the emulator takes rj + rk for the address (the manual: rj)"},
    {LA_FSTLE_D, "the emulator takes rj + rk for the address (the manual: rj)"},
    {LA_CPUCFG, "the words of the model"},
    {LA_RDTIMEL_W, "the time of day"},
    {LA_RDTIMEH_W, "the time of day"},
    {LA_RDTIME_D, "the time of day"},
    {LA_SYSCALL, "a system call"},
    {LA_BREAK, "a breakpoint"},
};

const char *known_left_out(unsigned op)
{
    switch (la_op_info[op].class) {
    case LA_CLASS_CSR:
    case LA_CLASS_IOCSR:
    case LA_CLASS_TLB:
    case LA_CLASS_SYS: return "privileged";
    case LA_CLASS_LBT: return "binary translation help has no semantics here";
    default: break;
    }
    for (unsigned n = 0; n < ARRAY_LEN(left_out); n++)
        if (left_out[n].op == op)
            return left_out[n].reason;
    return op == LA_INVALID ? "no instruction" : NULL;
}

const char *const known_differences[] = {
    "LSX: bits 255:128 of the destination are undefined; the emulator clears them or not",
    "checked accesses and assertions: the emulator compares unsigned (the manual: signed)",
    "checked accesses: the emulator does not ask for alignment (the manual: ALE)",
    "fldgt, fstgt: the emulator takes rj + rk for the address (the manual: rj); only rk = 0 is "
    "tested",
    "conditional stores: the emulator looks for alignment after it has found the link",
    "ld.d after ll.d: the emulator answers the other half of 16 bytes from what ll.d found",
    "movgr2fcsr: the emulator keeps reserved bits of FCSR0",
    "vector floating point with exceptions enabled: the emulator writes the lanes before the one "
    "that "
    "raises, and Cause has those lanes only",
    NULL,
};
