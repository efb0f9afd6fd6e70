// SPDX-License-Identifier: Apache-2.0
// Floating-point and vector instructions, translated, against the interpreter: random words of
// every instruction that has a template, with operands from the borders, one by one and in
// sequences.
#include "jit/x86_64/la_vec.h"
#include "cpu/loongarch64/rig.h"
#include "base/test.h"
#include "fp/fp_pool.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

// Where memory instructions go: within one page, and at the end of one.
#define WINDOW      0x100000
#define WINDOW_SIZE 8192
#define N_SEQUENCE  24

// Registers that hold addresses: base and index, pinned and not.
enum { BASE0 = 4, BASE1 = 20, INDEX0 = 5, INDEX1 = 21 };

struct bench {
    struct rig rig;
    struct jit *jit;
    struct fp_random random;
};

struct outcome {
    u64 gpr[32];
    union la_vreg vr[32];
    u8 fcc[8];
    u32 fcsr;
    u64 pc, era, ecode, euen;
    u8 memory[WINDOW_SIZE];
};

// Programs end with a write of IOCSR.
static void stop(void *opaque, unsigned core, u32 address, u64 value, unsigned size)
{
    struct bench *b = opaque;
    atomic_fetch_or(&b->rig.c->cpu.requests, CPU_REQ_STOP);
}

static void bench_init(struct bench *b, const struct jit_options *options)
{
    struct err e = {0};
    rig_init(&b->rig, "max");
    b->rig.bus.iocsr_write = stop;
    b->rig.bus.opaque = b;
    b->random.state = 1;
    b->jit = jit_new(&b->rig.mem, NULL, options, &e);
    CHECK(b->jit);
    jit_add_cpu(b->jit, b->rig.c);
    rig_program_at(&b->rig, RIG_ENTRY, "iocsrwr.w $r0, $r0");
}

static void bench_free(struct bench *b)
{
    jit_free(b->jit);
    rig_free(&b->rig);
}

static u64 bits_of(struct bench *b)
{
    return fp_random_bits(&b->random);
}

// A lane of integers of `bits`: near the bounds, small, or anything.
static u64 random_integer(struct bench *b, unsigned bits)
{
    u64 r = bits_of(b), near = r >> 8 & 3;
    switch (r & 7) {
    case 0: return near - 1;
    case 1: return BIT(bits - 1) - 2 + near;
    case 2: return r >> 16 & 63;
    case 3: return 0 - (r >> 16 & 63);
    case 4: return BIT(bits / 2) - 2 + near;
    case 5: return 0;
    default: return r >> 13;
    }
}

static union la_vreg random_vector(struct bench *b)
{
    union la_vreg v;
    unsigned kind = bits_of(b) % 8;
    for (unsigned n = 0; n < 4; n++) {
        if (kind < 2)
            v.d[n] = fp_random64(&b->random);
        else if (kind < 4)
            v.d[n] = (u64)fp_random32(&b->random) << 32 | fp_random32(&b->random);
        else
            v.d[n] = 0;
    }
    unsigned bits = 8u << (kind & 3);
    for (unsigned n = 0; kind >= 4 && n < 256 / bits; n++)
        v.d[n * bits / 64] |= (random_integer(b, bits) & BITS(bits - 1, 0)) << n * bits % 64;
    return v;
}

static void randomize(struct bench *b, struct outcome *s, bool traps)
{
    for (unsigned n = 1; n < 32; n++)
        s->gpr[n] = random_integer(b, bits_of(b) & 1 ? 64 : 32);
    s->gpr[0] = 0;
    for (unsigned n = 0; n < 32; n++)
        s->vr[n] = n > 1 && bits_of(b) % 8 == 0 ? s->vr[bits_of(b) % n] : random_vector(b);
    s->gpr[BASE0] = WINDOW + WINDOW_SIZE / 2 - 64 + (bits_of(b) & 127);
    s->gpr[BASE1] = WINDOW + WINDOW_SIZE / 2 + (bits_of(b) & 0xff);
    s->gpr[INDEX0] = bits_of(b) & 0xff;
    s->gpr[INDEX1] = (bits_of(b) & 0xff) * 8;
    for (unsigned n = 0; n < 8; n++)
        s->fcc[n] = bits_of(b) & 1;
    s->fcsr = bits_of(b) & 0x1f1f0300;
    if (traps)
        s->fcsr |= bits_of(b) & 0x1f;
    s->pc = RIG_CODE;
    s->euen = EUEN_FPE | EUEN_SXE | EUEN_ASXE;
    for (unsigned n = 0; n < WINDOW_SIZE; n += 32) {
        union la_vreg v = random_vector(b);
        memcpy(s->memory + n, &v, 32);
    }
}

