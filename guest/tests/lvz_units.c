// SPDX-License-Identifier: Apache-2.0
// Units that root and guests share: floating point and vectors, switched lazily by the root's EUEN,
// and the bit of ll and sc, which each side has for itself.
//
// Command line: ll_shared=1 tells how the processor was configured.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/lvz.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"
#include "guest/lib/text.h"

#define GUEST(code) (LVZ_GUEST | (code))
#define UNITS       (EUEN_FPE | EUEN_SXE | EUEN_ASXE)

static struct vcpu v;

static void test_enables(void)
{
    const struct {
        const char *name;
        u32 word;
        u64 bit, below;
        unsigned code;
    } cases[] = {
        {"FP", WORD("fadd.d $f0, $f0, $f0"), EUEN_FPE, 0, EXC_FPD},
        {"FP load", WORD("fld.d $f0, $a0, 0"), EUEN_FPE, 0, EXC_FPD},
        {"FP move", WORD("movgr2fr.d $f0, $a0"), EUEN_FPE, 0, EXC_FPD},
        {"FP status", WORD("movfcsr2gr $t0, $fcsr0"), EUEN_FPE, 0, EXC_FPD},
        {"FP store", WORD("fst.s $f0, $a0, 0"), EUEN_FPE, 0, EXC_FPD},
        {"LSX", WORD("vadd.b $vr0, $vr0, $vr0"), EUEN_SXE, EUEN_FPE, EXC_SXD},
        {"LSX load", WORD("vld $vr0, $a0, 0"), EUEN_SXE, EUEN_FPE, EXC_SXD},
        {"LASX", WORD("xvadd.b $xr0, $xr0, $xr0"), EUEN_ASXE, EUEN_FPE | EUEN_SXE, EXC_ASXD},
        {"LASX store", WORD("xvst $xr0, $a0, 0"), EUEN_ASXE, EUEN_FPE | EUEN_SXE, EXC_ASXD},
    };
    static u64 place[4] __attribute__((aligned(32)));
    lvz_init(&v, 1);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
        for (unsigned way = 0; way < 8; way++) { // bits: guest, root, level 3
            u64 guest = cases[i].below | (way & 1 ? cases[i].bit : 0);
            u64 root = cases[i].below | (way & 2 ? cases[i].bit : 0);
            unsigned expected = !(way & 1)   ? GUEST(cases[i].code)
                                : !(way & 2) ? cases[i].code
                                             : EXC_NONE;
            gcsr_write(CSR_EUEN, guest);
            csr_write(CSR_EUEN, root);
            u64 crmd = CRMD_DA | (way & 4 ? 3 : 0);
            unsigned found = lvz_word(&v, crmd, cases[i].word, (u64)place, 0);
            bool passed = report_outcome(&v, found, expected, "%s, guest %u root %u level %u",
                                         cases[i].name, way & 1, way >> 1 & 1, way & 4 ? 3 : 0);
            if (passed && found == cases[i].code)
                report(v.era == (u64)lvz_word_address() && v.badi == cases[i].word &&
                           gcsr_read(CSR_EUEN) == guest,
                       "%s: ERA, BADI, the guest's EUEN unchanged", cases[i].name);
        }
    csr_write(CSR_EUEN, 0);
}

// The root opens a unit between two entries; the guest opens its own while it runs.
static void test_changes(void)
{
    const u32 fadd = WORD("fadd.d $f0, $f0, $f0");
    lvz_init(&v, 1);
    gcsr_write(CSR_EUEN, EUEN_FPE);
    unsigned n_wrong = 0;
    for (unsigned n = 0; n < 20; n++) {
        csr_write(CSR_EUEN, 0);
        n_wrong += lvz_word(&v, CRMD_DA, fadd, 0, 0) != EXC_FPD;
        csr_write(CSR_EUEN, EUEN_FPE);
        n_wrong += lvz_outcome(&v) != EXC_NONE;
    }
    report_eq(n_wrong, 0, "the root opens the unit and the guest goes on where it was");
    gcsr_write(CSR_EUEN, 0);
    lvz_word(&v, CRMD_DA, WORD("csrwr $a0, 0x2"), EUEN_FPE, 0);
    report_outcome(&v, lvz_word(&v, CRMD_DA, fadd, 0, 0), EXC_NONE, "the guest opens its own");
    csr_write(CSR_EUEN, 0);
    report_outcome(&v, lvz_word(&v, CRMD_DA, fadd, 0, 0), EXC_FPD, "the root closes it");
}

// Vector registers as memory, all 256 bits of each.
struct vectors {
    u64 word[32][4];
} __attribute__((aligned(32)));

