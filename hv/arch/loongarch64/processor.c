// SPDX-License-Identifier: Apache-2.0
// The root's side of a processor. The hypervisor runs in the two directly mapped windows and
// nowhere else; PGDL always holds the stage-2 table of the cell that the processor belongs to, and
// GTLBC.TGID its id, so nothing of them changes at an exit.
#include "hv/arch/loongarch64/processor.h"
#include "hv/arch.h"
#include "hv/arch/loongarch64/csr.h"
#include "hv/arch/loongarch64/offsets.h"
#include "hv/cpu.h"
#include "hv/log.h"

#define WINDOW_CACHED   0x9000000000000000ULL
#define WINDOW_UNCACHED 0x8000000000000000ULL
#define DMW_CACHED      (WINDOW_CACHED | 0x11) // coherent, PLV 0
#define DMW_UNCACHED    (WINDOW_UNCACHED | 1)
#define PHYSICAL(p)     ((u64)(p)&BITS(47, 0))

// 16 KiB pages, three levels: pages at 14, directories at 25 and 36, 11 bits each.
#define PWCL_VALUE (14 | 11 << 5 | 25 << 10 | 11 << 15)
#define PWCH_VALUE (36 | 11 << 6)
#define PAGE_BITS  14

#define CFG2_LVZ     BIT(10)
#define MIN_GID_BITS 4

enum {
    IPI_STATUS = 0x1000,
    IPI_ENABLE = 0x1004,
    IPI_CLEAR = 0x100c,
    IPI_SEND = 0x1040,
    MAIL_SEND = 0x1048
};
#define SEND_BLOCKING 0x80000000u

_Static_assert(sizeof(struct cpu) + CPU_STACK_SIZE <= CPU_AREA_SIZE, "a processor's area holds it");
_Static_assert(offsetof(struct cpu, gpr) == CPU_GPR &&
                   offsetof(struct cpu, pending) == CPU_PENDING &&
                   offsetof(struct cpu, has_extioi) == CPU_HAS_EXTIOI &&
                   offsetof(struct cpu, n[EXIT_FAST]) == CPU_N_FAST,
               "the entry code knows where they are");

void *arch_memory(u64 pa)
{
    return (void *)(WINDOW_CACHED | pa);
}

u64 arch_physical(const void *p)
{
    return PHYSICAL(p);
}

u64 arch_register_read(u64 pa, unsigned size)
{
    u64 va = WINDOW_UNCACHED | pa;
    switch (size) {
    case 1: return *(volatile u8 *)va;
    case 2: return *(volatile u16 *)va;
    case 4: return *(volatile u32 *)va;
    default: return *(volatile u64 *)va;
    }
}

void arch_register_write(u64 pa, u64 value, unsigned size)
{
    u64 va = WINDOW_UNCACHED | pa;
    switch (size) {
    case 1: *(volatile u8 *)va = (u8)value; break;
    case 2: *(volatile u16 *)va = (u16)value; break;
    case 4: *(volatile u32 *)va = (u32)value; break;
    default: *(volatile u64 *)va = value; break;
    }
}

u64 arch_time(void)
{
    return rdtime();
}

// CPUCFG words 4 and 5: base frequency, multiplier and divisor of the stable counter.
u64 arch_time_hz(void)
{
    u64 ratio = cpucfg_word(5), divisor = bits_get(ratio, 31, 16);
    return divisor ? cpucfg_word(4) * bits_get(ratio, 15, 0) / divisor : cpucfg_word(4);
}

void arch_sync_code(void)
{
    __asm__ volatile("dbar 0\n\tibar 0" ::: "memory");
}

void arch_pause(void)
{
    __asm__ volatile("nop" ::: "memory");
}

static void set_up_windows(void)
{
    csr_write(CSR_DMW0, DMW_CACHED);
    csr_write(CSR_DMW1, DMW_UNCACHED);
    csr_write(CSR_DMW2, 0);
    csr_write(CSR_DMW3, 0);
    csr_change(CSR_CRMD, CRMD_PG, CRMD_DA | CRMD_PG | CRMD_IE);
    __asm__ volatile("ibar 0" ::: "memory");
}

