// SPDX-License-Identifier: Apache-2.0
// What the encoder writes, as LLVM's disassembler reads it: every form with every register.
//
// llvm-mc-19 (or what $LLVM_MC names) runs once for each test; without it the tests skip.
#include "jit/x86_64/emit.h"
#include "jit/x86_64/vector_ops.h"
#include "base/test.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_CASES 60000

struct encoded {
    u8 bytes[16];
    u8 n;
    char text[72];
};

struct bench {
    struct emit e;
    u8 code[64];
    struct encoded *cases;
    unsigned n;
};

static void bench_init(struct bench *b)
{
    *b = (struct bench){.cases = calloc(MAX_CASES, sizeof(struct encoded))};
    b->e = (struct emit){
        .p = b->code, .start = b->code, .limit = b->code + sizeof(b->code), .literals = b->code};
}

// What has been emitted since the last time should read like this.
static __attribute__((format(printf, 2, 3))) void expect(struct bench *b, const char *format, ...)
{
    struct encoded *x = &b->cases[b->n++];
    va_list args;
    va_start(args, format);
    vsnprintf(x->text, sizeof(x->text), format, args);
    va_end(args);
    x->n = (u8)(b->e.p - b->code);
    memcpy(x->bytes, b->code, x->n);
    b->e.p = b->code;
}

static const char *llvm_mc(void)
{
    const char *name = getenv("LLVM_MC");
    return name ? name : "llvm-mc-19";
}

static bool has_llvm_mc(void)
{
    char command[256];
    snprintf(command, sizeof(command), "%s --version >/dev/null 2>&1", llvm_mc());
    return system(command) == 0;
}

static void write_cases(const struct bench *b, const char *path)
{
    FILE *f = fopen(path, "w");
    for (unsigned i = 0; f && i < b->n; i++)
        for (unsigned k = 0; k < b->cases[i].n; k++)
            fprintf(f, "0x%02x%c", b->cases[i].bytes[k], k + 1 < b->cases[i].n ? ' ' : '\n');
    if (f)
        fclose(f);
}

// One blank between the words of a line.
static void squeeze(char *line)
{
    char *to = line;
    for (char *from = line + strspn(line, " \t"); *from && *from != '\n' && *from != '#'; from++)
        *to++ = *from == '\t' ? ' ' : *from;
    while (to > line && to[-1] == ' ')
        to--;
    *to = 0;
}

static void compare(const struct bench *b, FILE *out)
{
    char line[256];
    unsigned i = 0, n_wrong = 0;
    while (i < b->n && fgets(line, sizeof(line), out)) {
        squeeze(line);
        if (!line[0] || line[0] == '.')
            continue;
        if (strcmp(line, b->cases[i].text) && n_wrong++ < 20)
            CHECK_STR(line, b->cases[i].text);
        i++;
    }
    CHECK_EQ(i, b->n);
    CHECK_EQ(n_wrong, 0);
}

static void check_all(struct bench *b)
{
    char path[] = "/tmp/emit-test-XXXXXX", command[512];
    int fd = mkstemp(path);
    if (CHECK(fd >= 0)) {
        close(fd);
        write_cases(b, path);
        snprintf(
            command, sizeof(command),
            "%s --disassemble --triple=x86_64 --output-asm-variant=1 --mattr=+avx512f,+avx512vl,"
            "+avx512bw,+avx512dq,+avx512vbmi,+f16c,+bmi2,+fma %s 2>/dev/null",
            llvm_mc(), path);
        FILE *out = popen(command, "r");
        if (CHECK(out)) {
            compare(b, out);
            pclose(out);
        }
        unlink(path);
    }
    free(b->cases);
}

// Names ------------------------------------------------------------------------------------------

static const char *gpr(enum reg r, enum width w)
{
    static const char *const names[4][16] = {
        {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b",
         "r13b", "r14b", "r15b"},
        {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w",
         "r13w", "r14w", "r15w"},
        {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d",
         "r12d", "r13d", "r14d", "r15d"},
        {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
         "r13", "r14", "r15"}};
    return names[__builtin_ctz(w)][r];
}

static const char *vector_name(unsigned r, unsigned bits, char text[8])
{
    snprintf(text, 8, "%cmm%u", bits == 256 ? 'y' : bits == 512 ? 'z' : 'x', r);
    return text;
}

