// SPDX-License-Identifier: Apache-2.0
// What a 3A5000 has around its cores, made and connected: the I/O configuration space and the
// blocks in it. A machine has one, whatever its number of cores.
//
// The DDR controllers have no model beyond their error status.
#pragma once

#include "base/types.h"
#include "dev/addr_window.h"
#include "dev/chip_config.h"
#include "dev/core_irq.h"
#include "dev/device.h"
#include "dev/extioi.h"
#include "dev/ht.h"
#include "dev/iocsr.h"
#include "dev/ipi.h"
#include "dev/liointc.h"
#include "dev/ls3_gpio.h"
#include "dev/ls3_i2c.h"
#include "dev/ls3_spi.h"
#include "dev/ls3_thermal.h"

#define LS3_CHIP_HT1_REGS 0xefdfb000000ULL

struct ls3_chip {
    struct device dev;
    u64 n_cores;               // property "cores"
    u64 ipi_delay_ns;          // property "ipi-delay": as in struct ipi
    u64 features, other_reset; // as in struct chip_config
    char *name;
    u64 spi_flash_size; // property "spi-flash": 0 for none
    // Property "ht-vectors": the bridge's vectors pass through the HyperTransport controller, which
    // may keep them for the legacy interrupt model. Otherwise they are extended I/O interrupts at
    // once.
    bool has_ht_vectors;
    // The board connects cores.out before realize.
    struct core_irq cores;

    // Owned; there after realize.
    struct iocsr *iocsr;
    struct ipi *ipi;
    struct extioi *extioi;
    struct liointc *liointc;
    struct chip_config *config;
    struct addr_window *windows;
    struct ht *ht; // HT1
    struct ls3_gpio *gpio;
    struct ls3_thermal *thermal;
    struct ls3_spi *spi;
    struct ls3_i2c *i2c[2];
};

extern const struct device_type ls3_chip_type;

// Adds the chip's registers to the machine's memory: the views of the I/O configuration space,
// below everything else there, and the HT1 registers. The windows of the serial flash (chip->spi)
// and the UARTs are the board's affair.
void ls3_chip_map(struct ls3_chip *c);

// Vectors from the bridge; both fit struct irq with the struct ls3_chip as opaque and the vector as
// pin. A line asserts its vector until it falls; a message (level true) until the vector is
// cleared.
void ls3_chip_set_vector_line(void *opaque, unsigned vector, bool level);
void ls3_chip_send_vector(void *opaque, unsigned vector, bool level);
