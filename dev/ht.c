// SPDX-License-Identifier: Apache-2.0
// The link itself needs no model: it is up, it makes no errors, and its windows let everything
// pass.
#include "dev/ht.h"
#include "base/bits.h"

#include <string.h>

#define APP_CONFIG1   0x1c4
#define INT_TRANS_HI  0x274
#define INT_8BIT      BIT(10)
#define TRANS_EN      BIT(31)
#define TRANS_ALLOW   BIT(30)
#define LINK_COMPLETE BIT(5)

static u64 word(struct ht *h, u32 offset)
{
    return *reg_bank_word(&h->bank, offset);
}

static bool is_passing(struct ht *h)
{
    u64 trans = word(h, INT_TRANS_HI);
    return trans & TRANS_ALLOW && (trans & TRANS_EN || h->is_ext_int);
}

// The interrupt line of a vector; ht_int_stripe and ht_int_8bit choose the grouping
// (manual, 10.5.10).
static unsigned line_of(u64 app_config, unsigned v)
{
    unsigned stripe = bits_get(app_config, 9, 8), low, within;
    switch (stripe) {
    case 1:
        low = v / 128 * 2 + v % 2;
        within = v % 128 / 64;
        break;
    case 2:
        low = v % 4;
        within = v / 128;
        break;
    default:
        low = v / 64;
        within = v % 64 / 32;
        break;
    }
    return app_config & INT_8BIT ? 2 * low + within : low;
}

static u32 held(const struct ht *h, unsigned i)
{
    return (h->input[i / 2] & ~h->passed[i / 2]) >> (32 * (i % 2));
}

static void drive_lines(struct ht *h)
{
    u32 lines = 0;
    for (unsigned i = 0; i < 8; i++)
        for (u32 left = (h->vectors[i] | held(h, i)) & word(h, 0xa0 + 4 * i); left;
             left &= left - 1)
            lines |= 1u << line_of(word(h, APP_CONFIG1), 32 * i + __builtin_ctz(left));
    for (unsigned i = 0; i < HT_N_LINES; i++)
        irq_set(&h->line[i], lines >> i & 1);
}

static void drive_one(const struct irq *wire, unsigned vector, bool level)
{
    struct irq w = {wire->set, wire->opaque, vector};
    irq_set(&w, level);
}

static void update(struct ht *h)
{
    bool passes = is_passing(h);
    for (unsigned i = 0; i < 4; i++) {
        u64 passed = passes ? h->input[i] : 0;
        for (u64 left = passed ^ h->passed[i]; left; left &= left - 1) {
            unsigned bit = __builtin_ctzll(left);
            drive_one(&h->ext_line, 64 * i + bit, passed >> bit & 1);
        }
        h->passed[i] = passed;
    }
    drive_lines(h);
}

void ht_set_line(void *opaque, unsigned vector, bool level)
{
    struct ht *h = opaque;
    u64 *input = &h->input[vector % HT_N_VECTORS / 64];
    *input = bits_set(*input, vector % 64, vector % 64, level);
    update(h);
}

void ht_send(void *opaque, unsigned vector, bool level)
{
    struct ht *h = opaque;
    vector %= HT_N_VECTORS;
    if (level && is_passing(h)) {
        drive_one(&h->ext_message, vector, true);
        drive_one(&h->ext_message, vector, false);
    } else if (level) {
        h->vectors[vector / 32] |= 1u << vector % 32;
        drive_lines(h);
    }
}

void ht_set_ext_int(struct ht *h, bool is_on)
{
    h->is_ext_int = is_on;
    update(h);
}

static u64 read_link(void *block, unsigned core, unsigned index)
{
    return word(block, 0x44) | LINK_COMPLETE;
}

static u64 read_vectors(void *block, unsigned core, unsigned index)
{
    struct ht *h = block;
    return h->vectors[index] | held(h, index);
}

static void write_vectors(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ht *h = block;
    h->vectors[index] &= ~(u32)value;
    drive_lines(h);
}

static void int_changed(void *block, u32 offset, u64 before)
{
    update(block);
}

static void bridge_changed(void *block, u32 offset, u64 before)
{
    struct ht *h = block;
    if (word(h, offset) & ~before & BIT(22))
        log_unimp(h->dev.env->log, "ht: reset of the secondary bus");
}

