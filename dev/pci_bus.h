// SPDX-License-Identifier: Apache-2.0
// PCI bus 0 of a machine: its slots, who answers in which window, and the four interrupt wires.
//
// Addresses on the bus are what guests write to BARs. For memory they equal the processor's; I/O
// ports have their own space. Device lock held, except while the machine is built.
#pragma once

#include "dev/irq.h"
#include "dev/pci.h"

enum { PCI_N_SLOTS = 32, PCI_N_DEVFN = 256, PCI_N_INTX = 4 };

// [base, base + size) on the bus; size 0: there is none.
struct pci_window {
    u64 base, size;
};

// A BAR that answers at first..last.
struct pci_decode {
    u64 first, last;
    struct pci_device *device;
    u8 bar;
};

struct pci_decodes {
    struct pci_decode *list; // in order of devfn and BAR; of several that fit the first answers
    unsigned n;
};

struct pci_bus {
    struct pci_device *functions[PCI_N_DEVFN]; // borrowed
    struct pci_window mem, mem64, io;
    struct pci_decodes mem_decodes, io_decodes;
    struct irq intx[PCI_N_INTX]; // INTA to INTD, after the swizzle
    u16 n_asserted[PCI_N_INTX];
};

// `b` is zeroed; intx may be connected before or after.
void pci_bus_init(struct pci_bus *b);
// Functions that are still there leave it.
void pci_bus_free(struct pci_bus *b);

// Gives the function a place by its properties.
bool pci_bus_add(struct pci_bus *b, struct pci_device *p, struct err *e);
void pci_bus_remove(struct pci_bus *b, struct pci_device *p);

// BARs or the command register of a function changed.
void pci_bus_remap(struct pci_bus *b);
// The function's own INTA went up or down.
void pci_bus_intx(struct pci_bus *b, const struct pci_device *p, bool level);

// Accesses at bus addresses and to configuration space; size 1, 2, 4 or 8, address a multiple of
// it. All ones where nothing answers.
u64 pci_bus_config_read(struct pci_bus *b, u8 devfn, unsigned offset, unsigned size);
void pci_bus_config_write(struct pci_bus *b, u8 devfn, unsigned offset, u64 value, unsigned size);
u64 pci_bus_read(const struct pci_decodes *d, u64 addr, unsigned size);
void pci_bus_write(const struct pci_decodes *d, u64 addr, u64 value, unsigned size);
