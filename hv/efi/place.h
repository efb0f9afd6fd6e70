// SPDX-License-Identifier: Apache-2.0
// The hypervisor's memory, taken from the firmware: reserved, which no kernel takes for its own and
// which stays when boot services and physical addresses are left. Statuses are EFI's.
#pragma once

#include "hv/efi/efi.h"

struct place {
    struct efi_boot_services *boot;
    u64 image, image_size; // physical
    u64 pool, pool_size;
};

// A pool of that size, at `wish` if that is free, and the image with its tables.
u64 place_take(struct place *p, u64 wish, u64 pool_size);
void place_give_back(struct place *p);
// Copies the running image there and makes its pointers those of arch_memory.
void place_copy_image(const struct place *p);
// Where a function or object of the running image is in the copy.
void *place_there(const struct place *p, const void *here);
