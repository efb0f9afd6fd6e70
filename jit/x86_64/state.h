// SPDX-License-Identifier: Apache-2.0
// Which host registers hold what while translated code runs, and where the rest of a processor's
// state is.
//
//   rbp               the processor: the middle of its general registers, so that all of them have
//                     short displacements
//   rax, rcx, rdx     scratch; rdx is the delta of a group of accesses while one is open
//   the rest but rsp  eleven guest registers, the same everywhere
//   vector registers  0 to 3 scratch; from 4 on guest vector registers while la_code.units is not 0
//
// At every instruction boundary the pinned registers hold exact state, the other registers are in
// memory, and only the PC is implied by the place.
#pragma once

#include "cpu/loongarch64/state.h"
#include "jit/x86_64/emit.h"

#include <stddef.h>

#define JIT_STATE    (offsetof(struct la_cpu, gpr) + 128)
#define JIT_FIELD(f) ((s32)offsetof(struct la_cpu, f) - (s32)JIT_STATE)
#define STATE(f)     at(RBP, JIT_FIELD(f))
static inline struct mem gpr_home(unsigned r)
{
    return at(RBP, JIT_FIELD(gpr) + 8 * (s32)r);
}

static inline struct mem vr_home(unsigned r)
{
    return at(RBP, JIT_FIELD(vr) + 32 * (s32)r);
}

struct slot_place {
    struct mem limit, limit8, base, delta;
};

static inline struct slot_place jit_slot_place(unsigned mode, unsigned slot)
{
    const s32 set = JIT_FIELD(code.slots) + (s32)(mode * sizeof(struct la_slots) + slot * 8);
    return (struct slot_place){at(RBP, set + (s32)offsetof(struct la_slots, limit)),
                               at(RBP, set + (s32)offsetof(struct la_slots, limit8)),
                               at(RBP, set + (s32)offsetof(struct la_slots, base)),
                               at(RBP, set + (s32)offsetof(struct la_slots, delta))};
}

#define JIT_TABLE(f) ((s32)(LA_CODE_TABLES - JIT_STATE) + (s32)offsetof(struct la_code_tables, f))
// The first entry of a mode's table of pages, loads' or stores', from rbp.
static inline s32 jit_near_place(unsigned mode, bool is_store)
{
    return JIT_FIELD(code.slots) + (s32)(mode * sizeof(struct la_slots)) +
           (s32)offsetof(struct la_slots, near) +
           (is_store ? (s32)sizeof(((struct la_slots *)0)->near[0]) : 0);
}

static inline s32 jit_near_runs(unsigned mode, bool is_store)
{
    return JIT_FIELD(code.slots) + (s32)(mode * sizeof(struct la_slots)) +
           (s32)offsetof(struct la_slots, near_is_empty) + (is_store ? LA_N_NEAR_RUNS : 0);
}

// A field of targets[LA_N_TARGETS * of_guest].
static inline s32 jit_target_field(size_t offset, bool of_guest)
{
    s32 first = of_guest ? LA_N_TARGETS * (s32)sizeof(struct la_target) : 0;
    return JIT_TABLE(targets) + first + (s32)offset;
}
#define JIT_TARGET(f, of_guest) jit_target_field(offsetof(struct la_target, f), (of_guest))

struct jit_pin {
    u8 guest, host;
};
#define JIT_N_PINS 11
extern const struct jit_pin jit_pins[JIT_N_PINS];
// Host register of a guest register, or NO_REG.
extern const u8 jit_gpr_host[32];

struct jit;
// rcx: the place of the address in rax in a table of so many targets; its scale is 4. rdx, the word
// at cpu.requests, becomes the key. la_branch.c.
void jit_target_place(const struct jit *j, struct emit *e, unsigned n_targets);
// The processor's table of targets, looked up for the address in rax at the place in rcx, with the
// key in rdx: falls through where it is known and nothing is requested, with pc_base set, and in
// rax, and the code at [rbp + 4 * rcx + JIT_TARGET(host, of_guest)]. The jump at what it returns is
// taken where not.
u8 *jit_find_target(struct emit *e, bool of_guest);

// Scratch comes first: instructions without an EVEX encoding reach it.
enum { V0, V1, V2, V3, JIT_N_VECTOR_SCRATCH };

// Guest vector registers below this are in host registers: 28, 12 without EVEX, 11 without AVX2,
// and then their lower halves only.
unsigned jit_n_vector_pins(const struct jit *j);
static inline unsigned vr_host(unsigned r)
{
    return r + JIT_N_VECTOR_SCRATCH;
}
