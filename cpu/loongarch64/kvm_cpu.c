// SPDX-License-Identifier: Apache-2.0
// A processor under KVM: entering the guest, and answering what the kernel cannot.
//
// Input lines go to the kernel at once, from whichever thread changes them: KVM_INTERRUPT does not
// wait for KVM_RUN and wakes an idle processor. A request to stop, or to look at memory again, sets
// `immediate_exit` and sends the thread a signal: whatever of the two comes too late for this
// KVM_RUN ends the next one.
#include "cpu/loongarch64/kvm_private.h"
#include "base/bug.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

// Lines that devices drive: hardware interrupts and IPI. The timer's is the kernel's.
#define DEVICE_LINES (BITS(9, 2) | BIT(LINE_IPI))

static void tell_lines(struct la_kvm_cpu *c)
{
    pthread_mutex_lock(&c->lines_lock);
    u32 lines = atomic_load(&c->cpu.lines) & (u32)DEVICE_LINES;
    u32 changed = lines ^ c->lines_told;
    for (unsigned line = 0; changed >> line; line++) {
        if (!(changed >> line & 1))
            continue;
        // A number asserts its line, its negative releases it.
        struct kvm_interrupt irq = {.irq = lines >> line & 1 ? line : -line};
        BUG_ON(ioctl(c->fd, KVM_INTERRUPT, &irq));
    }
    c->lines_told = lines;
    pthread_mutex_unlock(&c->lines_lock);
}

