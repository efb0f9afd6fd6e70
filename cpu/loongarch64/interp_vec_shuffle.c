// SPDX-License-Identifier: Apache-2.0
// Vector permutations: lanes of two registers interleaved, packed, picked and shuffled.
#include "cpu/loongarch64/interp_vec.h"

// Result lanes 2n from vk and 2n + 1 from vj, at `from` of n; N is the number of lanes.
#define INTERLEAVE(name, field, from)             \
    VEC(name)                                     \
    {                                             \
        enum { N = ARRAY_LEN(d->field) };         \
        for (unsigned n = 0; n < N / 2; n++) {    \
            d->field[2 * n] = k->field[from];     \
            d->field[2 * n + 1] = j->field[from]; \
        }                                         \
    }
// The lower half of the result from vk, the upper from vj.
#define CONCATENATE(name, field, from)            \
    VEC(name)                                     \
    {                                             \
        enum { N = ARRAY_LEN(d->field) };         \
        for (unsigned n = 0; n < N / 2; n++) {    \
            d->field[n] = k->field[from];         \
            d->field[n + N / 2] = j->field[from]; \
        }                                         \
    }
// clang-format off
#define WIDTHS(form, name, from) \
    form(name##_b, b, from)      \
    form(name##_h, h, from)      \
    form(name##_w, w, from)      \
    form(name##_d, d, from)
// clang-format on

WIDTHS(INTERLEAVE, packev, 2 * n)
WIDTHS(INTERLEAVE, packod, 2 * n + 1)
WIDTHS(INTERLEAVE, ilvl, n)
WIDTHS(INTERLEAVE, ilvh, n + N / 2)
WIDTHS(CONCATENATE, pickev, 2 * n)
WIDTHS(CONCATENATE, pickod, 2 * n + 1)

// Lanes of vk and, behind them, of vj, chosen by indices. What is above an index's bits is
// undefined: ignored here, as in QEMU and the LA664; an LA464 writes 0 if the index is 64 or more.
VEC(shuf_b)
{
    for (unsigned n = 0; n < 16; n++) {
        unsigned from = a->b[n] & 31;
        d->b[n] = from < 16 ? k->b[from] : j->b[from - 16];
    }
}

// Here the indices are the old vd.
#define SHUFFLE(name, field)                                              \
    VEC(name)                                                             \
    {                                                                     \
        enum { N = ARRAY_LEN(d->field) };                                 \
        for (unsigned n = 0; n < N; n++) {                                \
            unsigned from = (unsigned)d->field[n] & (2 * N - 1);          \
            d->field[n] = from < N ? k->field[from] : j->field[from - N]; \
        }                                                                 \
    }

SHUFFLE(shuf_h, h)
SHUFFLE(shuf_w, w)
SHUFFLE(shuf_d, d)

// Field n of two bits of the immediate.
static unsigned pick2(const struct la_insn *i, unsigned n)
{
    return (unsigned)i->imm >> (2 * n) & 3;
}

#define SHUFFLE_4(name, field)                                   \
    VEC(name)                                                    \
    {                                                            \
        for (unsigned n = 0; n < ARRAY_LEN(d->field); n++)       \
            d->field[n] = j->field[(n & ~3u) + pick2(i, n & 3)]; \
    }

SHUFFLE_4(shuf4i_b, b)
SHUFFLE_4(shuf4i_h, h)
SHUFFLE_4(shuf4i_w, w)

// Indices 0 and 1 are in the old vd, 2 and 3 in vj.
VEC(shuf4i_d)
{
    const union vhalf old = *d;
    for (unsigned n = 0; n < 2; n++)
        d->d[n] = pick2(i, n) & 2 ? j->d[pick2(i, n) & 1] : old.d[pick2(i, n) & 1];
}

// Two words of vj, then two of the old vd.
VEC(permi_w)
{
    const union vhalf old = *d;
    d->w[0] = j->w[pick2(i, 0)];
    d->w[1] = j->w[pick2(i, 1)];
    d->w[2] = old.w[pick2(i, 2)];
    d->w[3] = old.w[pick2(i, 3)];
}

// One lane of vj, low bits of the immediate, into one of vd, high bits.
#define EXTRACT_INSERT(name, field)                             \
    VEC(name)                                                   \
    {                                                           \
        enum { LAST = ARRAY_LEN(d->field) - 1 };                \
        d->field[i->imm >> 4 & LAST] = j->field[i->imm & LAST]; \
    }

EXTRACT_INSERT(extrins_b, b)
EXTRACT_INSERT(extrins_h, h)
EXTRACT_INSERT(extrins_w, w)
EXTRACT_INSERT(extrins_d, d)

// Whole halves shifted by bytes.
VEC(bsll_v)
{
    d->q[0] = j->q[0] << (8 * (i->imm & 15));
}

VEC(bsrl_v)
{
    d->q[0] = j->q[0] >> (8 * (i->imm & 15));
}

// LASX only, across halves ------------------------------------------------------------------------

INSN(xvperm_w)
{
    la_need_lasx(c);
    const union la_vreg j = c->vr[i->rj], k = c->vr[i->rk];
    for (unsigned n = 0; n < 8; n++)
        c->vr[i->rd].w[n] = j.w[k.w[n] & 7];
}

INSN(xvpermi_d)
{
    la_need_lasx(c);
    const union la_vreg j = c->vr[i->rj];
    for (unsigned n = 0; n < 4; n++)
        c->vr[i->rd].d[n] = j.d[pick2(i, n)];
}

// Index 0 and 1 are the halves of xj, 2 and 3 those of the old xd. Other bits of the immediate are
// ignored; on an LA464, bits 2 and 7 clear their half.
INSN(xvpermi_q)
{
    la_need_lasx(c);
    const union la_vreg j = c->vr[i->rj], old = c->vr[i->rd];
    const u128 from[4] = {j.q[0], j.q[1], old.q[0], old.q[1]};
    c->vr[i->rd].q[0] = from[i->imm & 3];
    c->vr[i->rd].q[1] = from[i->imm >> 4 & 3];
}
