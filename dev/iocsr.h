// SPDX-License-Identifier: Apache-2.0
// The I/O configuration space of one machine: 64 KiB of registers of many blocks (3A5000 manual,
// chapters 4 to 13).
//
// Two doors lead to it. Processors use iocsrrd and iocsrwr: some ranges then mean the executing
// core. Everybody can load and store at 0x1fe00000 and 0x3ff00000 of each node (node << 44): there
// all ranges name their core by address, and a node's windows show that node's four cores.
#pragma once

#include "base/types.h"
#include "dev/chip_config.h"
#include "dev/core_irq.h"
#include "dev/device.h"
#include "dev/extioi.h"
#include "dev/reg_bank.h"

#define IOCSR_BASE       0x1fe00000ULL
#define IOCSR_ALIAS_BASE 0x3ff00000ULL
#define IOCSR_SIZE       0x10000

enum iocsr_block {
    IOCSR_CHIP,
    IOCSR_IPI,
    IOCSR_EXTIOI,
    IOCSR_LIOINTC,
    IOCSR_GPIO,
    IOCSR_THERMAL,
    IOCSR_SPI,
    IOCSR_I2C0,
    IOCSR_I2C1,
    IOCSR_WINDOWS,
    IOCSR_N_BLOCKS,
};

struct iocsr_view {
    struct mem_region region;
    struct iocsr *iocsr;
    unsigned node;
    bool is_alias; // the view at 0x3ff00000, which register 0x400 can switch off
};

struct iocsr {
    struct device dev;
    u64 n_cores; // property "cores"
    // Connected by the board before realize; borrowed. Absent blocks read 0 and are logged (unimp).
    struct reg_bank *banks[IOCSR_N_BLOCKS];
    struct chip_config *config; // may be NULL

    unsigned n_nodes;
    struct iocsr_view views[EXTIOI_MAX_NODES][2];
};

extern const struct device_type iocsr_type;

// The two calls of struct cpu_bus; opaque is the struct iocsr. They take the device lock.
u64 iocsr_read(void *opaque, unsigned core, u32 address, unsigned size);
void iocsr_write(void *opaque, unsigned core, u32 address, u64 value, unsigned size);

// The write that an ANY_Send asks for; fits struct ipi, opaque is the struct iocsr. Lock held.
void iocsr_any_send(void *opaque, unsigned core, u32 address, u32 data, u32 bytes);

// Adds the views by address to the machine's memory. Other regions lie above them.
void iocsr_map(struct iocsr *s);

#define IOCSR_REGION_PRIORITY (-10)
