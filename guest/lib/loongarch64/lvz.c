// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/loongarch64/lvz.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/report.h"
#include "guest/lib/text.h"

_Static_assert(offsetof(struct vcpu, host) == VCPU_HOST, "lvz_enter.S");
_Static_assert(offsetof(struct vcpu, is_refill) == VCPU_REFILL, "lvz_enter.S");
_Static_assert(offsetof(struct vcpu, entry) == VCPU_ENTRY, "lvz_enter.S");
_Static_assert(offsetof(struct vcpu, crmd) == VCPU_CRMD, "lvz_enter.S");
_Static_assert(offsetof(struct vcpu, gstat) == VCPU_GSTAT, "lvz_enter.S");
_Static_assert(offsetof(struct vcpu, tlbrprmd) == VCPU_TLBRPRMD, "lvz_enter.S");

#define PAYLOAD_PS   24
#define PAYLOAD_SLOT 63
#define TLBIDX_NE    BIT(31)

static u32 word_code[2] __attribute__((aligned(64)));

// What a guest's registers may hold that matters to the next test.
static void reset_guest_registers(void)
{
    for (unsigned n = 0; n < 0x184; n++)
        if (n != CSR_STLBPS && n != CSR_TICLR)
            gcsr_write(n, 0);
    gcsr_write(CSR_CRMD, CRMD_DA);
    gcsr_write(CSR_TICLR, 1);
    gcsr_write(CSR_LLBCTL, LLBCTL_WCLLB);
    gcsr_write(CSR_STLBPS, 14);
    gcsr_write(CSR_EENTRY, (u64)lvz_guest_vectors);
    gcsr_write(CSR_TLBRENTRY, physical_of(lvz_guest_refill_vector));
}

void lvz_map_payload(const struct vcpu *v)
{
    lvz_stage2_map(v->gid, PAYLOAD_SLOT, 0, 0, PAYLOAD_PS, PAGE_ALL);
}

void lvz_init(struct vcpu *v, unsigned gid)
{
    memset(v, 0, sizeof(*v));
    v->gid = gid;
    v->entry_prmd = CRMD_IE;
    csr_write(CSR_GSTAT, 0);
    csr_write(CSR_GCFG, 0);
    csr_write(CSR_GINTC, 0);
    csr_write(CSR_GCNTC, 0);
    csr_write(CSR_GTLBC, GTLBC_USETGID);
    csr_write(CSR_STLBPS, 14);
    reset_guest_registers();
    lvz_invalidate(0, 0, 0);
    lvz_map_payload(v);
}

void lvz_set_target(unsigned gid)
{
    csr_exchange(CSR_GTLBC, GTLBC_USETGID | GTLBC_TGID(gid), GTLBC_USETGID | GTLBC_TGID(0xff));
}

static unsigned exit_code(const struct vcpu *v)
{
    if (v->is_refill)
        return EXC_TLBR;
    return (unsigned)(bits_get(v->estat, 21, 16) | bits_get(v->estat, 30, 22) << 6);
}

// The slot that was entered, counted from its table.
static u64 slot(const struct vcpu *v)
{
    if (v->is_refill)
        return (v->entry & BITS(47, 0)) - physical_of(lvz_refill_vector);
    return v->entry - (u64)lvz_vectors;
}

static bool is_refilled(struct vcpu *v)
{
    if (!v->is_refill || !v->refill)
        return false;
    v->n_refills++;
    return v->refill(v, v->tlbrbadv);
}

static void leave_refill(void)
{
    csr_write(CSR_TLBRERA, 0);
    csr_exchange(CSR_CRMD, CRMD_PG, CRMD_DA | CRMD_PG);
}

unsigned lvz_run(struct vcpu *v)
{
    u64 eentry = csr_write(CSR_EENTRY, lvz_vectors);
    u64 tlbrentry = csr_write(CSR_TLBRENTRY, physical_of(lvz_refill_vector));
    csr_exchange(CSR_GSTAT, GSTAT_GID(v->gid) | GSTAT_PGM, GSTAT_GID(0xff) | GSTAT_PGM);
    csr_write(CSR_ERA, v->pc);
    csr_write(CSR_PRMD, v->entry_prmd);
    do {
        lvz_set_target(v->gid);
        lvz_enter(v);
        lvz_set_target(0);
    } while (is_refilled(v));
    if (v->is_refill)
        leave_refill();
    csr_clear(CSR_GSTAT, GSTAT_PGM);
    csr_write(CSR_EENTRY, eentry);
    csr_write(CSR_TLBRENTRY, tlbrentry);
    v->entry = slot(v);
    v->pc = v->is_refill ? v->tlbrera & ~3ULL : v->era;
    return exit_code(v);
}

unsigned lvz_outcome(struct vcpu *v)
{
    unsigned code = lvz_run(v);
    if (code != EXC_GSPR)
        return code;
    switch (v->badi) {
    case LVZ_WORD_RETURN: return EXC_NONE;
    case LVZ_WORD_EXCEPTION: return LVZ_GUEST | gcsr_code();
    case LVZ_WORD_REFILL: return LVZ_GUEST | EXC_TLBR;
    default: return code;
    }
}

unsigned lvz_call_at(struct vcpu *v, u64 crmd, u64 address, u64 a, u64 b, u64 c)
{
    gcsr_write(CSR_CRMD, crmd);
    v->pc = address;
    v->gpr[1] = (u64)lvz_guest_return;
    v->gpr[4] = a;
    v->gpr[5] = b;
    v->gpr[6] = c;
    return lvz_outcome(v);
}

