// SPDX-License-Identifier: Apache-2.0
// Configuration space, BARs, interrupts and MSI-X, as a guest sees them through the host's windows.
#include "dev/pcie_host.h"
#include "dev/pci_toy.h"
#include "base/bits.h"
#include "base/bug.h"
#include "base/test.h"

enum { ECAM = 0x20000000, IO_BASE = 0x18000000, DOORBELL = 0x2ff00000 };

// A machine with a host, and something that counts interrupts.
struct machine {
    struct mem_space mem;
    struct device_env env;
    struct pcie_host *host;
    struct mem_region doorbell;
    u32 messages[16];
    unsigned n_messages;
    bool wires[PCI_N_INTX];
    struct device *devices[40];
    unsigned n_devices;
};

static u64 doorbell_read(void *opaque, u64 offset, unsigned size)
{
    return 0;
}

static void doorbell_write(void *opaque, u64 offset, u64 value, unsigned size)
{
    struct machine *m = opaque;
    m->messages[m->n_messages++ % 16] = (u32)value;
}

static const struct mem_io_ops doorbell_ops = {doorbell_read, doorbell_write, .takes_msi = true};

static void set_wire(void *opaque, unsigned pin, bool level)
{
    struct machine *m = opaque;
    BUG_ON(m->wires[pin] == level); // only told of changes
    m->wires[pin] = level;
}

static void machine_init(struct machine *m)
{
    struct err e = {0};
    memset(m, 0, sizeof(*m));
    mem_space_init(&m->mem, NULL);
    m->env.mem = &m->mem;
    m->doorbell = (struct mem_region){
        .base = DOORBELL, .size = 8, .ops = &doorbell_ops, .opaque = m, .name = "doorbell"};
    mem_add_region(&m->mem, &m->doorbell);
    m->host = (struct pcie_host *)device_new(device_type_find("pcie-host"), &m->env);
    for (unsigned i = 0; i < PCI_N_INTX; i++)
        m->host->bus.intx[i] = (struct irq){set_wire, m, i};
    CHECK(device_realize(&m->host->d, &e));
}

static void machine_free(struct machine *m)
{
    for (unsigned i = 0; i < m->n_devices; i++)
        device_free(m->devices[i]);
    device_free(&m->host->d);
    CHECK_EQ(m->mem.n_regions, 1);
    mem_space_free(&m->mem);
}

static struct pci_toy *add_toy(struct machine *m, const char *addr, bool multifunction,
                               struct err *e)
{
    struct device *d = device_new(&pci_toy_type, &m->env);
    m->devices[m->n_devices++] = d;
    if (addr)
        CHECK(device_set(d, "addr", addr, e));
    if (multifunction)
        CHECK(device_set(d, "multifunction", "on", e));
    return device_realize(d, e) ? (struct pci_toy *)d : NULL;
}

static u64 cfg(struct machine *m, unsigned devfn, unsigned offset, unsigned size)
{
    return mem_read(&m->mem, ECAM + (devfn << 12) + offset, size);
}

static void set_cfg(struct machine *m, unsigned devfn, unsigned offset, u64 value, unsigned size)
{
    mem_write(&m->mem, ECAM + (devfn << 12) + offset, value, size);
}

static unsigned find_cap(struct machine *m, unsigned devfn, u8 id)
{
    unsigned at = (unsigned)cfg(m, devfn, PCI_CAPABILITIES, 1);
    for (int i = 0; i < 48 && at; i++) {
        if (cfg(m, devfn, at, 1) == id)
            return at;
        at = (unsigned)cfg(m, devfn, at + 1, 1);
    }
    return 0;
}

