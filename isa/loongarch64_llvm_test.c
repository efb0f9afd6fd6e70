// SPDX-License-Identifier: Apache-2.0
// Every pattern against LLVM's disassembler and assembler, both ways.
//
// llvm-mc-19 (or what $LLVM_MC names) runs three times, each time on tens of thousands of lines;
// without it the tests skip. LLVM 19 differs where the functions below say so.
#include "isa/loongarch64.h"

#include "base/err.h"
#include "base/test.h"

#include <stdlib.h>
#include <unistd.h>

#define N_PER_OP 16
#define MATTR    "+f,+d,+lsx,+lasx,+lvz,+lbt,+ual,+frecipe"

// A list of words and the file names of one run.
struct run {
    char dir[64];
    u32 *words;
    unsigned n, size;
};

static void run_init(struct run *r)
{
    const char *base = getenv("TMPDIR");
    memset(r, 0, sizeof(*r));
    snprintf(r->dir, sizeof(r->dir), "%.40s/isa-llvm-XXXXXX", base ? base : "/tmp");
    if (!CHECK(mkdtemp(r->dir)))
        r->dir[0] = 0;
}

static void path_of(const struct run *r, const char *name, char path[80])
{
    snprintf(path, 80, "%s/%s", r->dir, name);
}

static FILE *open_file(const struct run *r, const char *name, const char *mode)
{
    char path[80];
    path_of(r, name, path);
    return fopen(path, mode);
}

static void run_free(struct run *r)
{
    static const char *const names[] = {"in", "out", "err"};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        char path[80];
        path_of(r, names[i], path);
        unlink(path);
    }
    rmdir(r->dir);
    free(r->words);
}

static void add_word(struct run *r, u32 word)
{
    if (r->n == r->size) {
        r->size = r->size ? 2 * r->size : 4096;
        r->words = realloc(r->words, r->size * sizeof(*r->words));
    }
    r->words[r->n++] = word;
}

static const char *llvm_mc(void)
{
    const char *name = getenv("LLVM_MC");
    return name ? name : "llvm-mc-19";
}

static bool has_llvm(void)
{
    char command[256];
    snprintf(command, sizeof(command), "command -v %.200s >/dev/null 2>&1", llvm_mc());
    return !system(command);
}

static void call_llvm(const struct run *r, const char *how)
{
    char command[512];
    snprintf(command, sizeof(command),
             "cd '%s' && %.200s --triple=loongarch64 --mattr=" MATTR " %s in >out 2>err", r->dir,
             llvm_mc(), how);
    // The status tells of the lines refused; these are looked at one by one.
    if (system(command) == -1)
        CHECK(false);
}

// ---------------------------------------------------------------------------------------------
// Words to text

// LLVM 19 has no decoder for these five.
static bool unknown_to_llvm(unsigned op)
{
    return op == LA_GTLBCLR || op == LA_GTLBSRCH || op == LA_GTLBRD || op == LA_GTLBWR ||
           op == LA_GTLBFILL;
}

// LLVM has xvhseli.d, which no manual describes.
static bool known_to_llvm_alone(u32 word)
{
    return (word & 0xffff8000) == 0x769f8000;
}

// Our text without the branch target; LLVM's with one space after the mnemonic.
static void our_text(u32 word, char *text, size_t size)
{
    la_disassemble(word, 0, text, size);
    char *comment = strstr(text, " #");
    if (comment)
        *comment = 0;
}

static void trim_llvm_text(char *line)
{
    size_t skip = strspn(line, "\t ");
    memmove(line, line + skip, strlen(line + skip) + 1);
    line[strcspn(line, "\n")] = 0;
    for (char *tab; (tab = strchr(line, '\t'));)
        *tab = ' ';
    for (size_t n = strlen(line); n && line[n - 1] == ' ';)
        line[--n] = 0;
}

static void write_bytes(const struct run *r)
{
    FILE *f = open_file(r, "in", "w");
    for (unsigned i = 0; i < r->n; i++)
        fprintf(f, "0x%02x 0x%02x 0x%02x 0x%02x\n", r->words[i] & 0xff, r->words[i] >> 8 & 0xff,
                r->words[i] >> 16 & 0xff, r->words[i] >> 24);
    fclose(f);
}

// LLVM names each input line that it refuses, counted from 1.
static bool *refused_lines(const struct run *r)
{
    bool *refused = calloc(r->n + 1, 1);
    char line[512];
    FILE *f = open_file(r, "err", "r");
    while (fgets(line, sizeof(line), f)) {
        const char *colon = strchr(line, ':');
        unsigned number = colon ? (unsigned)atoi(colon + 1) : 0;
        if (number && number <= r->n && (strstr(line, "warning:") || strstr(line, "error:")))
            refused[number - 1] = true;
    }
    fclose(f);
    return refused;
}

static bool next_output(FILE *f, char *line, size_t size)
{
    while (fgets(line, (int)size, f)) {
        trim_llvm_text(line);
        if (line[0] && line[0] != '#' && strcmp(line, ".text"))
            return true;
    }
    return false;
}

