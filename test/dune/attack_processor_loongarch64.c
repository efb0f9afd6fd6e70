// SPDX-License-Identifier: Apache-2.0
// A program that tries to leave PLV3, to reach what is not its own, or to confuse the monitor about
// where it is. Each attempt ends in the signal that it ends in without a guest, or changes nothing.
// Runs on the host too, where the same has to be true.
#include "base/test.h"
#include "test/dune/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define BORDER     0x500000000000ULL
#define ENTRY_PAGE (BORDER + 0x100000)

enum { T0 = 12, T1 = 13, RETURN = 0x4c000020 };

static bool is_guest(void)
{
    return getauxval(AT_RANDOM) < BORDER;
}

static __thread sigjmp_buf back;
static __thread void *last_address;

static void note(int signal, siginfo_t *info, void *context)
{
    last_address = info->si_addr;
    siglongjmp(back, signal);
}

static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};

static void watch_faults(bool on)
{
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_NODEFER};
    for (u32 i = 0; i < ARRAY_LEN(faults); i++)
        if (on)
            sigaction(faults[i], &a, NULL);
        else
            signal(faults[i], SIG_DFL);
}

// 0, or the signal.
static int signal_of(void (*act)(u64), u64 argument)
{
    watch_faults(true);
    int signal = sigsetjmp(back, 0);
    if (!signal)
        act(argument);
    watch_faults(false);
    return signal;
}

