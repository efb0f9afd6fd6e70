// SPDX-License-Identifier: Apache-2.0
// What the parts of the test lvz_hostile share: where things are in memory, and who checks what.
#pragma once

#include "guest/lib/loongarch64/board.h"
#include "guest/lib/loongarch64/lvz_tlb.h"
#include "guest/lib/random.h"

// The guest's memory is an arena of a few pages, which all guest-physical addresses lead to. What
// lies around it is the root's and must never change; so must what is at the same addresses.
#define ARENA_PS      14
#define ARENA_PAGES   4
#define ARENA_SIZE    (ARENA_PAGES * BIT(ARENA_PS))
#define CANARY_SIZE   BIT(16)
#define CANARY_BEFORE SCRATCH_BASE
#define ARENA         (CANARY_BEFORE + CANARY_SIZE)
#define CANARY_AFTER  (ARENA + ARENA_SIZE)
#define CANARY_HIGH   BOARD_HIGH_RAM
#define N_CANARIES    3

extern struct random rng;
extern struct vcpu v;

// lvz_hostile_code.c ----------------------------------------------------------------------------

// Words that are mostly instructions, and mostly such that a guest has no right to.
void code_init(void);               // once per seed
u32 code_random_word(bool is_busy); // made anew; busy: mostly such as any program has
u64 code_random_value(void);       // for a register: addresses of both sides, fields, small numbers
u64 code_random_gpa(void);         // a guest-physical address
void code_fill_arena(void);        // instructions, addresses and words that are neither
bool code_ends_sequence(u32 word); // what comes next need not be the word behind it
bool code_must_exit(u32 word);     // or raise an exception in the guest

// lvz_hostile_root.c ----------------------------------------------------------------------------

// Everything of the root that a guest must not change: put in place, noted, compared.
void root_init(void);
void root_note(unsigned csr); // the root has changed this register itself
void root_note_tlb_registers(void);
// After an exit, in the context of a refill or not. What is wrong is told and counted.
void root_check_exit(unsigned code, u64 pc);
void root_check_all(void);  // also what takes long: memory, the whole TLB
void root_check_text(void); // the payload's own code and constants
u64 root_badv(void);        // what BADV must still be if the exit brought no address
void root_set_badv(u64 badv);

// lvz_hostile.c ---------------------------------------------------------------------------------

enum wrong { WRONG_EXIT, WRONG_CSR, WRONG_MEMORY, WRONG_TLB, WRONG_INTERRUPT, N_WRONG };
void note_wrong(enum wrong kind, const char *what, u64 which, u64 found, u64 wanted);
