// SPDX-License-Identifier: Apache-2.0
// What leaves the guest for user space: MMIO by every instruction that KVM decodes, IOCSR,
// hypercalls, breakpoints; and what must not leave it.
#include "guest/kvm/vm.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static const u64 VALUE = 0x8182838485868788;

// a0: address, a1: index. Each load is answered by user space.
GUEST_CODE(every_load, "ld.b $s0, $a0, 0\n"
                       "ld.bu $s1, $a0, 1\n"
                       "ld.h $s2, $a0, 2\n"
                       "ld.hu $s3, $a0, 4\n"
                       "ld.w $s4, $a0, 8\n"
                       "ld.wu $s5, $a0, 12\n"
                       "ld.d $s6, $a0, 16\n"
                       "ldptr.w $s7, $a0, 24\n"
                       "ldptr.d $s8, $a0, 32\n"
                       "ldx.b $t0, $a0, $a1\n"
                       "ldx.bu $t1, $a0, $a1\n"
                       "ldx.h $t2, $a0, $a1\n"
                       "ldx.hu $t3, $a0, $a1\n"
                       "ldx.w $t4, $a0, $a1\n"
                       "ldx.wu $t5, $a0, $a1\n"
                       "ldx.d $t6, $a0, $a1\n" CALL_USER);

TEST(every_load_form_reads_mmio)
{
    static const struct {
        unsigned offset, size, reg;
        u64 wanted;
    } LOADS[] = {
        {0, 1, 23, (u64)(s8)0x88},
        {1, 1, 24, 0x88},
        {2, 2, 25, (u64)(s16)0x8788},
        {4, 2, 26, 0x8788},
        {8, 4, 27, (u64)(s32)0x85868788},
        {12, 4, 28, 0x85868788},
        {16, 8, 29, VALUE},
        {24, 4, 30, (u64)(s32)0x85868788},
        {32, 8, 31, VALUE},
        {64, 1, 12, (u64)(s8)0x88},
        {64, 1, 13, 0x88},
        {64, 2, 14, (u64)(s16)0x8788},
        {64, 2, 15, 0x8788},
        {64, 4, 16, (u64)(s32)0x85868788},
        {64, 4, 17, 0x85868788},
        {64, 8, 18, VALUE},
    };
    struct vm vm;
    struct vcpu cpu;
    struct kvm_regs regs;
    if (!vm_open_one(&vm, &cpu))
        return;
    vcpu_start(&cpu, every_load, VM_NOTHING, 64);
    for (unsigned i = 0; i < ARRAY_LEN(LOADS); i++) {
        CHECK_EQ(vcpu_run(&cpu), KVM_EXIT_MMIO);
        CHECK_EQ(cpu.run->mmio.phys_addr, VM_NOTHING + LOADS[i].offset);
        CHECK_EQ(cpu.run->mmio.len, LOADS[i].size);
        CHECK_EQ(cpu.run->mmio.is_write, 0);
        memcpy(cpu.run->mmio.data, &VALUE, sizeof(VALUE));
    }
    vcpu_run_to_call(&cpu);
    CHECK_EQ(kvm_call(cpu.fd, KVM_GET_REGS, &regs), 0);
    for (unsigned i = 0; i < ARRAY_LEN(LOADS); i++)
        if (!CHECK_EQ(regs.gpr[LOADS[i].reg], LOADS[i].wanted))
            printf("# load %u\n", i);
    vm_close_one(&vm, &cpu);
}

// a0: address, a1: index, a2: value.
GUEST_CODE(every_store, "st.b $a2, $a0, 0\n"
                        "st.h $a2, $a0, 2\n"
                        "st.w $a2, $a0, 4\n"
                        "st.d $a2, $a0, 8\n"
                        "stptr.w $a2, $a0, 16\n"
                        "stptr.d $a2, $a0, 24\n"
                        "stx.b $a2, $a0, $a1\n"
                        "stx.h $a2, $a0, $a1\n"
                        "stx.w $a2, $a0, $a1\n"
                        "stx.d $a2, $a0, $a1\n" CALL_USER);

TEST(every_store_form_writes_mmio)
{
    static const struct {
        unsigned offset, size;
    } STORES[] = {{0, 1},  {2, 2},  {4, 4},  {8, 8},  {16, 4},
                  {24, 8}, {64, 1}, {64, 2}, {64, 4}, {64, 8}};
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vcpu_start(&cpu, every_store, VM_NOTHING, 64, VALUE);
    for (unsigned i = 0; i < ARRAY_LEN(STORES); i++) {
        CHECK_EQ(vcpu_run(&cpu), KVM_EXIT_MMIO);
        CHECK_EQ(cpu.run->mmio.phys_addr, VM_NOTHING + STORES[i].offset);
        CHECK_EQ(cpu.run->mmio.len, STORES[i].size);
        CHECK_EQ(cpu.run->mmio.is_write, 1);
        CHECK(!memcmp(cpu.run->mmio.data, &VALUE, STORES[i].size));
    }
    vcpu_run_to_call(&cpu);
    vm_close_one(&vm, &cpu);
}

