// SPDX-License-Identifier: Apache-2.0
// Integer arithmetic, shifts, bits, CRC and branches: values at borders, worked out from the
// manual.
#include "base/test.h"
#include "cpu/loongarch64/rig.h"

#define MIN32 0xffffffff80000000ULL
#define MIN64 0x8000000000000000ULL
#define MAX64 0x7fffffffffffffffULL
#define ONES  (~0ULL)

// $a0 after the instruction; $a0, $a1 and $a2 before it.
struct row {
    const char *text;
    u64 a0, a1, a2, result;
};

static void check_rows(const struct row *rows, size_t n)
{
    struct rig r;
    rig_init(&r, "max");
    for (size_t i = 0; i < n; i++) {
        r.c->gpr[4] = rows[i].a0;
        r.c->gpr[5] = rows[i].a1;
        r.c->gpr[6] = rows[i].a2;
        rig_run(&r, rows[i].text);
        if (!CHECK_EQ(r.c->gpr[4], rows[i].result) || !CHECK_EQ(r.c->pc, RIG_CODE + 4))
            printf("# %s, %#" PRIx64 ", %#" PRIx64 "\n", rows[i].text, rows[i].a1, rows[i].a2);
    }
    rig_free(&r);
}

#define CHECK_ROWS(rows) check_rows((rows), ARRAY_LEN(rows))

// clang-format off
TEST(arithmetic_wraps_and_extends_words)
{
    static const struct row rows[] = {
        {"add.w $a0, $a1, $a2", 0, 0x7fffffff, 1, MIN32},
        {"add.w $a0, $a1, $a2", 0, 0x123456789, 0x100000000, 0x23456789},
        {"add.d $a0, $a1, $a2", 0, MAX64, 1, MIN64},
        {"sub.w $a0, $a1, $a2", 0, MIN32, 1, 0x7fffffff},
        {"sub.d $a0, $a1, $a2", 0, 0, 1, ONES},
        {"addi.w $a0, $a1, -2048", 0, MIN32, 0, 0x7ffff800},
        {"addi.d $a0, $a1, 2047", 0, 1, 0, 2048},
        {"addu16i.d $a0, $a1, -32768", 0, 0, 0, 0xffffffff80000000},
        {"alsl.w $a0, $a1, $a2, 4", 0, 0x08000001, 3, MIN32 + 0x13},
        {"alsl.wu $a0, $a1, $a2, 4", 0, 0x08000001, 3, 0x80000013},
        {"alsl.d $a0, $a1, $a2, 1", 0, MIN64 | 5, 7, 17},
        {"lu12i.w $a0, -524288", 0, 0, 0, MIN32},
        {"lu32i.d $a0, -1", 0x1234567887654321, 0, 0, 0xffffffff87654321},
        {"lu52i.d $a0, $a1, -2048", 0, ONES, 0, 0x800fffffffffffff},
        {"pcaddi $a0, -1", 0, 0, 0, RIG_CODE - 4},
        {"pcaddu12i $a0, 1", 0, 0, 0, RIG_CODE + 0x1000},
        {"pcaddu18i $a0, -1", 0, 0, 0, RIG_CODE - 0x40000ULL},
        {"pcalau12i $a0, -16", 0, 0, 0, 0},
        {"slt $a0, $a1, $a2", 0, MIN64, MAX64, 1},
        {"sltu $a0, $a1, $a2", 0, MIN64, MAX64, 0},
        {"slti $a0, $a1, -1", 0, -2ULL, 0, 1},
        {"sltui $a0, $a1, -1", 0, -2ULL, 0, 1},
        {"sltui $a0, $a1, -1", 0, ONES, 0, 0},
    };
    CHECK_ROWS(rows);
}

