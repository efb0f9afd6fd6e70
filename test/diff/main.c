// SPDX-License-Identifier: Apache-2.0
// The interpreter and the translator against a user-mode emulator, instruction by instruction.
//
//     diff [-e EMULATOR] [-n COUNT] [-s SEED] [-m MISMATCHES] [NAME...]
//     diff -k      prints what is not compared, and why
//
// EMULATOR (or LH_QEMU_LOONGARCH64 in the environment) runs static LoongArch Linux programs. NAME
// is a class of isa/loongarch64.isa or the beginning of a mnemonic; none: every instruction that
// user mode has. Exits with 0 if all results are equal, 1 if not, 77 if there is no emulator.
//
// After each instruction both sides' results are compared, bit for bit; where they differ our side
// goes on with the emulator's, so that one fault is reported once. The translator has a processor
// of its own, which runs from one test's end to the next: what loads operands, the instruction and
// what logs it are translated together. An end is marked by an instruction that asks for the time.
#include "test/diff/program.h"
#include "test/diff/known.h"
#include "base/bug.h"
#include "cpu/loongarch64/rig.h"
#include "jit/defined_bits.h"
#include "jit/jit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_TESTS_PER_RUN = 20000 };

struct tally {
    u64 n_tests, n_wrong, n_trapped;
};

struct diff {
    const char *emulator;
    u64 count, seed, max_reports, n_reports, n_runs;
    u64 ops[LA_OP_SET_WORDS];
    struct tally tally[LA_N_OPS];
};

// Running the emulator ----------------------------------------------------------------------------

static int memory_file(const char *name)
{
    int fd = memfd_create(name, 0);
    if (fd < 0) {
        perror("memfd_create");
        exit(1);
    }
    return fd;
}

// The emulator's exit status for the program, its output in out_fd.
static int run_emulator(const struct diff *d, const struct diff_program *p, int out_fd)
{
    int elf_fd = memory_file("program");
    int e = diff_program_write_elf(p, elf_fd);
    if (e || fchmod(elf_fd, 0700)) {
        fprintf(stderr, "cannot write the program: %s\n", strerror(e ? -e : errno));
        exit(1);
    }
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), elf_fd);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(1);
    }
    if (pid == 0) {
        dup2(out_fd, 1);
        execl(d->emulator, d->emulator, "-cpu", "max", path, (char *)NULL);
        perror(d->emulator);
        _exit(127);
    }
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(elf_fd);
    return status;
}

static bool emulator_survives(const struct diff *d, u64 seed, size_t n_tests)
{
    struct diff_program p;
    diff_program_make(&p, seed, n_tests, d->ops);
    int out_fd = memory_file("output");
    int status = run_emulator(d, &p, out_fd);
    close(out_fd);
    diff_program_free(&p);
    return status == 0;
}

static void print_insn(u32 word, u64 pc)
{
    char text[100];
    la_disassemble(word, pc, text, sizeof(text));
    printf("%#llx: %08x  %s\n", (unsigned long long)pc, word, text);
}

// Finds the test whose instruction the emulator does not survive, and names it.
static void report_death(const struct diff *d, u64 seed, size_t n_tests, int status)
{
    size_t good = 0, bad = n_tests;
    while (bad - good > 1) {
        size_t middle = (good + bad) / 2;
        if (emulator_survives(d, seed, middle))
            good = middle;
        else
            bad = middle;
    }
    struct diff_program p;
    diff_program_make(&p, seed, bad, d->ops);
    printf("the emulator ended with status %#x in\n    ", (unsigned)status);
    print_insn(diff_test_at(&p, bad - 1)->word, diff_test_at(&p, bad - 1)->pc);
    diff_program_free(&p);
}

// Comparing ---------------------------------------------------------------------------------------

// What an instruction may read.
struct diff_state {
    u64 gpr[32];
    union la_vreg vr[32];
    u8 fcc[8];
    u32 fcsr;
};

