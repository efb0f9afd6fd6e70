// SPDX-License-Identifier: Apache-2.0
// Loops of integer arithmetic, loads and stores. They are compiled without vectors.
#include "bench/micro/workload.h"

#include <string.h>

u64 mix_run(void *state)
{
    u64 a = 1, b = 2, c = 3;
    for (u64 i = 0; i < 400000; i++) {
        a += (b << 5 | b >> 59) ^ i;
        b ^= (c >> 7) + a;
        c = (c + a) * 0x2545f4914f6cdd1d;
    }
    return mix_in(a, b ^ c);
}

enum { SIEVE_SIZE = 1 << 18 };

void *sieve_setup(void)
{
    return get_memory(SIEVE_SIZE);
}

u64 sieve_run(void *state)
{
    volatile u8 *composite = state;
    u64 n = 0;
    for (u32 i = 0; i < SIEVE_SIZE; i++)
        composite[i] = 0;
    for (u32 i = 2; i < SIEVE_SIZE; i++) {
        if (composite[i])
            continue;
        n++;
        for (u32 j = 2 * i; j < SIEVE_SIZE; j += i)
            composite[j] = 1;
    }
    return n;
}

enum { SORT_SIZE = 8192 };

void *sort_setup(void)
{
    return get_memory(SORT_SIZE * sizeof(s32));
}

static void sift_down(s32 *a, u32 at, u32 n)
{
    s32 moved = a[at];
    for (u32 child; (child = 2 * at + 1) < n; at = child) {
        child += child + 1 < n && a[child + 1] > a[child];
        if (a[child] <= moved)
            break;
        a[at] = a[child];
    }
    a[at] = moved;
}

u64 sort_run(void *state)
{
    s32 *a = state;
    u64 random = 77, sum = 0;
    for (u32 i = 0; i < SORT_SIZE; i++)
        a[i] = (s32)next_random(&random);
    for (u32 i = SORT_SIZE / 2; i-- > 0;)
        sift_down(a, i, SORT_SIZE);
    for (u32 n = SORT_SIZE - 1; n > 0; n--) {
        s32 most = a[0];
        a[0] = a[n];
        a[n] = most;
        sift_down(a, 0, n);
    }
    for (u32 i = 0; i < SORT_SIZE; i++)
        sum = mix_in(sum, (u32)a[i]);
    return sum;
}

enum { N_SLOTS = 1 << 14, N_KEYS = N_SLOTS / 2 };

void *hash_setup(void)
{
    return get_memory(N_SLOTS * 2 * sizeof(u64));
}

static u64 *find_slot(u64 (*slots)[2], u64 key)
{
    u64 at = key * 0x9e3779b97f4a7c15 >> 50;
    while (slots[at][0] && slots[at][0] != key)
        at = (at + 1) % N_SLOTS;
    return slots[at];
}

u64 hash_run(void *state)
{
    u64(*slots)[2] = state;
    u64 random = 5, sum = 0;
    memset(slots, 0, N_SLOTS * sizeof(*slots));
    for (u32 i = 0; i < N_KEYS; i++) {
        u64 key = next_random(&random), *slot = find_slot(slots, key);
        slot[0] = key;
        slot[1] = i;
    }
    for (u32 round = 0; round < 4; round++) {
        random = 5;
        for (u32 i = 0; i < N_KEYS; i++)
            sum += find_slot(slots, next_random(&random))[1] ^ round;
    }
    return sum;
}

enum { SHA_SIZE = 1 << 18 };

void *sha256_setup(void)
{
    u8 *data = get_memory(SHA_SIZE);
    u64 random = 1234;
    for (u32 i = 0; i < SHA_SIZE; i++)
        data[i] = (u8)next_random(&random);
    return data;
}

static const u32 sha_rounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline u32 rotate(u32 x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void sha_expand(u32 w[64], const u8 *block)
{
    for (unsigned i = 0; i < 16; i++) {
        memcpy(&w[i], block + 4 * i, 4);
        w[i] = __builtin_bswap32(w[i]);
    }
    for (unsigned i = 16; i < 64; i++) {
        u32 a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        u32 b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
}

static NOINLINE void sha_block(u32 h[8], const u8 *block)
{
    u32 w[64], s[8];
    sha_expand(w, block);
    memcpy(s, h, sizeof(s));
    for (unsigned i = 0; i < 64; i++) {
        u32 x = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
        u32 a = s[7] + x + ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha_rounds[i] + w[i];
        u32 y = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
        u32 b = y + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        s[7] = s[6], s[6] = s[5], s[5] = s[4], s[4] = s[3] + a;
        s[3] = s[2], s[2] = s[1], s[1] = s[0], s[0] = a + b;
    }
    for (unsigned i = 0; i < 8; i++)
        h[i] += s[i];
}

u64 sha256_run(void *state)
{
    u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    for (u32 i = 0; i < SHA_SIZE; i += 64)
        sha_block(h, (const u8 *)state + i);
    return (u64)h[0] << 32 | h[7];
}

// Counting and reversing by shifts and masks: no instruction of either machine does it at once.
static inline u64 count_ones(u64 x)
{
    x -= x >> 1 & 0x5555555555555555;
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
    return ((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56;
}

u64 bits_run(void *state)
{
    u64 random = 99, sum = 0;
    for (u32 i = 0; i < 100000; i++) {
        u64 x = next_random(&random) | 1;
        sum += count_ones(x) * (u64)__builtin_clzll(x | 1 << 9) + (u64)__builtin_ctzll(x & ~15ull);
        sum ^= __builtin_bswap64(x) >> (x & 31);
        sum += (x >> 11 & 0x3ff) << 3 | (x & 7);
    }
    return sum;
}