TEST(logic)
{
    static const struct row rows[] = {
        {"and $a0, $a1, $a2", 0, 0xff00ff00ff00ff00, 0xffff0000ffff0000, 0xff000000ff000000},
        {"nor $a0, $a1, $a2", 0, 0xf0, 0x0f, ~0xffULL},
        {"andn $a0, $a1, $a2", 0, 0xff, 0x0f, 0xf0},
        {"orn $a0, $a1, $a2", 0, 0, 0x0f, ~0x0fULL},
        {"andi $a0, $a1, 0xfff", 0, ONES, 0, 0xfff},
        {"ori $a0, $a1, 0xfff", 0, MIN64, 0, MIN64 | 0xfff},
        {"xori $a0, $a1, 0x800", 0, ONES, 0, ~0x800ULL},
        {"maskeqz $a0, $a1, $a2", 0, 5, 0, 0},
        {"maskeqz $a0, $a1, $a2", 0, 5, 1, 5},
        {"masknez $a0, $a1, $a2", 0, 5, 0, 5},
        {"masknez $a0, $a1, $a2", 0, 5, MIN64, 0},
    };
    CHECK_ROWS(rows);
}

TEST(products)
{
    static const struct row rows[] = {
        {"mul.w $a0, $a1, $a2", 0, 0x10000, 0x8000, MIN32},
        {"mulh.w $a0, $a1, $a2", 0, MIN32, MIN32, 0x40000000},
        {"mulh.wu $a0, $a1, $a2", 0, 0xffffffff, 0xffffffff, 0xfffffffffffffffe},
        {"mul.d $a0, $a1, $a2", 0, ONES, ONES, 1},
        {"mulh.d $a0, $a1, $a2", 0, MIN64, MIN64, 0x4000000000000000},
        {"mulh.d $a0, $a1, $a2", 0, ONES, 2, ONES},
        {"mulh.du $a0, $a1, $a2", 0, ONES, ONES, 0xfffffffffffffffe},
        {"mulw.d.w $a0, $a1, $a2", 0, 0xffffffff, 2, -2ULL},
        {"mulw.d.wu $a0, $a1, $a2", 0, 0xffffffff, 2, 0x1fffffffe},
    };
    CHECK_ROWS(rows);
}

TEST(quotients_by_zero_and_of_the_smallest_number)
{
    static const struct row rows[] = {
        {"div.w $a0, $a1, $a2", 0, -7ULL, 2, -3ULL},
        {"mod.w $a0, $a1, $a2", 0, -7ULL, 2, -1ULL},
        {"div.w $a0, $a1, $a2", 0, MIN32, ONES, MIN32},
        {"mod.w $a0, $a1, $a2", 0, MIN32, ONES, 0},
        {"div.wu $a0, $a1, $a2", 0, 0xffffffff, 1, ONES},
        {"mod.wu $a0, $a1, $a2", 0, 0xffffffff, 0x80000000, 0x7fffffff},
        {"div.d $a0, $a1, $a2", 0, MIN64, ONES, MIN64},
        {"mod.d $a0, $a1, $a2", 0, MIN64, ONES, 0},
        {"div.du $a0, $a1, $a2", 0, MIN64, ONES, 0},
        {"div.d $a0, $a1, $a2", 0, 42, 0, 42},
        {"mod.d $a0, $a1, $a2", 0, 42, 0, 0},
        {"div.wu $a0, $a1, $a2", 0, 42, 0, 42},
        {"mod.du $a0, $a1, $a2", 0, 42, 0, 0},
    };
    CHECK_ROWS(rows);
}

TEST(shifts_use_the_low_bits_of_their_amount)
{
    static const struct row rows[] = {
        {"sll.w $a0, $a1, $a2", 0, 1, 31 + 32, MIN32},
        {"srl.w $a0, $a1, $a2", 0, ONES, 32, ONES},
        {"srl.w $a0, $a1, $a2", 0, ONES, 1, 0x7fffffff},
        {"sra.w $a0, $a1, $a2", 0, 0x80000000, 31, ONES},
        {"rotr.w $a0, $a1, $a2", 0, 1, 1, MIN32},
        {"rotr.w $a0, $a1, $a2", 0, 0x12345678, 0, 0x12345678},
        {"sll.d $a0, $a1, $a2", 0, 1, 127, MIN64},
        {"sra.d $a0, $a1, $a2", 0, MIN64, 63, ONES},
        {"rotr.d $a0, $a1, $a2", 0, 1, 65, MIN64},
        {"slli.w $a0, $a1, 31", 0, 3, 0, MIN32},
        {"srai.w $a0, $a1, 0", 0, 0x80000000, 0, MIN32},
        {"rotri.d $a0, $a1, 63", 0, MIN64, 0, 1},
        {"rotri.w $a0, $a1, 0", 0, 0x180000000, 0, MIN32},
    };
    CHECK_ROWS(rows);
}