static void memory_name(struct mem m, char text[40])
{
    char index[16] = "", disp[16] = "";
    if (m.index != NO_REG && m.scale > 1)
        snprintf(index, sizeof(index), " + %u*%s", m.scale, gpr((enum reg)m.index, W64));
    else if (m.index != NO_REG)
        snprintf(index, sizeof(index), " + %s", gpr((enum reg)m.index, W64));
    if (m.disp)
        snprintf(disp, sizeof(disp), " %c %u", m.disp < 0 ? '-' : '+', (unsigned)abs(m.disp));
    snprintf(text, 40, "[%s%s%s]", gpr((enum reg)m.base, W64), index, disp);
}

// Addresses of all shapes, one for each n.
static struct mem memory(unsigned n)
{
    static const s32 disps[] = {0, 1, -128, 127, 128, -129, 0x12345, -0x7654321};
    struct mem m = at((enum reg)(n % 16), disps[n / 16 % 8]);
    if (n / 128 % 2) {
        m.index = (u8)((n * 7 + n / 16) % 16);
        m.scale = (u8)(1 << n / 5 % 4);
    }
    if (m.index == RSP)
        m.index = NO_REG;
    if (m.index == NO_REG)
        m.scale = 1;
    return m;
}

static const char *size_name(enum width w)
{
    return w == W8 ? "byte" : w == W16 ? "word" : w == W32 ? "dword" : "qword";
}

// General registers -------------------------------------------------------------------------------

static const enum width widths[] = {W8, W16, W32, W64};
static const char *const alu_names[] = {"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"};

static void alu_registers(struct bench *b, enum width w)
{
    for (unsigned d = 0; d < 16; d++)
        for (unsigned s = 0; s < 16; s++) {
            enum alu op = (enum alu)((d * 3 + s) % 8);
            emit_alu_rr(&b->e, op, w, (enum reg)d, (enum reg)s);
            expect(b, "%s %s, %s", alu_names[op], gpr((enum reg)d, w), gpr((enum reg)s, w));
            emit_test_rr(&b->e, w, (enum reg)d, (enum reg)s);
            expect(b, "test %s, %s", gpr((enum reg)d, w), gpr((enum reg)s, w));
        }
}

static void alu_memory(struct bench *b, enum width w)
{
    char m[40];
    for (unsigned n = 0; n < 512; n++) {
        enum alu op = (enum alu)(n % 8);
        enum reg r = (enum reg)(n / 3 % 16);
        memory_name(memory(n), m);
        emit_alu_rm(&b->e, op, w, r, memory(n));
        expect(b, "%s %s, %s ptr %s", alu_names[op], gpr(r, w), size_name(w), m);
        emit_alu_mr(&b->e, op, w, memory(n), r);
        expect(b, "%s %s ptr %s, %s", alu_names[op], size_name(w), m, gpr(r, w));
        emit_alu_mi(&b->e, op, w, memory(n), -77);
        expect(b, "%s %s ptr %s, -77", alu_names[op], size_name(w), m);
        emit_mov_mr(&b->e, w, memory(n), r);
        expect(b, "mov %s ptr %s, %s", size_name(w), m, gpr(r, w));
    }
}

static void alu_immediates(struct bench *b, enum width w)
{
    static const s32 values[] = {1, -1, 127, -128, 300, 30000};
    for (unsigned r = 0; r < 16; r++)
        for (unsigned n = 0; n < (w == W8 ? 4 : 6); n++) {
            enum alu op = (enum alu)((r + n) % 8);
            emit_alu_ri(&b->e, op, w, (enum reg)r, values[n]);
            expect(b, "%s %s, %d", alu_names[op], gpr((enum reg)r, w), values[n]);
        }
}

TEST(arithmetic_of_general_registers)
{
    if (!has_llvm_mc())
        SKIP("no llvm-mc-19");
    struct bench b;
    bench_init(&b);
    for (unsigned n = 0; n < 4; n++) {
        alu_registers(&b, widths[n]);
        alu_memory(&b, widths[n]);
        alu_immediates(&b, widths[n]);
    }
    check_all(&b);
}