// clang-format off
#define ALL 0xffffffffULL
static const struct reg ht_regs[] = {
    {0x03c, 0x03f, "bridge control",       0, ALL, .changed = bridge_changed},
    {0x040, 0x043, "capability",           0x20010008, BITS(25, 16)},
    {0x044, 0x047, "link control",         0x00112000, 0x77002383, .read = read_link},
    {0x04c, 0x04f, "link frequency",       0x80250023, 0x1fff},
    {0x050, 0x053, "feature capability",   0x00000002},
    {0x064, 0x067, "error retry",          0, ALL},
    {0x068, 0x06b, "retry count",          0},
    {0x06c, 0x06f, "revision",             0x00200000},
    {0x070, 0x073, "interrupt capability", 0x80000008, BITS(23, 16)},
    {0x074, 0x077, "interrupt data port",  0, ALL},
    {0x078, 0x07b, "IntrInfo low",         0xf8000000, ALL},
    {0x07c, 0x07f, "IntrInfo high",        0, ALL},
    {0x080, 0x09f, "interrupt vectors",    .read = read_vectors, .write = write_vectors},
    {0x0a0, 0x0bf, "interrupt enable",     0, ALL, .changed = int_changed},
    {0x0d0, 0x0d3, "link train",           0x70, ALL},
    {0x140, 0x167, "receive windows",      0, ALL},
    {0x168, 0x16f, "space conversion",     0, ALL},
    {0x170, 0x17f, "post windows",         0, ALL},
    {0x180, 0x18f, "prefetch windows",     0, ALL},
    {0x190, 0x1af, "uncached windows",     0, ALL},
    {0x1b0, 0x1bf, "P2P windows",          0, ALL},
    {0x1c0, 0x1c3, "APP CONFIG 0",         0x00904321, ALL},
    {0x1c4, 0x1c7, "APP CONFIG 1",         0x00230000, ALL, .changed = int_changed},
    {0x1c8, 0x1cb, "receive diagnostic",   0},
    {0x1cc, 0x1cf, "PHY status",           0x83308000},
    {0x1d0, 0x1db, "transmit buffers",     0, ALL},
    {0x1dc, 0x1df, "receive buffers",      0x07778888, ALL},
    {0x1e0, 0x1e3, "training 0 short",     0x00000080, ALL},
    {0x1e4, 0x1e7, "training 0 long",      0x000fffff, ALL},
    {0x1e8, 0x1eb, "training 1",           0x004fffff, ALL},
    {0x1ec, 0x1ef, "training 2",           0x007fffff, ALL},
    {0x1f0, 0x1f3, "training 3",           0, ALL},
    {0x1f4, 0x1f7, "software frequency",   0, ALL},
    {0x1f8, 0x1fb, "PHY impedance",        0, ALL},
    {0x1fc, 0x1ff, "PHY configuration",    0x83308000, ALL},
    {0x240, 0x25b, "link debug",           0, ALL},
    {0x260, 0x26f, "TX POST ID windows",   0, ALL},
    {0x270, 0x273, "HT RX INT TRANS Lo",   0, ALL & ~0xfULL},
    {0x274, 0x277, "HT RX INT TRANS Hi",   0, ALL, .changed = int_changed},
    {0},
};
// clang-format on

static u64 region_read(void *opaque, u64 offset, unsigned size)
{
    return reg_bank_read(&((struct ht *)opaque)->bank, 0, offset, size);
}

static void region_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    reg_bank_write(&((struct ht *)opaque)->bank, 0, offset, value, size);
}

static const struct mem_io_ops ht_ops = {.read = region_read, .write = region_write};

// What the bridge asserts is its state, not ours: it outlives the reset.
static void ht_reset(struct device *d)
{
    struct ht *h = container_of(d, struct ht, dev);
    reg_bank_reset(&h->bank);
    if (h->allows_conversion)
        *reg_bank_word(&h->bank, INT_TRANS_HI) = TRANS_ALLOW;
    memset(h->vectors, 0, sizeof(h->vectors));
    h->is_ext_int = false;
    update(h);
}

static bool ht_realize(struct device *d, struct err *e)
{
    struct ht *h = container_of(d, struct ht, dev);
    h->region.size = HT_REG_SIZE;
    h->region.ops = &ht_ops;
    h->region.opaque = h;
    h->region.name = "ht";
    h->bank.unit = 4;
    h->bank.words = h->words;
    h->bank.n_words = HT_N_WORDS;
    reg_bank_init(&h->bank, "ht", ht_regs, h, d->env->log);
    ht_reset(d);
    return true;
}

static const struct device_prop ht_props[] = {
    {"allows-conversion", PROP_BOOL, offsetof(struct ht, allows_conversion),
     "interrupts may become extended I/O interrupts after reset, as firmware sets it up", "on"},
    {NULL},
};

const struct device_type ht_type = {
    .name = "loongson-ht",
    .doc = "HyperTransport controller registers of a Loongson processor",
    .size = sizeof(struct ht),
    .props = ht_props,
    .realize = ht_realize,
    .reset = ht_reset,
};
