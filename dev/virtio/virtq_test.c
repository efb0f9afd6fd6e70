// SPDX-License-Identifier: Apache-2.0
// Rings of every wrong sort, and the arithmetic of indexes that wrap.
#include "dev/virtio/virtq.h"
#include "base/bits.h"
#include "base/bug.h"
#include "base/test.h"

#include <errno.h>
#include <stdlib.h>

enum { N = 8, DESC = 0x1000, AVAIL = 0x1400, USED = 0x1800, TABLE = 0x2000, DATA = 0x4000 };
enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };

struct bench {
    struct mem_space mem;
    struct virtq q;
    u8 *ram;
    u16 avail;
};

static struct bench *bench_new(void)
{
    struct bench *t = calloc(1, sizeof(*t));
    struct err e = {0};
    BUG_ON(!t);
    mem_space_init(&t->mem, NULL);
    BUG_ON(!mem_add_ram(&t->mem, 0, 0x10000, "low", &e));
    BUG_ON(!mem_add_ram(&t->mem, 0x80000000, 0x10000, "high", &e));
    t->ram = mem_ram_page(&t->mem, 0, 0x10000, true);
    virtq_init(&t->q, &t->mem, 256);
    t->q.size = N;
    t->q.desc_gpa = DESC;
    t->q.avail_gpa = AVAIL;
    t->q.used_gpa = USED;
    t->q.has_indirect = t->q.has_event_idx = true;
    BUG_ON(!virtq_enable(&t->q));
    return t;
}

static void bench_free(struct bench *t)
{
    mem_space_free(&t->mem);
    free(t);
}

static void desc(struct bench *t, gpa_t table, unsigned i, u64 addr, u32 len, u16 flags, u16 next)
{
    u8 *p = t->ram + table + 16 * i;
    store_le(p, addr, 8);
    store_le(p + 8, len, 4);
    store_le(p + 12, flags, 2);
    store_le(p + 14, next, 2);
}

static void available(struct bench *t, u16 head)
{
    store_le(t->ram + AVAIL + 4 + 2 * (t->avail % N), head, 2);
    store_le(t->ram + AVAIL + 2, ++t->avail, 2);
}

// The chain at descriptor 0 breaks the queue, for good.
static void check_broken(struct bench *t, const char *fault)
{
    struct virtq_buffer b;
    available(t, 0);
    CHECK_EQ(virtq_pop(&t->q, &b), -EINVAL);
    CHECK(t->q.is_broken);
    CHECK_STR(t->q.fault, fault);
    CHECK_EQ(virtq_pop(&t->q, &b), -EINVAL);
    CHECK(!virtq_must_interrupt(&t->q));
    CHECK(!virtq_want_kick(&t->q, 0));
    bench_free(t);
}

TEST(chains_become_pieces_in_order)
{
    struct bench *t = bench_new();
    struct virtq_buffer b;
    CHECK_EQ(virtq_pop(&t->q, &b), 0);
    desc(t, DESC, 3, DATA, 10, NEXT, 7);
    desc(t, DESC, 7, 0x80000010, 20, NEXT, 0);
    desc(t, DESC, 0, DATA + 0x100, 0, NEXT | WRITE, 1);
    desc(t, DESC, 1, DATA + 0x200, 30, WRITE, 99);
    available(t, 3);
    REQUIRE(virtq_pop(&t->q, &b) == 1);
    CHECK_EQ(b.head, 3);
    CHECK_EQ(b.n_out, 2);
    CHECK_EQ(b.n_in, 1); // the empty one is left out
    CHECK_EQ(b.out_size, 30);
    CHECK_EQ(b.in_size, 30);
    CHECK(b.out[0].iov_base == t->ram + DATA);
    CHECK(b.in[0].iov_base == t->ram + DATA + 0x200);
    CHECK_EQ(virtq_pop(&t->q, &b), 0);
    virtq_unpop(&t->q, 1);
    CHECK_EQ(virtq_pop(&t->q, &b), 1);
    virtq_push(&t->q, b.head, 17);
    CHECK_EQ(load_le(t->ram + USED + 2, 2), 1);
    CHECK_EQ(load_le(t->ram + USED + 4, 8), 17ULL << 32 | 3);
    bench_free(t);
}

static void note_written(void *opaque, gpa_t gpa, u64 size)
{
    u64 *told = opaque;
    told[0] = gpa;
    told[1] = size;
    told[2]++;
}

