// SPDX-License-Identifier: Apache-2.0
#include "vmm/options.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

static bool is_end(const struct option *o)
{
    return o->kind == OPTION_GROUP && !o->name;
}

#define for_each_option(o, table)                           \
    for (const struct option *o = (table); !is_end(o); o++) \
        if (o->kind != OPTION_GROUP)

// Number of single-letter edits between two short words.
static unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[33], n = (unsigned)strlen(b);
    if (n > 32 || strlen(a) > 32)
        return ~0u;
    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            unsigned change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            unsigned insert_or_delete = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < insert_or_delete ? change : insert_or_delete;
        }
    }
    return row[n];
}

const char *nearest_name(const char *word, const char *const *names)
{
    const char *best = NULL;
    unsigned least = (unsigned)strlen(word) / 2 + 1;
    for (; *names; names++) {
        unsigned d = edit_distance(word, *names);
        if (d <= least && (!best || d < least)) {
            best = *names;
            least = d;
        }
    }
    return best;
}

static bool unknown_option(const struct option *table, const char *word, struct err *e)
{
    const char *names[128];
    size_t n = 0;
    for_each_option(o, table)
    {
        BUG_ON(n + 3 > ARRAY_LEN(names));
        names[n++] = o->name;
        if (o->other_name)
            names[n++] = o->other_name;
    }
    names[n] = NULL;
    const char *nearest = nearest_name(word, names);
    if (nearest)
        return err_set(e, "unknown option '-%s'; did you mean '-%s'?", word, nearest);
    return err_set(e, "unknown option '-%s'; --help lists them", word);
}

static const struct option *option_find(const struct option *table, const char *name, size_t n)
{
    for_each_option(o, table)
    {
        if (strlen(o->name) == n && !strncmp(o->name, name, n))
            return o;
        if (o->other_name && strlen(o->other_name) == n && !strncmp(o->other_name, name, n))
            return o;
    }
    return NULL;
}

static void store(const struct option *o, void *into, const char *text)
{
    void *field = (u8 *)into + o->offset;
    if (o->kind == OPTION_FLAG) {
        *(bool *)field = true;
    } else if (o->kind == OPTION_TEXT) {
        *(const char **)field = text;
    } else {
        struct option_list *l = field;
        l->texts = realloc(l->texts, (l->n + 1) * sizeof(*l->texts));
        BUG_ON(!l->texts);
        l->texts[l->n++] = text;
    }
}

static bool store_positional(const struct option *table, const char *name, const char *word,
                             void *into, struct err *e)
{
    const struct option *o = option_find(table, name, strlen(name));
    BUG_ON(!o || o->kind != OPTION_TEXT);
    const char *before = *(const char **)((u8 *)into + o->offset);
    if (before)
        return err_set(e, "'%s': the %s is already '%s'", word, name, before);
    store(o, into, word);
    return true;
}

// One option at argv[*at]; *at ends on its last word.
static bool parse_option(const struct option *table, int argc, char **argv, int *at, void *into,
                         struct err *e)
{
    const char *word = argv[*at] + 1 + (argv[*at][1] == '-');
    size_t n = strcspn(word, "=");
    const struct option *o = option_find(table, word, strlen(word));
    const char *value = NULL;
    if (!o && word[n]) {
        o = option_find(table, word, n);
        value = word + n + 1;
    }
    if (!o)
        return unknown_option(table, word, e);
    if (o->kind == OPTION_FLAG && value)
        return err_set(e, "option '-%s' takes no value", o->name);
    if (o->kind != OPTION_FLAG && !value) {
        if (*at + 1 >= argc)
            return err_set(e, "option '-%s' needs a value: -%s %s", o->name, o->name, o->argument);
        value = argv[++*at];
    }
    store(o, into, value);
    return true;
}

bool options_parse(const struct option *table, const char *positional, int argc, char **argv,
                   void *into, struct err *e)
{
    for (int i = 0; i < argc; i++) {
        bool is_option = argv[i][0] == '-' && argv[i][1];
        if (!(is_option ? parse_option(table, argc, argv, &i, into, e)
                        : store_positional(table, positional, argv[i], into, e)))
            return false;
    }
    return true;
}

void options_free(const struct option *table, void *into)
{
    for_each_option(o, table)
    {
        if (o->kind == OPTION_LIST)
            free(((struct option_list *)(void *)((u8 *)into + o->offset))->texts);
    }
}

void options_print(const struct option *table, FILE *to)
{
    for (const struct option *o = table; !is_end(o); o++) {
        if (o->kind == OPTION_GROUP) {
            fprintf(to, "\n%s:\n", o->name);
            continue;
        }
        fprintf(to, "  -%s", o->name);
        if (o->other_name)
            fprintf(to, ", -%s", o->other_name);
        fprintf(to, "%s%s\n        %s\n", o->argument ? " " : "", o->argument ? o->argument : "",
                o->doc);
    }
}
