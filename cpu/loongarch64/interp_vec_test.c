// SPDX-License-Identifier: Apache-2.0
// One example of each family of vector instructions, worked out by hand; halves, upper halves,
// traps.
#include "base/test.h"
#include "cpu/loongarch64/interp_fp.h"
#include "cpu/loongarch64/rig.h"

#define RAMP_LOW  0x0706050403020100ULL // byte n is n
#define RAMP_HIGH 0x0f0e0d0c0b0a0908ULL
#define ONES      (~0ULL)

static u64 ecode(struct rig *r)
{
    return bits_get(la_csr_read(r->c, CSR_ESTAT), 21, 16);
}

// vj = $vr1, vk = $vr2, the old vd = $vr0 (each high, low), and the new vd.
struct row {
    const char *text;
    u64 j1, j0, k1, k0, d1, d0, high, low;
};

// The same text with every "v" of a mnemonic or register turned into "xv" and "x".
static void widen(char *out, const char *text)
{
    *out++ = 'x';
    for (; *text; text++) {
        if (text[0] == '$' && text[1] == 'v') {
            *out++ = '$';
            *out++ = 'x';
            text++;
        } else {
            *out++ = *text;
        }
    }
    *out = 0;
}

static void check_row(struct rig *r, const struct row *w)
{
    char text[100];
    struct la_cpu *c = r->c;
    const union la_vreg j = {.d = {w->j0, w->j1, w->j0, w->j1}};
    const union la_vreg k = {.d = {w->k0, w->k1, w->k0, w->k1}};
    const union la_vreg d = {.d = {w->d0, w->d1, w->d0, w->d1}};
    c->vr[0] = d;
    c->vr[1] = j;
    c->vr[2] = k;
    rig_run(r, w->text);
    bool ok = CHECK_EQ(c->vr[0].d[0], w->low);
    ok = CHECK_EQ(c->vr[0].d[1], w->high) && ok;
    ok = CHECK_EQ(c->vr[0].d[2], w->d0) && ok; // kept
    ok = CHECK_EQ(c->vr[0].d[3], w->d1) && ok;
    c->vr[0] = d;
    widen(text, w->text);
    rig_run(r, text);
    for (unsigned n = 0; n < 4; n++)
        ok = CHECK_EQ(c->vr[0].d[n], n & 1 ? w->high : w->low) && ok;
    if (!ok)
        printf("# %s\n", w->text);
}

static void check_rows(const struct row *rows, size_t n)
{
    struct rig r;
    rig_init(&r, "max");
    for (size_t i = 0; i < n; i++)
        check_row(&r, &rows[i]);
    rig_free(&r);
}

#define CHECK_ROWS(rows) check_rows((rows), ARRAY_LEN(rows))

