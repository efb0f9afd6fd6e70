// SPDX-License-Identifier: Apache-2.0
#include "dev/cfi_flash.h"
#include "dev/test_bench.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BASE 0x1d000000
#define SIZE 0x1000000

struct bank {
    struct bench *b;
    struct cfi_flash *f;
    char path[64];
    unsigned n_changed;
};

static void on_changed(void *opaque)
{
    ((struct bank *)opaque)->n_changed++;
}

static void rewrite_file(struct bank *k, const void *bytes, size_t size)
{
    int fd = open(k->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    CHECK_EQ(write(fd, bytes, size), size);
    close(fd);
}

static struct bank *bank_new(void)
{
    struct bank *k = calloc(1, sizeof(*k));
    k->b = bench_new();
    strcpy(k->path, "/tmp/flash_testXXXXXX");
    close(mkstemp(k->path));
    return k;
}

// Without a file if has_file is false.
static bool bank_start(struct bank *k, bool has_file, bool is_readonly, struct err *e)
{
    struct device *d = device_new(&cfi_flash_type, &k->b->env);
    k->f = cfi_flash_of(d);
    CHECK(device_set(d, "readonly", is_readonly ? "on" : "off", e));
    CHECK(!has_file || device_set(d, "file", k->path, e));
    if (!device_realize(d, e))
        return false;
    k->f->region.base = BASE;
    mem_add_region(&k->b->mem, &k->f->region);
    k->b->mem.changed = on_changed;
    k->b->mem.changed_opaque = k;
    device_reset(d);
    return true;
}

static void bank_stop(struct bank *k)
{
    k->b->mem.changed = NULL;
    mem_remove_region(&k->b->mem, &k->f->region);
    device_free(&k->f->d);
}

static void bank_free(struct bank *k)
{
    bench_free(k->b);
    unlink(k->path);
    free(k);
}

static struct bank *blank(void)
{
    struct bank *k = bank_new();
    struct err e = {0};
    CHECK(bank_start(k, false, false, &e));
    return k;
}

static u32 rd(struct bank *k, u32 offset)
{
    return (u32)mem_read(&k->b->mem, BASE + offset, 4);
}

static void wr(struct bank *k, u32 offset, u32 value)
{
    mem_write(&k->b->mem, BASE + offset, value, 4);
}

// A command to both chips.
static void cmd(struct bank *k, u32 offset, u8 value)
{
    wr(k, offset, value | (u32)value << 16);
}

static bool is_direct(struct bank *k)
{
    return mem_ram_page(&k->b->mem, BASE, 0x1000, false);
}

static void erase(struct bank *k, u32 offset)
{
    cmd(k, offset, CFI_CMD_ERASE);
    cmd(k, offset, CFI_CMD_CONFIRM);
}

static void expect_status(struct bank *k, u8 status)
{
    CHECK_EQ(rd(k, 0x1234), status | (u32)status << 16);
    cmd(k, 0, CFI_CMD_CLEAR_STATUS);
    cmd(k, 0, CFI_CMD_READ_ARRAY);
}

static void program(struct bank *k, u32 offset, u32 value)
{
    cmd(k, offset, CFI_CMD_PROGRAM);
    wr(k, offset, value);
}

TEST(array_mode_is_memory)
{
    struct bank *k = blank();
    CHECK(is_direct(k));
    CHECK_EQ(mem_read(&k->b->mem, BASE + 0x123, 8), ~0ULL);
    CHECK(!mem_ram_page(&k->b->mem, BASE, 0x1000, true));
    bank_stop(k);
    bank_free(k);
}

// Firmware stores zeros to its own flash and goes on executing from it.
TEST(command_0_changes_nothing)
{
    struct bank *k = blank();
    program(k, 0x3fd18, 0x11223344);
    expect_status(k, 0x80);
    unsigned before = k->n_changed;
    for (unsigned size = 1; size <= 8; size *= 2)
        mem_write(&k->b->mem, BASE + 0x3fd18, 0, size);
    CHECK(is_direct(k));
    CHECK_EQ(k->n_changed, before);
    CHECK_EQ(rd(k, 0x3fd18), 0x11223344);
    CHECK_EQ(k->b->n_logged, 0);
    bank_stop(k);
    bank_free(k);
}

TEST(other_modes_are_not_memory)
{
    struct bank *k = blank();
    static const u8 commands[] = {CFI_CMD_READ_STATUS, CFI_CMD_READ_ID, CFI_CMD_QUERY};
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        unsigned before = k->n_changed;
        cmd(k, 0, commands[i]);
        CHECK(!is_direct(k));
        CHECK_EQ(k->n_changed, before + 1);
        cmd(k, 0, CFI_CMD_READ_ARRAY);
        CHECK(is_direct(k));
        CHECK_EQ(k->n_changed, before + 2);
    }
    bank_stop(k);
    bank_free(k);
}

