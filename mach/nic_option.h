// SPDX-License-Identifier: Apache-2.0
// What a -nic text means: a -netdev and the -device on it.
#pragma once

#include "base/types.h"
#include "base/err.h"

struct nic_option {
    bool is_none;          // "none": no card; both texts are NULL
    char *netdev, *device; // owned
};

// "user|tap|none[,model=NAME][,OPTION=VALUE]...": options that the card has are the card's, all
// others the back end's. `index` makes the id of a network that has none. Messages do not quote the
// text.
bool nic_option_parse(struct nic_option *n, const char *text, size_t index, struct err *e);
void nic_option_free(struct nic_option *n);
