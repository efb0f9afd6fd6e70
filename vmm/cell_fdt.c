// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_fdt.h"
#include "base/bits.h"
#include "base/bug.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FDT_SIZE        0x8000
#define PORTS_SIZE      0x4000
#define UART_CLOCK      100000000
#define EIOINTC_BASE    0x1400 // in I/O configuration space
#define EIOINTC_SIZE    0x800
#define EIOINTC_CASCADE 3 // HWI1

#define PCI_CONFIG_SIZE 0x10000
#define PCI_BARS        0x80000
#define MSI_DOORBELL    0x2ff00000 // whatever is written there: the hypervisor sees the tables
#define MSI_FIRST       0x80
#define MSI_COUNT       0x40

enum { PHANDLE_CPUIC = 1, PHANDLE_EIOINTC, PHANDLE_POWER, PHANDLE_MSI };
enum { POWER_OFF = 0x34, POWER_RESTART = 0x42, RESTART_OFFSET = 2 };

static void must(int error)
{
    BUG_ON(error);
}

static void begin(void *f, const char *name, u64 address)
{
    char full[64];
    snprintf(full, sizeof(full), address == ~0ULL ? "%s" : "%s@%llx", name,
             (unsigned long long)address);
    must(fdt_begin_node(f, full));
}

static void text(void *f, const char *name, const char *value)
{
    must(fdt_property_string(f, name, value));
}

static void number(void *f, const char *name, u32 value)
{
    must(fdt_property_u32(f, name, value));
}

static void reg(void *f, u64 base, u64 size)
{
    u8 cells[16];
    store_be(cells, base, 8);
    store_be(cells + 8, size, 8);
    must(fdt_property(f, "reg", cells, sizeof(cells)));
}

static void controller(void *f, u32 phandle)
{
    number(f, "phandle", phandle);
    must(fdt_property(f, "interrupt-controller", NULL, 0));
    number(f, "#interrupt-cells", 1);
}

static void put_cpus(void *f, const struct cell_blob *cell)
{
    begin(f, "cpus", ~0ULL);
    number(f, "#address-cells", 1);
    number(f, "#size-cells", 0);
    for (u32 i = 0; i < cell->n_cpus; i++) {
        begin(f, "cpu", i);
        text(f, "device_type", "cpu");
        text(f, "compatible", "loongson,la464");
        number(f, "reg", i);
        must(fdt_end_node(f));
    }
    must(fdt_end_node(f));
}

static void put_interrupt_controllers(void *f)
{
    begin(f, "cpuic", ~0ULL);
    text(f, "compatible", "loongson,cpu-interrupt-controller");
    controller(f, PHANDLE_CPUIC);
    must(fdt_end_node(f));
    begin(f, "eiointc", EIOINTC_BASE);
    text(f, "compatible", "loongson,ls2k2000-eiointc");
    reg(f, EIOINTC_BASE, EIOINTC_SIZE);
    number(f, "interrupt-parent", PHANDLE_CPUIC);
    number(f, "interrupts", EIOINTC_CASCADE);
    controller(f, PHANDLE_EIOINTC);
    must(fdt_end_node(f));
}

static void put_serial(void *f, const struct cell_blob_device *d)
{
    begin(f, "serial", d->gpa);
    text(f, "compatible", "ns16550a");
    reg(f, d->gpa, 8);
    number(f, "clock-frequency", UART_CLOCK);
    if (d->vector) {
        number(f, "interrupt-parent", PHANDLE_EIOINTC);
        number(f, "interrupts", d->vector);
    }
    must(fdt_end_node(f));
}

static void put_action(void *f, const char *name, const char *compatible, u32 offset, u32 value)
{
    begin(f, name, ~0ULL);
    text(f, "compatible", compatible);
    number(f, "regmap", PHANDLE_POWER);
    number(f, "offset", offset);
    number(f, "value", value);
    must(fdt_end_node(f));
}

static void put_power(void *f, const struct cell_blob_device *d)
{
    begin(f, "power", d->gpa);
    text(f, "compatible", "syscon");
    reg(f, d->gpa, 4);
    number(f, "reg-io-width", 1);
    number(f, "phandle", PHANDLE_POWER);
    must(fdt_end_node(f));
    put_action(f, "poweroff", "syscon-poweroff", 0, POWER_OFF);
    put_action(f, "reboot", "syscon-reboot", RESTART_OFFSET, POWER_RESTART);
}

// Linux maps its window of I/O ports for this node, and dies of legacy drivers without one.
static void put_ports(void *f, const struct cell_blob_device *d)
{
    u8 ranges[20];
    begin(f, "isa", ~0ULL);
    text(f, "compatible", "isa");
    number(f, "#address-cells", 2);
    number(f, "#size-cells", 1);
    store_be(ranges, 1ULL << 32, 8); // I/O space, port 0
    store_be(ranges + 8, d->gpa, 8);
    store_be(ranges + 16, PORTS_SIZE, 4);
    must(fdt_property(f, "ranges", ranges, sizeof(ranges)));
    must(fdt_end_node(f));
}

static void cells(void *f, const char *name, const u32 *values, unsigned n)
{
    u8 bytes[4 * 64];
    BUG_ON(4 * n > sizeof(bytes));
    for (unsigned i = 0; i < n; i++)
        store_be(bytes + 4 * i, values[i], 4);
    must(fdt_property(f, name, bytes, (int)(4 * n)));
}