static u8 *window(struct bench *b)
{
    return mem_ram_page(&b->rig.mem, WINDOW, WINDOW_SIZE, false);
}

static void set_state(struct bench *b, const struct outcome *s)
{
    struct la_cpu *c = b->rig.c;
    memcpy(c->gpr, s->gpr, sizeof(s->gpr));
    memcpy(c->vr, s->vr, sizeof(s->vr));
    memcpy(c->fcc, s->fcc, sizeof(s->fcc));
    memcpy(window(b), s->memory, WINDOW_SIZE);
    c->fcsr = s->fcsr;
    c->pc = s->pc;
    // Exceptions change these.
    la_csr_write(c, CSR_CRMD, CRMD_DA, ~0ULL);
    c->csr[CSR_ERA] = c->csr[CSR_ESTAT] = 0;
    la_csr_write(c, CSR_EUEN, s->euen, ~0ULL);
}

static void get_state(struct bench *b, struct outcome *s)
{
    const struct la_cpu *c = b->rig.c;
    memcpy(s->gpr, c->gpr, sizeof(s->gpr));
    memcpy(s->vr, c->vr, sizeof(s->vr));
    memcpy(s->fcc, c->fcc, sizeof(s->fcc));
    memcpy(s->memory, window(b), WINDOW_SIZE);
    s->fcsr = c->fcsr;
    s->pc = c->pc;
    s->era = c->csr[CSR_ERA];
    s->ecode = c->csr[CSR_ESTAT] >> 16;
}

// What a register file's operand of an instruction is wide: its suffixes are result and source.
static unsigned suffix_bits(const char *suffix)
{
    return suffix && (suffix[1] == 's' || suffix[1] == 'w') ? 32 : 64;
}

static unsigned width_of(unsigned op, unsigned slot)
{
    const struct la_op_info *o = &la_op_info[op];
    bool is_result = o->writes >> slot & 1 && !o->store_size;
    if (o->file[slot] == LA_FILE_XR)
        return 256;
    if (o->file[slot] == LA_FILE_VR)
        return 128;
    switch (op) {
    case LA_FSEL:
    case LA_MOVCF2FR: return 64;
    case LA_MOVGR2FRH_W: return is_result ? 64 : 32;
    case LA_MOVFRH2GR_S: return 64;
    case LA_FCLASS_D: return is_result ? 32 : 64;
    default: return suffix_bits(is_result ? strchr(o->mnemonic, '.') : strrchr(o->mnemonic, '.'));
    }
}

static unsigned register_of(u32 word, unsigned slot)
{
    return word >> 5 * slot & 31;
}

static bool is_vector(unsigned op, unsigned slot)
{
    unsigned file = la_op_info[op].file[slot];
    return file == LA_FILE_FPR || file == LA_FILE_VR || file == LA_FILE_XR;
}

// Whether all sources are defined as far as the instruction reads them; if so, what it defines.
static bool flow(u32 word, unsigned op, unsigned valid[32])
{
    const struct la_op_info *o = &la_op_info[op];
    for (unsigned s = 0; s < ARRAY_LEN(o->file); s++)
        if (is_vector(op, s) && o->reads >> s & 1 && valid[register_of(word, s)] < width_of(op, s))
            return false;
    if (o->writes & 1 && is_vector(op, LA_SLOT_D))
        valid[word & 31] = width_of(op, LA_SLOT_D);
    // Selected and copied bits are as defined as their source's.
    return true;
}

static bool is_used_for_addresses(unsigned r)
{
    return r == BASE0 || r == BASE1 || r == INDEX0 || r == INDEX1;
}

