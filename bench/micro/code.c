// SPDX-License-Identifier: Apache-2.0
// Programs that write programs: code made and called once, code patched, and data that lies beside
// code. A function made here adds constants to its argument.
#include "bench/micro/workload.h"

#include <string.h>
#include <sys/mman.h>

enum { REGION = 1 << 18, N_ADDS = 24, SLOT = 256 };

void *code_setup(void)
{
    void *p =
        mmap(NULL, REGION, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

#if defined(__loongarch__)
static u8 *emit_word(u8 *at, u32 word)
{
    memcpy(at, &word, 4);
    return at + 4;
}

static u8 *emit_begin(u8 *at)
{
    return at;
}

// addi.d $a0, $a0, value
static u8 *emit_add(u8 *at, u32 value)
{
    return emit_word(at, 0x02c00084 | value << 10);
}

// jirl $zero, $ra, 0
static u8 *emit_end(u8 *at)
{
    return emit_word(at, 0x4c000020);
}
#elif defined(__x86_64__)
// mov %rdi, %rax
static u8 *emit_begin(u8 *at)
{
    memcpy(at, "\x48\x89\xf8", 3);
    return at + 3;
}

// add $value, %rax
static u8 *emit_add(u8 *at, u32 value)
{
    memcpy(at, "\x48\x05", 2);
    memcpy(at + 2, &value, 4);
    return at + 6;
}

// ret
static u8 *emit_end(u8 *at)
{
    *at = 0xc3;
    return at + 1;
}
#else
#error "code.c does not know the instructions of this machine"
#endif

// Where the addition number n lies.
static u8 *place_of_add(u8 *function, unsigned n)
{
    u8 scratch[16];
    size_t begin = (size_t)(emit_begin(scratch) - scratch),
           one = (size_t)(emit_add(scratch, 0) - scratch);
    return function + begin + n * one;
}

static void make_function(u8 *at, u64 *random)
{
    u8 *p = emit_begin(at);
    for (unsigned i = 0; i < N_ADDS; i++)
        p = emit_add(p, (u32)(next_random(random) >> 20 & 0x3ff));
    p = emit_end(p);
    __builtin___clear_cache((char *)at, (char *)p);
}

static u64 call(void *function, u64 argument)
{
    return ((u64(*)(u64))function)(argument);
}

// 200 functions over a region, each called twice.
u64 generate_run(void *state)
{
    u64 random = 61, sum = 0;
    for (u32 i = 0; i < 200; i++) {
        u8 *at = (u8 *)state + i * SLOT % REGION;
        make_function(at, &random);
        sum = call(at, call(at, sum));
    }
    return sum;
}

// One instruction of a function is written again before each call.
u64 patch_run(void *state)
{
    u64 random = 67, sum = 0;
    u8 *at = state;
    make_function(at, &random);
    for (u32 i = 0; i < 500; i++) {
        u8 *place = place_of_add(at, i % N_ADDS);
        u8 *end = emit_add(place, i & 0x3ff);
        __builtin___clear_cache((char *)place, (char *)end);
        sum = call(at, sum);
    }
    return sum;
}

// A counter in the same page as the function that is called.
u64 beside_run(void *state)
{
    u64 random = 71, sum = 0;
    u8 *at = state;
    volatile u64 *counters = (volatile u64 *)(at + 2048);
    make_function(at, &random);
    for (u32 i = 0; i < 64; i++)
        counters[i] = 0;
    for (u32 i = 0; i < 5000; i++) {
        counters[i & 63] += i;
        sum = call(at, sum) ^ counters[i * 7 & 63];
    }
    return sum;
}
