// SPDX-License-Identifier: Apache-2.0
// Vector loops for vectors of VECTOR_SIZE bytes; vector16.c and vector32.c include this. On the
// guest they are LSX and LASX, on the host what -march=native has. Operations that the compilers'
// vector types have are written with these, the others with the instruction of each machine.
//
// The multiplications that are added may be contracted to one rounding: `rounded` hides it.
#pragma once

#include "bench/micro/workload.h"

#include <string.h>

#ifndef VECTOR_SIZE
#define VECTOR_SIZE 16
#endif

#define NAMED3(a, size, b) a##size##_##b
#define NAMED2(a, size, b) NAMED3(a, size, b)
#define NAMED(b)           NAMED2(vector, VECTOR_SIZE, b)

#define VECTOR(type) type __attribute__((vector_size(VECTOR_SIZE)))
typedef VECTOR(u8) v_u8;
typedef VECTOR(int16_t) v_s16;
typedef VECTOR(s32) v_s32;
typedef VECTOR(float) v_f32;
typedef VECTOR(double) v_f64;
typedef VECTOR(s64) v_s64;

#if defined(__loongarch__) && VECTOR_SIZE == 16
#include <lsxintrin.h>
#define SATURATING_ADD(a, b) ((v_u8)__lsx_vsadd_bu((__m128i)(a), (__m128i)(b)))
#define AVERAGE(a, b)        ((v_u8)__lsx_vavgr_bu((__m128i)(a), (__m128i)(b)))
#define PAIR_DOT(a, b)                                                                      \
    ((v_s32)__lsx_vmaddwod_w_h(__lsx_vmulwev_w_h((__m128i)(a), (__m128i)(b)), (__m128i)(a), \
                               (__m128i)(b)))
#elif defined(__loongarch__)
#include <lasxintrin.h>
#define SATURATING_ADD(a, b) ((v_u8)__lasx_xvsadd_bu((__m256i)(a), (__m256i)(b)))
#define AVERAGE(a, b)        ((v_u8)__lasx_xvavgr_bu((__m256i)(a), (__m256i)(b)))
#define PAIR_DOT(a, b)                                                                          \
    ((v_s32)__lasx_xvmaddwod_w_h(__lasx_xvmulwev_w_h((__m256i)(a), (__m256i)(b)), (__m256i)(a), \
                                 (__m256i)(b)))
#elif VECTOR_SIZE == 16
#include <immintrin.h>
#define SATURATING_ADD(a, b) ((v_u8)_mm_adds_epu8((__m128i)(a), (__m128i)(b)))
#define AVERAGE(a, b)        ((v_u8)_mm_avg_epu8((__m128i)(a), (__m128i)(b)))
#define PAIR_DOT(a, b)       ((v_s32)_mm_madd_epi16((__m128i)(a), (__m128i)(b)))
#else
#include <immintrin.h>
#define SATURATING_ADD(a, b) ((v_u8)_mm256_adds_epu8((__m256i)(a), (__m256i)(b)))
#define AVERAGE(a, b)        ((v_u8)_mm256_avg_epu8((__m256i)(a), (__m256i)(b)))
#define PAIR_DOT(a, b)       ((v_s32)_mm256_madd_epi16((__m256i)(a), (__m256i)(b)))
#endif

enum { BYTES = 16 << 10, N_VECTORS = BYTES / VECTOR_SIZE };

struct arrays {
    v_u8 a[N_VECTORS], b[N_VECTORS], c[N_VECTORS];
};

void *NAMED(setup)(void);
u64 NAMED(multiply_run)(void *state);
u64 NAMED(pixels_run)(void *state);
u64 NAMED(select_run)(void *state);
u64 NAMED(shuffle_run)(void *state);
u64 NAMED(dot_run)(void *state);
u64 NAMED(float_run)(void *state);
u64 NAMED(double_run)(void *state);
u64 NAMED(fractal_run)(void *state);

void *NAMED(setup)(void)
{
    struct arrays *s = get_memory(sizeof(*s));
    u64 random = 53;
    for (u32 i = 0; i < sizeof(*s) / 8; i++) {
        u64 value = next_random(&random);
        memcpy((u8 *)s + 8 * i, &value, 8);
    }
    return s;
}

// The compiler must take the values from memory again, and put them there.
static inline void touch(void *p)
{
    __asm__ volatile("" : : "r"(p) : "memory");
}

// The sum does not depend on the size of vectors.
static u64 sum_bytes(const void *bytes)
{
    u64 sum = 0, value;
    for (u32 i = 0; i < BYTES; i += 8) {
        memcpy(&value, (const u8 *)bytes + i, 8);
        sum = mix_in(sum, value);
    }
    return sum;
}

u64 NAMED(multiply_run)(void *state)
{
    struct arrays *s = state;
    v_s32 *a = (v_s32 *)s->a, *b = (v_s32 *)s->b, *c = (v_s32 *)s->c;
    for (s32 round = 1; round <= 200; round++) {
        for (u32 i = 0; i < N_VECTORS; i++)
            c[i] = a[i] * b[i] + (b[i] << 3) - round;
        touch(s);
    }
    return sum_bytes(c);
}

