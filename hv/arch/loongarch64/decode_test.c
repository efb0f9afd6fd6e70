// SPDX-License-Identifier: Apache-2.0
#include "hv/arch/loongarch64/decode.h"
#include "base/test.h"

TEST(loads_and_stores)
{
    static const struct {
        u32 insn;
        struct load_store is;
    } cases[] = {
        {0x28000085, {1, 5, false, true, false}},  // ld.b $a1, $a0, 0
        {0x28bffc85, {4, 5, false, true, false}},  // ld.w $a1, $a0, -1
        {0x28c00085, {8, 5, false, false, false}}, // ld.d
        {0x2a000085, {1, 5, false, false, false}}, // ld.bu
        {0x2a800085, {4, 5, false, false, false}}, // ld.wu
        {0x29000085, {1, 5, true, false, false}},  // st.b
        {0x29c00080, {8, 0, true, false, false}},  // st.d $zero
        {0x24000085, {4, 5, false, true, false}},  // ldptr.w
        {0x27000085, {8, 5, true, false, false}},  // stptr.d
        {0x38081885, {4, 5, false, true, false}},  // ldx.w $a1, $a0, $a2
        {0x38200485, {1, 5, false, false, false}}, // ldx.bu
        {0x381c0485, {8, 5, true, false, false}},  // stx.d
        {0x2ac00080, {0, 0, false, false, true}},  // preld
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct load_store ls;
        CHECK(decode_load_store(cases[i].insn, &ls));
        CHECK_EQ(ls.size, cases[i].is.size);
        CHECK_EQ(ls.reg, cases[i].is.reg);
        CHECK_EQ(ls.is_write, cases[i].is.is_write);
        CHECK_EQ(ls.is_signed, cases[i].is.is_signed);
        CHECK_EQ(ls.is_hint, cases[i].is.is_hint);
    }
}

TEST(nothing_else)
{
    static const u32 words[] = {0,          0x20000085, 0x22000085, 0x2b000085, 0x2c000085,
                                0x38600485, 0x38300485, 0x03400000, 0xffffffff, 0x06483800};
    struct load_store ls;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        CHECK(!decode_load_store(words[i], &ls));
}
