// SPDX-License-Identifier: Apache-2.0
// Against MPFR: every rounding operation in every mode, with the exceptions derived from the
// definitions in IEEE 754 section 7 rather than from another implementation. Operands are finite;
// NaNs and infinities are the business of the other tests.
#include "fp/fp_check.h"

#ifdef HAVE_MPFR

#include <mpfr.h>

// A format as MPFR counts: significands are below one, so exponents are one higher than IEEE's.
struct limits {
    unsigned width, precision, frac_bits;
    mpfr_exp_t least_normal, greatest; // exponents
};

static const struct limits binary16 = {16, 11, 10, -13, 16};
static const struct limits binary32 = {32, 24, 23, -125, 128};
static const struct limits binary64 = {64, 53, 52, -1021, 1024};

// Integers: no fraction, and whether there is a sign.
struct integer {
    unsigned width;
    bool is_signed;
};

static const mpfr_rnd_t mpfr_mode[] = {
    [FP_RNE] = MPFR_RNDN, [FP_RZ] = MPFR_RNDZ, [FP_RP] = MPFR_RNDU, [FP_RM] = MPFR_RNDD};

struct subject {
    const char *name;
    fp_operation *ours;
    // Writes the rounded result; a, b, c are exact. Returns MPFR's ternary value.
    int (*exact)(mpfr_t r, mpfr_t a, mpfr_t b, mpfr_t c, mpfr_rnd_t mode);
    const struct limits *in, *out; // NULL: integers
    struct integer integer;
    u8 n_operands;
};

static bool is_finite(const struct limits *l, u64 bits)
{
    return (bits << (64 - l->width) << 1 >> 1 >> (64 - l->width + l->frac_bits)) !=
           (1ULL << (l->width - 1 - l->frac_bits)) - 1;
}

static void set_integer(mpfr_t x, struct integer type, u64 bits)
{
    if (!type.is_signed)
        mpfr_set_uj(x, bits, MPFR_RNDN);
    else
        mpfr_set_sj(x, (s64)(bits << (64 - type.width)) >> (64 - type.width), MPFR_RNDN);
}

static void set_bits(mpfr_t x, const struct limits *l, u64 bits)
{
    u64 frac = bits & ((1ULL << l->frac_bits) - 1);
    u64 field = bits >> l->frac_bits & ((1ULL << (l->width - 1 - l->frac_bits)) - 1);
    mpfr_set_uj_2exp(x, frac | (u64)(field != 0) << l->frac_bits,
                     l->least_normal - 1 - (int)l->frac_bits + (field ? (int)field - 1 : 0),
                     MPFR_RNDN);
    if (bits >> (l->width - 1))
        mpfr_neg(x, x, MPFR_RNDN);
}

// x has been rounded to the format.
static u64 get_bits(const struct limits *l, mpfr_t x)
{
    u64 sign = (u64)(mpfr_signbit(x) != 0) << (l->width - 1);
    if (mpfr_inf_p(x))
        return sign | ((1ULL << (l->width - 1 - l->frac_bits)) - 1) << l->frac_bits;
    if (mpfr_zero_p(x))
        return sign;
    bool is_subnormal = mpfr_get_exp(x) < l->least_normal;
    mpfr_exp_t exp = is_subnormal ? l->least_normal : mpfr_get_exp(x);
    mpfr_t integer;
    mpfr_init2(integer, 64);
    mpfr_mul_2si(integer, x, (long)l->precision - exp, MPFR_RNDN);
    mpfr_abs(integer, integer, MPFR_RNDN);
    u64 sig = mpfr_get_uj(integer, MPFR_RNDN);
    mpfr_clear(integer);
    return sign | (((u64)(exp - l->least_normal) << l->frac_bits) + sig);
}

static u64 default_nan(const struct limits *l)
{
    return ((1ULL << (l->width - l->frac_bits)) - 1) << (l->frac_bits - 1);
}

struct registers {
    mpfr_t a, b, c, r;
};

struct run {
    const struct subject *subject;
    struct registers *m;
};

// Overflow and tininess are claims about the result rounded with an unbounded exponent.
static u8 range_flags(const struct limits *l, mpfr_t r)
{
    if (mpfr_zero_p(r))
        return 0;
    if (mpfr_get_exp(r) > l->greatest)
        return FP_OVERFLOW;
    return mpfr_get_exp(r) < l->least_normal ? FP_UNDERFLOW : 0;
}

// MPFR's exponents are bounded only after the operation: it takes no operands out of its range.
static struct fp_outcome wanted(const struct run *run, u8 round)
{
    const struct limits *l = run->subject->out;
    struct registers *m = run->m;
    mpfr_rnd_t mode = mpfr_mode[round];
    mpfr_exp_t emin = mpfr_get_emin(), emax = mpfr_get_emax();
    mpfr_set_prec(m->r, l->precision);
    mpfr_clear_flags();
    int ternary = run->subject->exact(m->r, m->a, m->b, m->c, mode);
    if (mpfr_nan_p(m->r))
        return (struct fp_outcome){default_nan(l), FP_INVALID};
    if (mpfr_divby0_p())
        return (struct fp_outcome){get_bits(l, m->r), FP_DIVZERO};
    u8 flags = range_flags(l, m->r);
    mpfr_set_emin(l->least_normal - (int)l->precision + 1);
    mpfr_set_emax(l->greatest);
    ternary = mpfr_check_range(m->r, ternary, mode);
    ternary = mpfr_subnormalize(m->r, ternary, mode);
    mpfr_set_emin(emin);
    mpfr_set_emax(emax);
    return (struct fp_outcome){get_bits(l, m->r), ternary ? flags | FP_INEXACT : 0};
}