static void extensions(struct bench *b, enum reg d, enum reg s, enum width from)
{
    char m[40];
    struct mem a = memory((unsigned)d * 31 + s);
    memory_name(a, m);
    if (from < W32) {
        emit_extend_rr(&b->e, from, false, d, s);
        expect(b, "movzx %s, %s", gpr(d, W32), gpr(s, from));
        emit_extend_rm(&b->e, from, false, d, a);
        expect(b, "movzx %s, %s ptr %s", gpr(d, W32), size_name(from), m);
    }
    const char *name = from == W32 ? "movsxd" : "movsx";
    emit_extend_rr(&b->e, from, true, d, s);
    expect(b, "%s %s, %s", name, gpr(d, W64), gpr(s, from));
    emit_extend_rm(&b->e, from, true, d, a);
    expect(b, "%s %s, %s ptr %s", name, gpr(d, W64), size_name(from), m);
}

static void two_registers(struct bench *b, enum reg d, enum reg s)
{
    char m[40];
    struct mem a = memory((unsigned)d * 17 + s);
    memory_name(a, m);
    for (unsigned n = 0; n < 3; n++)
        extensions(b, d, s, widths[n]);
    emit_lea(&b->e, W64, d, a);
    expect(b, "lea %s, %s", gpr(d, W64), m);
    emit_rorx(&b->e, W32, d, s, 7);
    expect(b, "rorx %s, %s, 7", gpr(d, W32), gpr(s, W32));
    emit_rorx(&b->e, W64, d, s, 59);
    expect(b, "rorx %s, %s, 59", gpr(d, W64), gpr(s, W64));
    emit_call_m(&b->e, a);
    expect(b, "call qword ptr %s", m);
    emit_imul_rr(&b->e, W64, d, s);
    expect(b, "imul %s, %s", gpr(d, W64), gpr(s, W64));
    emit_cmov_rr(&b->e, CC_AE, W32, d, s);
    expect(b, "cmovae %s, %s", gpr(d, W32), gpr(s, W32));
    emit_0f_rr(&b->e, 0xf3, 0xb8, W64, d, s);
    expect(b, "popcnt %s, %s", gpr(d, W64), gpr(s, W64));
    emit_v_rrr(&b->e, VOP(VPP_F2, VMAP_0F38, 1, 0xf7), 128, d, s, (d * 5 + 3) % 16);
    expect(b, "shrx %s, %s, %s", gpr(d, W64), gpr((enum reg)((d * 5 + 3) % 16), W64), gpr(s, W64));
    emit_mov_rr(&b->e, W32, d, s);
    expect(b, "mov %s, %s", gpr(d, W32), gpr(s, W32));
}

static void one_register(struct bench *b, enum reg r)
{
    emit_shift_ri(&b->e, SHIFT_SAR, W64, r, 13);
    expect(b, "sar %s, 13", gpr(r, W64));
    emit_shift_rcl(&b->e, SHIFT_ROR, W32, r);
    expect(b, "ror %s, cl", gpr(r, W32));
    emit_unary_r(&b->e, UNARY_IDIV, W64, r);
    expect(b, "idiv %s", gpr(r, W64));
    emit_setcc(&b->e, CC_P, r);
    expect(b, "setp %s", gpr(r, W8));
    emit_bswap(&b->e, W64, r);
    expect(b, "bswap %s", gpr(r, W64));
    emit_push(&b->e, r);
    expect(b, "push %s", gpr(r, W64));
    emit_pop(&b->e, r);
    expect(b, "pop %s", gpr(r, W64));
    emit_mov_ri(&b->e, r, 0x123456789a);
    expect(b, "movabs %s, 78187493530", gpr(r, W64));
    emit_mov_ri(&b->e, r, (u64)-5);
    expect(b, "mov %s, -5", gpr(r, W64));
    emit_jmp_r(&b->e, r);
    expect(b, "jmp %s", gpr(r, W64));
}

TEST(other_instructions_of_general_registers)
{
    if (!has_llvm_mc())
        SKIP("no llvm-mc-19");
    struct bench b;
    bench_init(&b);
    for (unsigned d = 0; d < 16; d++) {
        one_register(&b, (enum reg)d);
        for (unsigned s = 0; s < 16; s++)
            two_registers(&b, (enum reg)d, (enum reg)s);
    }
    check_all(&b);
}

