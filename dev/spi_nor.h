// SPDX-License-Identifier: Apache-2.0
// A serial NOR flash of the 25 series, as bytes on its wires. Programming and erasing take no time.
#pragma once

#include "base/types.h"
#include "base/err.h"

#define SPI_NOR_PAGE_SIZE 256

struct spi_nor {
    u8 *data; // owned; NULL: a zeroed struct stands for no chip, which answers nothing
    u32 size; // a power of two, 64 KiB to 16 MiB
    bool is_selected, is_write_enabled, is_powered_down;
    bool is_modified; // set when data changes; whoever shows data as memory clears it
    u8 status;        // block protection bits
    u8 command;       // of the transaction that runs
    u32 n_bytes;      // received so far in this transaction
    u32 address;
};

// Erased (all ones). False with a message if the size is not possible.
bool spi_nor_init(struct spi_nor *n, u64 size, struct err *e);
void spi_nor_free(struct spi_nor *n);
// Chip select; a transaction ends, and an erase happens, when it is released.
void spi_nor_select(struct spi_nor *n, bool is_selected);
// One byte in, one byte out; -1 while the chip drives nothing.
int spi_nor_transfer(struct spi_nor *n, u8 in);
