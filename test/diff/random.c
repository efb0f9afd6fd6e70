// SPDX-License-Identifier: Apache-2.0
#include "test/diff/random.h"

#include "fp/fp_pool.h"

u64 diff_bits(struct diff_random *r)
{
    struct fp_random stream = {r->state};
    u64 v = fp_random_bits(&stream);
    r->state = stream.state;
    return v;
}

u64 diff_integer(struct diff_random *r, unsigned bits)
{
    u64 v = diff_bits(r), mask = BITS(bits - 1, 0), one = BIT((v >> 8) % bits);
    switch (v & 15) {
    case 0: return 0;
    case 1: return 1;
    case 2: return mask;
    case 3: return mask >> 1;
    case 4: return (mask >> 1) + 1;
    case 5: return one;
    case 6: return mask ^ one;
    case 7: return one - 1;
    case 8: return (v >> 16) % (2 * bits) & mask;
    case 9: return (0 - (v >> 16) % (2 * bits)) & mask;
    case 10: return 0x5555555555555555ULL << (v >> 8 & 1) & mask;
    default: return diff_bits(r) & mask;
    }
}

u64 diff_gpr(struct diff_random *r)
{
    unsigned width = 8u << diff_below(r, 4);
    u64 v = diff_integer(r, width);
    switch (diff_below(r, 4)) {
    case 0: return v;
    case 1: return v | (width < 64 ? diff_bits(r) << width : 0);
    default: return (u64)sign_extend(v, width);
    }
}

static u64 random_float(struct diff_random *r, unsigned bits)
{
    struct fp_random stream = {diff_bits(r)};
    bool special = diff_below(r, 3) == 0;
    u64 pick = diff_bits(r);
    switch (bits) {
    case 16: return special ? fp_pool16[pick % ARRAY_LEN(fp_pool16)] : (u16)pick;
    case 32: return special ? fp_pool32[pick % ARRAY_LEN(fp_pool32)] : fp_random32(&stream);
    default: return special ? fp_pool64[pick % ARRAY_LEN(fp_pool64)] : fp_random64(&stream);
    }
}

u64 diff_fpr(struct diff_random *r, unsigned level)
{
    unsigned kind = diff_below(r, 8);
    if (kind == 0)
        return diff_gpr(r);
    bool is_single = (level == LA_LEVEL_FPS) ^ (kind < 3);
    if (!is_single)
        return random_float(r, 64);
    return random_float(r, 32) | diff_bits(r) << 32;
}

// The width of an element and whether it is a float.
static unsigned elem_bits(unsigned elem, bool *is_float)
{
    *is_float = elem == LA_ELEM_F16 || elem == LA_ELEM_F32 || elem == LA_ELEM_F64;
    switch (elem) {
    case LA_ELEM_I8:
    case LA_ELEM_U8: return 8;
    case LA_ELEM_I16:
    case LA_ELEM_U16:
    case LA_ELEM_F16: return 16;
    case LA_ELEM_I32:
    case LA_ELEM_U32:
    case LA_ELEM_F32: return 32;
    default: return 64;
    }
}

union la_vreg diff_vector(struct diff_random *r, unsigned elem)
{
    static const u8 any[] = {LA_ELEM_I8,  LA_ELEM_I16, LA_ELEM_I32, LA_ELEM_I64,
                             LA_ELEM_F16, LA_ELEM_F32, LA_ELEM_F64};
    union la_vreg v;
    bool is_float;
    if (elem == LA_ELEM_NONE || diff_below(r, 16) == 0)
        elem = any[diff_below(r, ARRAY_LEN(any))];
    unsigned bits = elem_bits(elem, &is_float), n = 256 / bits;
    bool all_equal = diff_below(r, 16) == 0;
    u64 value = 0;
    for (unsigned i = 0; i < n; i++) {
        if (i == 0 || !all_equal)
            value = is_float ? random_float(r, bits) : diff_integer(r, bits);
        store_le(v.b + i * bits / 8, value, bits / 8);
    }
    return v;
}
