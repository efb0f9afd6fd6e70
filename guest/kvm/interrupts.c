// SPDX-License-Identifier: Apache-2.0
// Interrupts: KVM_INTERRUPT, the interrupt controllers in the kernel, and an idle guest.
#include "guest/kvm/vm.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { N_LINES = 13, LINE_PMI = 10, LINE_TI = 11, LINE_IPI = 12 };

static int interrupt(struct vcpu *cpu, int line)
{
    struct kvm_interrupt irq = {.irq = (u32)line};
    return kvm_call(cpu->fd, KVM_INTERRUPT, &irq);
}

GUEST_CODE(read_estat, "csrrd $a0, " ESTAT "\n" CALL_USER);

TEST(interrupts_are_pending_until_cleared)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    CHECK_EQ(interrupt(&cpu, 0), -EINVAL);
    for (int line = 1; line < N_LINES; line++) {
        if (line == LINE_PMI)
            continue;
        CHECK_EQ(interrupt(&cpu, line), 0);
        CHECK_EQ(vcpu_call(&cpu, read_estat), 1u << line);
        CHECK_EQ(vcpu_call(&cpu, read_estat), 1u << line);
        CHECK_EQ(vcpu_get_csr(&cpu, 5), 1u << line);
        CHECK_EQ(interrupt(&cpu, -line), 0);
        CHECK_EQ(vcpu_call(&cpu, read_estat), 0);
    }
    vm_close_one(&vm, &cpu);
}

// Vectors in a0, lines in a1: interrupts on, and wait. s0 tells that it goes round.
GUEST_CODE(wait_busy, "csrwr $a0, " EENTRY "\nli.d $t0, 0x70000\nor $t0, $t0, $a1\n"
                      "csrwr $t0, " ECFG "\n"
                      "ori $t0, $zero, 4\ncsrxchg $t0, $t0, " CRMD "\n"
                      "1: addi.d $s0, $s0, 1\nb 1b\n");
GUEST_CODE(wait_idle, "csrwr $a0, " EENTRY "\nli.d $t0, 0x70000\nor $t0, $t0, $a1\n"
                      "csrwr $t0, " ECFG "\n"
                      "ori $t0, $zero, 4\ncsrxchg $t0, $t0, " CRMD "\n"
                      "1: idle 0\nb 1b\n");

struct later {
    struct vcpu *cpu;
    int line;
};

static void *interrupt_later(void *argument)
{
    struct later *later = argument;
    usleep(20000);
    CHECK_EQ(interrupt(later->cpu, later->line), 0);
    return NULL;
}

static void check_interrupted(const u8 *code, const u8 *end)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vm_put_vectors(&vm);
    for (int line = 1; line < N_LINES; line++) {
        if (line == LINE_PMI)
            continue;
        struct later later = {&cpu, line};
        pthread_t thread;
        vcpu_start_code(&cpu, code, end, (u64[4]){VM_VECTORS, 1u << line});
        pthread_create(&thread, NULL, interrupt_later, &later);
        vcpu_run_to_call(&cpu);
        pthread_join(thread, NULL);
        CHECK_EQ(cpu.run->hypercall.args[4], 64 + line);
        CHECK_EQ(cpu.run->hypercall.args[0], 1u << line);
        CHECK_EQ(interrupt(&cpu, -line), 0);
    }
    vm_close_one(&vm, &cpu);
}

TEST(a_busy_guest_is_interrupted)
{
    check_interrupted(wait_busy, wait_busy_end);
}

TEST(an_idle_guest_wakes)
{
    check_interrupted(wait_idle, wait_idle_end);
}

TEST(software_interrupts_of_the_guest_itself)
{
    struct vm vm;
    struct vcpu cpu;
    if (!vm_open_one(&vm, &cpu))
        return;
    vm_put_vectors(&vm);
    for (unsigned line = 0; line < 2; line++) {
        vcpu_set_csr(&cpu, 5, 1u << line);
        vcpu_call(&cpu, wait_busy, VM_VECTORS, 3);
        CHECK_EQ(cpu.run->hypercall.args[4], 64 + line);
    }
    vm_close_one(&vm, &cpu);
}

// ---- Controllers in the kernel ----

enum { PCH_PIC = 0x10000000, N_VECTORS = 256, IOCSR_IPI = 0x1000, IOCSR_EIOINTC = 0x1400 };

static int make_device(struct vm *vm, u32 type)
{
    struct kvm_create_device device = {.type = type};
    CHECK_EQ(kvm_call(vm->fd, KVM_CREATE_DEVICE, &device), 0);
    return (int)device.fd;
}

static void set_attribute(int fd, u32 group, u64 number, const void *value)
{
    struct kvm_device_attr attr = {0, group, number, (uintptr_t)value};
    CHECK_EQ(kvm_call(fd, KVM_SET_DEVICE_ATTR, &attr), 0);
}

