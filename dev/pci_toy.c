// SPDX-License-Identifier: Apache-2.0
#include "dev/pci_toy.h"
#include "base/bits.h"

static u64 toy_read(void *opaque, u64 offset, unsigned size)
{
    return load_le((u8 *)opaque + offset, size);
}

static void toy_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    store_le((u8 *)opaque + offset, value, size);
}

static const struct mem_io_ops any_size = {toy_read, toy_write};
static const struct mem_io_ops four_bytes = {toy_read, toy_write, .max_size = 4};

static void master_on(struct pci_device *p)
{
    ((struct pci_toy *)p)->n_master_on++;
}

static bool realize(struct device *d, struct err *e)
{
    static const struct pci_ids ids = {0x1234, 0x5678, 0x9abc, 0xdef0, 0x018000, 7};
    static const struct pci_ops ops = {.master_on = master_on};
    struct pci_toy *t = (struct pci_toy *)d;
    struct pci_device *p = &t->pci;
    if (!pci_realize(p, &ids, &ops, e))
        return false;
    pci_add_bar(p, TOY_IO_BAR, PCI_BAR_IO, sizeof(t->io), &four_bytes, t->io);
    pci_add_bar(p, TOY_MEM32_BAR, PCI_BAR_MEM32, sizeof(t->mem32), &four_bytes, t->mem32);
    pci_add_bar(p, TOY_MEM64_BAR, PCI_BAR_MEM64_PREFETCH, sizeof(t->mem64), &any_size, t->mem64);
    pci_use_intx(p);
    pci_add_msix(p, TOY_MSIX_BAR, TOY_N_VECTORS);
    pci_add_express(p);
    return true;
}

static void reset(struct device *d)
{
    struct pci_toy *t = (struct pci_toy *)d;
    pci_reset(&t->pci);
    for (unsigned i = 0; i < sizeof(t->mem64); i++)
        t->mem64[i] = t->mem32[i % sizeof(t->mem32)] = t->io[i % sizeof(t->io)] = 0;
    t->n_master_on = 0;
}

static void free_device(struct device *d)
{
    pci_free((struct pci_device *)d);
}

static const struct device_prop props[] = {PCI_PROPS(struct pci_device), {NULL}};

const struct device_type pci_toy_type = {.name = "toy",
                                         .size = sizeof(struct pci_toy),
                                         .props = props,
                                         .realize = realize,
                                         .reset = reset,
                                         .free = free_device};
