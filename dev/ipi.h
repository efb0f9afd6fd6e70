// SPDX-License-Identifier: Apache-2.0
// Inter-processor interrupts and mailboxes (3A5000 manual, chapter 10), and the core timers that
// share their register blocks.
#pragma once

#include "base/types.h"
#include "base/clock.h"
#include "dev/core_irq.h"
#include "dev/device.h"
#include "dev/reg_bank.h"

struct ipi;

struct ipi_core {
    u32 status, enable;
    u32 on_its_way; // bits of status that come when `arrival` fires
    struct timer arrival;
    u64 mailbox[4];
    u64 frequency;
    u64 timer_config;
    u64 timer_started; // time at which the running countdown began
    bool timer_expired;
    struct timer timer;
    struct ipi *ipi;
};

struct ipi {
    struct device dev;
    u64 n_cores; // property "cores"
    // Property "delay": ns that interrupts are on their way at most; each time another number, so
    // that they overtake mails and each other. 0: they are there at once.
    u64 delay_ns;
    u32 random;
    // Connected by the board before realize; borrowed.
    struct core_irq *cores;
    // ANY_Send: writes those bytes of `data` whose bit in `bytes` is set to the I/O configuration
    // register at `address`, as core `core` sees it.
    void (*any_send)(void *opaque, unsigned core, u32 address, u32 data, u32 bytes);
    void *any_send_opaque;

    struct reg_bank bank;
    u32 mail_data, any_data; // upper halves of the send registers
    bool is_sending;         // an ANY_Send is being carried out
    struct ipi_core core[CORE_IRQ_MAX_CORES];
};

extern const struct device_type ipi_type;

// Offsets 0x1000-0x107f (of the core given) and 0x1158 of the I/O configuration space.
static inline struct reg_bank *ipi_bank(struct ipi *p)
{
    return &p->bank;
}
