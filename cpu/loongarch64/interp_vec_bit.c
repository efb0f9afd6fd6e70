// SPDX-License-Identifier: Apache-2.0
// Vector operations on single bits: counts, masks of lanes, first negative lane, and tests of a
// whole register into a condition flag.
#include "cpu/loongarch64/interp_vec.h"

#define ONE(y) (1ULL << ((y) & (LANE_BITS - 1)))

VEC_N(VEC_XY, bitclr, x & ~ONE(y))
VEC_N(VEC_XY, bitset, x | ONE(y))
VEC_N(VEC_XY, bitrev, x ^ ONE(y))
VEC_N(VEC_XI, bitclri, x & ~ONE(y))
VEC_N(VEC_XI, bitseti, x | ONE(y))
VEC_N(VEC_XI, bitrevi, x ^ ONE(y))

static u64 leading_zeros(u64 v, unsigned bits)
{
    return v ? (u64)__builtin_clzll(v) - (64 - bits) : bits;
}

// Of a negative lane the sign's copies above it become zeros.
VEC_N(VEC_X, clz, leading_zeros(x, LANE_BITS))
VEC_S(VEC_X, clo, leading_zeros(~(u64)x &BITS(LANE_BITS - 1, 0), LANE_BITS))
VEC_N(VEC_X, pcnt, __builtin_popcountll(x))

// One bit per lane for which the condition holds.
#define MASK(name, field, condition)                         \
    VEC(name)                                                \
    {                                                        \
        u64 mask = 0;                                        \
        for (unsigned n = 0; n < ARRAY_LEN(j->field); n++) { \
            const s64 x = j->field[n];                       \
            mask |= (u64)(condition) << n;                   \
        }                                                    \
        d->q[0] = mask;                                      \
    }

MASK(mskltz_b, sb, x < 0)
MASK(mskltz_h, sh, x < 0)
MASK(mskltz_w, sw, x < 0)
MASK(mskltz_d, sd, x < 0)
MASK(mskgez_b, sb, x >= 0)
MASK(msknz_b, sb, x != 0)

// The number of the first negative lane, or of lanes if there is none.
static unsigned first_negative_b(const union vhalf *j)
{
    unsigned n = 0;
    while (n < 16 && j->sb[n] >= 0)
        n++;
    return n;
}

static unsigned first_negative_h(const union vhalf *j)
{
    unsigned n = 0;
    while (n < 8 && j->sh[n] >= 0)
        n++;
    return n;
}

// It goes to the lane that lane 0 of vk or the immediate says.
VEC(frstp_b)
{
    d->b[k->b[0] & 15] = (u8)first_negative_b(j);
}

VEC(frstp_h)
{
    d->h[k->h[0] & 7] = (u16)first_negative_h(j);
}

VEC(frstpi_b)
{
    d->b[i->imm & 15] = (u8)first_negative_b(j);
}

VEC(frstpi_h)
{
    d->h[i->imm & 7] = (u16)first_negative_h(j);
}

static bool is_zero(const struct la_cpu *c, unsigned reg, unsigned n_words)
{
    u64 any = 0;
    for (unsigned n = 0; n < n_words; n++)
        any |= c->vr[reg].d[n];
    return any == 0;
}

// All of the register, or its lanes, against zero.
#define TEST_REGISTER(prefix, need, n_words)           \
    INSN(prefix##seteqz_v)                             \
    {                                                  \
        need(c);                                       \
        c->fcc[i->rd] = is_zero(c, i->rj, (n_words));  \
    }                                                  \
    INSN(prefix##setnez_v)                             \
    {                                                  \
        need(c);                                       \
        c->fcc[i->rd] = !is_zero(c, i->rj, (n_words)); \
    }
#define TEST_LANES(prefix, need, n_words, suffix, field)                   \
    static bool prefix##has_zero_##suffix(const union la_vreg *v)          \
    {                                                                      \
        for (unsigned n = 0; n < 8 * (n_words) / sizeof(v->field[0]); n++) \
            if (v->field[n] == 0)                                          \
                return true;                                               \
        return false;                                                      \
    }                                                                      \
    INSN(prefix##setanyeqz_##suffix)                                       \
    {                                                                      \
        need(c);                                                           \
        c->fcc[i->rd] = prefix##has_zero_##suffix(&c->vr[i->rj]);          \
    }                                                                      \
    INSN(prefix##setallnez_##suffix)                                       \
    {                                                                      \
        need(c);                                                           \
        c->fcc[i->rd] = !prefix##has_zero_##suffix(&c->vr[i->rj]);         \
    }

TEST_REGISTER(v, la_need_lsx, 2)
TEST_REGISTER(xv, la_need_lasx, 4)
TEST_LANES(v, la_need_lsx, 2, b, b)
TEST_LANES(v, la_need_lsx, 2, h, h)
TEST_LANES(v, la_need_lsx, 2, w, w)
TEST_LANES(v, la_need_lsx, 2, d, d)
TEST_LANES(xv, la_need_lasx, 4, b, b)
TEST_LANES(xv, la_need_lasx, 4, h, h)
TEST_LANES(xv, la_need_lasx, 4, w, w)
TEST_LANES(xv, la_need_lasx, 4, d, d)