struct controllers {
    int ipi, eiointc, pch_pic;
};

static void controllers_open(struct controllers *c, struct vm *vm, u32 n_cpus)
{
    u32 features = 0;
    u64 base = PCH_PIC;
    c->ipi = make_device(vm, KVM_DEV_TYPE_LOONGARCH_IPI);
    c->eiointc = make_device(vm, KVM_DEV_TYPE_LOONGARCH_EIOINTC);
    set_attribute(c->eiointc, KVM_DEV_LOONGARCH_EXTIOI_GRP_CTRL,
                  KVM_DEV_LOONGARCH_EXTIOI_CTRL_INIT_NUM_CPU, &n_cpus);
    set_attribute(c->eiointc, KVM_DEV_LOONGARCH_EXTIOI_GRP_CTRL,
                  KVM_DEV_LOONGARCH_EXTIOI_CTRL_INIT_FEATURE, &features);
    c->pch_pic = make_device(vm, KVM_DEV_TYPE_LOONGARCH_PCHPIC);
    set_attribute(c->pch_pic, KVM_DEV_LOONGARCH_PCH_PIC_GRP_CTRL,
                  KVM_DEV_LOONGARCH_PCH_PIC_CTRL_INIT, &base);
}

static void controllers_close(struct controllers *c)
{
    close(c->ipi);
    close(c->eiointc);
    close(c->pch_pic);
}

// To core a1: enables all of its own IPIs, sends number a2 and waits for the line.
GUEST_CODE(send_ipi, "li.w $t0, 0x1004\naddi.w $t1, $zero, -1\niocsrwr.w $t1, $t0\n"
                     "slli.w $a1, $a1, 16\nor $a1, $a1, $a2\nli.w $t0, 0x1040\niocsrwr.w $a1, $t0\n"
                     "1: csrrd $a0, " ESTAT "\nbeqz $a0, 1b\n"
                     "li.w $t0, 0x1000\niocsrrd.w $a1, $t0\n"
                     "li.w $t0, 0x100c\niocsrwr.w $a1, $t0\n"
                     "csrrd $a2, " ESTAT "\n" CALL_USER);

TEST(the_ipi_device_signals_the_core)
{
    struct vm vm;
    struct vcpu cpu;
    struct controllers devices;
    if (!vm_open_one(&vm, &cpu))
        return;
    controllers_open(&devices, &vm, 1);
    for (unsigned number = 0; number < 32; number += 7) {
        CHECK_EQ(vcpu_call(&cpu, send_ipi, 0, 0, number), 1u << LINE_IPI);
        CHECK_EQ((u32)cpu.run->hypercall.args[1], 1u << number);
        CHECK_EQ(cpu.run->hypercall.args[2], 0);
    }
    controllers_close(&devices);
    vm_close_one(&vm, &cpu);
}

// Enables all vectors, routes groups to HWI1 (a0: value of the map) of core 0, then waits for
// a line; says line, pending words 0..3 and clears them.
GUEST_CODE(take_external, "li.w $t0, 0x14c0\niocsrwr.d $a0, $t0\n"
                          "addi.w $t1, $zero, -1\n"
                          "li.w $t0, 0x1600\niocsrwr.d $t1, $t0\n"
                          "li.w $t0, 0x1608\niocsrwr.d $t1, $t0\n"
                          "li.w $t0, 0x1610\niocsrwr.d $t1, $t0\n"
                          "li.w $t0, 0x1618\niocsrwr.d $t1, $t0\n"
                          "ori $a0, $zero, 0\n" CALL_USER "1: csrrd $a0, " ESTAT "\nbeqz $a0, 1b\n"
                          "li.w $t0, 0x1800\niocsrrd.d $a1, $t0\niocsrwr.d $a1, $t0\n"
                          "li.w $t0, 0x1808\niocsrrd.d $a2, $t0\niocsrwr.d $a2, $t0\n"
                          "li.w $t0, 0x1810\niocsrrd.d $a3, $t0\niocsrwr.d $a3, $t0\n"
                          "li.w $t0, 0x1818\niocsrrd.d $a4, $t0\niocsrwr.d $a4, $t0\n"
                          "csrrd $a5, " ESTAT "\n" CALL_USER);

TEST(messages_reach_the_core_through_the_eiointc)
{
    struct vm vm;
    struct vcpu cpu;
    struct controllers devices;
    if (!vm_open_one(&vm, &cpu))
        return;
    controllers_open(&devices, &vm, 1);
    for (unsigned vector = 0; vector < N_VECTORS; vector += 37) {
        struct kvm_msi message = {.data = vector};
        vcpu_call(&cpu, take_external, 0x0202020202020202);
        CHECK(kvm_call(vm.fd, KVM_SIGNAL_MSI, &message) >= 0);
        CHECK_EQ(vcpu_run_to_call(&cpu), 1u << 3); // HWI1
        for (unsigned i = 0; i < 4; i++)
            CHECK_EQ(cpu.run->hypercall.args[1 + i], vector / 64 == i ? 1ULL << vector % 64 : 0);
        CHECK_EQ(cpu.run->hypercall.args[5], 0);
    }
    controllers_close(&devices);
    vm_close_one(&vm, &cpu);
}

