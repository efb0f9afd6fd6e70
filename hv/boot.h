// SPDX-License-Identifier: Apache-2.0
// From a description of the machine to the root cell: what all carriers of the hypervisor share.
// Used by the first processor before any guest runs. Functions that return bool leave in `why`
// what is wrong when they return false.
#pragma once

#include "hv/blob.h"
#include "hv/boot_tables.h"
#include "hv/hv.h"
#include "include/longhouse/control.h"

struct boot {
    struct hv *hv;
    struct cpu *cpu;            // this processor
    struct blob system;         // what boot_check_system read
    struct boot_tables *tables; // borrowed; its ranges are the machine's memory
    char why[CONTROL_TEXT_SIZE];
};

// Begins with hypervisor and processor. Calls nothing of the architecture.
void boot_begin(struct boot *b, struct cpu *cpu, struct boot_tables *tables);
bool boot_refuse(struct boot *b, const char *what);
bool boot_check_system(struct boot *b, const void *blob, u64 size);
// Where the description has the pool.
void boot_find_pool(const struct boot *b, u64 *base, u64 *size);
// The image and the pool are the hypervisor's from here on, and in the ranges reserved.
bool boot_take_memory(struct boot *b, u64 pool_base, u64 pool_size);
// Prepares a processor's struct cpu and makes it known, as one that has not come yet.
struct cpu *boot_add_cpu(struct boot *b, u32 id);
// All processors known by now are the root cell's, and all memory and devices that are left.
bool boot_make_root(struct boot *b);
void boot_log_start(struct boot *b);

// What a processor calls that firmware sent here. Entered from the architecture's entry code.
_Noreturn void boot_other(u32 id, struct cpu *cpu);
