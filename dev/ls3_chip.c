// SPDX-License-Identifier: Apache-2.0
#include "dev/ls3_chip.h"
#include "base/bits.h"

#include <stdlib.h>
#include <string.h>

static void other_changed(void *opaque, u64 value)
{
    struct ls3_chip *c = opaque;
    extioi_set_mode(c->extioi, value >> 48 & 1, value >> 49 & 1);
}

void ls3_chip_set_vector_line(void *opaque, unsigned vector, bool level)
{
    struct ls3_chip *c = opaque;
    extioi_set_line(c->extioi, vector, level);
}

void ls3_chip_send_vector(void *opaque, unsigned vector, bool level)
{
    struct ls3_chip *c = opaque;
    extioi_send(c->extioi, vector, level);
}

static bool make_ipi(struct ls3_chip *c, struct err *e)
{
    c->ipi = (struct ipi *)device_new(&ipi_type, c->dev.env);
    c->ipi->n_cores = c->n_cores;
    c->ipi->cores = &c->cores;
    c->ipi->any_send = iocsr_any_send;
    c->ipi->any_send_opaque = c->iocsr;
    c->iocsr->banks[IOCSR_IPI] = ipi_bank(c->ipi);
    return device_realize(&c->ipi->dev, e);
}

static bool make_extioi(struct ls3_chip *c, struct err *e)
{
    c->extioi = (struct extioi *)device_new(&extioi_type, c->dev.env);
    c->extioi->n_cores = c->n_cores;
    c->extioi->cores = &c->cores;
    c->iocsr->banks[IOCSR_EXTIOI] = extioi_bank(c->extioi);
    return device_realize(&c->extioi->dev, e);
}

static bool make_config(struct ls3_chip *c, struct err *e)
{
    c->config = (struct chip_config *)device_new(&chip_config_type, c->dev.env);
    c->config->features = c->features;
    c->config->other_reset = c->other_reset;
    if (!device_set(&c->config->dev, "name", c->name, e))
        return false;
    c->config->other_changed = other_changed;
    c->config->opaque = c;
    c->iocsr->banks[IOCSR_CHIP] = chip_config_bank(c->config);
    c->iocsr->config = c->config;
    return device_realize(&c->config->dev, e);
}

static bool ls3_chip_realize(struct device *d, struct err *e)
{
    struct ls3_chip *c = container_of(d, struct ls3_chip, dev);
    c->iocsr = (struct iocsr *)device_new(&iocsr_type, d->env);
    c->iocsr->n_cores = c->n_cores;
    return device_realize(&c->iocsr->dev, e) && make_ipi(c, e) && make_extioi(c, e) &&
           make_config(c, e);
}

static void ls3_chip_reset(struct device *d)
{
    struct ls3_chip *c = container_of(d, struct ls3_chip, dev);
    device_reset(&c->ipi->dev);
    device_reset(&c->extioi->dev);
    device_reset(&c->config->dev);
}

static void ls3_chip_free(struct device *d)
{
    struct ls3_chip *c = container_of(d, struct ls3_chip, dev);
    device_free(c->config ? &c->config->dev : NULL);
    device_free(c->extioi ? &c->extioi->dev : NULL);
    device_free(c->ipi ? &c->ipi->dev : NULL);
    device_free(c->iocsr ? &c->iocsr->dev : NULL);
}

static const struct device_prop ls3_chip_props[] = {
    {"cores", PROP_U64, offsetof(struct ls3_chip, n_cores), "number of cores, 1 to 64", "1"},
    {"features", PROP_U64, offsetof(struct ls3_chip, features), "I/O configuration register 0x8",
     "0x1c"},
    {"other-reset", PROP_U64, offsetof(struct ls3_chip, other_reset),
     "I/O configuration register 0x420 after reset", "0"},
    {"name", PROP_STRING, offsetof(struct ls3_chip, name), "processor name, at most 8 characters",
     "3A5000"},
    {NULL},
};

const struct device_type ls3_chip_type = {
    .name = "loongson-3a5000",
    .doc = "the parts of a 3A5000 around its cores: interrupts, chip configuration",
    .size = sizeof(struct ls3_chip),
    .props = ls3_chip_props,
    .realize = ls3_chip_realize,
    .reset = ls3_chip_reset,
    .free = ls3_chip_free,
};