// Pin a1 of the PCH PIC at a0: vector equal to the pin, unmasked, level.
GUEST_CODE(open_pin,
           "add.d $t0, $a0, $a1\nst.b $a1, $t0, 0x200\n"
           "addi.w $t1, $zero, -1\nld.d $t2, $a0, 0x20\n"
           "ori $t3, $zero, 1\nsll.d $t3, $t3, $a1\nandn $t2, $t2, $t3\nst.d $t2, $a0, 0x20\n"
           "ld.d $a0, $a0, 0x20\n" CALL_USER);

TEST(wires_reach_the_core_through_the_pch_pic)
{
    struct vm vm;
    struct vcpu cpu;
    struct controllers devices;
    if (!vm_open_one(&vm, &cpu))
        return;
    controllers_open(&devices, &vm, 1);
    for (unsigned pin = 2; pin < 64; pin += 19) {
        struct kvm_irq_level level = {.irq = pin, .level = 1};
        CHECK_EQ(vcpu_call(&cpu, open_pin, PCH_PIC, pin) >> pin & 1, 0);
        vcpu_call(&cpu, take_external, 0x0202020202020202);
        CHECK_EQ(kvm_call(vm.fd, KVM_IRQ_LINE, &level), 0);
        CHECK_EQ(vcpu_run_to_call(&cpu), 1u << 3);
        CHECK_EQ(cpu.run->hypercall.args[1], 1ULL << pin);
        level.level = 0;
        CHECK_EQ(kvm_call(vm.fd, KVM_IRQ_LINE, &level), 0);
    }
    controllers_close(&devices);
    vm_close_one(&vm, &cpu);
}

GUEST_CODE(store_at, "st.w $a1, $a0, 0\n" CALL_USER);

TEST(event_descriptors_go_both_ways)
{
    struct vm vm;
    struct vcpu cpu;
    struct controllers devices;
    enum { PIN = 5 };
    if (!vm_open_one(&vm, &cpu))
        return;
    controllers_open(&devices, &vm, 1);
    int in = eventfd(0, 0), out = eventfd(0, 0);
    struct kvm_irqfd irq = {.fd = (u32)in, .gsi = PIN};
    CHECK_EQ(kvm_call(vm.fd, KVM_IRQFD, &irq), 0);
    CHECK_EQ(vcpu_call(&cpu, open_pin, PCH_PIC, PIN) >> PIN & 1, 0);
    vcpu_call(&cpu, take_external, 0x0202020202020202);
    CHECK_EQ(eventfd_write(in, 1), 0);
    CHECK_EQ(vcpu_run_to_call(&cpu), 1u << 3);

    u64 address = 0x20000000;
    eventfd_t count = 0;
    struct kvm_ioeventfd io = {.addr = address, .len = 4, .fd = out};
    CHECK_EQ(kvm_call(vm.fd, KVM_IOEVENTFD, &io), 0);
    for (unsigned i = 0; i < 3; i++)
        vcpu_call(&cpu, store_at, address, i);
    CHECK_EQ(eventfd_read(out, &count), 0);
    CHECK_EQ(count, 3);
    close(in);
    close(out);
    controllers_close(&devices);
    vm_close_one(&vm, &cpu);
}

TEST(controllers_are_made_once_and_of_known_types)
{
    struct kvm_create_device device = {.type = KVM_DEV_TYPE_LOONGARCH_EIOINTC,
                                       .flags = KVM_CREATE_DEVICE_TEST};
    struct vm vm;
    struct vcpu cpu;
    struct controllers devices;
    if (!vm_open_one(&vm, &cpu))
        return;
    CHECK_EQ(kvm_call(vm.fd, KVM_CREATE_DEVICE, &device), 0);
    controllers_open(&devices, &vm, 1);
    device.flags = 0;
    CHECK(kvm_call(vm.fd, KVM_CREATE_DEVICE, &device) < 0);
    device.type = 0x7fff;
    CHECK_EQ(kvm_call(vm.fd, KVM_CREATE_DEVICE, &device), -ENODEV);
    struct kvm_device_attr unknown = {0, 0x1234, 0, 0};
    CHECK(kvm_call(devices.pch_pic, KVM_SET_DEVICE_ATTR, &unknown) < 0);
    controllers_close(&devices);
    vm_close_one(&vm, &cpu);
}

