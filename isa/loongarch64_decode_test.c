// SPDX-License-Identifier: Apache-2.0
// The decoder against a search through all patterns, and decoded members against known words.
#include "isa/loongarch64.h"

#include "base/err.h"
#include "base/test.h"

// The op that the description means, found without the decoder's tables; *n is how many match.
static unsigned search(u32 word, unsigned *n)
{
    unsigned found = LA_INVALID;
    *n = 0;
    for (unsigned op = 1; op < LA_N_OPS; op++) {
        const struct la_op_info *info = &la_op_info[op];
        if ((word & info->mask) != info->match || (word & info->except_mask) == info->except_match)
            continue;
        found = op;
        ++*n;
    }
    return found;
}

static bool decodes_as_searched(u32 word)
{
    struct la_insn insn;
    unsigned n;
    la_decode(word, &insn);
    unsigned op = search(word, &n);
    if (n <= 1 && insn.op == op && insn.raw == word)
        return true;
    printf("# 0x%08x: %u patterns, decoded as %s, found %s\n", word, n,
           la_op_info[insn.op].mnemonic, la_op_info[op].mnemonic);
    return CHECK(false);
}

TEST(words_one_bit_away_from_each_pattern)
{
    u64 rng = 1;
    for (unsigned op = 1; op < LA_N_OPS; op++) {
        u32 word = la_random_word(&rng, (enum la_op)op);
        struct la_insn insn;
        la_decode(word, &insn);
        CHECK_EQ(insn.op, op);
        for (unsigned bit = 0; bit < 32; bit++)
            if (!decodes_as_searched(word ^ 1u << bit))
                return;
    }
}

TEST(random_words_match_one_pattern_or_none)
{
    u64 x = 88172645463325252ULL;
    for (unsigned i = 0; i < 60000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        u32 word = (u32)(x >> 20);
        // Opcodes are dense where the top bits are small and in the vector space 0x70 to 0x77.
        if (i % 3 == 1)
            word = 0x70000000 | (word & 0x07ffffff);
        if (i % 3 == 2)
            word &= 0x07ffffff;
        if (!decodes_as_searched(word))
            return;
    }
}

TEST(every_top_half_with_simple_low_halves)
{
    static const u16 low[] = {0x0000, 0xffff, 0x0401};
    for (u32 high = 0; high < 0x10000; high += 7)
        for (unsigned i = 0; i < ARRAY_LEN(low); i++)
            if (!decodes_as_searched(high << 16 | low[i]))
                return;
}

TEST(encode_is_the_inverse_of_decode)
{
    u64 rng = 2;
    struct err e = {0};
    for (unsigned op = 1; op < LA_N_OPS; op++)
        for (unsigned i = 0; i < 50; i++) {
            u32 word = la_random_word(&rng, (enum la_op)op), again = 0;
            struct la_insn insn;
            la_decode(word, &insn);
            CHECK(la_encode(&insn, &again, &e));
            if (!CHECK_EQ(again, word))
                return;
        }
}

static struct la_insn decoded(u32 word)
{
    struct la_insn insn;
    la_decode(word, &insn);
    return insn;
}

TEST(members_of_known_words)
{
    struct la_insn i = decoded(0x001018a4); // add.w $a0, $a1, $a2
    CHECK_EQ(i.op, LA_ADD_W);
    CHECK(i.rd == 4 && i.rj == 5 && i.rk == 6 && i.ra == 0 && i.imm == 0 && i.imm2 == 0);

    i = decoded(0x02ffc063); // addi.d $sp, $sp, -16
    CHECK_EQ(i.op, LA_ADDI_D);
    CHECK(i.rd == 3 && i.rj == 3 && i.imm == -16);

    i = decoded(0x002c8c41); // alsl.d $ra, $tp, $sp, 2
    CHECK_EQ(i.op, LA_ALSL_D);
    CHECK(i.imm == 2);

    i = decoded(0x57ffffff); // bl -4
    CHECK_EQ(i.op, LA_BL);
    CHECK(i.imm == -4);

    i = decoded(0x20fffc85); // ll.w $a1, $a0, -4
    CHECK_EQ(i.op, LA_LL_W);
    CHECK(i.rd == 5 && i.rj == 4 && i.imm == -4);

    i = decoded(0x00df0083); // bstrpick.d $sp, $a0, 31, 0
    CHECK_EQ(i.op, LA_BSTRPICK_D);
    CHECK(i.imm == 31 && i.imm2 == 0);

    i = decoded(0x3117fca3); // vstelm.d $vr3, $a1, -8, 1
    CHECK_EQ(i.op, LA_VSTELM_D);
    CHECK(i.rd == 3 && i.rj == 5 && i.imm == -8 && i.imm2 == 1);
}

