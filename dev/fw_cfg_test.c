// SPDX-License-Identifier: Apache-2.0
#include "dev/fw_cfg.h"
#include "dev/test_bench.h"
#include "base/bits.h"

#define BASE    0x1e020000
#define REQUEST 0x1000 // where the tests put DMA requests
#define BUFFER  0x2000

static struct fw_cfg *make(struct bench *b)
{
    struct err e = {0};
    struct fw_cfg *f = fw_cfg_of(device_new(&fw_cfg_type, &b->env));
    CHECK(device_realize(&f->d, &e));
    f->region.base = BASE;
    mem_add_region(&b->mem, &f->region);
    device_reset(&f->d);
    return f;
}

static void done(struct bench *b, struct fw_cfg *f)
{
    device_free(&f->d);
    bench_free(b);
}

static void select_key(struct bench *b, u16 key)
{
    mem_write(&b->mem, BASE + FW_CFG_SELECTOR, (u16)(key << 8 | key >> 8), 2);
}

static u64 swap(u64 value, unsigned size)
{
    u8 bytes[8];
    store_le(bytes, value, size);
    return load_be(bytes, size);
}

// As EDK2 does it: the request in memory, two 32-bit writes, then a look at the control word.
static u32 dma(struct bench *b, u32 control, u32 length, u64 address)
{
    u8 request[16], answer[4];
    store_be(request, control, 4);
    store_be(request + 4, length, 4);
    store_be(request + 8, address, 8);
    CHECK(mem_dma_write(&b->mem, REQUEST, request, sizeof(request)));
    mem_write(&b->mem, BASE + FW_CFG_DMA, 0, 4);
    mem_write(&b->mem, BASE + FW_CFG_DMA + 4, swap(REQUEST, 4), 4);
    CHECK(mem_dma_read(&b->mem, REQUEST, answer, sizeof(answer)));
    return (u32)load_be(answer, 4);
}

TEST(signature_and_features)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    CHECK_EQ(mem_read(&b->mem, BASE + FW_CFG_DATA, 4), 0x554d4551); // "QEMU"
    select_key(b, FW_CFG_FEATURES);
    CHECK_EQ(mem_read(&b->mem, BASE + FW_CFG_DATA, 4), 3);
    CHECK_EQ(mem_read(&b->mem, BASE + FW_CFG_DATA, 4), 0);
    CHECK_EQ(swap(mem_read(&b->mem, BASE + FW_CFG_DMA, 8), 8), 0x51454d5520434647);
    CHECK_EQ(swap(mem_read(&b->mem, BASE + FW_CFG_DMA, 4), 4), 0x51454d55);
    CHECK_EQ(swap(mem_read(&b->mem, BASE + FW_CFG_DMA + 4, 4), 4), 0x20434647);
    CHECK_EQ(mem_read(&b->mem, BASE + FW_CFG_SELECTOR, 2), 0);
    done(b, f);
}

TEST(the_data_register_gives_bytes_in_order_for_any_size)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    const u8 data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    fw_cfg_add_bytes(f, FW_CFG_UUID, data, sizeof(data));
    select_key(b, FW_CFG_UUID);
    CHECK_EQ(mem_read(&b->mem, BASE, 1), 1);
    CHECK_EQ(mem_read(&b->mem, BASE, 2), 0x0302);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0x07060504);
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 0x0f0e0d0c0b0a0908);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 16); // and zeros past the end
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 0);
    select_key(b, FW_CFG_UUID); // from the start again
    CHECK_EQ(mem_read(&b->mem, BASE, 1), 1);
    select_key(b, 0x77);
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 0);
    select_key(b, 0x8002);
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 0);
    done(b, f);
}