TEST(identifiers_and_status_appear_in_both_halves)
{
    struct bank *k = blank();
    cmd(k, 0, CFI_CMD_READ_ID);
    CHECK_EQ(rd(k, 0), 0x00890089);
    CHECK_EQ(rd(k, 4), 0x00180018);
    CHECK_EQ(rd(k, 8), 0);
    CHECK_EQ(mem_read(&k->b->mem, BASE + 6, 2), 0x18);
    CHECK_EQ(mem_read(&k->b->mem, BASE + 5, 1), 0);
    CHECK_EQ(mem_read(&k->b->mem, BASE, 8), 0x0018001800890089);
    cmd(k, 0, CFI_CMD_READ_STATUS);
    CHECK_EQ(rd(k, 0x5678), 0x00800080);
    bank_stop(k);
    bank_free(k);
}

TEST(cfi_query)
{
    struct bank *k = blank();
    cmd(k, 0x55 * 4, CFI_CMD_QUERY);
    CHECK_EQ(rd(k, 0x10 * 4), 0x00510051);
    CHECK_EQ(rd(k, 0x11 * 4), 0x00520052);
    CHECK_EQ(rd(k, 0x12 * 4), 0x00590059);
    CHECK_EQ(rd(k, 0x13 * 4), 0x00010001);
    CHECK_EQ(rd(k, 0x27 * 4) & 0xff, 23); // 8 MiB per chip
    CHECK_EQ(rd(k, 0x2a * 4) & 0xff, 11);
    CHECK_EQ(rd(k, 0x2c * 4) & 0xff, 1);
    u32 n_blocks = (rd(k, 0x2d * 4) & 0xff) | (rd(k, 0x2e * 4) & 0xff) << 8;
    u32 block = (rd(k, 0x2f * 4) & 0xff) << 8 | (rd(k, 0x30 * 4) & 0xff) << 16;
    CHECK_EQ((n_blocks + 1) * block * 2, SIZE);
    CHECK_EQ(block * 2, CFI_FLASH_BLOCK_SIZE);
    CHECK_EQ(rd(k, 0x31 * 4) & 0xff, 'P');
    CHECK_EQ(rd(k, 0xff * 4), 0);
    bank_stop(k);
    bank_free(k);
}

TEST(programming_clears_bits_and_erasing_sets_a_block)
{
    struct bank *k = blank();
    program(k, 0x40000, 0x0f0f1234);
    expect_status(k, 0x80);
    CHECK_EQ(rd(k, 0x40000), 0x0f0f1234);
    program(k, 0x40000, 0xf5fff0ff);
    expect_status(k, 0x80);
    CHECK_EQ(rd(k, 0x40000), 0x050f1034);
    cmd(k, 0x3fffc, CFI_CMD_PROGRAM_ALT);
    wr(k, 0x3fffc, 1);
    cmd(k, 0, CFI_CMD_PROGRAM);
    mem_write(&k->b->mem, BASE + 0x7fffe, 0x2211, 2);
    cmd(k, 0, CFI_CMD_PROGRAM);
    mem_write(&k->b->mem, BASE + 0x80001, 0x33, 1);
    expect_status(k, 0x80);
    erase(k, 0x5abc0);
    expect_status(k, 0x80);
    CHECK_EQ(rd(k, 0x40000), 0xffffffff);
    CHECK_EQ(rd(k, 0x7fffc), 0xffffffff);
    CHECK_EQ(rd(k, 0x3fffc), 1);
    CHECK_EQ(rd(k, 0x80000), 0xffff33ff);
    bank_stop(k);
    bank_free(k);
}

TEST(wrong_second_commands_are_sequence_errors)
{
    struct bank *k = blank();
    program(k, 0, 0x12345678);
    expect_status(k, 0x80);
    cmd(k, 0, CFI_CMD_ERASE);
    cmd(k, 0, CFI_CMD_READ_STATUS);
    expect_status(k, 0xb0);
    cmd(k, 0, CFI_CMD_LOCK_SETUP);
    cmd(k, 0, 0x55);
    expect_status(k, 0xb0);
    cmd(k, 0, CFI_CMD_BUFFER);
    wr(k, 0, 0x04000400); // 1025 words, one more than there are
    expect_status(k, 0xb0);
    // The array command takes the first back.
    cmd(k, 0, CFI_CMD_ERASE);
    cmd(k, 0, CFI_CMD_READ_ARRAY);
    CHECK(is_direct(k));
    CHECK_EQ(rd(k, 0), 0x12345678);
    CHECK_EQ(k->b->n_logged, 0);
    cmd(k, 0, 0x33);
    CHECK_EQ(k->b->n_logged, 1);
    CHECK(is_direct(k));
    bank_stop(k);
    bank_free(k);
}

