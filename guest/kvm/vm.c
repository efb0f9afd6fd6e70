// SPDX-License-Identifier: Apache-2.0
#include "guest/kvm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SILENCE_S = 30, VECTOR_SIZE = 512, N_VECTORS = 78, N_CPUCFG = 21 };

GUEST_CODE(vector,
           "ori $a4, $zero, 0\n" // the number is put in
           "csrrd $a0, " ESTAT "\n"
           "csrrd $a1, " ERA "\n"
           "csrrd $a2, " BADV "\n"
           "csrrd $a3, " BADI "\n" CALL_USER "ertn\n");

int kvm_call(int fd, unsigned long request, const void *argument)
{
    int result = ioctl(fd, request, argument);
    return result < 0 ? -errno : result;
}

static u64 cpucfg(unsigned word)
{
    u64 value;
    __asm__ volatile("cpucfg %0, %1" : "=r"(value) : "r"((u64)word));
    return value;
}

u64 counter_frequency(void)
{
    return cpucfg(4) * (cpucfg(5) & 0xffff) / (cpucfg(5) >> 16 & 0xffff);
}

u64 counter_read(void)
{
    u64 value;
    __asm__ volatile("rdtime.d %0, $zero" : "=r"(value)::"memory");
    return value;
}

int vm_set_slot(struct vm *vm, unsigned slot, unsigned flags, u64 address, u64 size, void *memory)
{
    struct kvm_userspace_memory_region region = {slot, flags, address, size, (uintptr_t)memory};
    return kvm_call(vm->fd, KVM_SET_USER_MEMORY_REGION, &region);
}

bool vm_open(struct vm *vm)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (!CHECK(kvm >= 0))
        return false;
    vm->fd = ioctl(kvm, KVM_CREATE_VM, 0);
    close(kvm);
    if (!CHECK(vm->fd >= 0))
        return false;
    vm->memory = mmap(NULL, VM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!CHECK(vm->memory != MAP_FAILED) ||
        !CHECK_EQ(vm_set_slot(vm, 0, 0, 0, VM_SIZE, vm->memory), 0)) {
        vm_close(vm);
        return false;
    }
    return true;
}

void vm_close(struct vm *vm)
{
    close(vm->fd);
    if (vm->memory != MAP_FAILED)
        munmap(vm->memory, VM_SIZE);
}

// What the host has and KVM lets a guest have.
static void give_features(struct vcpu *cpu)
{
    for (unsigned word = 0; word < N_CPUCFG; word++) {
        u64 mask = 0;
        struct kvm_device_attr attr = {0, KVM_LOONGARCH_VCPU_CPUCFG, word, (uintptr_t)&mask};
        CHECK_EQ(kvm_call(cpu->fd, KVM_GET_DEVICE_ATTR, &attr), 0);
        if (word != 6) // performance counters: only where the test asks for them
            vcpu_set(cpu, KVM_IOC_CPUCFG((u64)word), cpucfg(word) & mask);
    }
    u64 features =
        1u << KVM_FEATURE_USER_HCALL | 1u << KVM_FEATURE_IPI | 1u << KVM_FEATURE_STEAL_TIME;
    struct kvm_device_attr attr = {0, KVM_LOONGARCH_VCPU_CPUCFG, CPUCFG_KVM_FEATURE,
                                   (uintptr_t)&features};
    CHECK_EQ(kvm_call(cpu->fd, KVM_SET_DEVICE_ATTR, &attr), 0);
}

bool vcpu_open(struct vcpu *cpu, struct vm *vm, unsigned id)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    cpu->run_size = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    close(kvm);
    cpu->vm = vm;
    cpu->id = id;
    cpu->fd = ioctl(vm->fd, KVM_CREATE_VCPU, (unsigned long)id);
    if (!CHECK(cpu->fd >= 0))
        return false;
    cpu->run = mmap(NULL, cpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
    if (!CHECK((void *)cpu->run != MAP_FAILED)) {
        close(cpu->fd);
        return false;
    }
    give_features(cpu);
    vcpu_set_csr(cpu, 0x20, id);
    return true;
}

void vcpu_close(struct vcpu *cpu)
{
    munmap(cpu->run, cpu->run_size);
    close(cpu->fd);
}

bool vm_open_one(struct vm *vm, struct vcpu *cpu)
{
    if (!vm_open(vm))
        return false;
    if (vcpu_open(cpu, vm, 0))
        return true;
    vm_close(vm);
    return false;
}

void vm_close_one(struct vm *vm, struct vcpu *cpu)
{
    vcpu_close(cpu);
    vm_close(vm);
}

