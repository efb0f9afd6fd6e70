// SPDX-License-Identifier: Apache-2.0
#include "dev/fabric_test.h"
#include "base/bits.h"

// The vectors that the controller asserts at this moment.
struct sent {
    u64 vectors[4];
};

struct pic {
    struct fabric f;
    struct sent sent;
};

static void take_vector(void *opaque, unsigned vector, bool level)
{
    u64 *word = &((struct sent *)opaque)->vectors[vector / 64];
    CHECK(!(*word & BIT(vector % 64)) == level);
    *word ^= BIT(vector % 64);
}

static void pic_init(struct pic *p, unsigned n_sources)
{
    memset(p, 0, sizeof(*p));
    fabric_init(&p->f, 1, n_sources);
    p->f.pic->message = (struct irq){take_vector, &p->sent, 0};
}

static u64 get(struct pic *p, unsigned offset)
{
    return mem_read(&p->f.mem, PIC_BASE + offset, 8);
}

static void put(struct pic *p, unsigned offset, u64 value)
{
    mem_write(&p->f.mem, PIC_BASE + offset, value, 8);
}

static bool is_sent(const struct pic *p, unsigned vector)
{
    return p->sent.vectors[vector / 64] >> vector % 64 & 1;
}

static bool is_quiet(const struct pic *p)
{
    return !(p->sent.vectors[0] | p->sent.vectors[1] | p->sent.vectors[2] | p->sent.vectors[3]);
}

TEST(reset_values)
{
    struct pic p;
    pic_init(&p, 64);
    CHECK_EQ(get(&p, 0), 0x003f000107000000);
    CHECK_EQ(get(&p, 0x20), ~0ULL);
    CHECK_EQ(get(&p, 0x40) | get(&p, 0x60) | get(&p, 0x80) | get(&p, 0xc0) | get(&p, 0xe0), 0);
    CHECK_EQ(get(&p, 0x138), 0x0101010101010101);
    CHECK_EQ(get(&p, 0x200), 0x2726252423222120);
    CHECK_EQ(get(&p, 0x238), 0x5f5e5d5c5b5a5958);
    CHECK_EQ(get(&p, 0x300) | get(&p, 0x320) | get(&p, 0x380) | get(&p, 0x3a0), 0);
    CHECK_EQ(get(&p, 0x3e0), 0);
    CHECK_EQ(p.f.n_unimp, 0);
    fabric_free(&p.f);
}

TEST(every_pin_sends_its_vector)
{
    struct pic p;
    pic_init(&p, 64);
    put(&p, 0x40, ~0ULL);
    put(&p, 0x20, 0);
    for (unsigned pin = 0; pin < 64; pin++) {
        set_pin(&p.f, pin, true);
        CHECK(is_sent(&p, 0x20 + pin));
        CHECK_EQ(get(&p, 0x3a0), BIT(pin));
        set_pin(&p.f, pin, false);
        CHECK(is_quiet(&p));
    }
    fabric_free(&p.f);
}

TEST(all_pins_change_in_one_update)
{
    struct pic p;
    pic_init(&p, 64);
    put(&p, 0x40, ~0ULL);
    for (unsigned pin = 0; pin < 64; pin++)
        set_pin(&p.f, pin, true);
    CHECK(is_quiet(&p));
    put(&p, 0x20, 0);
    CHECK_EQ(p.sent.vectors[0] >> 32, 0xffffffff);
    CHECK_EQ(p.sent.vectors[1], 0xffffffff);
    put(&p, 0x20, ~0ULL);
    CHECK(is_quiet(&p));
    fabric_free(&p.f);
}

TEST(level_low_polarity)
{
    struct pic p;
    pic_init(&p, 64);
    set_pin(&p.f, 5, true);
    put(&p, 0x3e0, 1 << 5);
    put(&p, 0x40, ~0ULL);
    put(&p, 0x20, ~BIT(5));
    CHECK(is_quiet(&p));
    set_pin(&p.f, 5, false);
    CHECK(is_sent(&p, 0x25));
    set_pin(&p.f, 5, true);
    CHECK(is_quiet(&p));
    put(&p, 0x3e0, 0);
    CHECK(is_sent(&p, 0x25));
    fabric_free(&p.f);
}