static struct fp_outcome wanted_integer(const struct run *run, u8 round)
{
    struct integer type = run->subject->integer;
    struct registers *m = run->m;
    u64 mask = ~0ULL >> (64 - type.width), top = 1ULL << (type.width - 1);
    mpfr_set_prec(m->r, 64);
    int ternary = run->subject->exact(m->r, m->a, m->b, m->c, mpfr_mode[round]);
    set_integer(m->c, type, type.is_signed ? top - 1 : mask);
    if (mpfr_cmp(m->r, m->c) > 0)
        return (struct fp_outcome){type.is_signed ? top - 1 : mask, FP_INVALID};
    set_integer(m->c, type, type.is_signed ? top : 0);
    if (mpfr_cmp(m->r, m->c) < 0)
        return (struct fp_outcome){type.is_signed ? top : 0, FP_INVALID};
    u64 bits =
        mpfr_sgn(m->r) < 0 ? (u64)mpfr_get_sj(m->r, MPFR_RNDN) : (u64)mpfr_get_uj(m->r, MPFR_RNDN);
    return (struct fp_outcome){bits & mask, ternary ? FP_INEXACT : 0};
}

static void compare_one(const struct fp_case *x, const void *context)
{
    const struct run *run = context;
    const struct subject *s = run->subject;
    struct registers *m = run->m;
    if (!s->in) {
        set_integer(m->a, s->integer, x->a);
    } else if (is_finite(s->in, x->a) && is_finite(s->in, x->b) && is_finite(s->in, x->c)) {
        set_bits(m->a, s->in, x->a);
        set_bits(m->b, s->in, x->b);
        set_bits(m->c, s->in, x->c);
    } else {
        return;
    }
    fp_expect(x, fp_perform(s->ours, &fp_rules_loongarch, x),
              s->out ? wanted(run, x->round) : wanted_integer(run, x->round));
}

static void compare_all(struct subject s)
{
    enum { N_RANDOM = 40000 };
    struct registers m;
    struct run run = {&s, &m};
    unsigned width = s.in ? s.in->width : s.integer.width;
    mpfr_inits2(64, m.a, m.b, m.c, m.r, (mpfr_ptr)NULL);
    struct fp_case x = {.name = s.name};
    fp_for_pool(x, width, s.n_operands < 2 ? s.n_operands : 2, compare_one, &run);
    fp_for_random(x, width, N_RANDOM, compare_one, &run);
    mpfr_clears(m.a, m.b, m.c, m.r, (mpfr_ptr)NULL);
    mpfr_free_cache();
}

static int root_then_reciprocal(mpfr_t r, mpfr_t a, mpfr_rnd_t mode)
{
    int root = mpfr_sqrt(r, a, mode);
    int reciprocal = mpfr_ui_div(r, 1, r, mode);
    return reciprocal ? reciprocal : root;
}

static int exponent(mpfr_t r, mpfr_t a, mpfr_rnd_t mode)
{
    if (mpfr_zero_p(a))
        return mpfr_log2(r, a, mode);
    mpfr_set_nan(r);
    return mpfr_sgn(a) < 0 ? 0 : mpfr_set_si(r, mpfr_get_exp(a) - 1, mode);
}

#define ADAPTERS(id, call, expression)                                             \
    static int exact_##id(mpfr_t r, mpfr_t a, mpfr_t b, mpfr_t c, mpfr_rnd_t mode) \
    {                                                                              \
        return call;                                                               \
    }                                                                              \
    static u64 ours_##id(u64 a, u64 b, u64 c, struct fp_env *env)                  \
    {                                                                              \
        return expression;                                                         \
    }
#define SUBJECT(id, in, out, n_operands, call, expression)                                     \
    ADAPTERS(id, call, expression)                                                             \
    TEST(mpfr_##id)                                                                            \
    {                                                                                          \
        compare_all((struct subject){#id, ours_##id, exact_##id, &in, &out, {0}, n_operands}); \
    }
#define TO_INTEGER(id, in, width, is_signed, expression)                               \
    ADAPTERS(id, mpfr_rint(r, a, mode), expression)                                    \
    TEST(mpfr_##id)                                                                    \
    {                                                                                  \
        struct integer type = {width, is_signed};                                      \
        compare_all((struct subject){#id, ours_##id, exact_##id, &in, NULL, type, 1}); \
    }
#define FROM_INTEGER(id, width, is_signed, out, expression)                             \
    ADAPTERS(id, mpfr_set(r, a, mode), expression)                                      \
    TEST(mpfr_##id)                                                                     \
    {                                                                                   \
        struct integer type = {width, is_signed};                                       \
        compare_all((struct subject){#id, ours_##id, exact_##id, NULL, &out, type, 1}); \
    }
#include "fp/fp_mpfr_test.def"

#else

TEST(mpfr)
{
    SKIP("built without libmpfr");
}

#endif
