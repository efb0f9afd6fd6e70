// SPDX-License-Identifier: Apache-2.0
// In a cell: tries to leave it. What must have no effect is tried first, and the cell goes on.
// Then, with attack=N, one thing for which the hypervisor has to stop the cell: the payload says
// what it is about to do, and coming back from it is the failure.
#include "guest/lib/args.h"
#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/extioi.h"
#include "guest/lib/loongarch64/ipi.h"
#include "guest/lib/loongarch64/start.h"
#include "guest/lib/loongarch64/time.h"
#include "guest/lib/loongarch64/trap.h"
#include "guest/lib/random.h"
#include "guest/lib/report.h"

#define OUTSIDE 0x0fe00000ULL // where the hypervisor is in the machine
#define POOL    0x90000000ULL // where the cells' memory is

static u64 read_csr(u64 number, u64 b, u64 c)
{
    return csr_read_n((unsigned)number);
}

static u64 write_csr(u64 number, u64 value, u64 c)
{
    return csr_write_n((unsigned)number, value);
}

// The registers of the root: reading gives 0 whatever is written.
static void registers_of_the_root(void)
{
    static const u16 numbers[] = {0x15, 0x16, 0x50, 0x51,  0x52,  0x53,  0x80,  0x81,
                                  0x90, 0x93, 0x98, 0x200, 0x300, 0x380, 0x500, 0x502};
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        trap_call(0, write_csr, numbers[i], ~0ULL, 0);
        struct trap t = trap_call(0, read_csr, numbers[i], 0, 0);
        n_wrong += t.code != EXC_NONE || t.value;
    }
    report_eq(n_wrong, 0, "registers of the root read 0");
}

static u64 one_word(u64 word, u64 b, u64 c)
{
    u32 *code = memory_at(SCRATCH_BASE / 2);
    code[0] = (u32)word;
    code[1] = 0x4c000020; // ret
    __asm__ volatile("dbar 0; ibar 0" ::: "memory");
    return ((u64(*)(void))code)();
}

// Instructions of hypervisors are undefined here.
static void instructions_of_the_root(void)
{
    static const u32 words[] = {
        0x0500000c, 0x0500182c, 0x050015ac, // gcsrrd, gcsrwr, gcsrxchg
        0x06482001, 0x06482401, 0x06482801, 0x06482c01, 0x06483001, 0x06483401, // gtlb*
        0x06498009, 0x06498012, 0x06498013, 0x06498014, 0x06498016,             // invtlb of guests
    };
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        n_wrong += trap_call(0, one_word, words[i], 0, 0).code != EXC_INE;
    report_eq(n_wrong, 0, "instructions of hypervisors are undefined");
}

static void hypercalls(void)
{
    unsigned n_wrong = 0;
    for (u32 code = 0; code < 0x8000; code += code < 0x200 ? 1 : 0x101)
        n_wrong += code != 0x4c && trap_call(0, one_word, 0x002b8000 | code, 0, 0).code != EXC_INE;
    report_eq(n_wrong, 0, "hypercalls are undefined");
    report_eq(trap_call(3, one_word, 0x002b804c, 0, 0).code, EXC_IPE, "and not for programs");
}

// Everything but the console's own registers is written with patterns.
static void io_registers(void)
{
    for (u32 at = 0; at < 0x4000; at += 8) {
        bool is_send = at == IPI_SEND || at == MAIL_SEND || at == ANY_SEND;
        iocsr_read_d(at);
        if (!is_send && (at < 0x1000 || at >= 0x1040))
            iocsr_write_d(at, ~0ULL);
    }
    for (u32 at = 0; at < 0x200; at++)
        iocsr_read_w(at << 20 | 0x1a0);
    report_eq(iocsr_read_w(0x1d0), 0, "clocks of the chip are not there");
    report_eq(iocsr_read_d(0x2000), 0, "address windows are not there");
    extioi_init();
}

static void other_processors(void)
{
    for (unsigned cpu = 1; cpu < 1024; cpu++) {
        ipi_mail(cpu, 0, SCRATCH_BASE);
        ipi_send(cpu, 0);
        any_send(cpu, EXTIOI_ENABLE, ~0u, 0);
        any_send(cpu, EXTIOI_ROUTE, ~0u, 0);
        any_send(cpu, IPI_SEND, ~0u, 0);
    }
    report(true, "interrupts to processors that are not the cell's are sent");
}

