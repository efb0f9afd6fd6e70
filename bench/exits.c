// SPDX-License-Identifier: Apache-2.0
// What it costs a guest of the kernel's KVM to leave and to come back: a Linux program for loong64,
// which exits.py runs in a machine. Each kind of exit is a test by name and tells nanoseconds.
#include "guest/kvm/vm.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

#define N_EXITS     20000
#define N_ROUNDS    3
#define N_PAGES     4096
#define QUIET_NS    100000000ULL
#define PATIENCE_NS 60000000000ULL
#define TOUCHED     0x20000000 // guest address of the pages to touch
#define CHIP_IOCSR  0x420      // of no device of KVM
#define IPI_STATUS  0x1000

// a0: how often, a1: an address.
GUEST_CODE(loop_hypercall, "move $s0, $a0\n"
                           "1: ori $a0, $zero, 99\n" // no function of that number: KVM says so
                           "hvcl 0x100\n"
                           "addi.d $s0, $s0, -1\n"
                           "bnez $s0, 1b\n" CALL_USER);
GUEST_CODE(loop_cpucfg, "1: cpucfg $a2, $zero\n"
                        "addi.d $a0, $a0, -1\n"
                        "bnez $a0, 1b\n" CALL_USER);
GUEST_CODE(loop_iocsr, "1: iocsrrd.w $a2, $a1\n"
                       "addi.d $a0, $a0, -1\n"
                       "bnez $a0, 1b\n" CALL_USER);
GUEST_CODE(loop_load, "1: ld.w $a2, $a1, 0\n"
                      "addi.d $a0, $a0, -1\n"
                      "bnez $a0, 1b\n" CALL_USER);
GUEST_CODE(loop_touch, "li.d $t0, 0x4000\n"
                       "1: st.d $a0, $a1, 0\n"
                       "add.d $a1, $a1, $t0\n"
                       "addi.d $a0, $a0, -1\n"
                       "bnez $a0, 1b\n" CALL_USER);

static u64 read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

static u64 now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

// Whether this thread got all of some time.
static bool is_quiet(void)
{
    u64 began = now_ns(), used = read_clock(CLOCK_THREAD_CPUTIME_ID), now;
    do {
        now = now_ns();
    } while (now - began < QUIET_NS);
    return read_clock(CLOCK_THREAD_CPUTIME_ID) - used > (now - began) / 100 * 97;
}

// A kernel that has just started has other work: it would be measured, too.
static void wait_for_quiet(void)
{
    u64 end = now_ns() + PATIENCE_NS;
    for (unsigned n = 0; n < 20 && now_ns() < end;)
        n = is_quiet() ? n + 1 : 0;
}

// Enters the guest until it calls user space; how often it came out before.
static unsigned run_to_call(struct vcpu *cpu)
{
    for (unsigned n = 0;; n++) {
        if (ioctl(cpu->fd, KVM_RUN, 0) || cpu->run->exit_reason == KVM_EXIT_HYPERCALL)
            return n;
        memset(cpu->run->mmio.data, 0, sizeof(cpu->run->mmio.data));
    }
}

static void tell(const char *name, u64 ns, unsigned n)
{
    printf("# exit %s %llu ns\n", name, (unsigned long long)(ns / n));
}

// The best of some rounds; `n_in_user` of the exits come to user space.
static void measure(const char *name, struct vcpu *cpu, const u8 *code, const u8 *end, u64 address,
                    unsigned n_in_user)
{
    u64 best = ~0ULL;
    wait_for_quiet();
    for (unsigned i = 0; i < N_ROUNDS; i++) {
        vcpu_start_code(cpu, code, end, (u64[4]){N_EXITS, address});
        u64 began = now_ns();
        CHECK_EQ(run_to_call(cpu), n_in_user);
        u64 ns = now_ns() - began;
        best = ns < best ? ns : best;
    }
    tell(name, best, N_EXITS);
}

#define MEASURE(name, code, address, n_in_user)                              \
    do {                                                                     \
        struct vm vm;                                                        \
        struct vcpu cpu;                                                     \
        if (!vm_open_one(&vm, &cpu))                                         \
            return;                                                          \
        measure((name), &cpu, (code), (code##_end), (address), (n_in_user)); \
        vm_close_one(&vm, &cpu);                                             \
    } while (0)

TEST(hypercall)
{
    MEASURE("hypercall", loop_hypercall, 0, 0);
}

TEST(cpucfg)
{
    MEASURE("cpucfg", loop_cpucfg, 0, 0);
}

TEST(user_iocsr)
{
    MEASURE("user_iocsr", loop_iocsr, CHIP_IOCSR, N_EXITS);
}

TEST(user_mmio)
{
    MEASURE("user_mmio", loop_load, VM_NOTHING, N_EXITS);
}

// A register of the kernel's own controller.
TEST(kernel_iocsr)
{
    struct kvm_create_device device = {.type = KVM_DEV_TYPE_LOONGARCH_IPI};
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    if (kvm_call(vm.fd, KVM_CREATE_DEVICE, &device))
        SKIP("missing interrupt controllers in this KVM");
    else
        measure("kernel_iocsr", &cpu, loop_iocsr, loop_iocsr_end, IPI_STATUS, 0);
    vm_close_one(&vm, &cpu);
}

// Memory that is there for the host, in small pages, and new to the guest.
static bool add_pages(struct vm *vm, u8 **memory)
{
    size_t size = (size_t)N_PAGES * VM_PAGE;
    *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!CHECK(*memory != MAP_FAILED))
        return false;
    madvise(*memory, size, MADV_NOHUGEPAGE);
    memset(*memory, 1, size);
    return CHECK_EQ(vm_set_slot(vm, 1, 0, TOUCHED, size, *memory), 0);
}

TEST(first_touch)
{
    struct vm vm;
    struct vcpu cpu;
    u8 *memory;
    if (!vm_open_one(&vm, &cpu))
        return;
    if (add_pages(&vm, &memory)) {
        wait_for_quiet();
        vcpu_start_code(&cpu, loop_touch, loop_touch_end, (u64[4]){N_PAGES, TOUCHED});
        u64 began = now_ns();
        CHECK_EQ(run_to_call(&cpu), 0);
        tell("first_touch", now_ns() - began, N_PAGES);
        munmap(memory, (size_t)N_PAGES * VM_PAGE);
    }
    vm_close_one(&vm, &cpu);
}
