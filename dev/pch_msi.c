// SPDX-License-Identifier: Apache-2.0
#include "dev/pch_msi.h"

static u64 region_read(void *opaque, u64 offset, unsigned size)
{
    return 0;
}

// Only the low byte counts: a vector number has 8 bits.
static void region_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct pch_msi *m = opaque;
    unsigned vector = value & 0xff;
    if (offset)
        return;
    if (vector < m->first_vector || vector - m->first_vector >= m->n_vectors) {
        log_guest(m->dev.env->log, "pch-msi: vector %u is not for message interrupts", vector);
        return;
    }
    struct irq wire = {m->message.set, m->message.opaque, vector};
    irq_set(&wire, true);
    irq_set(&wire, false);
}

static const struct mem_io_ops pch_msi_ops = {
    .read = region_read, .write = region_write, .takes_msi = true};

static bool pch_msi_realize(struct device *d, struct err *e)
{
    struct pch_msi *m = container_of(d, struct pch_msi, dev);
    if (m->first_vector > 255 || m->n_vectors > 256 - m->first_vector)
        return err_set(e,
                       "vectors 'first-vector' to 'first-vector' + 'vectors' - 1 end behind 255");
    m->region.size = PCH_MSI_SIZE;
    m->region.ops = &pch_msi_ops;
    m->region.opaque = m;
    m->region.name = "pch-msi";
    return true;
}

static const struct device_prop pch_msi_props[] = {
    {"first-vector", PROP_U64, offsetof(struct pch_msi, first_vector), "lowest vector accepted",
     "32"},
    {"vectors", PROP_U64, offsetof(struct pch_msi, n_vectors), "number of vectors accepted", "224"},
    {NULL},
};

const struct device_type pch_msi_type = {
    .name = "ls7a-msi",
    .doc = "doorbell for message interrupts of the LS7A bridge",
    .size = sizeof(struct pch_msi),
    .props = pch_msi_props,
    .realize = pch_msi_realize,
};