// clang-format off
TEST(within_lanes)
{
    static const struct row rows[] = {
        {"vadd.b $vr0, $vr1, $vr2", 0, 0xff, 0, 0x0102, 0, 0, 0, 0x0101},
        {"vsub.d $vr0, $vr1, $vr2", 0, 5, 1, 6, 0, 0, ONES, ONES},
        {"vadd.q $vr0, $vr1, $vr2", 0, ONES, 0, 1, 0, 0, 1, 0},
        {"vaddi.bu $vr0, $vr1, 31", 0, 0xf0, 0, 0, 0, 0, 0x1f1f1f1f1f1f1f1f, 0x1f1f1f1f1f1f1f0f},
        {"vsadd.h $vr0, $vr1, $vr2", 0, 0x7fff8000, 0, 0x0001ffff, 0, 0, 0, 0x7fff8000},
        {"vssub.wu $vr0, $vr1, $vr2", 0, 5, 0, 6, 0, 0, 0, 0},
        {"vsat.h $vr0, $vr1, 7", 0, 0x8000007f00800080, 0, 0, 0, 0, 0, 0xff80007f007f007f},
        {"vavg.w $vr0, $vr1, $vr2", 0, 0xffffffff, 0, 0xfffffffe, 0, 0, 0, 0xfffffffe},
        {"vavgr.du $vr0, $vr1, $vr2", ONES, 2, ONES, 3, 0, 0, ONES, 3},
        {"vabsd.b $vr0, $vr1, $vr2", 0, 0x80, 0, 0x7f, 0, 0, 0, 0xff},
        {"vadda.b $vr0, $vr1, $vr2", 0, 0x80ff, 0, 0x8002, 0, 0, 0, 0x0003},
        {"vmaxi.b $vr0, $vr1, -16", 0, 0x80, 0, 0, 0, 0, 0, 0xf0},
        {"vmin.du $vr0, $vr1, $vr2", 0, 1, 1, ONES, 0, 0, 0, 1},
        {"vsigncov.h $vr0, $vr1, $vr2", 0, 0xffff00000001, 0, 0x800011112222, 0, 0, 0, 0x800000002222},
        {"vmuh.h $vr0, $vr1, $vr2", 0, 0x8000, 0, 0x8000, 0, 0, 0, 0x4000},
        {"vmadd.w $vr0, $vr1, $vr2", 0, 3, 0, 5, 7, 1, 7, 16},
        {"vdiv.w $vr0, $vr1, $vr2", 0, 0x8000000000000009, 0, 0xffffffff00000000, 0, 0, 0, 0x8000000000000000},
        {"vmod.bu $vr0, $vr1, $vr2", 0, 0x0907, 0, 0x0400, 0, 0, 0, 0x0100},
        {"vseqi.b $vr0, $vr1, -1", 0, 0xff, 0, 0, 0, 0, 0, 0xff},
        {"vslt.d $vr0, $vr1, $vr2", ONES, 0, 0, ONES, 0, 0, ONES, 0},
        {"vandn.v $vr0, $vr1, $vr2", 0, 0xf0, 0, 0xff, 0, 0, 0, 0x0f},
        {"vbitsel.v $vr0, $vr1, $vr2, $vr0", 0, 0x1111, 0, 0x2222, 0, 0xff00, 0, 0x2211},
        {"vbitseli.b $vr0, $vr1, 0x5a", 0, 0xffff, 0, 0, 0, 0xf00f, 0, 0x5ffa},
    };
    CHECK_ROWS(rows);
}

TEST(shifts)
{
    static const struct row rows[] = {
        {"vsll.b $vr0, $vr1, $vr2", 0, 0x0101, 0, 0x0907, 0, 0, 0, 0x0280},
        {"vsrar.h $vr0, $vr1, $vr2", 0, 0xfff9, 0, 1, 0, 0, 0, 0xfffd},
        {"vsrlri.w $vr0, $vr1, 1", 0, 0xffffffff, 0, 0, 0, 0, 0, 0x80000000},
        {"vrotri.d $vr0, $vr1, 4", 0xf, 0x1, 0, 0, 0, 0, 0xf000000000000000, 0x1000000000000000},
        {"vsrln.b.h $vr0, $vr1, $vr2", 0, 0x1234, 0, 4, ONES, ONES, 0, 0x23},
        {"vssran.bu.h $vr0, $vr1, $vr2", 0, 0x80007fff, 0, 0, ONES, ONES, 0, 0x00ff},
        {"vssrln.h.w $vr0, $vr1, $vr2", 0, 0xffffffff, 0, 0, 0, 0, 0, 0x7fff},
        {"vsrlni.d.q $vr0, $vr1, 64", 5, 6, 0, 0, 7, 8, 7, 5},
        {"vssrarni.b.h $vr0, $vr1, 1", 0, 0x7fff, 0, 0, 0, 0xfffd, 0xff, 0x7f},
        {"vssrlni.d.q $vr0, $vr1, 0", 1, 0, 0, 0, 0, 3, 3, 0x7fffffffffffffff},
    };
    CHECK_ROWS(rows);
}