static u64 get_attribute(int fd, u32 group, u64 number)
{
    u64 value = 0;
    struct kvm_device_attr attr = {0, group, number, (uintptr_t)&value};
    CHECK_EQ(kvm_call(fd, KVM_GET_DEVICE_ATTR, &attr), 0);
    return value;
}

// What the guest reads of each, then what it writes: a1, a2, and a3 to the PCH PIC at a0.
GUEST_CODE(swap_controllers, "move $s0, $a0\n"
                             "li.w $t0, 0x1004\niocsrrd.w $a4, $t0\niocsrwr.w $a1, $t0\n"
                             "li.w $t0, 0x1600\niocsrrd.w $a5, $t0\niocsrwr.w $a2, $t0\n"
                             "ld.d $a0, $s0, 0x20\nst.d $a3, $s0, 0x20\n"
                             "move $a1, $a4\nmove $a2, $a5\n" CALL_USER);

TEST(user_space_saves_and_restores_controllers)
{
    const u64 mask = 0xfedcba9876543210;
    const u32 enabled = 0x12345678, vectors = 0x5a5a0f0f;
    struct vm vm;
    struct vcpu cpu;
    struct controllers devices;
    if (!vm_open_one(&vm, &cpu))
        return;
    controllers_open(&devices, &vm, 1);
    set_attribute(devices.ipi, KVM_DEV_LOONGARCH_IPI_GRP_REGS, 0x4, &enabled);
    set_attribute(devices.eiointc, KVM_DEV_LOONGARCH_EXTIOI_GRP_REGS, 0x200, &vectors);
    set_attribute(devices.pch_pic, KVM_DEV_LOONGARCH_PCH_PIC_GRP_REGS, 0x20, &mask);
    CHECK_EQ(vcpu_call(&cpu, swap_controllers, PCH_PIC, 0x111, 0x222, 0x333), mask);
    CHECK_EQ((u32)cpu.run->hypercall.args[1], enabled);
    CHECK_EQ((u32)cpu.run->hypercall.args[2], vectors);
    CHECK_EQ((u32)get_attribute(devices.ipi, KVM_DEV_LOONGARCH_IPI_GRP_REGS, 0x4), 0x111);
    CHECK_EQ((u32)get_attribute(devices.eiointc, KVM_DEV_LOONGARCH_EXTIOI_GRP_REGS, 0x200), 0x222);
    CHECK_EQ(get_attribute(devices.pch_pic, KVM_DEV_LOONGARCH_PCH_PIC_GRP_REGS, 0x20), 0x333);
    controllers_close(&devices);
    vm_close_one(&vm, &cpu);
}

TEST(routes_lead_to_other_pins_and_to_messages)
{
    enum { WIRE = 7, PIN = 9, EVENT = 8, MESSAGE = 77 };
    struct { // kvm_irq_routing
        u32 nr, flags;
        struct kvm_irq_routing_entry entries[2];
    } routes = {.nr = 2,
                .entries = {{.gsi = WIRE, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip.pin = PIN},
                            {.gsi = EVENT, .type = KVM_IRQ_ROUTING_MSI, .u.msi.data = MESSAGE}}};
    struct kvm_irq_level level = {.irq = WIRE, .level = 1};
    struct vm vm;
    struct vcpu cpu;
    struct controllers devices;
    if (!vm_open_one(&vm, &cpu))
        return;
    controllers_open(&devices, &vm, 1);
    CHECK_EQ(kvm_call(vm.fd, KVM_SET_GSI_ROUTING, &routes), 0);
    vcpu_call(&cpu, open_pin, PCH_PIC, PIN);
    vcpu_call(&cpu, take_external, 0x0202020202020202);
    CHECK_EQ(kvm_call(vm.fd, KVM_IRQ_LINE, &level), 0);
    vcpu_run_to_call(&cpu);
    CHECK_EQ(cpu.run->hypercall.args[1], 1ULL << PIN);
    level.level = 0;
    CHECK_EQ(kvm_call(vm.fd, KVM_IRQ_LINE, &level), 0);
    int event = eventfd(0, 0);
    struct kvm_irqfd irq = {.fd = (u32)event, .gsi = EVENT};
    CHECK_EQ(kvm_call(vm.fd, KVM_IRQFD, &irq), 0);
    vcpu_call(&cpu, take_external, 0x0202020202020202);
    CHECK_EQ(eventfd_write(event, 1), 0);
    vcpu_run_to_call(&cpu);
    CHECK_EQ(cpu.run->hypercall.args[2], 1ULL << (MESSAGE - 64));
    irq.flags = KVM_IRQFD_FLAG_DEASSIGN;
    CHECK_EQ(kvm_call(vm.fd, KVM_IRQFD, &irq), 0);
    close(event);
    controllers_close(&devices);
    vm_close_one(&vm, &cpu);
}