// What code was made of before the bytes came is wrong when they have come, not when they may.
TEST(memory_is_told_when_a_buffer_has_been_written)
{
    for (unsigned indirect = 0; indirect < 2; indirect++) {
        struct bench *t = bench_new();
        struct virtq_buffer b;
        u64 told[3] = {0};
        t->mem.written = note_written;
        t->mem.written_opaque = told;
        CHECK(mem_watch(&t->mem, 0x80000000));
        u64 table = indirect ? TABLE : DESC;
        desc(t, table, 1, DATA + 0x4000, 10, NEXT, 2);
        desc(t, table, 2, DATA, 16, NEXT | WRITE, 3); // nobody watches it
        desc(t, table, 3, 0x80000100, 64, WRITE, 0);
        desc(t, table, 0, DATA + 0x4000, 10, NEXT, 1);
        if (indirect)
            desc(t, DESC, 0, TABLE, 64, INDIRECT, 0);
        available(t, 0);
        REQUIRE(virtq_pop(&t->q, &b) == 1);
        told[2] = 0;
        virtq_push(&t->q, b.head, 16 + 40);
        CHECK_EQ(told[2], 1);
        CHECK_EQ(told[0], 0x80000100);
        CHECK_EQ(told[1], 40);
        bench_free(t);
    }
}

TEST(chains_end_in_indirect_tables)
{
    // Aligned, and where our atomic accesses cannot go.
    for (u64 table = TABLE; table <= TABLE + 4; table += 4) {
        struct bench *t = bench_new();
        struct virtq_buffer b;
        desc(t, DESC, 0, DATA, 5, NEXT, 1);
        desc(t, DESC, 1, table, 48, INDIRECT | WRITE, 0); // WRITE means nothing here
        desc(t, table, 0, DATA + 16, 6, NEXT, 2);
        desc(t, table, 2, DATA + 32, 7, WRITE, 0);
        available(t, 0);
        REQUIRE(virtq_pop(&t->q, &b) == 1);
        CHECK_EQ(b.n_out, 2);
        CHECK_EQ(b.out_size, 11);
        CHECK_EQ(b.in_size, 7);
        bench_free(t);
    }
}

TEST(loops_end)
{
    struct bench *t = bench_new();
    desc(t, DESC, 0, DATA, 1, NEXT, 0);
    check_broken(t, "chain of descriptors without end");
    t = bench_new();
    for (unsigned i = 0; i < N; i++)
        desc(t, DESC, i, DATA, 1, NEXT, (u16)((i + 1) % N));
    check_broken(t, "chain of descriptors without end");
    t = bench_new();
    desc(t, DESC, 0, TABLE, 32, INDIRECT, 0);
    desc(t, TABLE, 0, DATA, 1, NEXT, 1);
    desc(t, TABLE, 1, DATA, 1, NEXT, 0);
    check_broken(t, "chain of descriptors without end");
}

TEST(what_is_outside_is_refused)
{
    static const char not_ram[] = "descriptor is not in RAM, or the buffer has too many pieces";
    static const struct {
        u64 addr;
        u32 len;
    } outside[] = {{0x10000, 1},
                   {0xffff, 2},
                   {0x40000000, 4},
                   {~0ULL, 2},
                   {0xfffffffff000, 0xffffffff},
                   {0, 0xffffffff},
                   {0x8000ffff, 0x1000}};
    for (unsigned i = 0; i < ARRAY_LEN(outside); i++) {
        struct bench *t = bench_new();
        desc(t, DESC, 0, outside[i].addr, outside[i].len, i % 2 ? WRITE : 0, 0);
        check_broken(t, not_ram);
    }
    struct bench *t = bench_new();
    desc(t, DESC, 0, DATA, 1, NEXT, N);
    check_broken(t, "next descriptor is outside of its table");
    t = bench_new();
    desc(t, DESC, 0, TABLE, 32, INDIRECT, 0);
    desc(t, TABLE, 0, DATA, 1, NEXT, 2);
    check_broken(t, "next descriptor is outside of its table");
    t = bench_new();
    store_le(t->ram + AVAIL + 4, N, 2);
    store_le(t->ram + AVAIL + 2, 1, 2);
    struct virtq_buffer b;
    CHECK_EQ(virtq_pop(&t->q, &b), -EINVAL);
    CHECK_STR(t->q.fault, "available descriptor is outside of its table");
    bench_free(t);
}

TEST(indirect_descriptors_have_rules)
{
    struct bench *t = bench_new();
    t->q.has_indirect = false;
    desc(t, DESC, 0, TABLE, 16, INDIRECT, 0);
    check_broken(t, "indirect descriptor, which was not negotiated");
    t = bench_new();
    desc(t, DESC, 0, TABLE, 16, INDIRECT | NEXT, 1);
    check_broken(t, "indirect descriptor with a next one");
    t = bench_new();
    desc(t, DESC, 0, TABLE, 16, INDIRECT, 0);
    desc(t, TABLE, 0, TABLE, 16, INDIRECT, 0);
    check_broken(t, "indirect descriptor in an indirect table");
    static const u32 sizes[] = {0, 15, 17, 1025 * 16, 0xfffffff0, 0xffffffff};
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        t = bench_new();
        desc(t, DESC, 0, TABLE, sizes[i], INDIRECT, 0);
        check_broken(t, "indirect table of a wrong size");
    }
    t = bench_new();
    desc(t, DESC, 0, 0x40000000, 16, INDIRECT, 0);
    check_broken(t, "indirect table is not in RAM");
    t = bench_new();
    desc(t, DESC, 0, 0xfff8, 32, INDIRECT, 0); // half of it
    check_broken(t, "indirect table is not in RAM");
}