// A word of `op` that fits into the program so far.
static u32 random_word(struct bench *b, unsigned op, unsigned valid[32])
{
    const struct la_op_info *o = &la_op_info[op];
    for (;;) {
        u32 word = la_random_word(&b->random.state, (enum la_op)op);
        if (o->load_size || o->store_size) {
            unsigned base = bits_of(b) & 1 ? BASE0 : BASE1,
                     index = bits_of(b) & 1 ? INDEX0 : INDEX1;
            word = (word & ~(31u << 5)) | base << 5;
            if (o->file[LA_SLOT_K] == LA_FILE_GPR)
                word = (word & ~(31u << 10)) | index << 10;
        }
        bool sets_gpr = o->writes & 1 && o->file[LA_SLOT_D] == LA_FILE_GPR;
        if (sets_gpr && is_used_for_addresses(word & 31))
            continue;
        unsigned before[32];
        memcpy(before, valid, sizeof(before));
        if (flow(word, op, valid))
            return word;
        memcpy(valid, before, sizeof(before));
    }
}

static bool same_vector(const union la_vreg *a, const union la_vreg *b, unsigned bits)
{
    return !memcmp(a, b, bits / 8);
}

// Cause may hold exceptions of earlier instructions.
static bool same(const struct outcome *a, const struct outcome *b, const unsigned valid[32])
{
    bool ok = !memcmp(a->gpr, b->gpr, sizeof(a->gpr)) && !memcmp(a->fcc, b->fcc, sizeof(a->fcc)) &&
              !memcmp(a->memory, b->memory, sizeof(a->memory)) && a->pc == b->pc &&
              a->era == b->era && a->ecode == b->ecode && !((a->fcsr ^ b->fcsr) & 0xffffff);
    for (unsigned n = 0; n < 32; n++)
        ok &= same_vector(&a->vr[n], &b->vr[n], valid[n]);
    return ok;
}

static bool is_operand(u32 word, unsigned r)
{
    return (word & 31) == r || (word >> 5 & 31) == r || (word >> 10 & 31) == r ||
           (word >> 15 & 31) == r;
}

static void explain(const struct bench *b, const u32 *words, unsigned n_words,
                    const struct outcome *start, const struct outcome *want,
                    const struct outcome *got, const unsigned valid[32])
{
    for (unsigned n = 0; n < n_words; n++) {
        char text[96];
        la_disassemble(words[n], 0, text, sizeof(text));
        printf("# %08x %s\n", words[n], text);
    }
    printf("# era want %llx got %llx; exception want %llx got %llx\n",
           (unsigned long long)want->era, (unsigned long long)got->era,
           (unsigned long long)want->ecode, (unsigned long long)got->ecode);
    printf("# fcsr %08x: want %08x got %08x; pc want %llx got %llx\n", start->fcsr, want->fcsr,
           got->fcsr, (unsigned long long)want->pc, (unsigned long long)got->pc);
    for (unsigned n = 0; n < 32; n++)
        if (want->gpr[n] != got->gpr[n])
            printf("# r%u %llx: want %llx got %llx\n", n, (unsigned long long)start->gpr[n],
                   (unsigned long long)want->gpr[n], (unsigned long long)got->gpr[n]);
    for (unsigned n = 0; n < WINDOW_SIZE; n++)
        if (want->memory[n] != got->memory[n])
            printf("# byte %x: want %02x got %02x\n", WINDOW + n, want->memory[n], got->memory[n]);
    for (unsigned n = 0; n < 8; n++)
        if (want->fcc[n] != got->fcc[n])
            printf("# fcc%u: want %u got %u\n", n, want->fcc[n], got->fcc[n]);
    for (unsigned n = 0; n < 32; n++) {
        bool differs = !same_vector(&want->vr[n], &got->vr[n], valid[n]);
        for (unsigned d = 0; d < 4; d++)
            if (differs || (n_words == 1 && d < 2 && is_operand(words[0], n)))
                printf("# %s vr%u[%u] %016llx: want %016llx got %016llx\n", differs ? "!" : " ", n,
                       d, (unsigned long long)start->vr[n].d[d],
                       (unsigned long long)want->vr[n].d[d], (unsigned long long)got->vr[n].d[d]);
    }
}

static void write_program(struct bench *b, const u32 *words, unsigned n_words)
{
    for (unsigned n = 0; n < n_words; n++)
        mem_write(&b->rig.mem, RIG_CODE + 4 * n, words[n], 4);
    rig_program_at(&b->rig, RIG_CODE + 4 * n_words, "iocsrwr.w $r0, $r0");
    mem_written(&b->rig.mem, RIG_CODE, 4 * n_words + 4);
}

// How states may be: with exceptions enabled in FCSR, or units off.
enum { WITH_TRAPS = 1, WITHOUT_UNITS = 2, WITH_CAUSE = 4 };

