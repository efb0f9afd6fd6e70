// SPDX-License-Identifier: Apache-2.0
// A program that tries to leave ring 3, or to confuse the monitor about where it is: selectors,
// flags, frames of signals, the door, and more of everything than there is. Each attempt ends in a
// signal or changes nothing. Runs in a guest only, without a policy.
#include "base/test.h"
#include "test/dune/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096 };
#define BORDER 0x500000000000ULL
#define DOOR   (BORDER + 0x200000)

// Whether this is still a program in ring 3 whose calls are served.
static bool is_well(void)
{
    u16 cs, ss;
    __asm__ volatile("mov %%cs, %0; mov %%ss, %1" : "=r"(cs), "=r"(ss));
    return (cs & 3) == 3 && (ss & 3) == 3 && syscall(SYS_getppid) == getppid();
}

// In a child, since registers may be lost: 0, or the signal that ended it.
static int signal_of(void (*act)(u64), u64 argument)
{
    int status = 0;
    pid_t child = fork();
    if (!child) {
        act(argument);
        _exit(is_well() ? 0 : 99);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static bool is_fault(int signal)
{
    return signal == SIGSEGV || signal == SIGILL || signal == SIGBUS;
}

static void load_ds(u64 selector)
{
    __asm__ volatile("mov %w0, %%ds" : : "r"(selector));
}

static void load_ss(u64 selector)
{
    __asm__ volatile("mov %w0, %%ss" : : "r"(selector));
}

static void load_gs(u64 selector)
{
    __asm__ volatile("mov %w0, %%gs" : : "r"(selector));
}

TEST(selectors_of_the_guests_kernel)
{
    static const u64 kernels[] = {0x10, 0x13, 0x18, 0x40, 0x43, 0x48, 0x04, 0x0c, 0xfff8};
    for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
        CHECK(is_fault(signal_of(load_ds, kernels[i])));
        CHECK(is_fault(signal_of(load_ss, kernels[i])));
        CHECK(is_fault(signal_of(load_gs, kernels[i])));
    }
    CHECK_EQ(signal_of(load_ds, 0), 0);
    CHECK_EQ(signal_of(load_ds, 0x2b), 0);
    CHECK(is_fault(signal_of(load_ss, 0)));
}

static void return_to(u64 selector)
{
    __asm__ volatile("mov %%rsp, %%rdx\n push $0x2b\n push %%rdx\n push $0x3202\n push %0\n"
                     "lea 1f(%%rip), %%rdx\n push %%rdx\n iretq\n 1:"
                     :
                     : "r"(selector)
                     : "rdx", "memory");
}

static void far_return(u64 selector)
{
    __asm__ volatile("push %0\n lea 1f(%%rip), %%rdx\n push %%rdx\n lretq\n 1:"
                     :
                     : "r"(selector)
                     : "rdx", "memory");
}

TEST(returns_to_other_rings)
{
    static const u64 others[] = {0x10, 0x13, 0x18, 0x20, 0x40, 0x00};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        CHECK(is_fault(signal_of(return_to, others[i])));
        CHECK(is_fault(signal_of(far_return, others[i])));
    }
}

static void use_instruction(u64 which)
{
    u8 table[16] = {0};
    u64 value = 0;
    switch (which) {
    case 0: __asm__ volatile("int $0x0e"); break;
    case 1: __asm__ volatile("int $0x08"); break;
    case 2: __asm__ volatile("int $0xff"); break;
    case 3: __asm__ volatile("sysenter"); break;
    case 4: __asm__ volatile("sysexitl"); break;
    case 5: __asm__ volatile("lldt %w0" : : "r"(0x40)); break;
    case 6: __asm__ volatile("lidt %0" : : "m"(table)); break;
    case 7: __asm__ volatile("rdmsr" : : "c"(0xc0000082) : "eax", "edx"); break;
    case 8: __asm__ volatile("mov %0, %%cr4" : : "r"(value)); break;
    case 9: __asm__ volatile("mov %0, %%dr7" : : "r"(value)); break;
    case 10: __asm__ volatile("clts"); break;
    case 11: __asm__ volatile("wbinvd"); break;
    case 12: __asm__ volatile("inb $0x60, %%al" : : : "eax"); break;
    case 13: __asm__ volatile("sti"); break;
    case 14: __asm__ volatile("xsetbv" : : "a"(3), "d"(0), "c"(0)); break;
    case 15: __asm__ volatile("lmsw %w0" : : "r"(0)); break;
    case 16: __asm__ volatile("wrfsbase %0" : : "r"(1ULL << 63)); break;
    case 17: __asm__ volatile("invpcid %0, %1" : : "m"(table), "r"(value)); break;
    }
}

