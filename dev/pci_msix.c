// SPDX-License-Identifier: Apache-2.0
// MSI-X of one function (section 7.7.2): the vector table and the pending bits in a BAR.
//
// A masked vector's interrupt is remembered and sent once when it is unmasked. A function that is
// not a bus master cannot send either, and is treated as if all of its vectors were masked.
#include "dev/pci.h"
#include "base/bits.h"
#include "base/bug.h"

#include <string.h>

enum {
    CAP_SIZE = 12,
    CAP_CONTROL = 2,
    CAP_TABLE = 4,
    CAP_PBA = 8,
    CONTROL_MASK_ALL = 1 << 14,
    CONTROL_ENABLE = 1 << 15,
    ENTRY_SIZE = 16,
    ENTRY_DATA = 8,
    ENTRY_CONTROL = 12,
    ENTRY_MASKED = 1,
};

static u16 control(const struct pci_device *p)
{
    return (u16)load_le(&p->config[p->msix.cap + CAP_CONTROL], 2);
}

bool pci_msix_is_on(const struct pci_device *p)
{
    return p->msix.n_vectors && control(p) & CONTROL_ENABLE;
}

static bool may_send(const struct pci_device *p, unsigned vector)
{
    return control(p) & CONTROL_ENABLE && !(control(p) & CONTROL_MASK_ALL) && pci_is_master(p) &&
           !(p->msix.table[ENTRY_SIZE * vector + ENTRY_CONTROL] & ENTRY_MASKED);
}

static void send(struct pci_device *p, unsigned vector)
{
    const u8 *entry = &p->msix.table[ENTRY_SIZE * vector];
    p->msix.pending[vector / 64] &= ~BIT(vector % 64);
    mem_msi(p->d.env->mem, load_le(entry, 8), (u32)load_le(entry + ENTRY_DATA, 4));
}

void pci_msix_send(struct pci_device *p, unsigned vector)
{
    if (vector >= p->msix.n_vectors || !pci_msix_is_on(p))
        return;
    if (may_send(p, vector))
        send(p, vector);
    else
        p->msix.pending[vector / 64] |= BIT(vector % 64);
}

static void flush_one(struct pci_device *p, unsigned vector)
{
    if (p->msix.pending[vector / 64] & BIT(vector % 64) && may_send(p, vector))
        send(p, vector);
}

void pci_msix_flush(struct pci_device *p)
{
    for (unsigned v = 0; v < p->msix.n_vectors; v++)
        flush_one(p, v);
}

static bool is_table(const struct pci_device *p, u64 offset)
{
    return offset < (u64)ENTRY_SIZE * p->msix.n_vectors;
}

static u64 msix_read(void *opaque, u64 offset, unsigned size)
{
    struct pci_device *p = opaque;
    if (is_table(p, offset))
        return load_le(&p->msix.table[offset], size);
    u64 in_pba = offset - p->msix.pba_offset;
    if (offset < p->msix.pba_offset || in_pba >= sizeof(p->msix.pending))
        return 0;
    return p->msix.pending[in_pba / 8] >> (8 * (in_pba % 8));
}

// The pending bits are read-only. The specification allows 4 and 8 byte accesses only; smaller ones
// are done as memory would. Reserved bits of the control word stay zero, those of the address too.
static void msix_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct pci_device *p = opaque;
    if (!is_table(p, offset))
        return;
    store_le(&p->msix.table[offset], value, size);
    u8 *entry = &p->msix.table[offset & ~(u64)(ENTRY_SIZE - 1)];
    entry[0] &= 0xfc;
    store_le(entry + ENTRY_CONTROL, entry[ENTRY_CONTROL] & ENTRY_MASKED, 4);
    flush_one(p, (unsigned)(offset / ENTRY_SIZE));
}

static const struct mem_io_ops msix_ops = {.read = msix_read, .write = msix_write};

void pci_add_msix(struct pci_device *p, unsigned bar, unsigned n_vectors)
{
    BUG_ON(!n_vectors || n_vectors > PCI_MAX_MSIX || p->msix.n_vectors);
    struct pci_msix *m = &p->msix;
    m->n_vectors = (u16)n_vectors;
    m->pba_offset = ENTRY_SIZE * PCI_MAX_MSIX;
    m->cap = (u8)pci_add_capability(p, PCI_CAP_MSIX, CAP_SIZE);
    store_le(&p->config[m->cap + CAP_CONTROL], n_vectors - 1, 2);
    store_le(&p->writable[m->cap + CAP_CONTROL], CONTROL_ENABLE | CONTROL_MASK_ALL, 2);
    store_le(&p->config[m->cap + CAP_TABLE], bar, 4);
    store_le(&p->config[m->cap + CAP_PBA], m->pba_offset | bar, 4);
    pci_add_bar(p, bar, PCI_BAR_MEM32, 4096, &msix_ops, p);
    pci_msix_reset(p);
}

void pci_msix_reset(struct pci_device *p)
{
    memset(p->msix.table, 0, sizeof(p->msix.table));
    memset(p->msix.pending, 0, sizeof(p->msix.pending));
    for (unsigned v = 0; v < p->msix.n_vectors; v++)
        p->msix.table[ENTRY_SIZE * v + ENTRY_CONTROL] = ENTRY_MASKED;
}
