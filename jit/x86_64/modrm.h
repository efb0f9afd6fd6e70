// SPDX-License-Identifier: Apache-2.0
// Between emit.c and emit_vector.c only: the ModRM byte with what follows it.
#pragma once

#include "jit/x86_64/emit.h"

void emit_modrm_r(struct emit *e, unsigned reg, unsigned rm);
// `short_disp`: an 8-bit displacement may be used. EVEX scales those, so it uses 32 bits.
// `behind`: bytes of the instruction that follow.
void emit_modrm_m(struct emit *e, unsigned reg, struct mem m, bool short_disp, unsigned behind);
