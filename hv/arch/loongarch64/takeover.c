// SPDX-License-Identifier: Apache-2.0
// The firmware's control registers move into the guest's set, under the same names, and the root's
// set becomes the hypervisor's. The firmware's TLB is forgotten: its own handler refills it.
#include "hv/takeover.h"
#include "base/bits.h"
#include "hv/arch.h"
#include "hv/arch/loongarch64/csr.h"
#include "hv/arch/loongarch64/processor.h"
#include "hv/text.h"

#define WINDOW_CACHED   0x9000000000000011ULL // as processor.c has them
#define WINDOW_UNCACHED 0x8000000000000001ULL
#define WINDOW_SEGMENT  BITS(63, 60)
#define WINDOW_PLVS     0xfULL
#define N_WINDOWS       4
#define CPUID_CORE      BITS(8, 0)

#define CSR_TID       0x40
#define CSR_CNTC      0x43
#define TCFG_PERIODIC BIT(1)
#define LINES_OF_CPU  (LINE_TI | 3) // timer and software interrupts
#define BOX_MAIL      0x1020
#define IPI_STATUS    0x1000
#define IPI_ENABLE    0x1004

_Noreturn void takeover_finish(struct cpu *cpu, const struct takeover_kept *kept);

struct firmware {
#define GUEST_CSR(name, number, value) u64 name;
#include "hv/arch/loongarch64/guest_csr.def"
#undef GUEST_CSR
};

static void read_windows(u64 window[N_WINDOWS])
{
    window[0] = csr_read(CSR_DMW0);
    window[1] = csr_read(CSR_DMW1);
    window[2] = csr_read(CSR_DMW2);
    window[3] = csr_read(CSR_DMW3);
}

static void write_windows(const u64 window[N_WINDOWS])
{
    csr_write(CSR_DMW0, window[0]);
    csr_write(CSR_DMW1, window[1]);
    csr_write(CSR_DMW2, window[2]);
    csr_write(CSR_DMW3, window[3]);
    __asm__ volatile("ibar 0" ::: "memory");
}

// Into a window that is not in use, unless one leads there already.
static bool add_window(u64 window[N_WINDOWS], u64 wanted)
{
    for (unsigned i = 0; i < N_WINDOWS; i++)
        if (window[i] & 1 && !((window[i] ^ wanted) & WINDOW_SEGMENT))
            return true;
    for (unsigned i = 0; i < N_WINDOWS; i++)
        if (!(window[i] & WINDOW_PLVS)) {
            window[i] = wanted;
            return true;
        }
    return false;
}

const char *takeover_open(struct takeover_kept *kept)
{
    u64 window[N_WINDOWS];
    if (csr_read(CSR_CPUID) & CPUID_CORE)
        return "the firmware does not run on processor 0";
    read_windows(kept->window);
    memcpy(window, kept->window, sizeof(window));
    if (!add_window(window, WINDOW_CACHED) || !add_window(window, WINDOW_UNCACHED))
        return "the firmware uses all direct mapping windows";
    write_windows(window);
    return NULL;
}

void takeover_close(const struct takeover_kept *kept)
{
    write_windows(kept->window);
}

// No line is longer than 68 characters: consoles of firmware cut what is.
bool takeover_show(u32 n, char *line, u32 size)
{
    switch (n) {
    case 0:
        text_format(line, size, "cpucfg %lx %lx %lx %lx %lx %lx", cpucfg_word(0), cpucfg_word(1),
                    cpucfg_word(2), cpucfg_word(3), cpucfg_word(4), cpucfg_word(5));
        break;
    case 1:
        text_format(line, size, "gstat %lx gcfg %lx gtlbc %lx gintc %lx", csr_read(CSR_GSTAT),
                    csr_read(CSR_GCFG), csr_read(CSR_GTLBC), csr_read(CSR_GINTC));
        break;
    case 2:
        text_format(line, size, "prcfg %lx %lx %lx ecfg %lx tcfg %lx", csr_read(CSR_PRCFG1),
                    csr_read(CSR_PRCFG2), csr_read(CSR_PRCFG3), csr_read(CSR_ECFG),
                    csr_read(CSR_TCFG));
        break;
    case 3:
        text_format(line, size, "dmw0 %lx dmw1 %lx", csr_read(CSR_DMW0), csr_read(CSR_DMW1));
        break;
    case 4:
        text_format(line, size, "dmw2 %lx dmw3 %lx", csr_read(CSR_DMW2), csr_read(CSR_DMW3));
        break;
    default: return false;
    }
    return true;
}

// A timer that has fired once and stopped must not start again; one that runs goes on where it is.
static void read_timer(struct firmware *f)
{
    bool is_over = !(f->TCFG & TCFG_PERIODIC) && f->TVAL > (f->TCFG & ~3ULL);
    if (is_over)
        f->TCFG &= ~TCFG_EN;
    f->TICLR = 0;
}

static void read_firmware(struct firmware *f, const struct takeover_kept *kept)
{
#define GUEST_CSR(name, number, value) f->name = csr_read(number);
#include "hv/arch/loongarch64/guest_csr.def"
#undef GUEST_CSR
    read_timer(f);
    f->ESTAT &= LINES_OF_CPU;
    f->LLBCTL = LLBCTL_WCLLB;
    f->DMW0 = kept->window[0];
    f->DMW1 = kept->window[1];
    f->DMW2 = kept->window[2];
    f->DMW3 = kept->window[3];
}

static void write_guest(const struct firmware *f, const struct vcpu *v)
{
#define GUEST_CSR(name, number, value) gcsr_write(number, f->name);
#include "hv/arch/loongarch64/guest_csr.def"
#undef GUEST_CSR
    gcsr_write(CSR_CPUID, v->index);
    gcsr_write(CSR_TID, csr_read(CSR_TID));
    csr_write(CSR_CNTC, 0);
}

static void read_boxes(struct vcpu *v)
{
    v->ipi_status = (u32)iocsr_read32(IPI_STATUS);
    v->ipi_enable = (u32)iocsr_read32(IPI_ENABLE);
    for (unsigned i = 0; i < ARRAY_LEN(v->mailbox); i++)
        v->mailbox[i] = iocsr_read64(BOX_MAIL + 8 * i);
}

// From takeover_enter, on the processor's own stack. `kept` is read while the firmware's tables are
// still in place. arch_cpu_lacks has found nothing, so the processor can be taken.
void takeover_finish(struct cpu *cpu, const struct takeover_kept *kept)
{
    struct vcpu *v = cpu->vcpu;
    struct cell *root = v->cell;
    struct firmware f;
    read_firmware(&f, kept);
    read_boxes(v);
    if (!arch_cpu_init(cpu))
        arch_cpu_halt();
    write_guest(&f, v);
    arch_stage2_flush(root->id + 1);
    processor_select(root->id + 1, root->stage2, root->time_offset, true);
    cpu->has_extioi = true;
    cpu->era = cpu->gpr[1];
    csr_write(CSR_ERA, cpu->era);
    cpu->state = CPU_RUNNING;
    v->state = VCPU_RUNNING;
    arch_virq_update(v);
    arch_sync_code();
    arch_vcpu_enter(cpu);
}
