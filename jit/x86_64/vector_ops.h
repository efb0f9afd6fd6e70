// SPDX-License-Identifier: Apache-2.0
// Vector instructions by name: VOP of jit/x86_64/emit.h.
#pragma once

#include "jit/x86_64/emit.h"

enum {
    // Moves. The 32-bit and 64-bit ones zero the rest of the register.
    VMOVDQU = VOP(VPP_F3, VMAP_0F, 0, 0x6f),
    VMOVDQU_STORE = VOP(VPP_F3, VMAP_0F, 0, 0x7f),
    VMOVD_LOAD = VOP(VPP_66, VMAP_0F, 0, 0x6e), // from a general register or memory
    VMOVQ_LOAD = VOP(VPP_66, VMAP_0F, 1, 0x6e),
    VMOVD_STORE = VOP(VPP_66, VMAP_0F, 0, 0x7e),
    VMOVQ_STORE = VOP(VPP_66, VMAP_0F, 1, 0x7e),
};
