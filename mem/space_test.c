// SPDX-License-Identifier: Apache-2.0
#include "mem/space.h"
#include "base/bits.h"
#include "base/test.h"

#include <errno.h>
#include <pthread.h>

struct recorder {
    u64 offset[16], value[16];
    unsigned size[16];
    unsigned n;
    u64 answer;
};

static u64 record_read(void *opaque, u64 offset, unsigned size)
{
    struct recorder *r = opaque;
    r->offset[r->n & 15] = offset;
    r->size[r->n++ & 15] = size;
    return r->answer;
}

static void record_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct recorder *r = opaque;
    r->offset[r->n & 15] = offset;
    r->value[r->n & 15] = value;
    r->size[r->n++ & 15] = size;
}

static const struct mem_io_ops any_size = {record_read, record_write};
static const struct mem_io_ops four_bytes = {record_read, record_write, .max_size = 4,
                                             .takes_msi = true};

static void add(struct mem_space *m, struct mem_region *r)
{
    mem_lock(m);
    mem_add_region(m, r);
    mem_unlock(m);
}

TEST(ram_is_read_and_written_across_its_whole_length)
{
    struct mem_space m;
    struct err e = {0};
    mem_space_init(&m, NULL);
    REQUIRE(mem_add_ram(&m, 0, 0x20000, "low", &e));
    REQUIRE(mem_add_ram(&m, 0x80000000, 0x10000, "high", &e));
    CHECK(!mem_add_ram(&m, 0x10000, 0x10000, "again", &e));
    mem_write(&m, 0x1fff8, 0x1122334455667788, 8);
    CHECK_EQ(mem_read(&m, 0x1fff8, 8), 0x1122334455667788);
    CHECK_EQ(mem_read(&m, 0x1fffc, 2), 0x3344);
    CHECK(mem_ram_page(&m, 0x10000, 0x10000, true) != NULL);
    CHECK(mem_ram_page(&m, 0x20000, 0x1000, true) == NULL);
    CHECK_EQ(mem_read(&m, 0x20000, 4), 0xffffffff);
    CHECK_EQ(m.n_unassigned, 1);
    mem_space_free(&m);
}

TEST(dma_stays_in_ram)
{
    struct mem_space m;
    struct err e = {0};
    mem_space_init(&m, NULL);
    REQUIRE(mem_add_ram(&m, 0, 0x10000, "a", &e));
    REQUIRE(mem_add_ram(&m, 0x10000, 0x10000, "b", &e));
    u8 buf[64] = {1, 2, 3};
    CHECK(mem_dma_write(&m, 0xfffe, buf, sizeof(buf)));
    u8 back[64];
    CHECK(mem_dma_read(&m, 0xfffe, back, sizeof(back)));
    CHECK(!memcmp(buf, back, sizeof(buf)));
    struct iovec iov[2];
    CHECK_EQ(mem_dma_iov(&m, 0xfffe, 64, iov, 2), 2);
    CHECK_EQ(iov[0].iov_len, 2);
    CHECK_EQ(mem_dma_iov(&m, 0xfffe, 64, iov, 1), (u64)-EFAULT);
    CHECK(!mem_dma_read(&m, 0x1fff0, back, sizeof(back)));
    CHECK_EQ(back[0], 0);
    CHECK(!mem_dma_write(&m, ~0ULL - 3, buf, 8));
    CHECK(!mem_load(&m, 0x1fff0, buf, 64, "kernel", &e));
    CHECK_STR(e.text, "kernel: 0x1fff0 to 0x2002f is not all guest memory; try a larger -m");
    mem_space_free(&m);
}

