// SPDX-License-Identifier: Apache-2.0
// The extended I/O interrupt controller: 256 vectors. Registers in I/O configuration space; 3A5000
// manual, 11.2.
#pragma once

#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/csr.h"

enum {
    CHIP_MISC = 0x420, // other functions of the chip
    EXTIOI_SEND = 0x1140,
    EXTIOI_NODE_TYPE = 0x14a0, // 16 of 2 bytes
    EXTIOI_IPMAP = 0x14c0,     // 8 bytes
    EXTIOI_ENABLE = 0x1600,    // 256 bits, as the next three
    EXTIOI_BOUNCE = 0x1680,
    EXTIOI_ISR = 0x1700,
    EXTIOI_CORE_ISR = 0x1800, // by instruction the executing core's; by address + 0x100 * core
    EXTIOI_ROUTE = 0x1c00,    // 256 bytes
};

#define CHIP_MISC_EXT_INT_EN BIT(48)
#define CHIP_MISC_INT_ENCODE BIT(49)

static inline bool extioi_is_set(unsigned registers, unsigned vector)
{
    return iocsr_read_d(registers + vector / 64 * 8) >> (vector % 64) & 1;
}

static inline void extioi_assign(unsigned registers, unsigned vector, bool value)
{
    u32 address = registers + vector / 64 * 8;
    u64 bits = iocsr_read_d(address), bit = BIT(vector % 64);
    iocsr_write_d(address, value ? bits | bit : bits & ~bit);
}

// Write one to clear.
static inline void extioi_clear(unsigned registers, unsigned vector)
{
    iocsr_write_d(registers + vector / 64 * 8, BIT(vector % 64));
}

// The core's pending bit, whoever asks.
static inline bool extioi_is_at(unsigned cpu, unsigned vector)
{
    u64 address = chip_core_register(cpu, EXTIOI_CORE_ISR + vector / 64 * 8);
    return device_read64(address) >> (vector % 64) & 1;
}

static inline void extioi_send(unsigned vector)
{
    iocsr_write_w(EXTIOI_SEND, vector);
}

static inline void extioi_route(unsigned vector, unsigned byte)
{
    iocsr_write_b(EXTIOI_ROUTE + vector, byte);
}

static inline void extioi_set_pin(unsigned group, unsigned map)
{
    iocsr_write_b(EXTIOI_IPMAP + group, map);
}

// Everything enabled, without rotation, to core 0 of node 0, pin HWI1; nothing pending.
static inline void extioi_init(void)
{
    u64 misc = iocsr_read_d(CHIP_MISC) & ~CHIP_MISC_INT_ENCODE;
    iocsr_write_d(CHIP_MISC, misc | CHIP_MISC_EXT_INT_EN);
    iocsr_write_d(EXTIOI_IPMAP, 0x0202020202020202);
    for (unsigned i = 0; i < 8; i++)
        iocsr_write_w(EXTIOI_NODE_TYPE + 4 * i, i ? 0 : 1);
    for (unsigned i = 0; i < 32; i++)
        iocsr_write_d(EXTIOI_ROUTE + 8 * i, 0x0101010101010101);
    for (unsigned i = 0; i < 4; i++) {
        iocsr_write_d(EXTIOI_BOUNCE + 8 * i, 0);
        iocsr_write_d(EXTIOI_ENABLE + 8 * i, ~0ULL);
        iocsr_write_d(EXTIOI_ISR + 8 * i, ~0ULL);
        iocsr_write_d(EXTIOI_CORE_ISR + 8 * i, ~0ULL);
    }
}