static void set_up_exceptions(struct cpu *cpu)
{
    csr_write(CSR_SAVE0, (u64)cpu);
    csr_write(CSR_EENTRY, (u64)exit_vectors);
    csr_write(CSR_TLBRENTRY, PHYSICAL(refill_vector));
    csr_write(CSR_MERRENTRY, PHYSICAL(exit_vectors));
    csr_write(CSR_ECFG, (u64)VECTOR_SPACING << 16 | LINE_IPI | LINE_TI);
    csr_write(CSR_TCFG, 0);
    csr_write(CSR_TICLR, TICLR_CLR);
    iocsr_write32(IPI_CLEAR, ~0u);
    iocsr_write32(IPI_ENABLE, ~0u);
}

static void set_up_guest_control(void)
{
    u64 can = csr_read(CSR_GCFG), wanted = 0;
    wanted |= can & GCFG_MATP_ROOT ? GCFG_MATC_ROOT : 0;
    wanted |= can & GCFG_GCIP_SECURE ? GCFG_GCI_SECURE : 0;
    csr_write(CSR_GCFG, wanted);
    csr_write(CSR_GSTAT, 0);
    csr_write(CSR_GINTC, 0);
    csr_write(CSR_GTLBC, GTLBC_USETGID);
}

static void set_up_tables(void)
{
    csr_write(CSR_PWCL, PWCL_VALUE);
    csr_write(CSR_PWCH, PWCH_VALUE);
    csr_write(CSR_STLBPS, PAGE_BITS);
    csr_write(CSR_RVACFG, 0);
    csr_write(CSR_ASID, 0);
    csr_write(CSR_PGDH, 0);
    invtlb(INVTLB_ALL, 0, 0);
}

static u64 units(void)
{
    u64 word = cpucfg_word(2);
    return (word & 1) | (word >> 6 & 1) << 1 | (word >> 7 & 1) << 2;
}

const char *arch_cpu_lacks(void)
{
    if (!(cpucfg_word(2) & CFG2_LVZ))
        return "virtualization (LVZ)";
    return GSTAT_GIDBITS(csr_read(CSR_GSTAT)) < MIN_GID_BITS ? "guest ids of 4 bits" : NULL;
}

bool arch_cpu_init(struct cpu *cpu)
{
    const char *lacks = arch_cpu_lacks();
    set_up_windows();
    set_up_exceptions(cpu);
    if (lacks) {
        hv_log(cpu->hv, "processor %u has no %s", cpu->id, lacks);
        return false;
    }
    cpu->hv->gid_bits = (u32)GSTAT_GIDBITS(csr_read(CSR_GSTAT));
    set_up_guest_control();
    set_up_tables();
    csr_write(CSR_EUEN, units());
    return true;
}

void processor_select(u32 gid, u64 stage2, u64 time_offset, bool has_devices)
{
    csr_write(CSR_GTLBC, GTLBC_USETGID | GTLBC_TGID(gid));
    csr_write(CSR_GSTAT, GSTAT_GID(gid) | GSTAT_PVM);
    csr_write(CSR_GCNTC, time_offset);
    csr_write(CSR_GINTC, has_devices ? GINTC_PIP_ALL : 0);
    csr_write(CSR_PGDL, stage2);
    csr_write(CSR_PRMD, PRMD_PIE);
}

void arch_stage2_flush(u32 gid)
{
    invtlb(INVTLB_GUEST, GSTAT_GID(gid), 0);
}

static void send_mail(u32 id, u32 box, u64 value)
{
    u64 target = SEND_BLOCKING | (u64)id << 16;
    iocsr_write64(MAIL_SEND, (value & BITS(63, 32)) | target | (2 * box + 1) << 2);
    iocsr_write64(MAIL_SEND, value << 32 | target | (2 * box) << 2);
}

struct cpu *arch_cpu_area(u32 id)
{
    return arch_memory(PHYSICAL(cpu_areas) + (u64)id * CPU_AREA_SIZE + CPU_STACK_SIZE);
}

