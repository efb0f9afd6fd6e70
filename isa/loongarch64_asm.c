// SPDX-License-Identifier: Apache-2.0
// Text to words, one line at a time: for tests and for hand-written guest code, no labels.
#include "isa/loongarch64_tables.h"

#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// The rest of the line.
struct cursor {
    const char *at;
};

static void skip_space(struct cursor *c)
{
    while (*c->at == ' ' || *c->at == '\t')
        c->at++;
}

static bool at_end(struct cursor *c)
{
    skip_space(c);
    return !*c->at || *c->at == '#' || *c->at == '\n';
}

static bool accept(struct cursor *c, char wanted)
{
    skip_space(c);
    if (*c->at != wanted)
        return false;
    c->at++;
    return true;
}

static size_t word_length(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '.')
        n++;
    return n;
}

static bool parse_number(struct cursor *c, s64 *value)
{
    skip_space(c);
    bool is_negative = *c->at == '-';
    const char *digits = c->at + is_negative;
    if (!isdigit((unsigned char)*digits))
        return false;
    char *end;
    errno = 0;
    u64 magnitude = strtoull(digits, &end, 0);
    if (errno)
        return false;
    *value = (s64)(is_negative ? 0 - magnitude : magnitude);
    c->at = end;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Registers

// Decimal digits and nothing else, below `limit`.
static bool parse_index(const char *text, size_t length, unsigned limit, unsigned *n)
{
    *n = 0;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]) || i == 2)
            return false;
        *n = 10 * *n + (unsigned)(text[i] - '0');
    }
    return length && *n < limit;
}

// The registers prefix0, prefix1, ... are numbers `first` and up.
struct bank {
    const char *prefix;
    u8 file, first, count;
};

static const struct bank banks[] = {
    {"r", LA_FILE_GPR, 0, 32},  {"a", LA_FILE_GPR, 4, 8},   {"t", LA_FILE_GPR, 12, 9},
    {"s", LA_FILE_GPR, 23, 9},  {"f", LA_FILE_FPR, 0, 32},  {"fa", LA_FILE_FPR, 0, 8},
    {"ft", LA_FILE_FPR, 8, 16}, {"fs", LA_FILE_FPR, 24, 8}, {"vr", LA_FILE_VR, 0, 32},
    {"xr", LA_FILE_XR, 0, 32},  {"fcc", LA_FILE_FCC, 0, 8}, {"fcsr", LA_FILE_FCSR, 0, 4},
    {"scr", LA_FILE_SCR, 0, 4},
};

static const struct {
    const char *name;
    u8 number;
} named_gprs[] = {{"zero", 0}, {"ra", 1}, {"tp", 2}, {"sp", 3}, {"fp", 22}, {"s9", 22}};

static bool equals(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && !memcmp(text, name, length);
}

static bool find_register(const char *text, size_t length, unsigned file, unsigned *n)
{
    for (unsigned i = 0; file == LA_FILE_GPR && i < ARRAY_LEN(named_gprs); i++) {
        *n = named_gprs[i].number;
        if (equals(text, length, named_gprs[i].name))
            return true;
    }
    for (unsigned i = 0; i < ARRAY_LEN(banks); i++) {
        const struct bank *b = &banks[i];
        size_t skip = strlen(b->prefix);
        if (b->file == file && length > skip && !memcmp(text, b->prefix, skip) &&
            parse_index(text + skip, length - skip, b->count, n)) {
            *n += b->first;
            return true;
        }
    }
    return false;
}

static bool parse_register(struct cursor *c, unsigned file, s64 *value)
{
    unsigned n;
    if (!accept(c, '$'))
        return false;
    size_t length = word_length(c->at);
    if (!find_register(c->at, length, file, &n))
        return false;
    c->at += length;
    *value = n;
    return true;
}

// ---------------------------------------------------------------------------------------------
// Operands

static const char *what_is_wanted(const struct la_operand *operand)
{
    static const char *const names[LA_N_FILES] = {
        [LA_FILE_NONE] = "a number",
        [LA_FILE_GPR] = "a general register",
        [LA_FILE_FPR] = "a floating-point register",
        [LA_FILE_VR] = "a register $vr",
        [LA_FILE_XR] = "a register $xr",
        [LA_FILE_FCC] = "a condition flag $fcc",
        [LA_FILE_FCSR] = "a register $fcsr",
        [LA_FILE_SCR] = "a register $scr",
    };
    return names[operand->file];
}

static bool parse_operand(struct cursor *c, const struct la_operand *operand, u64 pc, s64 *value)
{
    if (operand->file != LA_FILE_NONE)
        return parse_register(c, operand->file, value);
    bool is_address = operand->is_target && accept(c, '@');
    if (!parse_number(c, value))
        return false;
    if (is_address)
        *value = (s64)((u64)*value - pc);
    return true;
}

static bool parse_operands(struct cursor *c, const struct la_format *format, u64 pc,
                           struct la_insn *insn, struct err *e)
{
    for (unsigned i = 0; i < format->n_operands; i++) {
        const struct la_operand *operand = &format->operands[i];
        s64 value;
        if (i && !accept(c, ','))
            return err_set(e, "%u operands where %u belong", i, format->n_operands);
        skip_space(c);
        const char *found = c->at;
        if (!parse_operand(c, operand, pc, &value))
            return err_set(e, "operand %u: expected %s, found \"%.20s\"", i + 1,
                           what_is_wanted(operand), found);
        if (value != (operand->at == LA_AT_IMM ? (s32)value : (u8)value))
            return err_set(e, "operand %u: %lld does not fit", i + 1, (long long)value);
        la_insn_set(insn, operand->at, value);
    }
    return at_end(c) || err_set(e, "what is \"%.20s\" behind the operands?", c->at);
}

// Fields that the alias fixes get their values from its words.
static void apply_alias(const struct la_alias *alias, struct la_insn *insn)
{
    const struct la_form *form = &la_forms[la_op_info[alias->op].form];
    for (unsigned i = 0; i < form->n_fields; i++)
        la_insn_set(insn, form->fields[i].at, la_field_get(&form->fields[i], alias->match));
}

static bool assemble_named(struct cursor *c, const struct la_name *name, u64 pc, u32 *word,
                           struct err *e)
{
    const struct la_alias *alias = name->alias < 0 ? NULL : &la_aliases[name->alias];
    unsigned format = alias ? alias->format : la_op_info[name->op].format;
    struct la_insn insn = {.op = name->op};
    if (alias)
        apply_alias(alias, &insn);
    return parse_operands(c, &la_formats[format], pc, &insn, e) && la_encode(&insn, word, e);
}

static bool assemble_word(struct cursor *c, u32 *word, struct err *e)
{
    s64 value;
    if (!parse_number(c, &value) || value != (u32)value || !at_end(c))
        return err_set(e, "expected one number of 32 bits");
    *word = (u32)value;
    return true;
}

bool la_assemble(const char *line, u64 pc, u32 *word, struct err *e)
{
    struct cursor c = {line};
    skip_space(&c);
    const char *mnemonic = c.at;
    size_t length = word_length(mnemonic);
    const struct la_name *name = la_find_name(mnemonic, length);
    c.at += length;

    bool is_word = equals(mnemonic, length, ".word");
    if (!name && !is_word)
        return err_set(e, "there is no instruction \"%.*s\"", (int)length, mnemonic);
    bool ok = is_word ? assemble_word(&c, word, e) : assemble_named(&c, name, pc, word, e);
    return ok || err_context(e, "%.*s", (int)length, mnemonic);
}