TEST(numbers_are_little_endian)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    fw_cfg_add_u16(f, FW_CFG_NB_CPUS, 4);
    fw_cfg_add_u32(f, FW_CFG_KERNEL_SIZE, 0x12345678);
    fw_cfg_add_u64(f, FW_CFG_RAM_SIZE, 0x123456789a);
    fw_cfg_add_string(f, FW_CFG_CMDLINE_DATA, "ro");
    select_key(b, FW_CFG_NB_CPUS);
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 4);
    select_key(b, FW_CFG_KERNEL_SIZE);
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 0x12345678);
    select_key(b, FW_CFG_RAM_SIZE);
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 0x123456789a);
    CHECK_EQ(f->fixed[FW_CFG_CMDLINE_DATA].size, 3);
    done(b, f);
}

static void check_entry(struct bench *b, u32 size, u16 key, const char *name)
{
    char got[FW_CFG_NAME_SIZE];
    CHECK_EQ(swap(mem_read(&b->mem, BASE, 4), 4), size);
    CHECK_EQ(swap(mem_read(&b->mem, BASE, 2), 2), key);
    CHECK_EQ(mem_read(&b->mem, BASE, 2), 0);
    for (unsigned i = 0; i < sizeof(got); i++)
        got[i] = (char)mem_read(&b->mem, BASE, 1);
    CHECK_STR(got, name);
}

TEST(the_directory_is_sorted_and_keys_start_at_0x20)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    struct err e = {0};
    select_key(b, FW_CFG_FILE_DIR);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0);
    CHECK(fw_cfg_add_file(f, "etc/memmap", "mmm", 3, &e));
    CHECK(fw_cfg_add_file(f, "bootorder", "b", 1, &e));
    CHECK(fw_cfg_add_file(f, "etc/acpi/tables", NULL, 70000, &e));
    CHECK(fw_cfg_add_file(f, "etc/acpi/rsdp", "rr", 2, &e));
    select_key(b, FW_CFG_FILE_DIR);
    CHECK_EQ(swap(mem_read(&b->mem, BASE, 4), 4), 4);
    check_entry(b, 1, 0x20, "bootorder");
    check_entry(b, 2, 0x21, "etc/acpi/rsdp");
    check_entry(b, 70000, 0x22, "etc/acpi/tables");
    check_entry(b, 3, 0x23, "etc/memmap");
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 0);
    select_key(b, 0x23);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0x6d6d6d);
    select_key(b, 0x24);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0);
    done(b, f);
}

TEST(wrong_files_are_refused)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    struct err e = {0};
    char name[64];
    memset(name, 'n', sizeof(name));
    name[56] = 0;
    CHECK(!fw_cfg_add_file(f, name, "", 0, &e));
    CHECK(strstr(e.text, "a name has 1 to 55 bytes"));
    CHECK(!fw_cfg_add_file(f, "", "", 0, &e));
    name[55] = 0;
    CHECK(fw_cfg_add_file(f, name, "", 0, &e));
    CHECK(!fw_cfg_add_file(f, name, "", 0, &e));
    CHECK(strstr(e.text, "there is one already"));
    CHECK(!fw_cfg_add_file(f, "big", "", 1ULL << 32, &e));
    CHECK(strstr(e.text, "larger than 4 GiB"));
    for (int i = 1; i < FW_CFG_MAX_FILES; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        CHECK(fw_cfg_add_file(f, name, "", 0, &e));
    }
    CHECK(!fw_cfg_add_file(f, "one more", "", 0, &e));
    CHECK(strstr(e.text, "more than 256 files"));
    done(b, f);
}

