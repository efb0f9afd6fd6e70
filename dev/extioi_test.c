// SPDX-License-Identifier: Apache-2.0
#include "dev/fabric_test.h"
#include "base/bits.h"

static u16 hwi(unsigned n)
{
    return 1 << (CORE_LINE_HWI0 + n);
}

static void enable_all(struct fabric *f, unsigned core, u64 mode_bits)
{
    csr_write(f, core, 0x420, mode_bits, 8);
    for (unsigned i = 0; i < 4; i++)
        csr_write(f, core, 0x1600 + 8 * i, ~0ULL, 8);
}

static void send(struct fabric *f, unsigned core, unsigned vector)
{
    csr_write(f, core, 0x1140, vector, 4);
}

static void set_line(struct fabric *f, unsigned vector, bool level)
{
    mem_lock(&f->mem);
    extioi_set_line(f->chip->extioi, vector, level);
    mem_unlock(&f->mem);
}

static void clear(struct fabric *f, unsigned core, unsigned vector)
{
    csr_write(f, core, 0x1800 + vector / 64 * 8, BIT(vector % 64), 8);
}

// The core at which exactly one is pending, or ~0.
static unsigned where(struct fabric *f, unsigned vector)
{
    unsigned found = ~0u;
    for (unsigned core = 0; core < f->chip->n_cores; core++)
        if (csr_read(f, core, 0x1800 + vector / 64 * 8, 8) >> (vector % 64) & 1)
            found = found == ~0u ? core : ~1u;
    return found;
}

TEST(every_vector_by_ext_ioi_send)
{
    struct fabric f;
    fabric_init(&f, 4, 32);
    enable_all(&f, 0, BIT(48));
    for (unsigned v = 0; v < 256; v++) {
        csr_write(&f, 0, 0x1c00 + v, 1 << v % 4, 1);
        if (v % 2)
            send(&f, 0, v);
        else
            mem_write(&f.mem, 0x1fe01140, v, 4);
        CHECK_EQ(where(&f, v), v % 4);
        CHECK_EQ(csr_read(&f, 0, 0x1700 + v / 64 * 8, 8), BIT(v % 64));
        CHECK_EQ(f.lines[v % 4], hwi(0));
        clear(&f, v % 4, v);
        CHECK_EQ(f.lines[v % 4], 0);
        CHECK_EQ(csr_read(&f, 0, 0x1700 + v / 64 * 8, 8), 0);
    }
    fabric_free(&f);
}

TEST(pin_map_as_bitmap)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    enable_all(&f, 0, BIT(48));
    for (unsigned group = 0; group < 8; group++) {
        for (unsigned map = 1; map < 16; map++) {
            csr_write(&f, 0, 0x14c0 + group, map, 1);
            send(&f, 0, 32 * group + map);
            CHECK_EQ(f.lines[0], hwi(__builtin_ctz(map)));
            clear(&f, 0, 32 * group + map);
        }
    }
    fabric_free(&f);
}

TEST(pin_map_as_number)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    enable_all(&f, 0, BIT(48) | BIT(49));
    csr_write(&f, 0, 0x14c0, 0x0706050403020100, 8);
    for (unsigned v = 0; v < 256; v++) {
        send(&f, 0, v);
        CHECK_EQ(f.lines[0], hwi(v / 32));
        clear(&f, 0, v);
    }
    // The coding may change while a vector is pending: 4 is HWI4 as a number, HWI2 as a bitmap.
    send(&f, 0, 130);
    CHECK_EQ(f.lines[0], hwi(4));
    csr_write(&f, 0, 0x420, BIT(48), 8);
    CHECK_EQ(f.lines[0], hwi(2));
    csr_write(&f, 0, 0x14c4, 8, 1);
    CHECK_EQ(f.lines[0], hwi(3));
    fabric_free(&f);
}

TEST(nothing_is_delivered_while_the_controller_is_off)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    enable_all(&f, 0, 0);
    CHECK_EQ(csr_read(&f, 0, 0x420, 8), 0);
    send(&f, 0, 9);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(csr_read(&f, 0, 0x1800, 8), 0);
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), BIT(9));
    csr_write(&f, 0, 0x420, BIT(48), 8);
    CHECK_EQ(f.lines[0], hwi(0));
    csr_write(&f, 0, 0x424, 0, 4);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), BIT(9));
    fabric_free(&f);
}

