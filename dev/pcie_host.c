// SPDX-License-Identifier: Apache-2.0
// The generic host: from processors' addresses to bus 0. Buses 1 and up exist and are empty.
#include "dev/pcie_host.h"
#include "base/bits.h"

enum { ECAM_BUS_SHIFT = 20, ECAM_DEVFN_SHIFT = 12 };

static u64 ecam_read(void *opaque, u64 offset, unsigned size)
{
    struct pcie_host *h = opaque;
    if (offset >> ECAM_BUS_SHIFT)
        return ~0ULL;
    return pci_bus_config_read(&h->bus, (u8)(offset >> ECAM_DEVFN_SHIFT), offset & 0xfff, size);
}

static void ecam_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct pcie_host *h = opaque;
    if (!(offset >> ECAM_BUS_SHIFT))
        pci_bus_config_write(&h->bus, (u8)(offset >> ECAM_DEVFN_SHIFT), offset & 0xfff, value,
                             size);
}

static u64 mem_window_read(void *opaque, u64 offset, unsigned size)
{
    struct pcie_host *h = opaque;
    return pci_bus_read(&h->bus.mem_decodes, h->mem_base + offset, size);
}

static void mem_window_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct pcie_host *h = opaque;
    pci_bus_write(&h->bus.mem_decodes, h->mem_base + offset, value, size);
}

static u64 mem64_window_read(void *opaque, u64 offset, unsigned size)
{
    struct pcie_host *h = opaque;
    return pci_bus_read(&h->bus.mem_decodes, h->mem64_base + offset, size);
}

static void mem64_window_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct pcie_host *h = opaque;
    pci_bus_write(&h->bus.mem_decodes, h->mem64_base + offset, value, size);
}

static u64 io_window_read(void *opaque, u64 offset, unsigned size)
{
    struct pcie_host *h = opaque;
    return pci_bus_read(&h->bus.io_decodes, h->io_first_port + offset, size);
}

static void io_window_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct pcie_host *h = opaque;
    pci_bus_write(&h->bus.io_decodes, h->io_first_port + offset, value, size);
}

static u64 isa_read(void *opaque, u64 offset, unsigned size)
{
    return ~0ULL;
}

static void isa_write(void *opaque, u64 offset, u64 value, unsigned size)
{
}

static const struct mem_io_ops ecam_ops = {.read = ecam_read, .write = ecam_write};
static const struct mem_io_ops mem_ops = {.read = mem_window_read, .write = mem_window_write};
static const struct mem_io_ops mem64_ops = {.read = mem64_window_read, .write = mem64_window_write};
// The smallest I/O BAR has 4 bytes.
static const struct mem_io_ops io_ops = {
    .read = io_window_read, .write = io_window_write, .max_size = 4};
static const struct mem_io_ops isa_ops = {.read = isa_read, .write = isa_write};

static void map(struct pcie_host *h, struct mem_region *r, const char *name, u64 base, u64 size,
                const struct mem_io_ops *ops)
{
    *r = (struct mem_region){.base = base, .size = size, .ops = ops, .opaque = h, .name = name};
    if (size)
        mem_add_region(h->d.env->mem, r);
}

static void map_windows(struct pcie_host *h)
{
    map(h, &h->ecam, "pcie-ecam", h->ecam_base, h->ecam_buses << ECAM_BUS_SHIFT, &ecam_ops);
    map(h, &h->mem, "pcie-mem", h->mem_base, h->mem_size, &mem_ops);
    map(h, &h->mem64, "pcie-mem64", h->mem64_base, h->mem64_size, &mem64_ops);
    map(h, &h->isa, "isa-io", h->io_base, h->io_first_port, &isa_ops);
    map(h, &h->io, "pcie-io", h->io_base + h->io_first_port, h->io_ports - h->io_first_port,
        &io_ops);
    h->bus.mem = (struct pci_window){h->mem_base, h->mem_size};
    h->bus.mem64 = (struct pci_window){h->mem64_base, h->mem64_size};
    h->bus.io = (struct pci_window){h->io_first_port, h->io_ports - h->io_first_port};
}

static const struct device_prop bridge_props[] = {PCI_PROPS(struct pci_device), {NULL}};

static bool bridge_realize(struct device *d, struct err *e)
{
    static const struct pci_ids ids = {.vendor = 0x1b36,
                                       .device = 0x0008,
                                       .subsystem_vendor = 0x1af4,
                                       .subsystem = 0x1100,
                                       .class_code = 0x060000};
    return pci_realize((struct pci_device *)d, &ids, NULL, e);
}

static void bridge_reset(struct device *d)
{
    pci_reset((struct pci_device *)d);
}

static void bridge_free(struct device *d)
{
    pci_free((struct pci_device *)d);
}

// The host's own function; not in devices.def because nobody else makes one.
static const struct device_type bridge_type = {
    .name = "pcie-host-bridge",
    .doc = "The host bridge as it shows in configuration space.",
    .size = sizeof(struct pci_device),
    .props = bridge_props,
    .realize = bridge_realize,
    .reset = bridge_reset,
    .free = bridge_free,
};

static bool host_realize(struct device *d, struct err *e)
{
    struct pcie_host *h = (struct pcie_host *)d;
    if (h->ecam_buses < 1 || h->ecam_buses > 256 || h->io_first_port > h->io_ports ||
        h->io_ports > 0x10000)
        return err_set(e, "needs 1 to 256 buses and at most 64 Ki ports");
    pci_bus_init(&h->bus);
    map_windows(h);
    d->env->pci = &h->bus;
    h->bridge = (struct pci_device *)device_new(&bridge_type, d->env);
    return device_realize(&h->bridge->d, e);
}

static void host_reset(struct device *d)
{
    device_reset(&((struct pcie_host *)d)->bridge->d);
}

static void unmap(struct pcie_host *h, struct mem_region *r)
{
    if (r->size)
        mem_remove_region(h->d.env->mem, r);
}

static void host_free(struct device *d)
{
    struct pcie_host *h = (struct pcie_host *)d;
    if (h->bridge)
        device_free(&h->bridge->d);
    struct mem_region *regions[] = {&h->ecam, &h->mem, &h->mem64, &h->isa, &h->io};
    for (unsigned i = 0; i < ARRAY_LEN(regions); i++)
        unmap(h, regions[i]);
    if (d->env->pci == &h->bus)
        d->env->pci = NULL;
    pci_bus_free(&h->bus);
}

#define P(name, field, doc, initial)                                     \
    {                                                                    \
        name, PROP_SIZE, offsetof(struct pcie_host, field), doc, initial \
    }

static const struct device_prop host_props[] = {
    P("ecam-base", ecam_base, "address of configuration space", "0x20000000"),
    P("ecam-buses", ecam_buses, "how many buses it covers", "128"),
    P("mem-base", mem_base, "address of the memory window, on both sides", "0x40000000"),
    P("mem-size", mem_size, "its size", "1G"),
    P("mem64-base", mem64_base, "address of a second memory window above 4 GiB", NULL),
    P("mem64-size", mem64_size, "its size", NULL),
    P("io-base", io_base, "address of I/O port 0", "0x18000000"),
    P("io-first-port", io_first_port, "first port on the bus; those below read as ones", "0x4000"),
    P("io-ports", io_ports, "end of the I/O ports", "0x10000"),
    {NULL},
};
#undef P

const struct device_type pcie_host_type = {
    .name = "pcie-host",
    .doc = "PCI Express host with configuration space in memory (ECAM) and one root bus.",
    .size = sizeof(struct pcie_host),
    .props = host_props,
    .realize = host_realize,
    .reset = host_reset,
    .free = host_free,
};