TEST(edges_latch_until_cleared)
{
    struct pic p;
    pic_init(&p, 64);
    put(&p, 0x40, ~0ULL);
    put(&p, 0x60, 3 << 8);
    put(&p, 0x3e0, 2 << 8); // pin 9 on the falling edge
    put(&p, 0x20, ~(3ULL << 8));
    set_pin(&p.f, 8, true);
    set_pin(&p.f, 8, false);
    CHECK(is_sent(&p, 0x28));
    CHECK_EQ(get(&p, 0x380), 1 << 8);
    put(&p, 0x80, 1 << 8);
    CHECK(is_quiet(&p));
    CHECK_EQ(get(&p, 0x380), 0);
    set_pin(&p.f, 9, true);
    CHECK(is_quiet(&p));
    set_pin(&p.f, 9, false);
    CHECK(is_sent(&p, 0x29));
    mem_write(&p.f.mem, PIC_BASE + 0x81, 2, 1);
    CHECK(is_quiet(&p));
    // A level that stays is no new edge.
    set_pin(&p.f, 8, true);
    put(&p, 0x80, ~0ULL);
    CHECK(is_quiet(&p));
    fabric_free(&p.f);
}

TEST(an_edge_while_masked_is_sent_when_unmasked)
{
    struct pic p;
    pic_init(&p, 64);
    put(&p, 0x40, ~0ULL);
    put(&p, 0x60, 1);
    set_pin(&p.f, 0, true);
    set_pin(&p.f, 0, false);
    CHECK(is_quiet(&p));
    put(&p, 0x20, ~1ULL);
    CHECK(is_sent(&p, 0x20));
    fabric_free(&p.f);
}

TEST(a_new_vector_takes_effect_while_pending)
{
    struct pic p;
    pic_init(&p, 64);
    put(&p, 0x40, ~0ULL);
    put(&p, 0x20, 0);
    set_pin(&p.f, 10, true);
    mem_write(&p.f.mem, PIC_BASE + 0x20a, 0xf0, 1);
    CHECK(!is_sent(&p, 0x2a));
    CHECK(is_sent(&p, 0xf0));
    // Two pins with one vector: it ends with the later one.
    mem_write(&p.f.mem, PIC_BASE + 0x20b, 0xf0, 1);
    set_pin(&p.f, 11, true);
    set_pin(&p.f, 10, false);
    CHECK(is_sent(&p, 0xf0));
    set_pin(&p.f, 11, false);
    CHECK(is_quiet(&p));
    fabric_free(&p.f);
}

TEST(without_messages_requests_go_to_the_pins)
{
    struct pic p;
    pic_init(&p, 64);
    put(&p, 0x20, 0);
    mem_write(&p.f.mem, PIC_BASE + 0x121, 2, 1);
    set_pin(&p.f, 33, true);
    CHECK(is_quiet(&p));
    CHECK(!p.f.int_out[0] && p.f.int_out[1]);
    CHECK_EQ(get(&p, 0x320), BIT(33));
    set_pin(&p.f, 4, true);
    CHECK(p.f.int_out[0]);
    CHECK_EQ(get(&p, 0x300), BIT(4));
    mem_write(&p.f.mem, PIC_BASE + 0x121, 3, 1);
    CHECK_EQ(get(&p, 0x300), BIT(4) | BIT(33));
    put(&p, 0x40, BIT(33));
    CHECK(is_sent(&p, 0x20 + 33));
    CHECK(p.f.int_out[0] && !p.f.int_out[1]);
    set_pin(&p.f, 4, false);
    CHECK(!p.f.int_out[0]);
    fabric_free(&p.f);
}

static unsigned output_of(struct pic *p, unsigned pin)
{
    set_pin(&p->f, pin, true);
    unsigned output = get(p, 0x320) >> pin & 1;
    CHECK_EQ(get(p, output ? 0x320 : 0x300) >> pin & 1, 1);
    CHECK_EQ(get(p, output ? 0x300 : 0x320) >> pin & 1, 0);
    return output;
}

