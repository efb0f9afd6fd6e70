// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"
#include "base/bits.h"
#include "base/test.h"

TEST(context_goes_in_front)
{
    struct err e = {0};
    CHECK(!err_is_set(&e));
    CHECK(!err_set(&e, "open '%s': no such file", "a.img"));
    CHECK(!err_context(&e, "drive %s", "disk0"));
    CHECK_STR(e.text, "drive disk0: open 'a.img': no such file");
}

TEST(long_text_is_cut_not_overrun)
{
    struct err e = {0};
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    err_set(&e, "%s", text);
    err_context(&e, "%s", text);
    CHECK_EQ(strlen(e.text), sizeof(e.text) - 1);
}

TEST(bit_fields)
{
    CHECK_EQ(BITS(63, 0), ~0ULL);
    CHECK_EQ(bits_get(0xabcd, 15, 8), 0xab);
    CHECK_EQ(bits_set(0xabcd, 7, 4, 0xf1), 0xab1d);
    CHECK_EQ(sign_extend(0x800, 12), (u64)-2048);
    CHECK_EQ(sign_extend(0x7ff, 12), 0x7ff);
    u8 b[8];
    store_be(b, 0x0102030405060708, 8);
    CHECK_EQ(b[0], 1);
    CHECK_EQ(load_be(b, 8), 0x0102030405060708);
    CHECK_EQ(load_le(b, 4), 0x04030201);
}