// Buffered program as EDK2's VirtNorFlash driver does it, 128 bytes.
static void edk2_write_buffer(struct bank *k, u32 offset, const u32 *words, unsigned n)
{
    cmd(k, offset, CFI_CMD_BUFFER);
    CHECK_EQ(rd(k, offset), 0x00800080);
    wr(k, offset, (n - 1) | (n - 1) << 16);
    for (unsigned i = 0; i < n; i++)
        wr(k, offset + 4 * i, words[i]);
    cmd(k, offset, CFI_CMD_CONFIRM);
    CHECK_EQ(rd(k, offset), 0x00800080);
    cmd(k, 0, CFI_CMD_READ_STATUS);
    CHECK_EQ(rd(k, offset), 0x00800080);
    cmd(k, 0, CFI_CMD_CLEAR_STATUS);
    cmd(k, 0, CFI_CMD_READ_ARRAY);
}

// And its erase: unlock, wait until the identifier says unlocked, erase, poll, array.
static void edk2_unlock_and_erase(struct bank *k, u32 block)
{
    cmd(k, block, CFI_CMD_LOCK_SETUP);
    cmd(k, block, CFI_CMD_CONFIRM);
    cmd(k, block + 8, CFI_CMD_READ_ID);
    CHECK_EQ(rd(k, block + 8) & 0x00010001, 0);
    cmd(k, block, CFI_CMD_ERASE);
    cmd(k, block, CFI_CMD_CONFIRM);
    CHECK_EQ(rd(k, block), 0x00800080);
    cmd(k, block, CFI_CMD_READ_ARRAY);
}

TEST(edk2_formats_a_variable_store)
{
    struct bank *k = blank();
    u32 words[32];
    for (unsigned i = 0; i < 32; i++)
        words[i] = 0x01010101 * i;
    edk2_unlock_and_erase(k, 0x80000);
    edk2_write_buffer(k, 0x80000, words, 32);
    edk2_write_buffer(k, 0x80080, words + 5, 1);
    for (unsigned i = 0; i < 32; i++)
        CHECK_EQ(rd(k, 0x80000 + 4 * i), words[i]);
    CHECK_EQ(rd(k, 0x80080), words[5]);
    CHECK_EQ(rd(k, 0x80084), 0xffffffff);
    edk2_unlock_and_erase(k, 0x80000);
    CHECK_EQ(rd(k, 0x80000), 0xffffffff);
    bank_stop(k);
    bank_free(k);
}

TEST(a_full_buffer_and_one_that_leaves_its_window)
{
    struct bank *k = blank();
    cmd(k, 0x1000, CFI_CMD_BUFFER);
    wr(k, 0x1000, 0x03ff03ff);
    for (u32 i = 0; i < 1024; i++)
        wr(k, 0x1000 + 4 * i, i);
    cmd(k, 0x1000, CFI_CMD_CONFIRM);
    expect_status(k, 0x80);
    for (u32 i = 0; i < 1024; i++)
        CHECK_EQ(rd(k, 0x1000 + 4 * i), i);
    cmd(k, 0x3000, CFI_CMD_BUFFER);
    wr(k, 0x3000, 1);
    wr(k, 0x3ffc, 0);
    wr(k, 0x4000, 0);
    expect_status(k, 0xb0);
    CHECK_EQ(rd(k, 0x3ffc), 0xffffffff);
    // Not confirmed: nothing is programmed.
    cmd(k, 0x3000, CFI_CMD_BUFFER);
    wr(k, 0x3000, 0);
    wr(k, 0x3000, 0);
    cmd(k, 0x3000, 0x70);
    expect_status(k, 0xb0);
    CHECK_EQ(rd(k, 0x3000), 0xffffffff);
    // Nothing but erased bytes, at the very end.
    cmd(k, SIZE - 4, CFI_CMD_BUFFER);
    wr(k, SIZE - 4, 0);
    wr(k, SIZE - 4, 0xffffffff);
    cmd(k, SIZE - 4, CFI_CMD_CONFIRM);
    expect_status(k, 0x80);
    bank_stop(k);
    bank_free(k);
}