TEST(disabling_keeps_a_vector_pending)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    enable_all(&f, 0, BIT(48));
    send(&f, 0, 200);
    csr_write(&f, 0, 0x1618 + 1, 0, 1);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(csr_read(&f, 0, 0x1818, 8), 0);
    CHECK_EQ(csr_read(&f, 0, 0x1718, 8), BIT(8));
    csr_write(&f, 0, 0x1618, ~0u, 4);
    CHECK_EQ(f.lines[0], hwi(0));
    fabric_free(&f);
}

TEST(raw_and_core_status_clear_alike)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    enable_all(&f, 0, BIT(48));
    csr_write(&f, 0, 0x1c00 + 70, 2, 1);
    send(&f, 0, 70);
    send(&f, 0, 71);
    mem_write(&f.mem, 0x1fe01708, BIT(6), 8);
    CHECK_EQ(f.lines[1], 0);
    CHECK_EQ(csr_read(&f, 1, 0x1808, 8), 0);
    CHECK_EQ(csr_read(&f, 0, 0x1708, 8), BIT(7));
    clear(&f, 0, 71);
    CHECK_EQ(csr_read(&f, 0, 0x1708, 8), 0);
    fabric_free(&f);
}

TEST(a_core_clears_only_what_is_pending_there)
{
    struct fabric f;
    fabric_init(&f, 2, 32);
    enable_all(&f, 0, BIT(48));
    csr_write(&f, 0, 0x1c05, 2, 1);
    send(&f, 0, 5);
    csr_write(&f, 0, 0x1800, ~0ULL, 8);
    CHECK_EQ(where(&f, 5), 1);
    mem_write(&f.mem, 0x1fe01900, BIT(5), 8);
    CHECK_EQ(where(&f, 5), ~0u);
    fabric_free(&f);
}

TEST(bounce_goes_round_cores_and_then_nodes)
{
    // Cores 0, 1 and 3 of nodes 0 and 2, in the order of the manual (11.2.3).
    static const unsigned order[] = {0, 1, 3, 8, 9, 11, 0, 1};
    struct fabric f;
    fabric_init(&f, 12, 32);
    enable_all(&f, 0, BIT(48));
    csr_write(&f, 0, 0x14a0 + 2 * 4, 0x5, 2);
    csr_write(&f, 0, 0x1c80, 0x4b, 1);
    csr_write(&f, 0, 0x1690, 1, 1);
    for (unsigned i = 0; i < ARRAY_LEN(order); i++) {
        send(&f, 0, 0x80);
        CHECK_EQ(where(&f, 0x80), order[i]);
        clear(&f, order[i], 0x80);
    }
    csr_write(&f, 0, 0x1690, 0, 1);
    for (unsigned i = 0; i < 3; i++) {
        send(&f, 0, 0x80);
        CHECK_EQ(where(&f, 0x80), 0);
        clear(&f, 0, 0x80);
    }
    fabric_free(&f);
}

TEST(bounce_with_one_core_stays_there)
{
    struct fabric f;
    fabric_init(&f, 4, 32);
    enable_all(&f, 0, BIT(48));
    csr_write(&f, 0, 0x1680, ~0ULL, 8);
    csr_write(&f, 0, 0x1c11, 4, 1);
    for (unsigned i = 0; i < 5; i++) {
        send(&f, 0, 0x11);
        CHECK_EQ(where(&f, 0x11), 2);
        clear(&f, 2, 0x11);
    }
    fabric_free(&f);
}

TEST(rotation_of_the_highest_core_wraps)
{
    struct fabric f;
    fabric_init(&f, 64, 32);
    enable_all(&f, 0, BIT(48));
    csr_write(&f, 0, 0x1680, ~0ULL, 8);
    csr_write(&f, 0, 0x14a0, 0x8001, 2);
    csr_write(&f, 0, 0x1c00, 0x08, 1);
    for (unsigned i = 0; i < 4; i++) {
        send(&f, 0, 0);
        CHECK_EQ(where(&f, 0), i % 2 ? 63 : 3);
        clear(&f, i % 2 ? 63 : 3, 0);
    }
    fabric_free(&f);
}