__asm__(".pushsection .text.vectors_io, \"ax\"\n"
        ".globl vectors_save, vectors_load, guest_vectors\n"
        ".macro each_vector insn\n"
        ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
        "22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n"
        "\\insn $xr\\n, $a0, 32 * \\n\n"
        ".endr\n"
        ".endm\n"
        "vectors_save:\n"
        "each_vector xvst\n"
        "ret\n"
        "vectors_load:\n"
        "each_vector xvld\n"
        "ret\n"
        // The guest: its units one after the other, then a yield, for ever. $f0 counts by the FPU,
        // $vr1 by LSX, $xr2 by LASX; $xr31 is compared with $xr30, $a1 counts the differences.
        "guest_vectors:\n"
        "movfr2gr.d $t0, $f0\n"
        "addi.d $t0, $t0, 1\n"
        "movgr2fr.d $f0, $t0\n"
        ".word 0x002b8001\n"
        "vaddi.du $vr1, $vr1, 3\n"
        ".word 0x002b8002\n"
        "xvaddi.du $xr2, $xr2, 5\n"
        ".word 0x002b8003\n"
        "xvseq.d $xr29, $xr30, $xr31\n"
        "xvpickve2gr.d $t0, $xr29, 3\n"
        "addi.d $t0, $t0, 1\n"
        "sltu $t0, $zero, $t0\n"
        "add.d $a1, $a1, $t0\n"
        "b guest_vectors\n"
        ".popsection\n");
void vectors_save(struct vectors *f);
void vectors_load(const struct vectors *f);
extern const char guest_vectors[];

#define N_GUESTS 3

static struct context {
    struct vcpu v;
    struct vectors file, model; // as saved; as it must be
    u64 n_steps;
} contexts[N_GUESTS];
static struct vectors root_file;
static struct context *owner; // whose values the registers hold; NULL: the root's

static void randomize(struct vectors *f, struct random *r)
{
    for (unsigned i = 0; i < 32; i++)
        for (unsigned k = 0; k < 4; k++)
            f->word[i][k] = random_next(r);
}

// With the units open: the registers change hands.
static void hand_over(struct context *to)
{
    csr_write(CSR_EUEN, UNITS);
    vectors_save(owner ? &owner->file : &root_file);
    vectors_load(to ? &to->file : &root_file);
    owner = to;
}

// What the guest's instructions between two yields do. In an instruction of a narrower unit the
// upper part of the register may take any value: it is put in the model from the file.
static void model_step(struct context *c)
{
    struct vectors *m = &c->model;
    switch (c->n_steps++ % 3) {
    case 0: m->word[0][0]++; break;
    case 1:
        m->word[1][0] += 3;
        m->word[1][1] += 3;
        break;
    default:
        for (unsigned k = 0; k < 4; k++)
            m->word[2][k] += 5;
        break;
    }
}

static unsigned run_lazily(struct context *c)
{
    unsigned n_exits = 0, code;
    csr_write(CSR_EUEN, owner == c ? UNITS : 0);
    while ((code = lvz_run(&c->v)) == EXC_FPD || code == EXC_SXD || code == EXC_ASXD) {
        hand_over(c);
        n_exits++;
    }
    if (code != EXC_HVC)
        report_bail_out("exit 0x%x of a guest at 0x%lx", code, (unsigned long)c->v.era);
    c->v.pc += 4;
    model_step(c);
    return n_exits;
}

static unsigned differences(const struct vectors *a, const struct vectors *b)
{
    unsigned n = 0;
    for (unsigned i = 3; i < 32; i++) // 29 is the guest's scratch
        for (unsigned k = 0; k < 4; k++)
            n += i != 29 && a->word[i][k] != b->word[i][k];
    n += a->word[0][0] != b->word[0][0];
    n += a->word[1][0] != b->word[1][0] || a->word[1][1] != b->word[1][1];
    for (unsigned k = 0; k < 4; k++)
        n += a->word[2][k] != b->word[2][k];
    return n;
}

static void prepare(struct context *c, unsigned gid, struct random *r)
{
    lvz_init(&c->v, gid);
    randomize(&c->file, r);
    memcpy(&c->file.word[31], &c->file.word[30], 32);
    memcpy(&c->model, &c->file, sizeof(c->model));
    c->n_steps = 0;
    c->v.pc = (u64)guest_vectors;
    c->v.gpr[5] = 0;
}

