// SPDX-License-Identifier: Apache-2.0
// A vCPU's state: its control registers are the guest's set of its processor, and stay there across
// exits.
#include "hv/arch.h"
#include "hv/arch/loongarch64/csr.h"
#include "hv/arch/loongarch64/processor.h"
#include "hv/sync.h"
#include "hv/text.h"
#include "hv/vintc.h"

#define GUEST_CPUID 0x20
#define GUEST_TID   0x40
#define ESUB_ADEM   1

void scrub_lasx(void);
void scrub_fp(void);

static void reset_control_registers(const struct vcpu *v)
{
#define GUEST_CSR(name, number, value) gcsr_write(number, value);
#include "hv/arch/loongarch64/guest_csr.def"
#undef GUEST_CSR
    gcsr_write(CSR_ASID, 0);
    gcsr_write(GUEST_CPUID, v->index);
    gcsr_write(GUEST_TID, v->index);
}

// The unit belongs to the cell from here on; a predecessor's values must not.
static void reset_units(void)
{
    u64 units = csr_read(CSR_EUEN);
    if (units & 4)
        scrub_lasx();
    else if (units & 1)
        scrub_fp();
}

void arch_vcpu_reset(struct vcpu *v)
{
    struct cpu *cpu = v->cpu;
    struct cell *c = v->cell;
    v->ipi_status = v->ipi_enable = v->is_offline = 0;
    memset(v->mailbox, 0, sizeof(v->mailbox));
    memset(cpu->gpr, 0, sizeof(cpu->gpr));
    memcpy(&cpu->gpr[4], v->args, sizeof(v->args));
    reset_control_registers(v);
    reset_units();
    arch_stage2_flush(c->id + 1);
    processor_select(c->id + 1, c->stage2, c->time_offset, !c->id);
    cpu->has_extioi = !c->id;
    csr_write(CSR_ERA, v->entry);
    arch_sync_code();
}

void arch_vcpu_save(struct vcpu *v)
{
    struct control_registers *r = &v->registers;
    memcpy(r->gpr, v->cpu->gpr, sizeof(r->gpr));
    r->era = csr_read(CSR_ERA);
    r->crmd = gcsr_read(CSR_CRMD);
    r->prmd = gcsr_read(CSR_PRMD);
    r->estat = gcsr_read(CSR_ESTAT);
    r->badv = gcsr_read(CSR_BADV);
}

void arch_virq_update(struct vcpu *v)
{
    bool ipi = __atomic_load_n(&v->ipi_status, __ATOMIC_SEQ_CST) & v->ipi_enable;
    gcsr_change(CSR_ESTAT, ipi ? LINE_IPI : 0, LINE_IPI);
    csr_change(CSR_GINTC, v->cell->id ? vintc_pins(v->cell, v->index) : iocsr_root_pins(v->cpu),
               0xff);
}

// As hardware would enter the exception, had the guest caused it by itself.
static void inject(struct cpu *cpu, u32 code, u32 subcode)
{
    u64 crmd = gcsr_read(CSR_CRMD), spacing = bits_get(gcsr_read(CSR_ECFG), 18, 16);
    u64 offset = spacing ? (u64)code << (spacing + 2) : 0;
    gcsr_change(CSR_PRMD, crmd & (CRMD_PLV | CRMD_IE), CRMD_PLV | CRMD_IE);
    gcsr_change(CSR_CRMD, 0, CRMD_PLV | CRMD_IE);
    gcsr_change(CSR_ESTAT, (u64)subcode << 22 | (u64)code << 16, BITS(30, 16));
    gcsr_write(CSR_ERA, cpu->era);
    gcsr_write(CSR_BADI, csr_read(CSR_BADI));
    cpu->era = gcsr_read(CSR_EENTRY) + offset;
    csr_write(CSR_ERA, cpu->era);
}

void arch_inject_address_error(struct cpu *cpu, u64 address)
{
    gcsr_write(CSR_BADV, address);
    inject(cpu, ECODE_ADE, ESUB_ADEM);
}

void arch_inject_undefined(struct cpu *cpu)
{
    inject(cpu, ECODE_INE, 0);
}
