// SPDX-License-Identifier: Apache-2.0
// Both chips see the same commands, so one state machine stands for the two; the low byte of a
// write is the command. Operations finish at once: the status is always ready. Choices:
//
// - Programming only clears bits, as in the real array.
// - Blocks are unlocked at power-on.
// - Command 0x00 and commands that the chip does not have return to array mode: firmware stores
//   zeros to its own flash.
// - A write that the file refuses leaves the array as it was and sets an error bit.
#include "dev/cfi_flash.h"
#include "base/bits.h"
#include "base/bug.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUS_WIDTH 4 // bytes
#define N_CHIPS   2

static void set_mode(struct cfi_flash *f, enum cfi_read_mode mode)
{
    f->mode = mode;
    mem_set_direct(f->d.env->mem, &f->region, mode == CFI_ARRAY);
}

static void go_on(struct cfi_flash *f, enum cfi_expect expect, enum cfi_read_mode mode)
{
    f->expect = expect;
    set_mode(f, mode);
}

static void finish(struct cfi_flash *f, u8 errors)
{
    f->status |= errors;
    go_on(f, CFI_EXPECT_COMMAND, CFI_STATUS);
}

// A file that was smaller than the bank grows up to what is written, with the erased bytes between.
static int write_back(struct cfi_flash *f, u64 offset, const u8 *bytes, u64 size)
{
    if (f->fd < 0)
        return 0;
    for (u64 at = f->file_size, n; at < offset; at += n) {
        n = offset - at;
        ssize_t done = pwrite(f->fd, f->memory + at, n, (off_t)at);
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        n = (u64)done;
        f->file_size = at + n;
    }
    for (u64 done = 0; done < size;) {
        ssize_t n = pwrite(f->fd, bytes + done, size - done, (off_t)(offset + done));
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (u64)n;
    }
    if (f->file_size < offset + size)
        f->file_size = offset + size;
    return 0;
}

// Replaces a part of the array; returns the error bits of the status.
static u8 change(struct cfi_flash *f, u64 offset, const u8 *bytes, u64 size, u8 error_bit)
{
    if (f->is_readonly || f->locks[offset / CFI_FLASH_BLOCK_SIZE])
        return error_bit | CFI_SR_LOCKED;
    if (write_back(f, offset, bytes, size) < 0)
        return error_bit;
    memcpy(f->memory + offset, bytes, size);
    return 0;
}

static u8 program(struct cfi_flash *f, u64 offset, const u8 *bytes, u64 size)
{
    u8 after[CFI_FLASH_BUFFER_SIZE];
    for (u64 i = 0; i < size; i++)
        after[i] = bytes[i] & f->memory[offset + i];
    return change(f, offset, after, size, CFI_SR_PROGRAM_ERROR);
}

static u8 erase(struct cfi_flash *f, u64 offset)
{
    u8 *erased = malloc(CFI_FLASH_BLOCK_SIZE);
    BUG_ON(!erased);
    memset(erased, 0xff, CFI_FLASH_BLOCK_SIZE);
    u8 errors = change(f, align_down(offset, CFI_FLASH_BLOCK_SIZE), erased, CFI_FLASH_BLOCK_SIZE,
                       CFI_SR_ERASE_ERROR);
    free(erased);
    return errors;
}

static void begin_buffer(struct cfi_flash *f)
{
    memset(f->buffer, 0xff, sizeof(f->buffer));
    f->buffer_has_base = false;
    go_on(f, CFI_EXPECT_COUNT, CFI_STATUS);
}

static void command(struct cfi_flash *f, u8 cmd)
{
    switch (cmd) {
    case CFI_CMD_PROGRAM:
    case CFI_CMD_PROGRAM_ALT: go_on(f, CFI_EXPECT_WORD, CFI_STATUS); break;
    case CFI_CMD_ERASE: go_on(f, CFI_EXPECT_ERASE_CONFIRM, CFI_STATUS); break;
    case CFI_CMD_LOCK_SETUP: go_on(f, CFI_EXPECT_LOCK, CFI_STATUS); break;
    case CFI_CMD_BUFFER: begin_buffer(f); break;
    case CFI_CMD_CLEAR_STATUS:
        f->status = CFI_SR_READY;
        set_mode(f, CFI_ARRAY);
        break;
    case CFI_CMD_READ_STATUS: set_mode(f, CFI_STATUS); break;
    case CFI_CMD_READ_ID: set_mode(f, CFI_ID); break;
    case CFI_CMD_QUERY: set_mode(f, CFI_QUERY); break;
    default:
        // 0xf0 is other makers' array command, which drivers try.
        if (cmd != 0x00 && cmd != 0xf0 && cmd != CFI_CMD_READ_ARRAY)
            log_guest(f->d.env->log, "flash: no command 0x%02x", cmd);
        set_mode(f, CFI_ARRAY);
    }
}

// The second write of erase, lock and buffered program. The array command takes the first back.
static bool is_abort(struct cfi_flash *f, u8 cmd)
{
    if (cmd == CFI_CMD_READ_ARRAY)
        go_on(f, CFI_EXPECT_COMMAND, CFI_ARRAY);
    return cmd == CFI_CMD_READ_ARRAY;
}

