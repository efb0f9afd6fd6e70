// SPDX-License-Identifier: Apache-2.0
// The doorbell for message interrupts of the LS7A bridge: a 32-bit write of a vector number sends
// that vector to the processor (7A1000 manual, chapter 5).
#pragma once

#include "base/types.h"
#include "dev/device.h"
#include "dev/irq.h"

#define PCH_MSI_SIZE 8

struct pch_msi {
    struct device dev;
    u64 first_vector, n_vectors; // properties "first-vector", "vectors"
    // Connected by the board: pulsed with the vector as pin (its own pin is ignored).
    struct irq message;
    struct mem_region region; // the board sets its base and adds it
};

extern const struct device_type pch_msi_type;