// Vectors -----------------------------------------------------------------------------------------

// Instructions of two sources: the name with VEX, and what is appended with EVEX.
static const struct {
    u32 vop;
    const char *name, *evex;
} operations[] = {
    {VPADDB, "vpaddb", ""},
    {VPADDQ, "vpaddq", ""},
    {VPAND, "vpand", "d"},
    {VPXOR, "vpxor", "d"},
    {VPSHUFB, "vpshufb", ""},
    {VPMULDQ, "vpmuldq", ""},
    {VPACKUSDW, "vpackusdw", ""},
    {VPUNPCKHQDQ, "vpunpckhqdq", ""},
    {VPSLLVQ, "vpsllvq", ""},
    {VPMINUD, "vpminud", ""},
    {VXORPS, "vxorps", ""},
    {VPERMILPD, "vpermilpd", ""},
    {VOP_PS(FP_ADD), "vaddps", ""},
    {VOP_PD(FP_DIV), "vdivpd", ""},
    {VOP_PD(FP_MAX), "vmaxpd", ""},
    {VOP(VPP_66, VMAP_0F38, 1, 0xb8), "vfmadd231pd", ""},
    {VOP(VPP_66, VMAP_0F38, 0, 0xba), "vfmsub231ps", ""},
};
static const struct {
    u32 vop;
    const char *name;
} scalars[] = {
    {VOP_SS(FP_ADD), "vaddss"},   {VOP_SD(FP_MUL), "vmulsd"},
    {VOP_SD(FP_SQRT), "vsqrtsd"}, {VCVTSS2SD, "vcvtss2sd"},
    {VCVTSD2SS, "vcvtsd2ss"},     {VOP(VPP_66, VMAP_0F38, 1, 0xb9), "vfmadd231sd"},
};

static void three_registers(struct bench *b, unsigned n, unsigned d, unsigned s1, unsigned s2,
                            unsigned bits)
{
    char x[3][8], m[40];
    bool is_evex = d >= 16 || s1 >= 16 || s2 >= 16;
    vector_name(d, bits, x[0]);
    vector_name(s1, bits, x[1]);
    vector_name(s2, bits, x[2]);
    emit_v_rrr(&b->e, operations[n].vop, bits, d, s1, s2);
    expect(b, "%s%s %s, %s, %s", operations[n].name, is_evex ? operations[n].evex : "", x[0], x[1],
           x[2]);
    is_evex = d >= 16 || s1 >= 16;
    struct mem a = memory(d * 32 + s1 + s2 * 77);
    memory_name(a, m);
    emit_v_rrm(&b->e, operations[n].vop, bits, d, s1, a);
    expect(b, "%s%s %s, %s, %cmmword ptr %s", operations[n].name, is_evex ? operations[n].evex : "",
           x[0], x[1], bits == 256 ? 'y' : 'x', m);
}

TEST(vector_instructions_of_two_sources)
{
    if (!has_llvm_mc())
        SKIP("no llvm-mc-19");
    struct bench b;
    bench_init(&b);
    for (unsigned d = 0; d < 32; d++)
        for (unsigned s1 = 0; s1 < 32; s1++)
            for (unsigned k = 0; k < 16; k++) {
                unsigned n = (d * 7 + s1 * 3 + k) % ARRAY_LEN(operations);
                three_registers(&b, n, d, s1, (k * 2 + d + s1 / 2) % 32, (d + k) % 2 ? 128 : 256);
            }
    for (unsigned d = 0; d < 32; d++)
        for (unsigned s = 0; s < 32; s++) {
            unsigned n = (d + s) % ARRAY_LEN(scalars);
            emit_v_rrr(&b.e, scalars[n].vop, 128, d, s, d ^ 21);
            expect(&b, "%s xmm%u, xmm%u, xmm%u", scalars[n].name, d, s, d ^ 21);
        }
    check_all(&b);
}