static void put_msi(void *f)
{
    begin(f, "msi", MSI_DOORBELL);
    text(f, "compatible", "loongson,pch-msi-1.0");
    reg(f, MSI_DOORBELL, 8);
    number(f, "phandle", PHANDLE_MSI);
    must(fdt_property(f, "interrupt-controller", NULL, 0));
    must(fdt_property(f, "msi-controller", NULL, 0));
    number(f, "interrupt-parent", PHANDLE_EIOINTC);
    number(f, "loongson,msi-base-vec", MSI_FIRST);
    number(f, "loongson,msi-num-vecs", MSI_COUNT);
    must(fdt_end_node(f));
}

// {slot << 11, 0, 0, INTA, controller, vector} for each slot.
static void put_pci_wires(void *f, const struct cell_blob_device *d)
{
    const u32 mask[] = {0xf800, 0, 0, 7};
    u32 rows[CELL_MAX_SLOTS - 1][6];
    for (u32 i = 1; i < CELL_MAX_SLOTS; i++) {
        u32 row[] = {i << 11, 0, 0, 1, PHANDLE_EIOINTC, d->vector + i};
        memcpy(rows[i - 1], row, sizeof(row));
    }
    number(f, "#interrupt-cells", 1);
    cells(f, "interrupt-map-mask", mask, ARRAY_LEN(mask));
    cells(f, "interrupt-map", &rows[0][0], sizeof(rows) / 4);
}

// The only kind of bridge that Debian's kernel has a driver for. It has two places for
// configuration space, and these bridges use the second.
static void put_pci(void *f, const struct cell_blob_device *d)
{
    const u32 at = (u32)d->gpa, bars = at + PCI_BARS, buses[] = {0, 0};
    const u32 places[] = {0, at + PCI_CONFIG_SIZE, 0, 0x1000, 0, at, 0, PCI_CONFIG_SIZE};
    const u32 ranges[] = {0x02000000, 0, bars, 0, bars, 0, CELL_PCI_SIZE - PCI_BARS};
    const u32 msi_map[] = {0, PHANDLE_MSI, 0, 0x10000};
    put_msi(f);
    begin(f, "pci", d->gpa);
    text(f, "compatible", "loongson,ls7a-pci");
    text(f, "device_type", "pci");
    number(f, "#address-cells", 3);
    number(f, "#size-cells", 2);
    cells(f, "bus-range", buses, ARRAY_LEN(buses));
    cells(f, "reg", places, ARRAY_LEN(places));
    cells(f, "ranges", ranges, ARRAY_LEN(ranges));
    cells(f, "msi-map", msi_map, ARRAY_LEN(msi_map));
    must(fdt_property(f, "dma-coherent", NULL, 0));
    put_pci_wires(f, d);
    must(fdt_end_node(f));
}

static void put_device(void *f, const struct cell_blob_device *d)
{
    switch (d->kind) {
    case CELL_DEVICE_UART: put_serial(f, d); break;
    case CELL_DEVICE_POWER: put_power(f, d); break;
    case CELL_DEVICE_PORTS: put_ports(f, d); break;
    case CELL_DEVICE_PCI: put_pci(f, d); break;
    default: break;
    }
}

static void put_chosen(void *f, const struct cell_blob_device *serial, const char *command_line)
{
    char path[64];
    begin(f, "chosen", ~0ULL);
    if (serial) {
        snprintf(path, sizeof(path), "/serial@%llx", (unsigned long long)serial->gpa);
        text(f, "stdout-path", path);
    }
    text(f, "bootargs", command_line);
    must(fdt_end_node(f));
}

void *cell_fdt_build(const struct cell_blob *cell, const char *command_line, size_t *size)
{
    const struct cell_blob_cpu *cpus = (const void *)(cell + 1);
    const struct cell_blob_memory *memory = (const void *)(cpus + cell->n_cpus);
    const struct cell_blob_device *devices = (const void *)(memory + cell->n_memory),
                                  *serial = NULL;
    void *f = calloc(1, FDT_SIZE);
    BUG_ON(!f);
    must(fdt_create(f, FDT_SIZE));
    must(fdt_finish_reservemap(f));
    must(fdt_begin_node(f, ""));
    number(f, "#address-cells", 2);
    number(f, "#size-cells", 2);
    text(f, "compatible", "longhouse,cell");
    text(f, "model", cell->name);
    put_cpus(f, cell);
    for (u32 i = 0; i < cell->n_memory; i++) {
        if (memory[i].type != CELL_MEMORY_RAM)
            continue;
        begin(f, "memory", memory[i].gpa);
        text(f, "device_type", "memory");
        reg(f, memory[i].gpa, memory[i].size);
        must(fdt_end_node(f));
    }
    put_interrupt_controllers(f);
    for (u32 i = 0; i < cell->n_devices; i++) {
        bool is_serial = devices[i].kind == CELL_DEVICE_UART;
        serial = is_serial && !serial ? &devices[i] : serial;
        put_device(f, &devices[i]);
    }
    put_chosen(f, serial, command_line);
    must(fdt_end_node(f));
    must(fdt_finish(f));
    *size = fdt_totalsize(f);
    return f;
}
