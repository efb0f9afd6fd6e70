// SPDX-License-Identifier: Apache-2.0
// Inside the translation of LoongArch64 to x86-64: the block that is being translated.
//
// A template emits one guest instruction. It may use rax, rcx and rdx as it likes if its row in
// la_templates.def says so (RDX), else rax and rcx only; it writes its destination last, and
// leaves the pinned registers of all others alone.
#pragma once

#include "jit/cache.h"
#include "jit/x86_64/state.h"

#define BLOCK_MAX_COLD    192
#define LOOP_MAX_INSNS    96 // what is longer is the path of an interpreter rather than a loop
#define LOOP_MAX_VR_SWAPS 12
#define NO_VR             32

struct trans;

// Something that is emitted behind the block: code that is rarely reached from `site`.
struct cold {
    void (*emit)(struct trans *t, const struct cold *x);
    u8 *site;   // the distance of the jump that leads there
    u8 *back;   // where it goes on
    u32 offset; // of the instruction, from pc_base
    s32 target; // of a branch, from pc_base
    u32 record; // index in trans.records
    u32 value;
};

// Data behind the block.
struct record {
    u8 *site; // the distance of the lea that addresses it
    bool is_call;
    union {
        struct jit_call call;
        struct jit_access access;
    };
};

// What is in the host register instead of `out` while the block runs.
struct swap {
    u8 in, out, host;
};

struct trans {
    struct emit e;
    struct jit *jit;
    const struct la_cpu *cpu; // what the model has; nothing of its state
    struct jit_page *page;
    unsigned offset;     // of the first instruction in the page
    unsigned n;          // instructions
    unsigned n_straight; // those up to the first that does not go on to the next one; 0: all
    unsigned n_parted;   // so many, if accesses share no checks: a block beside others; or 0
    struct la_insn insns[BLOCK_MAX_INSNS];
    la_execute_fn execute[BLOCK_MAX_INSNS];
    u8 *entry[BLOCK_MAX_INSNS]; // NULL: the state there is not what an entry needs
    u8 *door, *behind_door;     // la_block.c: of a block that compares its source
    unsigned now;               // the instruction that is being emitted
    bool is_ended;              // it does not go on to the next one
    u32 units;                  // known to be loaded
    bool is_literal_missing;    // the table of literals is full: nothing of this can be used
    unsigned flag_end; // host flags hold what the instruction at flag_end - 1 wrote to an fcc
    unsigned flag_fcc;
    enum cond flag_cc; // that it is set

    // rax has the value of this register up to held_end, since the instruction held_by. 0: of none.
    unsigned held, held_by;
    const u8 *held_end;
    unsigned polled;               // 1 + the last instruction before which the block polled
    bool is_head[BLOCK_MAX_INSNS]; // a branch of this block leads back to it

    u32 defined[32]; // 1 + offset of the instruction that a register's value is from; 0: it came in

    // Host registers, of general registers or NO_REG, and of vector registers or NO_VR. Those of
    // all blocks, but for the swaps.
    u8 map[32], vr_map[32];

    // A block that is a loop in which registers change places (la_loop.c): none of this otherwise.
    // The labels are where branches within lead to, NULL if they cannot, and the units known there.
    bool is_loop;
    unsigned n_swaps, n_vr_swaps;
    struct swap swaps[JIT_N_PINS], vr_swaps[LOOP_MAX_VR_SWAPS];
    u32 loop_unit; // that the vector registers are loaded for
    bool is_target[BLOCK_MAX_INSNS];
    u8 *label[BLOCK_MAX_INSNS];
    u32 label_units[BLOCK_MAX_INSNS];

    // Counting (la_count.c): the current stretch's first instruction and the byte that holds its
    // length, and for each instruction the one after its stretch.
    unsigned stretch;
    u8 *stretch_length;
    u8 stretch_end[BLOCK_MAX_INSNS];

    // The open group: rdx is the delta of accesses through the register; 0: none. Or rdx is where
    // the register leads to in the host, if the register is not pinned or the table of pages was
    // asked.
    unsigned group_base;
    bool group_is_host;
    unsigned group_end; // the first instruction after it

    struct cold cold[BLOCK_MAX_COLD];
    unsigned n_cold;
    struct record records[BLOCK_MAX_COLD];
    unsigned n_records;

    // la_form.c: where each of the first n_flow instructions from `offset` on leads.
    u16 flow[BLOCK_MAX_INSNS + LOOP_MAX_INSNS];
    unsigned n_flow;
};

typedef void (*template_fn)(struct trans *t, const struct la_insn *i, unsigned arg);

enum template_flag {
    T_RDX = 1,    // loses rdx: ends a group of accesses
    T_GROUP = 2,  // accesses memory at rj + imm
    T_INDEX = 4,  // accesses memory at rj + rk
    T_BRANCH = 8, // conditional
    T_ENDS = 16,  // the block ends after it
};

struct la_template {
    template_fn emit;
    unsigned arg;
    unsigned flags;
};

// Of atomic accesses: la_atomic.c.
enum { AM_SWAP, AM_ADD, AM_AND, AM_OR, AM_XOR, AM_MAX, AM_MIN, AM_MAXU, AM_MINU };