// The same in a child, whose registers may be lost, and which is ended by the signal.
static int signal_of_child(void (*act)(u64), u64 argument)
{
    int status = 0;
    pid_t child = fork();
    if (!child) {
        alarm(20);
        act(argument);
        _exit(syscall(SYS_getppid) == getppid() ? 0 : 99);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGILL || signal == SIGBUS;
}

static u32 *code;

static __attribute__((constructor)) void make_room_for_code(void)
{
    code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

// Executes one instruction with t0 = 0 and t1 = `operand`; 0, or the signal.
static int execute(u32 word, u64 operand)
{
    code[0] = word;
    code[1] = RETURN;
    __asm__ volatile("ibar 0" : : : "memory");
    int signal = sigsetjmp(back, 0);
    if (!signal)
        __asm__ volatile("move $t0, $zero\n move $t1, %1\n jirl $ra, %0, 0"
                         :
                         : "r"(code), "r"(operand)
                         : "$ra", "$t0", "$t1", "$t2", "$a0", "memory");
    return signal;
}

// How many of them did not end so.
static int n_others(u32 first, u32 step, u32 n, u64 operand, int wanted)
{
    int n_wrong = 0;
    watch_faults(true);
    for (u32 i = 0; i < n; i++) {
        int got = execute(first + i * step, operand);
        if (got != wanted && !n_wrong++)
            printf("# 0x%08x: signal %d\n", first + i * step, got);
    }
    watch_faults(false);
    return n_wrong + (syscall(SYS_getppid) != getppid());
}

enum { CSR_READ = 0x04000000, CSR_WRITE = 0x04000020, CSR_CHANGE = 0x04000000 | T1 << 5 };
enum { N_CSRS = 0x600, ALL_CSRS = 0x4000 };

TEST(control_registers_are_read)
{
    CHECK_EQ(n_others(CSR_READ | T0, 1 << 10, N_CSRS, 0, SIGILL), 0);
    CHECK_EQ(n_others(CSR_READ | T0, 97 << 10, ALL_CSRS / 97, 0, SIGILL), 0);
}

// With values that would map all memory, or give privileges.
TEST(control_registers_are_written)
{
    CHECK_EQ(n_others(CSR_WRITE | T1, 1 << 10, N_CSRS, 0x19, SIGILL), 0);
    CHECK_EQ(n_others(CSR_WRITE | T1, 97 << 10, ALL_CSRS / 97, ~0ULL, SIGILL), 0);
    CHECK_EQ(n_others(CSR_CHANGE | T0, 1 << 10, N_CSRS, ~0ULL, SIGILL), 0);
    CHECK_EQ(n_others(CSR_CHANGE | T0, 97 << 10, ALL_CSRS / 97, 0x10, SIGILL), 0);
}

TEST(control_registers_of_another_guest)
{
    enum { GUEST = 1 << 24 };
    CHECK_EQ(n_others(CSR_READ | GUEST | T0, 1 << 10, 0x200, 0, SIGILL), 0);
    CHECK_EQ(n_others(CSR_WRITE | GUEST | T1, 1 << 10, 0x200, 0, SIGILL), 0);
    CHECK_EQ(n_others(CSR_CHANGE | GUEST | T0, 1 << 10, 0x200, ~0ULL, SIGILL), 0);
}

// The inter-processor interrupts, the interrupt controller, the door, nothing.
TEST(registers_of_the_io_space)
{
    static const u64 places[] = {0,      8,      0x420,  0x1000, 0x1004, 0x1020,      0x1040,
                                 0x1048, 0x1158, 0x14a0, 0x1600, 0x4c48, 0x7ffffffff, ~0ULL};
    for (u32 i = 0; i < ARRAY_LEN(places); i++)
        CHECK_EQ(n_others(0x06480000 | T1 << 5 | T0, 1 << 10, 8, places[i], SIGILL), 0);
}

TEST(the_tlb)
{
    static const u32 words[] = {0x06482000, 0x06482400, 0x06482800, 0x06482c00,
                                0x06483000, 0x06483400, 0x06482001, 0x06482401,
                                0x06482801, 0x06482c01, 0x06483001, 0x06483401};
    for (u32 i = 0; i < ARRAY_LEN(words); i++)
        CHECK_EQ(n_others(words[i], 0, 1, 0, SIGILL), 0);
    CHECK_EQ(n_others(0x06498000 | T1 << 5, 1, 32, 0, SIGILL), 0); // invtlb
    CHECK_EQ(n_others(0x06498000 | T1 << 10, 1, 32, (u64)&words, SIGILL), 0);
}

TEST(walks_of_page_tables)
{
    CHECK_EQ(n_others(0x06400000 | T1 << 5 | T0, 1 << 10, 256, (u64)code, SIGILL), 0); // lddir
    CHECK_EQ(n_others(0x06440000 | T1 << 5, 1 << 10, 256, (u64)code, SIGILL), 0);      // ldpte
}

TEST(returns_and_rest)
{
    CHECK_EQ(n_others(0x06483800, 0, 1, 0, SIGILL), 0);             // ertn
    CHECK_EQ(n_others(0x06488000, 257, 32768 / 257, 0, SIGILL), 0); // idle
}

// Those that hit may be a program's, on its own memory.
TEST(caches)
{
    watch_faults(true);
    for (u32 op = 0; op < 32; op++) {
        int own = execute(0x06000000 | T1 << 5 | op, (u64)code);
        int others = execute(0x06000000 | T1 << 5 | op, 0x9000000000000000);
        CHECK(own == SIGILL || (op >> 3 == 2 && own == 0));
        CHECK(others == SIGILL || (op >> 3 == 2 && (others == 0 || is_fault(others))));
    }
    watch_faults(false);
}

// All codes: those that KVM answers itself, the door, and the rest. Where processors let a program
// ask, KVM says that there is no such call.
TEST(calls_of_hypervisors)
{
    u64 parent = (u64)getppid();
    watch_faults(true);
    for (u32 i = 0; i < 0x8000; i += i < 0x800 ? 1 : 61) {
        int got = execute(0x002b8000 | i, i % 2 ? ~0ULL : (u64)code);
        if (!CHECK(got == SIGILL || (got == 0 && is_guest())))
            printf("# hvcl 0x%x: signal %d\n", i, got);
    }
    watch_faults(false);
    CHECK_EQ(syscall(SYS_getppid), parent);
}

static void call_door_with(u64 garbage)
{
    __asm__ volatile("move $a0, %0\n move $a1, %0\n move $a7, %0\n move $t0, %0\n"
                     ".word 0x002b8102\n .word 0x002b8102"
                     :
                     : "r"(garbage)
                     : "$a0", "$a1", "$a7", "$t0", "memory");
}

TEST(the_door_with_any_registers)
{
    static const u64 values[] = {0, 1, 0x102, SYS_exit_group, 0x4c480005, BORDER, ~0ULL};
    for (u32 i = 0; i < ARRAY_LEN(values); i++) {
        int got = signal_of(call_door_with, values[i]);
        CHECK(got == SIGILL || (got == 0 && is_guest()));
        CHECK_EQ(syscall(SYS_getppid), getppid());
    }
}

TEST(break_with_each_code)
{
    enum { OVERFLOW = 6, DIVISION = 7 };
    watch_faults(true);
    for (u32 i = 0; i < 0x8000; i += i < 64 ? 1 : 127) {
        int wanted = i == OVERFLOW || i == DIVISION ? SIGFPE : SIGTRAP;
        if (!CHECK_EQ(execute(0x002a0000 | i, 0), wanted))
            printf("# break %u\n", i);
    }
    watch_faults(false);
}

// A debugger of the processor's, which programs have none of.
TEST(debugging_calls)
{
    watch_faults(true);
    for (u32 i = 0; i < 0x8000; i += 1021)
        CHECK(is_fault(execute(0x002a8000 | i, 0)));
    watch_faults(false);
}

TEST(configuration_words)
{
    enum { LVZ = 1 << 10 };
    CHECK_EQ(n_others(0x00006c00 | T1 << 5 | T0, 0, 1, ~0ULL, 0), 0);
    for (u64 word = 0; word < 64; word++)
        CHECK_EQ(n_others(0x00006c00 | T1 << 5 | T0, 0, 1, word, 0), 0);
    for (u64 word = 0x40000000; word < 0x40000008; word++)
        CHECK_EQ(n_others(0x00006c00 | T1 << 5 | T0, 0, 1, word, 0), 0);
    if (is_guest())
        CHECK(!(__builtin_loongarch_cpucfg(2) & LVZ));
}

TEST(clocks)
{
    u64 before, after, id;
    __asm__ volatile("rdtime.d %0, %1" : "=r"(before), "=r"(id));
    syscall(SYS_getppid);
    __asm__ volatile("rdtime.d %0, %1" : "=r"(after), "=r"(id));
    CHECK(after >= before && after - before < 1000000000);
    CHECK_EQ(n_others(0x00006000 | T1 << 5 | T0, 1 << 10, 3, 0, 0), 0);
}

static void set_fcsr(u64 value)
{
    __asm__ volatile("movgr2fcsr $fcsr0, %0" : : "r"(value));
}

// Causes and what is enabled, in all pairs; the next call and the next signal find them there.
TEST(bits_of_the_floating_point_status)
{
    for (u64 enabled = 0; enabled < 32; enabled += 3)
        for (u64 causes = 0; causes < 32; causes += 5) {
            int got = signal_of(set_fcsr, enabled | causes << 24 | causes << 16);
            CHECK(got == 0 || got == SIGFPE);
            CHECK_EQ(syscall(SYS_getppid), getppid());
            set_fcsr(0);
        }
    CHECK_EQ(signal_of(set_fcsr, ~0x1f00001fULL), 0);
    CHECK_EQ(syscall(SYS_getppid), getppid());
    set_fcsr(0);
    watch_faults(true);
    for (u32 n = 4; n < 32; n++) {
        int got = execute(0x0114c000 | T1 << 5 | n, ~0ULL);
        CHECK(got == SIGILL || got == 0); // there are four
    }
    watch_faults(false);
    set_fcsr(0);
}

// What a call or an exception is between is no pair.
TEST(reservations_end_at_exceptions)
{
    u64 word = 7, done = 1, number = SYS_getppid;
    __asm__ volatile("ll.d $t0, %1, 0\n move $a7, %2\n syscall 0\n ori $t0, $zero, 9\n"
                     "sc.d $t0, %1, 0\n move %0, $t0"
                     : "=&r"(done)
                     : "r"(&word), "r"(number)
                     : "$a0", "$a7", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8",
                       "memory");
    CHECK_EQ(done, 0);
    CHECK_EQ(word, 7);
    __asm__ volatile("ori $t0, $zero, 9\n sc.d $t0, %1, 0\n move %0, $t0"
                     : "=&r"(done)
                     : "r"(&word)
                     : "$t0", "memory");
    CHECK_EQ(done, 0);
}

static void jump(u64 at)
{
    ((void (*)(void))at)();
}

static void load(u64 at)
{
    (void)*(volatile u8 *)at;
}

static void load_wide(u64 at)
{
    u64 x;
    __asm__ volatile("ld.d %0, %1, 0" : "=r"(x) : "r"(at));
}

static void store(u64 at)
{
    *(volatile u8 *)at = 1;
}

static void store_wide(u64 at)
{
    __asm__ volatile("st.d $zero, %0, 0" : : "r"(at) : "memory");
}

static void exchange(u64 at)
{
    __asm__ volatile("amswap.d $t0, $zero, %0" : : "r"(at) : "$t0", "memory");
}

static void reserve(u64 at)
{
    __asm__ volatile("ll.d $t0, %0, 0\n sc.d $t0, %0, 0" : : "r"(at) : "$t0", "memory");
}

static void load_float(u64 at)
{
    __asm__ volatile("fld.d $f0, %0, 0" : : "r"(at) : "$f0");
}

static void store_float(u64 at)
{
    __asm__ volatile("fst.d $f0, %0, 0" : : "r"(at) : "memory");
}

static void (*const accesses[])(u64) = {load,     load_wide, store,      store_wide,
                                        exchange, reserve,   load_float, store_float};

// Each way to each place: all have to be refused.
static void refuse(u64 at)
{
    for (u32 i = 0; i < ARRAY_LEN(accesses); i++)
        if (!CHECK(is_fault(signal_of(accesses[i], at))))
            printf("# access %u to 0x%llx\n", i, (unsigned long long)at);
    if (!CHECK(is_fault(signal_of(jump, at))))
        printf("# jump to 0x%llx\n", (unsigned long long)at);
}

// The ends of all that an address can be, and the windows, of which segments 8 and 9 are a
// kernel's.
TEST(places_in_all_segments)
{
    for (u64 segment = 0; segment < 16; segment++) {
        refuse(segment << 60 | 0x800000000000);
        refuse((segment << 60 | 0x0fffffffffffffff) & ~7ULL);
        if (segment)
            refuse(segment << 60);
    }
    for (u32 bit = 47; bit < 64; bit++)
        refuse((u64)code | 1ULL << bit);
    refuse(0);
    refuse(~7ULL);
    refuse(0x7fffffffffff & ~7ULL);
}

TEST(places_across_an_end)
{
    u8 *two = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(two + PAGE, PAGE);
    CHECK_EQ(signal_of(load_wide, (u64)two + PAGE - 8), 0);
    for (u64 i = 1; i < 8; i++) {
        CHECK(is_fault(signal_of(load_wide, (u64)two + PAGE - i)));
        CHECK(is_fault(signal_of(store_wide, (u64)two + PAGE - i)));
        CHECK(is_fault(signal_of(load_wide, 0 - i)));
        CHECK(is_fault(signal_of(store_wide, 0 - i)));
        CHECK(is_fault(signal_of(load_wide, 0x800000000000 - i)));
    }
    munmap(two, PAGE);
}

TEST(jumps_between_instructions)
{
    for (u64 i = 1; i < 4; i++)
        CHECK_EQ(signal_of(jump, (u64)code + i), SIGBUS);
}

static bool is_kernels(const char *line)
{
    return strstr(line, "[vvar") || strstr(line, "[vdso]");
}

// All that the process has above the border is the monitor's, and its list is no secret.
TEST(each_mapping_of_the_monitor)
{
    unsigned long start, end;
    char line[512];
    int n = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    REQUIRE(f);
    while (is_guest() && fgets(line, sizeof(line), f))
        if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start >= BORDER && !is_kernels(line)) {
            refuse(start);
            refuse(end - 8);
            n++;
        }
    CHECK(n > 3 || !is_guest());
    fclose(f);
}

TEST(bounds_that_are_checked)
{
    // ldgt.d and ldle.d of t0 at t1, with the bound in zero and in t1: asserted, or SIGSEGV.
    watch_faults(true);
    CHECK_EQ(execute(0x38798000 | 0 << 10 | T1 << 5 | T0, (u64)code), 0);
    CHECK(is_fault(execute(0x38798000 | T1 << 10 | T1 << 5 | T0, (u64)code)));
    CHECK(is_fault(execute(0x387b8000 | 0 << 10 | T1 << 5 | T0, (u64)code)));
    CHECK(is_fault(execute(0x38798000 | 0 << 10 | T1 << 5 | T0, 0x9000000000000000)));
    watch_faults(false);
}

static void call_with_stack(u64 sp)
{
    register u64 number __asm__("$a7") = SYS_getppid;
    register u64 result __asm__("$a0") = 0;
    __asm__ volatile("move $s0, $sp\n move $sp, %2\n syscall 0\n move $sp, $s0"
                     : "+r"(result)
                     : "r"(number), "r"(sp)
                     : "$s0", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8",
                       "memory");
    if (result != (u64)getppid())
        _exit(98);
}

static void fault_with_stack(u64 sp)
{
    watch_faults(true);
    __asm__ volatile("move $sp, %0\n .word 0" : : "r"(sp));
}

// A call needs no stack. A handler does, and there is none for it.
TEST(stacks_that_are_none)
{
    static const u64 stacks[] = {0,      8,      1ULL << 63,     ~7ULL,
                                 ~15ULL, BORDER, 0x800000000000, 0x9000000000004000};
    for (size_t i = 0; i < ARRAY_LEN(stacks); i++) {
        CHECK_EQ(signal_of_child(call_with_stack, stacks[i]), 0);
        CHECK(is_fault(signal_of_child(fault_with_stack, stacks[i])));
    }
}

static void enter_at(u64 at)
{
    __asm__ volatile("move $a0, %0\n move $a1, $sp\n ori $a7, $zero, 173\n ori $t0, $zero, 1\n"
                     "move $t1, $sp\n la.local $ra, 1f\n jr %0\n 1:"
                     :
                     : "r"(at)
                     : "$ra", "$a0", "$a1", "$a7", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6",
                       "$t7", "$t8", "memory");
}

// Each instruction of the page that is the monitor's and the program may execute, from outside.
TEST(our_own_code_in_the_middle)
{
    for (u64 at = ENTRY_PAGE; at < ENTRY_PAGE + 0x100; at += 4) {
        int got = signal_of_child(enter_at, at);
        CHECK(got == 0 || is_fault(got) || got == SIGTRAP);
    }
    for (u64 at = ENTRY_PAGE - PAGE; at <= ENTRY_PAGE + PAGE; at += 2 * PAGE)
        CHECK(is_fault(signal_of_child(enter_at, at)));
}

static volatile bool is_over;
static u8 *vanishing;

static void put_call(u8 *at)
{
    const u32 words[] = {0x0382b40b, 0x002b0000, RETURN}; // ori $a7, $zero, 173; syscall 0
    memcpy(at, words, sizeof(words));
    __asm__ volatile("ibar 0" : : : "memory");
}

static void *make_vanish(void *opaque)
{
    while (!is_over) {
        munmap(vanishing, PAGE);
        void *at = mmap(vanishing, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        if (at == vanishing)
            put_call(at);
    }
    return NULL;
}

// A page of zeros is an undefined instruction.
static void call_vanishing(u64 parent)
{
    u64 got = ((u64(*)(void))(void *)vanishing)();
    if (got != parent)
        _exit(97);
}

TEST(a_call_from_a_page_that_vanishes)
{
    pthread_t t;
    int n_wrong = 0;
    vanishing =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    put_call(vanishing);
    is_over = false;
    REQUIRE(pthread_create(&t, NULL, make_vanish, NULL) == 0);
    watch_faults(true);
    u64 parent = (u64)getppid();
    for (volatile int i = 0; i < 3000; i++) {
        int signal = sigsetjmp(back, 0);
        if (!signal)
            call_vanishing(parent);
        bool is_wrong = signal && signal != SIGSEGV && signal != SIGILL;
        if (is_wrong && !n_wrong++)
            printf("# signal %d, address %p in page %p\n", signal, last_address, (void *)vanishing);
    }
    watch_faults(false);
    is_over = true;
    pthread_join(t, NULL);
    CHECK_EQ(n_wrong, 0);
    CHECK_EQ(signal_of(call_vanishing, parent), 0);
    munmap(vanishing, PAGE);
}

static u8 *truncated(void)
{
    char name[] = "/tmp/lh-short-XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    u8 *at = fd < 0 || ftruncate(fd, PAGE) < 0
                 ? NULL
                 : mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED, fd, 0);
    at[0] = 1;
    if (ftruncate(fd, 0) < 0)
        return NULL;
    close(fd);
    return at;
}

// What KVM takes for a device, or cannot do for a guest: each kind of access names its address.
TEST(memory_that_is_gone)
{
    static const u32 words[] = {
        0x28000000, 0x28400000, 0x28800000, 0x28c00000, 0x2a000000, 0x2a400000, // ld.b to ld.hu
        0x2a800000, 0x29000000, 0x29400000, 0x29800000, 0x29c00000, // ld.wu, st.b to st.d
        0x24000000, 0x25000000, 0x26000000, 0x27000000,             // ldptr, stptr
        0x38000000, 0x380c0000, 0x38100000, 0x381c0000,             // ldx, stx
        0x2b000000, 0x2b400000, 0x2b800000, 0x2bc00000,             // fld, fst
        0x20000000, 0x22000000,                                     // ll
        0x38600000, 0x38608000, 0x38610000,                         // amswap, amadd
    };
    u8 *at = truncated();
    int n_wrong = 0;
    REQUIRE(at);
    watch_faults(true);
    for (u32 i = 0; i < ARRAY_LEN(words); i++)
        for (u64 offset = 0; offset < 24; offset += 8) {
            last_address = NULL;
            int signal = execute(words[i] | T1 << 5 | T0, (u64)at + offset);
            n_wrong += signal != SIGBUS || last_address != at + offset;
            if (signal != SIGBUS || last_address != at + offset)
                printf("# 0x%08x: signal %d at %p, not %p\n", words[i], signal, last_address,
                       at + offset);
        }
    watch_faults(false);
    CHECK_EQ(n_wrong, 0);
    CHECK_EQ(signal_of(jump, (u64)at), SIGBUS);
    munmap(at, PAGE);
}

// The library of processes that enter by themselves is not there for a program that was entered.
TEST(the_librarys_calls)
{
    for (long number = 0x4c480000; number < 0x4c480020; number++) {
        errno = 0;
        CHECK_EQ(syscall(number, 0, 0, 0, 0, 0, 0), -1);
        CHECK_EQ(errno, ENOSYS);
    }
}

static u64 wanted_pc, wanted_word;
static u32 changed_at;

static void change_context(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    if (wanted_pc)
        uc->uc_mcontext.__pc = wanted_pc;
    else
        ((u64 *)(void *)uc->uc_mcontext.__extcontext)[changed_at] = wanted_word;
    uc->uc_mcontext.__gregs[0] = 77;
}

static void change_and_return(u64 unused)
{
    struct sigaction a = {.sa_sigaction = change_context, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &a, NULL);
    if (machine_has_vectors())
        machine_spoil_vectors(); // so that the host shows them too
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
    u64 zero;
    __asm__ volatile("move %0, $zero" : "=r"(zero));
    if (zero)
        _exit(96);
}

TEST(frames_that_lead_elsewhere)
{
    static const u64 places[] = {4,      1ULL << 63, 0x9000000000000000, 0x8000000000000000,
                                 BORDER, ~3ULL,      0x800000000000,     ENTRY_PAGE + 0x80};
    for (u32 i = 0; i < ARRAY_LEN(places); i++) {
        wanted_pc = places[i];
        CHECK(is_fault(signal_of_child(change_and_return, 0)));
    }
    wanted_pc = 0;
}

// Heads and contents of the units that follow: sizes, kinds, status and registers.
TEST(frames_with_other_units)
{
    static const u64 values[] = {0,
                                 1,
                                 0x10,
                                 ~0ULL,
                                 0x0000001046505501,
                                 0xffffffff53580001,
                                 0x0000000041535801,
                                 0x1f00001f1f00001f};
    for (u32 i = 0; i < ARRAY_LEN(values); i++)
        for (changed_at = 0; changed_at < 134; changed_at += changed_at < 3 ? 1 : 33) {
            wanted_word = values[i];
            int got = signal_of_child(change_and_return, 0);
            CHECK(got == 0 || is_fault(got) || got == SIGFPE);
        }
}

static void return_from(u64 sp)
{
    machine_return_from((void *)sp);
}

TEST(frames_that_are_nowhere)
{
    static const u64 places[] = {
        0, 8, BORDER, ENTRY_PAGE, 0x9000000000000000, ~15ULL, 0x7ffffffff000};
    for (u32 i = 0; i < ARRAY_LEN(places); i++)
        CHECK(is_fault(signal_of_child(return_from, places[i])));
}

// With the alternate stack where nothing or the monitor is.
static void fault_on_alternate(u64 at)
{
    stack_t stack = {.ss_sp = (void *)at, .ss_size = 65536};
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaltstack(&stack, NULL);
    sigaction(SIGILL, &a, NULL);
    __asm__ volatile(".word 0");
}

TEST(alternate_stacks_that_are_none)
{
    static const u64 places[] = {0x10000, BORDER + 0x1000000, 0x9000000000000000, ~0x1ffffULL,
                                 0x7fffffff0000};
    for (u32 i = 0; i < ARRAY_LEN(places); i++)
        CHECK(is_fault(signal_of_child(fault_on_alternate, places[i])));
}
