// SPDX-License-Identifier: Apache-2.0
#include "base/test.h"
#include "vmm/machine_option.h"

TEST(a_board_and_its_properties)
{
    struct machine_option o;
    struct err e = {0};
    CHECK(machine_option_parse(NULL, &o, &e));
    CHECK(!o.board && o.kernel_irqchip == MACHINE_AUTO);
    CHECK(machine_option_parse("virt", &o, &e));
    CHECK_STR(o.board, "virt");
    CHECK(machine_option_parse("virt,kernel-irqchip=off", &o, &e));
    CHECK_EQ(o.kernel_irqchip, MACHINE_OFF);
    CHECK(machine_option_parse("virt,kernel-irqchip=off,kernel-irqchip", &o, &e));
    CHECK_EQ(o.kernel_irqchip, MACHINE_ON);
    CHECK(machine_option_parse("kernel-irqchip=on,kernel-irqchip=auto", &o, &e));
    CHECK_EQ(o.kernel_irqchip, MACHINE_AUTO);
    CHECK(!o.board);
    CHECK_EQ(o.ipi_delay_ns, 0);
    CHECK(machine_option_parse("virt,ipi-delay=2500", &o, &e));
    CHECK_EQ(o.ipi_delay_ns, 2500);
}

static void expect_error(const char *text, const char *message)
{
    struct machine_option o;
    struct err e = {0};
    CHECK(!machine_option_parse(text, &o, &e));
    CHECK_STR(e.text, message);
}

TEST(what_is_not_understood)
{
    expect_error("vrit", "-machine: no board 'vrit'; did you mean virt?");
    expect_error("virt,accel=kvm", "-machine: no property 'accel'; there are: kernel-irqchip, ipi-delay");
    expect_error("ipi-delay=-1", "-machine: ipi-delay=-1: write ns, at most 1000000000");
    expect_error("ipi-delay=1s", "-machine: ipi-delay=1s: write ns, at most 1000000000");
    expect_error("virt,kernel-irqchip=split",
                 "-machine: kernel-irqchip=split: write on, off or auto");
}