static void forms(struct bench *b, unsigned d, unsigned s, unsigned other)
{
    struct emit *e = &b->e;
    enum reg r = (enum reg)(other % 16);
    unsigned k = 1 + other % 7;
    emit_v_rrri(e, VPTERNLOG, 256, d, s, other, 0xac);
    expect(b, "vpternlogd ymm%u, ymm%u, ymm%u, 172", d, s, other);
    emit_v_rrri(e, VPCMPUB_MASK, 128, k, d, s, 1);
    expect(b, "vpcmpltub k%u, xmm%u, xmm%u", k, d, s);
    emit_v_rrr(e, VPMOVM2Q, 256, d, 0, k);
    expect(b, "vpmovm2q ymm%u, k%u", d, k);
    emit_v_masked(e, VBLENDMPD, 128, d, s, other, k, false);
    expect(b, "vblendmpd xmm%u {k%u}, xmm%u, xmm%u", d, k, s, other);
    emit_v_masked(e, VPADDD, 256, d, s, other, k, true);
    expect(b, "vpaddd ymm%u {k%u} {z}, ymm%u, ymm%u", d, k, s, other);
    emit_v_rounded(e, VOP_SD(FP_ADD), d, s, other, 3);
    expect(b, "vaddsd xmm%u, xmm%u, xmm%u, {rz-sae}", d, s, other);
    emit_v_rrr(e, VMOVQ_LOAD, 128, d, 0, r);
    expect(b, "vmovq xmm%u, %s", d, gpr(r, W64));
    emit_v_rrr(e, VMOVD_STORE, 128, d, 0, r);
    expect(b, "vmovd %s, xmm%u", gpr(r, W32), d);
    emit_v_rrri(e, VPINSRQ, 128, d, s, r, 1);
    expect(b, "vpinsrq xmm%u, xmm%u, %s, 1", d, s, gpr(r, W64));
    emit_v_rrri(e, VPEXTRB, 128, d, 0, r, 9);
    expect(b, "vpextrb %s, xmm%u, 9", gpr(r, W32), d);
    emit_v_rrr(e, vop_to_gpr(64, 64, false), 128, r, 0, s);
    expect(b, "vcvtsd2si %s, xmm%u", gpr(r, W64), s);
    emit_v_rrri(e, VPSRLQ_IMM, 256, 2, d, s, 17);
    expect(b, "vpsrlq ymm%u, ymm%u, 17", d, s);
    emit_v_rrr(e, VPBROADCASTD_GPR, 256, d, 0, r);
    expect(b, "vpbroadcastd ymm%u, %s", d, gpr(r, W32));
    emit_v_rrri(e, vop_range(64, false), 256, d, s, other, 5);
    expect(b, "vrangepd ymm%u, ymm%u, ymm%u, 5", d, s, other);
    bool is_evex = d >= 16 || s >= 16;
    emit_v_rrri(e, vop_round(64, false), 256, d, 0, s, 4);
    expect(b, "%s ymm%u, ymm%u, 4", is_evex ? "vrndscalepd" : "vroundpd", d, s);
    emit_v_rrri(e, VEXTRACTI128, 256, d, 0, s, 1);
    expect(b, "%s xmm%u, ymm%u, 1", is_evex ? "vextracti32x4" : "vextracti128", s, d);
    // From the code to its own beginning: the distance to what follows.
    emit_v_rrmi(e, VPSHUFD, 128, d, 0, at_literal(0), 27);
    int n = (int)(e->p - b->code);
    expect(b, "vpshufd xmm%u, xmmword ptr [rip - %d], 27", d, n);
}

TEST(other_vector_forms)
{
    if (!has_llvm_mc())
        SKIP("no llvm-mc-19");
    struct bench b;
    bench_init(&b);
    for (unsigned d = 0; d < 32; d++)
        for (unsigned s = 0; s < 32; s++)
            forms(&b, d, s, (d * 5 + s * 11 + 3) % 32);
    check_all(&b);
}

