// SPDX-License-Identifier: Apache-2.0
// Floating-point and vector registers: one file in the processor, shared by the host's programs and
// every guest, which KVM gives to a guest when it first uses it. A pattern must be where it was
// put, and nowhere else.
#include "guest/kvm/vm.h"

enum { N_REGS = 32, LASX_BYTES = 32 };

#define FOR_ALL(insn, reg, step)                                                                  \
    ".irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30," \
    "31\n" insn " $" reg "\\r, $a0, \\r * " step "\n.endr\n"

// a0: where to load from; after the call a0: where to store to. a1 goes to EUEN.
GUEST_CODE(hold_fp,
           "csrwr $a1, " EUEN
           "\n" FOR_ALL("fld.d", "f", "8") "1:" CALL_USER FOR_ALL("fst.d", "f", "8") "b 1b\n");
GUEST_CODE(hold_lsx,
           "csrwr $a1, " EUEN
           "\n" FOR_ALL("vld", "vr", "16") "1:" CALL_USER FOR_ALL("vst", "vr", "16") "b 1b\n");
GUEST_CODE(hold_lasx,
           "csrwr $a1, " EUEN
           "\n" FOR_ALL("xvld", "xr", "32") "1:" CALL_USER FOR_ALL("xvst", "xr", "32") "b 1b\n");

static void host_load(const u8 *from)
{
    __asm__ volatile("move $a0, %0\n" FOR_ALL("xvld", "xr", "32")::"r"(from) : "$a0", "memory");
}

static void host_store(u8 *to)
{
    __asm__ volatile("move $a0, %0\n" FOR_ALL("xvst", "xr", "32")::"r"(to) : "$a0", "memory");
}

static void fill(u8 *bytes, size_t n, unsigned seed)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (u8)(seed * 37 + i * 11 + i / 256);
}

static u8 *guest_bytes(struct vm *vm, unsigned place)
{
    return vm->memory + VM_DATA + place * VM_PAGE;
}

// KVM_RUN with a pattern in the registers of this thread, which it must keep: nothing that the
// compiler writes stands between.
static void run_with_host_pattern(struct vcpu *cpu)
{
    static u8 before[N_REGS * LASX_BYTES] __attribute__((aligned(32)));
    static u8 after[N_REGS * LASX_BYTES] __attribute__((aligned(32)));
    fill(before, sizeof(before), 99);
    register long fd __asm__("$a0") = cpu->fd;
    register long request __asm__("$a1") = KVM_RUN;
    register long argument __asm__("$a2") = 0;
    register long number __asm__("$a7") = 29; // ioctl
    host_load(before);
    __asm__ volatile("move $a0, %1\nsyscall 0\n"
                     : "=r"(fd)
                     : "r"((long)cpu->fd), "r"(request), "r"(argument), "r"(number)
                     : "memory", "$t0", "$t1", "$t2", "$t3", "$t4", "$t5", "$t6", "$t7", "$t8");
    host_store(after);
    CHECK_EQ(fd, 0);
    CHECK_EQ(cpu->run->exit_reason, KVM_EXIT_HYPERCALL);
    CHECK(!memcmp(before, after, sizeof(before)));
}

static void check_kept(const u8 *code, const u8 *end, unsigned size)
{
    struct vm vm;
    struct vcpu cpu[2];
    if (!vm_open_one(&vm, &cpu[0]))
        return;
    REQUIRE(vcpu_open(&cpu[1], &vm, 1));
    for (unsigned n = 0; n < 2; n++) {
        fill(guest_bytes(&vm, n), N_REGS * size, n + 1);
        vcpu_start_code(&cpu[n], code, end, (u64[4]){VM_DATA + n * VM_PAGE, 7});
        run_with_host_pattern(&cpu[n]);
    }
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned n = 0; n < 2; n++) {
            memset(guest_bytes(&vm, 2 + n), 0, N_REGS * size);
            cpu[n].run->hypercall.ret = VM_DATA + (2 + n) * VM_PAGE;
            run_with_host_pattern(&cpu[n]);
            CHECK(!memcmp(guest_bytes(&vm, 2 + n), guest_bytes(&vm, n), N_REGS * size));
        }
    }
    vcpu_close(&cpu[1]);
    vm_close_one(&vm, &cpu[0]);
}

