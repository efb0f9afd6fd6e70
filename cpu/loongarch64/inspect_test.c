// SPDX-License-Identifier: Apache-2.0
#include "cpu/loongarch64/guest_rig.h"
#include "cpu/loongarch64/inspect.h"

static const struct cpu_topic *topic(const char *name)
{
    const struct cpu_topic *t = la_inspect.topics;
    while (strcmp(t->name, name))
        t++;
    return t;
}

// Expects the line in what the topic shows.
static void expect(struct rig *r, const char *name, const char *word, const char *line)
{
    struct cpu *cpus[] = {&r->c->cpu};
    struct text t = {0};
    struct err e = {0};
    CHECK(topic(name)->print(cpus, 1, 0, word, &t, &e));
    if (!CHECK(strstr(text_string(&t), line)))
        printf("# no line '%s' in\n%s\n", line, text_string(&t));
    text_free(&t);
}

static void refuse(struct rig *r, const char *name, const char *word, const char *message)
{
    struct cpu *cpus[] = {&r->c->cpu};
    struct text t = {0};
    struct err e = {0};
    CHECK(!topic(name)->print(cpus, 1, 0, word, &t, &e));
    CHECK_STR(e.text, message);
    CHECK_EQ(t.n, 0);
    text_free(&t);
}

TEST(registers)
{
    struct rig r;
    rig_init(&r, "max");
    r.c->gpr[3] = 0x1234;
    r.c->vr[1].d[0] = 0x3ff0000000000000;
    r.c->vr[1].d[3] = 7;
    expect(&r, "registers", "", "pc   0x0000000000010000  root, PLV 0, direct, interrupts off\n");
    expect(&r, "registers", "", "sp   0x0000000000001234\n");
    expect(&r, "registers", "fp", "f1   0x3ff0000000000000");
    expect(&r, "registers", "vector",
           "xr1  0x0000000000000007_0000000000000000_0000000000000000_3ff0000000000000\n");
    refuse(&r, "registers", "x", "'info registers x': it is fp, vector or nothing");
    rig_free(&r);
}

TEST(registers_by_name)
{
    struct rig r;
    u64 value = 0;
    init(&r);
    r.c->gpr[3] = 0x1234;
    r.c->root.csr[CSR_ERA] = 0x55;
    r.c->guest.csr[CSR_ERA] = 0x66;
    CHECK(la_inspect.get(&r.c->cpu, "sp", &value));
    CHECK_EQ(value, 0x1234);
    CHECK(la_inspect.get(&r.c->cpu, "r3", &value));
    CHECK_EQ(value, 0x1234);
    CHECK(la_inspect.get(&r.c->cpu, "era", &value));
    CHECK_EQ(value, 0x55);
    CHECK(la_inspect.get(&r.c->cpu, "gstat", &value));
    la_switch_context(r.c, &r.c->guest);
    CHECK(la_inspect.get(&r.c->cpu, "era", &value));
    CHECK_EQ(value, 0x66);
    CHECK(!la_inspect.get(&r.c->cpu, "gstat", &value));
    CHECK(!la_inspect.get(&r.c->cpu, "r32", &value));
    CHECK(!la_inspect.get(&r.c->cpu, "r", &value));
    CHECK(!la_inspect.get(&r.c->cpu, "", &value));
    rig_free(&r);
}

TEST(control_registers_with_their_fields)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_CRMD, CRMD_IE, CRMD_IE);
    la_gcsr_write(r.c, CSR_CRMD, CRMD_PG | 3, ~0ULL);
    r.c->root.csr[CSR_ESTAT] = (u64)EXC_HVC << 16;
    expect(&r, "csr", "CRMD", "0x000 CRMD      0x0000000000000014 PLV=0 IE=1 DA=0 PG=1");
    expect(&r, "csr", "estat", "IS=0 Ecode=0x17 EsubCode=0 (HVC)\n");
    expect(&r, "csr", "", "GSTAT     0x0000000000050080 PGM=0 GIDBITS=8 GID=5\n");
    expect(&r, "gcsr", "crmd", "PLV=3 IE=0 DA=0 PG=1");
    refuse(&r, "csr", "nix", "'nix': there is no such control register; 'info csr' lists them");
    refuse(&r, "gcsr", "gstat",
           "'gstat': there is no such guest control register; 'info gcsr' lists them");
    rig_free(&r);
    rig_init(&r, "la464");
    refuse(&r, "csr", "gstat", "'gstat': there is no such control register; 'info csr' lists them");
    refuse(&r, "gcsr", "", "this processor has no guests: its model lacks lvz");
    refuse(&r, "lvz", "", "this processor has no guests: its model lacks lvz");
    rig_free(&r);
}

