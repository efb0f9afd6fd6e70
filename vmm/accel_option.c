// SPDX-License-Identifier: Apache-2.0
#include "vmm/accel_option.h"
#include "base/bug.h"
#include "base/option.h"
#include "vmm/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAMES 32

const struct accel_doc accel_docs[] = {
#define ACCEL(name, kind, doc) {name, doc, kind},
#include "vmm/accels.def"
#undef ACCEL
    {0},
};

#define N_COMMON 1 // properties before the translator's own
#define LINKS_DOC                                                                              \
    "whether sc fails after every store of others to the line, or only if memory has another " \
    "value (default: value)"
#define JIT_SWITCH(name, field, on, doc) {name, doc, {"on", "off"}},
#define JIT_NUMBER(name, field, doc)     {name, doc, {NULL}},
const struct accel_property accel_jit_properties[] = {
    {"llsc", LINKS_DOC, {"exact", "value"}},
#include "jit/jit_options.def"
    {0},
};
#undef JIT_SWITCH
#undef JIT_NUMBER

// Where the value of each property goes, in the same order.
static const struct field {
    size_t offset;
    bool on; // value of a switch that is on
} fields[] = {
#define JIT_SWITCH(name, field, on, doc) {offsetof(struct jit_options, field), on},
#define JIT_NUMBER(name, field, doc)     {offsetof(struct jit_options, field), false},
#include "jit/jit_options.def"
#undef JIT_SWITCH
#undef JIT_NUMBER
};

static const struct accel_doc *find_accel(const char *name, struct err *e)
{
    const char *names[MAX_NAMES] = {NULL};
    for (size_t i = 0; accel_docs[i].name; i++) {
        BUG_ON(i + 1 >= MAX_NAMES);
        names[i] = accel_docs[i].name;
        if (!strcmp(name, names[i]))
            return &accel_docs[i];
    }
    err_set(e, "-accel: there is no '%s'", name);
    err_suggest(e, name, names, "-accel help lists them");
    return NULL;
}

static bool find_property(const struct accel_option *to, const char *accel, const char *name,
                          size_t *index, struct err *e)
{
    const char *names[MAX_NAMES] = {NULL};
    const size_t n = to->kind == ACCEL_JIT ? ARRAY_LEN(accel_jit_properties) - 1 : N_COMMON;
    for (size_t i = 0; i < n; i++) {
        BUG_ON(i + 1 >= MAX_NAMES);
        names[i] = accel_jit_properties[i].name;
        *index = i;
        if (!strcmp(name, names[i]))
            return true;
    }
    err_set(e, "-accel %s: no property '%s'", accel, name);
    return err_suggest(e, name, names, "-accel help lists them");
}

static bool parse_number(const char *name, const char *value, u32 *to, struct err *e)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || n > UINT32_MAX)
        return err_set(e, "-accel jit: %s=%s: write a number", name, value);
    *to = (u32)n;
    return true;
}

static bool parse_links(const char *accel, const char *value, bool *exact, struct err *e)
{
    *exact = !strcmp(value, "exact");
    return *exact || !strcmp(value, "value") ||
           err_set(e, "-accel %s: llsc=%s: only exact and value are there", accel, value);
}

static bool set_property(struct accel_option *to, const char *accel, char *text, struct err *e)
{
    const char *value = option_value(text);
    size_t i;
    if (!find_property(to, accel, text, &i, e))
        return false;
    if (i < N_COMMON)
        return parse_links(accel, value, &to->exact_links, e);
    char *field = (char *)&to->jit + fields[i - N_COMMON].offset;
    if (!accel_jit_properties[i].values[0])
        return parse_number(text, value, (u32 *)(void *)field, e);
    bool on = false;
    if (!option_bool(text, value, &on, e))
        return err_context(e, "-accel %s", accel);
    *(bool *)field = on == fields[i - N_COMMON].on;
    return true;
}

static bool set_properties(struct accel_option *to, const char *name, char *rest, struct err *e)
{
    if (rest && to->kind != ACCEL_JIT && to->kind != ACCEL_INTERP)
        return err_set(e, "-accel %s: it has no properties, and '%s' was given", name, rest);
    while (rest)
        if (!set_property(to, name, option_next(&rest), e))
            return false;
    to->jit.exact_links = to->exact_links;
    return true;
}

bool accel_option_parse(const char *text, struct accel_option *to, struct err *e)
{
    *to = (struct accel_option){0};
    if (!text)
        return true;
    char *copy = strdup(text), *rest = copy;
    BUG_ON(!copy);
    const struct accel_doc *a = find_accel(option_next(&rest), e);
    if (a)
        to->kind = a->kind;
    bool ok = a && set_properties(to, a->name, rest, e);
    free(copy);
    return ok;
}

void accel_option_help(FILE *to)
{
    for (const struct accel_doc *a = accel_docs; a->name; a++)
        fprintf(to, "  %-12s %s\n", a->name, a->doc);
    fprintf(
        to,
        "Properties of the translator, each jit,NAME=VALUE; the first also interp,NAME=VALUE:\n");
    for (const struct accel_property *p = accel_jit_properties; p->name; p++)
        fprintf(to, "  %-12s %s\n", p->name, p->doc);
}