static void test_lazy_switch(void)
{
    struct random r = {args_number("seed", 99)};
    struct vectors root_before;
    unsigned n_exits = 0, n_wrong = 0, n_root = 0;
    randomize(&root_file, &r);
    memcpy(&root_before, &root_file, sizeof(root_before));
    csr_write(CSR_EUEN, UNITS);
    vectors_load(&root_file);
    owner = NULL;
    for (unsigned i = 0; i < N_GUESTS; i++)
        prepare(&contexts[i], i + 1, &r);
    for (unsigned i = 0; i < N_GUESTS; i++)
        lvz_map_payload(&contexts[i].v);
    lvz_invalidate(0, 0, 0);
    for (unsigned i = 0; i < N_GUESTS; i++)
        lvz_stage2_map(i + 1, 60 + i, 0, 0, 24, PAGE_ALL);
    gcsr_write(CSR_EUEN, UNITS);
    for (unsigned n = 0; n < 3000; n++) {
        unsigned who = (unsigned)random_below(&r, N_GUESTS + 1);
        if (who < N_GUESTS) {
            n_exits += run_lazily(&contexts[who]);
            continue;
        }
        hand_over(NULL);
        vectors_save(&root_file);
        n_root += memcmp(&root_file, &root_before, sizeof(root_file)) != 0;
    }
    hand_over(NULL);
    for (unsigned i = 0; i < N_GUESTS; i++) {
        n_wrong += differences(&contexts[i].file, &contexts[i].model);
        n_wrong += contexts[i].v.gpr[5] != 0;
    }
    csr_write(CSR_EUEN, 0);
    report_eq(n_wrong, 0, "lazy switch: each guest computed in its own registers");
    report_eq(n_root, 0, "lazy switch: the root's are as they were");
    report(n_exits > 500, "lazy switch: %u times", n_exits);
}

// ll, an exit, sc. $a0 the address, $a1 what is stored; $a2 sc's result.
__asm__(".pushsection .text.guest_ll, \"ax\"\n"
        ".globl guest_ll, guest_ll_refill\n"
        "guest_ll:\n"
        "ll.d $t0, $a0, 0\n"
        ".word 0x002b8001\n"
        "move $a2, $a1\n"
        "sc.d $a2, $a0, 0\n"
        "ret\n"
        "guest_ll_refill:\n"
        "ll.d $t0, $a0, 0\n"
        "ld.d $t1, $a3, 0\n"
        "move $a2, $a1\n"
        "sc.d $a2, $a0, 0\n"
        "ret\n"
        ".popsection\n");
extern const char guest_ll[], guest_ll_refill[];

static u64 word;

enum { NOTHING, WCLLB, STORE, ROOT_PAIR };

static bool sc_succeeds(unsigned what)
{
    word = 5;
    lvz_call_at(&v, CRMD_DA, (u64)guest_ll, (u64)&word, 6, 0);
    bool is_set = gcsr_read(CSR_LLBCTL) & LLBCTL_ROLLB;
    if (what == WCLLB)
        gcsr_write(CSR_LLBCTL, LLBCTL_WCLLB);
    if (what == WCLLB && gcsr_read(CSR_LLBCTL) & LLBCTL_ROLLB)
        report(false, "ROLLB after WCLLB");
    if (what == NOTHING && is_set == !!args_number("ll_shared", 0))
        report(false, "ROLLB of the guest after the exit");
    if (what == STORE)
        *(volatile u64 *)&word = 7;
    v.pc += 4;
    lvz_outcome(&v);
    bool succeeded = v.gpr[6] == 1;
    if (word != (succeeded ? 6 : what == STORE ? 7 : 5))
        report(false, "memory is as sc says");
    return succeeded;
}

static bool fill_any(struct vcpu *u, u64 gpa)
{
    struct tlb_entry e = {align_down(gpa, 0x8000), 14, 0, {0, 0}};
    e.elo[0] = e.va | PAGE_ALL;
    e.elo[1] = (e.va + 0x4000) | PAGE_ALL;
    lvz_stage2_fill(u->gid, &e);
    return true;
}

static void test_links(void)
{
    bool shared = args_number("ll_shared", 0);
    lvz_init(&v, 1);
    report_eq(sc_succeeds(NOTHING), !shared,
              "sc after an exit: the guest's bit is its own, or not");
    report_eq(sc_succeeds(WCLLB), false, "sc after WCLLB by the root fails");
    report_eq(sc_succeeds(STORE), false, "sc after a store by the root fails");
    v.refill = fill_any;
    word = 5;
    v.gpr[7] = 0x5000000;
    v.n_refills = 0;
    lvz_call_at(&v, CRMD_DA, (u64)guest_ll_refill, (u64)&word, 6, 0);
    report(v.n_refills == 1 && v.gpr[6] == !shared && word == (shared ? 5 : 6),
           "sc after a refill of the second stage");
    v.refill = NULL;
    // The root's own bit is set, the guest runs, which ends it by the ertn.
    u64 old, result = 9;
    word = 5;
    __asm__ volatile("ll.d %0, %1, 0" : "=r"(old) : "r"(&word) : "memory");
    report(csr_read(CSR_LLBCTL) & LLBCTL_ROLLB, "ll of the root sets its bit");
    report(!(gcsr_read(CSR_LLBCTL) & LLBCTL_ROLLB), "not the guest's");
    lvz_word(&v, CRMD_DA, HVCL_WORD(1), 0, 0);
    __asm__ volatile("sc.d %0, %1, 0" : "+r"(result) : "r"(&word) : "memory");
    report(result == 0 && word == 5, "sc of the root after the guest ran fails");
}

int main(void)
{
    test_enables();
    test_changes();
    test_lazy_switch();
    test_links();
    return 0;
}
