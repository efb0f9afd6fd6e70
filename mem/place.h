// SPDX-License-Identifier: Apache-2.0
// The address space as a person sees it: who answers where, by name.
#pragma once

#include "mem/space.h"

struct mem_place {
    gpa_t first, last;
    const char *name; // "RAM", or the region's; lives as long as the region
    bool is_ram;
    bool is_direct; // a device that reads as memory now
    unsigned depth; // in how many other regions it lies
};

#define MEM_MAX_PLACES (MEM_MAX_RAM + MEM_MAX_REGIONS)

// All RAM and all regions, in order of their addresses, each behind those that it lies in. Returns
// how many. Device lock held.
unsigned mem_places(const struct mem_space *m, struct mem_place places[MEM_MAX_PLACES]);

// What answers at gpa: first and last are those of the RAM block or region. False: nothing does.
// Device lock held.
bool mem_place_at(const struct mem_space *m, gpa_t gpa, struct mem_place *p);

// Reads what is RAM, or device memory that reads as RAM: [gpa, gpa + n). False if any of it is not;
// no device is asked. Takes the device lock.
bool mem_peek(struct mem_space *m, gpa_t gpa, void *bytes, size_t n);
