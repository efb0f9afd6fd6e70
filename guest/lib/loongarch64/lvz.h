// SPDX-License-Identifier: Apache-2.0
// A small hypervisor for tests of the virtualization extension: contexts that run guest code and
// come back with everything that an exit leaves.
//
//     struct vcpu v;
//     lvz_init(&v, 1);
//     report(lvz_call(&v, 0, f, a, b, c) == EXC_NONE && lvz_result(&v) == 42, "...");
//
// Guests run in the payload's own image: GPA is HPA for the first 32 MiB, which one entry of the
// second stage maps. Other GPAs are the test's: v.refill, or an exit. The guest's exceptions enter
// at lvz_guest_vectors and come back at once as LVZ_GUEST | code, its registers untouched.
#pragma once

#include "guest/lib/loongarch64/csr.h"
#include "guest/lib/loongarch64/lvz_offsets.h"
#include "guest/lib/loongarch64/tlb.h"
#include "guest/lib/loongarch64/trap.h"

enum {
    CSR_GTLBC = 0x15,
    CSR_TRGP = 0x16,
    CSR_GSTAT = 0x50,
    CSR_GCFG = 0x51,
    CSR_GINTC = 0x52,
    CSR_GCNTC = 0x53,
};

#define GSTAT_PGM       BIT(1)
#define GSTAT_GID(n)    ((u64)(n) << 16)
#define GTLBC_USETGID   BIT(12)
#define GTLBC_TOTI      BIT(13)
#define GTLBC_TGID(n)   ((u64)(n) << 16)
#define GCFG_SITP       BIT(6)
#define GCFG_SIT        BIT(7)
#define GCFG_TITP       BIT(8)
#define GCFG_TIT        BIT(9)
#define GCFG_TOEP       BIT(10)
#define GCFG_TOE        BIT(11)
#define GCFG_TOPP       BIT(12)
#define GCFG_TOP        BIT(13)
#define GCFG_TORUP      BIT(14)
#define GCFG_TORU       BIT(15)
#define GCFG_GCI(n)     ((u64)(n) << 20)
#define GCFG_GCI_MASK   BITS(21, 20)
#define GINTC_HWIS(n)   ((u64)(n))
#define GINTC_HWIP(n)   ((u64)(n) << 8)
#define GINTC_HWIC(n)   ((u64)(n) << 16)
#define TLBRPRMD_PGM    BIT(3)
#define HVCL_WORD(code) (0x002b8000u | (code))

// Outcomes of a run: EXC_NONE (the function returned), LVZ_GUEST | code, or the code of the exit.
#define LVZ_GUEST 0x10000u

struct vcpu {
    u64 gpr[32];
    u64 host[14];
    // What the exit left in the root; `is_refill`: the TLBR* registers count.
    u64 is_refill, entry;
    u64 crmd, prmd, estat, era, badv, badi, tlbehi, gstat;
    u64 tlbrbadv, tlbrera, tlbrehi, tlbrprmd;

    u64 pc; // where it goes on
    unsigned gid;
    u64 entry_prmd; // PIE, unless the test says otherwise
    // In the context of a refill of the root for `gpa`: maps it and returns true, or false for an
    // exit. NULL for exits.
    bool (*refill)(struct vcpu *v, u64 gpa);
    unsigned n_refills;
};

// Guest in direct mode at PLV 0; its control registers, GCFG, GINTC and all TLBs as after reset.
void lvz_init(struct vcpu *v, unsigned gid);
// The entry of the second stage for the payload's own memory, in MTLB entry 63.
void lvz_map_payload(const struct vcpu *v);