TEST(widening)
{
    static const struct row rows[] = {
        {"vaddwev.h.b $vr0, $vr1, $vr2", 0, 0x1280, 0, 0x3480, 0, 0, 0, 0xff00},
        {"vaddwod.h.bu $vr0, $vr1, $vr2", 0, 0xff00, 0, 0xff00, 0, 0, 0, 0x01fe},
        {"vsubwev.q.du $vr0, $vr1, $vr2", 0, 0, 0, 1, 0, 0, ONES, ONES},
        {"vmulwev.d.wu.w $vr0, $vr1, $vr2", 0, 0xffffffff, 0, 0xffffffff, 0, 0, 0, 0xffffffff00000001},
        {"vmaddwod.w.h $vr0, $vr1, $vr2", 0, 0xffff0000, 0, 0x00020000, 0, 1, 0, 0xffffffff},
        {"vmulwod.q.d $vr0, $vr1, $vr2", ONES, 0, 2, 0, 0, 0, ONES, -2ULL},
        {"vhaddw.h.b $vr0, $vr1, $vr2", 0, 0x8001, 0, 0x0203, 0, 0, 0, 0xff83},
        {"vexth.w.h $vr0, $vr1", 0x8000000100020003, 0, 0, 0, 0, 0, 0xffff800000000001, 0x0000000200000003},
        {"vsllwil.hu.bu $vr0, $vr1, 7", 0, 0xff, 0, 0, 0, 0, 0, 0x7f80},
        {"vextl.q.d $vr0, $vr1", 0, 1ULL << 63, 0, 0, 0, 0, ONES, 1ULL << 63},
    };
    CHECK_ROWS(rows);
}

TEST(bits)
{
    static const struct row rows[] = {
        {"vbitclr.b $vr0, $vr1, $vr2", 0, 0xffff, 0, 0x0f00, 0, 0, 0, 0x7ffe},
        {"vbitrevi.d $vr0, $vr1, 63", 0, 1ULL << 63, 0, 0, 0, 0, 1ULL << 63, 0},
        {"vclz.h $vr0, $vr1", 0, 0x8000000100000010, 0, 0, 0, 0, 0x0010001000100010, 0x0000000f0010000b},
        {"vclo.b $vr0, $vr1", 0, 0xffe0807f, 0, 0, 0, 0, 0, 0x08030100},
        {"vpcnt.w $vr0, $vr1", 0, 0xffffffff, 0, 0, 0, 0, 0, 32},
        {"vmskltz.b $vr0, $vr1", 0x80ULL << 56, 0x80, 0, 0, ONES, ONES, 0, 0x8001},
        {"vmskgez.b $vr0, $vr1", ONES, 0x00ffffffffffffff, 0, 0, 0, 0, 0, 0x0080},
        {"vmsknz.b $vr0, $vr1", 0, 0x0100, 0, 0, 0, 0, 0, 2},
        {"vfrstp.b $vr0, $vr1, $vr2", 0, 0x800000, 0, 0x11, 0, 0, 0, 0x0200},
        {"vfrstpi.h $vr0, $vr1, 3", 0, 0, 0, 0, 0, 0, 0, 0x0008000000000000},
    };
    CHECK_ROWS(rows);
}

TEST(permutations)
{
    static const struct row rows[] = {
        {"vpackev.h $vr0, $vr1, $vr2", 0, 0x4444333322221111, 0, 0x8888777766665555, 0, 0, 0, 0x3333777711115555},
        {"vilvl.w $vr0, $vr1, $vr2", 0, 0x0000000200000001, 0, 0x0000000400000003, 0, 0, 0x0000000200000004, 0x0000000100000003},
        {"vilvh.d $vr0, $vr1, $vr2", 1, 2, 3, 4, 0, 0, 1, 3},
        {"vpickod.d $vr0, $vr1, $vr2", 1, 2, 3, 4, 0, 0, 1, 3},
        {"vpickev.b $vr0, $vr1, $vr2", RAMP_HIGH, RAMP_LOW, 0, 0, 0, 0, 0x0e0c0a0806040200, 0},
        {"vshuf.b $vr0, $vr1, $vr2, $vr0", 0, 0xaa, RAMP_HIGH, RAMP_LOW, 0, 0x3f300f01, 0, 0x00aa0f01},
        {"vshuf.w $vr0, $vr1, $vr2", 0, 0x99, 0x0000001100000022, 0x0000003300000044, 0x0000000300000004, 0x0000000200000001, 0x0000001100000099, 0x0000002200000033},
        {"vshuf4i.b $vr0, $vr1, 0x1b", 0, 0x0807060504030201, 0, 0, 0, 0, 0, 0x0506070801020304},
        {"vshuf4i.d $vr0, $vr1, 0xd", 1, 2, 0, 0, 3, 4, 1, 3},
        {"vpermi.w $vr0, $vr1, 0xe4", 0, 0x0000000200000001, 0, 0, 0x0000000400000003, 0, 0x0000000400000003, 0x0000000200000001},
        {"vextrins.h $vr0, $vr1, 0x70", 0, 0x1234, 0, 0, 0, 0, 0x1234000000000000, 0},
        {"vbsll.v $vr0, $vr1, 9", RAMP_HIGH, RAMP_LOW, 0, 0, 0, 0, 0x0605040302010000, 0},
        {"vbsrl.v $vr0, $vr1, 17", 0, 0x1234, 0, 0, 0, 0, 0, 0x12},
    };
    CHECK_ROWS(rows);
}

