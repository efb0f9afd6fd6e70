// SPDX-License-Identifier: Apache-2.0
// What a 3A5000 has around its cores, made and connected: the I/O configuration space and the
// blocks in it. A machine has one, whatever its number of cores.
#pragma once

#include "base/types.h"
#include "dev/chip_config.h"
#include "dev/core_irq.h"
#include "dev/device.h"
#include "dev/extioi.h"
#include "dev/iocsr.h"
#include "dev/ipi.h"

struct ls3_chip {
    struct device dev;
    u64 n_cores;               // property "cores"
    u64 features, other_reset; // as in struct chip_config
    char *name;
    // The board connects cores.out before realize.
    struct core_irq cores;

    // Owned; there after realize.
    struct chip_config *config;
    struct ipi *ipi;
    struct extioi *extioi;
    struct iocsr *iocsr;
};

extern const struct device_type ls3_chip_type;

// Vectors from the bridge; both fit struct irq with the struct ls3_chip as opaque and the vector as
// pin. A line asserts its vector until it falls; a message (level true) until the vector is
// cleared.
void ls3_chip_set_vector_line(void *opaque, unsigned vector, bool level);
void ls3_chip_send_vector(void *opaque, unsigned vector, bool level);