TEST(dma_select_skip_and_read)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    u8 got[16];
    fw_cfg_add_bytes(f, FW_CFG_UUID, "0123456789", 10);
    u32 select_uuid = FW_CFG_UUID << 16 | FW_CFG_DMA_SELECT;
    CHECK_EQ(dma(b, select_uuid | FW_CFG_DMA_READ, 4, BUFFER), 0);
    CHECK(mem_dma_read(&b->mem, BUFFER, got, 4) && !memcmp(got, "0123", 4));
    CHECK_EQ(dma(b, FW_CFG_DMA_SKIP, 2, 0), 0);
    CHECK_EQ(mem_read(&b->mem, BASE, 1), '6');
    memset(got, 0xee, sizeof(got));
    CHECK(mem_dma_write(&b->mem, BUFFER, got, sizeof(got)));
    CHECK_EQ(dma(b, FW_CFG_DMA_READ, 8, BUFFER), 0); // 3 bytes are left, then zeros
    CHECK(mem_dma_read(&b->mem, BUFFER, got, 9) && !memcmp(got, "789\0\0\0\0\0\xee", 9));
    CHECK_EQ(dma(b, select_uuid, 1000, 0), 0);
    CHECK_EQ(mem_read(&b->mem, BASE, 1), '0');
    CHECK_EQ(dma(b, FW_CFG_DMA_SKIP, 0xffffffff, 0), 0);
    CHECK_EQ(dma(b, FW_CFG_DMA_SKIP, 0xffffffff, 0), 0);
    CHECK_EQ(mem_read(&b->mem, BASE, 1), 0);
    // An item that is not there reads as zeros.
    CHECK_EQ(dma(b, 0x3000 << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ, 9, BUFFER), 0);
    CHECK(mem_dma_read(&b->mem, BUFFER, got, 9) && !memcmp(got, "\0\0\0\0\0\0\0\0", 9));
    done(b, f);
}

TEST(dma_starts_with_one_64_bit_write_too)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    u8 request[16] = {0}, got[4];
    store_be(request, FW_CFG_DMA_READ, 4);
    store_be(request + 4, 4, 4);
    store_be(request + 8, BUFFER, 8);
    CHECK(mem_dma_write(&b->mem, REQUEST, request, sizeof(request)));
    mem_write(&b->mem, BASE + FW_CFG_DMA, swap(REQUEST, 8), 8);
    CHECK(mem_dma_read(&b->mem, BUFFER, got, 4) && !memcmp(got, "QEMU", 4));
    CHECK(mem_dma_read(&b->mem, REQUEST, got, 4) && !memcmp(got, "\0\0\0\0", 4));
    done(b, f);
}

TEST(dma_outside_ram_sets_the_error_bit)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    CHECK_EQ(dma(b, FW_CFG_DMA_READ, 4, BENCH_RAM_SIZE - 3), FW_CFG_DMA_ERROR);
    CHECK_EQ(dma(b, FW_CFG_DMA_READ, 4, ~0ULL), FW_CFG_DMA_ERROR);
    CHECK_EQ(dma(b, FW_CFG_DMA_READ, 0xffffffff, 0x8000), FW_CFG_DMA_ERROR);
    CHECK_EQ(dma(b, FW_CFG_DMA_READ, 4, BENCH_RAM_SIZE - 4), 0);
    // The request itself: nothing to write the answer to, and nothing breaks.
    mem_write(&b->mem, BASE + FW_CFG_DMA, swap(0xfffffffffffffff8, 8), 8);
    mem_write(&b->mem, BASE + FW_CFG_DMA, swap(BENCH_RAM_SIZE - 15, 8), 8);
    u8 got[4];
    CHECK(mem_dma_read(&b->mem, BENCH_RAM_SIZE - 15, got, 4));
    CHECK_EQ(load_be(got, 4), FW_CFG_DMA_ERROR);
    done(b, f);
}

TEST(a_big_file_in_pieces)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    struct err e = {0};
    const u32 size = 5 << 20, piece = 0x80000 - 4096;
    u8 *data = malloc(size), *got = malloc(size + piece);
    for (u32 i = 0; i < size; i++)
        data[i] = (u8)(i * 2654435761u >> 13);
    CHECK(fw_cfg_add_file(f, "opt/big", data, size, &e));
    CHECK_EQ(dma(b, 0x20 << 16 | FW_CFG_DMA_SELECT, 0, 0), 0);
    for (u32 at = 0; at < size; at += piece) {
        CHECK_EQ(dma(b, FW_CFG_DMA_READ, piece, BUFFER), 0);
        CHECK(mem_dma_read(&b->mem, BUFFER, got + at, piece));
    }
    CHECK(!memcmp(data, got, size));
    free(data);
    free(got);
    done(b, f);
}