static void lock_block(struct cfi_flash *f, u64 offset, u8 cmd)
{
    u8 *lock = &f->locks[offset / CFI_FLASH_BLOCK_SIZE];
    if (is_abort(f, cmd))
        return;
    if (cmd == CFI_CMD_CONFIRM)
        *lock = 0;
    else if (cmd == CFI_CMD_LOCK || cmd == CFI_CMD_LOCK_DOWN)
        *lock = 1;
    else
        f->status |= CFI_SR_SEQUENCE_ERROR;
    finish(f, 0);
}

// The count is words of one chip less one.
static void begin_buffer_data(struct cfi_flash *f, u16 count)
{
    f->n_buffer_left = (count + 1u) * BUS_WIDTH;
    if (f->n_buffer_left > sizeof(f->buffer))
        finish(f, CFI_SR_SEQUENCE_ERROR);
    else
        f->expect = CFI_EXPECT_BUFFER;
}

// The buffer stands over an aligned piece of the array; the first write says over which.
static void buffer_data(struct cfi_flash *f, u64 offset, u64 value, unsigned size)
{
    u32 base = (u32)align_down(offset, CFI_FLASH_BUFFER_SIZE);
    if (!f->buffer_has_base)
        f->buffer_base = base;
    f->buffer_has_base = true;
    if (base != f->buffer_base || size > f->n_buffer_left) {
        finish(f, CFI_SR_SEQUENCE_ERROR);
        return;
    }
    store_le(f->buffer + (offset - base), value, size);
    f->n_buffer_left -= size;
    if (!f->n_buffer_left)
        f->expect = CFI_EXPECT_BUFFER_CONFIRM;
}

// Only what differs from erased is written, so that the file changes where the guest wrote.
static u8 program_buffer(struct cfi_flash *f)
{
    u32 first = 0, end = CFI_FLASH_BUFFER_SIZE;
    while (first < end && f->buffer[first] == 0xff)
        first++;
    while (end > first && f->buffer[end - 1] == 0xff)
        end--;
    if (first == end)
        first = end = 0;
    return program(f, f->buffer_base + first, f->buffer + first, end - first);
}

static void flash_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct cfi_flash *f = opaque;
    u8 cmd = (u8)value, word[8];
    switch (f->expect) {
    case CFI_EXPECT_COMMAND: command(f, cmd); break;
    case CFI_EXPECT_WORD:
        store_le(word, value, size);
        finish(f, program(f, offset, word, size));
        break;
    case CFI_EXPECT_ERASE_CONFIRM:
        if (!is_abort(f, cmd))
            finish(f, cmd == CFI_CMD_CONFIRM ? erase(f, offset) : CFI_SR_SEQUENCE_ERROR);
        break;
    case CFI_EXPECT_LOCK: lock_block(f, offset, cmd); break;
    case CFI_EXPECT_COUNT: begin_buffer_data(f, (u16)value); break;
    case CFI_EXPECT_BUFFER: buffer_data(f, offset, value, size); break;
    case CFI_EXPECT_BUFFER_CONFIRM:
        if (!is_abort(f, cmd))
            finish(f, cmd == CFI_CMD_CONFIRM ? program_buffer(f) : CFI_SR_SEQUENCE_ERROR);
        break;
    }
}

static u8 id_byte(const struct cfi_flash *f, u64 offset)
{
    switch (offset % CFI_FLASH_BLOCK_SIZE / BUS_WIDTH) {
    case 0: return CFI_ID_MANUFACTURER;
    case 1: return CFI_ID_DEVICE;
    case 2: return f->locks[offset / CFI_FLASH_BLOCK_SIZE];
    default: return 0;
    }
}

static unsigned log2_of(u64 value)
{
    return 63 - (unsigned)__builtin_clzll(value);
}

// The CFI table of one chip (JESD68.01). Times are powers of two in us (ms for erase).
static u8 query_byte(const struct cfi_flash *f, u64 offset)
{
    const u64 chip_block = CFI_FLASH_BLOCK_SIZE / N_CHIPS;
    const u64 n_blocks = f->size / CFI_FLASH_BLOCK_SIZE - 1;
    // clang-format off
    const u8 table[] = {
        [0x10] = 'Q', 'R', 'Y',
        [0x13] = 0x01, 0x00,         // Intel's command set
        [0x15] = 0x31, 0x00,         // where its own table is
        [0x1b] = 0x45, 0x55,         // supply 4.5 to 5.5 V, no programming voltage
        [0x1f] = 7, 7, 10, 0,        // word, buffer, block erase, no chip erase
        [0x23] = 4, 4, 4, 0,         // and the factors to their maxima
        [0x27] = (u8)log2_of(f->size / N_CHIPS),
        [0x28] = 0x02, 0x00,         // x8 and x16
        [0x2a] = (u8)log2_of(CFI_FLASH_BUFFER_SIZE / N_CHIPS), 0,
        [0x2c] = 1,                  // one region of equal blocks
        [0x2d] = (u8)n_blocks, (u8)(n_blocks >> 8), (u8)(chip_block >> 8), (u8)(chip_block >> 16),
        [0x31] = 'P', 'R', 'I', '1', '0',
        [0x3f] = 1,                  // one protection field, of no size
    };
    // clang-format on
    u64 at = offset / BUS_WIDTH % 256;
    return at < sizeof(table) ? table[at] : 0;
}

