// SPDX-License-Identifier: Apache-2.0
// A bank of NOR flash: two 16-bit chips with Intel's command set (CFI 0001, as in the 28F128J3 data
// sheet) side by side on a 32-bit bus. Commands are written to both at once, the second in bits
// 31:16.
//
// In array mode the bank is memory that processors execute from. Any command moves it to one of the
// other modes, where reads give status, identifiers or the CFI table.
//
// Properties: `file` holds the contents. It may be smaller than the bank, the rest reads as erased;
// what the guest programs or erases is written back at once. Without a file the bank starts erased
// and forgets. With `readonly` the file is opened for reading, and the guest's attempts fail with
// error bits in the status.
#pragma once

#include "dev/device.h"

#define CFI_FLASH_BLOCK_SIZE  0x40000 // erase block of the bank, half of it per chip
#define CFI_FLASH_BUFFER_SIZE 0x1000  // write buffer of the bank

enum {
    CFI_CMD_LOCK = 0x01,
    CFI_CMD_PROGRAM_ALT = 0x10,
    CFI_CMD_ERASE = 0x20,
    CFI_CMD_LOCK_DOWN = 0x2f,
    CFI_CMD_PROGRAM = 0x40,
    CFI_CMD_CLEAR_STATUS = 0x50,
    CFI_CMD_LOCK_SETUP = 0x60,
    CFI_CMD_READ_STATUS = 0x70,
    CFI_CMD_READ_ID = 0x90,
    CFI_CMD_QUERY = 0x98,
    CFI_CMD_CONFIRM = 0xd0, // also unlock
    CFI_CMD_BUFFER = 0xe8,
    CFI_CMD_READ_ARRAY = 0xff,

    CFI_SR_LOCKED = 0x02,
    CFI_SR_PROGRAM_ERROR = 0x10,
    CFI_SR_ERASE_ERROR = 0x20,
    CFI_SR_SEQUENCE_ERROR = 0x30, // both: not a command
    CFI_SR_READY = 0x80,

    CFI_ID_MANUFACTURER = 0x89,
    CFI_ID_DEVICE = 0x18,
};

enum cfi_read_mode { CFI_ARRAY, CFI_STATUS, CFI_ID, CFI_QUERY };

// What the next write is.
enum cfi_expect {
    CFI_EXPECT_COMMAND,
    CFI_EXPECT_WORD,
    CFI_EXPECT_ERASE_CONFIRM,
    CFI_EXPECT_LOCK,
    CFI_EXPECT_COUNT,
    CFI_EXPECT_BUFFER,
    CFI_EXPECT_BUFFER_CONFIRM,
};

struct cfi_flash {
    struct device d;
    struct mem_region region; // the board sets its base and adds it
    u64 size;
    char *file;
    bool is_readonly;

    u8 *memory; // the array
    int fd;     // -1: no file
    u64 file_size;
    enum cfi_read_mode mode;
    enum cfi_expect expect;
    u8 status;
    u8 *locks;         // per block: 1 locked
    u32 n_buffer_left; // bytes still to come
    bool buffer_has_base;
    u32 buffer_base;
    u8 buffer[CFI_FLASH_BUFFER_SIZE]; // erased where nothing was written
};

extern const struct device_type cfi_flash_type;

static inline struct cfi_flash *cfi_flash_of(struct device *d)
{
    return container_of(d, struct cfi_flash, d);
}
