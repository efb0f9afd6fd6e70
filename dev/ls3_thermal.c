// SPDX-License-Identifier: Apache-2.0
// Alarms are levels: clearing one that still holds raises it again at once. Lowering the clock of a
// hot chip is storage only: our clock knows no heat.
#include "dev/ls3_thermal.h"
#include "base/bits.h"

enum { TOO_HOT = 1, TOO_COLD = 2 };

#define ALARM_HIGH 0x1460
#define ALARM_LOW  0x1468
#define ALARM_GATE 0x1478 // upper bytes of the four high and the four low gates
#define CONFIG     0x1580
#define TEMP_VALID BIT(8)

u16 ls3_thermal_raw(unsigned celsius)
{
    return ((celsius + 273) * 0x4000 + 730) / 731;
}

static u64 word(struct ls3_thermal *t, u32 offset)
{
    return *reg_bank_word(&t->bank, offset);
}

// Four groups of 16 bits: gate [7:0], enable 8, sensor [11:10].
static bool is_alarmed(struct ls3_thermal *t, u32 control, unsigned group, bool is_high)
{
    u64 c = word(t, control) >> (16 * group);
    unsigned upper = word(t, ALARM_GATE) >> (8 * (group + (is_high ? 0 : 4))) & 0xff;
    unsigned gate = upper << 8 | (c & 0xff), value = t->raw[c >> 10 & 3];
    return (c >> 8 & 1) && (is_high ? value > gate : value < gate);
}

static void update(struct ls3_thermal *t)
{
    for (unsigned group = 0; group < 4; group++) {
        t->status |= is_alarmed(t, ALARM_HIGH, group, true) ? TOO_HOT : 0;
        t->status |= is_alarmed(t, ALARM_LOW, group, false) ? TOO_COLD : 0;
    }
    irq_set(&t->interrupt, t->status != 0);
}

void ls3_thermal_set(struct ls3_thermal *t, unsigned sensor, u16 raw)
{
    t->raw[sensor % LS3_THERMAL_N_SENSORS] = raw & 0x3fff;
    update(t);
}

// A sensor whose configuration says Temp_valid replaces output 0.
u16 ls3_thermal_output(void *opaque, unsigned output)
{
    struct ls3_thermal *t = opaque;
    for (unsigned i = 0; output == 0 && i < LS3_THERMAL_N_SENSORS; i++)
        if (word(t, CONFIG + 16 * i) & TEMP_VALID)
            return t->raw[i];
    return t->raw[output % LS3_THERMAL_N_SENSORS];
}

static void alarm_changed(void *block, u32 offset, u64 before)
{
    update(block);
}

static u64 read_status(void *block, unsigned core, unsigned index)
{
    return ((struct ls3_thermal *)block)->status;
}

static void write_status(void *block, unsigned core, unsigned index, u64 value, u64 mask)
{
    struct ls3_thermal *t = block;
    t->status &= ~value;
    update(t);
}

static u64 read_sensor(struct ls3_thermal *t, unsigned sensor, unsigned index)
{
    u64 config = word(t, CONFIG + 16 * sensor);
    if (index == 0)
        return config;
    return (u64)t->raw[sensor] << 16 | (config & (7 << 4)) | (config >> 2 & 1) << 3;
}

static u64 read_sensors(void *block, unsigned core, unsigned index)
{
    return read_sensor(block, index / 2, index % 2);
}

// clang-format off
#define GROUPS(bits) ((bits) | (u64)(bits) << 16 | (u64)(bits) << 32 | (u64)(bits) << 48)
static const struct reg ls3_thermal_regs[] = {
    {0x1460, 0x1467, "Thsens_int_ctrl_Hi",   0, GROUPS(0x0dff), .changed = alarm_changed},
    {0x1468, 0x146f, "Thsens_int_ctrl_Lo",   0, GROUPS(0x0dff), .changed = alarm_changed},
    {0x1470, 0x1477, "Thsens_int_status",    .read = read_status, .write = write_status},
    {0x1478, 0x147f, "Thsens_int_up",        0, ~0ULL, .changed = alarm_changed},
    {0x1480, 0x1487, "Thsens_freq_scale",    0, GROUPS(0x7dff)},
    {0x1490, 0x1497, "Thsens_freq_scale_up", 0, ~0ULL},
    {0x1498, 0x149f, "Thsens_hi_ctrl",       0, 0x30731},
    {0x1580, 0x15bf, "sensors 0-3: configuration, data", 0, 0xf7d, .read = read_sensors},
    {0},
};
// clang-format on

static void ls3_thermal_reset(struct device *d)
{
    struct ls3_thermal *t = container_of(d, struct ls3_thermal, dev);
    reg_bank_reset(&t->bank);
    t->status = 0;
    update(t);
}

static bool ls3_thermal_realize(struct device *d, struct err *e)
{
    struct ls3_thermal *t = container_of(d, struct ls3_thermal, dev);
    if (t->celsius > 125)
        return err_set(e, "property 'celsius': the sensors end at 125");
    for (unsigned i = 0; i < LS3_THERMAL_N_SENSORS; i++)
        t->raw[i] = ls3_thermal_raw(t->celsius);
    t->bank.base = LS3_THERMAL_BASE;
    t->bank.words = t->words;
    t->bank.n_words = LS3_THERMAL_N_WORDS;
    reg_bank_init(&t->bank, "thermal", ls3_thermal_regs, t, d->env->log);
    return true;
}

static const struct device_prop ls3_thermal_props[] = {
    {"celsius", PROP_U64, offsetof(struct ls3_thermal, celsius), "temperature of the chip", "40"},
    {NULL},
};

const struct device_type ls3_thermal_type = {
    .name = "loongson-thermal",
    .doc = "temperature sensors of a Loongson processor",
    .size = sizeof(struct ls3_thermal),
    .props = ls3_thermal_props,
    .realize = ls3_thermal_realize,
    .reset = ls3_thermal_reset,
};
