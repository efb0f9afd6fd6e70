// SPDX-License-Identifier: Apache-2.0
#include "mach/boot_image.h"

#include "base/test.h"

static void init(struct mem_space *m, struct boot_image *b)
{
    struct err e = {0};
    mem_space_init(m, NULL);
    CHECK(mem_add_ram(m, 0, 0x100000, "low", &e));
    CHECK(mem_add_ram(m, 0x200000, 0x100000, "high", &e));
    *b = (struct boot_image){0};
}

static void done(struct mem_space *m, struct boot_image *b)
{
    boot_image_free(b);
    mem_space_free(m);
}

static bool add(struct boot_image *b, struct mem_space *m, const char *name, u64 base, u64 size,
                struct err *e)
{
    char text[32];
    snprintf(text, sizeof(text), "%s", name); // the piece keeps a copy
    struct boot_piece p = {.name = text, .base = base, .size = size, .remedy = "move it"};
    return boot_image_add(b, m, &p, e);
}

TEST(loading_writes_data_and_zeros_again_and_again)
{
    struct mem_space m;
    struct boot_image b;
    struct err e = {0};
    init(&m, &b);
    static const u8 data[] = {1, 2, 3, 4};
    struct boot_piece p = {
        .name = "kernel", .base = 0x1000, .size = 0x30000, .data = data, .data_size = 4};
    CHECK(boot_image_add(&b, &m, &p, &e));
    for (int i = 0; i < 2; i++) {
        mem_write(&m, 0x1000, 0x55, 1);
        mem_write(&m, 0x30ffc, 0xffffffffffffffff, 8);
        boot_image_load(&b, &m);
        CHECK_EQ(mem_read(&m, 0x1000, 8), 0x04030201);
        CHECK_EQ(mem_read(&m, 0x30ff8, 8), 0);
        CHECK_EQ(mem_read(&m, 0x31000, 4), 0xffffffff);
    }
    done(&m, &b);
}

TEST(overlaps_name_both_ranges_and_the_remedy)
{
    struct mem_space m;
    struct boot_image b;
    struct err e = {0};
    init(&m, &b);
    CHECK(add(&b, &m, "tables", 0x10000, 0x1000, &e));
    CHECK(!add(&b, &m, "kernel 'a'", 0xf000, 0x1001, &e));
    CHECK_STR(e.text, "kernel 'a': 0xf000-0x10000 overlaps 0x10000-0x10fff of tables; move it");
    CHECK(!add(&b, &m, "kernel 'a'", 0x10fff, 1, &e));
    CHECK(!add(&b, &m, "kernel 'a'", 0, 0x100000, &e));
    CHECK(add(&b, &m, "kernel 'a'", 0xf000, 0x1000, &e));
    CHECK(add(&b, &m, "kernel 'a'", 0x11000, 0x1000, &e));
    CHECK_EQ(b.n_pieces, 3);
    CHECK_EQ(b.pieces[0].base, 0xf000);
    CHECK_EQ(b.pieces[1].base, 0x10000);
    CHECK_EQ(b.pieces[2].base, 0x11000);
    done(&m, &b);
}

TEST(pieces_outside_ram_are_refused)
{
    struct mem_space m;
    struct boot_image b;
    struct err e = {0};
    init(&m, &b);
    CHECK(!add(&b, &m, "kernel 'a'", 0xff000, 0x1001, &e));
    CHECK_STR(e.text, "kernel 'a': 0xff000-0x100000 is not in RAM, which is 0x0-0xfffff and "
                      "0x200000-0x2fffff; move it");
    CHECK(!add(&b, &m, "kernel 'a'", 0x120000000, 0x1000, &e));
    CHECK(!add(&b, &m, "kernel 'a'", 0x1000, ~0ULL, &e));
    CHECK(!add(&b, &m, "kernel 'a'", ~0ULL - 0xfff, 0x1000, &e));
    CHECK(add(&b, &m, "kernel 'a'", 0x2ff000, 0x1000, &e));
    done(&m, &b);
}

TEST(space_is_found_from_the_top)
{
    struct mem_space m;
    struct boot_image b;
    struct err e = {0};
    u64 base = 0;
    init(&m, &b);
    CHECK(boot_image_find_space(&b, 0, 0x100000, 0x1001, 0x1000, &base));
    CHECK_EQ(base, 0xfe000);
    CHECK(add(&b, &m, "a", 0xc0000, 0x10000, &e));
    CHECK(add(&b, &m, "b", 0x10000, 0x80000, &e));
    CHECK(boot_image_find_space(&b, 0, 0x100000, 0x30000, 0x1000, &base));
    CHECK_EQ(base, 0xd0000);
    CHECK(!boot_image_find_space(&b, 0, 0x100000, 0x30001, 0x1000, &base));
    CHECK(boot_image_find_space(&b, 0, 0xe0000, 0x20000, 0x1000, &base));
    CHECK_EQ(base, 0xa0000);
    CHECK(boot_image_find_space(&b, 0, 0xa0000, 0x10000, 0x1000, &base));
    CHECK_EQ(base, 0x90000);
    CHECK(boot_image_find_space(&b, 0, 0x90000, 0x10000, 0x1000, &base));
    CHECK_EQ(base, 0);
    CHECK(!boot_image_find_space(&b, 0x1000, 0x90000, 0x10000, 0x1000, &base));
    CHECK(!boot_image_find_space(&b, 0, 0x100000, ~0ULL, 0x1000, &base));
    done(&m, &b);
}

TEST(there_is_a_limit_to_pieces)
{
    struct mem_space m;
    struct boot_image b;
    struct err e = {0};
    init(&m, &b);
    for (unsigned i = 0; i < BOOT_MAX_PIECES; i++)
        CHECK(add(&b, &m, "p", i * 16, 16, &e));
    CHECK(!add(&b, &m, "p", BOOT_MAX_PIECES * 16, 16, &e));
    done(&m, &b);
}