TEST(order_and_number_of_pieces_are_checked)
{
    struct bench *t = bench_new();
    desc(t, DESC, 0, DATA, 4, NEXT | WRITE, 1);
    desc(t, DESC, 1, DATA, 4, 0, 0);
    check_broken(t, "descriptor to read after one to write");
    // 1024 pieces fit, one more does not.
    for (unsigned extra = 0; extra < 2; extra++) {
        t = bench_new();
        struct virtq_buffer b;
        desc(t, DESC, 0, DATA, 4, NEXT, 1);
        desc(t, DESC, 1, 0x8000, 16 * 1024, INDIRECT, 0);
        for (unsigned i = 0; i < 1024; i++)
            desc(t, 0x8000, i, DATA, i || extra ? 1 : 0, i < 1023 ? NEXT : 0, (u16)(i + 1));
        available(t, 0);
        CHECK_EQ(virtq_pop(&t->q, &b), extra ? -EINVAL : 1);
        bench_free(t);
    }
}

TEST(an_index_out_of_reach_is_refused)
{
    struct bench *t = bench_new();
    struct virtq_buffer b;
    store_le(t->ram + AVAIL + 2, N + 1, 2);
    CHECK_EQ(virtq_pop(&t->q, &b), -EINVAL);
    CHECK_STR(t->q.fault, "more buffers available than the ring has");
    bench_free(t);
    t = bench_new();
    store_le(t->ram + AVAIL + 2, 0xffff, 2); // backwards
    CHECK_EQ(virtq_pop(&t->q, &b), -EINVAL);
    bench_free(t);
}

TEST(indexes_wrap)
{
    struct bench *t = bench_new();
    struct virtq_buffer b;
    desc(t, DESC, 5, DATA, 4, WRITE, 0);
    unsigned n_interrupts = 0;
    for (unsigned i = 0; i < 70000; i++) {
        // An interrupt for every fourth.
        store_le(t->ram + AVAIL + 4 + 2 * N, (i & ~3u) + 3, 2);
        available(t, 5);
        if (virtq_pop(&t->q, &b) != 1)
            break;
        virtq_push(&t->q, 5, i);
        CHECK_EQ(load_le(t->ram + USED + 4 + 8 * (i % N) + 4, 4), i);
        n_interrupts += virtq_must_interrupt(&t->q);
        CHECK(!virtq_want_kick(&t->q, 0));
        CHECK_EQ(load_le(t->ram + USED + 4 + 8 * N, 2), (u16)(i + 1));
    }
    CHECK_EQ(n_interrupts, 70000 / 4 + 1); // the first one always
    CHECK_EQ(load_le(t->ram + USED + 2, 2), (u16)70000);
    bench_free(t);
}

TEST(several_buffers_appear_at_once)
{
    struct bench *t = bench_new();
    struct virtq_buffer b;
    for (u16 i = 0; i < 3; i++) {
        desc(t, DESC, i, DATA, 4, WRITE, 0);
        available(t, i);
    }
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(virtq_pop(&t->q, &b), 1);
        virtq_fill(&t->q, i, b.head, 100 + i);
    }
    CHECK_EQ(load_le(t->ram + USED + 2, 2), 0);
    virtq_flush(&t->q, 3);
    CHECK_EQ(load_le(t->ram + USED + 2, 2), 3);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(load_le(t->ram + USED + 4 + 8 * i, 8), (u64)(100 + i) << 32 | i);
    CHECK_EQ(t->q.n_in_use, 0);
    bench_free(t);
}

TEST(copies_cross_pieces)
{
    u8 a[4], b[4], flat[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8] = {0};
    struct iovec v[] = {{a, 3}, {NULL, 0}, {b, 4}};
    CHECK_EQ(iov_write(v, 3, 0, flat, 8), 7);
    CHECK_EQ(iov_read(v, 3, 2, back, 8), 5);
    CHECK(!memcmp(back, flat + 2, 5));
    CHECK_EQ(iov_read(v, 3, 7, back, 8), 0);
    CHECK_EQ(iov_read(v, 3, 100, back, 8), 0);
    CHECK_EQ(iov_write(v, 3, 3, flat, 1), 1);
    CHECK_EQ(b[0], 1);
}
