// SPDX-License-Identifier: Apache-2.0
// The guest's timer: spinning, idle, periodic, across exits and while the vCPU does not run.
#include "guest/kvm/vm.h"

#include <unistd.h>

enum { TCFG_NUMBER = 0x41, TVAL_NUMBER = 0x42, TI = 1 << 11, EN = 1, PERIODIC = 2 };

// What a one-shot that has fired reads as, in the bits that the timer has.
static const u64 FIRED = (1ULL << 48) - 1;

static u64 microseconds(u64 n)
{
    return (counter_frequency() * n / 1000000) & ~3ULL;
}

// a0: TCFG. Spins until TI; says how long it took, TVAL and TCFG, and whether TICLR clears.
GUEST_CODE(one_shot, "rdtime.d $a1, $zero\ncsrwr $a0, " TCFG "\n"
                     "1: csrrd $t0, " ESTAT "\nsrli.d $t0, $t0, 11\nbeqz $t0, 1b\n"
                     "rdtime.d $a0, $zero\nsub.d $a0, $a0, $a1\n"
                     "csrrd $a1, " TVAL "\ncsrrd $a2, " TCFG "\n"
                     "ori $t0, $zero, 1\ncsrwr $t0, " TICLR "\n"
                     "csrrd $a3, " ESTAT "\ncsrrd $a4, " TVAL "\n" CALL_USER);

TEST(a_one_shot_fires_once)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    for (unsigned i = 0; i < 5; i++) {
        u64 ticks = microseconds(200u << (2 * i));
        CHECK(vcpu_call(&cpu, one_shot, ticks | EN) >= ticks);
        CHECK_EQ(cpu.run->hypercall.args[1] & FIRED, FIRED);
        CHECK_EQ(cpu.run->hypercall.args[2], ticks | EN);
        CHECK_EQ(cpu.run->hypercall.args[3], 0);
        CHECK_EQ(cpu.run->hypercall.args[4] & FIRED, FIRED);
    }
    vm_close_one(&vm, &cpu);
}

// a0: TCFG, a1: how often. Arms a one-shot and is idle until it fired; a0: how often it did.
GUEST_CODE(sleep_often, "ori $t0, $zero, 0x800\ncsrwr $t0, " ECFG "\n"
                        "move $s0, $zero\n"
                        "1: move $t0, $a0\ncsrwr $t0, " TCFG "\n"
                        "2: idle 0\ncsrrd $t0, " ESTAT "\nsrli.d $t0, $t0, 11\nbeqz $t0, 2b\n"
                        "ori $t0, $zero, 1\ncsrwr $t0, " TICLR "\n"
                        "addi.d $s0, $s0, 1\nbne $s0, $a1, 1b\nmove $a0, $s0\n" CALL_USER);

TEST(an_idle_guest_is_woken_by_every_one_shot)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 start = counter_read();
    CHECK_EQ(vcpu_call(&cpu, sleep_often, microseconds(500) | EN, 200), 200);
    CHECK(counter_read() - start >= 200 * microseconds(500));
    // So short that it is due before the guest sleeps.
    CHECK_EQ(vcpu_call(&cpu, sleep_often, 4 | EN, 1000), 1000);
    CHECK_EQ(vcpu_call(&cpu, sleep_often, microseconds(20) | EN, 500), 500);
    vm_close_one(&vm, &cpu);
}

// a0: vectors, a1: TCFG, a2: how many ticks. s0 counts them.
#define WITH_TICKS                                                        \
    "csrwr $a0, " EENTRY "\nori $t0, $zero, 0x800\ncsrwr $t0, " ECFG "\n" \
    "csrwr $a1, " TCFG "\nori $t0, $zero, 4\ncsrxchg $t0, $t0, " CRMD "\n"
GUEST_CODE(tick, "addi.d $s0, $s0, 1\nori $t8, $zero, 1\ncsrwr $t8, " TICLR "\nertn\n");
GUEST_CODE(spin_for_ticks, WITH_TICKS "1: bltu $s0, $a2, 1b\nmove $a0, $s0\n" CALL_USER);
GUEST_CODE(idle_for_ticks, WITH_TICKS "1: idle 0\nbltu $s0, $a2, 1b\nmove $a0, $s0\n" CALL_USER);