u64 NAMED(pixels_run)(void *state)
{
    struct arrays *s = state;
    for (u32 round = 0; round < 200; round++) {
        for (u32 i = 0; i < N_VECTORS; i++)
            s->c[i] = AVERAGE(SATURATING_ADD(s->a[i], s->b[i]), s->a[i] ^ (u8)round);
        touch(s);
    }
    return sum_bytes(s->c);
}

u64 NAMED(select_run)(void *state)
{
    struct arrays *s = state;
    v_s16 *a = (v_s16 *)s->a, *b = (v_s16 *)s->b, *c = (v_s16 *)s->c;
    for (u32 round = 0; round < 200; round++) {
        for (u32 i = 0; i < N_VECTORS; i++) {
            v_s16 less = a[i] < b[i];
            c[i] = ((a[i] & less) | (b[i] & ~less)) + ((a[i] >> 2) & less) + (int16_t)round;
        }
        touch(s);
    }
    return sum_bytes(c);
}

#if VECTOR_SIZE == 16
#define REVERSED(v) \
    __builtin_shufflevector(v, v, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8)
#else
#define REVERSED(v)                                                                             \
    __builtin_shufflevector(v, v, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 23, 22, \
                            21, 20, 19, 18, 17, 16, 31, 30, 29, 28, 27, 26, 25, 24)
#endif

u64 NAMED(shuffle_run)(void *state)
{
    struct arrays *s = state;
    for (u32 round = 0; round < 200; round++) {
        for (u32 i = 0; i < N_VECTORS; i++) {
            v_s64 x = (v_s64)REVERSED(s->a[i]);
            s->c[i] = (v_u8)((x << 7) ^ (v_s64)s->b[i]) + (u8)round;
        }
        touch(s);
    }
    return sum_bytes(s->c);
}

u64 NAMED(dot_run)(void *state)
{
    struct arrays *s = state;
    u64 total = 0;
    for (u32 round = 0; round < 200; round++) {
        v_s32 sum = {0};
        for (u32 i = 0; i < N_VECTORS; i++)
            sum += PAIR_DOT(s->a[i], s->b[i]);
        for (u32 i = 0; i < VECTOR_SIZE / 4; i++)
            total += (u32)sum[i];
        touch(s);
    }
    return (u32)total;
}

// Numbers in [0, 1) from the bytes of the arrays.
static void fill_f32(float *to, const u8 *from)
{
    for (u32 i = 0; i < BYTES / 4; i++)
        to[i] = (float)from[i] * (1.0f / 256);
}

static void fill_f64(double *to, const u8 *from)
{
    for (u32 i = 0; i < BYTES / 8; i++)
        to[i] = (double)from[i] * (1.0 / 256);
}

u64 NAMED(float_run)(void *state)
{
    static v_f32 a[N_VECTORS], b[N_VECTORS];
    struct arrays *s = state;
    fill_f32((float *)a, (const u8 *)s->a);
    fill_f32((float *)b, (const u8 *)s->b);
    for (u32 round = 0; round < 200; round++) {
        for (u32 i = 0; i < N_VECTORS; i++)
            b[i] = a[i] * 0.5f + b[i] * 0.5f;
        touch(b);
    }
    double sum = 0;
    for (u32 i = 0; i < BYTES / 4; i++)
        sum += (double)((float *)b)[i] * (1 + (i & 7));
    return rounded(sum * 0.001);
}

u64 NAMED(double_run)(void *state)
{
    static v_f64 a[N_VECTORS], b[N_VECTORS];
    struct arrays *s = state;
    fill_f64((double *)a, (const u8 *)s->a);
    fill_f64((double *)b, (const u8 *)s->b);
    double sum = 0;
    for (u32 round = 0; round < 200; round++) {
        v_f64 part = {0};
        for (u32 i = 0; i < N_VECTORS; i++)
            part += a[i] * b[i] - (a[i] + 1.0) / (b[i] + 2.0);
        for (u32 i = 0; i < VECTOR_SIZE / 8; i++)
            sum += part[i];
        touch(b);
    }
    return rounded(sum * 0.001);
}

// Mandelbrot's set, as many points at once as a vector holds; comparisons make masks. A product
// that is contracted moves points at the border, so that the coordinates are multiples of 1/64 and
// few steps are taken: everything is exact.
u64 NAMED(fractal_run)(void *state)
{
    v_s64 total = {0};
    for (int row = -64; row < 64; row++)
        for (int column = -128; column < 64; column += VECTOR_SIZE / 8) {
            v_f64 cr, ci = {0}, r = {0}, i = {0};
            for (int k = 0; k < VECTOR_SIZE / 8; k++) {
                cr[k] = (column + k) * (1.0 / 64);
                ci[k] = row * (1.0 / 64);
            }
            for (int n = 0; n < 4; n++) {
                v_f64 rr = r * r, ii = i * i, next = rr - ii + cr;
                total -= (v_s64)(rr + ii < 4.0);
                i = (r + r) * i + ci;
                r = next;
            }
        }
    u64 sum = 0;
    for (int k = 0; k < VECTOR_SIZE / 8; k++)
        sum += (u64)total[k];
    return sum;
}