static void print_vector(const union la_vreg *v)
{
    printf("%016llx_%016llx_%016llx_%016llx", (unsigned long long)v->d[3],
           (unsigned long long)v->d[2], (unsigned long long)v->d[1], (unsigned long long)v->d[0]);
}

static void print_operand(const struct diff_state *c, unsigned file, unsigned n)
{
    switch (file) {
    case LA_FILE_GPR: printf("    r%u  = %016llx\n", n, (unsigned long long)c->gpr[n]); break;
    case LA_FILE_FPR: printf("    f%u  = %016llx\n", n, (unsigned long long)c->vr[n].d[0]); break;
    case LA_FILE_FCC: printf("    fcc%u = %u\n", n, c->fcc[n]); break;
    case LA_FILE_VR:
    case LA_FILE_XR:
        printf("    x%u  = ", n);
        print_vector(&c->vr[n]);
        printf("\n");
        break;
    default: break;
    }
}

static void print_operands(const struct diff_state *c, u32 word)
{
    struct la_insn i;
    la_decode(word, &i);
    const struct la_op_info *info = &la_op_info[i.op];
    const u8 regs[LA_N_SLOTS] = {i.rd, i.rj, i.rk, i.ra};
    for (unsigned slot = 0; slot < LA_N_SLOTS; slot++)
        if (info->reads >> slot & 1)
            print_operand(c, info->file[slot], regs[slot]);
    if (info->flags & LA_F_FPX)
        printf("    fcsr = %08x\n", c->fcsr);
}

static void print_item(const char *whose, const struct diff_item *i, const u8 *log)
{
    static const char *const kind[] = {"r", "x", "x", "fcc", "fcsr", "memory "};
    printf("  %-11s %s", whose, kind[i->kind]);
    if (i->kind == DIFF_MEMORY)
        printf("%#llx", (unsigned long long)i->va);
    else
        printf("%u", i->reg);
    printf(" = ");
    union la_vreg v;
    memset(&v, 0, sizeof(v));
    memcpy(&v, log + i->at, diff_item_size(i));
    if (diff_item_size(i) == 32)
        print_vector(&v);
    else
        printf("%016llx", (unsigned long long)v.d[0]);
    printf("\n");
}

// The interpreter goes on with what the emulator had.
static void adopt(struct rig *rig, const struct diff_item *i, const u8 *log)
{
    struct la_cpu *c = rig->c;
    switch (i->kind) {
    case DIFF_GPR: c->gpr[i->reg] = load_le(log + i->at, 8); break;
    case DIFF_VECTOR:
    case DIFF_LOW: memcpy(&c->vr[i->reg], log + i->at, 32); break;
    case DIFF_FLAG: c->fcc[i->reg] = log[i->at]; break;
    // Exceptions that a test enabled are disabled by what follows it.
    case DIFF_FCSR: c->fcsr = ((u32)load_le(log + i->at, 4) & ~0x1fu) | (c->fcsr & 0x1f); break;
    default: rig_write64(rig, i->va, load_le(log + i->at, 8)); break;
    }
}

// One of our processors.
struct comparison {
    const char *name;
    struct diff *d;
    const struct diff_program *p;
    struct rig rig;
    struct jit *jit;      // NULL: the interpreter
    bool has_loose_cause; // of FCSR: jit_options.exact_cause
    u8 *memory;           // scratch, and the log behind it
    const u8 *ours;       // log that it writes
    const u8 *theirs;     // log of the emulator
};

// What translated code goes through by turns.
static const struct jit_options jit_ways[] = {
    {0},
    {.exact_cause = true},
    {.one_insn = true, .exact_cause = true},
    {.no_slots = true},
    {.no_evex = true, .exact_cause = true},
    {.no_avx = true, .exact_cause = true},
    {.no_chain = true},
};

