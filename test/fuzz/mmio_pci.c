// SPDX-License-Identifier: Apache-2.0
// The PCI Express host with three functions that have a BAR of each kind.
#include "test/fuzz/mmio.h"
#include "dev/pci_toy.h"
#include "dev/pcie_host.h"
#include "base/bits.h"
#include "base/bug.h"

#include <stdlib.h>

enum { ECAM = 0x20000000, DOORBELL = 0x2ff00000, N_TOYS = 3 };

struct state {
    struct pcie_host *host;
    struct pci_toy *toys[N_TOYS];
    struct mem_region doorbell;
};

static u64 doorbell_read(void *opaque, u64 offset, unsigned size)
{
    return 0;
}

static void doorbell_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    ((struct mmio_bench *)opaque)->digest += value;
}

static const struct mem_io_ops doorbell_ops = {doorbell_read, doorbell_write, .takes_msi = true};

static void make_host(struct mmio_bench *b, struct state *s)
{
    struct err e = {0};
    s->host = (struct pcie_host *)mmio_add_device(b, device_type_find("pcie-host"));
    BUG_ON(!device_set(&s->host->d, "mem64-base", "0x8000000000", &e) ||
           !device_set(&s->host->d, "mem64-size", "64K", &e));
    for (unsigned i = 0; i < PCI_N_INTX; i++)
        s->host->bus.intx[i] = mmio_wire(b, i);
    mmio_realize(b, &s->host->d);
    s->doorbell =
        (struct mem_region){.size = 8, .ops = &doorbell_ops, .opaque = b, .name = "doorbell"};
    mmio_add_region(b, &s->doorbell, DOORBELL);
}

static void make(struct mmio_bench *b)
{
    static const char *const addrs[N_TOYS] = {"1.0", "1.1", "5"};
    struct state *s = b->state = calloc(1, sizeof(*s));
    struct err e = {0};
    BUG_ON(!s);
    make_host(b, s);
    for (unsigned i = 0; i < N_TOYS; i++) {
        s->toys[i] = (struct pci_toy *)mmio_add_device(b, &pci_toy_type);
        BUG_ON(!device_set(&s->toys[i]->pci.d, "addr", addrs[i], &e) ||
               (i == 0 && !device_set(&s->toys[i]->pci.d, "multifunction", "on", &e)));
        mmio_realize(b, &s->toys[i]->pci.d);
        mmio_add_window(b, ECAM + (s->toys[i]->pci.devfn << 12), PCI_CONFIG_SIZE);
    }
    mmio_add_window(b, s->host->mem_base, 0x10000);
    mmio_add_window(b, s->host->mem64_base, s->host->mem64_size);
    mmio_add_window(b, s->host->io_base, s->host->io_ports);
    mmio_add_window(b, ECAM, s->host->ecam_buses << 20);
}

static void event(struct mmio_bench *b, unsigned kind, u32 argument)
{
    struct state *s = b->state;
    struct pci_device *p = &s->toys[argument % N_TOYS]->pci;
    if (kind & 1)
        pci_msix_send(p, argument >> 8);
    else
        pci_set_intx(p, argument >> 8 & 1);
}

static bool is_inside(const struct pci_window *w, const struct pci_decode *d)
{
    return d->first >= w->base && d->last < w->base + w->size;
}

// What answers is switched on, lies in a window, and is where its BAR says.
static void check_decode(const struct pci_bus *bus, const struct pci_decode *d, bool is_io)
{
    const struct pci_device *p = d->device;
    const struct pci_bar *bar = &p->bars[d->bar];
    u64 reg = load_le(&p->config[PCI_BAR0 + 4 * d->bar], bar->kind & PCI_BAR_MEM64 ? 8 : 4);
    BUG_ON(bus->functions[p->devfn] != p || (bar->kind == PCI_BAR_IO) != is_io);
    BUG_ON(d->first % bar->size || d->last != d->first + bar->size - 1);
    BUG_ON(d->first != (reg & ~15ULL) || (reg & 15) != bar->kind);
    BUG_ON(!(p->config[PCI_COMMAND] & (is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)));
    BUG_ON(is_io ? !is_inside(&bus->io, d)
                 : !is_inside(&bus->mem, d) && !is_inside(&bus->mem64, d));
}

static void check_function(const struct pci_device *p)
{
    u16 command = (u16)load_le(&p->config[PCI_COMMAND], 2);
    BUG_ON(p->intx_on_bus != (p->intx_level && !(command & PCI_COMMAND_INTX_OFF)));
    BUG_ON(!(p->config[PCI_STATUS] & PCI_STATUS_INTX) != !p->intx_level);
    u16 control = (u16)load_le(&p->config[p->msix.cap + 2], 2);
    bool may_send = control >> 14 == 2 && command & PCI_COMMAND_MASTER;
    for (unsigned v = 0; v < TOY_N_VECTORS; v++)
        BUG_ON(may_send && p->msix.pending[0] & BIT(v) && !(p->msix.table[16 * v + 12] & 1));
    BUG_ON(p->msix.pending[0] >> TOY_N_VECTORS);
    BUG_ON(load_le(p->config, 4) != 0x56781234);
}

static void check(struct mmio_bench *b)
{
    struct state *s = b->state;
    const struct pci_bus *bus = &s->host->bus;
    unsigned n_asserted[PCI_N_INTX] = {0};
    for (unsigned i = 0; i < bus->mem_decodes.n; i++)
        check_decode(bus, &bus->mem_decodes.list[i], false);
    for (unsigned i = 0; i < bus->io_decodes.n; i++)
        check_decode(bus, &bus->io_decodes.list[i], true);
    for (unsigned i = 0; i < N_TOYS; i++) {
        check_function(&s->toys[i]->pci);
        n_asserted[(s->toys[i]->pci.devfn >> 3) % PCI_N_INTX] += s->toys[i]->pci.intx_on_bus;
    }
    for (unsigned i = 0; i < PCI_N_INTX; i++) {
        BUG_ON(bus->n_asserted[i] != n_asserted[i]);
        BUG_ON((b->wires[0] >> i & 1) != (n_asserted[i] != 0));
    }
}

const struct mmio_target fuzz_pci = {
    .name = "pci", .make = make, .event = event, .check = check, .forgets_on_reset = true};
