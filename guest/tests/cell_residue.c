// SPDX-License-Identifier: Apache-2.0
// In a cell: nothing of a predecessor is found in registers, nor with `fresh` in memory. Then
// everything is filled with patterns of `seed` and looked at again and again, `rounds` times, in
// case another cell's get in between.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"
#include "guest/tests/cell_registers.h"

#define MEMORY_FROM (SCRATCH_BASE / 2)
#define MEMORY_TO   0x3000000ULL // up to where patterns go

static const u16 numbers[] = {0x10, 0x11, 0x12, 0x13, 0x19, 0x1a, 0x30, 0x31, 0x32,  0x33,
                              0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c,  0x3d,
                              0x3e, 0x3f, 0x41, 0x43, 0x89, 0x8c, 0x8d, 0x8e, 0x182, 0x183};

static void check_clean(void)
{
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++)
        if (csr_read_n(numbers[i])) {
            report_note("register %x is %lx", numbers[i], csr_read_n(numbers[i]));
            n_wrong++;
        }
    report_eq(n_wrong, 0, "control registers are clean");
    for (unsigned i = 0; i < ARRAY_LEN(vectors); i++)
        vectors[i] = ~0ULL;
    store_vectors();
    n_wrong = 0;
    for (unsigned i = 0; i < ARRAY_LEN(vectors); i++)
        n_wrong += vectors[i] != 0;
    report_eq(n_wrong, 0, "vector registers are clean");
}

static void check_memory(void)
{
    u64 found = 0;
    for (u64 at = MEMORY_FROM; at < SCRATCH_BASE && !found; at += 8)
        found = *(volatile u64 *)memory_at(at);
    report_eq(found, 0, "memory is clean");
}

static void fill(u64 seed)
{
    struct random r = {seed};
    for (unsigned i = 0; i < ARRAY_LEN(vectors); i++)
        vectors[i] = random_next(&r);
    load_vectors();
    for (unsigned i = 0; i < 16; i++)
        csr_write_n(CSR_SAVE0 + i, random_next(&r));
    for (u64 at = MEMORY_FROM; at < MEMORY_TO; at += 0x100)
        *(u64 *)memory_at(at) = random_next(&r);
}

static bool is_whole(u64 seed)
{
    struct random r = {seed};
    u64 wrong = 0;
    store_vectors();
    for (unsigned i = 0; i < ARRAY_LEN(vectors); i++)
        wrong |= vectors[i] ^ random_next(&r);
    for (unsigned i = 0; i < 16; i++)
        wrong |= csr_read_n(CSR_SAVE0 + i) ^ random_next(&r);
    for (u64 at = MEMORY_FROM; at < MEMORY_TO; at += 0x100)
        wrong |= *(u64 *)memory_at(at) ^ random_next(&r);
    return !wrong;
}

int main(void)
{
    u64 seed = args_number("seed", 1), rounds = args_number("rounds", 3), n_whole = 0;
    csr_write(CSR_EUEN, 7);
    check_clean();
    if (args_has("fresh"))
        check_memory();
    fill(seed);
    for (u64 i = 0; i < rounds; i++)
        n_whole += is_whole(seed);
    report_eq(n_whole, rounds, "patterns stay");
    return 0;
}
