// SPDX-License-Identifier: Apache-2.0
// Registers of the vCPU as user space reads and writes them, and as the guest has them.
#include "guest/kvm/vm.h"

#include <errno.h>

static const u64 PATTERN = 0x0123456789abcdef;

GUEST_CODE(add_to_all,
           ".irp r, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,"
           "30,31\n"
           "addi.d $r\\r, $r\\r, \\r\n"
           ".endr\n" CALL_USER);

TEST(general_registers_reach_the_guest_and_come_back)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vcpu_start(&cpu, add_to_all);
    struct kvm_regs regs, after;
    CHECK_EQ(kvm_call(cpu.fd, KVM_GET_REGS, &regs), 0);
    for (unsigned i = 0; i < 32; i++)
        regs.gpr[i] = PATTERN * (i + 1);
    CHECK_EQ(kvm_call(cpu.fd, KVM_SET_REGS, &regs), 0);
    vcpu_run_to_call(&cpu);
    CHECK_EQ(kvm_call(cpu.fd, KVM_GET_REGS, &after), 0);
    CHECK_EQ(after.gpr[0], 0);
    for (unsigned i = 1; i < 32; i++)
        CHECK_EQ(after.gpr[i], regs.gpr[i] + i);
    CHECK_EQ(after.pc, regs.pc + 31 * 4);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(swap_save, "csrwr $a0, " SAVE0 "\n"
                      "csrrd $a1, " CRMD "\n"
                      "csrrd $a2, " CPUID "\n" CALL_USER);

// Registers that keep every bit of the value, which user space and the guest see alike.
static const struct {
    unsigned number;
    u64 value;
} KEPT[] = {
    {0x1, 0x7},
    {0x2, 0x7},
    {0x4, 0x71804},
    {0x6, 0x12345678},
    {0x7, 0xabcdef0},
    {0x8, 0x2b8102},
    {0xc, 0x123000},
    {0x10, 0x0e000005},
    {0x11, 0x12342000},
    {0x12, 0x45051},
    {0x13, 0x46051},
    {0x19, 0x4000},
    {0x1a, 0x8000},
    {0x1c, 0x4d52c},
    {0x1e, 0xe},
    {0x30, PATTERN},
    {0x31, ~PATTERN},
    {0x32, PATTERN << 1},
    {0x33, PATTERN >> 1},
    {0x34, 1},
    {0x35, 2},
    {0x36, 3},
    {0x37, ~0ULL},
    {0x40, 0x77},
    {0x43, 0x1000},
    {0x88, 0x5000},
    {0x89, 0x123456},
    {0x8b, PATTERN},
    {0x180, 0x11},
    {0x181, 0x8000000000000011},
};

TEST(csrs_keep_what_is_set_across_a_run)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    for (unsigned i = 0; i < ARRAY_LEN(KEPT); i++)
        vcpu_set_csr(&cpu, KEPT[i].number, KEPT[i].value);
    CHECK_EQ(vcpu_call(&cpu, swap_save, ~PATTERN), PATTERN);
    CHECK_EQ(cpu.run->hypercall.args[1] & 0x1f, 0x8);
    CHECK_EQ(cpu.run->hypercall.args[2], 0);
    for (unsigned i = 0; i < ARRAY_LEN(KEPT); i++) {
        u64 wanted = KEPT[i].number == 0x30 ? ~PATTERN : KEPT[i].value;
        if (!CHECK_EQ(vcpu_get_csr(&cpu, KEPT[i].number), wanted))
            printf("# that was CSR %#x\n", KEPT[i].number);
    }
    vm_close_one(&vm, &cpu);
}

TEST(another_vcpu_does_not_change_csrs)
{
    struct vm vm;
    struct vcpu cpu[2];
    if (!vm_open_one(&vm, &cpu[0]))
        return;
    REQUIRE(vcpu_open(&cpu[1], &vm, 1));
    vcpu_set_csr(&cpu[0], 0x30, 111);
    vcpu_set_csr(&cpu[1], 0x30, 222);
    for (unsigned i = 0; i < 50; i++) {
        CHECK_EQ(vcpu_call(&cpu[0], swap_save, 111), 111);
        CHECK_EQ(cpu[0].run->hypercall.args[2], 0);
        CHECK_EQ(vcpu_call(&cpu[1], swap_save, 222), 222);
        CHECK_EQ(cpu[1].run->hypercall.args[2], 1);
    }
    vcpu_close(&cpu[1]);
    vm_close_one(&vm, &cpu[0]);
}