TEST(bits_and_bytes)
{
    static const struct row rows[] = {
        {"clz.w $a0, $a1", 0, 0xffffffff00000000, 0, 32},
        {"clo.w $a0, $a1", 0, 0xffffffff, 0, 32},
        {"ctz.w $a0, $a1", 0, 0x100000000, 0, 32},
        {"cto.w $a0, $a1", 0, 0x7fffffff, 0, 31},
        {"clz.d $a0, $a1", 0, 0, 0, 64},
        {"clo.d $a0, $a1", 0, ONES, 0, 64},
        {"ctz.d $a0, $a1", 0, MIN64, 0, 63},
        {"cto.d $a0, $a1", 0, MAX64, 0, 63},
        {"ext.w.b $a0, $a1", 0, 0x180, 0, -128ULL},
        {"ext.w.h $a0, $a1", 0, 0x18000, 0, -32768ULL},
        {"revb.2h $a0, $a1", 0, 0x1122334455667788, 0, 0x66558877},
        {"revb.4h $a0, $a1", 0, 0x1122334455667788, 0, 0x2211443366558877},
        {"revb.2w $a0, $a1", 0, 0x1122334455667788, 0, 0x4433221188776655},
        {"revb.d $a0, $a1", 0, 0x1122334455667788, 0, 0x8877665544332211},
        {"revh.2w $a0, $a1", 0, 0x1122334455667788, 0, 0x3344112277885566},
        {"revh.d $a0, $a1", 0, 0x1122334455667788, 0, 0x7788556633441122},
        {"bitrev.4b $a0, $a1", 0, 0x01020304, 0, 0xffffffff8040c020},
        {"bitrev.8b $a0, $a1", 0, 0x0102030405060708, 0, 0x8040c020a060e010},
        {"bitrev.w $a0, $a1", 0, 1, 0, MIN32},
        {"bitrev.d $a0, $a1", 0, 1, 0, MIN64},
        {"bytepick.w $a0, $a1, $a2, 1", 0, 0xaabbccdd, 0x11223344, 0x223344aa},
        {"bytepick.w $a0, $a1, $a2, 0", 0, 0xaabbccdd, 0x81223344, 0xffffffff81223344},
        {"bytepick.d $a0, $a1, $a2, 7", 0, 0xaabbccddeeff0011, 0x1122334455667788, 0x88aabbccddeeff00},
        {"bytepick.d $a0, $a1, $a2, 0", 0, 1, 2, 2},
        {"bstrins.w $a0, $a1, 31, 31", 0x1234, 1, 0, MIN32 + 0x1234},
        {"bstrins.d $a0, $a1, 63, 0", 1, MIN64, 0, MIN64},
        {"bstrins.d $a0, $a1, 15, 8", ONES, 0, 0, 0xffffffffffff00ff},
        {"bstrpick.w $a0, $a1, 31, 0", 0, 0x80000000, 0, MIN32},
        {"bstrpick.d $a0, $a1, 63, 63", 0, MIN64, 0, 1},
    };
    CHECK_ROWS(rows);
}