// From one state by the interpreter and translated. False: they differ. `narrow`: what is defined
// wherever an exception ends it.
static bool run_both(struct bench *b, const u32 *words, unsigned n_words, const unsigned valid[32],
                     const unsigned narrow[32], unsigned how)
{
    static struct outcome start, want, got;
    struct cpu *cpu = &b->rig.c->cpu;
    randomize(b, &start, how & WITH_TRAPS);
    if (how & WITHOUT_UNITS)
        start.euen = bits_of(b) & 7;
    set_state(b, &start);
    CHECK_EQ(la_interp_run(cpu, 1000), CPU_EXIT_STOP);
    get_state(b, &want);
    set_state(b, &start);
    // The interpreter's loop takes every request for its own.
    cpu->requests |= CPU_REQ_CODE;
    CHECK_EQ(cpu_run(cpu, 1 << 20), CPU_EXIT_STOP);
    get_state(b, &got);
    if (want.pc != RIG_CODE + 4 * n_words + 4)
        valid = narrow;
    if (same(&want, &got, valid) && (want.fcsr == got.fcsr || !(how & WITH_CAUSE)))
        return true;
    explain(b, words, n_words, &start, &want, &got, valid);
    return false;
}

static bool has_vector_template(unsigned op)
{
    unsigned flags = la_templates[op].flags;
    return la_templates[op].emit && la_op_info[op].enable && !(flags & (T_BRANCH | T_ENDS));
}

static void all_valid(unsigned valid[32])
{
    for (unsigned n = 0; n < 32; n++)
        valid[n] = 256;
}

static void try_each(const struct jit_options *options)
{
    struct bench b;
    unsigned n_ops = 0;
    bench_init(&b, options);
    for (unsigned op = 1; op < LA_N_OPS; op++) {
        bool ok = true;
        if (!has_vector_template(op))
            continue;
        n_ops++;
        for (unsigned round = 0; ok && round < 24; round++) {
            unsigned valid[32];
            all_valid(valid);
            u32 word = random_word(&b, op, valid);
            write_program(&b, &word, 1);
            for (unsigned n = 0; ok && n < 8; n++)
                ok = run_both(&b, &word, 1, valid, valid, round % 8 == 7 ? WITH_TRAPS : 0);
        }
        if (!ok)
            CHECK_STR(la_op_info[op].mnemonic, "the same as interpreted");
    }
    printf("# %u instructions\n", n_ops);
    bench_free(&b);
}

// Cause is exact only where FCSR is read in the same block.
static bool fits_sequence(unsigned op)
{
    return has_vector_template(op) && op != LA_MOVFCSR2GR && op != LA_MOVGR2FCSR;
}

static void try_sequences(const struct jit_options *options, unsigned n_programs)
{
    struct bench b;
    u16 ops[LA_N_OPS];
    unsigned n_ops = 0;
    for (unsigned op = 1; op < LA_N_OPS; op++)
        if (fits_sequence(op))
            ops[n_ops++] = (u16)op;
    static const u8 how[8] = {[6] = WITHOUT_UNITS, [7] = WITH_TRAPS};
    bench_init(&b, options);
    for (unsigned program = 0; program < n_programs; program++) {
        u32 words[N_SEQUENCE];
        unsigned valid[32], narrow[32];
        all_valid(valid);
        all_valid(narrow);
        // Of a few instructions, so that results meet.
        unsigned some[6];
        for (unsigned n = 0; n < ARRAY_LEN(some); n++)
            some[n] = ops[bits_of(&b) % n_ops];
        for (unsigned n = 0; n < N_SEQUENCE; n++) {
            unsigned op = some[bits_of(&b) % ARRAY_LEN(some)];
            words[n] = random_word(&b, op, valid);
            for (unsigned r = 0; r < 32; r++)
                narrow[r] = valid[r] < narrow[r] ? valid[r] : narrow[r];
        }
        write_program(&b, words, N_SEQUENCE);
        for (unsigned n = 0; n < 4; n++)
            if (!run_both(&b, words, N_SEQUENCE, valid, narrow, how[program % 8])) {
                CHECK_STR("a sequence", "the same as interpreted");
                bench_free(&b);
                return;
            }
    }
    bench_free(&b);
}

TEST(every_template_agrees_with_the_interpreter)
{
    try_each(&(struct jit_options){0});
}

