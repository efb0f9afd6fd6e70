// SPDX-License-Identifier: Apache-2.0
// The interrupt controller of the LS7A bridge (7A1000 manual, chapter 5): 32 or 64 input pins,
// which become vectors sent over HyperTransport, or requests on the two pins INTn0 and INTn1.
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/irq.h"
#include "dev/reg_bank.h"

#define PCH_PIC_SIZE 0x1000

struct pch_pic {
    struct device dev;
    u64 n_sources; // property "sources": 32 or 64
    // Connected by the board before realize. `message` has the vector as its pin (its own pin is
    // ignored) and stays asserted as long as an input asks for that vector.
    struct irq message;
    struct irq int_out[2];

    struct mem_region region; // the board sets its base and adds it
    struct reg_bank bank;
    u64 mask, htmsi_en, edge, auto_ctrl[2], polarity;
    u64 edges; // latched
    u64 input; // levels of the pins
    u8 route[64], vector[64];
    u64 vectors_sent[4];
    u64 int_isr[2];  // pending per INTn output
    u64 last_output; // per source: the output that automatic distribution chose last
};

extern const struct device_type pch_pic_type;

// An input pin; fits struct irq, opaque is the struct pch_pic. Device lock held.
void pch_pic_set_pin(void *opaque, unsigned pin, bool level);