TEST(floating_point)
{
    static const struct row rows[] = {
        {"vfadd.s $vr0, $vr1, $vr2", 0, 0x3f80000040000000, 0, 0x3f80000040400000, 0, 0, 0, 0x4000000040a00000},
        {"vfmsub.d $vr0, $vr1, $vr2, $vr0", 0, 0x4000000000000000, 0, 0x4008000000000000, 0, 0x3ff0000000000000, 0, 0x4014000000000000},
        {"vfclass.s $vr0, $vr1", 0, 0x7f800000, 0, 0, 0, 0, 0x0000020000000200, 0x0000020000000040},
        {"vfcmp.cune.d $vr0, $vr1, $vr2", 0x7ff8000000000000, 0, 0, 0, 0, 0, ONES, 0},
        {"vfcvt.h.s $vr0, $vr1, $vr2", 0, 0x3f800000, 0, 0x40000000, 0, 0, 0x3c00, 0x4000},
        {"vfcvth.d.s $vr0, $vr1", 0x3f80000040000000, 0, 0, 0, 0, 0, 0x3ff0000000000000, 0x4000000000000000},
        {"vffint.s.wu $vr0, $vr1", 0, 0x80000000, 0, 0, 0, 0, 0, 0x4f000000},
        {"vftintrz.w.d $vr0, $vr1, $vr2", 0, 0xbff8000000000000, 0, 0x4004000000000000, 0, 0, 0x00000000ffffffff, 2},
        {"vftint.lu.d $vr0, $vr1", 0xbff0000000000000, 0x43e0000000000000, 0, 0, 0, 0, 0, 1ULL << 63},
        {"vfrintrp.s $vr0, $vr1", 0, 0x3fa66666, 0, 0, 0, 0, 0, 0x40000000},
    };
    CHECK_ROWS(rows);
}
// clang-format on

TEST(moves_between_registers)
{
    struct rig r;
    rig_init(&r, "max");
    struct la_cpu *c = r.c;
    c->vr[1] = (union la_vreg){.d = {0x8182838485868788, 2, 3, 0xfffffff400000005}};
    rig_run(&r,
            "vpickve2gr.b $a0, $vr1, 0; vpickve2gr.hu $a1, $vr1, 1; xvpickve2gr.w $a2, $xr1, 7");
    CHECK_EQ(c->gpr[4], 0xffffffffffffff88);
    CHECK_EQ(c->gpr[5], 0x8586);
    CHECK_EQ(c->gpr[6], 0xfffffffffffffff4);
    rig_run(&r, "xvinsgr2vr.d $xr1, $a1, 3; xvpickve.d $xr2, $xr1, 3; xvinsve0.w $xr2, $xr1, 7");
    CHECK_EQ(c->vr[1].d[3], 0x8586);
    CHECK_EQ(c->vr[2].d[0], 0x8586);
    CHECK_EQ(c->vr[2].d[1] | c->vr[2].d[2], 0);
    CHECK_EQ(c->vr[2].d[3], 0x8586878800000000);
    rig_run(&r, "xvreplve0.q $xr3, $xr1; xvrepl128vei.d $xr4, $xr1, 1; addi.d $a3, $zero, 17;"
                "xvreplve.b $xr5, $xr1, $a3; vreplgr2vr.h $vr6, $a0");
    CHECK_EQ(c->vr[3].d[2], 0x8182838485868788);
    CHECK_EQ(c->vr[3].d[3], 2);
    CHECK_EQ(c->vr[4].d[0], 2);
    CHECK_EQ(c->vr[4].d[2], 0x8586);
    CHECK_EQ(c->vr[5].d[0], 0x8787878787878787);
    CHECK_EQ(c->vr[5].d[3], 0); // of its own half
    CHECK_EQ(c->vr[6].d[1], 0xff88ff88ff88ff88);
    rig_free(&r);
}