static void kick(struct cpu *cpu)
{
    struct la_kvm_cpu *c = la_kvm_of(cpu);
    u32 requests = atomic_load(&cpu->requests);
    if (requests & CPU_REQ_IRQ)
        tell_lines(c);
    if (requests & (CPU_REQ_STOP | CPU_REQ_FLUSH) && atomic_load(&c->has_thread)) {
        __atomic_store_n(&c->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
        pthread_kill(c->thread, KVM_KICK_SIGNAL);
    }
}

static bool fail(struct la_kvm_cpu *c, const char *what)
{
    return err_set(&c->cpu.failure, "processor %u: %s", c->cpu.index, what);
}

// The guest reaches memory without us.
static bool check_routes(struct la_kvm_cpu *c)
{
    const struct cpu_bus *bus = c->cpu.bus;
    if (!bus->route || (bus->is_routed && !*bus->is_routed))
        return true;
    return fail(c,
                "the guest enables an address window of the chip, which has no effect under KVM; "
                "leave out -accel kvm");
}

static bool look_at_memory(struct la_kvm_cpu *c)
{
    return check_routes(c) && kvm_memory_update(c->kvm, c->cpu.bus->mem, &c->cpu.failure);
}

static void do_mmio(struct la_kvm_cpu *c)
{
    struct kvm_run *run = c->run;
    struct mem_space *m = c->cpu.bus->mem;
    if (run->mmio.is_write)
        mem_write(m, run->mmio.phys_addr, load_le(run->mmio.data, run->mmio.len), run->mmio.len);
    else
        store_le(run->mmio.data, mem_read(m, run->mmio.phys_addr, run->mmio.len), run->mmio.len);
}

static void do_iocsr(struct la_kvm_cpu *c)
{
    struct kvm_run *run = c->run;
    struct cpu_bus *bus = c->cpu.bus;
    u32 address = (u32)run->iocsr_io.phys_addr;
    unsigned size = run->iocsr_io.len;
    if (run->iocsr_io.is_write)
        bus->iocsr_write(bus->opaque, c->cpu.index, address, load_le(run->iocsr_io.data, size),
                         size);
    else
        store_le(run->iocsr_io.data, bus->iocsr_read(bus->opaque, c->cpu.index, address, size),
                 size);
}

// True: the guest can be entered again.
static bool serve_exit(struct la_kvm_cpu *c)
{
    struct err *e = &c->cpu.failure;
    switch (c->run->exit_reason) {
    case KVM_EXIT_INTR: return true;
    case KVM_EXIT_MMIO:
        c->is_unfinished = true;
        do_mmio(c);
        return true;
    case KVM_EXIT_LOONGARCH_IOCSR:
        c->is_unfinished = true;
        do_iocsr(c);
        return true;
    case KVM_EXIT_INTERNAL_ERROR:
        return err_set(e, "processor %u: the host's KVM reports its internal error %u",
                       c->cpu.index, c->run->internal.suberror);
    case KVM_EXIT_FAIL_ENTRY:
        return err_set(e, "processor %u: the host's KVM cannot enter the guest, reason 0x%llx",
                       c->cpu.index,
                       (unsigned long long)c->run->fail_entry.hardware_entry_failure_reason);
    }
    return err_set(e, "processor %u: the host's KVM hands over something unknown (%u)",
                   c->cpu.index, c->run->exit_reason);
}

// Lets the kernel complete the access that it handed over, without entering the guest: its
// registers are those of the instruction after it then.
static void finish_access(struct la_kvm_cpu *c)
{
    if (!c->is_unfinished)
        return;
    __atomic_store_n(&c->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    ioctl(c->fd, KVM_RUN, 0);
    c->is_unfinished = false;
}

static bool enter_guest(struct la_kvm_cpu *c)
{
    int status = ioctl(c->fd, KVM_RUN, 0);
    c->is_unfinished = false;
    if (!status)
        return serve_exit(c);
    return errno == EINTR || errno == EAGAIN || fail(c, strerror(errno));
}

// Requests are taken after immediate_exit is cleared: see kick.
static enum cpu_exit run_once(struct la_kvm_cpu *c)
{
    __atomic_store_n(&c->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    u32 requests = atomic_exchange(&c->cpu.requests, 0);
    if (requests & CPU_REQ_FLUSH && !look_at_memory(c))
        return CPU_EXIT_FAILED;
    if (requests & CPU_REQ_STOP) {
        finish_access(c);
        return CPU_EXIT_STOP;
    }
    return enter_guest(c) ? CPU_EXIT_BUDGET : CPU_EXIT_FAILED;
}

// Instructions are not counted; who calls has time.
static enum cpu_exit run(struct cpu *cpu, u64 budget)
{
    struct la_kvm_cpu *c = la_kvm_of(cpu);
    enum cpu_exit why = err_is_set(&cpu->failure) ? CPU_EXIT_FAILED : CPU_EXIT_BUDGET;
    c->thread = pthread_self();
    atomic_store(&c->has_thread, true);
    while (why == CPU_EXIT_BUDGET)
        why = run_once(c);
    atomic_store(&c->has_thread, false);
    return why;
}

static void reset(struct cpu *cpu)
{
    struct la_kvm_cpu *c = la_kvm_of(cpu);
    if (kvm_state_reset(c, &cpu->failure) && !cpu->index)
        kvm_irqchip_reset(c->kvm, &cpu->failure);
    pthread_mutex_lock(&c->lines_lock);
    c->lines_told = 0;
    pthread_mutex_unlock(&c->lines_lock);
    tell_lines(c);
}

// The kernel sleeps for an idle processor: `run` never returns CPU_EXIT_IDLE.
static bool can_wake(struct cpu *cpu)
{
    return true;
}

static u64 idle_deadline(struct cpu *cpu)
{
    return CLOCK_NEVER;
}

static void free_cpu(struct cpu *cpu)
{
    struct la_kvm_cpu *c = la_kvm_of(cpu);
    if (c->run)
        munmap(c->run, c->kvm->run_size);
    if (c->fd >= 0)
        close(c->fd);
    pthread_mutex_destroy(&c->lines_lock);
    free(c);
}

static const struct cpu_ops kvm_cpu_ops = {
    .reset = reset,
    .run = run,
    .can_wake = can_wake,
    .idle_deadline = idle_deadline,
    .kick = kick,
    .free = free_cpu,
};

static bool make_vcpu(struct la_kvm_cpu *c, struct err *e)
{
    c->fd = ioctl(c->kvm->fd, KVM_CREATE_VCPU, (unsigned long)c->cpu.index);
    if (c->fd < 0)
        return err_set(e, "make processor %u: %s", c->cpu.index, strerror(errno));
    void *run = mmap(NULL, c->kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
    if (run == MAP_FAILED)
        return err_set(e, "map processor %u: %s", c->cpu.index, strerror(errno));
    c->run = run;
    return true;
}

bool la_kvm_cpu_has(struct cpu *c, unsigned word, unsigned bit)
{
    return la_kvm_of(c)->cpucfg[word] >> bit & 1;
}

struct cpu *la_kvm_cpu_new(struct la_kvm *k, const struct la_cpu *like, struct cpu_bus *bus,
                           unsigned index, struct err *e)
{
    struct la_kvm_cpu *c = calloc(1, sizeof(*c));
    BUG_ON(!c);
    c->cpu.ops = &kvm_cpu_ops;
    c->cpu.bus = bus;
    c->cpu.index = index;
    c->kvm = k;
    pthread_mutex_init(&c->lines_lock, NULL);
    if (make_vcpu(c, e) && kvm_state_set_cpucfg(c, like->cpucfg, e) && kvm_state_reset(c, e))
        return &c->cpu;
    free_cpu(&c->cpu);
    return NULL;
}
