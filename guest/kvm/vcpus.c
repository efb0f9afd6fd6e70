// SPDX-License-Identifier: Apache-2.0
// Several vCPUs and VMs: in threads, in turn, one after the other; stolen time.
#include "guest/kvm/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void *run_to_call(void *cpu)
{
    vcpu_run_to_call(cpu);
    return NULL;
}

// a0: address, a1: how often.
GUEST_CODE(add_atomically,
           "1: ll.d $t0, $a0, 0\naddi.d $t0, $t0, 1\nsc.d $t0, $a0, 0\nbeqz $t0, 1b\n"
           "ori $t1, $zero, 1\namadd_db.d $t2, $t1, $a2\n"
           "addi.d $a1, $a1, -1\nbnez $a1, 1b\n" CALL_USER);

TEST(vcpus_in_threads_share_memory)
{
    enum { N = 3, TIMES = 20000 };
    struct vm vm;
    struct vcpu cpu[N];
    pthread_t threads[N];
    if (!vm_open(&vm))
        return;
    for (unsigned i = 0; i < N; i++)
        REQUIRE(vcpu_open(&cpu[i], &vm, i));
    for (unsigned i = 0; i < N; i++) {
        vcpu_start(&cpu[i], add_atomically, VM_DATA, TIMES, VM_DATA + 64);
        pthread_create(&threads[i], NULL, run_to_call, &cpu[i]);
    }
    for (unsigned i = 0; i < N; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQ(*vm_words(&vm, VM_DATA), N * TIMES);
    CHECK_EQ(*vm_words(&vm, VM_DATA + 64), N * TIMES);
    for (unsigned i = 0; i < N; i++)
        vcpu_close(&cpu[i]);
    vm_close(&vm);
}

// Reserves, leaves, and tries to store: someone else has run in between.
GUEST_CODE(reserve, "ll.d $t0, $a0, 0\n" CALL_USER "ori $t0, $zero, 5\nsc.d $t0, $s0, 0\n"
                    "move $a0, $t0\n" CALL_USER);
GUEST_CODE(store, "st.d $a1, $a0, 0\n" CALL_USER);

TEST(a_reservation_does_not_outlive_a_change_by_another_vcpu)
{
    struct vm vm;
    struct vcpu cpu[2];
    if (!vm_open_one(&vm, &cpu[0]))
        return;
    REQUIRE(vcpu_open(&cpu[1], &vm, 1));
    for (unsigned i = 0; i < 20; i++) {
        struct kvm_regs regs;
        vcpu_start(&cpu[0], reserve, VM_DATA);
        CHECK_EQ(kvm_call(cpu[0].fd, KVM_GET_REGS, &regs), 0);
        regs.gpr[23] = VM_DATA;
        CHECK_EQ(kvm_call(cpu[0].fd, KVM_SET_REGS, &regs), 0);
        vcpu_run_to_call(&cpu[0]);
        vcpu_call(&cpu[1], store, VM_DATA, 100 + i);
        CHECK_EQ(vcpu_run_to_call(&cpu[0]), 0);
        CHECK_EQ(*vm_words(&vm, VM_DATA), 100 + i);
    }
    vcpu_close(&cpu[1]);
    vm_close_one(&vm, &cpu[0]);
}

// Hypercall 0x100 function 1: SWI0 on the cores of the map in a1, a2, from core a3 on.
GUEST_CODE(signal_others, "hvcl 0x100\n" CALL_USER);
GUEST_CODE(wait_for_swi, "ori $t0, $zero, 1\ncsrwr $t0, " ECFG "\n"
                         "1: idle 0\ncsrrd $a0, " ESTAT "\nbeqz $a0, 1b\n" CALL_USER);

TEST(the_ipi_hypercall_wakes_idle_cores)
{
    enum { N = 3 };
    struct vm vm;
    struct vcpu cpu[N];
    pthread_t threads[N];
    if (!vm_open(&vm))
        return;
    for (unsigned i = 0; i < N; i++)
        REQUIRE(vcpu_open(&cpu[i], &vm, i));
    for (unsigned i = 1; i < N; i++) {
        vcpu_start(&cpu[i], wait_for_swi);
        pthread_create(&threads[i], NULL, run_to_call, &cpu[i]);
    }
    usleep(20000);
    CHECK_EQ(vcpu_call(&cpu[0], signal_others, 1, 3, 0, 1), 0);
    for (unsigned i = 1; i < N; i++) {
        pthread_join(threads[i], NULL);
        CHECK_EQ(cpu[i].run->hypercall.args[0], 1);
    }
    for (unsigned i = 0; i < N; i++)
        vcpu_close(&cpu[i]);
    vm_close(&vm);
}

GUEST_CODE(load, "ld.d $a0, $a0, 0\n" CALL_USER);

// More than there are guest identifiers, which are reused then.
TEST(vms_one_after_the_other_see_their_own_memory)
{
    for (u64 i = 1; i <= 300; i++) {
        struct vm vm;
        struct vcpu cpu;
        if (!vm_open_one(&vm, &cpu))
            return;
        *vm_words(&vm, VM_DATA) = i;
        CHECK_EQ(vcpu_call(&cpu, load, VM_DATA), i);
        vm_close_one(&vm, &cpu);
    }
}

TEST(vms_in_turn_see_their_own_memory)
{
    enum { N = 12 };
    struct vm vm[N];
    struct vcpu cpu[N];
    for (unsigned i = 0; i < N; i++)
        REQUIRE(vm_open_one(&vm[i], &cpu[i]));
    for (unsigned round = 0; round < 10; round++)
        for (unsigned i = 0; i < N; i++) {
            *vm_words(&vm[i], VM_DATA) = round * N + i;
            CHECK_EQ(vcpu_call(&cpu[i], load, VM_DATA), round * N + i);
        }
    for (unsigned i = 0; i < N; i++)
        vm_close_one(&vm[i], &cpu[i]);
}

TEST(limits_of_vcpus)
{
    struct vm vm;
    if (!vm_open(&vm))
        return;
    int most = kvm_call(vm.fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_MAX_VCPUS);
    CHECK_EQ(most, 256);
    CHECK(ioctl(vm.fd, KVM_CREATE_VCPU, (unsigned long)most) < 0 && errno == EINVAL);
    int fd = ioctl(vm.fd, KVM_CREATE_VCPU, (unsigned long)most - 1);
    CHECK(fd >= 0);
    CHECK(ioctl(vm.fd, KVM_CREATE_VCPU, (unsigned long)most - 1) < 0 && errno == EEXIST);
    close(fd);
    vm_close(&vm);
}

struct steal_record { // as the guest has it
    u64 steal;
    u32 version, flags;
    u8 preempted, padding[47];
};

GUEST_CODE(spin_for, "rdtime.d $t0, $zero\n1: rdtime.d $t1, $zero\nsub.d $t1, $t1, $t0\n"
                     "bltu $t1, $a0, 1b\n" CALL_USER);

static int set_place(struct vcpu *cpu, u64 place)
{
    struct kvm_device_attr attr = {0, KVM_LOONGARCH_VCPU_PVTIME_CTRL, KVM_LOONGARCH_VCPU_PVTIME_GPA,
                                   (uintptr_t)&place};
    CHECK_EQ(kvm_call(cpu->fd, KVM_HAS_DEVICE_ATTR, &attr), 0);
    return kvm_call(cpu->fd, KVM_SET_DEVICE_ATTR, &attr);
}

// KVM counts from what the thread that sets the place has waited.
static void *spin_with_record(void *argument)
{
    struct vcpu *cpu = argument;
    u64 place = VM_DATA + cpu->id * sizeof(struct steal_record) + 1, back = 0;
    struct kvm_device_attr attr = {0, KVM_LOONGARCH_VCPU_PVTIME_CTRL, KVM_LOONGARCH_VCPU_PVTIME_GPA,
                                   (uintptr_t)&back};
    CHECK_EQ(set_place(cpu, VM_DATA + 8 + 1), -EINVAL); // not aligned
    CHECK_EQ(set_place(cpu, (u64)VM_NOTHING + 1), -EINVAL);
    CHECK_EQ(set_place(cpu, place), 0);
    CHECK_EQ(kvm_call(cpu->fd, KVM_GET_DEVICE_ATTR, &attr), 0);
    CHECK_EQ(back, place);
    vcpu_call(cpu, spin_for, counter_frequency() / 5);
    return NULL;
}

TEST(stolen_time_is_told)
{
    enum { N = 6 };
    struct vm vm;
    struct vcpu cpu[N];
    pthread_t threads[N];
    u64 total = 0;
    if (!vm_open(&vm))
        return;
    for (unsigned i = 0; i < N; i++)
        REQUIRE(vcpu_open(&cpu[i], &vm, i));
    for (unsigned i = 0; i < N; i++)
        pthread_create(&threads[i], NULL, spin_with_record, &cpu[i]);
    for (unsigned i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        const struct steal_record *record =
            (const void *)vm_words(&vm, VM_DATA + i * sizeof(*record));
        CHECK(record->version > 0 && record->version % 2 == 0);
        total += record->steal;
    }
    printf("# %llu ms stolen from %u vCPUs\n", (unsigned long long)total / 1000000, N);
    CHECK(total > 1000000 && total < N * 60000000000);
    for (unsigned i = 0; i < N; i++)
        vcpu_close(&cpu[i]);
    vm_close(&vm);
}