TEST(accesses_are_cut_to_what_a_device_takes)
{
    struct mem_space m;
    struct recorder rec = {.answer = 0x44332211};
    struct mem_region r = {0x1000, 0x100, &four_bytes, &rec, .name = "dev"};
    mem_space_init(&m, NULL);
    add(&m, &r);
    CHECK_EQ(mem_read(&m, 0x1010, 8), 0x4433221144332211);
    CHECK_EQ(rec.n, 2);
    CHECK_EQ(rec.offset[1], 0x14);
    CHECK_EQ(rec.size[1], 4);
    mem_write(&m, 0x1022, 0xaabbccdd, 4); // misaligned: two halves
    CHECK_EQ(rec.n, 4);
    CHECK_EQ(rec.value[2], 0xccdd);
    CHECK_EQ(rec.offset[3], 0x24);
    CHECK_EQ(rec.value[3], 0xaabb);
    CHECK_EQ(mem_read(&m, 0x10fe, 4), 0xffff2211); // runs over the end
    mem_space_free(&m);
}

TEST(the_higher_priority_answers_and_uncovers_when_removed)
{
    struct mem_space m;
    struct recorder low = {.answer = 1}, high = {.answer = 2};
    struct mem_region a = {0x1000, 0x1000, &any_size, &low, .name = "a"};
    struct mem_region b = {0x1800, 0x100, &any_size, &high, .priority = 1, .name = "b"};
    mem_space_init(&m, NULL);
    add(&m, &b);
    add(&m, &a);
    CHECK_EQ(mem_read(&m, 0x17fc, 4), 1);
    CHECK_EQ(mem_read(&m, 0x1800, 4), 2);
    CHECK_EQ(mem_read(&m, 0x1900, 4), 1);
    CHECK_EQ(low.offset[1], 0x900);
    mem_lock(&m);
    mem_remove_region(&m, &b);
    b.base = 0x5000;
    mem_add_region(&m, &b);
    mem_unlock(&m);
    CHECK_EQ(mem_read(&m, 0x1800, 4), 1);
    CHECK_EQ(mem_read(&m, 0x5000, 4), 2);
    mem_lock(&m);
    mem_remove_region(&m, &b);
    mem_unlock(&m);
    CHECK_EQ(mem_read(&m, 0x5000, 4), 0xffffffff);
    mem_space_free(&m);
}

TEST(a_region_may_end_at_the_top_of_the_address_space)
{
    struct mem_space m;
    struct recorder rec = {.answer = 7};
    struct mem_region r = {~0ULL - 0xfff, 0x1000, &any_size, &rec, .name = "top"};
    mem_space_init(&m, NULL);
    add(&m, &r);
    CHECK_EQ(mem_read(&m, ~0ULL, 1), 7);
    CHECK_EQ(mem_read(&m, ~0ULL - 7, 8), 7);
    mem_space_free(&m);
}

static void count_change(void *opaque)
{
    (*(int *)opaque)++;
}

TEST(direct_memory_is_read_without_the_device)
{
    struct mem_space m;
    struct recorder rec = {.answer = 7};
    static u8 flash[0x1000];
    flash[5] = 0x99;
    struct mem_region r = {0x1c000000,      0x1000,          &any_size,        &rec,
                           .name = "flash", .direct = flash, .is_direct = true};
    int n_changes = 0;
    mem_space_init(&m, NULL);
    m.changed = count_change;
    m.changed_opaque = &n_changes;
    add(&m, &r);
    CHECK_EQ(mem_read(&m, 0x1c000005, 1), 0x99);
    CHECK(mem_ram_page(&m, 0x1c000000, 0x1000, false) == flash);
    CHECK(mem_ram_page(&m, 0x1c000000, 0x1000, true) == NULL);
    mem_write(&m, 0x1c000005, 1, 1);
    CHECK_EQ(rec.n, 1);
    mem_lock(&m);
    mem_set_direct(&m, &r, false);
    mem_unlock(&m);
    CHECK_EQ(mem_read(&m, 0x1c000005, 1), 7);
    CHECK(mem_ram_page(&m, 0x1c000000, 0x1000, false) == NULL);
    CHECK_EQ(n_changes, 2);
    mem_space_free(&m);
}