// "123456789" has CRC-32 cbf43926 and CRC-32C e3069283; the inversions are the program's.
TEST(crc_of_the_usual_digits)
{
    static const struct row rows[] = {
        {"crc.w.d.w $a0, $a1, $a0; crc.w.b.w $a0, $a2, $a0", 0xffffffff, 0x3837363534333231, 0x39, 0},
    };
    struct rig r;
    rig_init(&r, "max");
    r.c->gpr[4] = 0xffffffff;
    r.c->gpr[5] = rows[0].a1;
    r.c->gpr[6] = rows[0].a2;
    rig_run(&r, rows[0].text);
    CHECK_EQ(~r.c->gpr[4] & 0xffffffff, 0xcbf43926);
    r.c->gpr[4] = 0xffffffff;
    rig_run(&r, "crcc.w.w.w $a0, $a1, $a0; srli.d $a1, $a1, 32; crcc.w.h.w $a0, $a1, $a0;"
                "srli.d $a1, $a1, 16; crcc.w.h.w $a0, $a1, $a0; crcc.w.b.w $a0, $a2, $a0");
    CHECK_EQ(~r.c->gpr[4] & 0xffffffff, 0xe3069283);
    rig_free(&r);
}
// clang-format on

TEST(r0_stays_zero)
{
    struct rig r;
    rig_init(&r, "max");
    rig_run(&r, "addi.d $zero, $zero, 5; lu12i.w $zero, 1; bl 4; rdtime.d $zero, $zero;"
                "ld.d $zero, $zero, 0; or $a0, $zero, $zero");
    CHECK_EQ(r.c->gpr[0], 0);
    CHECK_EQ(r.c->gpr[4], 0);
    rig_free(&r);
}

// The PC after one branch at RIG_CODE.
static u64 branch(struct rig *r, const char *text, u64 a1, u64 a2)
{
    r->c->gpr[5] = a1;
    r->c->gpr[6] = a2;
    rig_run(r, text);
    return r->c->pc - RIG_CODE;
}

TEST(branches)
{
    struct rig r;
    rig_init(&r, "max");
    CHECK_EQ(branch(&r, "beq $a1, $a2, -8", 3, 3), -8ULL);
    CHECK_EQ(branch(&r, "beq $a1, $a2, -8", 3, 4), 4);
    CHECK_EQ(branch(&r, "bne $a1, $a2, 131068", 3, 4), 131068);
    CHECK_EQ(branch(&r, "blt $a1, $a2, 64", -1ULL, 0), 64);
    CHECK_EQ(branch(&r, "bltu $a1, $a2, 64", -1ULL, 0), 4);
    CHECK_EQ(branch(&r, "bge $a1, $a2, 64", 0, 0), 64);
    CHECK_EQ(branch(&r, "bgeu $a1, $a2, 64", -1ULL, 0), 64);
    CHECK_EQ(branch(&r, "beqz $a1, -4194304", 0, 0), -4194304ULL);
    CHECK_EQ(branch(&r, "bnez $a1, 4194300", 0x8000000000000000, 0), 4194300);
    CHECK_EQ(branch(&r, "b -134217728", 0, 0), -134217728ULL);
    r.c->fcc[3] = 1;
    CHECK_EQ(branch(&r, "bceqz $fcc3, 64", 0, 0), 4);
    CHECK_EQ(branch(&r, "bcnez $fcc3, 64", 0, 0), 64);
    CHECK_EQ(branch(&r, "bl 64", 0, 0), 64);
    CHECK_EQ(r.c->gpr[1], RIG_CODE + 4);
    CHECK_EQ(branch(&r, "jirl $a1, $a1, -4", RIG_CODE + 0x100, 0), 0xfc); // rj is read first
    CHECK_EQ(r.c->gpr[5], RIG_CODE + 4);
    rig_free(&r);
}

static u64 ecode(struct rig *r)
{
    return bits_get(la_csr_read(r->c, CSR_ESTAT), 21, 16);
}

TEST(empty_bit_fields_are_undefined)
{
    static const char *const texts[] = {".word 0x00600484",  // bstrins.w $a0, $a0, 0, 1
                                        ".word 0x00608484",  // bstrpick.w
                                        ".word 0x00800484",  // bstrins.d
                                        ".word 0x00c00484"}; // bstrpick.d
    for (unsigned n = 0; n < ARRAY_LEN(texts); n++) {
        struct rig r;
        rig_init(&r, "max");
        rig_run(&r, texts[n]);
        CHECK_EQ(r.c->pc, RIG_ENTRY);
        CHECK_EQ(ecode(&r), EXC_INE);
        rig_free(&r);
    }
}
