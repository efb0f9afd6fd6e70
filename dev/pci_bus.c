// SPDX-License-Identifier: Apache-2.0
// Slots, decoding and interrupt wires of PCI bus 0.
//
// The BARs that answer are kept in a list that is made anew when any of them changes. A guest may
// lay them over each other as it likes: the first in order of devfn and BAR answers alone.
#include "dev/pci_bus.h"
#include "base/bits.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

void pci_bus_init(struct pci_bus *b)
{
    b->mem_decodes.list = calloc(PCI_N_DEVFN * PCI_N_BARS, sizeof(struct pci_decode));
    b->io_decodes.list = calloc(PCI_N_DEVFN * PCI_N_BARS, sizeof(struct pci_decode));
    BUG_ON(!b->mem_decodes.list || !b->io_decodes.list);
}

void pci_bus_free(struct pci_bus *b)
{
    for (unsigned i = 0; i < PCI_N_DEVFN; i++)
        if (b->functions[i])
            b->functions[i]->bus = NULL;
    free(b->mem_decodes.list);
    free(b->io_decodes.list);
    memset(b, 0, sizeof(*b));
}

// Hexadecimal, as lspci prints it: "1f" or "3.7".
static bool parse_addr(const char *text, unsigned *devfn, struct err *e)
{
    char *end;
    unsigned long slot = strtoul(text, &end, 16), function = 0;
    bool ok = end != text;
    if (ok && *end == '.') {
        const char *from = end + 1;
        function = strtoul(from, &end, 16);
        ok = end != from;
    }
    if (!ok || *end || text[0] == '-' || slot >= PCI_N_SLOTS || function > 7)
        return err_set(e, "property 'addr': '%s' is not a slot 0 to 1f with a function .0 to .7",
                       text);
    *devfn = (unsigned)(slot << 3 | function);
    return true;
}

static bool slot_is_free(const struct pci_bus *b, unsigned slot)
{
    for (unsigned f = 0; f < 8; f++)
        if (b->functions[slot << 3 | f])
            return false;
    return true;
}

static bool find_slot(const struct pci_bus *b, unsigned *devfn, struct err *e)
{
    for (unsigned slot = 0; slot < PCI_N_SLOTS; slot++)
        if (slot_is_free(b, slot)) {
            *devfn = slot << 3;
            return true;
        }
    return err_set(
        e, "the PCI bus is full: %d slots; functions .1 to .7 can be had with addr=", PCI_N_SLOTS);
}

// Systems look at functions 1 to 7 only if function 0 says that there are any.
static bool functions_agree(const struct pci_bus *b, const struct pci_device *p, unsigned devfn,
                            struct err *e)
{
    const struct pci_device *zero = devfn & 7 ? b->functions[devfn & ~7u] : p;
    if (!zero || zero->is_multifunction)
        return true;
    if (zero == p && slot_is_free(b, devfn >> 3))
        return true;
    return err_set(e, "slot %x has several functions: function 0 needs multifunction=on",
                   devfn >> 3);
}

bool pci_bus_add(struct pci_bus *b, struct pci_device *p, struct err *e)
{
    unsigned devfn = 0;
    if (!(p->addr ? parse_addr(p->addr, &devfn, e) : find_slot(b, &devfn, e)))
        return false;
    if (b->functions[devfn])
        return err_set(e, "PCI address %x.%x is taken by %s", devfn >> 3, devfn & 7,
                       b->functions[devfn]->d.type->name);
    if (!functions_agree(b, p, devfn, e))
        return false;
    b->functions[devfn] = p;
    p->bus = b;
    p->devfn = (u8)devfn;
    return true;
}

void pci_bus_remove(struct pci_bus *b, struct pci_device *p)
{
    BUG_ON(b->functions[p->devfn] != p);
    pci_set_intx(p, false);
    b->functions[p->devfn] = NULL;
    p->bus = NULL;
    pci_bus_remap(b);
}

static bool window_holds(const struct pci_window *w, u64 first, u64 size)
{
    return first >= w->base && size <= w->size && first - w->base <= w->size - size;
}

static u64 bar_base(const struct pci_device *p, unsigned i)
{
    const u8 *reg = &p->config[PCI_BAR0 + 4 * i];
    u64 value = load_le(reg, p->bars[i].kind & PCI_BAR_MEM64 ? 8 : 4);
    return value & ~(p->bars[i].size - 1);
}

static void map_bar(struct pci_bus *b, struct pci_device *p, unsigned i)
{
    const struct pci_bar *bar = &p->bars[i];
    u64 base = bar_base(p, i);
    bool is_io = bar->kind == PCI_BAR_IO;
    bool is_on = p->config[PCI_COMMAND] & (is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
    bool is_inside =
        is_io ? window_holds(&b->io, base, bar->size)
              : window_holds(&b->mem, base, bar->size) || window_holds(&b->mem64, base, bar->size);
    if (!bar->size || !is_on || !is_inside)
        return;
    struct pci_decodes *d = is_io ? &b->io_decodes : &b->mem_decodes;
    d->list[d->n++] = (struct pci_decode){base, base + bar->size - 1, p, (u8)i};
}

void pci_bus_remap(struct pci_bus *b)
{
    b->mem_decodes.n = b->io_decodes.n = 0;
    for (unsigned f = 0; f < PCI_N_DEVFN; f++)
        for (unsigned i = 0; b->functions[f] && i < PCI_N_BARS; i++)
            map_bar(b, b->functions[f], i);
}

void pci_bus_intx(struct pci_bus *b, const struct pci_device *p, bool level)
{
    unsigned pin = (p->devfn >> 3) % PCI_N_INTX;
    BUG_ON(!level && !b->n_asserted[pin]);
    b->n_asserted[pin] = (u16)(b->n_asserted[pin] + (level ? 1 : -1));
    if (b->n_asserted[pin] == (level ? 1 : 0))
        irq_set(&b->intx[pin], level);
}

u64 pci_bus_config_read(struct pci_bus *b, u8 devfn, unsigned offset, unsigned size)
{
    struct pci_device *p = b->functions[devfn];
    if (!p)
        return BITS(8 * size - 1, 0);
    u64 value = 0;
    unsigned n = size > 4 ? 4 : size;
    for (unsigned done = 0; done < size; done += n)
        value |= (u64)pci_config_read(p, offset + done, n) << (8 * done);
    return value;
}

void pci_bus_config_write(struct pci_bus *b, u8 devfn, unsigned offset, u64 value, unsigned size)
{
    struct pci_device *p = b->functions[devfn];
    unsigned n = size > 4 ? 4 : size;
    for (unsigned done = 0; p && done < size; done += n)
        pci_config_write(p, offset + done, (u32)(value >> (8 * done)), n);
}

static const struct pci_decode *find(const struct pci_decodes *d, u64 addr)
{
    for (unsigned i = 0; i < d->n; i++)
        if (d->list[i].first <= addr && addr <= d->list[i].last)
            return &d->list[i];
    return NULL;
}

// Accesses are aligned, and so are BARs: only an I/O BAR can be smaller than an access, and then
// what is beyond it reads as ones.
u64 pci_bus_read(const struct pci_decodes *d, u64 addr, unsigned size)
{
    const struct pci_decode *c = find(d, addr);
    return c ? pci_bar_read(c->device, c->bar, addr - c->first, size) : BITS(8 * size - 1, 0);
}

void pci_bus_write(const struct pci_decodes *d, u64 addr, u64 value, unsigned size)
{
    const struct pci_decode *c = find(d, addr);
    if (c)
        pci_bar_write(c->device, c->bar, addr - c->first, value, size);
}