// a0: vectors, a1: address. Enables the exceptions' vectors and goes wrong.
#define WITH_VECTORS "csrwr $a0, " EENTRY "\nli.d $t0, 0x70000\ncsrwr $t0, " ECFG "\n"
GUEST_CODE(fp_on_nothing, WITH_VECTORS "ori $t0, $zero, 1\ncsrwr $t0, " EUEN "\n"
                                       "fld.d $fa0, $a1, 0\n");
GUEST_CODE(atomic_on_nothing, WITH_VECTORS "amadd_db.d $t0, $t1, $a1\n");
GUEST_CODE(jump_to_nothing, WITH_VECTORS "jr $a1\n");

static void check_address_error(const u8 *code, const u8 *end)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vm_put_vectors(&vm);
    vcpu_start_code(&cpu, code, end, (u64[4]){VM_VECTORS, VM_NOTHING});
    vcpu_run_to_call(&cpu);
    CHECK_EQ(cpu.run->hypercall.args[4], 8); // ADE
    CHECK_EQ(cpu.run->hypercall.args[2], VM_NOTHING);
    vm_close_one(&vm, &cpu);
}

TEST(other_accesses_to_no_memory_are_the_guests_address_errors)
{
    check_address_error(fp_on_nothing, fp_on_nothing_end);
    check_address_error(atomic_on_nothing, atomic_on_nothing_end);
    check_address_error(jump_to_nothing, jump_to_nothing_end);
}

GUEST_CODE(every_iocsr, "iocsrrd.b $s0, $a0\n"
                        "iocsrrd.h $s1, $a0\n"
                        "iocsrrd.w $s2, $a0\n"
                        "iocsrrd.d $s3, $a0\n"
                        "iocsrwr.b $a1, $a0\n"
                        "iocsrwr.h $a1, $a0\n"
                        "iocsrwr.w $a1, $a0\n"
                        "iocsrwr.d $a1, $a0\n" CALL_USER);

TEST(iocsr_reaches_user_space_in_every_size)
{
    static const u64 WANTED[] = {(u64)(s8)0x88, (u64)(s16)0x8788, (u64)(s32)0x85868788, VALUE};
    struct vm vm;
    struct vcpu cpu;
    struct kvm_regs regs;
    if (!vm_open_one(&vm, &cpu))
        return;
    vcpu_start(&cpu, every_iocsr, 0x8, VALUE);
    for (unsigned i = 0; i < 8; i++) {
        CHECK_EQ(vcpu_run(&cpu), KVM_EXIT_LOONGARCH_IOCSR);
        CHECK_EQ(cpu.run->iocsr_io.phys_addr, 0x8);
        CHECK_EQ(cpu.run->iocsr_io.len, 1u << i % 4);
        CHECK_EQ(cpu.run->iocsr_io.is_write, i >= 4);
        if (i >= 4)
            CHECK(!memcmp(cpu.run->iocsr_io.data, &VALUE, 1u << i % 4));
        else
            memcpy(cpu.run->iocsr_io.data, &VALUE, sizeof(VALUE));
    }
    vcpu_run_to_call(&cpu);
    CHECK_EQ(kvm_call(cpu.fd, KVM_GET_REGS, &regs), 0);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(regs.gpr[23 + i], WANTED[i]);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(call_with_arguments, "ori $a1, $zero, 1\nori $a2, $zero, 2\nori $a3, $zero, 3\n"
                                "ori $a4, $zero, 4\nori $a5, $zero, 5\n" CALL_USER CALL_USER);

TEST(hypercalls_carry_six_arguments_and_a_result)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    CHECK_EQ(vcpu_call(&cpu, call_with_arguments, 77), 77);
    for (unsigned i = 1; i < 6; i++)
        CHECK_EQ(cpu.run->hypercall.args[i], i);
    cpu.run->hypercall.ret = VALUE;
    CHECK_EQ(vcpu_run_to_call(&cpu), VALUE);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(call_unknown, "hvcl 0x1ff\nmove $a1, $a0\nori $a0, $zero, 99\nhvcl 0x100\n" CALL_USER);

TEST(unknown_hypercalls_are_refused_in_the_guest)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    CHECK_EQ(vcpu_call(&cpu, call_unknown), ~0ULL);
    CHECK_EQ(cpu.run->hypercall.args[1], ~0ULL);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(breakpoint, "ori $a0, $zero, 1\nhvcl 0x101\nori $a0, $zero, 2\n" CALL_USER);

TEST(software_breakpoints_stop_for_the_debugger)
{
    struct vm vm;
    struct vcpu cpu;
    struct kvm_regs regs;
    struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP};
    if (!vm_open_one(&vm, &cpu))
        return;
    CHECK_EQ(kvm_call(cpu.fd, KVM_SET_GUEST_DEBUG, &debug), 0);
    vcpu_start(&cpu, breakpoint);
    CHECK_EQ(vcpu_run(&cpu), KVM_EXIT_DEBUG);
    CHECK_EQ(kvm_call(cpu.fd, KVM_GET_REGS, &regs), 0);
    CHECK_EQ(regs.pc, VM_CODE + 4);
    CHECK_EQ(regs.gpr[4], 1);
    regs.pc += 4;
    CHECK_EQ(kvm_call(cpu.fd, KVM_SET_REGS, &regs), 0);
    CHECK_EQ(vcpu_run_to_call(&cpu), 2);
    vm_close_one(&vm, &cpu);
}

