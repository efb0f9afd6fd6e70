// SPDX-License-Identifier: Apache-2.0
// Loads and stores of floating-point and vector registers.
#include "jit/x86_64/la_vec.h"

// `arg` is the width of the access in bits.
TEMPLATE(vload)
{
    vec_begin(t, i);
    struct mem m = trans_access(t);
    unsigned d = vec_dest(t, i->rd);
    v_rrm(t, vec_load_op(arg), arg, d, 0, m);
    vec_set(t, i->rd, arg, d);
}

TEMPLATE(vstore)
{
    vec_begin(t, i);
    struct mem m = trans_access(t);
    v_rrm(t, vec_store_op(arg), arg, vec_use(t, i->rd, arg, V0), 0, m);
}

// One element into all. `arg` is the VPBROADCAST of its width.
TEMPLATE(vldrepl)
{
    unsigned bits = vec_begin(t, i);
    struct mem m = trans_access(t);
    unsigned d = vec_dest(t, i->rd);
    v_rrm(t, arg, bits, d, 0, m);
    vec_set(t, i->rd, bits, d);
}

// Element imm2. `arg` is the VPEXTR of its width.
TEMPLATE(vstelm)
{
    unsigned bits = vec_begin(t, i), n_lanes = 16u / la_op_info[i->op].store_size;
    struct mem m = trans_access(t);
    unsigned s = vec_use(t, i->rd, bits, V0);
    if (i->imm2 >= n_lanes) {
        v_rrri(t, VEXTRACTI128, 256, s, 0, V0, 1);
        s = V0;
    }
    emit_v_rrmi(&t->e, arg, 128, s, 0, m, i->imm2 & (n_lanes - 1));
}