// Reading GINTC takes an injected line away whose HC bit is set; looking at it does not.
TEST(looking_changes_nothing)
{
    struct rig r;
    init(&r);
    r.c->root.csr[CSR_GINTC] = 1 | 1 << 16;
    expect(&r, "csr", "gintc", "GINTC     0x0000000000010000");
    CHECK_EQ(r.c->root.csr[CSR_GINTC], 1 | 1 << 16);
    rig_free(&r);
}

TEST(entries_of_tlbs)
{
    struct rig r;
    init(&r);
    rig_map(&r, 2050, 0x400000, 0x100000, 14, V | PLV3 | CC | G | BIT(61));
    expect(
        &r, "tlb", "root",
        "MTLB[2050] 0x000000400000 PS 14 ASID 0 G GID 0 | PA 0x100000 V=1 D=0 PLV=3 MAT=1 NR | PA "
        "0x104000 V=1 D=0 PLV=3 MAT=1 NR\n");
    expect(&r, "tlb", "", "stage1: 0 entries, STLBPS 12\nstage2: 1 entries, STLBPS 12\n");
    refuse(&r, "tlb", "all", "'all': there are the TLBs root, stage1 and stage2");
    rig_free(&r);
}

TEST(counts_of_guests)
{
    struct rig r;
    init(&r);
    guest_program(&r, "hvcl 0");
    for (unsigned i = 0; i < 3; i++) {
        enter_at(&r, GUEST_CODE);
        r.now_ns += 2000;
        rig_step(&r);
        r.now_ns += 5000;
    }
    expect(&r, "lvz", "", "entries                                   3\n");
    expect(&r, "lvz", "", "exits by HVC                              3\n");
    expect(&r, "lvz", "", "time in guests, us                        6\n");
    expect(&r, "lvz", "", "time in the root, us                     15\n");
    enter_at(&r, GUEST_CODE); // one that is still in its guest counts, too
    r.now_ns += 1000;
    expect(&r, "lvz", "", "time in guests, us                        7\n");
    rig_free(&r);
}

// The walker finds the second stage of the guest's first instruction.
TEST(walks_are_counted)
{
    struct rig r;
    init(&r);
    r.c->root.csr[CSR_PWCL] = 14 | 11 << 5 | 25 << 10 | 11 << 15;
    r.c->root.csr[CSR_PWCH] = 36 | 11 << 6 | BIT(24);
    r.c->root.csr[CSR_PGDL] = 0x100000;
    rig_write64(&r, 0x100000, 0x108000);
    rig_write64(&r, 0x108000, 0x110000);
    rig_write64(&r, 0x110000 + 8 * (0x600000 >> 14), GUEST_BASE | V | D | BIT(7) | BIT(8));
    enter_at(&r, 0x600000);
    rig_step(&r);
    expect(&r, "lvz", "", "walks of the second stage                 1\n");
    expect(&r, "lvz", "", "walks of first stages                     0\n");
    rig_free(&r);
}

// A line that is passed on counts when it rises.
TEST(lines_that_are_passed_on_are_counted)
{
    struct rig r;
    init(&r);
    la_csr_write(r.c, CSR_GINTC, 1 << 8, ~0ULL);
    enter_at(&r, GUEST_CODE);
    for (unsigned i = 0; i < 4; i++) {
        cpu_set_line(&r.c->cpu, LINE_HWI0, !(i & 1));
        la_estat(r.c, &r.c->guest);
        la_estat(r.c, &r.c->guest);
    }
    expect(&r, "lvz", "", "lines passed                              2\n");
    rig_free(&r);
}
