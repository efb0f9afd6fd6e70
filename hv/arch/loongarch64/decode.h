// SPDX-License-Identifier: Apache-2.0
// Loads and stores by their word, for accesses that the hypervisor answers. The word is the one
// that the processor kept at the exit: guest memory is not read.
#pragma once

#include "hv/mmio.h"

struct load_store {
    u8 size, reg;
    bool is_write, is_signed;
    bool is_hint; // preld: nothing is to happen
};

// False: an instruction that the hypervisor does not do for a guest, such as atomics and vectors.
bool decode_load_store(u32 insn, struct load_store *ls);
