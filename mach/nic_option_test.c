// SPDX-License-Identifier: Apache-2.0
#include "mach/nic_option.h"

#include "base/test.h"

static void means(const char *text, const char *netdev, const char *device)
{
    struct nic_option n;
    struct err e = {0};
    if (!CHECK(nic_option_parse(&n, text, 3, &e))) {
        printf("# %s\n", e.text);
        return;
    }
    CHECK(!n.is_none);
    CHECK_STR(n.netdev, netdev);
    CHECK_STR(n.device, device);
    nic_option_free(&n);
}

static void refuses(const char *text, const char *message)
{
    struct nic_option n;
    struct err e = {0};
    CHECK(!nic_option_parse(&n, text, 0, &e));
    CHECK_STR(e.text, message);
}

TEST(a_type_is_a_network_with_a_card)
{
    means("user", "user,id=nic3", "virtio-net-pci,netdev=nic3");
    means("tap,ifname=tap0", "tap,id=nic3,ifname=tap0", "virtio-net-pci,netdev=nic3");
}

TEST(options_go_to_whom_they_belong)
{
    means("user,mac=52:54:00:12:34:56,hostfwd=tcp::2222-:22,id=lan,addr=7,bootindex=1",
          "user,id=lan,hostfwd=tcp::2222-:22",
          "virtio-net-pci,netdev=lan,mac=52:54:00:12:34:56,addr=7,bootindex=1");
    means("user,model=virtio-net-pci,path=a,,b", "user,id=nic3,path=a,,b",
          "virtio-net-pci,netdev=nic3");
}

TEST(none_is_no_card)
{
    struct nic_option n;
    struct err e = {0};
    CHECK(nic_option_parse(&n, "none", 0, &e));
    CHECK(n.is_none && !n.netdev && !n.device);
    nic_option_free(&n);
}

TEST(unknown_cards_are_named)
{
    refuses("user,model=rtl8139", "model=rtl8139: there is no such network card");
    refuses("user,model=virtio-blk-pci", "model=virtio-blk-pci: there is no such network card");
}
