// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/types.h"
#include "dune/arch/loongarch64/regs.h"

#include <signal.h>

struct native {
    struct uregs regs;
    u8 selector;
    u64 mask;
    void *alt_stack;
    u64 alt_size;
};