TEST(across_halves)
{
    struct rig r;
    rig_init(&r, "max");
    struct la_cpu *c = r.c;
    c->vr[1] = (union la_vreg){.w = {10, 11, 12, 13, 14, 15, 16, 17}};
    c->vr[2] = (union la_vreg){.w = {7, 6, 5, 4, 3, 2, 1, 8}};
    rig_run(&r, "xvperm.w $xr0, $xr1, $xr2; xvpermi.d $xr3, $xr1, 0x1b");
    for (unsigned n = 0; n < 7; n++)
        CHECK_EQ(c->vr[0].w[n], 17 - n);
    CHECK_EQ(c->vr[0].w[7], 10);
    CHECK_EQ(c->vr[3].w[0], 16);
    CHECK_EQ(c->vr[3].w[7], 11);
    c->vr[4] = (union la_vreg){.d = {1, 2, 3, 4}};
    rig_run(&r, "xvpermi.q $xr4, $xr1, 0x12"); // low: old xd low, high: xj high
    CHECK_EQ(c->vr[4].d[0], 1);
    CHECK_EQ(c->vr[4].w[4], 14);
    c->vr[5] = (union la_vreg){.sb = {-1, 2, -3, 4}};
    rig_run(&r, "vext2xv.d.b $xr6, $xr5; vext2xv.du.bu $xr5, $xr5");
    CHECK_EQ(c->vr[6].d[2], -3ULL);
    CHECK_EQ(c->vr[6].d[3], 4);
    CHECK_EQ(c->vr[5].d[2], 0xfd);
    rig_free(&r);
}

TEST(immediates)
{
    static const struct {
        s32 imm;
        u64 value;
    } rows[] = {{0x0ff, ONES},
                {0x401, 0x0001000100010001},
                {0x5ff - 0x400 + 0x800, 0x000001ff000001ff},
                {0xe00, -512ULL},
                {-0x1000 + 0x000 + 0xab, 0x000000ab000000ab},
                {-0x1000 + 0x300 + 0xab, 0xab000000ab000000},
                {-0x1000 + 0x500 + 0xab, 0xab00ab00ab00ab00},
                {-0x1000 + 0x600 + 0xab, 0x0000abff0000abff},
                {-0x1000 + 0x700 + 0xab, 0x00abffff00abffff},
                {-0x1000 + 0x900 + 0x81, 0xff000000000000ff},
                {-0x1000 + 0xa00 + 0x70, 0x3f8000003f800000},
                {-0x1000 + 0xb00 + 0x80, 0x00000000c0000000},
                {-0x1000 + 0xc00 + 0x70, 0x3ff0000000000000}};
    struct rig r;
    rig_init(&r, "max");
    for (unsigned n = 0; n < ARRAY_LEN(rows); n++) {
        char text[60];
        snprintf(text, sizeof(text), "xvldi $xr0, %d; vldi $vr1, %d", rows[n].imm, rows[n].imm);
        rig_run(&r, text);
        if (!CHECK_EQ(r.c->vr[0].d[3], rows[n].value) || !CHECK_EQ(r.c->vr[1].d[1], rows[n].value))
            printf("# vldi %#x\n", (unsigned)rows[n].imm);
    }
    rig_run(&r, "vldi $vr1, -768"); // pattern 13
    CHECK_EQ(ecode(&r), EXC_INE);
    rig_free(&r);
}

