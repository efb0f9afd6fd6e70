// SPDX-License-Identifier: Apache-2.0
// Which NaN comes out. The only file, with pack.c's tininess, that reads `struct fp_rules`.
#include "fp/parts.h"

const struct fp_rules fp_rules_loongarch = {
    .default_nan_negative = false,
    .signalling_first = true,
    .tiny_before_rounding = false,
    .inf_zero_nan_default = false,
    .inf_zero_qnan_invalid = true,
    .fma_nan_order = {2, 0, 1},
};

static u64 default_nan(const struct fp_format *f, const struct fp_env *env)
{
    bool sign = env->rules->default_nan_negative;
    return fp_inf(f, sign) | 1ULL << (f->frac_bits - 1);
}

static u64 quieted(const struct fp_format *f, const struct fp_parts *nan)
{
    u64 frac = (nan->sig | FP_QUIET_BIT) >> (63 - f->frac_bits);
    return fp_inf(f, nan->sign) | frac;
}

u64 fp_invalid(const struct fp_format *f, struct fp_env *env)
{
    env->flags |= FP_INVALID;
    return default_nan(f, env);
}

u64 fp_nan1(const struct fp_format *f, struct fp_parts a, struct fp_env *env)
{
    if (fp_is_snan(&a))
        env->flags |= FP_INVALID;
    return quieted(f, &a);
}

// `order[i]` indexes `operands`.
static u64 pick_nan(const struct fp_format *f, const struct fp_parts *operands, const u8 *order,
                    unsigned n, struct fp_env *env)
{
    const struct fp_parts *first = NULL, *first_signalling = NULL;
    for (unsigned i = n; i--;) {
        const struct fp_parts *p = &operands[order[i]];
        if (p->kind == FP_NAN)
            first = p;
        if (fp_is_snan(p))
            first_signalling = p;
    }
    if (first_signalling) {
        env->flags |= FP_INVALID;
        if (env->rules->signalling_first)
            first = first_signalling;
    }
    return quieted(f, first);
}

u64 fp_nan2(const struct fp_format *f, struct fp_parts a, struct fp_parts b, struct fp_env *env)
{
    const struct fp_parts operands[2] = {a, b};
    static const u8 order[2] = {0, 1};
    return pick_nan(f, operands, order, 2, env);
}

u64 fp_nan_fma(const struct fp_format *f, const struct fp_parts abc[3], struct fp_env *env)
{
    unsigned a = abc[0].kind, b = abc[1].kind;
    if ((a == FP_INF && b == FP_ZERO) || (a == FP_ZERO && b == FP_INF)) {
        if (fp_is_snan(&abc[2]) || env->rules->inf_zero_qnan_invalid)
            env->flags |= FP_INVALID;
        if (env->rules->inf_zero_nan_default)
            return default_nan(f, env);
    }
    return pick_nan(f, abc, env->rules->fma_nan_order, 3, env);
}