TEST(locked_blocks_refuse)
{
    struct bank *k = blank();
    cmd(k, 0x40000, CFI_CMD_LOCK_SETUP);
    cmd(k, 0x40000, CFI_CMD_LOCK);
    expect_status(k, 0x80);
    cmd(k, 0, CFI_CMD_READ_ID);
    CHECK_EQ(rd(k, 0x40008), 0x00010001);
    CHECK_EQ(rd(k, 8), 0);
    program(k, 0x40000, 0);
    expect_status(k, 0x92);
    erase(k, 0x40000);
    expect_status(k, 0xa2);
    CHECK_EQ(rd(k, 0x40000), 0xffffffff);
    program(k, 0x80000, 0);
    expect_status(k, 0x80);
    // Errors stay until they are cleared.
    program(k, 0x40000, 0);
    program(k, 0x80000, 0);
    expect_status(k, 0x92);
    cmd(k, 0x40000, CFI_CMD_LOCK_SETUP);
    cmd(k, 0x40000, CFI_CMD_CONFIRM);
    program(k, 0x40000, 7);
    expect_status(k, 0x80);
    CHECK_EQ(rd(k, 0x40000), 7);
    bank_stop(k);
    bank_free(k);
}

TEST(the_file_keeps_what_was_written)
{
    struct bank *k = bank_new();
    struct err e = {0};
    struct stat st;
    CHECK(!truncate(k->path, SIZE));
    REQUIRE(bank_start(k, true, false, &e));
    erase(k, 0xfc0000);
    program(k, 0xfc0000, 0xcafef00d);
    u32 word = 0x55aa55aa;
    cmd(k, 0, CFI_CMD_READ_ARRAY);
    edk2_write_buffer(k, 0xfc0100, &word, 1);
    CHECK_EQ(rd(k, 0), 0);
    bank_stop(k);
    CHECK(!stat(k->path, &st) && st.st_size == SIZE);
    REQUIRE(bank_start(k, true, false, &e));
    CHECK_EQ(rd(k, 0xfc0000), 0xcafef00d);
    CHECK_EQ(rd(k, 0xfc0100), 0x55aa55aa);
    CHECK_EQ(rd(k, 0xfc0104), 0xffffffff);
    CHECK_EQ(rd(k, 0), 0);
    bank_stop(k);
    bank_free(k);
}

TEST(a_smaller_file_reads_erased_behind_its_end_and_grows)
{
    struct bank *k = bank_new();
    struct err e = {0};
    struct stat st;
    rewrite_file(k, "\1\2\3\4\5", 5);
    REQUIRE(bank_start(k, true, false, &e));
    CHECK_EQ(rd(k, 0), 0x04030201);
    CHECK_EQ(rd(k, 4), 0xffffff05);
    program(k, 0x1000, 0x11111111);
    expect_status(k, 0x80);
    bank_stop(k);
    CHECK(!stat(k->path, &st) && st.st_size == 0x1004);
    REQUIRE(bank_start(k, true, false, &e));
    CHECK_EQ(rd(k, 4), 0xffffff05);
    CHECK_EQ(rd(k, 0xffc), 0xffffffff);
    CHECK_EQ(rd(k, 0x1000), 0x11111111);
    CHECK_EQ(rd(k, 0x1004), 0xffffffff);
    bank_stop(k);
    bank_free(k);
}

TEST(readonly_refuses_and_leaves_the_file_alone)
{
    struct bank *k = bank_new();
    struct err e = {0};
    char got[16];
    rewrite_file(k, "\1\2\3\4", 4);
    CHECK(!chmod(k->path, 0400));
    REQUIRE(bank_start(k, true, true, &e));
    program(k, 0, 0);
    expect_status(k, 0x92);
    erase(k, 0);
    expect_status(k, 0xa2);
    CHECK_EQ(rd(k, 0), 0x04030201);
    int fd = open(k->path, O_RDONLY | O_CLOEXEC);
    CHECK(read(fd, got, sizeof(got)) == 4 && !memcmp(got, "\1\2\3\4", 4));
    close(fd);
    bank_stop(k);
    bank_free(k);
}

// The file refuses to grow: the machine sees a program error, and array and file stay as they were.
TEST(a_failing_file_shows_as_an_error)
{
    struct bank *k = bank_new();
    struct err e = {0};
    REQUIRE(bank_start(k, true, false, &e));
    close(k->f->fd);
    k->f->fd = open(k->path, O_RDONLY | O_CLOEXEC);
    program(k, 0, 0);
    expect_status(k, 0x90);
    erase(k, 0);
    expect_status(k, 0xa0);
    CHECK_EQ(rd(k, 0), 0xffffffff);
    bank_stop(k);
    bank_free(k);
}

