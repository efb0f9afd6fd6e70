// SPDX-License-Identifier: Apache-2.0
#include "dev/ls3_chip.h"
#include "base/bits.h"

static void other_changed(void *opaque, u64 value)
{
    struct ls3_chip *c = opaque;
    bool is_ext_int = value >> 48 & 1, has_encoded_pins = value >> 49 & 1;
    extioi_set_mode(c->extioi, is_ext_int, has_encoded_pins);
    liointc_set_mode(c->liointc, has_encoded_pins);
    ht_set_ext_int(c->ht, is_ext_int);
}

static u16 temperature(void *opaque, unsigned output)
{
    return ls3_thermal_output(((struct ls3_chip *)opaque)->thermal, output);
}

void ls3_chip_set_vector_line(void *opaque, unsigned vector, bool level)
{
    struct ls3_chip *c = opaque;
    if (c->has_ht_vectors)
        ht_set_line(c->ht, vector, level);
    else
        extioi_set_line(c->extioi, vector, level);
}

void ls3_chip_send_vector(void *opaque, unsigned vector, bool level)
{
    struct ls3_chip *c = opaque;
    if (c->has_ht_vectors)
        ht_send(c->ht, vector, level);
    else
        extioi_send(c->extioi, vector, level);
}

static void make_ipi(struct ls3_chip *c)
{
    c->ipi = (struct ipi *)device_new(&ipi_type, c->dev.env);
    c->ipi->n_cores = c->n_cores;
    c->ipi->delay_ns = c->ipi_delay_ns;
    c->ipi->cores = &c->cores;
    c->ipi->any_send = iocsr_any_send;
    c->ipi->any_send_opaque = c->iocsr;
    c->iocsr->banks[IOCSR_IPI] = ipi_bank(c->ipi);
}

static void make_interrupt_controllers(struct ls3_chip *c)
{
    c->extioi = (struct extioi *)device_new(&extioi_type, c->dev.env);
    c->extioi->n_cores = c->n_cores;
    c->extioi->cores = &c->cores;
    c->iocsr->banks[IOCSR_EXTIOI] = extioi_bank(c->extioi);
    c->liointc = (struct liointc *)device_new(&liointc_type, c->dev.env);
    c->liointc->n_cores = c->n_cores;
    c->liointc->cores = &c->cores;
    c->iocsr->banks[IOCSR_LIOINTC] = liointc_bank(c->liointc);
}

static struct irq legacy_source(struct ls3_chip *c, unsigned source)
{
    return (struct irq){liointc_set_pin, c->liointc, source};
}

static void make_ht(struct ls3_chip *c)
{
    c->ht = (struct ht *)device_new(&ht_type, c->dev.env);
    c->ht->region.base = LS3_CHIP_HT1_REGS;
    c->ht->ext_line = (struct irq){extioi_set_line, c->extioi, 0};
    c->ht->ext_message = (struct irq){extioi_send, c->extioi, 0};
    for (unsigned i = 0; i < HT_N_LINES; i++)
        c->ht->line[i] = legacy_source(c, LIOINTC_HT1 + i);
}

static void make_gpio_and_thermal(struct ls3_chip *c)
{
    c->gpio = (struct ls3_gpio *)device_new(&ls3_gpio_type, c->dev.env);
    for (unsigned i = 0; i < LS3_GPIO_N_INTERRUPTS; i++)
        c->gpio->interrupt[i] = legacy_source(c, LIOINTC_GPIO + i);
    c->iocsr->banks[IOCSR_GPIO] = ls3_gpio_bank(c->gpio);
    c->thermal = (struct ls3_thermal *)device_new(&ls3_thermal_type, c->dev.env);
    c->thermal->interrupt = legacy_source(c, LIOINTC_THERMAL);
    c->iocsr->banks[IOCSR_THERMAL] = ls3_thermal_bank(c->thermal);
}

static void make_serial_buses(struct ls3_chip *c)
{
    c->spi = (struct ls3_spi *)device_new(&ls3_spi_type, c->dev.env);
    c->spi->flash_size = c->spi_flash_size;
    c->spi->interrupt = legacy_source(c, LIOINTC_SPI);
    c->iocsr->banks[IOCSR_SPI] = ls3_spi_bank(c->spi);
    for (unsigned i = 0; i < 2; i++) {
        c->i2c[i] = (struct ls3_i2c *)device_new(&ls3_i2c_type, c->dev.env);
        c->i2c[i]->interrupt = legacy_source(c, LIOINTC_I2C0 + i);
        c->iocsr->banks[IOCSR_I2C0 + i] = ls3_i2c_bank(c->i2c[i]);
    }
}

