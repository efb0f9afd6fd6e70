// SPDX-License-Identifier: Apache-2.0
// Instructions that a guest may not do by itself (exception GSPR). What is not granted reads 0 and
// ignores writes.
#include "hv/arch.h"
#include "hv/arch/loongarch64/csr.h"
#include "hv/arch/loongarch64/processor.h"
#include "hv/cpu.h"
#include "hv/sync.h"

enum { OP_CPUCFG = 0x1b, OP_CSR = 0x04, OP_CACOP = 0x18, OP_IDLE = 0xc91, OP_IOCSR = 0x3240 };
enum { OP_PRELD = 0xab, OP_PRELDX = 0x7058, OP_DBAR = 0x70e4, OP_IBAR = 0x70e5 };
enum { IOCSR_WRITES = 4 };

#define CFG2_LVZ    BITS(13, 10)
#define CFG2_PTW    BIT(24)
#define CFG1_MSGINT BIT(26)
#define CFG_LAST    0x14

static void set_gpr(struct cpu *cpu, u32 reg, u64 value)
{
    if (reg)
        cpu->gpr[reg] = value;
}

u64 cpucfg_for_guest(u32 word, u64 real)
{
    switch (word) {
    case 1: return real & ~CFG1_MSGINT;
    case 2: return real & ~CFG2_LVZ;
    case 6: return 0; // no performance counters
    default: return word <= CFG_LAST ? real : 0;
    }
}

static void emulate_cpucfg(struct cpu *cpu, u32 insn)
{
    u32 word = (u32)cpu->gpr[insn >> 5 & 31];
    u64 real = word <= CFG_LAST ? cpucfg_word(word) : 0;
    set_gpr(cpu, insn & 31, (u64)sign_extend(cpucfg_for_guest(word, real), 32));
}

static void emulate_iocsr(struct cpu *cpu, u32 insn)
{
    u32 op = insn >> 10 & 7, address = (u32)cpu->gpr[insn >> 5 & 31], reg = insn & 31;
    unsigned size = 1u << (op & 3);
    if (op & IOCSR_WRITES)
        iocsr_emulate_write(cpu, address, cpu->gpr[reg], size);
    else
        set_gpr(cpu, reg, (u64)sign_extend(iocsr_emulate_read(cpu, address, size), 8 * size));
}

// A vCPU that waits for nothing but another processor may be given to another cell.
static void emulate_idle(struct cpu *cpu)
{
    struct vcpu *v = cpu->vcpu;
    u64 wanted = gcsr_read(CSR_ECFG) & LINE_ALL;
    store_u32(&v->is_offline, wanted == LINE_IPI);
    store_u32(&v->state, VCPU_IDLE);
    while (!cpu->is_stopping && !(gcsr_read(CSR_ESTAT) & wanted)) {
        arch_guest_wait(cpu);
        cpu_serve(cpu);
    }
    store_u32(&v->state, VCPU_RUNNING);
}

// Prefetches are nothing. That these exit is only known to be possible.
static bool is_barrier_or_prefetch(u32 insn)
{
    u32 op = insn >> 15;
    return op == OP_DBAR || op == OP_IBAR || op == OP_PRELDX || insn >> 22 == OP_PRELD;
}

enum exit_kind sensitive_emulate(struct cpu *cpu, u32 insn)
{
    enum exit_kind kind = EXIT_PRIVILEGED;
    if (insn >> 13 == OP_IOCSR) {
        emulate_iocsr(cpu, insn);
        kind = EXIT_IOCSR;
    } else if (insn >> 10 == OP_CPUCFG) {
        emulate_cpucfg(cpu, insn);
        kind = EXIT_CPUCFG;
    } else if (insn >> 24 == OP_CSR) {
        set_gpr(cpu, insn & 31, 0);
        kind = EXIT_CSR;
    } else if (insn >> 22 == OP_CACOP) {
        kind = EXIT_CACOP;
    } else if (insn >> 15 == OP_IDLE) {
        emulate_idle(cpu);
        kind = EXIT_IDLE;
    } else if (is_barrier_or_prefetch(insn)) {
        arch_sync_code();
    } else {
        arch_inject_undefined(cpu);
        return kind;
    }
    cpu->era += 4;
    csr_write(CSR_ERA, cpu->era);
    return kind;
}
