// SPDX-License-Identifier: Apache-2.0
// I/O configuration space as cells have it. Every access exits; what the table below does not grant
// reads 0, ignores writes and is counted.
//
// Accesses are turned into ones of an aligned 64-bit word with a mask, so that one function serves
// all sizes. Interrupts between processors and their mailboxes are virtual in all cells: targets
// are the cell's own processors, and a boot request is taken here. The root cell has the machine's
// interrupt controller, others one of their own.
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/arch/loongarch64/csr.h"
#include "hv/arch/loongarch64/processor.h"
#include "hv/cell.h"
#include "hv/cpu.h"
#include "hv/mmio.h"
#include "hv/sync.h"
#include "hv/vintc.h"

enum {
    IP_MAP = 0x14c0,
    ENABLE = 0x1600,
    CORE_SR = 0x1800,
    BOX_STATUS = 0x1000,
    BOX_SET_CLEAR = 0x1008,
    BOX_MAIL = 0x1020,
    SEND_IPI = 0x1040,
    SEND_MAIL = 0x1048,
    SEND_ANY = 0x1158,
    MISC_FUNC = 0x420,
    EIO_ROUTE = 0x1c00
};
#define MISC_EXT_INT_EN BIT(48)

struct word {
    struct cpu *cpu;
    u32 address; // multiple of 8
    u64 value, mask;
};

static u64 read_real(const struct word *w)
{
    return iocsr_read64(w->address);
}

// Only the bytes that are written: some registers act on being written at all.
static void write_real(const struct word *w)
{
    if ((u32)w->mask == 0)
        iocsr_write32(w->address + 4, w->value >> 32);
    else if (w->mask >> 32 == 0 && (u32)w->mask == ~0u)
        iocsr_write32(w->address, w->value);
    else if (w->mask == ~0ULL)
        iocsr_write64(w->address, w->value);
    else
        iocsr_write64(w->address, (iocsr_read64(w->address) & ~w->mask) | w->value);
}

static u64 read_misc(const struct word *w)
{
    struct cell *c = w->cpu->vcpu->cell;
    return c->id ? c->intc.misc : iocsr_read64(MISC_FUNC);
}

// The extended interrupts can be turned on; nobody turns them off for others.
static void write_misc(const struct word *w)
{
    struct cell *c = w->cpu->vcpu->cell;
    if (c->id)
        c->intc.misc = w->value & w->mask & MISC_EXT_INT_EN;
    else if (w->value & MISC_EXT_INT_EN)
        iocsr_write64(MISC_FUNC, iocsr_read64(MISC_FUNC) | MISC_EXT_INT_EN);
}

static u64 read_status(const struct word *w)
{
    const struct vcpu *v = w->cpu->vcpu;
    return __atomic_load_n(&v->ipi_status, __ATOMIC_SEQ_CST) | (u64)v->ipi_enable << 32;
}

static void write_enable(const struct word *w)
{
    struct vcpu *v = w->cpu->vcpu;
    v->ipi_enable = (v->ipi_enable & ~(u32)(w->mask >> 32)) | (u32)(w->value >> 32);
    arch_virq_update(v);
}

static u64 read_nothing(const struct word *w)
{
    return 0;
}

static void write_set_clear(const struct word *w)
{
    struct vcpu *v = w->cpu->vcpu;
    __atomic_fetch_or(&v->ipi_status, (u32)w->value, __ATOMIC_SEQ_CST);
    __atomic_fetch_and(&v->ipi_status, ~(u32)(w->value >> 32), __ATOMIC_SEQ_CST);
    arch_virq_update(v);
}

static u64 read_mailbox(const struct word *w)
{
    return __atomic_load_n(&w->cpu->vcpu->mailbox[(w->address - BOX_MAIL) / 8], __ATOMIC_SEQ_CST);
}