TEST(automatic_distribution)
{
    struct pic p;
    pic_init(&p, 64);
    put(&p, 0x20, 0);
    put(&p, 0xc0, 0x1 | 0x4); // pin 0 rotates,
    put(&p, 0xe0, 0x2 | 0x4); // pin 1 takes the idle output, pin 2 stays until busy
    put(&p, 0x100, 0x0101010101030303);
    unsigned first = output_of(&p, 0);
    for (unsigned i = 1; i < 5; i++) {
        set_pin(&p.f, 0, false);
        CHECK_EQ(output_of(&p, 0), (first + i) % 2);
    }
    for (unsigned i = 0; i < 3; i++) {
        unsigned busy = get(&p, 0x320) & 1;
        CHECK_EQ(output_of(&p, 1), !busy);
        set_pin(&p.f, 1, false);
        set_pin(&p.f, 0, false);
        set_pin(&p.f, 0, true);
    }
    set_pin(&p.f, 0, false);
    unsigned stays = output_of(&p, 2);
    set_pin(&p.f, 2, false);
    CHECK_EQ(output_of(&p, 2), stays);
    set_pin(&p.f, 2, false);
    mem_write(&p.f.mem, PIC_BASE + 0x105, 1 << stays, 1);
    set_pin(&p.f, 5, true); // makes it busy
    CHECK_EQ(output_of(&p, 2), !stays);
    // A request keeps its output, whatever comes later.
    set_pin(&p.f, 5, false);
    CHECK_EQ(get(&p, stays ? 0x300 : 0x320) & 4, 4);
    fabric_free(&p.f);
}

TEST(automatic_distribution_with_one_route)
{
    struct pic p;
    pic_init(&p, 64);
    put(&p, 0x20, 0);
    put(&p, 0xc0, 1);
    mem_write(&p.f.mem, PIC_BASE + 0x100, 2, 1);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ(output_of(&p, 0), 1);
        set_pin(&p.f, 0, false);
    }
    fabric_free(&p.f);
}

TEST(the_linux_sequence_leaves_32_sources_intact)
{
    struct pic p;
    pic_init(&p, 32);
    CHECK_EQ(get(&p, 0), 0x001f000107000000);
    linux_init_pic(&p.f);
    CHECK_EQ(get(&p, 0x118), 0x0101010101010101);
    CHECK_EQ(get(&p, 0x120), 0);
    CHECK_EQ(get(&p, 0x2f8), 0);
    CHECK_EQ(get(&p, 0x40), ~0ULL);
    CHECK_EQ(p.f.n_unimp, 0);
    set_pin(&p.f, 40, true);
    put(&p, 0x20, 0);
    CHECK(is_quiet(&p));
    fabric_free(&p.f);
}

TEST(accesses_of_all_sizes)
{
    struct pic p;
    pic_init(&p, 64);
    mem_write(&p.f.mem, PIC_BASE + 0x65, 0xab, 1);
    CHECK_EQ(get(&p, 0x60), 0xabULL << 40);
    mem_write(&p.f.mem, PIC_BASE + 0x66, 0x1234, 2);
    CHECK_EQ(mem_read(&p.f.mem, PIC_BASE + 0x64, 4), 0x1234ab00);
    CHECK_EQ(mem_read(&p.f.mem, PIC_BASE + 6, 1), 0x3f);
    mem_write(&p.f.mem, PIC_BASE + 0, ~0ULL, 8);
    CHECK_EQ(get(&p, 0), 0x003f000107000000);
    CHECK_EQ(get(&p, 0x400), 0);
    CHECK_EQ(p.f.n_unimp, 1);
    fabric_free(&p.f);
}

TEST(reset_withdraws)
{
    struct pic p;
    pic_init(&p, 64);
    put(&p, 0x40, 1);
    put(&p, 0x20, 0);
    set_pin(&p.f, 0, true);
    set_pin(&p.f, 1, true);
    CHECK(is_sent(&p, 0x20) && p.f.int_out[0]);
    device_reset(&p.f.pic->dev);
    CHECK(is_quiet(&p));
    CHECK(!p.f.int_out[0]);
    put(&p, 0x20, ~1ULL);
    CHECK(p.f.int_out[0]); // the pin is still driven
    fabric_free(&p.f);
}