TEST(cpuid_is_set_once)
{
    struct vm vm;
    struct vcpu cpu[2];
    if (!vm_open_one(&vm, &cpu[0]))
        return;
    REQUIRE(vcpu_open(&cpu[1], &vm, 1));
    CHECK_EQ(vcpu_try_set(&cpu[0], KVM_IOC_CSRID(0x20ULL), 0), 0);
    CHECK_EQ(vcpu_try_set(&cpu[0], KVM_IOC_CSRID(0x20ULL), 5), -EINVAL);
    CHECK_EQ(vcpu_try_set(&cpu[1], KVM_IOC_CSRID(0x20ULL), 0), -EINVAL);
    CHECK_EQ(vcpu_try_set(&cpu[1], KVM_IOC_CSRID(0x20ULL), 256), -EINVAL);
    vcpu_close(&cpu[1]);
    vm_close_one(&vm, &cpu[0]);
}

TEST(estat_carries_interrupts_until_reset)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vcpu_set_csr(&cpu, 5, 0x1 | 0x2a << 2);
    CHECK_EQ(vcpu_get_csr(&cpu, 5), 0x1 | 0x2a << 2);
    vcpu_set(&cpu, KVM_REG_LOONGARCH_VCPU_RESET, 0);
    CHECK_EQ(vcpu_get_csr(&cpu, 5), 0);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(read_counter, "rdtime.d $a0, $a1\n" CALL_USER);

TEST(counter_starts_where_it_is_set)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 start = 1ULL << 40, before = counter_read();
    vcpu_set_csr(&cpu, 0x40, 0x55); // TID
    vcpu_set(&cpu, KVM_REG_LOONGARCH_COUNTER, start);
    u64 guest = vcpu_call(&cpu, read_counter);
    u64 outside = vcpu_get(&cpu, KVM_REG_LOONGARCH_COUNTER), passed = counter_read() - before;
    if (!CHECK(guest >= start && guest <= outside))
        printf("# %#llx, then %#llx outside\n", (unsigned long long)guest,
               (unsigned long long)outside);
    CHECK(outside - start <= passed);
    CHECK_EQ(cpu.run->hypercall.args[1], 0x55);
    CHECK(vcpu_call(&cpu, read_counter) >= outside);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(read_cpucfg, "cpucfg $a0, $a0\n" CALL_USER);

TEST(cpucfg_is_what_user_space_sets)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    for (unsigned word = 0; word < 21; word++)
        CHECK_EQ((u32)vcpu_call(&cpu, read_cpucfg, word),
                 vcpu_get(&cpu, KVM_IOC_CPUCFG((u64)word)));
    u64 features = vcpu_get(&cpu, KVM_IOC_CPUCFG(2ULL));
    u64 without = features & ~(3ULL << 6); // LSX and LASX
    vcpu_set(&cpu, KVM_IOC_CPUCFG(2ULL), without);
    CHECK_EQ(vcpu_call(&cpu, read_cpucfg, 2), without);
    CHECK_EQ(vcpu_call(&cpu, read_cpucfg, CPUCFG_KVM_SIG) & 0xffffff, 'K' | 'V' << 8 | 'M' << 16);
    CHECK(vcpu_call(&cpu, read_cpucfg, CPUCFG_KVM_FEATURE) >> KVM_FEATURE_USER_HCALL & 1);
    CHECK_EQ(vcpu_call(&cpu, read_cpucfg, 0x1234), 0);
    vm_close_one(&vm, &cpu);
}

TEST(cpucfg_must_fit_the_host)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 features = vcpu_get(&cpu, KVM_IOC_CPUCFG(2ULL));
    CHECK_EQ(vcpu_try_set(&cpu, KVM_IOC_CPUCFG(2ULL), features | 1 << 10), -EINVAL); // LVZ
    CHECK_EQ(vcpu_try_set(&cpu, KVM_IOC_CPUCFG(2ULL), features & ~(1ULL << 14)), -EINVAL);
    CHECK_EQ(vcpu_try_set(&cpu, KVM_IOC_CPUCFG(2ULL), (features | 3 << 6) & ~(1ULL << 6)), -EINVAL);
    CHECK_EQ(vcpu_try_set(&cpu, KVM_IOC_CPUCFG(21ULL), 0), -EINVAL);
    CHECK_EQ(vcpu_try_set(&cpu, KVM_IOC_CPUCFG(7ULL), 1), -EINVAL);
    vm_close_one(&vm, &cpu);
}