// Bytes of an item that are compared. Above a scalar result translated code leaves what is no
// result of anything.
static unsigned n_defined(const struct comparison *k, const struct diff_test *t,
                          const struct diff_item *i)
{
    struct la_insn insn;
    la_decode(t->word, &insn);
    unsigned bytes = defined_bits_of_result(insn.op) / 8;
    if (i->kind == DIFF_FCSR && k->has_loose_cause)
        return 3; // all but Cause
    return k->jit && i->kind == DIFF_VECTOR && bytes ? bytes : diff_item_defined(i);
}

static bool item_differs(const struct comparison *k, const struct diff_test *t,
                         const struct diff_item *i)
{
    return memcmp(k->ours + i->at, k->theirs + i->at, n_defined(k, t, i)) != 0;
}

static void report(struct comparison *k, const struct diff_test *t, const struct diff_state *before,
                   int exception, bool differs)
{
    struct diff *d = k->d;
    struct la_insn i;
    la_decode(t->word, &i);
    d->tally[i.op].n_wrong++;
    if (d->n_reports++ >= d->max_reports)
        return;
    print_insn(t->word, t->pc);
    print_operands(before, t->word);
    if (exception >= 0)
        printf("  %-11s raised exception %#x\n", k->name, (unsigned)exception);
    for (unsigned n = 0; differs && n < t->n_items; n++) {
        const struct diff_item *item = diff_item_at(k->p, t->first_item + n);
        if (!item_differs(k, t, item))
            continue;
        print_item(k->name, item, k->ours);
        print_item("emulator", item, k->theirs);
    }
}

static void run_until(struct rig *rig, u64 pc)
{
    while (rig->c->pc != pc) {
        BUG_ON(rig->c->pc == RIG_ENTRY);
        rig_step(rig);
    }
}

// What the program's signal handler does. False if user mode gets no such signal.
static bool deliver(struct rig *rig, int exception)
{
    for (unsigned n = 0; n < DIFF_N_SIGNALS; n++)
        if ((int)diff_signals[n].exception == exception) {
            rig->c->gpr[DIFF_REG_SIGNAL] = diff_signals[n].number;
            return true;
        }
    return false;
}

static int exception_of(const struct la_cpu *c)
{
    u64 estat = c->csr[CSR_ESTAT];
    return (int)(bits_get(estat, 21, 16) | bits_get(estat, 30, 22) << 6);
}

// The exception that the instruction raises without leave, or -1; the PC is behind it in any case.
static int run_test(struct rig *rig, const struct diff_test *t)
{
    rig_step(rig);
    if (rig->c->pc != RIG_ENTRY)
        return -1;
    int exception = exception_of(rig->c);
    rig->c->pc = t->pc + 4;
    return t->may_trap && deliver(rig, exception) ? -1 : exception;
}

// Up to the mark behind the test, or behind the one where exceptions lead.
static void run_to_mark(struct la_cpu *c)
{
    BUG_ON(cpu_run(&c->cpu, 1 << 20) != CPU_EXIT_STOP);
}

// As run_test, with all instructions since the last mark.
static int run_translated(struct rig *rig, const struct diff_test *t)
{
    struct la_cpu *c = rig->c;
    int not_allowed = -1;
    run_to_mark(c);
    if (c->pc == RIG_ENTRY + 4) {
        int exception = exception_of(c);
        bool is_here = c->csr[CSR_ERA] == t->pc;
        not_allowed = is_here && t->may_trap && deliver(rig, exception) ? -1 : exception;
        c->pc = is_here ? t->pc + 4 : c->csr[CSR_ERA] + 4;
        run_to_mark(c);
    }
    BUG_ON(c->pc != t->end_pc + 4);
    return not_allowed;
}