// One entry, one exit. A refill that is an exit is left by hand: IsTLBR cleared, mapped mode.
// Returns the code of the exit.
unsigned lvz_run(struct vcpu *v);
// Only the ertn and the exit; what return it makes is the caller's affair (lvz_enter.S).
void lvz_enter(struct vcpu *v);
// Runs from v->pc until an outcome that is not LVZ_WORD_*, which are translated. Of a guest that
// came back by these, v->pc is where it was.
unsigned lvz_outcome(struct vcpu *v);
// The guest's CRMD: `plv` direct (lvz_call) or mapped (with the window of the payload open).
unsigned lvz_call(struct vcpu *v, unsigned plv, trap_function f, u64 a, u64 b, u64 c);
unsigned lvz_call_at(struct vcpu *v, u64 crmd, u64 address, u64 a, u64 b, u64 c);
// One instruction, then a return. $a0 and $a1 are a and b.
unsigned lvz_word(struct vcpu *v, u64 crmd, u32 word, u64 a, u64 b);
const u32 *lvz_word_address(void); // where that instruction is, as the guest's PC in lvz_word
void lvz_open_window(void);        // DMW1 of the guest, all levels

static inline u64 lvz_result(const struct vcpu *v)
{
    return v->gpr[4];
}

// The guest's control registers by number, from the root.
u64 gcsr_read(unsigned number);
u64 gcsr_write(unsigned number, u64 value);
u64 gcsr_exchange(unsigned number, u64 value, u64 mask);

static inline unsigned gcsr_code(void)
{
    u64 estat = gcsr_read(CSR_ESTAT);
    return (unsigned)(bits_get(estat, 21, 16) | bits_get(estat, 30, 22) << 6);
}

// Entries of the second stage and, from the root, of a guest's first; by index or where the
// hardware likes. In a refill of the root the former use its registers.
void lvz_stage2_write(unsigned gid, unsigned index, const struct tlb_entry *e);
void lvz_stage2_fill(unsigned gid, const struct tlb_entry *e);
void lvz_stage1_write(unsigned gid, unsigned index, const struct tlb_entry *e);
void lvz_stage1_fill(unsigned gid, const struct tlb_entry *e);
// A pair of consecutive pages in an MTLB entry, as tlb_map.
void lvz_stage2_map(unsigned gid, unsigned slot, u64 gpa, u64 hpa, unsigned ps, u64 flags);
void lvz_stage1_map(unsigned gid, unsigned slot, u64 gva, u64 gpa, unsigned ps, u64 flags);
// The index of the second-stage entry for `gpa`, -1 for none.
int lvz_stage2_search(unsigned gid, u64 gpa);
void lvz_invalidate(unsigned op, u64 rj, u64 rk); // any operation, executed in the root
void lvz_set_target(unsigned gid);                // GTLBC.TGID

extern const char lvz_vectors[], lvz_refill_vector[];
extern const char lvz_guest_vectors[], lvz_guest_refill_vector[], lvz_guest_return[];
extern const char lvz_enter_ertn[];

// The word of one instruction in assembly.
#define WORD(text)                                   \
    ({                                               \
        const u32 *word_;                            \
        __asm__(".pushsection .text.words, \"ax\"\n" \
                "9: " text "\n"                      \
                ".popsection\n"                      \
                "la.pcrel %0, 9b"                    \
                : "=r"(word_));                      \
        *word_;                                      \
    })
// Instructions that not every assembler knows.
#define WORD_GCSRRD(rd, csr)    (0x05000000u | (csr) << 10 | (rd))
#define WORD_GCSRWR(rd, csr)    (0x05000020u | (csr) << 10 | (rd))
#define WORD_INVTLB(op, rj, rk) (0x06498000u | (rk) << 10 | (rj) << 5 | (op))
#define WORD_GTLBCLR            0x06482001u
#define WORD_GTLBFLUSH          0x06482401u
#define WORD_GTLBSRCH           0x06482801u
#define WORD_GTLBRD             0x06482c01u
#define WORD_GTLBWR             0x06483001u
#define WORD_GTLBFILL           0x06483401u

// report_eq of an outcome.
__attribute__((format(printf, 4, 5))) bool
report_outcome(const struct vcpu *v, unsigned found, unsigned expected, const char *format, ...);
