// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_dts.h"
#include "base/bits.h"

#include <ctype.h>
#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FDT_SIZE    0x10000
#define VALUE_SIZE  4096
#define MAX_DEPTH   16
#define NAME_LENGTH 64

struct parser {
    const char *at, *end;
    unsigned line, depth;
    void *fdt;
    struct err *e;
};

static bool wrong(struct parser *p, const char *what)
{
    return err_set(p->e, "line %u: %s", p->line, what);
}

// Behind blanks and comments.
static void skip(struct parser *p)
{
    for (; p->at < p->end; p->at++) {
        bool is_comment = p->at + 1 < p->end && p->at[0] == '/';
        if (*p->at == '\n') {
            p->line++;
        } else if (is_comment && p->at[1] == '/') {
            while (p->at + 1 < p->end && p->at[1] != '\n')
                p->at++;
        } else if (is_comment && p->at[1] == '*') {
            for (p->at += 2; p->at + 1 < p->end && !(p->at[0] == '*' && p->at[1] == '/'); p->at++)
                p->line += *p->at == '\n';
            p->at++;
        } else if (!isspace((unsigned char)*p->at)) {
            return;
        }
    }
}

static bool take(struct parser *p, char c)
{
    skip(p);
    if (p->at >= p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

static bool need(struct parser *p, char c)
{
    char what[] = "expected ' '";
    what[10] = c;
    return take(p, c) || wrong(p, what);
}

static bool take_word(struct parser *p, const char *word)
{
    size_t n = strlen(word);
    skip(p);
    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n))
        return false;
    p->at += n;
    return true;
}

static bool take_name(struct parser *p, char name[NAME_LENGTH])
{
    size_t n = 0;
    skip(p);
    for (; p->at < p->end && (isalnum((unsigned char)*p->at) || strchr(",._+-@#", *p->at)); p->at++)
        if (n + 1 < NAME_LENGTH)
            name[n++] = *p->at;
    name[n] = 0;
    return n || wrong(p, "expected the name of a node or property");
}

struct value {
    u8 data[VALUE_SIZE];
    size_t n;
};

static bool add(struct parser *p, struct value *v, const void *data, size_t n)
{
    if (n > sizeof(v->data) - v->n)
        return wrong(p, "the value is too long");
    memcpy(v->data + v->n, data, n);
    v->n += n;
    return true;
}

static bool take_number(struct parser *p, struct value *v)
{
    char text[24], *end;
    size_t n = 0;
    u8 cell[4];
    while (p->at < p->end && isalnum((unsigned char)*p->at) && n + 1 < sizeof(text))
        text[n++] = *p->at++;
    text[n] = 0;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 0);
    if (!n || *end || errno || number > UINT32_MAX)
        return wrong(p, "expected a number of at most 32 bits");
    store_be(cell, number, 4);
    return add(p, v, cell, sizeof(cell));
}

static bool take_cells(struct parser *p, struct value *v)
{
    while (!take(p, '>')) {
        if (p->at >= p->end)
            return wrong(p, "'<' without '>'");
        if (!take_number(p, v))
            return false;
    }
    return true;
}

static bool take_bytes(struct parser *p, struct value *v)
{
    while (!take(p, ']')) {
        unsigned byte;
        if (p->end - p->at < 2 || sscanf(p->at, "%2x", &byte) != 1 ||
            !isxdigit((unsigned char)p->at[1]))
            return wrong(p, "expected two hexadecimal digits");
        p->at += 2;
        if (!add(p, v, &(u8){(u8)byte}, 1))
            return false;
    }
    return true;
}

static bool take_text(struct parser *p, struct value *v)
{
    for (; p->at < p->end && *p->at != '"'; p->at++) {
        if (*p->at == '\n' || *p->at == '\\')
            return wrong(p, "texts have neither line ends nor backslashes");
        if (!add(p, v, p->at, 1))
            return false;
    }
    return p->at++ < p->end ? add(p, v, "", 1) : wrong(p, "text without end");
}

static bool take_values(struct parser *p, struct value *v)
{
    do {
        bool good = take(p, '<')   ? take_cells(p, v)
                    : take(p, '[') ? take_bytes(p, v)
                    : take(p, '"') ? take_text(p, v)
                                   : wrong(p, "expected a value: <numbers>, \"text\" or [bytes]");
        if (!good)
            return false;
    } while (take(p, ','));
    return true;
}

static bool put(struct parser *p, int error)
{
    return !error || wrong(p, error == -FDT_ERR_NOSPACE ? "the tree is too large"
                                                        : "properties come before nodes");
}

static bool take_members(struct parser *p);

static bool take_node(struct parser *p, const char *name)
{
    if (p->depth == MAX_DEPTH)
        return wrong(p, "nodes are nested too deeply");
    p->depth++;
    if (!put(p, fdt_begin_node(p->fdt, name)) || !take_members(p))
        return false;
    p->depth--;
    return put(p, fdt_end_node(p->fdt)) && need(p, ';');
}

static bool take_property(struct parser *p, const char *name, bool has_value)
{
    struct value v = {.n = 0};
    if (has_value && !take_values(p, &v))
        return false;
    return put(p, fdt_property(p->fdt, name, v.data, (int)v.n)) && need(p, ';');
}

static bool take_members(struct parser *p)
{
    char name[NAME_LENGTH];
    while (!take(p, '}')) {
        if (p->at >= p->end)
            return wrong(p, "'{' without '}'");
        if (!take_name(p, name))
            return false;
        if (take(p, ':'))
            return wrong(p, "labels are not known here");
        bool is_good = take(p, '{') ? take_node(p, name) : take_property(p, name, take(p, '='));
        if (!is_good)
            return false;
    }
    return true;
}

static bool take_tree(struct parser *p)
{
    if (!take_word(p, "/dts-v1/") || !need(p, ';'))
        return err_is_set(p->e) ? false : wrong(p, "expected /dts-v1/; first");
    if (!need(p, '/') || !need(p, '{') || !take_node(p, ""))
        return false;
    skip(p);
    return p->at >= p->end || wrong(p, "there is something behind the root node");
}

void *cell_dts_parse(const char *text, size_t size, size_t *fdt_size, struct err *e)
{
    struct parser p = {.at = text, .end = text + size, .line = 1, .e = e};
    p.fdt = calloc(1, FDT_SIZE);
    if (!p.fdt || fdt_create(p.fdt, FDT_SIZE) || fdt_finish_reservemap(p.fdt)) {
        err_set(e, "no memory");
    } else if (take_tree(&p) && put(&p, fdt_finish(p.fdt))) {
        *fdt_size = fdt_totalsize(p.fdt);
        return p.fdt;
    }
    free(p.fdt);
    return NULL;
}
