// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/loongarch64/smp.h"
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/fw_cfg.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/percpu.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/report.h"

static struct percpu cpus[MAX_CPUS];

// start.S and start.c
extern const char start_other[];
_Noreturn void smp_serve(void);

struct percpu *percpu_of(unsigned index)
{
    if (index >= MAX_CPUS)
        report_bail_out("processor %u: at most %u are provided for", index, MAX_CPUS);
    return &cpus[index];
}

unsigned smp_n_cpus(void)
{
    u64 told = args_number("smp", 0);
    if (told)
        return (unsigned)told;
    return fw_cfg_exists() ? fw_cfg_n_cpus() : 1;
}

unsigned smp_cpu_index(void)
{
    return this_cpu()->index;
}

static void *take_work(struct percpu *cpu)
{
    return (void *)__atomic_load_n(&cpu->work, __ATOMIC_ACQUIRE);
}

// `idle` wakes although interrupts are off; the wake-up interrupt is taken back by hand.
static void wait_for_work(struct percpu *cpu)
{
    while (!take_work(cpu)) {
        __asm__ volatile("idle 0" ::: "memory");
        iocsr_write_w(IPI_CLEAR, BIT(IPI_VECTOR_WAKE));
    }
}

// Tests change these; each piece of work finds them the same.
static void listen(void)
{
    csr_clear(CSR_CRMD, CRMD_IE);
    csr_write(CSR_ECFG, BIT(LINE_IPI));
    iocsr_write_w(IPI_CLEAR, 0xffffffff);
    iocsr_write_w(IPI_EN, 0xffffffff);
}

void smp_serve(void)
{
    struct percpu *cpu = this_cpu();
    listen();
    __atomic_store_n(&cpu->is_online, true, __ATOMIC_RELEASE);
    for (;;) {
        wait_for_work(cpu);
        cpu->work(cpu->argument);
        listen();
        __atomic_store_n(&cpu->work, NULL, __ATOMIC_RELEASE);
    }
}

// Firmware that comes late to its parking loop clears the mailbox first: so the call is repeated.
static bool start_one(unsigned index)
{
    struct percpu *cpu = percpu_of(index);
    for (unsigned attempt = 0; attempt < 40; attempt++) {
        ipi_mail(index, 0, physical_of(start_other));
        ipi_send(index, IPI_VECTOR_BOOT);
        u64 deadline = time_after_ms(500);
        while (!time_is_past(deadline))
            if (__atomic_load_n(&cpu->is_online, __ATOMIC_ACQUIRE))
                return true;
    }
    return report(false, "processor %u starts", index);
}

bool smp_start_all(void)
{
    bool all = true;
    for (unsigned i = 1; i < smp_n_cpus(); i++)
        all &= percpu_of(i)->is_online || start_one(i);
    return all;
}

// The processor may be on its way into `idle`: listen() ends before `work` is cleared, so an
// interrupt sent now stays pending.
void smp_begin(unsigned index, void (*f)(void *), void *argument)
{
    struct percpu *cpu = percpu_of(index);
    smp_finish(index);
    cpu->argument = argument;
    __atomic_store_n(&cpu->work, f, __ATOMIC_RELEASE);
    ipi_send(index, IPI_VECTOR_WAKE);
}

void smp_finish(unsigned index)
{
    struct percpu *cpu = percpu_of(index);
    u64 deadline = time_after_ms(120000);
    while (take_work(cpu))
        if (time_is_past(deadline))
            report_bail_out("processor %u does not come back", index);
}

void smp_call_all(void (*f)(void *), void *argument)
{
    for (unsigned i = 1; i < smp_n_cpus(); i++)
        smp_begin(i, f, argument);
    f(argument);
    for (unsigned i = 1; i < smp_n_cpus(); i++)
        smp_finish(i);
}