TEST(an_asserted_line_is_sent_again_and_rotates)
{
    struct fabric f;
    fabric_init(&f, 4, 32);
    enable_all(&f, 0, BIT(48));
    csr_write(&f, 0, 0x1680, ~0ULL, 8);
    csr_write(&f, 0, 0x1c03, 0xf, 1);
    set_line(&f, 3, true);
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(where(&f, 3), i % 4);
        clear(&f, i % 4, 3);
    }
    set_line(&f, 3, false);
    CHECK_EQ(where(&f, 3), ~0u);
    for (unsigned core = 0; core < 4; core++)
        CHECK_EQ(f.lines[core], 0);
    fabric_free(&f);
}

TEST(a_change_of_route_moves_a_pending_vector)
{
    struct fabric f;
    fabric_init(&f, 4, 32);
    enable_all(&f, 0, BIT(48));
    csr_write(&f, 0, 0x1c21, 1, 1);
    send(&f, 0, 0x21);
    csr_write(&f, 0, 0x1c21, 4, 1);
    CHECK_EQ(where(&f, 0x21), 2);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(f.lines[2], hwi(0));
    // A fixed target is always the lowest core; a rotating one stays where it may.
    csr_write(&f, 0, 0x1c21, 5, 1);
    CHECK_EQ(where(&f, 0x21), 0);
    csr_write(&f, 0, 0x1680, BIT(0x21), 8);
    csr_write(&f, 0, 0x1c21, 4, 1);
    csr_write(&f, 0, 0x1c21, 5, 1);
    CHECK_EQ(where(&f, 0x21), 2);
    csr_write(&f, 0, 0x1680, 0, 8);
    // A core that does not exist takes nothing, and the vector is not lost.
    csr_write(&f, 0, 0x14a2, 0x8, 2);
    csr_write(&f, 0, 0x1c21, 0x11, 1);
    CHECK_EQ(where(&f, 0x21), ~0u);
    for (unsigned core = 0; core < CORE_IRQ_MAX_CORES; core++)
        CHECK_EQ(f.lines[core], 0);
    csr_write(&f, 0, 0x14a2, 0x1, 2);
    CHECK_EQ(where(&f, 0x21), 0);
    fabric_free(&f);
}

TEST(register_files_of_nodes_are_separate)
{
    struct fabric f;
    fabric_init(&f, 8, 32);
    enable_all(&f, 4, BIT(48));
    CHECK_EQ(csr_read(&f, 0, 0x1600, 8), 0);
    CHECK_EQ(mem_read(&f.mem, 1ULL << 44 | 0x1fe01600, 8), ~0ULL);
    csr_write(&f, 6, 0x1c30, 4, 1);
    send(&f, 5, 0x30);
    CHECK_EQ(where(&f, 0x30), 6);
    CHECK_EQ(mem_read(&f.mem, 1ULL << 44 | 0x1fe01a00, 8), BIT(0x30));
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), 0);
    clear(&f, 6, 0x30);
    CHECK_EQ(f.lines[6], 0);
    fabric_free(&f);
}

TEST(registers_take_all_sizes)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    csr_write(&f, 0, 0x14a2, 0xbeef, 2);
    CHECK_EQ(csr_read(&f, 0, 0x14a0, 8), 0xbeef0000);
    csr_write(&f, 0, 0x14a3, 0x12, 1);
    CHECK_EQ(csr_read(&f, 0, 0x14a2, 2), 0x12ef);
    csr_write(&f, 0, 0x1c04, 0x0807060504030201, 8);
    CHECK_EQ(csr_read(&f, 0, 0x1c06, 2), 0x0403);
    CHECK_EQ(csr_read(&f, 0, 0x1c0b, 1), 0x08);
    CHECK_EQ(csr_read(&f, 0, 0x1140, 8), 0);
    fabric_free(&f);
}

TEST(reset_forgets_messages_but_not_lines)
{
    struct fabric f;
    fabric_init(&f, 1, 32);
    enable_all(&f, 0, BIT(48));
    set_line(&f, 1, true);
    send(&f, 0, 2);
    device_reset(&f.chip->dev);
    CHECK_EQ(f.lines[0], 0);
    CHECK_EQ(csr_read(&f, 0, 0x1700, 8), 2);
    CHECK_EQ(csr_read(&f, 0, 0x1600, 8), 0);
    fabric_free(&f);
}