void arch_cpu_start(u32 id)
{
    send_mail(id, 0, PHYSICAL(start_other));
    arch_cpu_kick(id);
}

void arch_cpu_kick(u32 id)
{
    __asm__ volatile("dbar 0" ::: "memory");
    iocsr_write32(IPI_SEND, SEND_BLOCKING | (u64)id << 16);
}

// The acknowledgement comes before the look at cpu.pending that follows.
static void acknowledge(void)
{
    iocsr_write32(IPI_CLEAR, (u32)iocsr_read32(IPI_STATUS));
    csr_write(CSR_TICLR, TICLR_CLR);
    __asm__ volatile("dbar 0" ::: "memory");
}

// What wakes is an exception of the root's own, whose ertn has to stay in the root. Whether it
// clears PVM by itself is not known, so it is cleared before; what was set for the way into the
// guest is set again afterwards. ERA is the caller's to write.
static void wait_and_restore(void)
{
    csr_change(CSR_GSTAT, 0, GSTAT_PVM);
    wait_for_interrupt();
    csr_change(CSR_GSTAT, GSTAT_PVM, GSTAT_PVM);
    csr_write(CSR_PRMD, PRMD_PIE);
}

void arch_cpu_wait(struct cpu *cpu)
{
    if (!__atomic_load_n(&cpu->pending, __ATOMIC_SEQ_CST))
        wait_and_restore();
    acknowledge();
}

void on_interrupt(struct cpu *cpu)
{
    u64 lines = csr_read(CSR_ESTAT) & csr_read(CSR_ECFG);
    cpu->era = csr_read(CSR_ERA);
    cpu_count(cpu,
              lines & LINE_IPI  ? EXIT_IPI
              : lines & LINE_TI ? EXIT_TIMER
                                : EXIT_DEVICE,
              (u32)lines);
    csr_write(CSR_TCFG, 0);
    acknowledge();
    cpu_serve(cpu);
    cpu_end_exit(cpu);
}

static bool guest_has_interrupt(void)
{
    return gcsr_read(CSR_ESTAT) & gcsr_read(CSR_ECFG) & LINE_ALL;
}

// The root's timer stands in for the guest's while it waits. A one-shot that has fired reads as all
// ones, more than it was set to: nothing is due.
static void arm_for_guest(void)
{
    u64 set = gcsr_read(CSR_TCFG), left = gcsr_read(CSR_TVAL);
    if (set & TCFG_EN && left <= (set & ~3ULL))
        csr_write(CSR_TCFG, ((left + 4) & ~3ULL) | TCFG_EN);
}

// A guest's timer that stands still while the root runs is not due by itself when the root's is.
static void tick_for_guest(void)
{
    if (csr_read(CSR_ESTAT) & LINE_TI && !(gcsr_read(CSR_ESTAT) & LINE_TI))
        gcsr_change(CSR_ESTAT, LINE_TI, LINE_TI);
}

// Lines that are passed to the guest do not reach the root. While it waits in the root they do.
void arch_guest_wait(struct cpu *cpu)
{
    u64 wanted = gcsr_read(CSR_ECFG) & LINE_ALL, gintc = csr_read(CSR_GINTC);
    u64 ecfg = csr_read(CSR_ECFG);
    if (guest_has_interrupt())
        return;
    csr_write(CSR_GINTC, gintc & ~GINTC_PIP_ALL);
    csr_write(CSR_ECFG, ecfg | (gintc & GINTC_PIP_ALL ? wanted & LINE_HWI_ALL : 0));
    if (wanted & LINE_TI)
        arm_for_guest();
    if (!guest_has_interrupt() && !__atomic_load_n(&cpu->pending, __ATOMIC_SEQ_CST))
        wait_and_restore();
    tick_for_guest();
    csr_write(CSR_TCFG, 0);
    acknowledge();
    csr_write(CSR_ECFG, ecfg);
    csr_write(CSR_GINTC, gintc);
}

void arch_cpu_halt(void)
{
    csr_change(CSR_CRMD, 0, CRMD_IE);
    csr_write(CSR_ECFG, 0);
    for (;;)
        __asm__ volatile("idle 0");
}
