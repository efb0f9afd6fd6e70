// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/percpu.h"
#include "guest/lib/loongarch64/stack.h"
#include "guest/lib/print.h"
#include "guest/lib/report.h"

_Static_assert(offsetof(struct trap_frame, entry) == FRAME_ENTRY, "trap_entry.S");
_Static_assert(offsetof(struct trap_frame, refill) == FRAME_REFILL, "trap_entry.S");
_Static_assert(sizeof(struct trap_frame) <= FRAME_SIZE, "trap_entry.S");
_Static_assert(offsetof(struct trap_recovery, s) == RECOVERY_S0, "trap_entry.S");
_Static_assert(sizeof(struct trap_recovery) == RECOVERY_SIZE, "trap_entry.S");

// trap_entry.S
void trap_enter(struct trap_recovery *r, u64 address, u64 prmd, const u64 arguments[3]);
extern const char trap_leave[];
void trap_dispatch(struct trap_frame *f);

void trap_init(void)
{
    csr_write(CSR_EENTRY, trap_vectors);
    csr_write(CSR_TLBRENTRY, physical_of(trap_refill_vector));
    csr_write(CSR_MERRENTRY, physical_of(trap_error_vector));
    csr_write(CSR_ECFG, 0);
}

static void capture(struct trap_frame *f)
{
    f->crmd = csr_read(CSR_CRMD);
    f->estat = csr_read(CSR_ESTAT);
    f->badi = (u32)csr_read(CSR_BADI);
    if (f->refill == EXC_TLBR) {
        f->era = csr_read(CSR_TLBRERA) & ~3ULL;
        f->prmd = csr_read(CSR_TLBRPRMD);
        f->badv = csr_read(CSR_TLBRBADV);
    } else {
        f->era = f->refill ? csr_read(CSR_MERRERA) : csr_read(CSR_ERA);
        f->prmd = csr_read(CSR_PRMD);
        f->badv = csr_read(CSR_BADV);
    }
}

static void put_back(const struct trap_frame *f)
{
    if (f->refill == EXC_TLBR) {
        csr_write(CSR_TLBRERA, f->era | TLBRERA_IS_TLBR);
        csr_write(CSR_TLBRPRMD, f->prmd);
        return;
    }
    csr_write(CSR_ERA, f->era);
    csr_write(CSR_PRMD, f->prmd);
    if (f->refill == EXC_MERR) {
        csr_clear(CSR_MERRCTL, MERRCTL_IS_MERR);
        csr_exchange(CSR_CRMD, CRMD_PG, CRMD_DA | CRMD_PG);
    }
}

static unsigned code_of(const struct trap_frame *f)
{
    if (f->refill)
        return (unsigned)f->refill;
    return (unsigned)(bits_get(f->estat, 21, 16) | bits_get(f->estat, 30, 22) << 6);
}

static u64 slot(const struct trap_frame *f)
{
    switch (f->refill) {
    case EXC_TLBR: return (f->entry & BITS(47, 0)) - physical_of(trap_refill_vector);
    case EXC_MERR: return (f->entry & BITS(47, 0)) - physical_of(trap_error_vector);
    default: return f->entry - (u64)trap_vectors;
    }
}

// An exception within a refill handler: ertn would go back to what the refill interrupted.
static void leave_refill(void)
{
    if (csr_read(CSR_TLBRERA) & TLBRERA_IS_TLBR) {
        csr_write(CSR_TLBRERA, 0);
        csr_exchange(CSR_CRMD, CRMD_PG, CRMD_DA | CRMD_PG);
    }
}

// The interrupted program is left for good: trap_enter returns instead.
static void recover(struct trap_frame *f, struct percpu *cpu, unsigned code)
{
    const struct trap_recovery *r = &cpu->recovery;
    bool returned = code == EXC_NONE;
    cpu->caught = (struct trap){
        .code = code,
        .value = returned ? f->gpr[4] : 0,
        .entry = slot(f),
        .era = f->era,
        .prmd = f->prmd,
        .crmd = f->crmd,
        .estat = f->estat,
        .badv = f->badv,
        .badi = f->badi,
    };
    f->gpr[1] = f->era = r->ra;
    f->gpr[2] = r->tp;
    f->gpr[3] = r->sp;
    f->gpr[21] = r->r21;
    f->gpr[22] = r->fp;
    for (unsigned i = 0; i < ARRAY_LEN(r->s); i++)
        f->gpr[23 + i] = r->s[i];
    f->prmd = cpu->recovery_prmd;
    cpu->is_catching = false;
    leave_refill();
}

static _Noreturn void die(const struct trap_frame *f, unsigned code)
{
    print("\n# unexpected exception %s on processor %u\n", exception_name(code), this_cpu()->index);
    print("# era %016lx badv %016lx badi %08lx\n", f->era, f->badv, f->badi);
    print("# crmd %lx prmd %lx estat %lx entry %lx\n", f->crmd, f->prmd, f->estat, f->entry);
    for (unsigned i = 0; i < 32; i += 4)
        print("# r%02u %016lx %016lx %016lx %016lx\n", i, f->gpr[i], f->gpr[i + 1], f->gpr[i + 2],
              f->gpr[i + 3]);
    report_bail_out("unexpected exception %s at 0x%lx", exception_name(code), f->era);
}

void trap_dispatch(struct trap_frame *f)
{
    struct percpu *cpu = this_cpu();
    capture(f);
    unsigned code = code_of(f);
    trap_handler handler = cpu->handlers[code & 0x7f];
    if (code == EXC_SYS && f->era == (u64)trap_leave && cpu->is_catching)
        recover(f, cpu, EXC_NONE);
    else if (!(handler && handler(f, code))) {
        if (!cpu->is_catching)
            die(f, code);
        recover(f, cpu, code);
    }
    put_back(f);
}

void trap_set_handler(unsigned code, trap_handler handler)
{
    this_cpu()->handlers[code & 0x7f] = handler;
}

static struct trap call(u64 prmd, u64 address, u64 a, u64 b, u64 c)
{
    struct percpu *cpu = this_cpu();
    const u64 arguments[3] = {a, b, c};
    // An interrupt between the writes of ERA and PRMD and ertn would spoil them.
    u64 crmd = csr_clear(CSR_CRMD, CRMD_IE);
    if (cpu->is_catching)
        report_bail_out("trap_call within trap_call");
    cpu->recovery_prmd = 0;
    cpu->is_catching = true;
    trap_enter(&cpu->recovery, address, prmd, arguments);
    csr_exchange(CSR_CRMD, crmd, CRMD_IE);
    return cpu->caught;
}

struct trap trap_call(unsigned plv, trap_function f, u64 a, u64 b, u64 c)
{
    return call(plv, (u64)f, a, b, c);
}

struct trap trap_call_mode(u64 prmd, trap_function f, u64 a, u64 b, u64 c)
{
    return call(prmd, (u64)f, a, b, c);
}

struct trap trap_call_at(unsigned plv, u64 address, u64 a, u64 b, u64 c)
{
    return call(plv, address, a, b, c);
}

bool report_trap(const struct trap *t, unsigned expected, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool passed = report_v(t->code == expected, format, arguments);
    va_end(arguments);
    if (!passed)
        report_note("found %s, expected %s; era 0x%lx badv 0x%lx", exception_name(t->code),
                    exception_name(expected), t->era, t->badv);
    return passed;
}