TEST(instructions_of_ring_0)
{
    for (u64 i = 0; i <= 17; i++)
        if (!CHECK(is_fault(signal_of(use_instruction, i))))
            printf("# instruction %d\n", (int)i);
}

// What asks a hypervisor does not reach one: whatever it does, the program is in ring 3.
static void ask_hypervisor(u64 which)
{
    u64 a = 0;
    if (which)
        __asm__ volatile("vmmcall" : "+a"(a) : : "rbx", "rcx", "rdx", "memory");
    else
        __asm__ volatile("vmcall" : "+a"(a) : : "rbx", "rcx", "rdx", "memory");
}

TEST(calls_of_hypervisors)
{
    for (u64 i = 0; i < 2; i++) {
        int signal = signal_of(ask_hypervisor, i);
        CHECK(!signal || is_fault(signal));
    }
}

static void call_with_flags(u64 flags)
{
    u64 result = SYS_getppid;
    __asm__ volatile("pushfq\n push %1\n popfq\n syscall\n popfq"
                     : "+a"(result)
                     : "r"(flags)
                     : "rcx", "r11", "memory", "cc");
    if (result != (u64)getppid())
        _exit(98);
}

// Direction, alignment, nested task, the ring for ports, identification; and the trap flag.
TEST(calls_with_odd_flags)
{
    static const u64 flags[] = {0x402, 0x40002, 0x4002, 0x3002, 0x200002, 0x202, 0x2, 0x80002};
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        CHECK_EQ(signal_of(call_with_flags, flags[i]), 0);
    CHECK_EQ(signal_of(call_with_flags, 0x102), SIGTRAP);
}

static void call_with_stack(u64 sp)
{
    __asm__ volatile("mov %%rsp, %%rbx\n mov %1, %%rsp\n syscall\n mov %%rbx, %%rsp"
                     :
                     : "a"(SYS_getppid), "r"(sp)
                     : "rbx", "rcx", "r11", "memory");
}

static void fault_with_stack(u64 sp)
{
    __asm__ volatile("mov %0, %%rsp\n ud2" : : "r"(sp));
}

// A call needs no stack. A handler does, and there is none for it.
TEST(stacks_that_are_none)
{
    static const u64 stacks[] = {0, 8, 1ULL << 63, ~7ULL, BORDER, 0xffff888000001000};
    for (size_t i = 0; i < ARRAY_LEN(stacks); i++) {
        CHECK_EQ(signal_of(call_with_stack, stacks[i]), 0);
        CHECK(is_fault(signal_of(fault_with_stack, stacks[i])));
    }
}

static void write_door(u64 size)
{
    u64 result = SYS_getppid;
    __asm__ volatile("lea 1f(%%rip), %%rcx\n cmp $1, %2\n je 2f\n mov %%rax, (%1)\n 2:\n"
                     "movb $0, (%1)\n 1:"
                     : "+a"(result)
                     : "r"(DOOR), "r"(size)
                     : "rcx", "memory", "cc");
    if (result != (u64)getppid())
        _exit(97);
}

static void read_door(u64 at)
{
    (void)*(volatile u64 *)at;
}

static void execute_door(u64 at)
{
    ((void (*)(void))at)();
}

static void add_to_door(u64 at)
{
    __asm__ volatile("lea 1f(%%rip), %%rcx\n lock addq $1, (%0)\n 1:"
                     :
                     : "r"(at), "a"(SYS_getppid)
                     : "rcx", "memory", "cc");
}

static void write_across(u64 at)
{
    *(volatile u64 *)at = 1;
}

// It belongs to a call on hosts whose `syscall` stays in ring 3, and is memory of nobody elsewhere.
TEST(the_door_by_other_ways)
{
    for (u64 size = 1; size <= 8; size += 7)
        CHECK_EQ(signal_of(write_door, size), 0);
    CHECK(is_fault(signal_of(read_door, DOOR)));
    CHECK(is_fault(signal_of(execute_door, DOOR)));
    CHECK(is_fault(signal_of(write_across, DOOR - 4)));
    CHECK(is_fault(signal_of(write_across, DOOR + PAGE)));
    int signal = signal_of(add_to_door, DOOR);
    CHECK(!signal || is_fault(signal));
}