TEST(tests_into_a_flag)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->vr[1] = (union la_vreg){.d = {0, 0, 0, 1}};
    rig_run(&r, "vseteqz.v $fcc0, $vr1; xvseteqz.v $fcc1, $xr1; xvsetnez.v $fcc2, $xr1");
    CHECK_EQ(r.c->fcc[0], 1);
    CHECK_EQ(r.c->fcc[1], 0);
    CHECK_EQ(r.c->fcc[2], 1);
    r.c->vr[1] = (union la_vreg){.d = {ONES, ONES, ONES, ~0xff00ULL}};
    rig_run(&r, "vsetanyeqz.b $fcc0, $vr1; xvsetanyeqz.b $fcc1, $xr1; xvsetallnez.h $fcc2, $xr1");
    CHECK_EQ(r.c->fcc[0], 0);
    CHECK_EQ(r.c->fcc[1], 1);
    CHECK_EQ(r.c->fcc[2], 1);
    rig_free(&r);
}

TEST(single_elements_and_memory)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->gpr[5] = 0x100000;
    rig_write64(&r, 0x100008, 0x1122334455667788);
    rig_run(&r, "vldrepl.h $vr0, $a1, 10; xvldrepl.w $xr1, $a1, 12; xvstelm.b $xr1, $a1, -1, 31");
    CHECK_EQ(r.c->vr[0].d[1], 0x5566556655665566);
    CHECK_EQ(r.c->vr[1].d[3], 0x1122334411223344);
    CHECK_EQ(rig_read64(&r, 0xffff8), 0x11ULL << 56);
    rig_free(&r);
}

TEST(causes_of_all_lanes_and_traps)
{
    struct rig r;
    rig_init(&r, "max");
    struct la_cpu *c = r.c;
    // 1 / 0 in one lane, 0 / 0 in another, 1 / 3 in a third.
    c->vr[1] = (union la_vreg){.w = {0x3f800000, 0, 0x3f800000, 0x3f800000}};
    c->vr[2] = (union la_vreg){.w = {0, 0, 0x40400000, 0x3f800000}};
    u32 all = FP_DIVZERO | FP_INVALID | FP_INEXACT;
    rig_run(&r, "vfdiv.s $vr0, $vr1, $vr2");
    CHECK_EQ(c->fcsr, all << FCSR_CAUSE_SHIFT | all << FCSR_FLAGS_SHIFT);
    CHECK_EQ(c->vr[0].w[3], 0x3f800000);
    c->fcsr = FP_INVALID;
    c->vr[0].d[0] = 42;
    rig_run(&r, "vfdiv.s $vr0, $vr1, $vr2");
    CHECK_EQ(c->pc, RIG_ENTRY);
    CHECK_EQ(bits_get(c->csr[CSR_ESTAT], 30, 16), EXC_VFPE);
    CHECK_EQ(c->fcsr, all << FCSR_CAUSE_SHIFT | FP_INVALID);
    CHECK_EQ(c->vr[0].d[0], 42);
    rig_free(&r);
}

TEST(units_must_be_on)
{
    struct rig r;
    rig_init(&r, "max");
    la_csr_write(r.c, CSR_EUEN, EUEN_FPE, ~0ULL);
    rig_run(&r, "vadd.b $vr0, $vr1, $vr2");
    CHECK_EQ(ecode(&r), EXC_SXD);
    rig_run(&r, "vld $vr0, $a1, 0");
    CHECK_EQ(ecode(&r), EXC_SXD);
    la_csr_write(r.c, CSR_EUEN, EUEN_FPE | EUEN_SXE, ~0ULL);
    rig_run(&r, "xvfadd.s $xr0, $xr1, $xr2");
    CHECK_EQ(ecode(&r), EXC_ASXD);
    rig_run(&r, "xvstx $xr0, $a1, $a2");
    CHECK_EQ(ecode(&r), EXC_ASXD);
    rig_run(&r, "vsetnez.v $fcc0, $vr0; vfadd.s $vr0, $vr1, $vr2");
    CHECK_EQ(r.c->pc, RIG_CODE + 8);
    rig_free(&r);
}
