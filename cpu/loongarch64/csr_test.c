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