static bool same_text(u32 word, bool refused, const char *llvm)
{
    char ours[128];
    our_text(word, ours, sizeof(ours));
    bool is_ours = strncmp(ours, ".word", 5);
    if (refused ? !is_ours : is_ours && !strcmp(ours, llvm))
        return true;
    printf("# 0x%08x is \"%s\" here and \"%s\" to LLVM\n", word, ours,
           refused ? "(nothing)" : llvm);
    return false;
}

static void compare_disassembly(struct run *r)
{
    unsigned n_wrong = 0;
    char line[256];
    write_bytes(r);
    call_llvm(r, "--disassemble");
    bool *refused = refused_lines(r);
    FILE *out = open_file(r, "out", "r");
    for (unsigned i = 0; i < r->n && n_wrong < 20; i++) {
        line[0] = 0;
        if (!refused[i] && !CHECK(next_output(out, line, sizeof(line))))
            break;
        n_wrong += !same_text(r->words[i], refused[i], line);
    }
    CHECK_EQ(n_wrong, 0);
    CHECK(n_wrong || !next_output(out, line, sizeof(line)));
    fclose(out);
    free(refused);
}

TEST(disassembles_every_pattern_as_llvm)
{
    if (!has_llvm())
        SKIP("no llvm-mc-19 here (set LLVM_MC to use another)");
    struct run r;
    u64 rng = 11;
    run_init(&r);
    for (unsigned op = 1; op < LA_N_OPS; op++)
        for (unsigned i = 0; i < N_PER_OP && !unknown_to_llvm(op); i++)
            add_word(&r, la_random_word(&rng, (enum la_op)op));
    compare_disassembly(&r);
    run_free(&r);
}

TEST(knows_the_same_words_as_llvm)
{
    if (!has_llvm())
        SKIP("no llvm-mc-19 here (set LLVM_MC to use another)");
    struct run r;
    u64 rng = 12;
    run_init(&r);
    for (unsigned op = 1; op < LA_N_OPS; op++)
        for (unsigned bit = 0; bit < 32; bit++) {
            u32 word = la_random_word(&rng, (enum la_op)op) ^ 1u << bit;
            struct la_insn insn;
            la_decode(word, &insn);
            if (!unknown_to_llvm(insn.op) && !known_to_llvm_alone(word))
                add_word(&r, word);
        }
    compare_disassembly(&r);
    run_free(&r);
}

// ---------------------------------------------------------------------------------------------
// Text to words

// LLVM's assembler refuses operands that the manual calls undefined or an error at run time: a
// read-modify-write whose rd is rj or rk, and bit fields that end before they begin.
static bool llvm_would_refuse(const struct la_insn *i)
{
    const struct la_op_info *info = &la_op_info[i->op];
    if (info->class == LA_CLASS_ATOMIC && info->load_size && info->store_size)
        return i->rd && (i->rd == i->rj || i->rd == i->rk);
    switch (i->op) {
    case LA_BSTRINS_W:
    case LA_BSTRINS_D:
    case LA_BSTRPICK_W:
    case LA_BSTRPICK_D: return i->imm < i->imm2;
    default: return unknown_to_llvm(i->op);
    }
}

static bool parse_encoding(const char *line, u32 *word)
{
    unsigned b[4];
    const char *found = strstr(line, "encoding: [");
    if (!found || sscanf(found, "encoding: [0x%x,0x%x,0x%x,0x%x]", &b[0], &b[1], &b[2], &b[3]) != 4)
        return false;
    *word = b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24;
    return true;
}

static void write_texts(const struct run *r)
{
    FILE *f = open_file(r, "in", "w");
    for (unsigned i = 0; i < r->n; i++) {
        char text[128];
        our_text(r->words[i], text, sizeof(text));
        fprintf(f, "%s\n", text);
    }
    fclose(f);
}

static bool same_word(u32 word, bool refused, FILE *out)
{
    char line[256], text[128];
    u32 llvm = 0;
    if (!refused && next_output(out, line, sizeof(line)) && parse_encoding(line, &llvm) &&
        llvm == word)
        return true;
    our_text(word, text, sizeof(text));
    printf("# \"%s\" is 0x%08x here and %s0x%08x to LLVM\n", text, word,
           refused ? "(refused) " : "", llvm);
    return false;
}

TEST(llvm_assembles_our_text_to_the_same_words)
{
    if (!has_llvm())
        SKIP("no llvm-mc-19 here (set LLVM_MC to use another)");
    struct run r;
    u64 rng = 13;
    run_init(&r);
    for (unsigned op = 1; op < LA_N_OPS; op++)
        for (unsigned i = 0; i < N_PER_OP; i++) {
            struct la_insn insn;
            la_decode(la_random_word(&rng, (enum la_op)op), &insn);
            if (!llvm_would_refuse(&insn))
                add_word(&r, insn.raw);
        }
    write_texts(&r);
    call_llvm(&r, "--show-encoding");
    bool *refused = refused_lines(&r);
    FILE *out = open_file(&r, "out", "r");
    unsigned n_wrong = 0;
    for (unsigned i = 0; i < r.n && n_wrong < 20; i++)
        n_wrong += !same_word(r.words[i], refused[i], out);
    CHECK_EQ(n_wrong, 0);
    fclose(out);
    free(refused);
    run_free(&r);
}