TEST(every_template_agrees_without_evex)
{
    try_each(&(struct jit_options){.no_evex = true});
}

TEST(every_template_agrees_without_avx)
{
    try_each(&(struct jit_options){.no_avx = true});
}

static u32 assemble(const char *format, ...) __attribute__((format(printf, 1, 2)));
static u32 assemble(const char *format, ...)
{
    char line[96];
    struct err e = {0};
    u32 word = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    CHECK(la_assemble(line, 0, &word, &e));
    return word;
}

static unsigned op_of(u32 word)
{
    struct la_insn i;
    la_decode(word, &i);
    return i.op;
}

static bool runs_the_same(struct bench *b, const u32 *words, unsigned n, unsigned how)
{
    unsigned valid[32];
    all_valid(valid);
    for (unsigned i = 0; i < n; i++)
        flow(words[i], op_of(words[i]), valid);
    return run_both(b, words, n, valid, valid, how);
}

static bool sets_flag(unsigned op)
{
    return has_vector_template(op) && la_op_info[op].file[LA_SLOT_D] == LA_FILE_FCC;
}

// A flag and the branch on it become one; a branch on another one does not.
TEST(branches_on_flags_agree)
{
    struct bench b;
    bench_init(&b, NULL);
    for (unsigned op = 1; op < LA_N_OPS; op++)
        for (unsigned n = 0; sets_flag(op) && n < 16; n++) {
            u32 word = la_random_word(&b.random.state, (enum la_op)op);
            unsigned flag = n % 4 == 3 ? 5 : word & 7;
            const char *branch = n & 1 ? "bcnez" : "bceqz";
            u32 words[] = {word, assemble("%s $fcc%u, 8", branch, flag),
                           assemble("addi.d $a3, $a3, 1"), assemble("%s $fcc%u, 8", branch, flag),
                           assemble("addi.d $a3, $a3, 2")};
            write_program(&b, words, ARRAY_LEN(words));
            for (unsigned k = 0; k < 4; k++)
                CHECK(runs_the_same(&b, words, ARRAY_LEN(words), 0));
        }
    bench_free(&b);
}

// A loop whose branch back tests a flag that has just been set.
TEST(branches_back_on_flags_agree)
{
    struct bench b;
    bench_init(&b, NULL);
    u32 words[] = {assemble("ori $a3, $zero, 100"),    assemble("movgr2fr.d $fa1, $zero"),
                   assemble("addi.d $a3, $a3, -1"),    assemble("movgr2fr.d $fa0, $a3"),
                   assemble("ffint.d.l $fa0, $fa0"),   assemble("fcmp.ceq.d $fcc2, $fa0, $fa1"),
                   assemble("bceqz $fcc2, -16"),       assemble("addi.d $a3, $a3, 7"),
                   assemble("vreplgr2vr.w $vr3, $a3"), assemble("addi.d $a3, $a3, -1"),
                   assemble("vseteqz.v $fcc1, $vr3"),  assemble("bceqz $fcc1, -12")};
    write_program(&b, words, ARRAY_LEN(words));
    for (unsigned k = 0; k < 4; k++)
        CHECK(runs_the_same(&b, words, ARRAY_LEN(words), 0));
    bench_free(&b);
}

// Cause is that of the instruction before FCSR is read, and Flags have those of all.
static void read_exceptions_after(struct bench *b, unsigned op, unsigned n)
{
    unsigned valid[32];
    all_valid(valid);
    valid[4] = 64;
    u32 words[] = {assemble("fdiv.d $fa4, $fa5, $fa6"),
                   assemble("addi.d $a6, $a6, 0"),
                   random_word(b, op, valid),
                   assemble("addi.d $a6, $a6, 0"),
                   assemble("movfcsr2gr $a3, $fcsr%u", n & 2),
                   assemble("movgr2fcsr $fcsr%u, $a3", n & 3)};
    write_program(b, words, ARRAY_LEN(words));
    for (unsigned k = 0; k < 4; k++)
        CHECK(run_both(b, words, ARRAY_LEN(words), valid, valid, WITH_CAUSE));
}

TEST(exceptions_are_read_exactly)
{
    struct bench b;
    bench_init(&b, NULL);
    for (unsigned op = 1; op < LA_N_OPS; op++)
        for (unsigned n = 0; has_vector_template(op) && la_op_info[op].flags & LA_F_FPX && n < 4;
             n++)
            read_exceptions_after(&b, op, n);
    bench_free(&b);
}

