// SPDX-License-Identifier: Apache-2.0
#include "cpu/loongarch64/interp.h"

const interp_fn interp_table[LA_N_OPS] = {
#define X(name, upper) [LA_##upper] = interp_##name,
    LA_OPS(X)
#undef X
};
