// SPDX-License-Identifier: Apache-2.0
// Registers of a processor under KVM: its configuration words and its state after reset.
#include "cpu/loongarch64/kvm_private.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#define RESET_PC 0x1c000000

static int set_register(struct la_kvm_cpu *c, u64 id, u64 value)
{
    struct kvm_one_reg r = {.id = id, .addr = (uintptr_t)&value};
    return ioctl(c->fd, KVM_SET_ONE_REG, &r) ? -errno : 0;
}

// Configuration words

// Fields that are numbers: a guest gets the smaller one. All other bits are features.
static const struct number_field {
    u8 word, high, low;
} number_fields[] = {
    {1, 1, 0},   // ARCH
    {1, 11, 4},  // PALEN
    {1, 19, 12}, // VALEN
    {2, 5, 3},   // FP version
    {2, 17, 15}, // counter and timer version
    {3, 10, 8},  // levels of the page walk
    {3, 16, 13}, // bits of reduced virtual addresses
};

static u32 common_features(unsigned word, u32 wanted, u32 host)
{
    u32 value = wanted & host;
    for (size_t i = 0; i < ARRAY_LEN(number_fields); i++) {
        const struct number_field *f = &number_fields[i];
        u64 a = bits_get(wanted, f->high, f->low), b = bits_get(host, f->high, f->low);
        if (f->word == word)
            value = (u32)bits_set(value, f->high, f->low, a < b ? a : b);
    }
    return value;
}

// The processor's identity and its caches are the model's; the counter runs at the host's rate.
static u32 choose_cpucfg(unsigned word, u32 wanted)
{
    switch (word) {
    case 1:
    case 2:
    case 3: return common_features(word, wanted, __builtin_loongarch_cpucfg(word));
    case 4:
    case 5: return __builtin_loongarch_cpucfg(word);
    }
    return wanted;
}

// The bits that the kernel lets a guest have.
static u32 allowed_by_kernel(struct la_kvm_cpu *c, unsigned word)
{
    u64 mask = 0;
    struct kvm_device_attr attr = {
        .group = KVM_LOONGARCH_VCPU_CPUCFG, .attr = word, .addr = (uintptr_t)&mask};
    return ioctl(c->fd, KVM_GET_DEVICE_ATTR, &attr) ? 0 : (u32)mask;
}

// Units that need another one go with it.
static u32 without_orphans(u32 word2)
{
    if (!(word2 & BIT(0)))
        word2 &= ~(u32)(BITS(7, 6) | BITS(5, 1));
    if (!(word2 & BIT(6)))
        word2 &= ~(u32)BIT(7);
    return word2;
}

bool kvm_state_set_cpucfg(struct la_kvm_cpu *c, const u32 *wanted, struct err *e)
{
    for (unsigned word = 0; word < LA_N_CPUCFG; word++) {
        u32 value = choose_cpucfg(word, wanted[word]) & allowed_by_kernel(c, word);
        if (word == 2)
            value = without_orphans(value);
        int error = set_register(c, KVM_IOC_CPUCFG(word), value);
        if (error && value)
            return err_set(e, "KVM refuses 0x%x as configuration word %u: %s", value, word,
                           strerror(-error));
        c->cpucfg[word] = value;
    }
    return true;
}

// Reset

enum scope { SCOPE_BOTH, SCOPE_ROOT, SCOPE_LVZ, SCOPE_LVZ2 };

static const struct reset_csr {
    u16 number;
    u8 scope;
    u64 value;
} reset_csrs[] = {
#define CSR(number, name, writable, initial, scope) {number, SCOPE_##scope, initial},
#include "cpu/loongarch64/csr.def"
#undef CSR
};

// Registers that are others in disguise, or that only the hardware writes.
static bool is_settable(const struct reset_csr *r)
{
    bool is_of_guests = r->scope == SCOPE_BOTH || r->scope == SCOPE_LVZ2;
    return is_of_guests && r->number != CSR_PGD && r->number != CSR_TICLR &&
           r->number != CSR_BADI && r->number != CSR_CPUID;
}

static int reset_csr(struct la_kvm_cpu *c, const struct reset_csr *r)
{
    u64 value = r->number == CSR_TID ? c->cpu.index : r->value;
    return set_register(c, KVM_IOC_CSRID(r->number), value);
}

static bool reset_csrs_of(struct la_kvm_cpu *c, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(reset_csrs); i++) {
        const struct reset_csr *r = &reset_csrs[i];
        int error = is_settable(r) ? reset_csr(c, r) : 0;
        if (error)
            return err_set(e, "KVM refuses to set control register 0x%x: %s", r->number,
                           strerror(-error));
    }
    // Routes interprocessor interrupts inside the kernel; it may be set once, and again to the
    // same.
    int error = set_register(c, KVM_IOC_CSRID(CSR_CPUID), c->cpu.index);
    return !error || err_set(e, "KVM refuses the number %u for a processor: %s", c->cpu.index,
                             strerror(-error));
}

static bool reset_registers(struct la_kvm_cpu *c, struct err *e)
{
    struct kvm_regs regs = {.pc = RESET_PC};
    struct kvm_fpu fpu = {0};
    if (ioctl(c->fd, KVM_SET_REGS, &regs) || ioctl(c->fd, KVM_SET_FPU, &fpu))
        return err_set(e, "KVM refuses to set registers: %s", strerror(errno));
    return true;
}

bool kvm_state_reset(struct la_kvm_cpu *c, struct err *e)
{
    // Forgets interrupts that are on their way. Kernels before 6.13 have nothing to forget here.
    set_register(c, KVM_REG_LOONGARCH_VCPU_RESET, 0);
    if (!reset_registers(c, e) || !reset_csrs_of(c, e))
        return false;
    if (!c->cpu.index)
        set_register(c, KVM_REG_LOONGARCH_COUNTER, 0);
    return true;
}