// a0: vectors, a1: an address that is not aligned to 8.
GUEST_CODE(go_break, WITH_VECTORS "break 5\n");
GUEST_CODE(go_syscall, WITH_VECTORS "syscall 5\n");
GUEST_CODE(go_undefined, WITH_VECTORS ".word 0\n");
GUEST_CODE(go_unaligned, WITH_VECTORS "ll.d $t0, $a1, 0\n");
GUEST_CODE(go_fp_off, WITH_VECTORS "csrwr $zero, " EUEN "\nfadd.d $fa0, $fa0, $fa0\n");
GUEST_CODE(go_lsx_off, WITH_VECTORS "csrwr $zero, " EUEN "\nvadd.d $vr0, $vr0, $vr0\n");
GUEST_CODE(go_lasx_off, WITH_VECTORS "csrwr $zero, " EUEN "\nxvadd.d $xr0, $xr0, $xr0\n");

TEST(the_guests_exceptions_stay_in_the_guest)
{
    static const struct {
        const u8 *code, *end;
        unsigned exception;
    } WRONG[] = {
        {go_break, go_break_end, 0xc},         {go_syscall, go_syscall_end, 0xb},
        {go_undefined, go_undefined_end, 0xd}, {go_unaligned, go_unaligned_end, 0x9},
        {go_fp_off, go_fp_off_end, 0xf},       {go_lsx_off, go_lsx_off_end, 0x10},
        {go_lasx_off, go_lasx_off_end, 0x11},
    };
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vm_put_vectors(&vm);
    for (unsigned i = 0; i < ARRAY_LEN(WRONG); i++) {
        vcpu_start_code(&cpu, WRONG[i].code, WRONG[i].end, (u64[4]){VM_VECTORS, VM_DATA + 1});
        vcpu_run_to_call(&cpu);
        CHECK_EQ(cpu.run->hypercall.args[4], WRONG[i].exception);
        CHECK_EQ(cpu.run->hypercall.args[0] >> 16, WRONG[i].exception);
        CHECK_EQ(cpu.run->hypercall.args[1], VM_CODE + (WRONG[i].end - WRONG[i].code) - 4);
    }
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(use_every_trapped_csr, "csrwr $a0, 0x80\n" // IMPCTL1
                                  "csrrd $a1, 0x80\n"
                                  "csrrd $a2, 0xc0\n"
                                  "csrwr $a3, 0x81\n"
                                  "cacop 0x8, $a4, 0\n"
                                  "csrrd $a3, 0x301\n"
                                  "csrrd $a4, 0x3ff\n" CALL_USER);

TEST(trapped_registers_and_cache_instructions_are_answered)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vcpu_call(&cpu, use_every_trapped_csr, VALUE, 1, 2, 3);
    CHECK_EQ(cpu.run->hypercall.args[1], VALUE);
    CHECK_EQ(cpu.run->hypercall.args[4], 0);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(spin, "1: addi.d $a0, $a0, 1\nb 1b\n");

static void *interrupt_later(void *thread)
{
    usleep(50000);
    pthread_kill(*(pthread_t *)thread, SIGUSR2);
    return NULL;
}

TEST(signals_end_a_run_of_a_busy_guest)
{
    struct vm vm;
    struct vcpu cpu;
    pthread_t self = pthread_self(), other;
    struct kvm_regs regs;
    if (!vm_open_one(&vm, &cpu))
        return;
    vcpu_start(&cpu, spin);
    cpu.run->immediate_exit = 1;
    CHECK_EQ(vcpu_run(&cpu), -EINTR);
    CHECK_EQ(kvm_call(cpu.fd, KVM_GET_REGS, &regs), 0);
    CHECK_EQ(regs.gpr[4], 0);
    cpu.run->immediate_exit = 0;
    for (unsigned i = 0; i < 5; i++) {
        u64 before = regs.gpr[4], start = counter_read();
        pthread_create(&other, NULL, interrupt_later, &self);
        CHECK_EQ(vcpu_run(&cpu), -EINTR);
        CHECK(counter_read() - start < 20 * counter_frequency());
        pthread_join(other, NULL);
        CHECK_EQ(kvm_call(cpu.fd, KVM_GET_REGS, &regs), 0);
        CHECK(regs.gpr[4] > before);
    }
    vm_close_one(&vm, &cpu);
}
