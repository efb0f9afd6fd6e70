// SPDX-License-Identifier: Apache-2.0
#include "mem/place.h"
#include "base/test.h"

static const struct mem_io_ops no_ops = {0};

static struct mem_region region(gpa_t base, u64 size, int priority, const char *name)
{
    return (struct mem_region){
        .base = base, .size = size, .priority = priority, .ops = &no_ops, .name = name};
}

TEST(regions_are_told_with_what_they_lie_in)
{
    struct mem_space m;
    struct err e = {0};
    mem_space_init(&m, NULL);
    REQUIRE(mem_add_ram(&m, 0, 0x10000, "ram", &e));
    struct mem_region chip = region(0x100000, 0x10000, 0, "chip"),
                      uart = region(0x100100, 8, 1, "uart"),
                      last = region(~0ULL - 0xfff, 0x1000, 0, "last");
    mem_add_region(&m, &last);
    mem_add_region(&m, &uart);
    mem_add_region(&m, &chip);
    struct mem_place p[MEM_MAX_PLACES];
    static const char *const names[] = {"RAM", "chip", "uart", "last"};
    static const unsigned depths[] = {0, 0, 1, 0};
    CHECK_EQ(mem_places(&m, p), 4);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_STR(p[i].name, names[i]);
        CHECK_EQ(p[i].depth, depths[i]);
    }
    CHECK(p[0].is_ram && !p[1].is_ram);
    CHECK_EQ(p[3].last, ~0ULL);
    mem_space_free(&m);
}

TEST(one_answers_at_an_address)
{
    struct mem_space m;
    struct err e = {0};
    struct mem_place p;
    mem_space_init(&m, NULL);
    REQUIRE(mem_add_ram(&m, 0, 0x10000, "ram", &e));
    struct mem_region chip = region(0x100000, 0x10000, 0, "chip"),
                      uart = region(0x100100, 8, 1, "uart");
    mem_add_region(&m, &uart);
    mem_add_region(&m, &chip);
    CHECK(mem_place_at(&m, 0xffff, &p) && p.is_ram);
    CHECK(!mem_place_at(&m, 0x10000, &p));
    CHECK(mem_place_at(&m, 0x100107, &p));
    CHECK_STR(p.name, "uart");
    CHECK_EQ(p.first, 0x100100);
    CHECK(mem_place_at(&m, 0x100108, &p));
    CHECK_STR(p.name, "chip");
    CHECK(!mem_place_at(&m, ~0ULL, &p));
    mem_space_free(&m);
}

TEST(peeking_asks_no_device)
{
    struct mem_space m;
    struct err e = {0};
    u8 flash[0x1000] = {1, 2, 3, 4}, got[8];
    mem_space_init(&m, NULL);
    REQUIRE(mem_add_ram(&m, 0, 0x10000, "ram", &e));
    mem_write(&m, 0xfff8, 0x0807060504030201, 8);
    struct mem_region uart = region(0x10000, 8, 0, "uart"), rom = region(0x20000, 0x1000, 0, "rom");
    rom.direct = flash;
    rom.is_direct = true;
    mem_add_region(&m, &uart);
    mem_add_region(&m, &rom);
    CHECK(mem_peek(&m, 0xfffb, got, 5));
    CHECK_EQ(got[0], 4);
    CHECK_EQ(got[4], 8);
    CHECK(!mem_peek(&m, 0xfffb, got, 6)); // no_ops.read would be called
    CHECK(mem_peek(&m, 0x20001, got, 3));
    CHECK_EQ(got[2], 4);
    CHECK(!mem_peek(&m, 0x30000, got, 1));
    mem_space_free(&m);
}