unsigned lvz_call(struct vcpu *v, unsigned plv, trap_function f, u64 a, u64 b, u64 c)
{
    return lvz_call_at(v, CRMD_DA | plv, (u64)f, a, b, c);
}

const u32 *lvz_word_address(void)
{
    return word_code;
}

unsigned lvz_word(struct vcpu *v, u64 crmd, u32 word, u64 a, u64 b)
{
    word_code[0] = word;
    word_code[1] = LVZ_WORD_RETURN;
    __asm__ volatile("ibar 0" ::: "memory");
    return lvz_call_at(v, crmd, (u64)word_code, a, b, 0);
}

void lvz_open_window(void)
{
    gcsr_write(CSR_DMW1, DMW1_VALUE);
}

static void load_stage2(unsigned index, const struct tlb_entry *e)
{
    csr_write(CSR_TLBIDX, (u64)e->ps << 24 | index);
    if (csr_read(CSR_TLBRERA) & TLBRERA_IS_TLBR) {
        csr_write(CSR_TLBREHI, e->va | e->ps);
        csr_write(CSR_TLBRELO0, e->elo[0]);
        csr_write(CSR_TLBRELO1, e->elo[1]);
    } else {
        csr_write(CSR_TLBEHI, e->va);
        csr_write(CSR_TLBELO0, e->elo[0]);
        csr_write(CSR_TLBELO1, e->elo[1]);
    }
}

void lvz_stage2_write(unsigned gid, unsigned index, const struct tlb_entry *e)
{
    lvz_set_target(gid);
    load_stage2(index, e);
    __asm__ volatile("tlbwr" ::: "memory");
    lvz_set_target(0);
}

void lvz_stage2_fill(unsigned gid, const struct tlb_entry *e)
{
    lvz_set_target(gid);
    load_stage2(0, e);
    __asm__ volatile("tlbfill" ::: "memory");
    lvz_set_target(0);
}

static void load_stage1(unsigned index, const struct tlb_entry *e)
{
    gcsr_write(CSR_TLBIDX, (u64)e->ps << 24 | index);
    gcsr_write(CSR_TLBEHI, e->va);
    gcsr_write(CSR_TLBELO0, e->elo[0]);
    gcsr_write(CSR_TLBELO1, e->elo[1]);
    gcsr_exchange(CSR_ASID, e->asid, BITS(9, 0));
}

void lvz_stage1_write(unsigned gid, unsigned index, const struct tlb_entry *e)
{
    u64 asid = gcsr_read(CSR_ASID);
    lvz_set_target(gid);
    load_stage1(index, e);
    __asm__ volatile(".word %0" ::"i"(WORD_GTLBWR) : "memory");
    lvz_set_target(0);
    gcsr_write(CSR_ASID, asid);
}

void lvz_stage1_fill(unsigned gid, const struct tlb_entry *e)
{
    u64 asid = gcsr_read(CSR_ASID);
    lvz_set_target(gid);
    load_stage1(0, e);
    __asm__ volatile(".word %0" ::"i"(WORD_GTLBFILL) : "memory");
    lvz_set_target(0);
    gcsr_write(CSR_ASID, asid);
}

static struct tlb_entry pair(u64 va, u64 pa, unsigned ps, u64 flags, unsigned asid)
{
    return (struct tlb_entry){va, ps, asid, {pa | flags, (pa + BIT(ps)) | flags}};
}

void lvz_stage2_map(unsigned gid, unsigned slot_number, u64 gpa, u64 hpa, unsigned ps, u64 flags)
{
    struct tlb_entry e = pair(gpa, hpa, ps, flags, 0);
    lvz_stage2_write(gid, TLB_STLB_ENTRIES + slot_number, &e);
}

void lvz_stage1_map(unsigned gid, unsigned slot_number, u64 gva, u64 gpa, unsigned ps, u64 flags)
{
    struct tlb_entry e = pair(gva, gpa, ps, flags, gcsr_read(CSR_ASID) & 0x3ff);
    lvz_stage1_write(gid, TLB_STLB_ENTRIES + slot_number, &e);
}

int lvz_stage2_search(unsigned gid, u64 gpa)
{
    lvz_set_target(gid);
    int index = tlb_search(gpa, tlb_asid());
    lvz_set_target(0);
    return index;
}

// The operation is in the instruction: made here, called in the root.
void lvz_invalidate(unsigned op, u64 rj, u64 rk)
{
    static u32 code[2] __attribute__((aligned(64)));
    code[0] = WORD_INVTLB(op, 4, 5);
    code[1] = 0x4c000020; // ret
    __asm__ volatile("ibar 0" ::: "memory");
    ((void (*)(u64, u64))(u64)code)(rj, rk);
}

bool report_outcome(const struct vcpu *v, unsigned found, unsigned expected, const char *format,
                    ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool passed = report_v(found == expected, format, arguments);
    va_end(arguments);
    if (!passed)
        report_note("found %s%s, expected %s%s; pc 0x%lx badv 0x%lx tlbrbadv 0x%lx badi 0x%lx",
                    found & LVZ_GUEST ? "guest " : "", exception_name(found & 0xffff),
                    expected & LVZ_GUEST ? "guest " : "", exception_name(expected & 0xffff), v->pc,
                    v->badv, v->tlbrbadv, v->badi);
    return passed;
}
