// SPDX-License-Identifier: Apache-2.0
// Configuration space of one function: what is stored, which bits a guest changes, and what
// follows.
#include "dev/pci.h"
#include "dev/pci_bus.h"
#include "base/bits.h"
#include "base/bug.h"

#include <string.h>

// PCI Express capability, section 7.5.3.
enum {
    EXPRESS_SIZE = 0x3c,
    EXPRESS_FLAGS = 0x02,
    EXPRESS_DEVCAP = 0x04,
    EXPRESS_DEVCTL = 0x08,
    EXPRESS_DEVCTL2 = 0x28,
    EXPRESS_VERSION = 2,
    EXPRESS_TYPE_RC_ENDPOINT = 9,
    DEVCAP_ROLE_BASED_ERRORS = 1 << 15,
    DEVCAP_FLR = 1 << 28,
    DEVCTL_FLR = 1 << 15,
    DEVSTA_W1C = 0x0f,
};

static void put(struct pci_device *p, unsigned offset, u64 value, unsigned size)
{
    store_le(&p->config[offset], value, size);
}

static u16 command(const struct pci_device *p)
{
    return (u16)load_le(&p->config[PCI_COMMAND], 2);
}

static void fill_header(struct pci_device *p, const struct pci_ids *ids)
{
    put(p, PCI_VENDOR_ID, ids->vendor, 2);
    put(p, PCI_DEVICE_ID, ids->device, 2);
    put(p, PCI_REVISION, ids->revision, 1);
    put(p, PCI_CLASS, ids->class_code, 3);
    put(p, PCI_HEADER_TYPE, p->is_multifunction ? 0x80 : 0, 1);
    put(p, PCI_SUBSYSTEM_VENDOR, ids->subsystem_vendor, 2);
    put(p, PCI_SUBSYSTEM_ID, ids->subsystem, 2);

    u16 c = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
            PCI_COMMAND_SERR | PCI_COMMAND_INTX_OFF;
    store_le(&p->writable[PCI_COMMAND], c, 2);
    store_le(&p->write1_clear[PCI_STATUS], PCI_STATUS_W1C, 2);
    p->writable[PCI_CACHE_LINE] = 0xff;
    p->writable[PCI_INTERRUPT_LINE] = 0xff;
}

bool pci_realize(struct pci_device *p, const struct pci_ids *ids, const struct pci_ops *ops,
                 struct err *e)
{
    p->ops = ops;
    p->next_cap = PCI_HEADER_END;
    p->next_ext_cap = PCI_EXTENDED;
    fill_header(p, ids);
    if (!p->d.env->pci)
        return err_set(e, "this board has no PCI bus");
    if (p->bus_name && strcmp(p->bus_name, "pcie.0"))
        return err_set(e, "property 'bus': there is no bus '%s', only pcie.0", p->bus_name);
    return pci_bus_add(p->d.env->pci, p, e);
}

void pci_reset(struct pci_device *p)
{
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++)
        p->config[i] &= (u8) ~(p->writable[i] | p->write1_clear[i]);
    pci_msix_reset(p);
    pci_set_intx(p, false);
    if (p->bus)
        pci_bus_remap(p->bus);
}

void pci_free(struct pci_device *p)
{
    if (p->bus)
        pci_bus_remove(p->bus, p);
}

void pci_add_bar(struct pci_device *p, unsigned index, enum pci_bar_kind kind, u64 size,
                 const struct mem_io_ops *ops, void *opaque)
{
    bool is_wide = kind == PCI_BAR_MEM64 || kind == PCI_BAR_MEM64_PREFETCH;
    BUG_ON(index + is_wide >= PCI_N_BARS || p->bars[index].size || !is_pow2(size) ||
           size < (kind == PCI_BAR_IO ? 4 : 16));
    p->bars[index] = (struct pci_bar){.size = size, .kind = kind, .ops = ops, .opaque = opaque};
    unsigned at = PCI_BAR0 + 4 * index, width = is_wide ? 8 : 4;
    put(p, at, kind, width);
    store_le(&p->writable[at], ~(size - 1), width);
}

unsigned pci_add_capability(struct pci_device *p, u8 id, unsigned size)
{
    unsigned at = p->next_cap;
    BUG_ON(at + size > PCI_EXTENDED - 4);
    p->config[p->last_cap ? p->last_cap + 1 : PCI_CAPABILITIES] = (u8)at;
    p->config[PCI_STATUS] |= PCI_STATUS_CAPABILITIES;
    p->config[at] = id;
    p->last_cap = (u8)at;
    p->next_cap = (u8)align_up(at + size, 4);
    return at;
}

// The list has no head: the first capability is at 0x100, and one that is not there reads as zero.
unsigned pci_add_ext_capability(struct pci_device *p, u16 id, u8 version, unsigned size)
{
    unsigned at = p->next_ext_cap;
    BUG_ON(at + size > PCI_CONFIG_SIZE);
    if (p->last_ext_cap)
        put(p, p->last_ext_cap + 2, load_le(&p->config[p->last_ext_cap + 2], 2) | at << 4, 2);
    put(p, at, id | (u32)version << 16, 4);
    p->last_ext_cap = (u16)at;
    p->next_ext_cap = (u16)align_up(at + size, 4);
    return at;
}

