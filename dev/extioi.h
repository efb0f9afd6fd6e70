// SPDX-License-Identifier: Apache-2.0
// The extended I/O interrupt controller of the processor: 256 vectors (3A5000 manual, 11.2).
//
// A machine has one register file per node of four cores. The bridge is attached to node 0, whose
// file alone decides where a device's vector goes: to any core of any node. Other nodes' files
// serve EXT_IOI_send from their own cores. Device lock held in all calls.
#pragma once

#include "base/types.h"
#include "dev/core_irq.h"
#include "dev/device.h"
#include "dev/reg_bank.h"

#define EXTIOI_N_VECTORS      256
#define EXTIOI_CORES_PER_NODE 4
#define EXTIOI_MAX_NODES      (CORE_IRQ_MAX_CORES / EXTIOI_CORES_PER_NODE)

struct extioi_node {
    u16 node_type[16];
    u64 ipmap; // a byte per group of 32 vectors
    u64 enable[4], bounce[4];
    // A vector is pending while a message for it has not been cleared or its input line is
    // asserted.
    u64 message[4], line[4];
    u8 route[EXTIOI_N_VECTORS];
    u8 target[EXTIOI_N_VECTORS]; // the core at which the vector is pending, or EXTIOI_NO_CORE
    u8 last[EXTIOI_N_VECTORS];   // the latest target, where rotation goes on
    u64 core_isr[CORE_IRQ_MAX_CORES][4];
};

#define EXTIOI_NO_CORE 0xff

struct extioi {
    struct device dev;
    u64 n_cores;            // property "cores"
    struct core_irq *cores; // connected by the board before realize; borrowed

    struct reg_bank bank;
    bool is_enabled;       // 0x420 EXT_INT_en
    bool has_encoded_pins; // 0x420 INT_encode
    unsigned n_nodes;
    struct extioi_node node[EXTIOI_MAX_NODES];
};

extern const struct device_type extioi_type;

// Offsets 0x1140 and 0x14a0-0x1cff of the I/O configuration space; 0x1800-0x181f are those of the
// core given, all others those of its node.
static inline struct reg_bank *extioi_bank(struct extioi *x)
{
    return &x->bank;
}

// Bits 48 and 49 of I/O configuration register 0x420.
void extioi_set_mode(struct extioi *x, bool is_enabled, bool has_encoded_pins);

// Both fit struct irq; opaque is the struct extioi. An input line asserts its vector until it
// falls, and clearing the vector before sends it again. A message (level true) asserts it until it
// is cleared.
void extioi_set_line(void *opaque, unsigned vector, bool level);
void extioi_send(void *opaque, unsigned vector, bool level);