TEST(a_word_that_is_no_instruction)
{
    struct la_insn i = decoded(0xffffffff);
    CHECK_EQ(i.op, LA_INVALID);
    CHECK_EQ(i.raw, 0xffffffff);
    CHECK(!i.imm && !i.imm2 && !i.rd && !i.rj && !i.rk && !i.ra);
    CHECK_EQ(decoded(0).op, LA_INVALID);
}

TEST(csr_access_is_told_apart_by_rj)
{
    CHECK_EQ(decoded(0x04000000).op, LA_CSRRD);
    CHECK_EQ(decoded(0x04000020).op, LA_CSRWR);
    for (unsigned rj = 2; rj < 32; rj++) {
        CHECK_EQ(decoded(0x04000000 | rj << 5).op, LA_CSRXCHG);
        CHECK_EQ(decoded(0x05000000 | rj << 5).op, LA_GCSRXCHG);
    }
    CHECK_EQ(decoded(0x0500000c).op, LA_GCSRRD);
    CHECK_EQ(decoded(0x0500182c).op, LA_GCSRWR);
    CHECK_EQ(decoded(0x0500182c).imm, 6);
}

TEST(what_ops_need_and_touch)
{
    const struct la_op_info *i = &la_op_info[LA_VFRECIPE_S];
    CHECK_EQ(i->cpucfg2, 1u << 6 | 1u << 25);
    CHECK_EQ(i->enable, LA_ENABLE_SXE);
    CHECK_EQ(la_op_info[LA_ST_W].store_size, 4);
    CHECK_EQ(la_op_info[LA_ST_W].writes, 0);
    CHECK_EQ(la_op_info[LA_ST_W].reads, 1 << LA_SLOT_D | 1 << LA_SLOT_J);
    CHECK_EQ(la_op_info[LA_VMADD_B].reads, 1 << LA_SLOT_D | 1 << LA_SLOT_J | 1 << LA_SLOT_K);
    CHECK_EQ(la_op_info[LA_RDTIME_D].writes, 1 << LA_SLOT_D | 1 << LA_SLOT_J);
    CHECK_EQ(la_op_info[LA_FCMP_CEQ_D].file[LA_SLOT_D], LA_FILE_FCC);
    CHECK_EQ(la_op_info[LA_TLBWR].flags & LA_F_PRIV, LA_F_PRIV);
    CHECK_EQ(la_op_info[LA_VADDWEV_H_BU_B].elem[0], LA_ELEM_I16);
    CHECK_EQ(la_op_info[LA_VADDWEV_H_BU_B].elem[1], LA_ELEM_U8);
    CHECK_EQ(la_op_info[LA_VADDWEV_H_BU_B].elem[2], LA_ELEM_I8);
}

TEST(random_instructions_come_from_the_set)
{
    u64 set[LA_OP_SET_WORDS] = {0};
    u64 rng = 3, same = 3;
    unsigned n_seen[3] = {0};
    static const u16 ops[] = {LA_ADD_W, LA_CSRXCHG, LA_XVPERMI_Q};
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
        la_op_set_add(set, ops[i]);
    CHECK(la_op_set_has(set, LA_ADD_W) && !la_op_set_has(set, LA_ADD_D));
    for (unsigned i = 0; i < 1000; i++) {
        u32 word = la_random_insn(&rng, set);
        CHECK_EQ(word, la_random_insn(&same, set));
        for (unsigned k = 0; k < ARRAY_LEN(ops); k++)
            n_seen[k] += decoded(word).op == ops[k];
    }
    CHECK_EQ(n_seen[0] + n_seen[1] + n_seen[2], 1000);
    CHECK(n_seen[0] > 200 && n_seen[1] > 200 && n_seen[2] > 200);
}

TEST(random_instructions_reach_every_op)
{
    u64 seen[LA_OP_SET_WORDS] = {0};
    u64 rng = 4;
    unsigned n = 0;
    for (unsigned i = 0; i < 60000; i++)
        la_op_set_add(seen, decoded(la_random_insn(&rng, NULL)).op);
    for (unsigned op = 1; op < LA_N_OPS; op++)
        n += la_op_set_has(seen, op);
    CHECK_EQ(n, LA_N_OPS - 1);
    CHECK(!la_op_set_has(seen, LA_INVALID));
}
