// SPDX-License-Identifier: Apache-2.0
// Square root.
#include "fp/parts.h"

// floor(sqrt(n)) for 2^62 <= n. The tangent of the root at n = 2^63 is above it by at most 6.1 %
// (at both ends), and each Newton step, from above to above, squares that error and halves it:
// 2^-9, 2^-19, 2^-39. So the last x is the floor or one more; it may be 2^32, whose
// square wraps to 0, hence the comparison of x * x - 1.
static inline u32 root64(u64 n)
{
    u64 x = 1518500250 + n / 6074000999; // 2^30.5 + n / 2^32.5
    x = (x + n / x) >> 1;
    x = (x + n / x) >> 1;
    x = (x + n / x) >> 1;
    return (u32)(x - (x * x - 1 >= n));
}

// floor(sqrt(n * 2^64)) for 2^62 <= n < 2^64 - 1 (significands end in zeros). With r the root of n
// and n = r^2 + rest, the wanted root is r * 2^32 + q with q = rest * 2^32 / (2 r), less one where
// q^2 overshoots. rest <= 2 r, so shifting it by 31 stays within 64 bits; q may be 2^32.
static inline u64 root128(u64 n)
{
    u64 r = root64(n);
    u64 q = ((n - r * r) << 31) / r;
    u64 root = (r << 32) + q;
    return root - ((u128)root * root > (u128)n << 64);
}

FP_INLINE u64 square_root(const struct fp_format *f, u64 a_bits, struct fp_env *env)
{
    struct fp_parts a = fp_unpack(f, a_bits);
    if (a.kind == FP_NAN)
        return fp_nan1(f, a, env);
    if (a.kind == FP_ZERO)
        return a_bits;
    if (a.sign)
        return fp_invalid(f, env);
    if (a.kind == FP_INF)
        return a_bits;
    // For an even exponent the root of sig / 2, for an odd one that of sig: the root's leading one
    // is then the top bit of its 32 or 64.
    u64 n = a.exp & 1 ? a.sig : a.sig >> 1;
    a.exp >>= 1;
    if (f->frac_bits < 31) {
        u64 root = root64(n);
        a.sig = root << 32 | (root * root != n);
    } else {
        a.sig = root128(n);
        a.sig |= (u128)a.sig * a.sig != (u128)n << 64;
    }
    return fp_pack(f, a, env);
}

u32 fp32_sqrt(u32 a, struct fp_env *env)
{
    return (u32)square_root(&fp_binary32, a, env);
}

u64 fp64_sqrt(u64 a, struct fp_env *env)
{
    return square_root(&fp_binary64, a, env);
}