TEST(empty_bus_has_a_host_bridge_and_nothing_else)
{
    struct machine m;
    machine_init(&m);
    CHECK_EQ(cfg(&m, 0, 0, 4), 0x00081b36);
    CHECK_EQ(cfg(&m, 0, 8, 4), 0x06000000);
    CHECK_EQ(cfg(&m, 0, 0, 2), 0x1b36);
    CHECK_EQ(cfg(&m, 0, 0, 8), (u64)cfg(&m, 0, 4, 4) << 32 | 0x00081b36);
    for (unsigned devfn = 1; devfn < 256; devfn++)
        CHECK_EQ(cfg(&m, devfn, 0, 4), 0xffffffff);
    CHECK_EQ(mem_read(&m.mem, ECAM + 0x100000, 8), ~0ULL); // bus 1
    CHECK_EQ(mem_read(&m.mem, ECAM + 0x7ffffff, 1), 0xff); // bus 0x7f
    CHECK_EQ(mem_read(&m.mem, 0x40000000, 8), ~0ULL);
    CHECK_EQ(mem_read(&m.mem, 0x7ffffffc, 4), 0xffffffff);
    CHECK_EQ(mem_read(&m.mem, IO_BASE + 0x60, 1), 0xff); // no keyboard controller
    CHECK_EQ(mem_read(&m.mem, IO_BASE + 0x3ffe, 4), 0xffffffff);
    CHECK_EQ(mem_read(&m.mem, IO_BASE + 0x4000, 4), 0xffffffff);
    mem_write(&m.mem, IO_BASE + 0x80, 1, 1);
    mem_write(&m.mem, 0x40000000, 1, 4);
    CHECK_EQ(m.mem.n_unassigned, 0);
    // The bridge has no BARs, and its identity cannot be changed.
    set_cfg(&m, 0, 0, 0, 4);
    set_cfg(&m, 0, PCI_BAR0, 0xffffffff, 4);
    CHECK_EQ(cfg(&m, 0, 0, 4), 0x00081b36);
    CHECK_EQ(cfg(&m, 0, PCI_BAR0, 4), 0);
    machine_free(&m);
}

TEST(slots_are_given_and_checked)
{
    struct machine m;
    struct err e = {0};
    machine_init(&m);
    CHECK_EQ(add_toy(&m, NULL, false, &e)->pci.devfn, 1 << 3);
    CHECK_EQ(add_toy(&m, "1f", false, &e)->pci.devfn, 0x1f << 3);
    CHECK_EQ(add_toy(&m, "0x5.0", true, &e)->pci.devfn, 5 << 3);
    CHECK_EQ(add_toy(&m, "5.3", false, &e)->pci.devfn, 5 << 3 | 3);
    CHECK_EQ(cfg(&m, 5 << 3, PCI_HEADER_TYPE, 1), 0x80);
    CHECK_EQ(cfg(&m, 5 << 3 | 3, PCI_HEADER_TYPE, 1), 0);
    CHECK(!add_toy(&m, "5.3", false, &e));
    CHECK_STR(e.text, "toy: PCI address 5.3 is taken by toy");
    CHECK(!add_toy(&m, "1.1", false, &e));
    CHECK_STR(e.text, "toy: slot 1 has several functions: function 0 needs multifunction=on");
    static const char *const bad[] = {"", "20", "1.8", "x", "1.", "1 ", "-1", "1.1.1"};
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!add_toy(&m, bad[i], false, &e));
    CHECK_STR(e.text,
              "toy: property 'addr': '1.1.1' is not a slot 0 to 1f with a function .0 to .7");
    // A function before its function 0 is allowed, and asks for the bit.
    CHECK(add_toy(&m, "6.1", false, &e) != NULL);
    CHECK(!add_toy(&m, "6", false, &e));
    CHECK(add_toy(&m, "6", true, &e) != NULL);
    struct device *d = device_new(&pci_toy_type, &m.env);
    m.devices[m.n_devices++] = d;
    CHECK(device_set(d, "bus", "pci.9", &e));
    CHECK(!device_realize(d, &e));
    CHECK_STR(e.text, "toy: property 'bus': there is no bus 'pci.9', only pcie.0");
    machine_free(&m);
}

TEST(full_bus_says_so)
{
    struct machine m;
    struct err e = {0};
    machine_init(&m);
    for (unsigned i = 1; i < PCI_N_SLOTS; i++)
        CHECK(add_toy(&m, NULL, false, &e) != NULL);
    CHECK(!add_toy(&m, NULL, false, &e));
    CHECK(strstr(e.text, "full") != NULL);
    machine_free(&m);
}

