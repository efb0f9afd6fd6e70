// SPDX-License-Identifier: Apache-2.0
// Configuration words, and that an instruction executes exactly if its bit is set there.
// Reference Manual, volume 1, 2.2.10.5.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/report.h"

static u64 data[8] __attribute__((aligned(64)));

#define CODE(name, text)                                                       \
    static u64 name(u64 a, u64 b, u64 c)                                       \
    {                                                                          \
        __asm__ volatile(text : : "r"(data), "r"(b), "r"(c) : "memory", "t0"); \
        return 0;                                                              \
    }
CODE(do_fp, "fadd.d $f0, $f0, $f0")
CODE(do_lsx, "vadd.b $vr0, $vr0, $vr0")
CODE(do_lasx, "xvadd.b $xr0, $xr0, $xr0")
CODE(do_crc, "crc.w.w.w $t0, %1, %2")
CODE(do_lam, "amadd.w $t0, %1, %0")
CODE(do_lam_bh, "amadd.b $t0, %1, %0")
CODE(do_lamcas, "amcas.d $t0, %1, %0")
CODE(do_llacq, "llacq.w $t0, %0")
CODE(do_screl, "screl.w $t0, %0")
CODE(do_scq, "sc.q $t0, %1, %0")
CODE(do_frecipe, "frecipe.s $f0, $f0")
CODE(do_vfrecipe, "vfrecipe.s $vr0, $vr0")
CODE(do_lspw, "lddir $t0, %0, 1")
CODE(do_iocsr, "iocsrrd.w $t0, $zero")
CODE(do_lbt, "movgr2scr $scr0, %1")
CODE(do_lvz, "gcsrrd $t0, 0")

static const struct feature {
    const char *name;
    trap_function f;
    unsigned word;
    u64 bits; // all must be set
} features[] = {
    {"IOCSR: iocsrrd.w", do_iocsr, 1, BIT(3)},
    {"CRC: crc.w.w.w", do_crc, 1, BIT(25)},
    {"FP: fadd.d", do_fp, 2, BIT(0)},
    {"LSX: vadd.b", do_lsx, 2, BIT(6)},
    {"LASX: xvadd.b", do_lasx, 2, BIT(7)},
    {"LSPW: lddir", do_lspw, 2, BIT(21)},
    {"LAM: amadd.w", do_lam, 2, BIT(22)},
    {"LAM_BH: amadd.b", do_lam_bh, 2, BIT(27)},
    {"LAMCAS: amcas.d", do_lamcas, 2, BIT(28)},
    {"LLACQ_SCREL: llacq.w", do_llacq, 2, BIT(29)},
    {"LLACQ_SCREL: screl.w", do_screl, 2, BIT(29)},
    {"SCQ: sc.q", do_scq, 2, BIT(30)},
    {"FRECIPE: frecipe.s", do_frecipe, 2, BIT(25) | BIT(0)},
    {"FRECIPE and LSX: vfrecipe.s", do_vfrecipe, 2, BIT(25) | BIT(6)},
    {"LBT: movgr2scr", do_lbt, 2, BIT(18)},
    {"LVZ: gcsrrd", do_lvz, 2, BIT(10)},
};

static void test_features(void)
{
    csr_write(CSR_EUEN, EUEN_FPE | EUEN_SXE | EUEN_ASXE);
    for (unsigned i = 0; i < ARRAY_LEN(features); i++) {
        const struct feature *f = &features[i];
        bool has = (cpucfg(f->word) & f->bits) == f->bits;
        struct trap t = trap_call(0, f->f, 0, 0, 0);
        report_trap(&t, has ? EXC_NONE : EXC_INE, "%s %s", f->name,
                    has ? "executes" : "is undefined");
    }
    csr_write(CSR_EUEN, 0);
}

static u64 read_word(u64 index, u64 b, u64 c)
{
    u64 value;
    __asm__ volatile("cpucfg %0, %1" : "=r"(value) : "r"(index));
    return value;
}

// What makes a processor of this family; the values of the la464 are those of Loongson 3A5000.
static const struct {
    unsigned word;
    u32 mask, value;
    const char *name;
} common[] =
    {
        {0, 0xff0000, 0x140000, "PRID.company"},
        {1, 0x3, 2, "ARCH is LA64"},
        {1, 0xc, 0xc, "PGMMU and IOCSR"},
        {1, 0xff << 4, 47 << 4, "PALEN"},
        {1, 0xff << 12, 47 << 12, "VALEN"},
        {1, 0xf << 20 | 1 << 24, 0xf << 20 | 1 << 24, "UAL, RI, EP, RPLV, HP"},
        {2, 1 << 14 | 7 << 15, 1 << 14 | 1 << 15, "LLFTP, version 1"},
        {4, ~0u, 100000000, "CC_FREQ"},
        {5, ~0u, 0x10001, "CC_MUL and CC_DIV"},
        {0x10, ~0u, 0x2c3d, "caches"},
        {0x11, ~0u, 0x06080003, "L1 instruction cache"},
        {0x12, ~0u, 0x06080003, "L1 data cache"},
        {0x13, ~0u, 0x0608000f, "L2 cache"},
        {0x14, ~0u, 0x060e000f, "L3 cache"},
},
  la464[] = {
      {0, ~0u, 0x0014c010, "word 0"},
      {1, ~0u, 0x03f2f2fe, "word 1"},
      {2, ~0u, 0x0060c0cf, "word 2"},
      {3, ~0u, 0x0000fcff, "word 3"},
};

static void test_words(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(common); i++)
        report_eq(cpucfg(common[i].word) & common[i].mask, common[i].value, "%s", common[i].name);
    for (unsigned i = 0; i < ARRAY_LEN(la464) && args_is("cpu", "la464"); i++)
        report_eq(cpucfg(la464[i].word) & la464[i].mask, la464[i].value, "la464: %s",
                  la464[i].name);
    // Words beyond the last.
    static const u64 absent[] = {0x7, 0xf, 0x15, 0x20, 0x80000000, 0xffffffff};
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < ARRAY_LEN(absent); i++)
        n_wrong += read_word(absent[i], 0, 0) != 0;
    report_eq(n_wrong, 0, "absent words read 0");
    struct trap t = trap_call(3, read_word, 4, 0, 0);
    report_trap(&t, EXC_NONE, "cpucfg is for all levels");
    report_eq(t.value, 100000000, "and gives the same there");
}

int main(void)
{
    test_words();
    test_features();
    return 0;
}