// What was run has the results that the emulator had, from then on.
static void compare_results(struct comparison *k, const struct diff_test *t,
                            const struct diff_state *before, int exception)
{
    const struct diff_item *first = diff_item_at(k->p, t->first_item);
    bool differs = false;
    for (unsigned m = 0; m < t->n_items; m++)
        differs |= item_differs(k, t, diff_item_at(k->p, t->first_item + m));
    struct la_insn i;
    la_decode(t->word, &i);
    k->d->tally[i.op].n_tests++;
    k->d->tally[i.op].n_trapped += t->may_trap && load_le(k->theirs + first->at, 8) != 0;
    if (differs || exception >= 0)
        report(k, t, before, exception, differs);
    for (unsigned m = 0; m < t->n_items; m++) {
        const struct diff_item *item = diff_item_at(k->p, t->first_item + m);
        if (differs || exception >= 0 || n_defined(k, t, item) < diff_item_size(item))
            adopt(&k->rig, item, k->theirs);
    }
}

// One test and the instructions that log it; leaves what it may have read.
static void compare_interpreted(struct comparison *k, const struct diff_test *t,
                                struct diff_state *before)
{
    struct la_cpu *c = k->rig.c;
    run_until(&k->rig, t->pc);
    memcpy(before->gpr, c->gpr, sizeof(before->gpr));
    memcpy(before->vr, c->vr, sizeof(before->vr));
    memcpy(before->fcc, c->fcc, sizeof(before->fcc));
    before->fcsr = c->fcsr;
    int exception = run_test(&k->rig, t);
    run_until(&k->rig, t->end_pc);
    compare_results(k, t, before, exception);
}

// Adds RAM with these contents; its host address.
static u8 *place(struct rig *rig, u64 base, const void *data, u64 data_size, u64 size)
{
    struct err e = {0};
    if (!mem_add_ram(&rig->mem, base, align_up(size, 0x10000), "program", &e))
        bug(__FILE__, __LINE__, e.text);
    u8 *host = rig->mem.ram[rig->mem.n_ram - 1].host;
    memcpy(host, data, data_size);
    return host;
}

static void begin(struct comparison *k, struct diff *d, const struct diff_program *p,
                  const u8 *output)
{
    rig_init(&k->rig, "max");
    place(&k->rig, DIFF_CODE_VA, p->code.data, p->code.size, p->code.size);
    place(&k->rig, DIFF_POOL_VA, p->pool.data, p->pool.size, p->pool.size);
    k->memory = place(&k->rig, DIFF_SCRATCH_VA, p->scratch, DIFF_SCRATCH_SIZE,
                      DIFF_SCRATCH_SIZE + p->log_size);
    k->rig.c->pc = p->begin_pc;
    k->d = d;
    k->p = p;
    k->ours = k->memory + DIFF_SCRATCH_SIZE;
    k->theirs = output + DIFF_SCRATCH_SIZE;
}

static u64 ask_to_stop(void *opaque)
{
    struct comparison *k = opaque;
    atomic_fetch_or(&k->rig.c->cpu.requests, CPU_REQ_STOP);
    return 0;
}

static void begin_translated(struct comparison *k)
{
    struct err e = {0};
    k->rig.clock = (struct clock){.now = ask_to_stop, .opaque = k};
    rig_program_at(&k->rig, RIG_ENTRY, "rdtimel.w $zero, $zero");
    const struct jit_options *way = &jit_ways[k->d->n_runs % ARRAY_LEN(jit_ways)];
    k->has_loose_cause = !way->exact_cause;
    k->jit = jit_new(&k->rig.mem, NULL, way, &e);
    BUG_ON(!k->jit);
    jit_add_cpu(k->jit, k->rig.c);
}

static void end(struct comparison *k)
{
    if (memcmp(k->memory, k->theirs - DIFF_SCRATCH_SIZE, DIFF_SCRATCH_SIZE) != 0) {
        printf("%s: scratch memory differs where no test looked\n", k->name);
        k->d->tally[LA_INVALID].n_wrong++;
    }
    jit_free(k->jit);
    rig_free(&k->rig);
}

