// SPDX-License-Identifier: Apache-2.0
#include "vmm/run_config.h"
#include "base/test.h"

static struct option_list list(const char **texts, size_t n)
{
    return (struct option_list){texts, n};
}

TEST(a_kernel_alone)
{
    struct run_options o = {.kernel = "vmlinuz"};
    struct run_config c;
    struct err e = {0};
    REQUIRE(run_config_fill(&c, &o, &e));
    CHECK(!c.machine.board);
    CHECK_EQ(c.machine.n_cpus, 1);
    CHECK_EQ(c.machine.ram_size, 1ULL << 30);
    CHECK_STR(c.machine.append, "console=ttyS0,115200");
    CHECK_EQ(c.machine.n_netdevs, run_config_has_default_nic(&o));
    CHECK_EQ(c.machine.n_devices, c.machine.n_netdevs);
    run_config_free(&c);
}

TEST(what_the_user_says_counts)
{
    struct run_options o = {.kernel = "k", .append = "", .memory = "2G", .smp = "3"};
    struct run_config c;
    struct err e = {0};
    REQUIRE(run_config_fill(&c, &o, &e));
    CHECK_STR(c.machine.append, "");
    CHECK_EQ(c.machine.n_cpus, 3);
    CHECK_EQ(c.machine.ram_size, 2ULL << 30);
    run_config_free(&c);
}

TEST(firmware_alone_gets_no_command_line)
{
    struct run_options o = {.bios = "b"};
    struct run_config c;
    struct err e = {0};
    REQUIRE(run_config_fill(&c, &o, &e));
    CHECK(!c.machine.append);
    run_config_free(&c);
}

TEST(nics_become_devices_in_front_of_the_others)
{
    const char *nics[] = {"user,hostfwd=tcp::1-:2", "tap,mac=3"};
    const char *netdevs[] = {"user,id=n0"}, *devices[] = {"virtio-net-pci,netdev=n0"};
    struct run_options o = {
        .nics = list(nics, 2), .netdevs = list(netdevs, 1), .devices = list(devices, 1)};
    struct run_config c;
    struct err e = {0};
    REQUIRE(run_config_fill(&c, &o, &e));
    REQUIRE(c.machine.n_netdevs == 3 && c.machine.n_devices == 3);
    CHECK_STR(c.machine.netdevs[0], "user,id=nic0,hostfwd=tcp::1-:2");
    CHECK_STR(c.machine.netdevs[1], "tap,id=nic1");
    CHECK_STR(c.machine.netdevs[2], "user,id=n0");
    CHECK_STR(c.machine.devices[0], "virtio-net-pci,netdev=nic0");
    CHECK_STR(c.machine.devices[1], "virtio-net-pci,netdev=nic1,mac=3");
    CHECK_STR(c.machine.devices[2], "virtio-net-pci,netdev=n0");
    run_config_free(&c);
}

TEST(no_card_for_who_wants_none)
{
    const char *none[] = {"none"}, *netdevs[] = {"user,id=n0"};
    struct run_options without = {.nics = list(none, 1)}, own = {.netdevs = list(netdevs, 1)};
    struct run_config c;
    struct err e = {0};
    CHECK(!run_config_has_default_nic(&without) && !run_config_has_default_nic(&own));
    REQUIRE(run_config_fill(&c, &without, &e));
    CHECK_EQ(c.machine.n_netdevs + c.machine.n_devices, 0);
    run_config_free(&c);
}

TEST(mistakes_leave_nothing_behind)
{
    const char *nics[] = {"user", "usr"};
    struct run_options o = {.nics = list(nics, 2)};
    struct run_config c;
    struct err e = {0};
    CHECK(!run_config_fill(&c, &o, &e));
    run_config_free(&c);
    o = (struct run_options){.memory = "x"};
    CHECK(!run_config_fill(&c, &o, &e));
    run_config_free(&c);
}
