// SPDX-License-Identifier: Apache-2.0
// What the application that firmware starts asks of the hypervisor's image, after it has been
// copied to its place: makes the root cell of the whole machine. takeover_enter then starts it.
#pragma once

#include "hv/hv.h"

struct resident_order {
    u64 pool_base, pool_size;
    const void *system; // description of the machine, checked already
    u64 system_size;
    const u8 *map; // EFI's memory map, with image and pool reserved or not
    u64 map_size, descriptor_size;
    struct cpu *cpu; // out: this processor's
    char why[160];   // out: what is wrong
};

// Called at its place in the image, between takeover_open and takeover_enter.
bool resident_prepare(struct resident_order *o);
