// SPDX-License-Identifier: Apache-2.0
// All of binary16: every value to binary32 and back, and from binary32 every place where the result
// or an exception changes.
#include "base/test.h"
#include "fp/fp.h"

#include <math.h>

static float float_of(u32 bits)
{
    float f;
    memcpy(&f, &bits, 4);
    return f;
}

static u32 bits_of(float f)
{
    u32 bits;
    memcpy(&bits, &f, 4);
    return bits;
}

// By the definition of the format.
static float half_value(u16 half)
{
    int exponent = half >> 10 & 31, fraction = half & 0x3ff;
    float magnitude =
        exponent ? ldexpf((float)(1024 + fraction), exponent - 25) : ldexpf((float)fraction, -24);
    return half >> 15 ? -magnitude : magnitude;
}

TEST(every_half_widens_and_comes_back)
{
    for (u32 half = 0; half < 0x10000; half++) {
        struct fp_env env = {&fp_rules_loongarch, half & 3, 0};
        u32 wide = fp16_to_fp32((u16)half, &env);
        u32 magnitude = half & 0x7fff;
        bool is_signalling = magnitude > 0x7c00 && magnitude < 0x7e00;
        if (magnitude < 0x7c00)
            CHECK_EQ(wide, bits_of(half_value((u16)half)));
        else
            CHECK_EQ(wide, (half & 0x8000) << 16 | 0x7f800000 | (half & 0x3ff) << 13 |
                               (u32)is_signalling << 22);
        CHECK_EQ(env.flags, is_signalling ? FP_INVALID : 0);
        env.flags = 0;
        CHECK_EQ(fp32_to_fp16(wide, &env), half | (u32)is_signalling << 9);
        CHECK_EQ(env.flags, 0);
    }
}

// Whether `exact`, between two neighbours of which `below` is even or odd, goes to the upper one.
static bool goes_up(double below, double exact, double above, bool below_is_odd, unsigned round)
{
    double middle = (below + above) / 2;
    switch (round) {
    case FP_RNE: return exact > middle || (exact == middle && below_is_odd);
    case FP_RP: return true;
    default: return false;
    }
}

// A positive number below 2^-14 that rounds to 11 bits (in halves of the last place of the greatest
// subnormal) without reaching 2^-14.
static bool is_tiny(double exact, unsigned round)
{
    double scaled = ldexp(exact, 25), whole = floor(scaled);
    if (exact >= ldexp(1, -14))
        return false;
    bool up = scaled > whole && goes_up(whole, scaled, whole + 1, fmod(whole, 2) != 0, round);
    return whole + up < 2048;
}

// `exact` lies strictly between the values of `half` and `half` + 1, both positive.
static void check_between(u16 half, u32 exact_bits, unsigned round)
{
    // As if the exponent had no end: what follows the greatest half is 2^16.
    double above = half == 0x7bff ? 65536 : (double)half_value(half + 1);
    double below = (double)half_value(half), exact = (double)float_of(exact_bits);
    for (unsigned negative = 0; negative < 2; negative++) {
        // For a negative number the directed modes change places.
        unsigned mirrored = negative && round >= FP_RP ? round ^ FP_RP ^ FP_RM : round;
        bool up = goes_up(below, exact, above, half & 1, mirrored);
        bool has_overflow = half == 0x7bff && up;
        u8 flags = FP_INEXACT;
        flags |= has_overflow ? FP_OVERFLOW : is_tiny(exact, mirrored) ? FP_UNDERFLOW : 0;
        struct fp_env env = {&fp_rules_loongarch, (u8)round, 0};
        CHECK_EQ(fp32_to_fp16(exact_bits | negative << 31, &env), (half + up) | negative << 15);
        CHECK_EQ(env.flags, flags);
    }
}

TEST(every_interval_narrows)
{
    for (u16 half = 0; half < 0x7c00; half++)
        for (unsigned round = 0; round < 4; round++) {
            u32 below = bits_of(half_value(half));
            u32 above = half == 0x7bff ? bits_of(65536) : bits_of(half_value(half + 1));
            u32 middle = bits_of((float_of(below) + float_of(above)) / 2);
            u32 quarter = bits_of((float_of(below) * 0.25f + float_of(above) * 0.75f));
            const u32 exact[] = {below + 1,   middle - 1, middle,      middle + 1,
                                 quarter - 1, quarter,    quarter + 1, above - 1};
            for (unsigned i = 0; i < ARRAY_LEN(exact); i++)
                check_between(half, exact[i], round);
        }
}

TEST(beyond_the_range)
{
    for (unsigned round = 0; round < 4; round++)
        for (u32 bits = 0x47800000; bits < 0x7f800000; bits += 0x1fff) {
            struct fp_env env = {&fp_rules_loongarch, (u8)round, 0};
            CHECK_EQ(fp32_to_fp16(bits, &env), round == FP_RNE || round == FP_RP ? 0x7c00 : 0x7bff);
            CHECK_EQ(fp32_to_fp16(bits | 1u << 31, &env),
                     round == FP_RNE || round == FP_RM ? 0xfc00 : 0xfbff);
            CHECK_EQ(env.flags, FP_OVERFLOW | FP_INEXACT);
        }
}

TEST(every_payload_narrows)
{
    for (u32 frac = 1; frac < 0x800000; frac += frac < 0x2000 ? 1 : 0x7ff) {
        struct fp_env env = {&fp_rules_loongarch, FP_RNE, 0};
        CHECK_EQ(fp32_to_fp16(0xff800000 | frac, &env), 0xfe00 | frac >> 13);
        CHECK_EQ(env.flags, frac & 0x400000 ? 0 : FP_INVALID);
    }
}