static void check_ticks(const u8 *code, const u8 *end)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vm_put(&vm, VM_VECTORS, tick, tick_end);
    u64 start = counter_read();
    vcpu_start_code(&cpu, code, end, (u64[4]){VM_VECTORS, microseconds(1000) | EN | PERIODIC, 100});
    CHECK_EQ(vcpu_run_to_call(&cpu), 100);
    CHECK(counter_read() - start >= 99 * microseconds(1000));
    vm_close_one(&vm, &cpu);
}

TEST(a_periodic_timer_interrupts_a_busy_guest)
{
    check_ticks(spin_for_ticks, spin_for_ticks_end);
}

TEST(a_periodic_timer_interrupts_an_idle_guest)
{
    check_ticks(idle_for_ticks, idle_for_ticks_end);
}

// Arms, then calls user space; afterwards ESTAT and TVAL.
GUEST_CODE(arm_and_leave, "csrwr $a0, " TCFG "\n" CALL_USER "csrrd $a0, " ESTAT "\ncsrrd $a1, " TVAL
                          "\n" CALL_USER);

TEST(the_timer_goes_on_while_the_vcpu_does_not_run)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 second = counter_frequency() & ~3ULL;
    vcpu_call(&cpu, arm_and_leave, 1000 * second | EN);
    u64 left = vcpu_get_csr(&cpu, TVAL_NUMBER);
    CHECK(left <= 1000 * second && left > 900 * second);
    usleep(30000);
    vcpu_run_to_call(&cpu);
    CHECK_EQ(cpu.run->hypercall.args[0], 0);
    CHECK(cpu.run->hypercall.args[1] <= 1000 * second - microseconds(30000));

    vcpu_call(&cpu, arm_and_leave, microseconds(5000) | EN);
    usleep(30000);
    vcpu_run_to_call(&cpu);
    CHECK_EQ(cpu.run->hypercall.args[0], TI);
    CHECK_EQ(cpu.run->hypercall.args[1] & FIRED, FIRED);
    vcpu_set_csr(&cpu, TCFG_NUMBER, 0);
    vcpu_set_csr(&cpu, 5, 0);

    vcpu_call(&cpu, arm_and_leave, microseconds(5000) | EN | PERIODIC);
    usleep(30000);
    vcpu_run_to_call(&cpu);
    CHECK_EQ(cpu.run->hypercall.args[0], TI);
    CHECK(cpu.run->hypercall.args[1] <= microseconds(5000));
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(read_timer,
           "csrrd $a0, " TVAL "\ncsrrd $a1, " TCFG "\ncsrrd $a2, " ESTAT "\n" CALL_USER);

// KVM remembers a deadline besides the registers. User space cannot set it, so that a timer which
// it switches on is due at once, whatever TVAL says; one that is off keeps what TVAL says.
TEST(user_space_sets_the_timer)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 second = counter_frequency() & ~3ULL;
    vcpu_set_csr(&cpu, TCFG_NUMBER, 100 * second);
    vcpu_set_csr(&cpu, TVAL_NUMBER, 50 * second);
    CHECK_EQ(vcpu_call(&cpu, read_timer), 50 * second);
    CHECK_EQ(cpu.run->hypercall.args[1], 100 * second);
    CHECK_EQ(cpu.run->hypercall.args[2], 0);
    vcpu_set_csr(&cpu, TCFG_NUMBER, 100 * second | EN);
    CHECK_EQ(vcpu_call(&cpu, read_timer) & FIRED, FIRED);
    CHECK_EQ(cpu.run->hypercall.args[1], 100 * second | EN);
    CHECK_EQ(cpu.run->hypercall.args[2], TI);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(count_time, "rdtime.d $s0, $zero\nrdtime.d $t2, $zero\n"
                       "1: move $t1, $t2\nrdtime.d $t2, $zero\nbltu $t2, $t1, 2f\n"
                       "addi.d $a0, $a0, -1\nbnez $a0, 1b\n"
                       "sub.d $a0, $t2, $s0\n" CALL_USER "2: move $a0, $zero\n" CALL_USER);

TEST(time_never_goes_back)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    u64 start = counter_read(), guest = vcpu_call(&cpu, count_time, 100000);
    CHECK(guest > 0 && guest <= counter_read() - start);
    vm_close_one(&vm, &cpu);
}
