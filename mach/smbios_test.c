// SPDX-License-Identifier: Apache-2.0
#include "mach/smbios.h"

#include "base/bits.h"
#include "base/test.h"

static const struct smbios_board board = {
    .name = "virt",
    .version = "1.2",
    .n_cpus = 4,
    .memory = {{0, 0x10000000}, {0x80000000, 0x30000000}},
    .n_memory = 2,
};

// The structure behind `s`: behind its strings, which end with an empty one.
static const u8 *next_structure(const u8 *s, const u8 *end)
{
    for (s += s[1]; s + 1 < end; s++)
        if (!s[0] && !s[1])
            return s + 2;
    CHECK_STR("strings", "ended");
    return end;
}

static const u8 *find(const struct bytes *b, u8 type)
{
    const u8 *end = b->data + b->size;
    for (const u8 *s = b->data; s < end; s = next_structure(s, end))
        if (s[0] == type)
            return s;
    CHECK_EQ(type, 0x100); // there is none
    return b->data;
}

static const char *string(const u8 *s, u8 index)
{
    const char *text = (const char *)s + s[1];
    while (index-- > 1)
        text += strlen(text) + 1;
    return text;
}

TEST(structures_follow_each_other_to_the_end)
{
    static const u8 order[] = {0, 1, 2, 3, 4, 16, 17, 19, 19, 127};
    struct bytes b = {0};
    smbios_build(&b, &board);
    const u8 *s = b.data, *end = b.data + b.size;
    for (size_t i = 0; i < sizeof(order) && CHECK(s < end); i++) {
        CHECK_EQ(s[0], order[i]);
        s = next_structure(s, end);
    }
    CHECK(s == end);
    bytes_free(&b);
}

TEST(linux_finds_names_speed_and_cores)
{
    struct bytes b = {0};
    smbios_build(&b, &board);
    const u8 *s = find(&b, 0);
    CHECK_STR(string(s, s[4]), "Longhouse");
    CHECK_STR(string(s, s[5]), "1.2");
    s = find(&b, 1);
    CHECK_STR(string(s, s[5]), "virt");
    s = find(&b, 4);
    CHECK_EQ(load_le(s + 0x16, 2), 2000);
    CHECK_EQ(s[0x23], 4);
    CHECK_EQ(s[0x25], 4);
    CHECK_STR(string(s, s[0x10]), "Loongson-3A5000");
    bytes_free(&b);
}

TEST(memory_is_counted_once_and_mapped_in_ranges)
{
    struct bytes b = {0};
    smbios_build(&b, &board);
    CHECK_EQ(load_le(find(&b, 16) + 0x0f, 8), 1 << 30);
    CHECK_EQ(load_le(find(&b, 17) + 0x0c, 2), 1024);
    const u8 *s = find(&b, 19);
    CHECK_EQ(load_le(s + 4, 4), 0);
    CHECK_EQ(load_le(s + 8, 4), (0x10000000 >> 10) - 1);
    s = next_structure(s, b.data + b.size);
    CHECK_EQ(load_le(s + 4, 4), 0x80000000 >> 10);
    CHECK_EQ(load_le(s + 8, 4), (0xb0000000 >> 10) - 1);
    bytes_free(&b);
}

TEST(large_memory_uses_extended_fields)
{
    struct smbios_board large = board;
    large.memory[1].size = (1ULL << 40) - 0x10000000;
    struct bytes b = {0};
    smbios_build(&b, &large);
    CHECK_EQ(load_le(find(&b, 17) + 0x0c, 2), 0x7fff);
    CHECK_EQ(load_le(find(&b, 17) + 0x1c, 4), 1 << 20);
    bytes_free(&b);
}

TEST(the_anchor_adds_up)
{
    u8 a[SMBIOS_ANCHOR_SIZE], sum = 0;
    smbios_anchor(a, 0x14020, 500);
    for (size_t i = 0; i < sizeof(a); i++)
        sum += a[i];
    CHECK_EQ(sum, 0);
    CHECK(!memcmp(a, "_SM3_", 5));
    CHECK_EQ(load_le(a + 12, 4), 500);
    CHECK_EQ(load_le(a + 16, 8), 0x14020);
}