void pci_add_express(struct pci_device *p)
{
    unsigned at = pci_add_capability(p, PCI_CAP_EXPRESS, EXPRESS_SIZE);
    p->express_cap = (u8)at;
    put(p, at + EXPRESS_FLAGS, EXPRESS_VERSION | EXPRESS_TYPE_RC_ENDPOINT << 4, 2);
    put(p, at + EXPRESS_DEVCAP, DEVCAP_ROLE_BASED_ERRORS | DEVCAP_FLR, 4);
    store_le(&p->writable[at + EXPRESS_DEVCTL], 0x78ff, 2);
    p->write1_clear[at + EXPRESS_DEVCTL + 2] = DEVSTA_W1C;
    p->writable[at + EXPRESS_DEVCTL2] = 0x1f;
}

void pci_use_intx(struct pci_device *p)
{
    p->config[PCI_INTERRUPT_PIN] = 1;
}

static void update_intx(struct pci_device *p)
{
    if (p->intx_level)
        p->config[PCI_STATUS] |= PCI_STATUS_INTX;
    else
        p->config[PCI_STATUS] &= (u8)~PCI_STATUS_INTX;
    bool on_bus = p->intx_level && !(command(p) & PCI_COMMAND_INTX_OFF);
    if (on_bus == p->intx_on_bus || !p->bus)
        return;
    p->intx_on_bus = on_bus;
    pci_bus_intx(p->bus, p, on_bus);
}

void pci_set_intx(struct pci_device *p, bool level)
{
    p->intx_level = level;
    update_intx(p);
}

bool pci_is_master(const struct pci_device *p)
{
    return command(p) & PCI_COMMAND_MASTER;
}

u32 pci_config_read(struct pci_device *p, unsigned offset, unsigned size)
{
    BUG_ON(offset + size > PCI_CONFIG_SIZE);
    if (p->ops && p->ops->config_reads)
        p->ops->config_reads(p, offset, size);
    return (u32)load_le(&p->config[offset], size);
}

static void store(struct pci_device *p, unsigned offset, u32 value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        u8 byte = (u8)(value >> (8 * i)), w = p->writable[offset + i];
        u8 kept = p->config[offset + i] & (u8) ~(byte & p->write1_clear[offset + i]);
        p->config[offset + i] = (u8)((kept & ~w) | (byte & w));
    }
}

static bool touches(unsigned offset, unsigned size, unsigned first, unsigned n)
{
    return offset < first + n && first < offset + size;
}

// The request bit always reads as zero, so it is looked for in what was written.
static bool asks_for_reset(const struct pci_device *p, unsigned offset, u32 value, unsigned size)
{
    unsigned at = p->express_cap + EXPRESS_DEVCTL + 1;
    return p->express_cap && touches(offset, size, at, 1) &&
           value >> (8 * (at - offset)) & DEVCTL_FLR >> 8;
}

static void command_written(struct pci_device *p, bool was_master)
{
    update_intx(p);
    if (was_master || !pci_is_master(p))
        return;
    pci_msix_flush(p);
    if (p->ops && p->ops->master_on)
        p->ops->master_on(p);
}

void pci_config_write(struct pci_device *p, unsigned offset, u32 value, unsigned size)
{
    BUG_ON(offset + size > PCI_CONFIG_SIZE);
    bool was_master = pci_is_master(p);
    if (asks_for_reset(p, offset, value, size)) {
        device_reset(&p->d);
        return;
    }
    store(p, offset, value, size);
    if (p->bus &&
        (touches(offset, size, PCI_COMMAND, 2) || touches(offset, size, PCI_BAR0, 4 * PCI_N_BARS)))
        pci_bus_remap(p->bus);
    if (touches(offset, size, PCI_COMMAND, 2))
        command_written(p, was_master);
    if (p->msix.n_vectors && touches(offset, size, p->msix.cap + 2u, 2))
        pci_msix_flush(p);
    if (p->ops && p->ops->config_written)
        p->ops->config_written(p, offset, size);
}

static unsigned piece_size(const struct pci_bar *b, unsigned size)
{
    return b->ops->max_size && b->ops->max_size < size ? b->ops->max_size : size;
}

u64 pci_bar_read(struct pci_device *p, unsigned index, u64 offset, unsigned size)
{
    const struct pci_bar *b = index < PCI_N_BARS ? &p->bars[index] : NULL;
    if (!b || offset >= b->size || size > b->size - offset)
        return BITS(8 * size - 1, 0);
    u64 value = 0;
    unsigned n = piece_size(b, size);
    for (unsigned done = 0; done < size; done += n)
        value |= (b->ops->read(b->opaque, offset + done, n) & BITS(8 * n - 1, 0)) << (8 * done);
    return value;
}

void pci_bar_write(struct pci_device *p, unsigned index, u64 offset, u64 value, unsigned size)
{
    const struct pci_bar *b = index < PCI_N_BARS ? &p->bars[index] : NULL;
    if (!b || offset >= b->size || size > b->size - offset)
        return;
    unsigned n = piece_size(b, size);
    for (unsigned done = 0; done < size; done += n)
        b->ops->write(b->opaque, offset + done, value >> (8 * done) & BITS(8 * n - 1, 0), n);
}