static void compare(struct diff *d, const struct diff_program *p, const u8 *output)
{
    struct comparison interpreter = {.name = "interpreter"}, translator = {.name = "translator"};
    struct diff_state before;
    struct err e = {0};
    const bool translates = jit_is_possible(&e);
    begin(&interpreter, d, p, output);
    if (translates) {
        begin(&translator, d, p, output);
        begin_translated(&translator);
    }
    for (size_t n = 0; n < diff_n_tests(p); n++) {
        const struct diff_test *t = diff_test_at(p, n);
        compare_interpreted(&interpreter, t, &before);
        if (translates)
            compare_results(&translator, t, &before, run_translated(&translator.rig, t));
    }
    end(&interpreter);
    if (translates)
        end(&translator);
    d->n_runs++;
}

static bool run_once(struct diff *d, u64 seed, size_t n_tests)
{
    struct diff_program p;
    diff_program_make(&p, seed, n_tests, d->ops);
    int out_fd = memory_file("output");
    int status = run_emulator(d, &p, out_fd);
    size_t size = DIFF_SCRATCH_SIZE + p.log_size;
    bool ok = status == 0 && lseek(out_fd, 0, SEEK_END) == (off_t)size;
    if (ok) {
        u8 *output = mmap(NULL, size, PROT_READ, MAP_PRIVATE, out_fd, 0);
        BUG_ON(output == MAP_FAILED);
        compare(d, &p, output);
        munmap(output, size);
    } else {
        report_death(d, seed, n_tests, status);
    }
    close(out_fd);
    diff_program_free(&p);
    return ok;
}

// Command line and summary ------------------------------------------------------------------------

static const char *const class_names[] = {
    [LA_CLASS_INT] = "int",       [LA_CLASS_SHIFT] = "shift",     [LA_CLASS_BIT] = "bit",
    [LA_CLASS_CRC] = "crc",       [LA_CLASS_BRANCH] = "branch",   [LA_CLASS_MEM] = "mem",
    [LA_CLASS_BOUND] = "bound",   [LA_CLASS_ATOMIC] = "atomic",   [LA_CLASS_BARRIER] = "barrier",
    [LA_CLASS_MISC] = "misc",     [LA_CLASS_CSR] = "csr",         [LA_CLASS_IOCSR] = "iocsr",
    [LA_CLASS_TLB] = "tlb",       [LA_CLASS_SYS] = "sys",         [LA_CLASS_FARITH] = "farith",
    [LA_CLASS_FCMP] = "fcmp",     [LA_CLASS_FCONV] = "fconv",     [LA_CLASS_FMOVE] = "fmove",
    [LA_CLASS_FMEM] = "fmem",     [LA_CLASS_VINT] = "vint",       [LA_CLASS_VWIDE] = "vwide",
    [LA_CLASS_VMUL] = "vmul",     [LA_CLASS_VDIV] = "vdiv",       [LA_CLASS_VLOGIC] = "vlogic",
    [LA_CLASS_VSHIFT] = "vshift", [LA_CLASS_VNARROW] = "vnarrow", [LA_CLASS_VBIT] = "vbit",
    [LA_CLASS_VCMP] = "vcmp",     [LA_CLASS_VSET] = "vset",       [LA_CLASS_VFARITH] = "vfarith",
    [LA_CLASS_VFCMP] = "vfcmp",   [LA_CLASS_VFCONV] = "vfconv",   [LA_CLASS_VMOVE] = "vmove",
    [LA_CLASS_VPERM] = "vperm",   [LA_CLASS_VMEM] = "vmem",       [LA_CLASS_LBT] = "lbt",
};

static bool matches(unsigned op, const char *name)
{
    const char *class = class_names[la_op_info[op].class];
    return strcmp(class, name) == 0 || strncmp(la_op_info[op].mnemonic, name, strlen(name)) == 0;
}