// What the library of processes that enter by themselves has is not there for a program that was
// entered: neither its calls nor its pages.
TEST(the_librarys_ways)
{
    for (u64 at = BORDER; at < BORDER + 0x600000; at += 0x100000)
        if (at != BORDER + 0x100000)
            CHECK(is_fault(signal_of(read_door, at)));
    for (long number = 0x4c480000; number < 0x4c480020; number++) {
        errno = 0;
        CHECK_EQ(syscall(number, 0, 0, 0, 0, 0, 0), -1);
        CHECK_EQ(errno, ENOSYS);
    }
}

static u64 wanted_selectors, wanted_flags;

static void change_frame(int signal, siginfo_t *info, void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (wanted_selectors)
        g[REG_CSGSFS] = (greg_t)wanted_selectors;
    if (wanted_flags)
        g[REG_EFL] = (greg_t)wanted_flags;
}

static void change_and_return(u64 unused)
{
    struct sigaction a = {.sa_sigaction = change_frame, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1);
    if (!is_well())
        _exit(96);
}

TEST(frames_with_other_selectors_and_flags)
{
    static const u64 selectors[] = {0x10, 0x18, 0x002b000000000010, 0x0018000000000010, 0x40, 1};
    for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
        wanted_selectors = selectors[i];
        int signal = signal_of(change_and_return, 0);
        CHECK(!signal || is_fault(signal));
    }
    wanted_selectors = 0;
    for (u32 bit = 9; bit < 32; bit++) {
        // Alignment is a program's own affair, and compiled code does not keep to it.
        wanted_flags = 0x202 | (bit == 18 ? 0 : 1ULL << bit);
        CHECK_EQ(signal_of(change_and_return, 0), 0);
    }
    wanted_flags = 0;
}

static u64 fp_word, fp_value;

static void change_fp(int signal, siginfo_t *info, void *context)
{
    u64 *area = (void *)((ucontext_t *)context)->uc_mcontext.fpregs;
    area[fp_word] = fp_value;
}

static void change_fp_and_return(u64 unused)
{
    struct sigaction a = {.sa_sigaction = change_fp, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1);
}

// Words of the area that processors refuse: status and control with reserved bits, the header.
TEST(frames_with_a_bad_floating_point_state)
{
    static const u64 words[] = {3, 64, 65, 66, 70};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        fp_word = words[i];
        fp_value = ~0ULL;
        int signal = signal_of(change_fp_and_return, 0);
        CHECK(!signal || is_fault(signal));
    }
}

static void point_fp(int signal, siginfo_t *info, void *context)
{
    ((ucontext_t *)context)->uc_mcontext.fpregs = (void *)fp_value;
}

static void point_fp_and_return(u64 unused)
{
    struct sigaction a = {.sa_sigaction = point_fp, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &a, NULL);
    raise(SIGUSR1);
}

TEST(frames_whose_floating_point_state_is_elsewhere)
{
    static const u64 places[] = {8, BORDER + 0x100000, 0xffff888000000000, 1ULL << 63};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        fp_value = places[i];
        CHECK(is_fault(signal_of(point_fp_and_return, 0)));
    }
}

static void *wait_here(void *opaque)
{
    pthread_mutex_lock(opaque);
    pthread_mutex_unlock(opaque);
    return NULL;
}

// One vCPU each, of which there are no more than a thousand: the rest is refused, and what there is
// goes on.
static void make_threads(u64 n)
{
    static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    static pthread_t threads[2000];
    pthread_attr_t small;
    u64 made = 0;
    int ret = 0;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    pthread_mutex_lock(&gate);
    while (made < n && (ret = pthread_create(threads + made, &small, wait_here, &gate)) == 0)
        made++;
    pthread_mutex_unlock(&gate);
    for (u64 i = 0; i < made; i++)
        pthread_join(threads[i], NULL);
    if (ret != EAGAIN || made < 500)
        _exit(95);
    if (pthread_create(threads, &small, wait_here, &gate) || pthread_join(threads[0], NULL))
        _exit(94);
}

TEST(vcpus_run_out)
{
    CHECK_EQ(signal_of(make_threads, 2000), 0);
}

static void open_until_refused(u64 unused)
{
    while (open("/dev/null", O_RDONLY) >= 0)
        ;
    pid_t child = fork(); // which needs descriptors of the monitor's
    int status = 1;
    if (!child)
        _exit(0);
    waitpid(child, &status, 0);
    if (child < 0 || status)
        _exit(93);
}

TEST(descriptors_run_out)
{
    CHECK_EQ(signal_of(open_until_refused, 0), 0);
}