// Each chip answers with one byte in its 16 bits.
static u64 flash_read(void *opaque, u64 offset, unsigned size)
{
    struct cfi_flash *f = opaque;
    u32 chip = 0;
    switch (f->mode) {
    case CFI_ARRAY: return load_le(f->memory + offset, size);
    case CFI_STATUS: chip = f->status; break;
    case CFI_ID: chip = id_byte(f, offset); break;
    case CFI_QUERY: chip = query_byte(f, offset); break;
    }
    return (chip | chip << 16) >> (8 * (offset % BUS_WIDTH));
}

static const struct mem_io_ops flash_ops = {
    .read = flash_read, .write = flash_write, .max_size = BUS_WIDTH};

static bool read_file(struct cfi_flash *f, struct err *e)
{
    static const char not_raw[] = {'Q', 'F', 'I', (char)0xfb};
    for (u64 at = 0; at < f->file_size;) {
        ssize_t n = pread(f->fd, f->memory + at, f->file_size - at, (off_t)at);
        if (n <= 0)
            return err_set(e, "read '%s': %s", f->file, n ? strerror(errno) : "it shrinks");
        at += (u64)n;
    }
    return f->file_size < 4 || memcmp(f->memory, not_raw, 4) ||
           err_set(e, "'%s' is a qcow2 image; flash needs a raw one", f->file);
}

static bool open_file(struct cfi_flash *f, struct err *e)
{
    struct stat st;
    f->fd = open(f->file, (f->is_readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &st) < 0)
        return err_set(e, "open '%s': %s", f->file, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(e, "'%s' is not a file", f->file);
    if ((u64)st.st_size > f->size)
        return err_set(e, "'%s' has %llu bytes, more than the flash of %llu bytes", f->file,
                       (unsigned long long)st.st_size, (unsigned long long)f->size);
    if (f->is_readonly && !st.st_size)
        return err_set(e, "'%s' is empty", f->file);
    if (flock(f->fd, (f->is_readonly ? LOCK_SH : LOCK_EX) | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return err_set(e, "'%s' is in use by another machine", f->file);
    f->file_size = (u64)st.st_size;
    return read_file(f, e);
}

static bool cfi_flash_realize(struct device *d, struct err *e)
{
    struct cfi_flash *f = cfi_flash_of(d);
    f->fd = -1;
    if (!is_pow2(f->size) || f->size < CFI_FLASH_BLOCK_SIZE || f->size > 1u << 30)
        return err_set(e, "size %llu is not a power of two from 256K to 1G",
                       (unsigned long long)f->size);
    f->locks = calloc(f->size / CFI_FLASH_BLOCK_SIZE, 1);
    BUG_ON(!f->locks);
    f->memory = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (f->memory == MAP_FAILED) {
        f->memory = NULL;
        return err_set(e, "memory for the flash: %s", strerror(errno));
    }
    memset(f->memory, 0xff, f->size);
    if (f->file && *f->file && !open_file(f, e))
        return false;
    f->region.size = f->size;
    f->region.ops = &flash_ops;
    f->region.opaque = f;
    f->region.name = "flash";
    f->region.direct = f->memory;
    f->region.is_direct = true;
    f->status = CFI_SR_READY;
    return true;
}

static void cfi_flash_reset(struct device *d)
{
    struct cfi_flash *f = cfi_flash_of(d);
    f->status = CFI_SR_READY;
    memset(f->locks, 0, f->size / CFI_FLASH_BLOCK_SIZE);
    go_on(f, CFI_EXPECT_COMMAND, CFI_ARRAY);
}

static void cfi_flash_free(struct device *d)
{
    struct cfi_flash *f = cfi_flash_of(d);
    if (f->memory) {
        munmap(f->memory, f->size);
        if (f->fd >= 0)
            close(f->fd);
    }
    free(f->locks);
}

static const struct device_prop cfi_flash_props[] = {
    {"size", PROP_SIZE, offsetof(struct cfi_flash, size), "size of the bank", "16M"},
    {"file", PROP_STRING, offsetof(struct cfi_flash, file),
     "a raw image, at most as large as the bank; without one the bank is blank", NULL},
    {"readonly", PROP_BOOL, offsetof(struct cfi_flash, is_readonly),
     "whether programming and erasing fail and the file is only read", NULL},
    {NULL},
};

const struct device_type cfi_flash_type = {
    .name = "cfi-flash",
    .doc = "A bank of NOR flash with Intel's command set.",
    .size = sizeof(struct cfi_flash),
    .props = cfi_flash_props,
    .realize = cfi_flash_realize,
    .reset = cfi_flash_reset,
    .free = cfi_flash_free,
};
