// SPDX-License-Identifier: Apache-2.0
// What the parts of the test lvz_random share: the model of the TLBs, what is counted, and the
// random choices that several of them make.
#pragma once

#include "guest/lib/loongarch64/lvz_tlb.h"
#include "guest/lib/loongarch64/page_fault.h"
#include "guest/lib/random.h"

#define GUEST(code)  (LVZ_GUEST | (code))
#define N_GIDS       3
#define N_ASIDS      3
#define MAX_LIVE     320
#define MAX_REPLACED 64
#define STLB_PS      14
#define PAYLOAD_SLOT 60 // of MTLB entries the first that keeps a guest's payload mapped

extern struct random rng;
extern struct vcpu v;
extern u64 step;
extern struct counts {
    unsigned n_edits, n_fills, n_invalidations, n_accesses, n_served, n_guest_faults, n_exits;
    unsigned n_replaced, n_by_replaced;
    unsigned place, left, content, outcome, address, data;
} count;

// lvz_random_model.c: what is in each place of each TLB.
struct live {
    struct tlb_entry e;
    unsigned gid, index;
};
struct model_tlb {
    struct live list[MAX_LIVE];
    unsigned n;
};
extern struct model_tlb tlbs[LVZ_N_TLBS];
extern struct live replaced[MAX_REPLACED]; // of the second stage, by the hardware's choice
extern unsigned n_replaced;

void model_add(enum lvz_tlb kind, const struct tlb_entry *e, unsigned gid, unsigned index);
void model_drop(enum lvz_tlb kind, unsigned n); // the entry n of the list
struct live *model_at_index(enum lvz_tlb kind, unsigned index);
void model_forget_index(enum lvz_tlb kind, unsigned index);

// What an access does: an exception, or one of the places in memory where it may go, first by the
// entry, then by what was replaced.
struct expectation {
    unsigned code;
    u64 bad_address;
    u64 places[MAX_REPLACED + 1];
    unsigned n_places;
};
struct live *model_find(enum lvz_tlb kind, unsigned gid, unsigned asid, u64 va);
struct expectation model_expect(unsigned gid, unsigned asid, unsigned plv, bool mapped, u64 va,
                                enum page_access access);
// Whether the machine has the entry. The ASID of a second-stage entry means nothing.
bool model_is_there(enum lvz_tlb kind, const struct live *l);

static inline u64 elo_of(const struct tlb_entry *e, u64 va)
{
    return e->elo[va >> e->ps & 1];
}

static inline u64 physical(const struct tlb_entry *e, u64 va)
{
    return (elo_of(e, va) & BITS(47, 12)) | (va & (BIT(e->ps) - 1));
}

// The last accesses: they come again, and invalidations and entries are about their pages, so that
// what is remembered of them beside the TLBs would be found out.
struct access_spec {
    unsigned gid, asid, plv;
    bool mapped;
    enum page_access access;
    u64 va, gpa;
};
#define N_RECENT 4
extern struct access_spec recent[N_RECENT];

// lvz_random_choice.c
bool chance(unsigned one_in);
unsigned random_gid(enum lvz_tlb kind);
unsigned random_ps(void);
struct tlb_entry random_entry(enum lvz_tlb kind, unsigned gid, unsigned ps);
// An address in an entry, mostly; with the space it is in, mostly, if that is asked for.
u64 interesting_place(enum lvz_tlb kind, unsigned *gid, unsigned *asid);
u64 interesting_address(enum lvz_tlb kind);
const struct access_spec *random_recent(void);
u64 address_to_edit(enum lvz_tlb kind, unsigned *gid); // its guest, too, may be chosen

// lvz_random_edit.c: changes of the TLBs, in the machine and in the model.
void edit_write(enum lvz_tlb kind);
void edit_fill(enum lvz_tlb kind);
void edit_invalidate(void);
void edit_flush(void);
void edit_map_payload(unsigned gid);
void edit_invalidate_all(void);
