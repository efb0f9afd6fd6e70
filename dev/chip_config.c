// SPDX-License-Identifier: Apache-2.0
// Most of these registers are storage: they tune analogue parts and clocks that have no model. The
// ones that firmware waits for (PLL locked bits) answer at once.
#include "dev/chip_config.h"
#include "base/bits.h"

#include <string.h>

#define OTHER_STABLE_RESET BIT(21)
#define ROUTE_HIDES_3FF0   BIT(9)

// The node clock runs at 2.5 GHz.
#define NODE_TICKS_PER_2NS 5

static u64 read_features(void *block, unsigned core, unsigned index)
{
    return ((struct chip_config *)block)->features;
}

static u64 read_name(void *block, unsigned core, unsigned index)
{
    struct chip_config *c = block;
    char text[8] = "";
    memcpy(text, c->name, strnlen(c->name, sizeof(text)));
    return load_le((u8 *)text, sizeof(text));
}

static u16 temperature(struct chip_config *c, unsigned sensor)
{
    return c->temperature ? c->temperature(c->opaque, sensor) : 0;
}

static u64 read_raw_temperature(void *block, unsigned core, unsigned index)
{
    return (u64)temperature(block, 0) << 32 | (u64)temperature(block, 1) << 48;
}

static u64 read_celsius(void *block, unsigned core, unsigned index)
{
    s32 celsius = temperature(block, 0) * 731 / 0x4000 - 273;
    return celsius < 0 ? 0 : celsius & 0xff;
}

// LOCKED follows SOFT_SET without delay.
static u64 read_node_pll(void *block, unsigned core, unsigned index)
{
    u64 value = *reg_bank_word(&((struct chip_config *)block)->bank, 0x1b0);
    return value | (value >> 2 & 1) << 16;
}

static u64 read_memory_pll(void *block, unsigned core, unsigned index)
{
    u64 value = *reg_bank_word(&((struct chip_config *)block)->bank, 0x1c0);
    return value | (value >> 1 & 1) << 6;
}

static u64 read_node_counter(void *block, unsigned core, unsigned index)
{
    struct chip_config *c = block;
    return clock_now(c->dev.env->clock) * NODE_TICKS_PER_2NS / 2;
}

// Two bits per core, resetn_pre and resetn: a core runs while both are set.
static bool core_runs(u64 reset_control, unsigned core)
{
    return (reset_control >> (2 * core) & 3) == 3;
}

static void core_reset_changed(void *block, u32 offset, u64 before)
{
    struct chip_config *c = block;
    u64 now = *reg_bank_word(&c->bank, 0x1d8);
    for (unsigned core = 0; core < 4; core++) {
        struct irq wire = {c->core_runs.set, c->core_runs.opaque, core};
        if (core_runs(before, core) == core_runs(now, core))
            continue;
        if (!wire.set)
            log_unimp(c->dev.env->log, "core %u: reset by register 0x1d8", core);
        irq_set(&wire, core_runs(now, core));
    }
}

static void tell_other(struct chip_config *c)
{
    if (c->other_changed)
        c->other_changed(c->opaque, *reg_bank_word(&c->bank, 0x420));
}

static void other_changed(void *block, u32 offset, u64 before)
{
    struct chip_config *c = block;
    if (*reg_bank_word(&c->bank, 0x420) & ~before & OTHER_STABLE_RESET)
        log_unimp(c->dev.env->log, "stopping the stable counter by register 0x420");
    tell_other(c);
}

bool chip_config_hides_3ff0(struct chip_config *c)
{
    return *reg_bank_word(&c->bank, 0x400) & ROUTE_HIDES_3FF0;
}