static void select_ops(struct diff *d, char **names, int n_names)
{
    unsigned n_selected = 0;
    for (unsigned op = LA_INVALID + 1; op < LA_N_OPS; op++) {
        bool wanted = n_names == 0;
        for (int n = 0; n < n_names; n++)
            wanted |= matches(op, names[n]);
        if (wanted && !known_left_out(op)) {
            la_op_set_add(d->ops, op);
            n_selected++;
        }
    }
    if (!n_selected) {
        fprintf(stderr, "no such instructions\n");
        exit(1);
    }
}

static void add(struct tally *sum, const struct tally *t)
{
    sum->n_tests += t->n_tests;
    sum->n_wrong += t->n_wrong;
    sum->n_trapped += t->n_trapped;
}

static u64 summarize(const struct diff *d)
{
    struct tally by_class[ARRAY_LEN(class_names)] = {0}, all = d->tally[LA_INVALID];
    unsigned n_ops[ARRAY_LEN(class_names)] = {0};
    for (unsigned op = LA_INVALID + 1; op < LA_N_OPS; op++) {
        add(&by_class[la_op_info[op].class], &d->tally[op]);
        add(&all, &d->tally[op]);
        n_ops[la_op_info[op].class] += d->tally[op].n_tests != 0;
        if (d->tally[op].n_wrong)
            printf("%-16s %llu of %llu differ\n", la_op_info[op].mnemonic,
                   (unsigned long long)d->tally[op].n_wrong,
                   (unsigned long long)d->tally[op].n_tests);
    }
    printf("%-10s %12s %10s %10s %10s\n", "class", "instructions", "tests", "differ", "traps");
    for (unsigned n = 0; n < ARRAY_LEN(class_names); n++)
        if (by_class[n].n_tests)
            printf("%-10s %12u %10llu %10llu %10llu\n", class_names[n], n_ops[n],
                   (unsigned long long)by_class[n].n_tests, (unsigned long long)by_class[n].n_wrong,
                   (unsigned long long)by_class[n].n_trapped);
    printf("seed %llu: %llu tests, %llu differ, %llu exceptions\n", (unsigned long long)d->seed,
           (unsigned long long)all.n_tests, (unsigned long long)all.n_wrong,
           (unsigned long long)all.n_trapped);
    return all.n_wrong;
}

static void print_known(void)
{
    for (unsigned op = LA_INVALID + 1; op < LA_N_OPS; op++)
        if (known_left_out(op))
            printf("%-16s %s\n", la_op_info[op].mnemonic, known_left_out(op));
    for (unsigned n = 0; known_differences[n]; n++)
        printf("%s\n", known_differences[n]);
}

static void parse(struct diff *d, int argc, char **argv)
{
    int o;
    while ((o = getopt(argc, argv, "e:n:s:m:k")) != -1) {
        switch (o) {
        case 'e': d->emulator = optarg; break;
        case 'n': d->count = strtoull(optarg, NULL, 0); break;
        case 's': d->seed = strtoull(optarg, NULL, 0); break;
        case 'm': d->max_reports = strtoull(optarg, NULL, 0); break;
        case 'k': print_known(); exit(0);
        default: exit(2);
        }
    }
    select_ops(d, argv + optind, argc - optind);
}

int main(int argc, char **argv)
{
    struct diff d = {.count = 100000, .seed = 1, .max_reports = 20};
    d.emulator = getenv("LH_QEMU_LOONGARCH64");
    parse(&d, argc, argv);
    if (!d.emulator || access(d.emulator, X_OK)) {
        fprintf(stderr, "skipped: no user-mode emulator; name one in LH_QEMU_LOONGARCH64\n");
        return 77;
    }
    bool ok = true;
    for (u64 n = 0; n < d.count && ok; n += N_TESTS_PER_RUN) {
        u64 rest = d.count - n;
        ok = run_once(&d, d.seed + n, rest < N_TESTS_PER_RUN ? rest : N_TESTS_PER_RUN);
    }
    return summarize(&d) || !ok;
}
