// SPDX-License-Identifier: Apache-2.0
// The virtualization extension: guest context, exits, and the choices where its behaviour on
// silicon is not known. No vendor manual is public; what is here is what kernels that run on
// silicon rely on.
#pragma once

#include "base/types.h"
#include "base/err.h"
#include "cpu/loongarch64/lvz_watch.h"

struct la_cpu;
struct la_context;

// What -cpu can choose: lvz_properties.def.
struct la_lvz {
#define LVZ_FLAG(field, name, initial, doc)              bool field;
#define LVZ_NUMBER(field, name, initial, low, high, doc) u32 field;
#define LVZ_WORD(field, name, words, doc)                u32 field;
#include "cpu/loongarch64/lvz_properties.def"
#undef LVZ_FLAG
#undef LVZ_NUMBER
#undef LVZ_WORD
};

// Values of la_lvz.tlb, in the order of its words.
enum la_eviction { LA_EVICT_SOME, LA_EVICT_NEVER, LA_EVICT_ALWAYS, LA_EVICT_RANDOM };

// With lvz.disturb: the next interrupt without a cause.
struct la_disturbance {
    u64 at;    // cpu.n_insns at which it comes; ~0: none is due
    u32 after; // so many instructions after the exit
    bool is_pending;
};

struct la_lvz_property {
    const char *name, *doc;
    bool is_flag;
    const char *words; // "one|other"; NULL: a flag or a number
    u32 initial, low, high;
    size_t offset; // in struct la_lvz, of a bool or u32
};

extern const struct la_lvz_property la_lvz_properties[]; // ends with a NULL name

// "on", "off", a number or one of the words. False with a message, also for names that are no property. Without a
// processor the words are only checked.
bool la_lvz_set_property(struct la_cpu *c, const char *name, const char *value, struct err *e);

void la_lvz_init(struct la_lvz *z); // the initial choices

bool la_has_lvz(const struct la_cpu *c);
// Reset values that depend on properties: GSTAT.GIDBITS, capability bits of GCFG.
void la_lvz_reset(struct la_cpu *c);
// Bits that software can write.
u64 la_gcfg_controls(const struct la_cpu *c);
u64 la_gstat_controls(const struct la_cpu *c);
u64 la_gtlbc_controls(const struct la_cpu *c, u64 new_value); // TGID only while USETGID is set
void la_gtlbc_changed(struct la_cpu *c, u64 old);             // after a write

// Switches the current context; nothing else changes.
void la_switch_context(struct la_cpu *c, struct la_context *x);

// GSTAT.GID, and the GID that a root TLB instruction is about (GTLBC.USETGID, TGID).
unsigned la_gid_of(const struct la_cpu *c, u64 value); // in bits 23:16
unsigned la_guest_gid(const struct la_cpu *c);
unsigned la_second_stage_gid(const struct la_cpu *c); // GSTAT.GID, or TGID by GTLBC.USEVMID
unsigned la_effective_gid(const struct la_cpu *c);

// The HWI bits (ESTAT 9:2) that each context sees of the physical `lines`.
u64 la_guest_hwi(struct la_cpu *c, u32 lines);
void la_gintc_written(struct la_cpu *c);
u32 la_root_lines(const struct la_cpu *c, u32 lines);

// Traps of guest instructions; all return at once in the root context. The guest's own privilege
// check comes first, by the caller.
void la_trap_sensitive(struct la_cpu *c);                  // cpucfg, idle, iocsr*: always
void la_trap_timer(struct la_cpu *c);                      // GCFG.TIT: rdtime*
void la_trap_tlb(struct la_cpu *c);                        // GTLBC.TOTI: TLB instructions
void la_trap_barrier(struct la_cpu *c);                    // dbar, preld and the like: a property
void la_trap_cacop(struct la_cpu *c, unsigned op);         // GCFG.GCI
void la_trap_level_change(struct la_cpu *c, u64 new_crmd); // GCFG.TOP: GCSC
bool la_traps_privileged(const struct la_cpu *c);          // GCFG.TOPI: all that want PLV 0
bool la_traps_guest_exceptions(const struct la_cpu *c);    // GCFG.TOE: GCHC after the fact
void la_trap_guest_csr(struct la_cpu *c, unsigned number); // csr* by number
// For gcsr*, gtlb*: root PLV 0 only. The same without the check of privilege.
void la_need_root(struct la_cpu *c);
void la_refuse_guest(struct la_cpu *c);
