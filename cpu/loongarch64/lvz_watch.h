// SPDX-License-Identifier: Apache-2.0
// What a hypervisor's author wants to see: how often a guest exits and why, and uses of the
// extension that are undefined or work by accident (-d lvz, -d lvz_check).
#pragma once

#include "base/types.h"

struct la_cpu;

// Counts since the reset of the processor; the owning thread's.
struct la_lvz_counts {
    u64 n_entries;
    u64 n_exits[64]; // by ECODE, refills (0x3f) and machine errors (0x3e) included
    u64 n_guest_refills, n_root_refills, n_gid_switches, n_injected, n_passed, n_checks;
    u64 n_walks[3];            // entries that the hardware walker made, by enum la_tlb_kind
    u64 guest_insns, guest_ns; // spent in guests that have exited
    u8 passed;                 // lines of the last la_lvz_count_passed
    unsigned last_gid;         // of the last entry
    u64 entered_at_insn, entered_at_ns;
    // From an exit of that cause to the next entry, whatever is done meanwhile. Nanoseconds only
    // while somebody wants the sums.
    u64 away_insns[64], away_ns[64];
    u64 left_at_insn, left_at_ns;
    unsigned left_by;
    // For the checks.
    u64 guest_csr_written[8];   // by number; those above 511 are not watched
    u64 root_table_of_gid[256]; // root PGDL at the last entry, 0: none since the id was invalidated
};

// Every exception: one that leaves the guest is an exit.
void la_lvz_count_exception(struct la_cpu *c, unsigned exception, bool from_guest);
void la_lvz_count_entry(struct la_cpu *c); // the guest context has just become the current one
void la_lvz_count_injection(struct la_cpu *c, u64 old_gintc);
void la_lvz_count_passed(struct la_cpu *c, u8 lines); // physical lines that the guest sees now

// Checks: each notes what it is called for.
void la_lvz_check_guest_read(struct la_cpu *c, unsigned csr);
void la_lvz_check_root_fill(struct la_cpu *c, unsigned effective_gid);
void la_lvz_check_hvcl(struct la_cpu *c);
void la_lvz_note_written(struct la_cpu *c, unsigned csr);
void la_lvz_note_invalidated(struct la_cpu *c, bool all, unsigned gid);

// The summary, on the log's class lvz, or stats without it; nothing if there was no guest.
void la_lvz_report(struct la_cpu *c);
