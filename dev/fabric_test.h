// SPDX-License-Identifier: Apache-2.0
// A machine without processors for tests of the interrupt fabric: chip, bridge interrupt controller
// and message doorbell at the addresses of the `virt` board, with a clock that the test turns.
#pragma once

#include "base/test.h"
#include "dev/ls3_chip.h"
#include "dev/pch_msi.h"
#include "dev/pch_pic.h"

#define PIC_BASE 0x10000000ULL
#define MSI_BASE 0x2ff00000ULL

struct fabric {
    struct mem_space mem;
    struct clock clock;
    struct log log;
    struct device_env env;
    struct ls3_chip *chip;
    struct pch_pic *pic;
    struct pch_msi *msi;
    u64 now;
    u16 lines[CORE_IRQ_MAX_CORES]; // of the cores, as bits of ESTAT.IS
    unsigned n_rises;
    unsigned n_unimp;
    bool int_out[2];
};

static inline u64 fabric_now(void *opaque)
{
    return ((struct fabric *)opaque)->now;
}

static inline void fabric_log(void *opaque, const char *line)
{
    ((struct fabric *)opaque)->n_unimp++;
}

static inline void fabric_core_line(void *opaque, unsigned pin, bool level)
{
    struct fabric *f = opaque;
    u16 bit = 1 << (pin % CORE_N_LINES), *lines = &f->lines[pin / CORE_N_LINES];
    CHECK(!(*lines & bit) == level);
    *lines = (*lines & ~bit) | (level ? bit : 0);
    f->n_rises += level;
}

static inline void fabric_int_out(void *opaque, unsigned pin, bool level)
{
    ((struct fabric *)opaque)->int_out[pin] = level;
}

static inline void fabric_make_bridge(struct fabric *f, unsigned n_sources)
{
    struct err e = {0};
    f->pic = (struct pch_pic *)device_new(&pch_pic_type, &f->env);
    f->pic->n_sources = n_sources;
    f->pic->message = (struct irq){ls3_chip_set_vector_line, f->chip, 0};
    for (unsigned i = 0; i < 2; i++)
        f->pic->int_out[i] = (struct irq){fabric_int_out, f, i};
    CHECK(device_realize(&f->pic->dev, &e));
    f->pic->region.base = PIC_BASE;
    mem_add_region(&f->mem, &f->pic->region);
    f->msi = (struct pch_msi *)device_new(&pch_msi_type, &f->env);
    f->msi->message = (struct irq){ls3_chip_send_vector, f->chip, 0};
    CHECK(device_realize(&f->msi->dev, &e));
    f->msi->region.base = MSI_BASE;
    mem_add_region(&f->mem, &f->msi->region);
}

static inline void fabric_init(struct fabric *f, unsigned n_cores, unsigned n_sources)
{
    struct err e = {0};
    memset(f, 0, sizeof(*f));
    f->log = (struct log){.enabled = 1 << LOG_UNIMP, .sink = fabric_log, .opaque = f};
    mem_space_init(&f->mem, &f->log);
    f->clock = (struct clock){.now = fabric_now, .opaque = f};
    f->env = (struct device_env){.mem = &f->mem, .clock = &f->clock, .log = &f->log};
    f->chip = (struct ls3_chip *)device_new(&ls3_chip_type, &f->env);
    f->chip->n_cores = n_cores;
    f->chip->spi_flash_size = 8 << 20;
    f->chip->cores.out = (struct irq){fabric_core_line, f, 0};
    CHECK(device_realize(&f->chip->dev, &e));
    ls3_chip_map(f->chip);
    fabric_make_bridge(f, n_sources);
}

static inline void fabric_free(struct fabric *f)
{
    device_free(&f->msi->dev);
    device_free(&f->pic->dev);
    device_free(&f->chip->dev);
    mem_space_free(&f->mem);
}

static inline u64 csr_read(struct fabric *f, unsigned core, u32 address, unsigned size)
{
    return iocsr_read(f->chip->iocsr, core, address, size);
}

static inline void csr_write(struct fabric *f, unsigned core, u32 address, u64 value, unsigned size)
{
    iocsr_write(f->chip->iocsr, core, address, value, size);
}

static inline void set_pin(struct fabric *f, unsigned pin, bool level)
{
    mem_lock(&f->mem);
    pch_pic_set_pin(f->pic, pin, level);
    mem_unlock(&f->mem);
}

// What Linux does on the first core of a node (irq-loongson-eiointc): all vectors on HWI1 and the
// executing core 0, rotation on for all.
static inline void linux_init_extioi(struct fabric *f, unsigned core)
{
    csr_write(f, core, 0x420, csr_read(f, core, 0x420, 8) | 1ULL << 48, 8);
    for (unsigned i = 0; i < 8; i++)
        csr_write(f, core, 0x14a0 + 4 * i, 1u << (2 * i + 1) << 16 | 1u << (2 * i), 4);
    for (unsigned i = 0; i < 2; i++)
        csr_write(f, core, 0x14c0 + 4 * i, 0x02020202, 4);
    for (unsigned i = 0; i < 64; i++)
        csr_write(f, core, 0x1c00 + 4 * i, 0x01010101, 4);
    for (unsigned i = 0; i < 8; i++) {
        csr_write(f, core, 0x1600 + 4 * i, 0xffffffff, 4);
        csr_write(f, core, 0x1680 + 4 * i, 0xffffffff, 4);
    }
}

// What Linux does with the bridge (irq-loongson-pch-pic), for 64 sources whatever the ID says.
static inline void linux_init_pic(struct fabric *f)
{
    for (unsigned i = 0; i < 64; i++) {
        mem_write(&f->mem, PIC_BASE + 0x2ff, i, 1);
        mem_write(&f->mem, PIC_BASE + 0x100 + i, 1, 1);
    }
    for (unsigned half = 0; half < 8; half += 4) {
        mem_write(&f->mem, PIC_BASE + 0x20 + half, 0xffffffff, 4);
        mem_write(&f->mem, PIC_BASE + 0x80 + half, 0xffffffff, 4);
        mem_write(&f->mem, PIC_BASE + 0xc0 + half, 0, 4);
        mem_write(&f->mem, PIC_BASE + 0xe0 + half, 0, 4);
        mem_write(&f->mem, PIC_BASE + 0x40 + half, 0xffffffff, 4);
    }
}