static u64 all_cache_operations(u64 address, u64 b, u64 c)
{
#define FOUR(n)                                                            \
    __asm__ volatile("cacop " #n ", %0, 0" ::"r"(address) : "memory");     \
    __asm__ volatile("cacop " #n " + 1, %0, 0" ::"r"(address) : "memory"); \
    __asm__ volatile("cacop " #n " + 2, %0, 0" ::"r"(address) : "memory"); \
    __asm__ volatile("cacop " #n " + 3, %0, 0" ::"r"(address) : "memory");
    FOUR(0)
    FOUR(8)
    FOUR(16)
    FOUR(24)
#undef FOUR
    return 0;
}

static void caches(void)
{
    struct trap t = trap_call(0, all_cache_operations, WINDOW_MEMORY | SCRATCH_BASE / 2, 0, 0);
    report(t.code == EXC_NONE || t.code == EXC_INE, "cache operations");
}

// Words at random, executed; what they do to memory stays in the cell, and those that could leave
// it for good are left out: stores and jumps through registers that hold addresses.
static void random_words(void)
{
    struct random r = {args_number("seed", 4711)};
    static const u32 tops[] = {0x04, 0x05, 0x00, 0x06, 0x38};
    unsigned n = 0;
    for (unsigned i = 0; i < 3000; i++) {
        u32 word = (u32)random_next(&r) & 0x00fffc00;
        u32 top = tops[random_below(&r, ARRAY_LEN(tops))] << 24;
        bool is_wait = (top | word) >> 15 == 0xc91, is_power = top == 0x38000000;
        bool is_mode = top == 0x04000000 && (word >> 10 & 0x3fff) < 0x400;
        bool is_return = (top | word) == 0x06483800;
        if (is_wait || is_power || is_mode || is_return)
            continue;
        trap_call(0, one_word, top | word, 0, 0);
        n++;
    }
    report(n > 500, "%u words at random", n);
}

static u64 load(u64 address, u64 b, u64 c)
{
    return *(volatile u64 *)address;
}

static u64 store(u64 address, u64 b, u64 c)
{
    *(volatile u64 *)address = 0x5a5a5a5a;
    return 0;
}

static u64 load_linked(u64 address, u64 b, u64 c)
{
    u64 value;
    __asm__ volatile("ll.w %0, %1, 0" : "=r"(value) : "r"(address));
    return value;
}

static u64 load_float(u64 address, u64 b, u64 c)
{
    csr_set(CSR_EUEN, 1);
    register u64 a0 __asm__("a0") = address;
    __asm__ volatile(".word 0x2b800080" ::"r"(a0)); // fld.d $f0, $a0, 0
    return 0;
}

static u64 jump(u64 address, u64 b, u64 c)
{
    return ((u64(*)(void))address)();
}

static u64 atomic_add(u64 address, u64 b, u64 c)
{
    return __atomic_fetch_add((u64 *)address, 1, __ATOMIC_SEQ_CST);
}

static const struct {
    const char *what;
    trap_function f;
    u64 address;
} attacks[] = {
    {"load from the hypervisor", load, WINDOW_MEMORY | OUTSIDE},
    {"store to the hypervisor", store, WINDOW_MEMORY | OUTSIDE},
    {"load from the pool", load, WINDOW_MEMORY | POOL},
    {"store to the end of its memory", store, WINDOW_MEMORY | 0x4000000},
    {"jump out of its memory", jump, WINDOW_MEMORY | OUTSIDE},
    {"load above all memory", load, WINDOW_MEMORY | BIT(47)},
    {"store to the interrupt controller of the bridge", store, WINDOW_DEVICE | BOARD_PCH_PIC},
    {"load from configuration space", load, WINDOW_DEVICE | BOARD_ECAM},
    {"store to the chip", store, WINDOW_DEVICE | BOARD_CHIP | 0x420},
    {"load linked from its serial port", load_linked, WINDOW_DEVICE | BOARD_UART},
    {"load a float from its serial port", load_float, WINDOW_DEVICE | BOARD_UART},
    {"add to its serial port", atomic_add, WINDOW_DEVICE | BOARD_UART},
    {"jump into its serial port", jump, WINDOW_DEVICE | BOARD_UART},
    {"write a message of an interrupt", store, WINDOW_DEVICE | BOARD_MSI},
};

static void attack(u64 n)
{
    if (n >= ARRAY_LEN(attacks)) {
        report_skip("no such attack", "attack %u", (unsigned)n);
        return;
    }
    report_note("attack: %s", attacks[n].what);
    struct trap t = trap_call(0, attacks[n].f, attacks[n].address, 0, 0);
    report(false, "%s came back: exception %u, value %lx", attacks[n].what, t.code, t.value);
}

int main(void)
{
    u64 n = args_number("attack", ~0ULL);
    if (n != ~0ULL) {
        attack(n);
        return 0;
    }
    registers_of_the_root();
    instructions_of_the_root();
    hypercalls();
    io_registers();
    other_processors();
    caches();
    random_words();
    return 0;
}
