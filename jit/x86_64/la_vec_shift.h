// SPDX-License-Identifier: Apache-2.0
// Vector shifts, for the templates that shift and do more.
#pragma once

#include "jit/x86_64/la_vec.h"

enum vshift { VSHIFT_LEFT, VSHIFT_RIGHT, VSHIFT_ARITHMETIC };

// d = s shifted by n in lanes of 8 << z bits.
void vshift_imm(struct trans *t, enum vshift kind, unsigned z, unsigned bits, unsigned d,
                unsigned s, unsigned n);
// By amounts in lanes; only where the host can. Amounts that are too great leave nothing (of
// arithmetic shifts the sign).
bool vshift_has_variable(const struct trans *t, enum vshift kind, unsigned z);
void vshift_variable(struct trans *t, enum vshift kind, unsigned z, unsigned bits, unsigned d,
                     unsigned s, unsigned amounts);
// value += lowest bit of `lost`, which is scratch.
void vshift_round(struct trans *t, unsigned z, unsigned bits, unsigned value, unsigned lost);