// Others may write other bytes of it at the same time.
static void put_mail(u64 *box, u64 mask, u64 value)
{
    u64 old = __atomic_load_n(box, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n(box, &old, (old & ~mask) | value, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
        ;
}

static void write_mailbox(const struct word *w)
{
    put_mail(&w->cpu->vcpu->mailbox[(w->address - BOX_MAIL) / 8], w->mask, w->value);
}

// The vCPU that a send register names in bits 25:16, NULL if the cell has none of that number.
static struct vcpu *target_of(const struct word *w)
{
    struct cell *c = w->cpu->vcpu->cell;
    u64 index = bits_get(w->value, 25, 16);
    return index < c->n_vcpus && c->vcpu[index].cpu ? &c->vcpu[index] : NULL;
}

// A processor that is off starts at its mailbox, as firmware's waiting loop would have it.
static void write_send_ipi(const struct word *w)
{
    struct vcpu *v = target_of(w);
    if (!v || !(w->mask & 0xff))
        return;
    if (load_u32(&v->state) == VCPU_OFF) {
        cell_start_vcpu(v->cell, v->index, __atomic_load_n(&v->mailbox[0], __ATOMIC_SEQ_CST));
        return;
    }
    __atomic_fetch_or(&v->ipi_status, 1u << bits_get(w->value, 4, 0), __ATOMIC_SEQ_CST);
    if (v == w->cpu->vcpu)
        arch_virq_update(v);
    else if (load_u32(&v->state) != VCPU_LENT)
        cpu_request(v->cpu, REQUEST_INJECT);
}

// Bits 30:27 of a send register name the bytes that are not written, 63:32 are the data.
static u64 sent_bytes(u64 command)
{
    u64 mask = 0;
    for (unsigned i = 0; i < 4; i++)
        mask |= command >> (27 + i) & 1 ? 0 : 0xffULL << (8 * i);
    return mask;
}

static void write_send_mail(const struct word *w)
{
    struct vcpu *v = target_of(w);
    unsigned half = 32 * (unsigned)bits_get(w->value, 2, 2);
    if (!v || w->mask != ~0ULL)
        return;
    u64 mask = sent_bytes(w->value) << half;
    put_mail(&v->mailbox[bits_get(w->value, 4, 3)], mask, (w->value >> 32) << half & mask);
}

// Routes of the machine's controller may name processors of the root cell only; of its first node,
// which the devices' register file serves.
static bool is_routable(const struct word *w)
{
    struct cell *c = w->cpu->vcpu->cell;
    for (unsigned i = 0; i < 8; i++) {
        u8 route = (u8)(w->value >> (8 * i));
        if (w->mask >> (8 * i) & 0xff && route & 0xf & ~c->cpus)
            return false;
    }
    return true;
}

// The vector that the hypervisor raises at this processor as a bit of the status word, if it is
// one of the word's.
static u64 raised_bit(struct cpu *cpu, u32 address)
{
    u32 vector = load_u32(&cpu->hv->root_vector);
    bool is_here = vector && load_u32(&cpu->hv->root_cpu) == cpu->id;
    return is_here && address == CORE_SR + vector / 64 * 8 ? BIT(vector % 64) : 0;
}

u32 iocsr_root_pins(struct cpu *cpu)
{
    u32 vector = load_u32(&cpu->hv->root_vector);
    bool is_enabled = vector && iocsr_read64(ENABLE + vector / 64 * 8) >> (vector % 64) & 1;
    bool is_here = is_enabled && load_u32(&cpu->hv->root_cpu) == cpu->id;
    u32 map = is_here ? (u32)(iocsr_read64(IP_MAP) >> (vector / 32 * 8)) & 0xff : 0;
    cpu->has_extioi = !is_here;
    return is_here ? 1u << (map ? __builtin_ctz(map) : 0) : 0;
}

// Where the controller would send it: the first processor of its route that the root cell has.
void arch_root_interrupt(struct hv *hv, u32 vector)
{
    u32 cores = (u32)(iocsr_read64(EIO_ROUTE + vector / 8 * 8) >> (vector % 8 * 8)) & 0xf;
    u32 before = load_u32(&hv->root_cpu);
    cores &= hv->cell[0].cpus;
    store_u32(&hv->root_cpu, cores ? (u32)__builtin_ctz(cores) : 0);
    store_u32(&hv->root_vector, vector);
    cpu_request(hv->cpu[hv->root_cpu], REQUEST_INJECT);
    if (before != hv->root_cpu)
        cpu_request(hv->cpu[before], REQUEST_INJECT);
}

// Routes or enabled vectors have changed.
static void raise_again(struct cpu *cpu)
{
    u32 vector = load_u32(&cpu->hv->root_vector);
    if (vector)
        arch_root_interrupt(cpu->hv, vector);
}

static void write_root_extioi(const struct word *w)
{
    struct hv *hv = w->cpu->hv;
    bool is_status = w->address >= CORE_SR && w->address < CORE_SR + 32;
    if (is_status && raised_bit(w->cpu, w->address) & w->value)
        store_u32(&hv->root_vector, 0);
    if (w->address < EIO_ROUTE || is_routable(w))
        write_real(w);
    if (!is_status)
        raise_again(w->cpu);
    arch_virq_update(w->cpu->vcpu);
}

static u64 read_extioi(const struct word *w)
{
    struct cell *c = w->cpu->vcpu->cell;
    u64 value = 0;
    if (!c->id)
        return iocsr_read64(w->address) | raised_bit(w->cpu, w->address);
    vintc_read(c, w->cpu->vcpu->index, w->address, &value);
    return value;
}

static void write_extioi(const struct word *w)
{
    struct cell *c = w->cpu->vcpu->cell;
    if (c->id)
        vintc_write(c, w->cpu->vcpu->index, w->address, w->value, w->mask);
    else
        write_root_extioi(w);
}

// To a register of another processor's controller, which all share here: 32 bits at the address in
// bits 15:0.
static void write_send_any(const struct word *w)
{
    u32 address = (u32)bits_get(w->value, 15, 0) & ~3u;
    bool is_extioi = (address >= 0x14a0 && address < 0x14c8) ||
                     (address >= 0x1600 && address < 0x16a0) ||
                     (address >= 0x1c00 && address < 0x1d00);
    unsigned half = 8 * (address & 4);
    struct word sent = {.cpu = w->cpu, .address = address & ~7u};
    if (w->mask != ~0ULL || !is_extioi || !target_of(w))
        return;
    sent.mask = sent_bytes(w->value) << half;
    sent.value = (w->value >> 32) << half & sent.mask;
    if (w->cpu->vcpu->cell->id)
        write_extioi(&sent);
    else if (address < EIO_ROUTE || is_routable(&sent)) {
        iocsr_write64(SEND_ANY, w->value);
        raise_again(w->cpu);
    }
}

struct grant {
    u32 first, last;
    bool for_root, for_cells;
    u64 (*read)(const struct word *w);
    void (*write)(const struct word *w);
};

// clang-format off
static const struct grant grants[] = {
    {0x0008, 0x000f, true, true,  read_real,    NULL}, // features
    {0x0010, 0x0017, true, true,  read_real,    NULL}, // vendor
    {0x0020, 0x0027, true, true,  read_real,    NULL}, // name
    {0x0408, 0x040f, true, false, read_real,    NULL}, // nodes
    {0x0420, 0x0427, true, true,  read_misc,    write_misc},
    {0x0428, 0x042f, true, false, read_real,    NULL}, // temperature
    {0x1000, 0x1007, true, true,  read_status,  write_enable},
    {0x1008, 0x100f, true, true,  read_nothing, write_set_clear},
    {0x1020, 0x103f, true, true,  read_mailbox, write_mailbox},
    {0x1040, 0x1047, true, true,  read_nothing, write_send_ipi},
    {0x1048, 0x104f, true, true,  read_nothing, write_send_mail},
    {0x1158, 0x115f, true, true,  read_nothing, write_send_any},
    {0x14a0, 0x14c7, true, true,  read_extioi,  write_extioi},
    {0x1600, 0x161f, true, true,  read_extioi,  write_extioi},
    {0x1680, 0x169f, true, true,  read_extioi,  write_extioi},
    {0x1800, 0x181f, true, true,  read_extioi,  write_extioi},
    {0x1c00, 0x1cff, true, true,  read_extioi,  write_extioi},
};
// clang-format on

static const struct grant *find(struct cpu *cpu, u32 address, unsigned size)
{
    bool is_root = !cpu->vcpu->cell->id;
    for (unsigned i = 0; i < ARRAY_LEN(grants) && !(address & (size - 1)); i++)
        if (address >= grants[i].first && address <= grants[i].last)
            return (is_root ? grants[i].for_root : grants[i].for_cells) ? &grants[i] : NULL;
    return NULL;
}

static struct word word_of(struct cpu *cpu, u32 address, unsigned size)
{
    unsigned shift = 8 * (address & 7);
    return (struct word){cpu, address & ~7u, 0, (~0ULL >> (64 - 8 * size)) << shift};
}

u64 iocsr_emulate_read(struct cpu *cpu, u32 address, unsigned size)
{
    const struct grant *g = find(cpu, address, size);
    struct word w = word_of(cpu, address, size);
    if (g)
        return g->read(&w) >> (8 * (address & 7));
    mmio_note_unknown(cpu->hv, address);
    return 0;
}

void iocsr_emulate_write(struct cpu *cpu, u32 address, u64 value, unsigned size)
{
    const struct grant *g = find(cpu, address, size);
    struct word w = word_of(cpu, address, size);
    w.value = value << (8 * (address & 7)) & w.mask;
    if (g && g->write)
        g->write(&w);
    else
        mmio_note_unknown(cpu->hv, address);
}
