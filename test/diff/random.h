// SPDX-License-Identifier: Apache-2.0
// The operands of the differential test: values at borders, and uniform ones.
#pragma once

#include "cpu/loongarch64/state.h"

// One stream; the same seed gives the same values on every host.
struct diff_random {
    u64 state;
};

u64 diff_bits(struct diff_random *r);

// A number in [0, n), n > 0.
static inline unsigned diff_below(struct diff_random *r, unsigned n)
{
    return (unsigned)((diff_bits(r) >> 32) % n);
}

// An integer of `bits`: 0, 1, -1, the bounds, a single one or zero, a small one, or any.
u64 diff_integer(struct diff_random *r, unsigned bits);
// A general register: of any width, extended either way.
u64 diff_gpr(struct diff_random *r);
// A vector of elements of the type (enum la_elem); LA_ELEM_NONE: of a type at random.
union la_vreg diff_vector(struct diff_random *r, unsigned elem);
// A floating-point register for an instruction of this level: mostly of its format.
u64 diff_fpr(struct diff_random *r, unsigned level);