TEST(no_bus_is_an_error)
{
    struct device_env env = {0};
    struct err e = {0};
    struct device *d = device_new(&pci_toy_type, &env);
    CHECK(!device_realize(d, &e));
    CHECK_STR(e.text, "toy: this board has no PCI bus");
    device_free(d);
}

TEST(bars_tell_their_size_and_kind)
{
    struct machine m;
    struct err e = {0};
    machine_init(&m);
    add_toy(&m, "2", false, &e);
    unsigned f = 2 << 3;
    CHECK_EQ(cfg(&m, f, 0, 8), cfg(&m, f, 4, 4) << 32 | 0x56781234);
    CHECK_EQ(cfg(&m, f, PCI_SUBSYSTEM_VENDOR, 4), 0xdef09abc);
    CHECK_EQ(cfg(&m, f, PCI_REVISION, 4), 0x01800007);
    CHECK_EQ(cfg(&m, f, PCI_INTERRUPT_PIN, 1), 1);
    for (unsigned i = 0; i < 6; i++)
        set_cfg(&m, f, PCI_BAR0 + 4 * i, 0xffffffff, 4);
    CHECK_EQ(cfg(&m, f, PCI_BAR0, 4), 0xfffffff1);
    CHECK_EQ(cfg(&m, f, PCI_BAR0 + 4, 4), 0xfffff000);
    CHECK_EQ(cfg(&m, f, PCI_BAR0 + 8, 4), 0xffffc00c);
    CHECK_EQ(cfg(&m, f, PCI_BAR0 + 12, 4), 0xffffffff);
    CHECK_EQ(cfg(&m, f, PCI_BAR0 + 16, 4), 0);
    CHECK_EQ(cfg(&m, f, PCI_BAR0 + 20, 4), 0xfffff000);
    CHECK_EQ(cfg(&m, f, 0x30, 4), 0); // no ROM
    // Byte writes reach the right byte.
    set_cfg(&m, f, PCI_BAR0 + 7, 0x41, 1);
    CHECK_EQ(cfg(&m, f, PCI_BAR0 + 4, 4), 0x41fff000);
    machine_free(&m);
}