TEST(registers_that_do_not_exist_are_refused)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 value;
    CHECK_EQ(vcpu_try_get(&cpu, KVM_IOC_CSRID(0x3fffULL), &value), -EINVAL);
    CHECK_EQ(vcpu_try_set(&cpu, KVM_IOC_CSRID(0x3fffULL), 0), -EINVAL);
    CHECK_EQ(vcpu_try_get(&cpu, KVM_REG_LOONGARCH_KVM | KVM_REG_SIZE_U64 | 9, &value), -EINVAL);
    CHECK_EQ(vcpu_try_get(&cpu, KVM_REG_LOONGARCH_FPSIMD | KVM_REG_SIZE_U64, &value), -EINVAL);
    CHECK_EQ(vcpu_try_get(&cpu, KVM_REG_LOONGARCH_GPR | KVM_REG_SIZE_U64, &value), -EINVAL);
    CHECK_EQ(vcpu_try_get(&cpu, KVM_REG_LOONGARCH_CSR | KVM_REG_SIZE_U32, &value), -EINVAL);
    CHECK_EQ(vcpu_try_get(&cpu, KVM_REG_LOONGARCH_LBT_SCR0, &value), -ENXIO); // no LBT here
    CHECK_EQ(vcpu_try_set(&cpu, KVM_REG_LOONGARCH_LBT_FTOP, 1), -ENXIO);
    CHECK_EQ(vcpu_get(&cpu, KVM_REG_LOONGARCH_DEBUG_INST), 0x2b8101);
    vm_close_one(&vm, &cpu);
}

TEST(calls_of_other_architectures_are_refused)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    struct kvm_enable_cap cap = {.cap = KVM_CAP_ONE_REG};
    struct kvm_translation translation = {.linear_address = VM_DATA};
    struct kvm_mp_state state = {.mp_state = KVM_MP_STATE_STOPPED};
    CHECK_EQ(kvm_call(cpu.fd, KVM_ENABLE_CAP, &cap), -EINVAL);
    CHECK_EQ(kvm_call(cpu.fd, KVM_TRANSLATE, &translation), -EINVAL);
    CHECK_EQ(kvm_call(cpu.fd, KVM_SET_MP_STATE, &state), -EINVAL);
    CHECK_EQ(kvm_call(cpu.fd, KVM_GET_MP_STATE, &state), 0);
    CHECK_EQ(state.mp_state, KVM_MP_STATE_RUNNABLE);
    CHECK_EQ(kvm_call(cpu.fd, KVM_SET_MP_STATE, &state), 0);
    vm_close_one(&vm, &cpu);
}

TEST(vm_features_are_those_of_the_processor)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 config;
    __asm__("cpucfg %0, %1" : "=r"(config) : "r"(2ULL));
    static const struct {
        u64 attribute;
        unsigned bit;
    } FEATURES[] = {{KVM_LOONGARCH_VM_FEAT_LSX, 6},     {KVM_LOONGARCH_VM_FEAT_LASX, 7},
                    {KVM_LOONGARCH_VM_FEAT_X86BT, 18},  {KVM_LOONGARCH_VM_FEAT_ARMBT, 19},
                    {KVM_LOONGARCH_VM_FEAT_MIPSBT, 20}, {KVM_LOONGARCH_VM_FEAT_PTW, 24}};
    for (unsigned i = 0; i < ARRAY_LEN(FEATURES); i++) {
        struct kvm_device_attr attr = {0, KVM_LOONGARCH_VM_FEAT_CTRL, FEATURES[i].attribute, 0};
        int wanted = config >> FEATURES[i].bit & 1 ? 0 : -ENXIO;
        if (!CHECK_EQ(kvm_call(vm.fd, KVM_HAS_DEVICE_ATTR, &attr), wanted))
            printf("# feature %llu\n", (unsigned long long)FEATURES[i].attribute);
    }
    struct kvm_device_attr steal = {0, KVM_LOONGARCH_VM_FEAT_CTRL,
                                    KVM_LOONGARCH_VM_FEAT_PV_STEALTIME, 0};
    CHECK_EQ(kvm_call(vm.fd, KVM_HAS_DEVICE_ATTR, &steal), 0);
    vm_close_one(&vm, &cpu);
}
