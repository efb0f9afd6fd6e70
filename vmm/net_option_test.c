// SPDX-License-Identifier: Apache-2.0
#include "vmm/net_option.h"
#include "base/test.h"

static void expect(const char *text, const char *netdev, const char *device)
{
    struct nic_texts t;
    struct err e = {0};
    REQUIRE(nic_option_expand(text, 3, &t, &e));
    CHECK_STR(t.netdev, netdev);
    CHECK_STR(t.device, device);
    nic_texts_free(&t);
}

static void expect_error(const char *text, const char *message)
{
    struct nic_texts t;
    struct err e = {0};
    CHECK(!nic_option_expand(text, 0, &t, &e));
    CHECK_STR(e.text, message);
    CHECK(!t.netdev && !t.device);
}

TEST(a_card_and_its_back_end)
{
    expect("user", "user,id=nic3", "virtio-net-pci,netdev=nic3");
    expect("tap,ifname=t0", "tap,id=nic3,ifname=t0", "virtio-net-pci,netdev=nic3");
}

TEST(options_go_where_they_belong)
{
    expect("user,hostfwd=tcp::22-:22,mac=52:54:00:00:00:01,hostfwd=udp::5-:6,model=e1000,addr=4",
           "user,id=nic3,hostfwd=tcp::22-:22,hostfwd=udp::5-:6",
           "e1000,netdev=nic3,mac=52:54:00:00:00:01,addr=4");
    expect("user,macro=1", "user,id=nic3,macro=1", "virtio-net-pci,netdev=nic3");
}

TEST(commas_within_a_value_stay)
{
    expect("user,tftp=/a,,b,mac=x,,y", "user,id=nic3,tftp=/a,,b",
           "virtio-net-pci,netdev=nic3,mac=x,,y");
}

TEST(none_is_no_card)
{
    struct nic_texts t;
    struct err e = {0};
    CHECK(nic_option_expand("none", 0, &t, &e));
    CHECK(!t.netdev && !t.device);
    expect_error("none,mac=1", "'none,mac=1': none takes no options");
}

TEST(unknown_networks)
{
    expect_error("usr", "'usr': no such network; did you mean user?");
    expect_error("bridge,br=b0", "'bridge,br=b0': no such network; there are user, tap and none");
    expect_error("", "'': no such network; there are user, tap and none");
}