TEST(bars_answer_only_where_and_when_they_are_decoded)
{
    struct machine m;
    struct err e = {0};
    machine_init(&m);
    struct pci_toy *t = add_toy(&m, "2", false, &e);
    unsigned f = 2 << 3;
    store_le(t->mem32, 0x1122334455667788, 8);
    store_le(t->mem64, 0x99, 1);
    store_le(t->io, 0x0badcafe, 4);
    set_cfg(&m, f, PCI_BAR0 + 4, 0x40001000, 4);
    set_cfg(&m, f, PCI_BAR0 + 8, 0x7fffc000, 4);
    set_cfg(&m, f, PCI_BAR0, 0xfff0, 4);
    CHECK_EQ(mem_read(&m.mem, 0x40001000, 4), 0xffffffff); // memory decoding is off
    set_cfg(&m, f, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    CHECK_EQ(mem_read(&m.mem, 0x40001000, 8), 0x1122334455667788);
    CHECK_EQ(mem_read(&m.mem, 0x40001003, 1), 0x55);
    CHECK_EQ(mem_read(&m.mem, 0x40001002, 4), 0x33445566); // misaligned: bytes
    CHECK_EQ(mem_read(&m.mem, 0x7fffc000, 1), 0x99);
    CHECK_EQ(mem_read(&m.mem, IO_BASE + 0xfff0, 4), 0xffffffff);
    set_cfg(&m, f, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 2);
    CHECK_EQ(mem_read(&m.mem, IO_BASE + 0xfff0, 4), 0x0badcafe);
    mem_write(&m.mem, IO_BASE + 0xfff4, 0x12345678, 4);
    CHECK_EQ(load_le(t->io + 4, 4), 0x12345678);
    // Moved while decoded.
    set_cfg(&m, f, PCI_BAR0 + 4, 0x50000000, 4);
    CHECK_EQ(mem_read(&m.mem, 0x40001000, 4), 0xffffffff);
    CHECK_EQ(mem_read(&m.mem, 0x50000000, 4), 0x55667788);
    // Outside of the windows: below, above, in RAM's place, above 4 GiB.
    static const u32 outside[] = {0, 0x1000, 0x3ffff000, 0x80000000, 0xfffff000, 0x1c000000};
    for (unsigned i = 0; i < ARRAY_LEN(outside); i++) {
        set_cfg(&m, f, PCI_BAR0 + 4, outside[i], 4);
        CHECK_EQ(m.host->bus.mem_decodes.n, 1); // the 64-bit BAR; BAR 5 is still at 0
    }
    set_cfg(&m, f, PCI_BAR0 + 12, 1, 4);
    CHECK_EQ(m.host->bus.mem_decodes.n, 0);
    CHECK_EQ(mem_read(&m.mem, 0x7fffc000, 1), 0xff);
    set_cfg(&m, f, PCI_BAR0, 0x3ff0, 4);
    CHECK_EQ(m.host->bus.io_decodes.n, 0);
    set_cfg(&m, f, PCI_BAR0, 0x10000, 4);
    CHECK_EQ(m.host->bus.io_decodes.n, 0);
    machine_free(&m);
}

TEST(overlapping_bars_answer_in_a_fixed_order)
{
    struct machine m;
    struct err e = {0};
    machine_init(&m);
    struct pci_toy *low = add_toy(&m, "2", false, &e), *high = add_toy(&m, "3", false, &e);
    low->mem32[0] = 2;
    high->mem32[0] = 3;
    high->mem64[0x800] = 4;
    for (unsigned f = 3 << 3; f >= 2 << 3; f -= 8) { // the order of writes does not matter
        set_cfg(&m, f, PCI_BAR0 + 4, 0x40000000, 4);
        set_cfg(&m, f, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    }
    set_cfg(&m, 3 << 3, PCI_BAR0 + 8, 0x40000000, 4);
    CHECK_EQ(mem_read(&m.mem, 0x40000000, 1), 2);
    set_cfg(&m, 2 << 3, PCI_COMMAND, 0, 2);
    CHECK_EQ(mem_read(&m.mem, 0x40000000, 1), 3);
    set_cfg(&m, 3 << 3, PCI_BAR0 + 4, 0x40004000, 4);
    CHECK_EQ(mem_read(&m.mem, 0x40000800, 1), 4);
    machine_free(&m);
}

TEST(a_window_above_4_gib_can_be_added)
{
    struct mem_space mem;
    mem_space_init(&mem, NULL);
    struct device_env env = {.mem = &mem};
    struct err e = {0};
    struct device *h = device_new(device_type_find("pcie-host"), &env);
    CHECK(device_set(h, "mem64-base", "0x8000000000", &e));
    CHECK(device_set(h, "mem64-size", "4G", &e));
    CHECK(device_realize(h, &e));
    struct device *d = device_new(&pci_toy_type, &env);
    CHECK(device_realize(d, &e));
    ((struct pci_toy *)d)->mem64[8] = 0x5a;
    u64 f = ECAM + (1 << 15);
    mem_write(&mem, f + PCI_BAR0 + 8, 0x00004000, 4);
    mem_write(&mem, f + PCI_BAR0 + 12, 0x80, 4);
    mem_write(&mem, f + PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    CHECK_EQ(mem_read(&mem, 0x8000004008, 1), 0x5a);
    device_free(d);
    device_free(h);
    mem_space_free(&mem);
}

TEST(intx_is_swizzled_shared_and_can_be_switched_off)
{
    struct machine m;
    struct err e = {0};
    machine_init(&m);
    struct pci_toy *a = add_toy(&m, "1", false, &e), *b = add_toy(&m, "5", false, &e);
    struct pci_toy *c = add_toy(&m, "7", false, &e);
    pci_set_intx(&a->pci, true);
    CHECK(m.wires[1]);
    pci_set_intx(&b->pci, true);
    pci_set_intx(&a->pci, false);
    CHECK(m.wires[1]); // slot 5 still asks
    CHECK_EQ(cfg(&m, 5 << 3, PCI_STATUS, 2) & PCI_STATUS_INTX, PCI_STATUS_INTX);
    set_cfg(&m, 5 << 3, PCI_COMMAND, PCI_COMMAND_INTX_OFF, 2);
    CHECK(!m.wires[1]);
    CHECK_EQ(cfg(&m, 5 << 3, PCI_STATUS, 2) & PCI_STATUS_INTX, PCI_STATUS_INTX);
    set_cfg(&m, 5 << 3, PCI_COMMAND, 0, 2);
    CHECK(m.wires[1]);
    device_reset(&b->pci.d);
    CHECK(!m.wires[1]);
    pci_set_intx(&c->pci, true);
    CHECK(m.wires[3]);
    device_free(&c->pci.d); // unplugging lets the wire go
    CHECK(!m.wires[3]);
    m.n_devices--;
    machine_free(&m);
}

static void set_vector(struct machine *m, unsigned vector, u64 address, u32 data, u32 ctl)
{
    u64 entry = 0x40000000 + 16 * vector;
    mem_write(&m->mem, entry, address, 8);
    mem_write(&m->mem, entry + 8, data, 4);
    mem_write(&m->mem, entry + 12, ctl, 4);
}

TEST(msix_sends_masks_and_remembers)
{
    struct machine m;
    struct err e = {0};
    machine_init(&m);
    struct pci_toy *t = add_toy(&m, "4", false, &e);
    unsigned f = 4 << 3, cap = find_cap(&m, f, PCI_CAP_MSIX);
    REQUIRE(cap != 0);
    CHECK_EQ(cfg(&m, f, cap + 2, 2), 3); // 4 vectors
    CHECK_EQ(cfg(&m, f, cap + 4, 4), 5); // table: BAR 5, offset 0
    u64 pba = 0x40000000 + (cfg(&m, f, cap + 8, 4) & ~7ULL);
    set_cfg(&m, f, PCI_BAR0 + 20, 0x40000000, 4);
    set_cfg(&m, f, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    CHECK_EQ(t->n_master_on, 1);
    CHECK_EQ(mem_read(&m.mem, 0x4000000c, 4), 1); // masked after reset
    set_vector(&m, 1, DOORBELL, 33, 0);
    set_vector(&m, 2, DOORBELL, 34, 0xffffffff);
    CHECK_EQ(mem_read(&m.mem, 0x4000002c, 4), 1); // reserved bits do not stick

    pci_msix_send(&t->pci, 1);
    CHECK_EQ(m.n_messages, 0); // MSI-X is off: lost, as INTx is what counts
    set_cfg(&m, f, cap + 2, 0x8000, 2);
    CHECK(pci_msix_is_on(&t->pci));
    pci_msix_send(&t->pci, 1);
    CHECK_EQ(m.n_messages, 1);
    CHECK_EQ(m.messages[0], 33);
    pci_msix_send(&t->pci, 2);
    pci_msix_send(&t->pci, 2);
    CHECK_EQ(m.n_messages, 1);
    CHECK_EQ(mem_read(&m.mem, pba, 8), 1 << 2);
    CHECK_EQ(mem_read(&m.mem, pba, 1), 1 << 2);
    mem_write(&m.mem, pba, ~0ULL, 8);
    CHECK_EQ(mem_read(&m.mem, pba, 4), 1 << 2); // read-only
    mem_write(&m.mem, 0x4000002c, 0, 4);        // unmask: once
    CHECK_EQ(m.n_messages, 2);
    CHECK_EQ(m.messages[1], 34);
    CHECK_EQ(mem_read(&m.mem, pba, 8), 0);

    set_cfg(&m, f, cap + 2, 0xc000, 2); // all masked
    pci_msix_send(&t->pci, 1);
    CHECK_EQ(m.n_messages, 2);
    set_cfg(&m, f, cap + 2, 0x8000, 2);
    CHECK_EQ(m.n_messages, 3);
    set_cfg(&m, f, PCI_COMMAND, PCI_COMMAND_MEMORY, 2); // not a master
    pci_msix_send(&t->pci, 1);
    CHECK_EQ(m.n_messages, 3);
    set_cfg(&m, f, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    CHECK_EQ(m.n_messages, 4);
    pci_msix_send(&t->pci, 4); // there is no such vector
    pci_msix_send(&t->pci, 0xffff);
    set_vector(&m, 3, 0x40000000, 1, 0); // messages only reach doorbells
    pci_msix_send(&t->pci, 3);
    CHECK_EQ(m.n_messages, 4);
    machine_free(&m);
}

TEST(reset_by_the_board_and_by_function_level_reset)
{
    struct machine m;
    struct err e = {0};
    machine_init(&m);
    struct pci_toy *t = add_toy(&m, "4", false, &e);
    unsigned f = 4 << 3, express = find_cap(&m, f, PCI_CAP_EXPRESS);
    REQUIRE(express != 0);
    CHECK_EQ(cfg(&m, f, express + 2, 2), 0x92);
    for (int round = 0; round < 2; round++) {
        set_cfg(&m, f, PCI_BAR0 + 4, 0x40001000, 4);
        set_cfg(&m, f, PCI_BAR0 + 20, 0x40000000, 4);
        set_cfg(&m, f, PCI_COMMAND, 0xffff, 2);
        CHECK_EQ(cfg(&m, f, PCI_COMMAND, 2), 0x547);
        set_cfg(&m, f, PCI_INTERRUPT_LINE, 80, 1);
        set_vector(&m, 0, DOORBELL, 1, 0);
        pci_set_intx(&t->pci, true);
        CHECK_EQ(m.host->bus.mem_decodes.n, 2);
        if (round)
            set_cfg(&m, f, express + 8, 0x8000, 2);
        else
            device_reset(&t->pci.d);
        CHECK_EQ(m.host->bus.mem_decodes.n, 0);
        CHECK_EQ(cfg(&m, f, PCI_COMMAND, 2), 0);
        CHECK_EQ(cfg(&m, f, PCI_BAR0 + 4, 4), 0);
        CHECK_EQ(cfg(&m, f, PCI_INTERRUPT_LINE, 2), 0x100);
        CHECK_EQ(t->pci.msix.table[12], 1);
        CHECK_EQ(cfg(&m, f, PCI_STATUS, 2), PCI_STATUS_CAPABILITIES);
    }
    set_cfg(&m, f, express + 8, 0x7fff, 2);
    CHECK_EQ(cfg(&m, f, express + 8, 2), 0x78ff);
    machine_free(&m);
}

TEST(extended_capabilities_are_chained)
{
    struct machine m;
    struct err e = {0};
    machine_init(&m);
    struct pci_toy *t = add_toy(&m, "4", false, &e);
    unsigned f = 4 << 3;
    CHECK_EQ(cfg(&m, f, PCI_EXTENDED, 4), 0);
    CHECK_EQ(pci_add_ext_capability(&t->pci, 3, 1, 12), 0x100);
    CHECK_EQ(pci_add_ext_capability(&t->pci, 0xb, 2, 13), 0x10c);
    CHECK_EQ(pci_add_ext_capability(&t->pci, 0xd, 1, 8), 0x11c);
    CHECK_EQ(cfg(&m, f, 0x100, 4), 0x10c10003);
    CHECK_EQ(cfg(&m, f, 0x10c, 4), 0x11c2000b);
    CHECK_EQ(cfg(&m, f, 0x11c, 4), 0x0001000d);
    set_cfg(&m, f, 0x100, 0, 4);
    CHECK_EQ(cfg(&m, f, 0x100, 4), 0x10c10003);
    CHECK_EQ(cfg(&m, f, 0xffc, 4), 0);
    machine_free(&m);
}
