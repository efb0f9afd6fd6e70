// SPDX-License-Identifier: Apache-2.0
// The table of templates.
#include "jit/x86_64/la_trans.h"
#include "jit/x86_64/vector_ops.h"

const struct la_template la_templates[LA_N_OPS] = {
#define T(op, fn, arg, flags) [LA_##op] = {la_t_##fn, (unsigned)(arg), (flags)},
#include "jit/x86_64/la_templates.def"
#undef T
};