static void expect_refused(struct bank *k, bool is_readonly, const char *want)
{
    struct err e = {0};
    CHECK(!bank_start(k, true, is_readonly, &e));
    if (!strstr(e.text, want))
        printf("# %s\n", e.text);
    CHECK(strstr(e.text, want));
    device_free(&k->f->d);
}

TEST(wrong_files_are_refused)
{
    struct bank *k = bank_new();
    struct err e = {0};
    CHECK(!truncate(k->path, SIZE + 1));
    expect_refused(k, false, "has 16777217 bytes, more than the flash of 16777216 bytes");
    CHECK(!truncate(k->path, 0));
    expect_refused(k, true, "is empty");
    rewrite_file(k, "QFI\xfb", 4);
    expect_refused(k, false, "is a qcow2 image; flash needs a raw one");
    CHECK(!truncate(k->path, 0));
    REQUIRE(bank_start(k, true, false, &e));
    struct bank other = *k;
    expect_refused(&other, false, "is in use by another machine");
    bank_stop(k);
    unlink(k->path);
    expect_refused(k, false, "No such file or directory");
    strcpy(k->path, "/tmp");
    expect_refused(k, true, "'/tmp' is not a file");
    bank_free(k);
}

TEST(wrong_sizes_are_refused)
{
    static const char *const sizes[] = {"0", "128K", "3M", "2G"};
    struct bench *b = bench_new();
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        struct err e = {0};
        struct device *d = device_new(&cfi_flash_type, &b->env);
        CHECK(device_set(d, "size", sizes[i], &e));
        CHECK(!device_realize(d, &e));
        CHECK(strstr(e.text, "is not a power of two from 256K to 1G"));
        device_free(d);
    }
    bench_free(b);
}

TEST(reset_returns_to_array_mode)
{
    struct bank *k = blank();
    cmd(k, 0, CFI_CMD_LOCK_SETUP);
    cmd(k, 0, CFI_CMD_LOCK);
    cmd(k, 0, CFI_CMD_BUFFER);
    wr(k, 0, 0x00030003);
    device_reset(&k->f->d);
    CHECK(is_direct(k));
    program(k, 0, 5);
    expect_status(k, 0x80);
    CHECK_EQ(rd(k, 0), 5);
    bank_stop(k);
    bank_free(k);
}

// What Linux's cfi_probe and cfi_cmdset_0001 do.
TEST(linux_probes_and_writes)
{
    struct bank *k = blank();
    wr(k, 0, 0x00f000f0);
    wr(k, 0, 0x00ff00ff);
    wr(k, 0x55 * 4, 0x00980098);
    CHECK_EQ(rd(k, 0x40), 0x00510051);
    wr(k, 0, 0x00f000f0);
    wr(k, 0, 0x00ff00ff);
    CHECK(is_direct(k));
    wr(k, 0x55 * 4, 0x00980098);
    CHECK_EQ(rd(k, 0x31 * 4), 0x00500050);
    wr(k, 0, 0x00900090);
    CHECK_EQ(rd(k, 0), 0x00890089);
    wr(k, 0, 0x00ff00ff);
    // Erase: clear status, erase, confirm, and status by reading until 0x80.
    wr(k, 0x40000, 0x00500050);
    wr(k, 0x40000, 0x00200020);
    wr(k, 0x40000, 0x00d000d0);
    CHECK_EQ(rd(k, 0x40000), 0x00800080);
    wr(k, 0x40000, 0x00700070);
    CHECK_EQ(rd(k, 0x40000), 0x00800080);
    // Buffered write.
    wr(k, 0x40000, 0x00700070);
    wr(k, 0x40000, 0x00e800e8);
    CHECK_EQ(rd(k, 0x40000), 0x00800080);
    wr(k, 0x40000, 0x00010001);
    wr(k, 0x40000, 0xdeadbeef);
    wr(k, 0x40004, 0x01234567);
    wr(k, 0x40000, 0x00d000d0);
    CHECK_EQ(rd(k, 0x40000), 0x00800080);
    wr(k, 0x40000, 0x00700070);
    wr(k, 0x40000, 0x00ff00ff);
    CHECK_EQ(mem_read(&k->b->mem, BASE + 0x40000, 8), 0x01234567deadbeef);
    bank_stop(k);
    bank_free(k);
}