// The error counters of the memory controllers never count: our memory has no errors.
// clang-format off
#define ALL        (~0ULL)
#define ECC_SET_RW (BITS(5, 0) | BIT(8) | BITS(33, 32) | BIT(40))
static const struct reg chip_config_regs[] = {
    {0x000, 0x007, "version",                 0x11},
    {0x008, 0x00f, "features",                .read = read_features},
    {0x010, 0x017, "vendor",                  0x6e6f73676e6f6f4c}, // "Loongson"
    {0x020, 0x027, "name",                    .read = read_name},
    {0x180, 0x187, "function configuration",  0x3d000f00bb003de0, BITS(55, 0)},
    {0x188, 0x18f, "pin drive",               0, ALL},
    {0x190, 0x197, "sampling"},
    {0x198, 0x19f, "raw temperature",         .read = read_raw_temperature},
    {0x1b0, 0x1b7, "node PLL",                1ULL << 26 | 1ULL << 32 | 1ULL << 42, ALL & ~BIT(16),
                                              .read = read_node_pll},
    {0x1b8, 0x1bf, "L2 PLL",                  0, ALL},
    {0x1c0, 0x1c7, "memory PLL",              1 << 3 | 1 << 8 | 0x41 << 14, ALL & ~BIT(6),
                                              .read = read_memory_pll},
    {0x1d0, 0x1d7, "core clock",              0xffff, ALL},
    {0x1d8, 0x1df, "core reset",              0xff, ALL, .changed = core_reset_changed},
    {0x400, 0x407, "routing",                 0xf0 | 3ULL << 30, ALL & ~BITS(43, 40)},
    {0x408, 0x40f, "node counter",            .read = read_node_counter},
    {0x420, 0x427, "other functions",         0, ALL & ~BITS(63, 60), .changed = other_changed},
    {0x428, 0x42f, "temperature",             .read = read_celsius},
    {0x430, 0x437, "SRAM tuning",             0, ALL},
    {0x460, 0x47f, "fuses",                   0, ALL},
    {0x518, 0x51f, "SMC mailbox",             0, BITS(63, 32)},
    {0x600, 0x607, "Mc0_ecc_set",             0, ECC_SET_RW},
    {0x608, 0x60f, "Mc0 reserved",            0, ALL},
    {0x610, 0x617, "Mc0_ecc_cnt",             0, 0xff},
    {0x618, 0x64f, "Mc0_ecc_cs_cnt, code, addr, data0-3"},
    {0x700, 0x707, "Mc1_ecc_set",             0, ECC_SET_RW},
    {0x708, 0x70f, "Mc1 reserved",            0, ALL},
    {0x710, 0x717, "Mc1_ecc_cnt",             0, 0xff},
    {0x718, 0x74f, "Mc1_ecc_cs_cnt, code, addr, data0-3"},
    {0},
};
// clang-format on

static void chip_config_reset(struct device *d)
{
    struct chip_config *c = container_of(d, struct chip_config, dev);
    reg_bank_reset(&c->bank);
    *reg_bank_word(&c->bank, 0x420) = c->other_reset & ~BITS(63, 60);
    tell_other(c);
}

static bool chip_config_realize(struct device *d, struct err *e)
{
    struct chip_config *c = container_of(d, struct chip_config, dev);
    if (strlen(c->name) > 8)
        return err_set(e, "property 'name': '%s' has more than 8 characters", c->name);
    c->bank.words = c->words;
    c->bank.n_words = CHIP_CONFIG_N_WORDS;
    reg_bank_init(&c->bank, "chip-config", chip_config_regs, c, d->env->log);
    chip_config_reset(d);
    return true;
}

static const struct device_prop chip_config_props[] = {
    {"features", PROP_U64, offsetof(struct chip_config, features), "register 0x8", "0x1c"},
    {"other-reset", PROP_U64, offsetof(struct chip_config, other_reset),
     "register 0x420 after reset", "0"},
    {"name", PROP_STRING, offsetof(struct chip_config, name), "processor name", "3A5000"},
    {NULL},
};

const struct device_type chip_config_type = {
    .name = "loongson-chip-config",
    .doc = "chip configuration registers of a Loongson processor",
    .size = sizeof(struct chip_config),
    .props = chip_config_props,
    .realize = chip_config_realize,
    .reset = chip_config_reset,
};
