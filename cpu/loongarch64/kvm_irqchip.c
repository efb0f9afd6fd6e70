// SPDX-License-Identifier: Apache-2.0
// The interrupt controllers that the kernel offers: inter-processor interrupts, the processor's
// extended I/O controller and the bridge's. Accesses of the guest to them never come to us.
//
// The kernel resets nothing by itself: it takes every register as a value to set. Register numbers
// are offsets within the controllers, as in the manuals of 3A5000 and 7A1000.
#include "cpu/loongarch64/kvm_private.h"
#include "base/bug.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define KERNEL_MAX_CPUS 4 // without the encoding that only its own guests know

enum { IPI_STATUS = 0, IPI_ENABLE = 4, IPI_MAILBOX = 0x20, IPI_N_MAILBOXES = 4 };
enum {
    EXTIOI_NODE_TYPE = 0xa0,
    EXTIOI_IPMAP = 0xc0,
    EXTIOI_ENABLE = 0x200,
    EXTIOI_BOUNCE = 0x280,
    EXTIOI_ISR = 0x300,
    EXTIOI_CORE_ISR = 0x400,
    EXTIOI_ROUTE = 0x800,
};
enum {
    PIC_MASK = 0x20,
    PIC_HTMSI_EN = 0x40,
    PIC_EDGE = 0x60,
    PIC_ROUTE = 0x100,
    PIC_VECTOR = 0x200,
    PIC_IRR = 0x380,
    PIC_ISR = 0x3a0,
    PIC_POLARITY = 0x3e0,
    PIC_N_PINS = 32,
};

static const u32 device_types[KVM_INTC_N] = {
    [KVM_INTC_IPI] = KVM_DEV_TYPE_LOONGARCH_IPI,
    [KVM_INTC_EXTIOI] = KVM_DEV_TYPE_LOONGARCH_EIOINTC,
    [KVM_INTC_PIC] = KVM_DEV_TYPE_LOONGARCH_PCHPIC,
};

static bool make_device(struct la_kvm *k, unsigned which, u32 flags)
{
    struct kvm_create_device d = {.type = device_types[which], .fd = (u32)-1, .flags = flags};
    if (ioctl(k->fd, KVM_CREATE_DEVICE, &d))
        return false;
    if (!flags)
        k->intc.fd[which] = (int)d.fd;
    return true;
}

bool la_kvm_has_irqchip(struct la_kvm *k, unsigned n_cpus, struct err *e)
{
    if (n_cpus > KERNEL_MAX_CPUS)
        return err_set(e, "the kernel's interrupt controllers serve %d processors at most, not %u",
                       KERNEL_MAX_CPUS, n_cpus);
    bool has_all = ioctl(k->fd, KVM_CHECK_EXTENSION, KVM_CAP_SIGNAL_MSI) > 0;
    for (unsigned i = 0; i < KVM_INTC_N; i++)
        has_all = has_all && make_device(k, i, KVM_CREATE_DEVICE_TEST);
    return has_all || err_set(e, "the host's KVM has no interrupt controllers; a newer kernel has "
                                 "them (6.14 or later)");
}

static int set_attribute(struct la_kvm *k, unsigned which, u32 group, u64 attribute,
                         const void *value)
{
    struct kvm_device_attr a = {.group = group, .attr = attribute, .addr = (uintptr_t)value};
    return ioctl(k->intc.fd[which], KVM_SET_DEVICE_ATTR, &a) ? -errno : 0;
}

bool la_kvm_irqchip_make(struct la_kvm *k, unsigned n_cpus, u64 pic_base, struct err *e)
{
    u32 n = n_cpus, no_features = 0;
    int error = 0;
    k->intc.n_cpus = n_cpus;
    for (unsigned i = 0; i < KVM_INTC_N; i++)
        if (!make_device(k, i, 0))
            return err_set(e, "make KVM's interrupt controllers: %s", strerror(errno));
    error |= set_attribute(k, KVM_INTC_EXTIOI, KVM_DEV_LOONGARCH_EXTIOI_GRP_CTRL,
                           KVM_DEV_LOONGARCH_EXTIOI_CTRL_INIT_NUM_CPU, &n);
    error |= set_attribute(k, KVM_INTC_EXTIOI, KVM_DEV_LOONGARCH_EXTIOI_GRP_CTRL,
                           KVM_DEV_LOONGARCH_EXTIOI_CTRL_INIT_FEATURE, &no_features);
    error |= set_attribute(k, KVM_INTC_PIC, KVM_DEV_LOONGARCH_PCH_PIC_GRP_CTRL,
                           KVM_DEV_LOONGARCH_PCH_PIC_CTRL_INIT, &pic_base);
    return !error || err_set(e, "KVM refuses to set up its interrupt controllers");
}

