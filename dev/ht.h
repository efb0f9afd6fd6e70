// SPDX-License-Identifier: Apache-2.0
// The registers of a HyperTransport controller of a 3A5000 (manual, chapter 10), through which the
// bridge's interrupts come.
//
// An interrupt either sets one of 256 vectors here, in the legacy way, or is passed on to the
// extended I/O interrupt controller: while the conversion is allowed (0x274 bit 30) and either it
// (bit 31) or the chip's EXT_INT_en (0x420 bit 48) is on. Device lock held in all calls.
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/irq.h"
#include "dev/reg_bank.h"

#define HT_REG_SIZE  0x10000
#define HT_N_VECTORS 256
#define HT_N_LINES   8
#define HT_N_WORDS   (0x278 / 4)

struct ht {
    struct device dev;
    bool allows_conversion; // property: 0x274 bit 30 after reset, as firmware leaves it
    // Connected by the board before realize.
    struct irq line[HT_N_LINES];      // the grouped vectors, to the legacy controller
    struct irq ext_line, ext_message; // vectors passed on, with the vector as pin

    struct mem_region region; // the board sets its base and adds it
    struct reg_bank bank;
    u64 words[HT_N_WORDS];
    bool is_ext_int; // the chip's EXT_INT_en
    u64 input[4];    // levels of the vectors that the bridge asserts
    u64 passed[4];   // levels that were passed on
    u32 vectors[8];  // pending by message here
};

extern const struct device_type ht_type;

// Both fit struct irq; opaque is the struct ht. See extioi.h.
void ht_set_line(void *opaque, unsigned vector, bool level);
void ht_send(void *opaque, unsigned vector, bool level);

// Bit 48 of I/O configuration register 0x420.
void ht_set_ext_int(struct ht *h, bool is_on);
