// SPDX-License-Identifier: Apache-2.0
// The interpreter against a user-mode emulator, instruction by instruction.
//
//     diff [-e EMULATOR] [-n COUNT] [-s SEED] [-m MISMATCHES] [NAME...]
//     diff -k      prints what is not compared, and why
//
// EMULATOR (or LH_QEMU_LOONGARCH64 in the environment) runs static LoongArch Linux programs. NAME
// is a class of isa/loongarch64.isa or the beginning of a mnemonic; none: every instruction that
// user mode has. Exits with 0 if all results are equal, 1 if not, 77 if there is no emulator.
//
// After each instruction both sides' results are compared, bit for bit; where they differ the
// interpreter goes on with the emulator's, so that one fault is reported once.
#include "test/diff/program.h"
#include "test/diff/known.h"
#include "cpu/loongarch64/rig.h"

#include "base/bug.h"

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
    u64 count, seed, max_reports, n_reports;
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
    printf("  %-9s %s", whose, kind[i->kind]);
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
    case DIFF_FCSR: c->fcsr = (u32)load_le(log + i->at, 4); break;
    default: rig_write64(rig, i->va, load_le(log + i->at, 8)); break;
    }
}

struct comparison {
    struct diff *d;
    const struct diff_program *p;
    struct rig *rig;
    const u8 *ours;   // log that the interpreter writes
    const u8 *theirs; // log of the emulator
};

static bool item_differs(const struct comparison *k, const struct diff_item *i)
{
    return memcmp(k->ours + i->at, k->theirs + i->at, diff_item_defined(i)) != 0;
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
        printf("  ours      raised exception %#x\n", (unsigned)exception);
    for (unsigned n = 0; differs && n < t->n_items; n++) {
        const struct diff_item *item = diff_item_at(k->p, t->first_item + n);
        if (!item_differs(k, item))
            continue;
        print_item("ours", item, k->ours);
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

// The exception that the instruction raises without leave, or -1; the PC is behind it in any case.
static int run_test(struct rig *rig, const struct diff_test *t)
{
    rig_step(rig);
    if (rig->c->pc != RIG_ENTRY)
        return -1;
    u64 estat = rig->c->csr[CSR_ESTAT];
    int exception = (int)(bits_get(estat, 21, 16) | bits_get(estat, 30, 22) << 6);
    rig->c->pc = t->pc + 4;
    return t->may_trap && deliver(rig, exception) ? -1 : exception;
}

// One test and the instructions that log it.
static void compare_test(struct comparison *k, const struct diff_test *t)
{
    struct la_cpu *c = k->rig->c;
    run_until(k->rig, t->pc);
    struct diff_state before;
    memcpy(before.gpr, c->gpr, sizeof(before.gpr));
    memcpy(before.vr, c->vr, sizeof(before.vr));
    memcpy(before.fcc, c->fcc, sizeof(before.fcc));
    before.fcsr = c->fcsr;
    int exception = run_test(k->rig, t);
    run_until(k->rig, t->end_pc);

    const struct diff_item *first = diff_item_at(k->p, t->first_item);
    bool differs = false;
    for (unsigned m = 0; m < t->n_items; m++)
        differs |= item_differs(k, diff_item_at(k->p, t->first_item + m));
    struct la_insn i;
    la_decode(t->word, &i);
    k->d->tally[i.op].n_tests++;
    k->d->tally[i.op].n_trapped += t->may_trap && load_le(k->theirs + first->at, 8) != 0;
    if (differs || exception >= 0)
        report(k, t, &before, exception, differs);
    for (unsigned m = 0; m < t->n_items; m++) {
        const struct diff_item *item = diff_item_at(k->p, t->first_item + m);
        if (differs || exception >= 0 || item->kind == DIFF_LOW)
            adopt(k->rig, item, k->theirs);
    }
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

static void compare(struct diff *d, const struct diff_program *p, const u8 *output)
{
    struct rig rig;
    rig_init(&rig, "max");
    place(&rig, DIFF_CODE_VA, p->code.data, p->code.size, p->code.size);
    place(&rig, DIFF_POOL_VA, p->pool.data, p->pool.size, p->pool.size);
    const u8 *memory = place(&rig, DIFF_SCRATCH_VA, p->scratch, DIFF_SCRATCH_SIZE,
                             DIFF_SCRATCH_SIZE + p->log_size);
    rig.c->pc = p->begin_pc;
    struct comparison k = {d, p, &rig, memory + DIFF_SCRATCH_SIZE, output + DIFF_SCRATCH_SIZE};
    for (size_t n = 0; n < diff_n_tests(p); n++)
        compare_test(&k, diff_test_at(p, n));
    if (memcmp(memory, output, DIFF_SCRATCH_SIZE) != 0) {
        printf("scratch memory differs where no test looked\n");
        d->tally[LA_INVALID].n_wrong++;
    }
    rig_free(&rig);
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
