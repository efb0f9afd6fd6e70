// SPDX-License-Identifier: Apache-2.0
// What a machine reports while it runs: classes switched on by `-d LIST`, written to one sink.
//
// A machine owns one `struct log`; everything in it borrows a pointer. Any thread may write.
// What a guest does wrong goes to the class `guest` and is rate-limited, so that no guest can fill
// a disk. An ordinary log line is complete in one call and needs no newline.
#pragma once

#include "base/types.h"

#define LOG_CLASSES(X)                                                                   \
    X(GUEST, guest, "what the guest does wrong: bad register values, broken rings")      \
    X(UNIMP, unimp, "registers and features that the guest used and that are not there") \
    X(IRQ, irq, "interrupt lines and messages")                                          \
    X(INT, int, "exceptions and interrupts taken by a processor")                        \
    X(MMU, mmu, "TLB fills and invalidations")                                           \
    X(CSR, csr, "writes to control registers")                                           \
    X(IO, io, "every access to a device register")                                       \
    X(IN_ASM, in_asm, "every instruction, disassembled, before it runs")                 \
    X(LVZ, lvz, "entries and exits of guests (LVZ), and a summary at the end")           \
    X(LVZ_CHECK, lvz_check, "uses of LVZ that work by accident, with PC and context")    \
    X(BOOT, boot, "what the loader placed where")                                        \
    X(STATS, stats, "instructions, time, memory and exits of guests, at the end")

enum log_class {
#define X(id, name, doc) LOG_##id,
    LOG_CLASSES(X)
#undef X
        LOG_N_CLASSES
};

struct log {
    u32 enabled; // bit per class
    void (*sink)(void *opaque,
                 const char *line); // called with one line; may be called by any thread
    void *opaque;
    _Atomic u64 n_guest; // messages of the classes guest and unimp, written or not
};

// Guest messages written before the rest is only counted.
#define LOG_GUEST_LIMIT 1000

void log_write(struct log *l, enum log_class c, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The class of that name, or -1. `log_class_doc` is for help texts.
int log_class_find(const char *name);
const char *log_class_name(enum log_class c);
const char *log_class_doc(enum log_class c);

static inline bool log_is_on(const struct log *l, enum log_class c)
{
    return l && unlikely(l->enabled >> c & 1);
}

#define log_at(l, c, ...)                     \
    do {                                      \
        if (log_is_on((l), (c)))              \
            log_write((l), (c), __VA_ARGS__); \
    } while (0)
#define log_guest(l, ...) log_at((l), LOG_GUEST, __VA_ARGS__)
#define log_unimp(l, ...) log_at((l), LOG_UNIMP, __VA_ARGS__)
