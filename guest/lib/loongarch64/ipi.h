// SPDX-License-Identifier: Apache-2.0
// Interrupts and mailboxes between processors: registers in I/O configuration space.
#pragma once

#include "guest/lib/loongarch64/csr.h"

enum {
    IPI_STATUS = 0x1000,
    IPI_EN = 0x1004,
    IPI_SET = 0x1008,
    IPI_CLEAR = 0x100c,
    IPI_MBOX = 0x1020, // four of 8 bytes
    IPI_SEND = 0x1040,
    MAIL_SEND = 0x1048,
    ANY_SEND = 0x1158,
};

enum { IPI_VECTOR_BOOT = 0, IPI_VECTOR_WAKE = 1 };

static inline void ipi_send(unsigned cpu, unsigned vector)
{
    iocsr_write_w(IPI_SEND, 1ULL << 31 | (u64)cpu << 16 | vector);
}

// Half a mailbox: `half` = box * 2 + (1 for the upper). Bytes whose bit is set in `keep` stay.
static inline void ipi_mail_half(unsigned cpu, unsigned half, u32 data, unsigned keep)
{
    iocsr_write_d(MAIL_SEND,
                  (u64)data << 32 | 1ULL << 31 | (u64)keep << 27 | (u64)cpu << 16 | (u64)half << 2);
}

// The upper half first: the lower makes the receiver look.
static inline void ipi_mail(unsigned cpu, unsigned box, u64 data)
{
    ipi_mail_half(cpu, box * 2 + 1, (u32)(data >> 32), 0);
    ipi_mail_half(cpu, box * 2, (u32)data, 0);
}

// A masked 32-bit write into another processor's I/O configuration space.
static inline void any_send(unsigned cpu, unsigned offset, u32 data, unsigned keep)
{
    iocsr_write_d(ANY_SEND,
                  (u64)data << 32 | 1ULL << 31 | (u64)keep << 27 | (u64)cpu << 16 | offset);
}
