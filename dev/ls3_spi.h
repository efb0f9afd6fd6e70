// SPDX-License-Identifier: Apache-2.0
// The SPI controller of a 3A5000 (manual, 14.2), with or without a serial flash on chip select 0.
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/irq.h"
#include "dev/reg_bank.h"
#include "dev/spi_nor.h"

#define LS3_SPI_FIFO_SIZE 4
#define LS3_SPI_BOOT_SIZE (1 << 20)

struct ls3_spi {
    struct device dev;
    u64 flash_size;       // property "flash-size"; 0: no flash
    struct irq interrupt; // connected by the board
    // The flash read as memory, and its first MiB. The board sets their bases and adds them, if
    // there is a flash.
    struct mem_region memory, boot;

    struct reg_bank bank;
    struct spi_nor flash; // its contents are lost when the machine ends
    u8 control, status, external, param, select, timing, custom[7];
    u8 fifo[LS3_SPI_FIFO_SIZE];
    u8 n_fifo, n_sent; // bytes received and not read; bytes sent since the last SPIF
};

extern const struct device_type ls3_spi_type;

// The sixteen byte registers; offsets 0x1f0-0x1ff of the I/O configuration space.
static inline struct reg_bank *ls3_spi_bank(struct ls3_spi *s)
{
    return &s->bank;
}
