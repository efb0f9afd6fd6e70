// SPDX-License-Identifier: Apache-2.0
// What happens at an exit that is no interrupt. The instruction comes from BADI and the address
// from BADV: nothing is read from the guest again.
#include "hv/arch.h"
#include "hv/arch/loongarch64/csr.h"
#include "hv/arch/loongarch64/decode.h"
#include "hv/arch/loongarch64/processor.h"
#include "hv/build.h"
#include "hv/cell.h"
#include "hv/cpu.h"
#include "hv/log.h"
#include "hv/mmio.h"

enum { CALL_DEBUG = 0x4c, DEBUG_NOTHING = 0, DEBUG_COUNT = 1, DEBUG_TIME = 2 };
#define CALL_UNKNOWN (~0ULL)

static void advance(struct cpu *cpu)
{
    cpu->era += 4;
    csr_write(CSR_ERA, cpu->era);
}

// Nothing is there: the root cell's kernel gets a bad address, another cell is stopped.
static void access_nothing(struct cpu *cpu, u64 gpa, u32 insn)
{
    struct cell *c = cpu->vcpu->cell;
    cpu_count(cpu, EXIT_NOWHERE, (u32)gpa);
    mmio_note_unknown(cpu->hv, gpa);
    if (!c->id) {
        arch_inject_address_error(cpu, gpa);
        return;
    }
    c->fault_address = gpa;
    cell_end(cpu, CONTROL_CELL_FAILED, "access to %lx, where nothing is, at %lx (%08x)", gpa,
             cpu->era, insn);
}

static void load_register(struct cpu *cpu, const struct load_store *ls, u64 value)
{
    value &= ~0ULL >> (64 - 8 * ls->size);
    if (ls->reg)
        cpu->gpr[ls->reg] = ls->is_signed ? (u64)sign_extend(value, 8 * ls->size) : value;
}

static void access_device(struct cpu *cpu, u64 gpa, u32 insn)
{
    struct load_store ls;
    if (!decode_load_store(insn, &ls)) {
        access_nothing(cpu, gpa, insn);
        return;
    }
    struct access a = {.gpa = gpa, .size = ls.size, .is_write = ls.is_write};
    if (ls.is_write)
        a.value = cpu->gpr[ls.reg] & ~0ULL >> (64 - 8 * ls.size);
    if (!ls.is_hint && !mmio_access(cpu, &a)) {
        access_nothing(cpu, gpa, insn);
        return;
    }
    if (!ls.is_hint && !ls.is_write)
        load_register(cpu, &ls, a.value);
    cpu_count(cpu, EXIT_MMIO, (u32)gpa);
    advance(cpu);
}

void on_sensitive(struct cpu *cpu)
{
    u64 start = rdtime();
    u32 code = (u32)bits_get(csr_read(CSR_ESTAT), 21, 16), insn = (u32)csr_read(CSR_BADI);
    u64 address = csr_read(CSR_BADV);
    enum exit_kind kind = EXIT_MMIO;
    cpu->era = csr_read(CSR_ERA);
    if (code == ECODE_GSPR)
        cpu_count(cpu, kind = sensitive_emulate(cpu, insn), insn);
    else if (code == ECODE_PIF)
        access_nothing(cpu, address, 0);
    else
        access_device(cpu, address, insn);
    cpu->ticks[kind] += rdtime() - start;
    cpu_end_exit(cpu);
}

static u64 debug_call(struct cpu *cpu)
{
    switch (cpu->gpr[4]) {
    case DEBUG_NOTHING: return 0;
    case DEBUG_COUNT: return cpu->gpr[5] < N_EXITS ? cpu->n[cpu->gpr[5]] : CALL_UNKNOWN;
    case DEBUG_TIME: return rdtime();
    default: return CALL_UNKNOWN;
    }
}

// Cells need no hypercalls. Those that were granted debugging may ask how often they left.
void on_hypercall(struct cpu *cpu)
{
    u32 code = (u32)csr_read(CSR_BADI) & 0x7fff;
    cpu->era = csr_read(CSR_ERA);
    cpu_count(cpu, EXIT_HYPERCALL, code);
    if (code == CALL_DEBUG && cpu->vcpu->cell->flags & CELL_FLAG_DEBUG_CALLS) {
        cpu->gpr[4] = debug_call(cpu);
        advance(cpu);
    } else {
        arch_inject_undefined(cpu);
    }
    cpu_end_exit(cpu);
}

void on_other(struct cpu *cpu)
{
    u64 estat = csr_read(CSR_ESTAT);
    cpu->era = csr_read(CSR_ERA);
    cpu_count(cpu, EXIT_OTHER, (u32)estat);
    cell_end(cpu, CONTROL_CELL_FAILED, "exception %lx at %lx that no cell can cause", estat >> 16,
             cpu->era);
    cpu_end_exit(cpu);
}

void on_root_fault(struct cpu *cpu)
{
    hv_shout(cpu->hv, "fault of the hypervisor on processor %u, build %lx", cpu->id,
             build_fingerprint);
    hv_shout(cpu->hv, "era %lx estat %lx badv %lx prmd %lx", csr_read(CSR_ERA), csr_read(CSR_ESTAT),
             csr_read(CSR_BADV), csr_read(CSR_PRMD));
    for (unsigned i = 0; i < 32; i += 4)
        hv_shout(cpu->hv, "r%02u %016lx %016lx %016lx %016lx", i, cpu->gpr[i], cpu->gpr[i + 1],
                 cpu->gpr[i + 2], cpu->gpr[i + 3]);
    for (u32 i = 0; i < HV_MAX_CPUS; i++)
        if (cpu->hv->cpu[i] && cpu->hv->cpu[i] != cpu)
            cpu_request(cpu->hv->cpu[i], REQUEST_FREEZE);
    arch_cpu_halt();
}