struct hooked {
    u32 n_selected, at, size;
};

static void on_selected(void *opaque, u8 *data, u32 size)
{
    struct hooked *h = opaque;
    memset(data, (int)++h->n_selected, size);
}

static void on_written(void *opaque, u32 offset, u32 size)
{
    struct hooked *h = opaque;
    h->at = offset;
    h->size = size;
}

TEST(hooks_make_data_when_selected)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    struct err e = {0};
    struct hooked h = {0};
    const struct fw_cfg_hooks hooks = {.selected = on_selected, .opaque = &h};
    CHECK(fw_cfg_add_hooked(f, "made", 3, &hooks, &e));
    select_key(b, 0x20);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0x010101);
    CHECK_EQ(h.n_selected, 1);
    CHECK_EQ(dma(b, 0x20 << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ, 3, BUFFER), 0);
    CHECK_EQ(mem_read(&b->mem, BUFFER, 4) & 0xffffff, 0x020202);
    CHECK_EQ(dma(b, 0x20 << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_WRITE, 3, BUFFER),
             FW_CFG_DMA_ERROR);
    done(b, f);
}

TEST(only_items_that_allow_it_are_written_and_only_within_their_size)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    struct err e = {0};
    struct hooked h = {0};
    const struct fw_cfg_hooks hooks = {.written = on_written, .opaque = &h};
    CHECK(fw_cfg_add_hooked(f, "rw", 8, &hooks, &e));
    CHECK(fw_cfg_add_file(f, "ro", "12345678", 8, &e));
    u32 select_rw = 0x21 << 16 | FW_CFG_DMA_SELECT;
    CHECK(mem_dma_write(&b->mem, BUFFER, "abcdefgh", 8));
    CHECK_EQ(dma(b, 0x20 << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_WRITE, 8, BUFFER),
             FW_CFG_DMA_ERROR);
    CHECK_EQ(dma(b, select_rw, 0, 0), 0);
    CHECK_EQ(dma(b, FW_CFG_DMA_SKIP, 2, 0), 0);
    CHECK_EQ(dma(b, FW_CFG_DMA_WRITE, 4, BUFFER), 0);
    CHECK_EQ(h.at, 2);
    CHECK_EQ(h.size, 4);
    CHECK_EQ(dma(b, FW_CFG_DMA_WRITE, 3, BUFFER), FW_CFG_DMA_ERROR);
    CHECK_EQ(dma(b, FW_CFG_DMA_WRITE, 2, BENCH_RAM_SIZE), FW_CFG_DMA_ERROR);
    select_key(b, 0x21);
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 0x0000646362610000);
    select_key(b, 0x20);
    CHECK_EQ(mem_read(&b->mem, BASE, 8), 0x3837363534333231);
    done(b, f);
}

TEST(writes_that_mean_nothing_change_nothing)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    mem_write(&b->mem, BASE + FW_CFG_DATA, 0x1122, 2);
    mem_write(&b->mem, BASE + FW_CFG_SELECTOR, 1, 1);
    mem_write(&b->mem, BASE + FW_CFG_SELECTOR, 1, 4);
    mem_write(&b->mem, BASE + FW_CFG_DMA, 1, 1);
    CHECK_EQ(b->n_logged, 4);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0x554d4551);
    done(b, f);
}

TEST(reset_selects_the_signature)
{
    struct bench *b = bench_new();
    struct fw_cfg *f = make(b);
    select_key(b, FW_CFG_FEATURES);
    mem_write(&b->mem, BASE + FW_CFG_DMA, 0xffffffff, 4);
    device_reset(&f->d);
    CHECK_EQ(mem_read(&b->mem, BASE, 4), 0x554d4551);
    CHECK_EQ(f->dma_address, 0);
    done(b, f);
}
