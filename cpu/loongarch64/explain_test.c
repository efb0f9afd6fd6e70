// SPDX-License-Identifier: Apache-2.0
// Explanations: what they say, and that every verdict is the processor's own.
#include "cpu/loongarch64/guest_rig.h"
#include "cpu/loongarch64/probe.h"

#include <stdlib.h>

// Explains and expects each of `lines`, which end with NULL, somewhere in the text in this order.
static struct la_verdict expect(struct rig *r, const struct cpu_question *q,
                                const char *const *lines)
{
    struct text t = {0};
    struct la_verdict v = la_explain_verdict(r->c, q, &t);
    const char *at = text_string(&t);
    for (; *lines; lines++) {
        const char *found = strstr(at, *lines);
        if (!CHECK(found)) {
            printf("# no line '%s' in\n# %s\n", *lines, text_string(&t));
            break;
        }
        at = found + strlen(*lines);
    }
    text_free(&t);
    return v;
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define QUESTION(va, how) \
    (&(struct cpu_question){.address = (va), .access = (how), .plv = CPU_PLV_NOW})
#define GUESTION(va, how)    \
    (&(struct cpu_question){ \
        .address = (va), .access = (how), .plv = CPU_PLV_NOW, .mode = CPU_MODE_GUEST})

TEST(direct_mode_and_windows)
{
    struct rig r;
    rig_init(&r, "max");
    struct la_verdict v =
        expect(&r, QUESTION(0x123456, CPU_LOAD),
               LINES("root, PLV 0, load from 0x123456\n", "direct mode (CRMD.DA)\n",
                     "-> PA 0x123456\n", "leads to 0x123456\n"));
    CHECK(v.is_there);
    CHECK_EQ(v.bus, 0x123456);
    rig_mapped(&r, 0);
    expect(
        &r, QUESTION(0x9000000000123456, CPU_STORE),
        LINES("DMW0 is 0x9000000000000011 and holds segment 0x9 at PLV 0\n", "-> PA 0x123456\n"));
    v = expect(&r, &(struct cpu_question){.address = 0x9000000000123456, .plv = 3},
               LINES("PLV 3", "no window holds it, and its upper bits are not all the same\n",
                     "raises ADEM for 0x9000000000123456\n"));
    CHECK(!v.is_there);
    CHECK_EQ(v.what, EXC_ADEM);
    expect(&r, QUESTION(0x9000000000123457, CPU_FETCH), LINES("multiples of 4\n", "raises ADEF"));
    rig_free(&r);
}

TEST(entries_of_the_tlb)
{
    struct rig r;
    rig_init(&r, "max");
    rig_mapped(&r, 0);
    la_csr_write(r.c, CSR_ASID, 5, ~0ULL);
    rig_map(&r, 2050, 0x400000, 0x100000, 14, V | PLV3 | CC | BIT(62));
    expect(&r, QUESTION(0x404008, CPU_LOAD),
           LINES("TLB: MTLB[2050] VPPN 0x200 PS 14 ASID 5 G=0 GID 0, odd page: PA 0x104000 V=1 D=0 "
                 "PLV=3 MAT=1 NX\n",
                 "-> PA 0x104008\n", "leads to 0x104008\n"));
    expect(
        &r, QUESTION(0x404008, CPU_STORE),
        LINES("not writable: D (bit 1) is 0, and so is MISC.DWPL0\n", "raises PME for 0x404008\n"));
    expect(&r, QUESTION(0x404008, CPU_FETCH), LINES("NX (bit 62) forbids fetches\n", "raises PNX"));
    la_csr_write(r.c, CSR_ASID, 6, ~0ULL);
    expect(&r, QUESTION(0x404008, CPU_LOAD),
           LINES("no entry matches VPPN 0x202 ASID 6\n", "entry 2050 is for it, but has ASID 5",
                 "tables: not known: PWCL is 0\n", "raises TLBR for 0x404008\n"));
    rig_free(&r);
}

static u64 one_window(void *opaque, unsigned core, u64 address)
{
    return address >> 20 == 3 ? address - 0x200000 : address;
}

TEST(windows_of_the_chip)
{
    struct rig r;
    rig_init(&r, "max");
    r.bus.route = one_window;
    struct la_verdict v =
        expect(&r, QUESTION(0x312345, CPU_LOAD),
               LINES("-> PA 0x312345\n", "address windows of the chip: 0x312345 -> 0x112345\n",
                     "leads to 0x112345\n"));
    CHECK_EQ(v.bus, 0x112345);
    rig_free(&r);
}

// Three levels with 16 KiB pages, as Linux has them.
#define LINUX_PWCL (14 | 11 << 5 | 25 << 10 | 11 << 15)
#define LINUX_PWCH (36 | 11 << 6)

static void set_tables(struct rig *r, struct la_context *x, u64 pgd)
{
    x->csr[CSR_PWCL] = LINUX_PWCL;
    x->csr[CSR_PWCH] = LINUX_PWCH;
    x->csr[CSR_PGDL] = pgd;
    (void)r;
}

TEST(tables_that_software_keeps)
{
    struct rig r;
    rig_init(&r, "max");
    rig_mapped(&r, 0);
    set_tables(&r, &r.c->root, 0x100000);
    const u64 va = 3ULL << 36 | 5ULL << 25 | 7ULL << 14 | 0x123;
    rig_write64(&r, 0x100000 + 8 * 3, 0x108000);
    rig_write64(&r, 0x108000 + 8 * 5, 0x110000);
    rig_write64(&r, 0x110000 + 8 * 7, 0x200000 | V | D | CC);
    struct la_verdict v =
        expect(&r, QUESTION(va, CPU_LOAD),
               LINES("tables, not in TLB", "PGDL 0x100000\n", "Dir3[3] at 0x100018 is 0x108000\n",
                     "Dir1[5] at 0x108028 is 0x110000\n", "PT[7] at 0x110038 is 0x200013",
                     "-> PA 0x200123\n", "raises TLBR"));
    CHECK_EQ(v.what, EXC_TLBR);
    // What only looks, like `x`, follows them.
    u64 bus = 0;
    CHECK(la_find(&r.c->cpu, QUESTION(va, CPU_LOAD), &bus));
    CHECK_EQ(bus, 0x200123);
    CHECK(!la_find(&r.c->cpu, QUESTION(va + (1 << 14), CPU_LOAD), &bus));
    expect(&r, QUESTION(va + (1 << 14), CPU_LOAD),
           LINES("PT[8] at 0x110040 is 0x0\n", "it is not valid: V (bit 0) is 0\n", "raises TLBR"));
    // A huge page, and one in a table that is not in memory.
    rig_write64(&r, 0x108000 + 8 * 6, 0x2000000 | V | D | BIT(6));
    expect(&r, QUESTION(va + (1 << 25), CPU_LOAD),
           LINES("Dir1[6] at 0x108030 is 0x2000043, a huge page\n", "-> PA 0x201c123\n"));
    rig_write64(&r, 0x100000 + 8 * 4, 0x7000000);
    expect(&r, QUESTION(va + (1ULL << 36), CPU_LOAD), LINES("is not in memory\n", "raises TLBR"));
    rig_free(&r);
}

TEST(the_hardware_walker_has_the_last_word)
{
    struct rig r;
    rig_init(&r, "max");
    rig_mapped(&r, 0);
    set_tables(&r, &r.c->root, 0x100000);
    r.c->root.csr[CSR_PWCH] |= BIT(24);
    rig_write64(&r, 0x100000, 0x108000);
    rig_write64(&r, 0x108000, 0x110000);
    rig_write64(&r, 0x110000, 0x200000 | BIT(7));
    struct la_verdict v = expect(&r, QUESTION(0x123, CPU_LOAD),
                                 LINES("the hardware walker is on", "PT[0]", "P=1 W=0",
                                       "-> PA 0x200123\n", "leads to 0x200123\n"));
    CHECK(v.is_there);
    CHECK_EQ(rig_read64(&r, 0x110000), 0x200000 | BIT(7)); // nothing was noted
    expect(&r, QUESTION(0x123, CPU_STORE),
           LINES("not writable: W (bit 8) is 0, and so is MISC.DWPL0\n", "raises PME for 0x123\n"));
    expect(&r, QUESTION(0x4123, CPU_LOAD), LINES("not valid: P (bit 7) is 0\n", "raises PIL"));
    rig_free(&r);
}

TEST(both_stages)
{
    struct rig r;
    init(&r);
    la_gcsr_write(r.c, CSR_DMW1, 0x9000000000000011, ~0ULL);
    la_gcsr_write(r.c, CSR_CRMD, CRMD_PG, ~0ULL);
    struct la_verdict v =
        expect(&r, GUESTION(0x9000000000001230, CPU_LOAD),
               LINES("guest (GID 5), PLV 0", "stage 1: GVA 0x9000000000001230\n", "DMW1",
                     "-> GPA 0x1230\n", "stage 2: GPA 0x1230, GID 5\n", "TLB: MTLB[2048]",
                     "GID 5, even page", "-> PA 0x201230\n", "leads to 0x201230\n"));
    CHECK(v.is_there);
    v = expect(&r, GUESTION(0x9000000000345678, CPU_LOAD),
               LINES("stage 2: GPA 0x345678, GID 5\n", "no entry matches VPPN 0x1a2 GID 5\n",
                     "root's PWCL is 0\n", "raises TLBR, an exit to the root, for 0x345678\n"));
    CHECK(v.in_root);
    expect(&r, GUESTION(0x9000800000000000, CPU_LOAD), LINES("it is too long\n", "raises PIL"));
    expect(&r, GUESTION(0x12345678, CPU_LOAD),
           LINES("stage 1", "no entry matches VPPN 0x91a2 ASID 0 GID 5\n",
                 "raises TLBR for 0x12345678\n"));
    CHECK(!la_in_guest(r.c)); // nothing happened to it
    rig_free(&r);
}

TEST(the_second_stage_of_a_guest_that_does_not_run)
{
    struct rig r;
    init(&r);
    set_tables(&r, &r.c->root, 0x100000);
    guest_program(&r, "hvcl 0");
    enter_at(&r, GUEST_CODE);
    rig_step(&r);
    CHECK(!la_in_guest(r.c));
    r.c->root.csr[CSR_PGDL] = 0x140000; // of a process
    rig_write64(&r, 0x100000, 0x108000);
    rig_write64(&r, 0x108000, 0x110000);
    rig_write64(&r, 0x110000 + 8 * (0x345678 >> 14), 0x180000 | V | D);
    expect(
        &r, GUESTION(0x345678, CPU_LOAD),
        LINES("tables, not in TLB", "root's PGDL 0x100000\n", "-> PA 0x181678\n", "raises TLBR"));
    u64 bus;
    CHECK(la_find(&r.c->cpu, GUESTION(0x345678, CPU_LOAD), &bus));
    CHECK_EQ(bus, 0x181678);
    rig_free(&r);
}

TEST(a_model_without_guests_has_none_to_ask_about)
{
    struct rig r;
    struct err e = {0};
    rig_init(&r, "la464");
    CHECK(!la_probe_check(&r.c->cpu, GUESTION(0, CPU_LOAD), &e));
    CHECK_STR(e.text, "this processor has no guests: its model lacks lvz");
    CHECK(la_probe_check(&r.c->cpu, QUESTION(0, CPU_LOAD), &e));
    rig_free(&r);
}

// The processor against the explanation, in states at random ------------------------------------

static u64 next(u64 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1d;
}

static bool one_in(u64 *state, unsigned n)
{
    return (next(state) >> 33) % n == 0;
}

// What a table may hold: a pointer into RAM or a page, all attributes.
static u64 random_entry(u64 *s)
{
    u64 entry = (next(s) & (RIG_RAM_SIZE - 1) & ~0xfffULL) | (next(s) >> 50 & 0xffff & 0x1fff);
    if (one_in(s, 2))
        entry |= V | D | BIT(7) | BIT(8) | PLV3;
    if (one_in(s, 3))
        entry |= next(s) & BITS(63, 61);
    return one_in(s, 12) ? 0 : entry & (one_in(s, 2) ? ~0ULL : ~(u64)BIT(6));
}

static u64 random_address(u64 *s)
{
    static const u64 segments[] = {
        0,          0,         0, 0, 0x9000000000000000, 0x8000000000000000, 0xffff800000000000,
        1ULL << 40, 1ULL << 47};
    u64 va = segments[next(s) % ARRAY_LEN(segments)] + (next(s) >> 40 & 0x3fffff & ~7ULL);
    return one_in(s, 4) ? va + (next(s) >> 33 & 3) * (1ULL << 25) + (next(s) & 3) * (1ULL << 36)
                        : va;
}

static void random_context(u64 *s, struct la_context *x, bool walker)
{
    u64 *csr = x->csr;
    csr[CSR_CRMD] = (one_in(s, 6) ? CRMD_DA : CRMD_PG) | (one_in(s, 2) ? 0 : next(s) >> 40 & 3);
    csr[CSR_DMW0] = one_in(s, 2) ? 0x9000000000000000 | (next(s) >> 30 & 0x3f) : 0;
    csr[CSR_DMW1 + (next(s) >> 30 & 1)] = one_in(s, 2) ? 0x8000000000000001 : 0;
    csr[CSR_ASID] = next(s) >> 60 & 1;
    csr[CSR_MISC] = one_in(s, 4) ? (next(s) >> 20 & 0xe) | (next(s) >> 30 & 7) << 16 : 0;
    csr[CSR_RVACFG] = one_in(s, 6) ? 4 : 0;
    csr[CSR_PWCL] = LINUX_PWCL | (one_in(s, 8) ? 1ULL << 30 : 0);
    csr[CSR_PWCH] = LINUX_PWCH | (walker ? BIT(24) : 0);
    csr[CSR_PGDL] = 0x40000 + (next(s) & 0xc000);
    csr[CSR_PGDH] = 0x50000;
}

// Entries for small addresses, in places where they are looked for. With the walker none of the
// second stage: it would replace them on its way.
static void random_tlb(u64 *s, struct la_tlb *tlb)
{
    for (unsigned i = 0; i < 6; i++) {
        unsigned ps = one_in(s, 2) ? 14 : 21;
        u64 va = random_address(s) & BITS(47, 0);
        struct la_tlb_entry t = {
            .vppn = va & ~((2ULL << ps) - 1),
            .elo = {random_entry(s) & ~(u64)BIT(6), random_entry(s) & ~(u64)BIT(6)},
            .asid = next(s) >> 60 & 1,
            .ps = (u8)ps,
            .exists = true,
            .global = one_in(s, 3),
            .gid = tlb->kind == LA_TLB_ROOT || one_in(s, 8) ? 0 : GID};
        tlb->entries[LA_STLB_ENTRIES + i] = t;
        tlb->mtlb_used |= BIT(i);
    }
}

static void random_state(u64 *s, struct rig *r)
{
    struct la_cpu *c = r->c;
    bool walker1 = one_in(s, 2), walker2 = one_in(s, 2);
    la_tlb_clear(c);
    for (u64 pa = 0x40000; pa < 0x40000 + 0x40000; pa += 8)
        rig_write64(r, pa, random_entry(s));
    random_context(s, &c->root, walker2);
    random_context(s, &c->guest, walker1);
    c->root.csr[CSR_GSTAT] = (u64)GID << 16;
    for (unsigned kind = 0; kind < LA_N_TLBS; kind++)
        if (kind != LA_TLB_STAGE2 || !walker2)
            random_tlb(s, &c->tlb[kind]);
    la_switch_context(c, one_in(s, 3) ? &c->root : &c->guest);
    if (la_in_guest(c))
        c->root.csr[CSR_CRMD] &= ~(u64)CRMD_PLV;
}

static struct la_verdict ask(struct la_cpu *c, const struct cpu_question *q)
{
    struct la_verdict v = {0};
    if (setjmp(c->leave))
        return (struct la_verdict){
            .what = c->raised, .bad_va = c->raised_va, .in_root = c->raised_in_root};
    v.bus = la_translate(c, q->address, (enum la_access)q->access);
    v.is_there = true;
    return v;
}

static u64 hash_of_memory(const struct rig *r)
{
    u64 hash = 0;
    for (u64 pa = 0x40000; pa < 0x80000; pa += 8)
        hash = hash * 31 + *(const u64 *)(const void *)(r->mem.ram[0].host + pa);
    return hash;
}

static bool agree(struct rig *r, const struct cpu_question *q)
{
    struct text t = {0};
    u64 before = hash_of_memory(r);
    struct la_verdict said = la_explain_verdict(r->c, q, &t);
    CHECK_EQ(hash_of_memory(r), before);
    struct la_verdict is = ask(r->c, q);
    bool ok = said.is_there == is.is_there &&
              (is.is_there ? said.bus == is.bus
                           : said.what == is.what && said.bad_va == is.bad_va &&
                                 said.in_root == is.in_root);
    if (!CHECK(ok))
        printf("# the processor: %d 0x%" PRIx64 " %s 0x%" PRIx64 " %d\n%s\n", is.is_there, is.bus,
               la_exception_name(is.what), is.bad_va, is.in_root, text_string(&t));
    text_free(&t);
    return ok;
}

// The walker notes the access in the guest's table, which the second stage lets nobody write.
TEST(a_table_that_cannot_be_written)
{
    struct rig r;
    init(&r);
    map_gpa(&r, 2050, 0x600000, 0x100000, 14, V);
    set_tables(&r, &r.c->guest, 0x600000);
    r.c->guest.csr[CSR_PWCH] |= BIT(24);
    rig_write64(&r, 0x100000, 0x600100);
    rig_write64(&r, 0x100100, 0x600200);
    rig_write64(&r, 0x100200, 0x4000 | BIT(7));
    rig_write64(&r, 0x100208, 0x4000 | BIT(7) | V);
    la_gcsr_write(r.c, CSR_CRMD, CRMD_PG, ~0ULL);
    la_switch_context(r.c, &r.c->guest);
    struct la_verdict v =
        expect(&r, QUESTION(0x123, CPU_LOAD),
               LINES("the table at GPA 0x600200 cannot be written:\n", "raises PME, an exit"));
    CHECK_EQ(v.bad_va, 0x600200);
    agree(&r, QUESTION(0x123, CPU_LOAD));
    agree(&r, QUESTION(0x4123, CPU_LOAD)); // noted already
    agree(&r, QUESTION(0x4123, CPU_STORE));
    rig_free(&r);
}

TEST(every_verdict_is_the_processors)
{
    struct rig r;
    u64 s = 88172645463325252ULL, n_there = 0, n_kinds[64] = {0};
    rig_init(&r, "max");
    for (unsigned state = 0; state < 400; state++) {
        random_state(&s, &r);
        for (unsigned i = 0; i < 20; i++) {
            struct cpu_question q = {.address = random_address(&s),
                                     .access = (enum cpu_access)(next(&s) % 3),
                                     .plv = CPU_PLV_NOW};
            struct text unread = {0};
            struct la_verdict v = la_explain_verdict(r.c, &q, &unread);
            text_free(&unread);
            n_there += v.is_there;
            n_kinds[v.is_there ? 0 : v.what & 63]++;
            REQUIRE(agree(&r, &q));
        }
    }
    // All of it was seen, or this tests nothing.
    CHECK(n_there > 1000);
    static const u8 kinds[] = {EXC_PIL, EXC_PIS, EXC_PIF,  EXC_PME, EXC_PNR,
                               EXC_PNX, EXC_PPI, EXC_ADEF, EXC_TLBR};
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        CHECK(n_kinds[kinds[i]] > 20);
    rig_free(&r);
}
