// SPDX-License-Identifier: Apache-2.0
#include "dev/spi_nor.h"
#include "base/bits.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

enum command {
    CMD_WRITE_STATUS = 0x01,
    CMD_PAGE_PROGRAM = 0x02,
    CMD_READ = 0x03,
    CMD_WRITE_DISABLE = 0x04,
    CMD_READ_STATUS = 0x05,
    CMD_WRITE_ENABLE = 0x06,
    CMD_FAST_READ = 0x0b,
    CMD_ERASE_4K = 0x20,
    CMD_ERASE_32K = 0x52,
    CMD_ERASE_CHIP_60 = 0x60,
    CMD_READ_IDS = 0x90,
    CMD_READ_JEDEC_ID = 0x9f,
    CMD_RELEASE = 0xab,
    CMD_POWER_DOWN = 0xb9,
    CMD_ERASE_CHIP = 0xc7,
    CMD_ERASE_64K = 0xd8,
};

enum { STATUS_WEL = 2, STATUS_RW = 0xfc };

// A W25Q part: manufacturer, type, and the capacity as the power of two.
enum { ID_MANUFACTURER = 0xef, ID_TYPE = 0x40 };

bool spi_nor_init(struct spi_nor *n, u64 size, struct err *e)
{
    memset(n, 0, sizeof(*n));
    if (!is_pow2(size) || size < 64 << 10 || size > 16 << 20)
        return err_set(e, "a serial flash has 64K to 16M bytes, a power of two");
    n->size = size;
    n->data = malloc(size);
    BUG_ON(!n->data);
    memset(n->data, 0xff, size);
    return true;
}

void spi_nor_free(struct spi_nor *n)
{
    free(n->data);
    n->data = NULL;
}

static u8 capacity(const struct spi_nor *n)
{
    return __builtin_ctz(n->size);
}

static u32 erase_size(const struct spi_nor *n)
{
    switch (n->command) {
    case CMD_ERASE_4K: return n->n_bytes == 4 ? 4 << 10 : 0;
    case CMD_ERASE_32K: return n->n_bytes == 4 ? 32 << 10 : 0;
    case CMD_ERASE_64K: return n->n_bytes == 4 ? 64 << 10 : 0;
    case CMD_ERASE_CHIP_60:
    case CMD_ERASE_CHIP: return n->n_bytes == 1 ? n->size : 0;
    default: return 0;
    }
}

static bool is_writing(u8 command)
{
    return command == CMD_PAGE_PROGRAM || command == CMD_WRITE_STATUS || command == CMD_ERASE_4K ||
           command == CMD_ERASE_32K || command == CMD_ERASE_64K || command == CMD_ERASE_CHIP ||
           command == CMD_ERASE_CHIP_60;
}

static void finish(struct spi_nor *n)
{
    u32 size = erase_size(n);
    if (size && n->is_write_enabled) {
        memset(n->data + (n->address & (n->size - 1) & ~(size - 1)), 0xff, size);
        n->is_modified = true;
    }
    if (is_writing(n->command))
        n->is_write_enabled = false;
}

void spi_nor_select(struct spi_nor *n, bool is_selected)
{
    if (!n->data)
        return;
    if (n->is_selected && !is_selected && n->n_bytes)
        finish(n);
    if (n->is_selected != is_selected)
        n->n_bytes = 0;
    n->is_selected = is_selected;
}

static void begin(struct spi_nor *n, u8 command)
{
    n->command = n->is_powered_down && command != CMD_RELEASE ? 0 : command;
    n->address = 0;
    if (n->command == CMD_WRITE_ENABLE || n->command == CMD_WRITE_DISABLE)
        n->is_write_enabled = n->command == CMD_WRITE_ENABLE;
    if (n->command == CMD_RELEASE || n->command == CMD_POWER_DOWN)
        n->is_powered_down = n->command == CMD_POWER_DOWN;
}

static u8 next_data(struct spi_nor *n)
{
    return n->data[n->address++ & (n->size - 1)];
}

// Programming clears bits and wraps within the page.
static void program(struct spi_nor *n, u8 value)
{
    u32 in_page = n->address & (SPI_NOR_PAGE_SIZE - 1);
    if (n->is_write_enabled) {
        n->data[n->address & (n->size - 1)] &= value;
        n->is_modified = true;
    }
    n->address = n->address - in_page + (in_page + 1) % SPI_NOR_PAGE_SIZE;
}

static u8 jedec_id(const struct spi_nor *n, u32 i)
{
    const u8 id[3] = {ID_MANUFACTURER, ID_TYPE, capacity(n)};
    return i < sizeof(id) ? id[i] : 0;
}

// Commands whose answer follows the command byte at once; `i` counts its bytes.
static int short_answer(struct spi_nor *n, u32 i, u8 in)
{
    switch (n->command) {
    case CMD_READ_STATUS: return n->status | (n->is_write_enabled ? STATUS_WEL : 0);
    case CMD_READ_JEDEC_ID: return jedec_id(n, i);
    case CMD_WRITE_STATUS:
        if (i == 0 && n->is_write_enabled)
            n->status = in & STATUS_RW;
        return -1;
    default: return -1;
    }
}

// Commands that take three address bytes first; `i` counts the bytes after them.
static int long_answer(struct spi_nor *n, u32 i, u8 in)
{
    switch (n->command) {
    case CMD_READ: return next_data(n);
    case CMD_FAST_READ: return i ? next_data(n) : -1;
    case CMD_READ_IDS: return (n->address + i) & 1 ? capacity(n) - 1 : ID_MANUFACTURER;
    case CMD_RELEASE: return capacity(n) - 1;
    case CMD_PAGE_PROGRAM: program(n, in); return -1;
    default: return -1;
    }
}

int spi_nor_transfer(struct spi_nor *n, u8 in)
{
    if (!n->is_selected)
        return -1;
    u32 i = n->n_bytes;
    if (n->n_bytes < 0xffff)
        n->n_bytes++;
    if (i == 0) {
        begin(n, in);
        return -1;
    }
    int out = short_answer(n, i - 1, in);
    if (i >= 4)
        return out >= 0 ? out : long_answer(n, i - 4, in);
    n->address = n->address << 8 | in;
    return out;
}
