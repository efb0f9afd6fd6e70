// SPDX-License-Identifier: Apache-2.0
// Moves between vector lanes and general registers, replication, and immediates.
#include "cpu/loongarch64/interp_vec.h"

// Into and out of lane imm2.
#define INSERT(name, need, field)                                                   \
    INSN(name)                                                                      \
    {                                                                               \
        need(c);                                                                    \
        c->vr[i->rd].field[i->imm2] = (__typeof__(c->vr[0].field[0]))c->gpr[i->rj]; \
    }
#define PICK(name, need, field)                              \
    INSN(name)                                               \
    {                                                        \
        need(c);                                             \
        set_gpr(c, i->rd, (u64)c->vr[i->rj].field[i->imm2]); \
    }

INSERT(vinsgr2vr_b, la_need_lsx, b)
INSERT(vinsgr2vr_h, la_need_lsx, h)
INSERT(vinsgr2vr_w, la_need_lsx, w)
INSERT(vinsgr2vr_d, la_need_lsx, d)
INSERT(xvinsgr2vr_w, la_need_lasx, w)
INSERT(xvinsgr2vr_d, la_need_lasx, d)
PICK(vpickve2gr_b, la_need_lsx, sb)
PICK(vpickve2gr_h, la_need_lsx, sh)
PICK(vpickve2gr_w, la_need_lsx, sw)
PICK(vpickve2gr_d, la_need_lsx, sd)
PICK(vpickve2gr_bu, la_need_lsx, b)
PICK(vpickve2gr_hu, la_need_lsx, h)
PICK(vpickve2gr_wu, la_need_lsx, w)
PICK(vpickve2gr_du, la_need_lsx, d)
PICK(xvpickve2gr_w, la_need_lasx, sw)
PICK(xvpickve2gr_d, la_need_lasx, sd)
PICK(xvpickve2gr_wu, la_need_lasx, w)
PICK(xvpickve2gr_du, la_need_lasx, d)

// One value in all lanes of the first n_bytes of vd.
#define FILL(field, n_bytes, value)                                                     \
    do {                                                                                \
        const __typeof__(c->vr[0].field[0]) v = (__typeof__(c->vr[0].field[0]))(value); \
        for (unsigned n = 0; n < (n_bytes) / sizeof(v); n++)                            \
            c->vr[i->rd].field[n] = v;                                                  \
    } while (0)

