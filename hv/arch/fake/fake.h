// SPDX-License-Identifier: Apache-2.0
// An architecture for tests of the core on the host. Every processor but 0 is a thread that parks,
// starts vCPUs and serves requests with the core's own code; processor 0 is the test itself, as a
// processor of the root cell. Physical memory is an array.
#pragma once

#include "hv/hv.h"

#define FAKE_RAM_BASE   0x80000000ULL
#define FAKE_RAM_SIZE   0x10000000ULL
#define FAKE_TABLE_SIZE 0x100000ULL
#define FAKE_POOL_BASE  (FAKE_RAM_BASE + HV_BLOCK)
#define FAKE_POOL_SIZE  (FAKE_RAM_SIZE - HV_BLOCK)

// A hypervisor with `n_cpus` processors, the root cell on all of them, a pool and the management
// function. Processors other than 0 are off in the root cell.
struct hv *fake_new(u32 n_cpus);
void fake_free(struct hv *hv);

// What a guest does on its processor between two exits; NULL: nothing.
typedef void (*fake_guest)(struct cpu *cpu);
void fake_set_guest(fake_guest guest);
u64 fake_n_flushes(void);
