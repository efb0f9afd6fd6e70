// SPDX-License-Identifier: Apache-2.0
// Vector integer arithmetic that stays within lanes: sums, differences, averages, bounds, products,
// quotients, comparisons, logic.
#include "cpu/loongarch64/interp_vec.h"

VEC_N(VEC_XY, add, x + y)
VEC_N(VEC_XY, sub, x - y)
VEC_XY(add_q, u128, q, x + y)
VEC_XY(sub_q, u128, q, x - y)
VEC_U(VEC_XI, addi, x + y)
VEC_U(VEC_XI, subi, x - y)
VEC_N(VEC_X, neg, 0 - x)

VEC_S(VEC_XY, sadd, clamp_s((s128)x + y, LANE_BITS))
VEC_S(VEC_XY, ssub, clamp_s((s128)x - y, LANE_BITS))
VEC_U(VEC_XY, sadd, clamp_u((u128)x + y, LANE_BITS))
VEC_U(VEC_XY, ssub, x > y ? x - y : 0)

// To imm + 1 bits.
VEC_S(VEC_XI, sat, clamp_s(x, (unsigned)y + 1))
VEC_U(VEC_XI, sat, clamp_u(x, (unsigned)y + 1))

static u64 magnitude(s64 v)
{
    return v < 0 ? 0 - (u64)v : (u64)v;
}

VEC_S(VEC_XY, adda, magnitude(x) + magnitude(y))
VEC_S(VEC_XY, absd, x > y ? (u64)x - (u64)y : (u64)y - (u64)x)
VEC_U(VEC_XY, absd, x > y ? x - y : y - x)

// Without the carry that x + y would lose.
VEC_S(VEC_XY, avg, (x & y) + ((x ^ y) >> 1))
VEC_U(VEC_XY, avg, (x & y) + ((x ^ y) >> 1))
VEC_S(VEC_XY, avgr, (x | y) - ((x ^ y) >> 1))
VEC_U(VEC_XY, avgr, (x | y) - ((x ^ y) >> 1))

VEC_S(VEC_XY, max, x > y ? x : y)
VEC_U(VEC_XY, max, x > y ? x : y)
VEC_S(VEC_XY, min, x < y ? x : y)
VEC_U(VEC_XY, min, x < y ? x : y)
VEC_S(VEC_XI, maxi, x > y ? x : y)
VEC_U(VEC_XI, maxi, x > y ? x : y)
VEC_S(VEC_XI, mini, x < y ? x : y)
VEC_U(VEC_XI, mini, x < y ? x : y)

static u64 times_sign(s64 v, s64 sign)
{
    return sign < 0 ? 0 - (u64)v : sign > 0 ? (u64)v : 0;
}

// vk with the sign of vj multiplied in.
VEC_S(VEC_XY, signcov, times_sign(y, x))

VEC_N(VEC_XY, mul, (x * y))
VEC_S(VEC_XY, muh, ((s128)x * y) >> LANE_BITS)
VEC_U(VEC_XY, muh, ((u128)x * y) >> LANE_BITS)
VEC_N(VEC_XYZ, madd, z + x * y)
VEC_N(VEC_XYZ, msub, z - x * y)

// Division by zero gives 0, unlike the scalar instructions; the smallest number divided by -1 wraps
// to itself.
static s64 quotient(s64 a, s64 b)
{
    return b == 0 ? 0 : b == -1 ? (s64)(0 - (u64)a) : a / b;
}

static s64 remainder_s(s64 a, s64 b)
{
    return b == 0 || b == -1 ? 0 : a % b;
}

VEC_S(VEC_XY, div, quotient(x, y))
VEC_U(VEC_XY, div, y == 0 ? 0 : x / y)
VEC_S(VEC_XY, mod, remainder_s(x, y))
VEC_U(VEC_XY, mod, y == 0 ? 0 : x % y)

// A comparison that holds gives ones.
#define ONES_IF(condition) ((condition) ? ~0ULL : 0)

VEC_N(VEC_XY, seq, ONES_IF(x == y))
VEC_S(VEC_XY, sle, ONES_IF(x <= y))
VEC_U(VEC_XY, sle, ONES_IF(x <= y))
VEC_S(VEC_XY, slt, ONES_IF(x < y))
VEC_U(VEC_XY, slt, ONES_IF(x < y))
VEC_S(VEC_XI, seqi, ONES_IF(x == y))
VEC_S(VEC_XI, slei, ONES_IF(x <= y))
VEC_U(VEC_XI, slei, ONES_IF(x <= y))
VEC_S(VEC_XI, slti, ONES_IF(x < y))
VEC_U(VEC_XI, slti, ONES_IF(x < y))

VEC_XY(and_v, u128, q, (x & y))
VEC_XY(or_v, u128, q, x | y)
VEC_XY(xor_v, u128, q, x ^ y)
VEC_XY(nor_v, u128, q, ~(x | y))
VEC_XY(andn_v, u128, q, (~x & y))
VEC_XY(orn_v, u128, q, x | ~y)
VEC_XI(andi_b, u64, b, (x & y))
VEC_XI(ori_b, u64, b, x | y)
VEC_XI(xori_b, u64, b, x ^ y)
VEC_XI(nori_b, u64, b, ~(x | y))

// Where the selector has a one, the bit comes from vk or the immediate, else from vj.
VEC(bitsel_v)
{
    d->q[0] = (j->q[0] & ~a->q[0]) | (k->q[0] & a->q[0]);
}

VEC(bitseli_b)
{
    for (unsigned n = 0; n < 16; n++)
        d->b[n] = (u8)((j->b[n] & ~d->b[n]) | (i->imm & d->b[n]));
}
