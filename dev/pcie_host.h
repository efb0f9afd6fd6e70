// SPDX-License-Identifier: Apache-2.0
// The generic PCI Express host: configuration space by ECAM, a memory and an I/O window, four
// wires.
//
// The board makes it, changes the addresses if they are not those of the virt machine, connects
// `bus.intx`, and realizes it: that maps the windows into env->mem, puts the host bridge at 00:00.0
// and makes the bus env->pci. PCI devices are realized after it and freed before it.
#pragma once

#include "dev/pci_bus.h"

struct pcie_host {
    struct device d;
    // Properties; processors' addresses. A size of 0 leaves a window away.
    u64 ecam_base, ecam_buses;
    u64 mem_base, mem_size;
    u64 mem64_base, mem64_size; // above 4 GiB
    u64 io_base;                // of port 0
    u64 io_first_port;          // ports below it read as ones: no ISA devices there
    u64 io_ports;               // end of the I/O space

    struct pci_bus bus;
    struct pci_device *bridge; // owned
    struct mem_region ecam, mem, mem64, io, isa;
};