u64 *vm_words(struct vm *vm, u64 address)
{
    return (u64 *)(void *)(vm->memory + address);
}

void vm_put(struct vm *vm, u64 address, const u8 *code, const u8 *end)
{
    memcpy(vm->memory + address, code, (size_t)(end - code));
}

void vm_put_vectors(struct vm *vm)
{
    for (unsigned i = 0; i < N_VECTORS; i++) {
        u64 address = VM_VECTORS + i * VECTOR_SIZE;
        vm_put(vm, address, vector, vector_end);
        *(u32 *)(void *)(vm->memory + address) |= i << 10;
    }
}

int vcpu_try_get(struct vcpu *cpu, u64 id, u64 *value)
{
    struct kvm_one_reg reg = {id, (uintptr_t)value};
    return kvm_call(cpu->fd, KVM_GET_ONE_REG, &reg);
}

int vcpu_try_set(struct vcpu *cpu, u64 id, u64 value)
{
    struct kvm_one_reg reg = {id, (uintptr_t)&value};
    return kvm_call(cpu->fd, KVM_SET_ONE_REG, &reg);
}

u64 vcpu_get(struct vcpu *cpu, u64 id)
{
    u64 value = 0;
    CHECK_EQ(vcpu_try_get(cpu, id, &value), 0);
    return value;
}

void vcpu_set(struct vcpu *cpu, u64 id, u64 value)
{
    if (!CHECK_EQ(vcpu_try_set(cpu, id, value), 0))
        printf("# register %#llx = %#llx\n", (unsigned long long)id, (unsigned long long)value);
}

u64 vcpu_get_csr(struct vcpu *cpu, unsigned number)
{
    return vcpu_get(cpu, KVM_IOC_CSRID((u64)number));
}

void vcpu_set_csr(struct vcpu *cpu, unsigned number, u64 value)
{
    vcpu_set(cpu, KVM_IOC_CSRID((u64)number), value);
}

void vcpu_start_code(struct vcpu *cpu, const u8 *code, const u8 *end, const u64 arguments[4])
{
    struct kvm_regs regs = {.pc = VM_CODE + cpu->id * VM_PAGE};
    vm_put(cpu->vm, regs.pc, code, end);
    for (unsigned i = 0; i < 4; i++)
        regs.gpr[4 + i] = arguments[i];
    CHECK_EQ(kvm_call(cpu->fd, KVM_SET_REGS, &regs), 0);
    vcpu_set_csr(cpu, 0x0, 1 << 3); // CRMD.DA
    // What the last exit waited for is not wanted any more.
    cpu->run->exit_reason = KVM_EXIT_UNKNOWN;
    cpu->run->immediate_exit = 0;
}

static void on_silence(int number)
{
}

// Interrupts this thread's KVM_RUN when nothing comes; repeated, for the signal might come just
// before the call.
static timer_t watch_begin(void)
{
    struct sigaction action = {.sa_handler = on_silence};
    sigaction(SIGUSR2, &action, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR2};
    event._sigev_un._tid = gettid();
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, &event, &timer);
    struct itimerspec limit = {{1, 0}, {SILENCE_S, 0}};
    timer_settime(timer, 0, &limit, NULL);
    return timer;
}

int vcpu_run(struct vcpu *cpu)
{
    timer_t timer = watch_begin();
    int result = kvm_call(cpu->fd, KVM_RUN, 0);
    timer_delete(timer);
    return result < 0 ? result : (int)cpu->run->exit_reason;
}

static void explain(struct vcpu *cpu, int reason)
{
    struct kvm_regs regs = {0};
    kvm_call(cpu->fd, KVM_GET_REGS, &regs);
    printf("# exit %d at %#llx", reason, regs.pc);
    if (reason == KVM_EXIT_MMIO)
        printf(", MMIO %#llx", cpu->run->mmio.phys_addr);
    printf(", ESTAT %#llx ERA %#llx BADV %#llx\n", (unsigned long long)vcpu_get_csr(cpu, 5),
           (unsigned long long)vcpu_get_csr(cpu, 6), (unsigned long long)vcpu_get_csr(cpu, 7));
}

u64 vcpu_run_to_call(struct vcpu *cpu)
{
    int reason = vcpu_run(cpu);
    if (!CHECK_EQ(reason, KVM_EXIT_HYPERCALL)) {
        explain(cpu, reason);
        return 0;
    }
    CHECK_EQ(cpu->run->hypercall.nr, HVCL_USER);
    return cpu->run->hypercall.args[0];
}
