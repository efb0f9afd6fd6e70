// SPDX-License-Identifier: Apache-2.0
// From the first instructions in C to main and back: still with translation off.
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/percpu.h"
#include "guest/lib/machine.h"
#include "guest/lib/report.h"
#include "guest/lib/text.h"

extern char bss_begin[], bss_end[]; // payload.lds; stacks lie behind

// start.S
_Noreturn void start_first(u64 is_efi, u64 command_line, u64 system_table);
_Noreturn void start_second(u64 index);
_Noreturn void smp_serve(void);

__attribute__((weak)) void start_early(unsigned cpu)
{
}

void start_mapped(void)
{
    csr_write(CSR_DMW0, DMW0_VALUE);
    csr_write(CSR_DMW1, DMW1_VALUE);
    csr_exchange(CSR_CRMD, CRMD_PG, CRMD_DA | CRMD_PG);
}

void start_direct(void)
{
    csr_exchange(CSR_CRMD, CRMD_DA, CRMD_DA | CRMD_PG);
}

static void set_up_processor(unsigned index)
{
    struct percpu *cpu = percpu_of(index);
    __asm__ volatile("move $tp, %0" ::"r"(cpu));
    cpu->index = index;
    start_early(index);
    trap_init();
    start_mapped();
}

void start_first(u64 is_efi, u64 command_line, u64 system_table)
{
    memset(bss_begin, 0, (size_t)(bss_end - bss_begin));
    set_up_processor(0);
    // The command line, which may be at 0, is there if the loader speaks the EFI protocol.
    if (is_efi == 1)
        args_init(memory_at(command_line));
    main();
    report_end();
    machine_power_off();
}

void start_second(u64 index)
{
    set_up_processor((unsigned)index);
    smp_serve();
}