void kvm_irqchip_free(struct kvm_intc *c)
{
    for (unsigned i = 0; i < KVM_INTC_N; i++)
        if (c->fd[i] > 0)
            close(c->fd[i]);
}

void la_kvm_irqchip_set_pin(void *opaque, unsigned pin, bool level)
{
    struct la_kvm *k = opaque;
    if (pin >= PIC_N_PINS || (k->intc.input >> pin & 1) == level)
        return;
    k->intc.input ^= BIT(pin);
    struct kvm_irq_level l = {.irq = pin, .level = level};
    BUG_ON(ioctl(k->fd, KVM_IRQ_LINE, &l));
}

// The vector is cleared where it is served; nothing is to be done when the doorbell is let go.
void la_kvm_irqchip_send(void *opaque, unsigned vector, bool level)
{
    struct la_kvm *k = opaque;
    struct kvm_msi m = {.data = vector};
    BUG_ON(level && ioctl(k->fd, KVM_SIGNAL_MSI, &m) < 0);
}

// Reset

// `n` registers of four bytes in a row.
static int set_extioi(struct la_kvm *k, u64 first, unsigned n, u32 value)
{
    int error = 0;
    for (unsigned i = 0; i < n; i++)
        error |= set_attribute(k, KVM_INTC_EXTIOI, KVM_DEV_LOONGARCH_EXTIOI_GRP_REGS, first + 4 * i,
                               &value);
    return error;
}

// Routes begin at processor 0. At none, as the manual has it, the kernel would look for a processor
// that is not there.
static int reset_extioi(struct la_kvm *k)
{
    u32 nothing = 0;
    int error = set_extioi(k, EXTIOI_NODE_TYPE, 8, 0) | set_extioi(k, EXTIOI_IPMAP, 2, 0) |
                set_extioi(k, EXTIOI_ENABLE, 8, 0) | set_extioi(k, EXTIOI_BOUNCE, 8, 0) |
                set_extioi(k, EXTIOI_ISR, 8, 0) | set_extioi(k, EXTIOI_ROUTE, 64, 0x01010101);
    for (u64 cpu = 0; cpu < k->intc.n_cpus; cpu++)
        error |= set_extioi(k, cpu << 16 | EXTIOI_CORE_ISR, 8, 0);
    return error | set_attribute(k, KVM_INTC_EXTIOI, KVM_DEV_LOONGARCH_EXTIOI_GRP_CTRL,
                                 KVM_DEV_LOONGARCH_EXTIOI_CTRL_LOAD_FINISHED, &nothing);
}

static int set_pic(struct la_kvm *k, u64 number, u64 value)
{
    return set_attribute(k, KVM_INTC_PIC, KVM_DEV_LOONGARCH_PCH_PIC_GRP_REGS, number, &value);
}

// What the devices drive is their state.
static int reset_pic(struct la_kvm *k)
{
    int error = set_pic(k, PIC_MASK, ~0ULL) | set_pic(k, PIC_HTMSI_EN, 0) |
                set_pic(k, PIC_EDGE, 0) | set_pic(k, PIC_POLARITY, 0) | set_pic(k, PIC_ISR, 0) |
                set_pic(k, PIC_IRR, k->intc.input);
    for (unsigned pin = 0; pin < PIC_N_PINS; pin++)
        error |= set_pic(k, PIC_ROUTE + pin, 1) | set_pic(k, PIC_VECTOR + pin, pin);
    return error;
}

static int reset_ipi(struct la_kvm *k, u64 cpu)
{
    const u32 group = KVM_DEV_LOONGARCH_IPI_GRP_REGS;
    const u64 zero = 0, base = cpu << 16;
    int error = set_attribute(k, KVM_INTC_IPI, group, base | IPI_STATUS, &zero) |
                set_attribute(k, KVM_INTC_IPI, group, base | IPI_ENABLE, &zero);
    for (u64 i = 0; i < IPI_N_MAILBOXES; i++)
        error |= set_attribute(k, KVM_INTC_IPI, group, base | (IPI_MAILBOX + 8 * i), &zero);
    return error;
}

bool kvm_irqchip_reset(struct la_kvm *k, struct err *e)
{
    if (!k->intc.n_cpus)
        return true;
    int error = reset_extioi(k) | reset_pic(k);
    for (unsigned cpu = 0; cpu < k->intc.n_cpus; cpu++)
        error |= reset_ipi(k, cpu);
    return !error || err_set(e, "KVM refuses to reset its interrupt controllers");
}
