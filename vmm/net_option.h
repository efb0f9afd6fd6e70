// SPDX-License-Identifier: Apache-2.0
// -nic TYPE[,...]: a network card and its back end, written as one -netdev and one -device.
#pragma once

#include "base/err.h"
#include "base/types.h"

#define NIC_MODEL "virtio-net-pci"

struct nic_texts {
    char *netdev, *device; // owned; both NULL for "none"
};

// `index` makes the id that ties both together: nic0, nic1, ... What is known of a card goes to the
// device (model, mac, addr), the rest to the back end.
//
//     user,hostfwd=tcp::2222-:22,mac=52:54:00:12:34:56
//         -> user,id=nic0,hostfwd=tcp::2222-:22
//         -> virtio-net-pci,netdev=nic0,mac=52:54:00:12:34:56
bool nic_option_expand(const char *text, unsigned index, struct nic_texts *to, struct err *e);
void nic_texts_free(struct nic_texts *t);
