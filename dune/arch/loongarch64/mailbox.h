// SPDX-License-Identifier: Apache-2.0
// Between the files of this architecture: the page that a vCPU shares with the monitor, its control
// registers, and the code that it executes.
#pragma once

#include "base/types.h"
#include "dune/arch/loongarch64/layout.h"
#include "dune/arch/loongarch64/regs.h"

struct process;
struct vcpu;

struct mailbox {
    struct uregs regs;
    u64 estat, badv, prmd; // of the last exception
    u64 at_door;           // not zero: what follows is an exit of PLV0's
    // Before the program goes on: translations are dropped, of the pair of pages around `address`
    // or, when that is zero, all; and `root` is where the tables are.
    u64 flush, address, root;
    u64 door;   // the address that the door writes to
    u64 level;  // the privilege level that the program goes on at
    u64 upcall; // 0, or where the program has this, when handlers are called without an exit:
    u64 plan;   // for what, through the window
    bool has_upcalls;
};

// What a handler is called for, in the same page.
struct upcall_area {
    struct uregs regs;
    u64 address, ecode;
    u32 state, pending; // pending: a signal waits
    u64 flush;          // an address whose translation is dropped on the way back, or 0
    u64 entry;          // lib_upcall
    u64 function, opaque;
    struct process *process;
};

// Of all vCPUs of a space.
struct upcall_plan {
    u64 codes;
    u8 calls[PLAN_N_CALLS];
};

static inline struct upcall_area *mailbox_area(struct mailbox *b)
{
    return (struct upcall_area *)((u64)b + AREA);
}

enum {
    CSR_CRMD = 0x0,
    CSR_PRMD = 0x1,
    CSR_EUEN = 0x2,
    CSR_MISC = 0x3,
    CSR_ECFG = 0x4,
    CSR_EENTRY = 0xc,
    CSR_ASID = 0x18,
    CSR_PGDL = 0x19,
    CSR_PGDH = 0x1a,
    CSR_PWCL = 0x1c,
    CSR_PWCH = 0x1d,
    CSR_STLBPS = 0x1e,
    CSR_RVACFG = 0x1f,
    CSR_SAVE0 = 0x30,
    CSR_TID = 0x40,
    CSR_TCFG = 0x41,
    CSR_TLBRENTRY = 0x88,
    CSR_TLBRERA = 0x8a,
    CSR_TLBRSAVE = 0x8b,
    CSR_TLBREHI = 0x8e,
    CSR_DMW0 = 0x180,
};

enum {
    CRMD_DA = 1 << 3,
    CRMD_PG = 1 << 4,
    CRMD_CACHED = 1 << 5 | 1 << 7, // fetches and accesses while addresses are not translated
    CRMD_IN_KERNEL = CRMD_PG | CRMD_CACHED,
    CRMD_IN_PROGRAM = CRMD_IN_KERNEL | 3,
};

enum { LEVEL_KERNEL = 0, LEVEL_PROGRAM = 3 };

// An address of 0: all of them. Two different addresses make all.
static inline void mailbox_flush(struct mailbox *b, u64 address)
{
    b->address = b->flush && b->address != address ? 0 : address;
    b->flush = 1;
}

// 0 or -errno.
int mailbox_set_csr(const struct vcpu *v, u32 number, u64 value);
int mailbox_get_csr(const struct vcpu *v, u32 number, u64 *value);

// stubs.S
extern const u8 stub_exception[], stub_door[], stub_return[], stub_exception_end[];
extern const u8 stub_upcall[], stub_upcall_return[], stub_end[];
extern const u8 stub_refill[], stub_refill_end[], stub_entry[], stub_entry_end[];
