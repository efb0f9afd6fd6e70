// SPDX-License-Identifier: Apache-2.0
// The interrupt controller of the LS7A bridge. 7A1000 manual, chapter 5.
#pragma once

#include "guest/lib/loongarch64/board.h"

enum {
    PIC_ID = 0x00,
    PIC_MASK = 0x20,
    PIC_HTMSI_EN = 0x40,
    PIC_EDGE = 0x60,
    PIC_CLEAR = 0x80,
    PIC_AUTO_CTRL0 = 0xc0,
    PIC_AUTO_CTRL1 = 0xe0,
    PIC_ROUTE = 0x100, // bytes, by source
    PIC_VECTOR = 0x200,
    PIC_INT0_ISR = 0x300,
    PIC_INT1_ISR = 0x320,
    PIC_IRR = 0x380,
    PIC_ISR = 0x3a0,
    PIC_POLARITY = 0x3e0,
};

static inline u64 pic_read(unsigned offset)
{
    return device_read64(BOARD_PCH_PIC + offset);
}

static inline void pic_write(unsigned offset, u64 value)
{
    device_write64(BOARD_PCH_PIC + offset, value);
}

static inline void pic_assign(unsigned offset, unsigned pin, bool value)
{
    u64 bits = pic_read(offset);
    pic_write(offset, value ? bits | BIT(pin) : bits & ~BIT(pin));
}

static inline void pic_set_vector(unsigned pin, unsigned vector)
{
    device_write8(BOARD_PCH_PIC + PIC_VECTOR + pin, (u8)vector);
}

// All masked, level, active high; messages instead of pins.
static inline void pic_init(void)
{
    pic_write(PIC_MASK, ~0ULL);
    pic_write(PIC_EDGE, 0);
    pic_write(PIC_POLARITY, 0);
    pic_write(PIC_CLEAR, ~0ULL);
    pic_write(PIC_HTMSI_EN, ~0ULL);
}
