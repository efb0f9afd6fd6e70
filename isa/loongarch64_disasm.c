// SPDX-License-Identifier: Apache-2.0
// Words to text.
#include "isa/loongarch64_tables.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct text {
    char *buf;
    size_t size;
    size_t length; // of the whole text, even where it did not fit
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    bool fits = t->length < t->size;
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(fits ? t->buf + t->length : NULL, fits ? t->size - t->length : 0, format, ap);
    va_end(ap);
    t->length += (size_t)n;
}

static void put_gpr(struct text *t, unsigned n)
{
    if (n == 0)
        put(t, "$zero");
    else if (n < 4)
        put(t, "$%s", (const char *const[]){"ra", "tp", "sp"}[n - 1]);
    else if (n < 12)
        put(t, "$a%u", n - 4);
    else if (n < 21)
        put(t, "$t%u", n - 12);
    else if (n == 21)
        put(t, "$r21");
    else if (n == 22)
        put(t, "$fp");
    else
        put(t, "$s%u", n - 23);
}

static void put_fpr(struct text *t, unsigned n)
{
    if (n < 8)
        put(t, "$fa%u", n);
    else if (n < 24)
        put(t, "$ft%u", n - 8);
    else
        put(t, "$fs%u", n - 24);
}

static void put_register(struct text *t, unsigned file, unsigned n)
{
    switch (file) {
    case LA_FILE_GPR: put_gpr(t, n); break;
    case LA_FILE_FPR: put_fpr(t, n); break;
    case LA_FILE_VR: put(t, "$vr%u", n); break;
    case LA_FILE_XR: put(t, "$xr%u", n); break;
    case LA_FILE_FCC: put(t, "$fcc%u", n); break;
    case LA_FILE_FCSR: put(t, "$fcsr%u", n); break;
    default: put(t, "$scr%u", n); break;
    }
}

static const struct la_alias *alias_of(const struct la_insn *insn)
{
    for (unsigned i = 0; i < la_n_aliases; i++)
        if (la_aliases[i].op == insn->op && (insn->raw & la_aliases[i].mask) == la_aliases[i].match)
            return &la_aliases[i];
    return NULL;
}

static void put_instruction(struct text *t, const struct la_insn *insn, u64 pc)
{
    const struct la_alias *alias = alias_of(insn);
    const struct la_op_info *info = &la_op_info[insn->op];
    const struct la_format *format = &la_formats[alias ? alias->format : info->format];
    bool has_target = false;

    put(t, "%s", alias ? alias->mnemonic : info->mnemonic);
    for (unsigned i = 0; i < format->n_operands; i++) {
        const struct la_operand *operand = &format->operands[i];
        s64 value = la_insn_get(insn, operand->at);
        put(t, i ? ", " : " ");
        if (operand->file != LA_FILE_NONE)
            put_register(t, operand->file, (unsigned)value);
        else
            put(t, "%" PRId64, value);
        if (operand->is_target)
            has_target = true;
    }
    if (has_target)
        put(t, " # 0x%" PRIx64, pc + (u64)(s64)insn->imm);
}

size_t la_disassemble(u32 word, u64 pc, char *buf, size_t size)
{
    struct text t = {buf, size, 0};
    struct la_insn insn;
    la_decode(word, &insn);
    if (insn.op == LA_INVALID)
        put(&t, ".word 0x%08x", word);
    else
        put_instruction(&t, &insn, pc);
    return t.length;
}