#define TEMPLATE(name)          void la_t_##name(struct trans *t, const struct la_insn *i, unsigned arg)
#define T(op, name, arg, flags) TEMPLATE(name);
#include "jit/x86_64/la_templates.def"
#undef T

// By enum la_op; no emit: the interpreter executes it.
extern const struct la_template la_templates[];
// NULL: the interpreter executes it, on this host.
const struct la_template *trans_template(const struct trans *t, unsigned n);

static inline u32 trans_offset(const struct trans *t)
{
    return t->offset + 4 * t->now;
}

// Whether rd is a general register that the instruction writes.
static inline bool trans_writes_rd(const struct la_insn *i)
{
    const struct la_op_info *o = &la_op_info[i->op];
    return o->writes & 1 << LA_SLOT_D && o->file[LA_SLOT_D] == LA_FILE_GPR;
}

// Registers. `trans_use` returns where the value is: the register's own place or `scratch`.
static inline enum reg gpr_host(const struct trans *t, unsigned r)
{
    return (enum reg)t->map[r];
}
enum reg trans_use(struct trans *t, unsigned r, enum reg scratch);
void trans_copy(struct trans *t, enum reg d, unsigned r); // d := register
// Where to compute the new value of r: its own place, or rax.
enum reg trans_define(const struct trans *t, unsigned r);
// Makes `value` the value of r (nothing for r0).
void trans_set(struct trans *t, unsigned r, enum reg value);
// d = d op register.
void trans_alu(struct trans *t, enum alu op, enum width w, enum reg d, unsigned r);
// What was emitted since `before` has left rax alone, on the way that goes on.
void trans_keep_held(struct trans *t, const u8 *before);

// Control: la_branch.c.
struct cold *trans_cold(struct trans *t, void (*emit)(struct trans *, const struct cold *),
                        u8 *site);
void trans_goto(struct trans *t, s32 target); // unconditional; a target from pc_base
void trans_goto_if(struct trans *t, enum cond cc, s32 target);
void trans_poll(struct trans *t); // leaves before this instruction if something is requested
void trans_leave(struct trans *t, u32 offset);
// A distance that is patched while others run it must not cross a cache line: it will be `n_before`
// bytes behind here.
void trans_keep_in_line(struct trans *t, unsigned n_before);
// Whether the next instruction branches on a flag, and backward: then this instruction, which sets
// it, polls before it does.
bool trans_is_branched_on(const struct trans *t, unsigned fcc, bool *goes_back);
// la_block.c: the interpreter executes this instruction.
void trans_interpret(struct trans *t);
// The same where neither the mode nor the code is another one after it.
void trans_interpret_on(struct trans *t);
// Data for the interpreter to execute it; whoever asks sets `site`.
struct record *trans_call_record(struct trans *t);
// If `cc` (of host flags) the interpreter executes this instruction again; its result goes on at
// `back` of what is returned, which the template sets when it has set its destination.
struct cold *trans_redo_if(struct trans *t, enum cond cc);
// The registers of a unit (enum la_enable bit of EUEN) are in host registers from here on, or the
// instruction raises.
void trans_need_unit(struct trans *t, u32 bit);

// Counting: la_count.c. All do nothing where instructions are not counted. Before the current
// instruction is emitted, and when there are no more:
bool trans_begins_stretch(const struct trans *t);
void trans_begin_stretch(struct trans *t);
void trans_end_stretch(struct trans *t);
// Instructions of the stretch from the one at `offset` on, which were counted when it began. Only
// behind the block.
unsigned trans_n_ahead(const struct trans *t, u32 offset);
// So many that were counted are not executed; or are, after all. Flags are lost.
void trans_give_back(struct trans *t, unsigned n);
void trans_take_again(struct trans *t, unsigned n);

// Loops: la_loop.c. Chooses, after decoding, where the block ends and whether it is a loop.
void trans_find_loop(struct trans *t);
void trans_note_label(struct trans *t); // before each instruction
// Registers change places, or back: nothing if the block is no such loop. Flags, rax, rcx and rdx
// stay.
void trans_swap_in(struct trans *t);
void trans_swap_out(struct trans *t);
// Behind a jump within the loop: what follows is reached by branches alone.
void trans_go_on_behind_jump(struct trans *t);
// Lets the jump at `site` lead to the target, wherever that is.
void trans_goto_in_loop(struct trans *t, u8 *site, s32 target);
// la_branch.c: the block goes on where this call returns to.
bool trans_goes_on_behind(const struct trans *t, const struct la_insn *call);

// la_branch.c: with the registers back in their places.
void trans_goto_outside(struct trans *t, s32 target);

// Memory: la_memory.c. The operand for an access of the current instruction, rj + imm or rj + rk;
// emits the check if no group is open for it. The operand may be based on rax; else that is lost,
// rcx too, rdx stays the group's.
struct mem trans_access(struct trans *t);
// la_form.c: what the current access, or the group that begins with it, is checked against. The
// numbers are those of jit_options.access_form, where 0 lets the place of the access decide.
enum access_form { FORM_WAYS = 1, FORM_PAGES, FORM_SLOT };
enum access_form trans_access_form(struct trans *t);
