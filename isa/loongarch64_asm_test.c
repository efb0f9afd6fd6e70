// SPDX-License-Identifier: Apache-2.0
// Text and words: round trips of every pattern, known pairs, and what is refused.
#include "isa/loongarch64.h"

#include "base/err.h"
#include "base/test.h"

#include <stdlib.h>

#define PC 0x9000000000200000ULL

TEST(round_trip_of_every_pattern)
{
    u64 rng = 5;
    for (unsigned op = 1; op < LA_N_OPS; op++)
        for (unsigned i = 0; i < 40; i++) {
            char text[128], again[128];
            struct err e = {0};
            struct la_insn insn;
            u32 word = la_random_word(&rng, (enum la_op)op), back = ~word;
            size_t length = la_disassemble(word, PC, text, sizeof(text));
            REQUIRE(length == strlen(text));
            if (!la_assemble(text, PC, &back, &e) || back != word) {
                printf("# 0x%08x \"%s\" 0x%08x %s\n", word, text, back, e.text);
                CHECK(false);
                return;
            }
            la_decode(back, &insn);
            CHECK_EQ(insn.op, op);
            la_disassemble(back, PC, again, sizeof(again));
            CHECK_STR(again, text);
        }
}

TEST(round_trip_of_words_that_are_no_instructions)
{
    char text[32];
    struct err e;
    u32 word = 0;
    la_disassemble(0xfedcba98, PC, text, sizeof(text));
    CHECK_STR(text, ".word 0xfedcba98");
    CHECK(la_assemble(text, PC, &word, &e));
    CHECK_EQ(word, 0xfedcba98);
}

TEST(known_pairs)
{
    static const struct {
        u32 word;
        const char *text;
    } pairs[] = {
        {0x001018a4, "add.w $a0, $a1, $a2"},
        {0x03400000, "nop"},
        {0x001500a4, "move $a0, $a1"},
        {0x4c000020, "ret"},
        {0x4c000180, "jr $t0"},
        {0x4c000181, "jirl $ra, $t0, 0"},
        {0x0500000c, "gcsrrd $t0, 0"},
        {0x0500182c, "gcsrwr $t0, 6"},
        {0x050015ac, "gcsrxchg $t0, $t1, 5"},
        {0x002b8100, "hvcl 256"},
        {0x06498012, "invtlb 18, $zero, $zero"},
        {0x06499496, "invtlb 22, $a0, $a1"},
        {0x06483800, "ertn"},
        {0x06482c01, "gtlbrd"},
        {0x38601ca4, "amswap.w $a0, $a3, $a1"},
        {0x5bfffc24, "beq $ra, $a0, -4 # 0x90000000001ffffc"},
        {0x54100000, "bl 4096 # 0x9000000000201000"},
        {0x14000004, "lu12i.w $a0, 0"},
    };
    for (unsigned i = 0; i < ARRAY_LEN(pairs); i++) {
        char text[128];
        struct err e = {0};
        u32 word = 0;
        la_disassemble(pairs[i].word, PC, text, sizeof(text));
        CHECK_STR(text, pairs[i].text);
        CHECK(la_assemble(pairs[i].text, PC, &word, &e));
        CHECK_EQ(word, pairs[i].word);
    }
}

static u32 assembled(const char *line)
{
    struct err e = {0};
    u32 word = 0;
    if (!CHECK(la_assemble(line, PC, &word, &e)))
        printf("# %s: %s\n", line, e.text);
    return word;
}

TEST(spellings)
{
    CHECK_EQ(assembled("  add.w\t$r4 , $r5,$r6   # sum"), 0x001018a4);
    CHECK_EQ(assembled("fadd.d $f0, $fs0, $ft15"), assembled("fadd.d $fa0, $f24, $f23"));
    CHECK_EQ(assembled("or $s9, $fp, $r22"), assembled("or $r22, $r22, $s9"));
    CHECK_EQ(assembled("addi.d $sp, $sp, -0x10"), 0x02ffc063);
    CHECK_EQ(assembled("b @0x9000000000200010"), assembled("b 16"));
    CHECK_EQ(assembled("beqz $a0, @0x90000000001ffff0"), assembled("beqz $a0, -16"));
}