TEST(scalar_registers_survive_exits_other_vcpus_and_the_host)
{
    check_kept(hold_fp, hold_fp_end, 8);
}

TEST(lsx_registers_survive_exits_other_vcpus_and_the_host)
{
    check_kept(hold_lsx, hold_lsx_end, 16);
}

TEST(lasx_registers_survive_exits_other_vcpus_and_the_host)
{
    check_kept(hold_lasx, hold_lasx_end, 32);
}

// Scalar use first, then 128 bits, then 256: KVM loads the upper parts one after the other.
GUEST_CODE(widen, "csrwr $a1, " EUEN "\n" FOR_ALL("xvld", "xr", "32") CALL_USER
           "fst.d $f3, $a0, 0\n"
           "vst $vr3, $a0, 32\n"
           "xvst $xr3, $a0, 64\n" CALL_USER);

TEST(wider_parts_come_back_one_after_the_other)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u8 *from = guest_bytes(&vm, 0), *to = guest_bytes(&vm, 1);
    fill(from, N_REGS * LASX_BYTES, 5);
    vcpu_start(&cpu, widen, VM_DATA, 7);
    run_with_host_pattern(&cpu);
    cpu.run->hypercall.ret = VM_DATA + VM_PAGE;
    run_with_host_pattern(&cpu);
    CHECK(!memcmp(to, from + 96, 8));
    CHECK(!memcmp(to + 32, from + 96, 16));
    CHECK(!memcmp(to + 64, from + 96, 32));
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(hold_flags, "csrwr $a1, " EUEN "\n"
                       "movgr2fcsr $fcsr0, $a0\n"
                       "ori $t0, $zero, 1\nmovgr2cf $fcc1, $t0\nmovgr2cf $fcc6, $t0\n"
                       "movgr2cf $fcc0, $zero\n" CALL_USER "movfcsr2gr $a0, $fcsr0\n"
                       "movcf2gr $a1, $fcc1\nmovcf2gr $a2, $fcc6\nmovcf2gr $a3, $fcc0\n" CALL_USER);

TEST(fcsr_and_condition_flags_survive_exits)
{
    struct vm vm;
    struct vcpu cpu;
    struct kvm_fpu fpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vcpu_start(&cpu, hold_flags, 0x300, 7); // rounding mode 3, towards minus infinity
    run_with_host_pattern(&cpu);
    CHECK_EQ(kvm_call(cpu.fd, KVM_GET_FPU, &fpu), 0);
    CHECK_EQ(fpu.fcsr & 0x300, 0x300);
    CHECK_EQ(fpu.fcc, 1ULL << 8 | 1ULL << 48);
    run_with_host_pattern(&cpu);
    CHECK_EQ(cpu.run->hypercall.args[0] & 0x300, 0x300);
    CHECK_EQ(cpu.run->hypercall.args[1], 1);
    CHECK_EQ(cpu.run->hypercall.args[2], 1);
    CHECK_EQ(cpu.run->hypercall.args[3], 0);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(give_all, "csrwr $a1, " EUEN "\n" FOR_ALL("xvst", "xr", "32") FOR_ALL("xvld", "xr", "32")
                         CALL_USER);

TEST(user_space_sets_and_gets_the_registers)
{
    struct vm vm;
    struct vcpu cpu;
    struct kvm_fpu fpu = {.fcsr = 0x100, .fcc = 0x0001000000000100}, back = {0};
    if (!vm_open_one(&vm, &cpu))
        return;
    fill((u8 *)fpu.fpr, sizeof(fpu.fpr), 3);
    CHECK_EQ(kvm_call(cpu.fd, KVM_SET_FPU, &fpu), 0);
    vcpu_call(&cpu, give_all, VM_DATA, 7);
    CHECK_EQ(kvm_call(cpu.fd, KVM_GET_FPU, &back), 0);
    CHECK_EQ(back.fcsr, fpu.fcsr);
    CHECK_EQ(back.fcc, fpu.fcc);
    const u8 *guest = guest_bytes(&vm, 0), *set = (const u8 *)fpu.fpr, *got = (const u8 *)back.fpr;
    CHECK(!memcmp(guest, set, sizeof(fpu.fpr)));
    CHECK(!memcmp(got, set, sizeof(fpu.fpr)));
    vm_close_one(&vm, &cpu);
}
