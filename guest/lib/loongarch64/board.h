// SPDX-License-Identifier: Apache-2.0
// The board `virt`: physical addresses and pins, and how payloads reach them.
#pragma once

#include "base/bits.h"

// Direct-mapped windows that start-up opens: devices for the kernel's level only, memory for all
// levels, so that any function can be called at any level.
#define WINDOW_DEVICE 0x8000000000000000ULL
#define WINDOW_MEMORY 0x9000000000000000ULL
#define DMW0_VALUE    (WINDOW_DEVICE | 0x1)          // PLV0, strongly ordered uncached
#define DMW1_VALUE    (WINDOW_MEMORY | 1 << 4 | 0xf) // all levels, coherent cached

#define BOARD_PCH_PIC    0x10000000ULL
#define BOARD_RTC        0x100d0100ULL
#define BOARD_GED        0x100e0000ULL
#define BOARD_GED_SLEEP  0x100e001cULL
#define BOARD_GED_STATUS 0x100e001dULL
#define BOARD_GED_RESET  0x100e001eULL
#define BOARD_ISA        0x18000000ULL
#define BOARD_FLASH0     0x1c000000ULL
#define BOARD_FLASH1     0x1d000000ULL
#define BOARD_FW_CFG     0x1e020000ULL
#define BOARD_CHIP       0x1fe00000ULL
#define BOARD_UART       0x1fe001e0ULL // UART n is 0x100 * n higher
#define BOARD_ECAM       0x20000000ULL
#define BOARD_MSI        0x2ff00000ULL
#define BOARD_HIGH_RAM   0x80000000ULL

enum { PIN_UART0 = 2, PIN_RTC = 6, PIN_GED = 7 };

// RAM that no part of a payload lies in: pages to map, tables, data. Not cleared.
#define SCRATCH_BASE 0x4000000ULL
#define SCRATCH_SIZE 0xa000000ULL

// Registers of the chip that each core has one of: the node of the core is in bits 47:44, and cores
// of a node are 0x100 apart.
static inline u64 chip_core_register(unsigned cpu, unsigned offset)
{
    return (u64)(cpu / 4) << 44 | (BOARD_CHIP + offset + 0x100 * (cpu % 4));
}

static inline void *memory_at(u64 physical)
{
    return (void *)(WINDOW_MEMORY | physical);
}

static inline u64 physical_of(const void *p)
{
    return (u64)p & BITS(47, 0);
}

#define DEVICE_ACCESS(n)                                         \
    static inline u##n device_read##n(u64 physical)              \
    {                                                            \
        return *(volatile u##n *)(WINDOW_DEVICE | physical);     \
    }                                                            \
    static inline void device_write##n(u64 physical, u##n value) \
    {                                                            \
        *(volatile u##n *)(WINDOW_DEVICE | physical) = value;    \
    }
DEVICE_ACCESS(8)
DEVICE_ACCESS(16)
DEVICE_ACCESS(32)
DEVICE_ACCESS(64)
#undef DEVICE_ACCESS
