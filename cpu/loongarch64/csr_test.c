// SPDX-License-Identifier: Apache-2.0
#include "base/test.h"
#include "cpu/loongarch64/rig.h"

TEST(a_direct_window_has_a_bit_for_each_level)
{
    struct rig r;
    rig_init(&r, "la464");
    for (unsigned n = CSR_DMW0; n <= CSR_DMW3; n++) {
        la_csr_write(r.c, n, ~0ULL, ~0ULL);
        CHECK_EQ(la_csr_read(r.c, n), 0xf00000000000003f);
    }
    rig_free(&r);
}

TEST(page_numbers_read_sign_extended)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_TLBEHI, BIT(47), ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_TLBEHI), BITS(63, 47));
    la_csr_write(r.c, CSR_TLBEHI, BITS(63, 48) | BIT(13), ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_TLBEHI), BIT(13));
    la_csr_write(r.c, CSR_TLBREHI, BIT(47) | 14, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_TLBREHI), BITS(63, 47) | 14);
    rig_free(&r);
}

TEST(registers_of_32_bits_read_sign_extended)
{
    struct rig r;
    rig_init(&r, "la464");
    la_csr_write(r.c, CSR_TID, 0x87654321, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_TID), 0xffffffff87654321);
    la_csr_write(r.c, CSR_PWCL, BIT(31), ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_PWCL), BITS(63, 31));
    rig_run(&r, "tlbsrch; csrrd $a0, 0x10");
    CHECK_EQ(r.c->gpr[4], BITS(63, 31)); // TLBIDX.NE
    rig_run(&r, ".word 0xffffffff");
    CHECK_EQ(la_csr_read(r.c, CSR_BADI), ~0ULL);
    la_csr_write(r.c, CSR_SAVE0, 0x87654321, ~0ULL);
    CHECK_EQ(la_csr_read(r.c, CSR_SAVE0), 0x87654321);
    rig_free(&r);
}