TEST(sequences_agree)
{
    try_sequences(&(struct jit_options){0}, 1500);
    try_sequences(&(struct jit_options){.no_slots = true}, 100);
    try_sequences(&(struct jit_options){.one_insn = true}, 100);
}

TEST(sequences_agree_without_evex)
{
    try_sequences(&(struct jit_options){.no_evex = true}, 1500);
}

TEST(sequences_agree_without_avx)
{
    try_sequences(&(struct jit_options){.no_avx = true}, 1500);
}

// The body of a loop, that works with the same bits defined in every round. False: try another one.
static bool fill_loop(struct bench *b, const u16 *ops, unsigned n_ops, u32 *words, unsigned n,
                      unsigned valid[32])
{
    unsigned some[6];
    for (unsigned k = 0; k < ARRAY_LEN(some); k++)
        some[k] = ops[bits_of(b) % n_ops];
    for (unsigned k = 0; k < n; k++)
        words[k] = random_word(b, some[bits_of(b) % ARRAY_LEN(some)], valid);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned k = 0; k < n; k++)
            if (!flow(words[k], op_of(words[k]), valid))
                return false;
    return true;
}

// Loops exchange registers. What is undefined at the end of a round may be defined within it.
static void try_loops(const struct jit_options *options, unsigned n_programs)
{
    static const u8 how[8] = {[3] = WITHOUT_UNITS, [6] = WITHOUT_UNITS, [7] = WITH_TRAPS};
    struct bench b;
    u16 ops[LA_N_OPS];
    unsigned n_ops = 0;
    for (unsigned op = 1; op < LA_N_OPS; op++)
        if (fits_sequence(op) &&
            !(la_op_info[op].writes & 1 && la_op_info[op].file[LA_SLOT_D] == LA_FILE_GPR))
            ops[n_ops++] = (u16)op;
    bench_init(&b, options);
    for (unsigned program = 0; program < n_programs;) {
        u32 words[N_SEQUENCE + 3];
        unsigned valid[32], narrow[32];
        all_valid(valid);
        if (!fill_loop(&b, ops, n_ops, words + 1, N_SEQUENCE, valid))
            continue;
        for (unsigned r = 0; r < 32; r++)
            narrow[r] = valid[r] < 32 ? valid[r] : 32;
        words[0] = assemble("ori $s1, $zero, 4");
        words[N_SEQUENCE + 1] = assemble("addi.d $s1, $s1, -1");
        words[N_SEQUENCE + 2] = assemble("bnez $s1, %d", -4 * (N_SEQUENCE + 1));
        write_program(&b, words, ARRAY_LEN(words));
        for (unsigned n = 0; n < 4; n++)
            if (!run_both(&b, words, ARRAY_LEN(words), valid, narrow, how[program % 8])) {
                CHECK_STR("a loop", "the same as interpreted");
                bench_free(&b);
                return;
            }
        program++;
    }
    bench_free(&b);
}

TEST(loops_agree)
{
    try_loops(&(struct jit_options){0}, 300);
    try_loops(&(struct jit_options){.no_evex = true}, 600);
    try_loops(&(struct jit_options){.no_avx = true}, 600);
}

// A flag that is written and branched on at once, in a block that has used no other floating point.
TEST(first_use_of_flags_agrees)
{
    static const char *const lines[] = {"vsetanyeqz.b $fcc0, $vr5", "bcnez $fcc0, 8",
                                        "addi.d $a6, $a6, 1",       "fcmp.cle.d $fcc1, $fa1, $fa2",
                                        "bceqz $fcc1, 8",           "addi.d $a7, $a7, 1"};
    struct bench b;
    u32 words[ARRAY_LEN(lines)];
    unsigned valid[32];
    struct err e = {0};
    bench_init(&b, &(struct jit_options){0});
    all_valid(valid);
    for (unsigned n = 0; n < ARRAY_LEN(lines); n++)
        CHECK(la_assemble(lines[n], 4 * n, &words[n], &e));
    write_program(&b, words, ARRAY_LEN(words));
    for (unsigned n = 0; n < 40; n++)
        CHECK(run_both(&b, words, ARRAY_LEN(words), valid, valid, false));
    bench_free(&b);
}
