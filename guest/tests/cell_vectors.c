// SPDX-License-Identifier: Apache-2.0
// In a cell: a long computation in all of the vector registers, `rounds` times from the same
// `seed`, gives the same bits each time, whatever is started and ended on other processors
// meanwhile.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"
#include "guest/tests/cell_registers.h"

enum { STEPS = 20000 };

static void step(void)
{
    __asm__ volatile(".word 0x0a282000\n\t"   // xvfmadd.d $xr0, $xr0, $xr8, $xr16
                     ".word 0x0a28a421\n\t"   // xvfmadd.d $xr1, $xr1, $xr9, $xr17
                     ".word 0x7485a842\n\t"   // xvmul.d $xr2, $xr2, $xr10
                     ".word 0x740bc842\n\t"   // xvadd.d $xr2, $xr2, $xr18
                     ".word 0x74852c63\n\t"   // xvmul.w $xr3, $xr3, $xr11
                     ".word 0x75274c63\n\t"   // xvxor.v $xr3, $xr3, $xr19
                     ".word 0x091a3084\n\t"   // vfmadd.s $vr4, $vr4, $vr12, $vr20
                     ".word 0x7084b4a5\n\t"   // vmul.h $vr5, $vr5, $vr13
                     ".word 0x700a54a5\n\t"   // vadd.b $vr5, $vr5, $vr21
                     ".word 0x082b38c6\n\t"   // fmadd.d $f6, $f6, $f14, $f22
                     ".word 0x081bbce7\n\t"   // fmadd.s $f7, $f7, $f15, $f23
                     ".word 0x740b8b18\n\t"   // xvadd.d $xr24, $xr24, $xr2
                     ".word 0x75270f39\n\t"); // xvxor.v $xr25, $xr25, $xr3
}

// Multipliers below 1, so that floating point stays finite; the rest is any bits.
static void fill(u64 seed)
{
    struct random r = {seed};
    for (unsigned i = 0; i < ARRAY_LEN(vectors); i++) {
        u64 bits = random_next(&r);
        bool is_double = i / 4 < 2 || i / 4 == 6 || (i / 4 >= 8 && i / 4 < 10) || i / 4 == 14 ||
                         (i / 4 >= 16 && i / 4 < 18) || i / 4 == 22;
        bool is_single =
            i / 4 == 4 || i / 4 == 7 || i / 4 == 12 || i / 4 == 15 || i / 4 == 20 || i / 4 == 23;
        if (is_double)
            bits = (bits & 0x800fffffffffffffULL) | 0x3fd0000000000000ULL;
        if (is_single)
            bits = (bits & 0x807fffff807fffffULL) | 0x3e8000003e800000ULL;
        vectors[i] = bits;
    }
    load_vectors();
}

static u64 compute(u64 seed)
{
    u64 sum = 0;
    fill(seed);
    for (unsigned i = 0; i < STEPS; i++)
        step();
    store_vectors();
    for (unsigned i = 0; i < ARRAY_LEN(vectors); i++)
        sum = (sum ^ vectors[i]) * 0x9e3779b97f4a7c15ULL;
    return sum;
}

int main(void)
{
    u64 seed = args_number("seed", 1), rounds = args_number("rounds", 20), n_same = 0;
    csr_write(CSR_EUEN, 7);
    u64 first = compute(seed);
    report_note("sum %lx", first);
    for (u64 i = 0; i < rounds; i++)
        n_same += compute(seed) == first;
    report_eq(n_same, rounds, "the same bits each time");
    report(compute(seed + 1) != first, "and others of another seed");
    return 0;
}
