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
    struct machine_config c;
    struct err e = {0};
    REQUIRE(run_config_fill(&c, &o, &e));
    CHECK(!c.board && !c.bios && !c.initrd);
    CHECK_EQ(c.n_cpus, 1);
    CHECK_EQ(c.ram_size, 1ULL << 30);
    CHECK_STR(c.append, "console=ttyS0,115200");
    CHECK_EQ(c.n_nics, LH_HAS_USER_NETWORK);
    CHECK(!c.n_nics || !strcmp(c.nics[0], "user"));
    CHECK_EQ(c.n_netdevs + c.n_devices + c.n_drives, 0);
}

TEST(what_the_user_says_counts)
{
    const char *nics[] = {"user,hostfwd=tcp::1-:2", "tap,ifname=t"}, *drives[] = {"file=d"};
    const char *netdevs[] = {"user,id=n0"}, *devices[] = {"virtio-net-pci,netdev=n0"};
    struct run_options o = {.kernel = "k",
                            .append = "",
                            .memory = "2G",
                            .smp = "3",
                            .nics = list(nics, 2),
                            .netdevs = list(netdevs, 1),
                            .drives = list(drives, 1),
                            .devices = list(devices, 1)};
    struct machine_config c;
    struct err e = {0};
    REQUIRE(run_config_fill(&c, &o, &e));
    CHECK_STR(c.append, "");
    CHECK_EQ(c.n_cpus, 3);
    CHECK_EQ(c.ram_size, 2ULL << 30);
    REQUIRE(c.n_nics == 2 && c.n_netdevs == 1 && c.n_devices == 1 && c.n_drives == 1);
    CHECK_STR(c.nics[1], "tap,ifname=t");
    CHECK_STR(c.netdevs[0], "user,id=n0");
    CHECK_STR(c.devices[0], "virtio-net-pci,netdev=n0");
    CHECK_STR(c.drives[0], "file=d");
}

TEST(firmware_alone_gets_no_command_line)
{
    struct run_options o = {.bios = "b"};
    struct machine_config c;
    struct err e = {0};
    REQUIRE(run_config_fill(&c, &o, &e));
    CHECK(!c.append);
    CHECK_STR(c.bios, "b");
}

TEST(no_card_for_who_wants_none_or_an_own_one)
{
    const char *none[] = {"none"}, *netdevs[] = {"user,id=n0"};
    struct run_options without = {.nics = list(none, 1)}, own = {.netdevs = list(netdevs, 1)};
    struct machine_config c;
    struct err e = {0};
    CHECK(!run_config_has_default_nic(&without) && !run_config_has_default_nic(&own));
    REQUIRE(run_config_fill(&c, &own, &e));
    CHECK_EQ(c.n_nics, 0);
}

TEST(sizes_are_understood_here)
{
    struct machine_config c;
    struct err e = {0};
    CHECK(!run_config_fill(&c, &(struct run_options){.memory = "x"}, &e));
    CHECK(!run_config_fill(&c, &(struct run_options){.smp = "x"}, &e));
}