TEST(direct_ranges_are_what_processors_see)
{
    struct mem_space m;
    struct recorder rec = {0};
    static u8 flash[0x3000], rom[0x1000];
    struct mem_direct_range ranges[4];
    struct mem_region a = {0x1c000000,      0x3000,          &any_size,        &rec,
                           .name = "flash", .direct = flash, .is_direct = true};
    struct mem_region b = {0x1c001000, 0x1000, &any_size, &rec, .priority = 1, .name = "over it"};
    struct mem_region c = {0x1000,        0x1000,        &any_size,        &rec,
                           .name = "rom", .direct = rom, .is_direct = true};
    mem_space_init(&m, NULL);
    add(&m, &a);
    add(&m, &b);
    add(&m, &c);
    CHECK_EQ(mem_direct_ranges(&m, ranges, 4), 3);
    CHECK(ranges[0].base == 0x1000 && ranges[0].size == 0x1000 && ranges[0].host == rom);
    CHECK(ranges[1].base == 0x1c000000 && ranges[1].size == 0x1000 && ranges[1].host == flash);
    CHECK(ranges[2].base == 0x1c002000 && ranges[2].size == 0x1000 &&
          ranges[2].host == flash + 0x2000);
    CHECK_EQ(mem_direct_ranges(&m, ranges, 2), 2);
    mem_lock(&m);
    mem_set_direct(&m, &a, false);
    CHECK_EQ(mem_direct_ranges(&m, ranges, 4), 1);
    mem_unlock(&m);
    mem_space_free(&m);
}

TEST(messages_reach_doorbells_only)
{
    struct mem_space m;
    struct recorder bell = {0}, other = {0};
    struct mem_region a = {0x2ff00000, 8, &four_bytes, &bell, .name = "msi"};
    struct mem_region b = {0x1000, 8, &any_size, &other, .name = "other"};
    mem_space_init(&m, NULL);
    add(&m, &a);
    add(&m, &b);
    mem_lock(&m);
    mem_msi(&m, 0x2ff00000, 0x41);
    mem_msi(&m, 0x1000, 0x41);
    mem_msi(&m, 0x77770000, 0x41);
    mem_unlock(&m);
    CHECK_EQ(bell.n, 1);
    CHECK_EQ(bell.value[0], 0x41);
    CHECK_EQ(other.n, 0);
    mem_space_free(&m);
}

struct shared_word {
    struct mem_space m;
    gpa_t gpa;
    unsigned size;
    bool is_over;
};

static u64 all_ones(const struct shared_word *w)
{
    return BITS(8 * w->size - 1, 0);
}

static void *write_all_or_nothing(void *opaque)
{
    struct shared_word *w = opaque;
    for (u64 i = 0; !__atomic_load_n(&w->is_over, __ATOMIC_RELAXED); i++)
        mem_write(&w->m, w->gpa, i & 1 ? all_ones(w) : 0, w->size);
    return NULL;
}

// What one processor writes another sees whole or not at all: a walk of page tables depends on it.
static unsigned n_torn(unsigned size, unsigned n)
{
    struct shared_word w = {.gpa = 64 - size, .size = size};
    pthread_t writer;
    unsigned n_wrong = 0;
    struct err e = {0};
    mem_space_init(&w.m, NULL);
    if (!CHECK(mem_add_ram(&w.m, 0, 0x10000, "shared", &e)) ||
        !CHECK_EQ(pthread_create(&writer, NULL, write_all_or_nothing, &w), 0))
        return 1;
    for (unsigned i = 0; i < n; i++) {
        u64 got = mem_read(&w.m, w.gpa, size);
        n_wrong += got && got != all_ones(&w);
    }
    __atomic_store_n(&w.is_over, true, __ATOMIC_RELAXED);
    pthread_join(writer, NULL);
    mem_space_free(&w.m);
    return n_wrong;
}

TEST(aligned_words_of_ram_are_never_seen_in_part)
{
    for (unsigned size = 2; size <= 8; size *= 2)
        CHECK_EQ(n_torn(size, 300000), 0);
}