#define REPLICATE_GPR(prefix, need, n_bytes, suffix, field) \
    INSN(prefix##replgr2vr_##suffix)                        \
    {                                                       \
        need(c);                                            \
        FILL(field, n_bytes, c->gpr[i->rj]);                \
    }
// The lane of each half that rk says.
#define REPLICATE_INDEXED(prefix, need, n_halves, suffix, field)                 \
    INSN(prefix##replve_##suffix)                                                \
    {                                                                            \
        need(c);                                                                 \
        for (unsigned h = 0; h < (n_halves); h++) {                              \
            const union vhalf v = *vhalf_of(c, i->rj, h);                        \
            union vhalf *d = vhalf_of(c, i->rd, h);                              \
            for (unsigned n = 0; n < ARRAY_LEN(v.field); n++)                    \
                d->field[n] = v.field[c->gpr[i->rk] & (ARRAY_LEN(v.field) - 1)]; \
        }                                                                        \
    }
// The lane of each half that imm2 says; LASX has another name for it.
#define REPLICATE_LANE(name, need, n_halves, field)           \
    INSN(name)                                                \
    {                                                         \
        need(c);                                              \
        for (unsigned h = 0; h < (n_halves); h++) {           \
            const union vhalf v = *vhalf_of(c, i->rj, h);     \
            union vhalf *d = vhalf_of(c, i->rd, h);           \
            for (unsigned n = 0; n < ARRAY_LEN(v.field); n++) \
                d->field[n] = v.field[i->imm2];               \
        }                                                     \
    }
// Lane 0 of the whole register.
#define REPLICATE_FIRST(suffix, field)          \
    INSN(xvreplve0_##suffix)                    \
    {                                           \
        la_need_lasx(c);                        \
        FILL(field, 32, c->vr[i->rj].field[0]); \
    }
#define REPLICATE(suffix, field)                                  \
    REPLICATE_GPR(v, la_need_lsx, 16, suffix, field)              \
    REPLICATE_GPR(xv, la_need_lasx, 32, suffix, field)            \
    REPLICATE_INDEXED(v, la_need_lsx, 1, suffix, field)           \
    REPLICATE_INDEXED(xv, la_need_lasx, 2, suffix, field)         \
    REPLICATE_LANE(vreplvei_##suffix, la_need_lsx, 1, field)      \
    REPLICATE_LANE(xvrepl128vei_##suffix, la_need_lasx, 2, field) \
    REPLICATE_FIRST(suffix, field)

REPLICATE(b, b)
REPLICATE(h, h)
REPLICATE(w, w)
REPLICATE(d, d)
REPLICATE_FIRST(q, q)

// Lane 0 of xj into lane imm2; lane imm2 into lane 0 of a register that is otherwise zero.
#define INSERT_FIRST(name, field)                            \
    INSN(name)                                               \
    {                                                        \
        la_need_lasx(c);                                     \
        c->vr[i->rd].field[i->imm2] = c->vr[i->rj].field[0]; \
    }
#define PICK_FIRST(name, field)                   \
    INSN(name)                                    \
    {                                             \
        la_need_lasx(c);                          \
        union la_vreg r = {.q = {0, 0}};          \
        r.field[0] = c->vr[i->rj].field[i->imm2]; \
        c->vr[i->rd] = r;                         \
    }

INSERT_FIRST(xvinsve0_w, w)
INSERT_FIRST(xvinsve0_d, d)
PICK_FIRST(xvpickve_w, w)
PICK_FIRST(xvpickve_d, d)

// vldi: a signed 10-bit number in lanes of a width, or an 8-bit one in a pattern
// ----------------------

static u64 repeat(u64 value, unsigned bits)
{
    for (; bits < 64; bits *= 2)
        value |= value << bits;
    return value;
}

// Each bit becomes a byte of zeros or ones.
static u64 bits_to_bytes(u64 value)
{
    u64 r = 0;
    for (unsigned n = 0; n < 8; n++)
        r |= (value >> n & 1) * (0xffULL << 8 * n);
    return r;
}

// Sign, exponent of which all but two bits are the complement of its top one, six bits of which
// four are fraction: the small numbers that fit in 8 bits.
static u64 small_float32(u64 value)
{
    u64 b6 = value >> 6 & 1;
    return (value >> 7) << 31 | (b6 ? 0x1fULL : 0x20ULL) << 25 | (value & 0x3f) << 19;
}

static u64 small_float64(u64 value)
{
    u64 b6 = value >> 6 & 1;
    return (value >> 7) << 63 | (b6 ? 0xffULL : 0x100ULL) << 54 | (value & 0x3f) << 48;
}

// False if the pattern is none.
static bool vldi_pattern(unsigned pattern, u64 value, u64 *r)
{
    switch (pattern) {
    case 0:
    case 1:
    case 2:
    case 3: *r = repeat(value << 8 * pattern, 32); return true;
    case 4:
    case 5: *r = repeat(value << 8 * (pattern - 4), 16); return true;
    case 6: *r = repeat(value << 8 | 0xff, 32); return true;
    case 7: *r = repeat(value << 16 | 0xffff, 32); return true;
    case 8: *r = repeat(value, 8); return true;
    case 9: *r = bits_to_bytes(value); return true;
    case 10: *r = repeat(small_float32(value), 32); return true;
    case 11: *r = small_float32(value); return true;
    case 12: *r = small_float64(value); return true;
    default: return false;
    }
}

bool la_vldi_value(s32 imm, u64 *value)
{
    if (imm & 0x1000)
        return vldi_pattern((unsigned)imm >> 8 & 15, (u64)imm & 0xff, value);
    unsigned bits = 8u << ((unsigned)imm >> 10 & 3);
    *value = repeat((u64)sign_extend((u64)imm, 10) & BITS(bits - 1, 0), bits);
    return true;
}

// Patterns that do not exist are undefined instructions.
static u64 vldi_value(struct la_cpu *c, const struct la_insn *i)
{
    u64 value;
    if (!la_vldi_value(i->imm, &value))
        la_raise(c, EXC_INE);
    return value;
}

INSN(vldi)
{
    la_need_lsx(c);
    FILL(d, 16, vldi_value(c, i));
}

INSN(xvldi)
{
    la_need_lasx(c);
    FILL(d, 32, vldi_value(c, i));
}