static const char *refusal(const char *line)
{
    static struct err e;
    u32 word;
    e.text[0] = 0;
    CHECK(!la_assemble(line, PC, &word, &e));
    return e.text;
}

TEST(refusals_say_why)
{
    CHECK_STR(refusal("addq $a0, $a1, $a2"), "there is no instruction \"addq\"");
    CHECK_STR(refusal("add.w $a0, $a1"), "add.w: 2 operands where 3 belong");
    CHECK_STR(refusal("add.w $a0, $a1, 5"),
              "add.w: operand 3: expected a general register, found \"5\"");
    CHECK_STR(refusal("add.w $a0, $a1, $a8"),
              "add.w: operand 3: expected a general register, found \"$a8\"");
    CHECK_STR(refusal("fadd.s $fa0, $fa1, $a0"),
              "fadd.s: operand 3: expected a floating-point register, found \"$a0\"");
    CHECK_STR(refusal("addi.d $a0, $a0, 2048"), "addi.d: imm is 2048, outside -2048 to 2047");
    CHECK_STR(refusal("andi $a0, $a0, -1"), "andi: imm is -1, outside 0 to 4095");
    CHECK_STR(refusal("b 6"), "b: imm is 6, no multiple of 4");
    CHECK_STR(refusal("alsl.d $a0, $a0, $a0, 5"), "alsl.d: imm is 5, outside 1 to 4");
    CHECK_STR(refusal("invtlb 300, $a0, $a0"), "invtlb: operand 1: 300 does not fit");
    CHECK_STR(refusal("csrxchg $a0, $ra, 0"),
              "csrxchg: with these operands it is another instruction");
    CHECK_STR(refusal("nop 1"), "nop: what is \"1\" behind the operands?");
    CHECK_STR(refusal("b @0"), "b: operand 1: 8070450532245831680 does not fit");
    CHECK_STR(refusal(""), "there is no instruction \"\"");
    CHECK_STR(refusal(".word 0x100000000"), ".word: expected one number of 32 bits");
}

TEST(short_buffers)
{
    char text[8];
    memset(text, 'x', sizeof(text));
    CHECK_EQ(la_disassemble(0x001018a4, PC, text, 8), strlen("add.w $a0, $a1, $a2"));
    CHECK_STR(text, "add.w $");
    CHECK_EQ(la_disassemble(0x001018a4, PC, NULL, 0), strlen("add.w $a0, $a1, $a2"));
    CHECK_EQ(la_disassemble(0x001018a4, PC, text, 1), strlen("add.w $a0, $a1, $a2"));
    CHECK_STR(text, "");
}

TEST(mnemonics_name_ops)
{
    for (unsigned op = 1; op < LA_N_OPS; op++)
        CHECK_EQ(la_op_by_name(la_op_info[op].mnemonic), op);
    CHECK_EQ(la_op_by_name("nop"), LA_INVALID);
    CHECK_EQ(la_op_by_name("add"), LA_INVALID);
    CHECK_EQ(la_op_by_name(""), LA_INVALID);
}

// What a garbled line assembles to, if it does, disassembles to a line with the same word.
TEST(garbled_lines)
{
    u64 rng = 6;
    unsigned n_refused = 0;
    for (unsigned i = 0; i < 20000; i++) {
        char text[128], again[128];
        struct err e = {0};
        u32 noise = la_random_word(&rng, LA_B), word, back = 0;
        size_t length = la_disassemble(la_random_insn(&rng, NULL), PC, text, sizeof(text));
        text[noise % length] = " ,$#-@.0129abrx"[noise / 256 % 15];
        if (!la_assemble(text, PC, &word, &e)) {
            n_refused++;
            CHECK(err_is_set(&e));
            continue;
        }
        la_disassemble(word, PC, again, sizeof(again));
        CHECK(la_assemble(again, PC, &back, &e));
        CHECK_EQ(back, word);
    }
    CHECK(n_refused > 5000 && n_refused < 20000);
}