static bool make_config(struct ls3_chip *c, struct err *e)
{
    c->windows = (struct addr_window *)device_new(&addr_window_type, c->dev.env);
    c->iocsr->banks[IOCSR_WINDOWS] = addr_window_bank(c->windows);
    c->config = (struct chip_config *)device_new(&chip_config_type, c->dev.env);
    c->config->features = c->features;
    c->config->other_reset = c->other_reset;
    c->config->other_changed = other_changed;
    c->config->temperature = temperature;
    c->config->opaque = c;
    c->iocsr->banks[IOCSR_CHIP] = chip_config_bank(c->config);
    c->iocsr->config = c->config;
    return device_set(&c->config->dev, "name", c->name, e);
}

// In the order in which they are realized and reset: the configuration comes last, for it tells its
// register 0x420 to the others. Returns how many there are.
static unsigned children(struct ls3_chip *c, struct device *to[16])
{
    unsigned n = 0;
    struct device *all[] = {
        c->iocsr ? &c->iocsr->dev : NULL,     c->ipi ? &c->ipi->dev : NULL,
        c->extioi ? &c->extioi->dev : NULL,   c->liointc ? &c->liointc->dev : NULL,
        c->ht ? &c->ht->dev : NULL,           c->gpio ? &c->gpio->dev : NULL,
        c->thermal ? &c->thermal->dev : NULL, c->spi ? &c->spi->dev : NULL,
        c->i2c[0] ? &c->i2c[0]->dev : NULL,   c->i2c[1] ? &c->i2c[1]->dev : NULL,
        c->windows ? &c->windows->dev : NULL, c->config ? &c->config->dev : NULL,
    };
    for (unsigned i = 0; i < ARRAY_LEN(all); i++)
        if (all[i])
            to[n++] = all[i];
    return n;
}

static bool ls3_chip_realize(struct device *d, struct err *e)
{
    struct ls3_chip *c = container_of(d, struct ls3_chip, dev);
    c->iocsr = (struct iocsr *)device_new(&iocsr_type, d->env);
    c->iocsr->n_cores = c->n_cores;
    make_ipi(c);
    make_interrupt_controllers(c);
    make_ht(c);
    make_gpio_and_thermal(c);
    make_serial_buses(c);
    if (!make_config(c, e))
        return false;
    struct device *all[16];
    unsigned n = children(c, all);
    for (unsigned i = 0; i < n; i++)
        if (!device_realize(all[i], e))
            return false;
    return true;
}

void ls3_chip_map(struct ls3_chip *c)
{
    iocsr_map(c->iocsr);
    mem_add_region(c->dev.env->mem, &c->ht->region);
}

static void ls3_chip_reset(struct device *d)
{
    struct device *all[16];
    unsigned n = children(container_of(d, struct ls3_chip, dev), all);
    for (unsigned i = 0; i < n; i++)
        device_reset(all[i]);
}

static void ls3_chip_free(struct device *d)
{
    struct device *all[16];
    unsigned n = children(container_of(d, struct ls3_chip, dev), all);
    for (unsigned i = 0; i < n; i++)
        device_free(all[i]);
}

static const struct device_prop ls3_chip_props[] = {
    {"cores", PROP_U64, offsetof(struct ls3_chip, n_cores), "number of cores, 1 to 64", "1"},
    {"ipi-delay", PROP_U64, offsetof(struct ls3_chip, ipi_delay_ns),
     "ns that interrupts between processors need at most", "0"},
    {"features", PROP_U64, offsetof(struct ls3_chip, features), "I/O configuration register 0x8",
     "0x1c"},
    {"other-reset", PROP_U64, offsetof(struct ls3_chip, other_reset),
     "I/O configuration register 0x420 after reset", "0"},
    {"name", PROP_STRING, offsetof(struct ls3_chip, name), "processor name, at most 8 characters",
     "3A5000"},
    {"spi-flash", PROP_SIZE, offsetof(struct ls3_chip, spi_flash_size),
     "size of the serial flash, 0 for none", "0"},
    {"ht-vectors", PROP_BOOL, offsetof(struct ls3_chip, has_ht_vectors),
     "the bridge's interrupts pass through the HyperTransport controller", "off"},
    {NULL},
};

const struct device_type ls3_chip_type = {
    .name = "loongson-3a5000",
    .doc = "the parts of a 3A5000 around its cores: interrupts, chip configuration, serial buses",
    .size = sizeof(struct ls3_chip),
    .props = ls3_chip_props,
    .realize = ls3_chip_realize,
    .reset = ls3_chip_reset,
    .free = ls3_chip_free,
};