static void sse_forms(struct bench *b, unsigned d, unsigned s)
{
    struct emit *e = &b->e;
    enum reg r = (enum reg)s;
    char m[40];
    struct mem a = memory(d * 32 + s);
    memory_name(a, m);
    emit_v_rrr(e, VPADDD, 128, d, d, s);
    expect(b, "paddd xmm%u, xmm%u", d, s);
    emit_v_rrm(e, VPMULLD, 128, d, d, a);
    expect(b, "pmulld xmm%u, xmmword ptr %s", d, m);
    emit_v_rrr(e, VPABSB, 128, d, 0, s);
    expect(b, "pabsb xmm%u, xmm%u", d, s);
    emit_v_rrm(e, VMOVSD_STORE, 64, d, 0, a);
    expect(b, "movsd qword ptr %s, xmm%u", m, d);
    emit_v_rrr(e, VMOVQ_LOAD, 128, d, 0, r);
    expect(b, "movq xmm%u, %s", d, gpr(r, W64));
    emit_v_rrri(e, VPINSRQ, 128, d, d, r, 1);
    expect(b, "pinsrq xmm%u, %s, 1", d, gpr(r, W64));
    emit_v_rrri(e, VPEXTRD, 128, d, 0, r, 3);
    expect(b, "pextrd %s, xmm%u, 3", gpr(r, W32), d);
    emit_v_rrr(e, vop_from_gpr(32, 64), 128, d, d, r);
    expect(b, "cvtsi2ss xmm%u, %s", d, gpr(r, W64));
    emit_v_rrr(e, vop_to_gpr(64, 32, true), 128, r, 0, d);
    expect(b, "cvttsd2si %s, xmm%u", gpr(r, W32), d);
    emit_v_rrri(e, VPSRLQ_IMM, 128, 2, d, d, 17);
    expect(b, "psrlq xmm%u, 17", d);
    emit_v_rrri(e, vop_round(64, false), 128, d, 0, s, 3);
    expect(b, "roundpd xmm%u, xmm%u, 3", d, s);
}

TEST(vector_instructions_of_sse)
{
    if (!has_llvm_mc())
        SKIP("no llvm-mc-19");
    struct bench b;
    bench_init(&b);
    b.e.is_sse = true;
    for (unsigned d = 0; d < 16; d++)
        for (unsigned s = 0; s < 16; s++)
            sse_forms(&b, d, s);
    CHECK(!b.e.is_lacking);
    check_all(&b);
}

// A move before it, and one before that if the second source is the destination.
TEST(the_destination_of_sse_is_its_first_source)
{
    struct bench b;
    u8 apart[64], in_the_way[64];
    bench_init(&b);
    b.e.is_sse = true;
    emit_v_rrr(&b.e, VPSUBD, 128, 3, 4, 5);
    CHECK_EQ(b.e.p - b.code, 7);
    memcpy(apart, "\x0f\x28\xdc\x66\x0f\xfa\xdd", 7); // movaps 3, 4; psubd 3, 5
    CHECK(!memcmp(b.code, apart, 7));
    b.e.p = b.code;
    emit_v_rrr(&b.e, VPSUBD, 128, 3, 4, 3);
    CHECK_EQ(b.e.p - b.code, 12);
    memcpy(in_the_way, "\x44\x0f\x28\xfb\x0f\x28\xdc\x66\x41\x0f\xfa\xdf", 12);
    CHECK(!memcmp(b.code, in_the_way, 12));
    b.e.p = b.code;
    emit_v_rrri(&b.e, VPSLLD_IMM, 128, 6, 3, 4, 1);
    CHECK(!memcmp(b.code, "\x0f\x28\xdc\x66\x0f\x72\xf3\x01", 8));
    free(b.cases);
}

TEST(what_sse_lacks_is_told)
{
    static const u32 lacking[] = {VPBROADCASTB, VPERMQ, VPTERNLOG, VPSLLVD, VCVTPS2PH};
    struct bench b;
    bench_init(&b);
    b.e.is_sse = true;
    for (unsigned n = 0; n < ARRAY_LEN(lacking); n++) {
        b.e.is_lacking = false;
        emit_v_rrr(&b.e, lacking[n], 128, 1, 2, 3);
        CHECK(b.e.is_lacking);
    }
    b.e.is_lacking = false;
    emit_v_rrri(&b.e, VCMPPD, 128, 1, 2, 3, 7);
    CHECK(!b.e.is_lacking);
    emit_v_rrri(&b.e, VCMPPD, 128, 1, 2, 3, 8);
    CHECK(b.e.is_lacking);
    b.e.is_lacking = false;
    emit_v_rrr(&b.e, VPADDD, 256, 1, 2, 3);
    CHECK(b.e.is_lacking);
    free(b.cases);
}
