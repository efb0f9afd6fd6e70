// SPDX-License-Identifier: Apache-2.0
#include "vmm/options.h"
#include "base/bug.h"

#include <stdlib.h>
#include <string.h>

#define for_each_option(o, table)                                   \
    for (const struct option *o = (table); !options_at_end(o); o++) \
        if (o->kind != OPTION_GROUP)

// One command line on its way into a struct.
struct parser {
    const struct option *table, *positional;
    int argc, at;
    char **argv;
    const char *word;   // the one that was no option, NULL so far
    const char *dashes; // in front of the option that is being read
    void *into;
    struct err *e;
};

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
    unsigned least = (unsigned)strlen(word) / 2;
    for (; *names; names++) {
        unsigned d = edit_distance(word, *names);
        if (d <= least && d < strlen(*names) && (!best || d < least)) {
            best = *names;
            least = d;
        }
    }
    return best;
}

bool err_suggest(struct err *e, const char *word, const char *const *names, const char *remedy)
{
    char front[sizeof(e->text)];
    memcpy(front, e->text, sizeof(front));
    const char *nearest = nearest_name(word, names);
    if (nearest)
        return err_set(e, "%s; did you mean %s?", front, nearest);
    return err_set(e, "%s; %s", front, remedy);
}

static bool unknown_option(const struct parser *p, const char *text)
{
    const char *names[128];
    size_t n = 0;
    char word[64];
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, "="), text);
    for_each_option(o, p->table)
    {
        BUG_ON(n + 3 > ARRAY_LEN(names));
        names[n++] = o->name;
        if (o->other_name)
            names[n++] = o->other_name;
    }
    names[n] = NULL;
    const char *nearest = nearest_name(word, names);
    if (nearest)
        return err_set(p->e, "unknown option '%s%s'; did you mean '%s%s'?", p->dashes, word,
                       p->dashes, nearest);
    return err_set(p->e, "unknown option '%s%s'; --help lists them", p->dashes, word);
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

static bool given_twice(const struct parser *p, const char *word, const char *before)
{
    return err_set(p->e, "'%s': the %s is '%s' already; give one", word, p->positional->name,
                   before);
}

static bool parse_positional(struct parser *p, const char *word)
{
    const char *before = *(const char **)((u8 *)p->into + p->positional->offset);
    if (before)
        return given_twice(p, word, before);
    p->word = word;
    store(p->positional, p->into, word);
    return true;
}

static bool parse_value(struct parser *p, const struct option *o, const char *value)
{
    if (o->kind == OPTION_FLAG && value)
        return err_set(p->e, "option '%s%s' takes no value", p->dashes, o->name);
    if (o->kind != OPTION_FLAG && !value) {
        if (p->at + 1 >= p->argc)
            return err_set(p->e, "option '%s%s' needs a value: %s%s %s", p->dashes, o->name,
                           p->dashes, o->name, o->argument);
        value = p->argv[++p->at];
    }
    if (o == p->positional && p->word)
        return given_twice(p, value, p->word);
    store(o, p->into, value);
    return true;
}

// One option at argv[at]; `at` ends on its last word.
static bool parse_option(struct parser *p)
{
    const char *word = p->argv[p->at] + 1 + (p->argv[p->at][1] == '-');
    p->dashes = p->argv[p->at][1] == '-' ? "--" : "-";
    size_t n = strcspn(word, "=");
    const struct option *o = option_find(p->table, word, n);
    if (!o)
        return unknown_option(p, word);
    return parse_value(p, o, word[n] ? word + n + 1 : NULL);
}

bool options_parse(const struct option *table, const char *positional, int argc, char **argv,
                   void *into, struct err *e)
{
    struct parser p = {.table = table, .argc = argc, .argv = argv, .into = into, .e = e};
    p.positional = option_find(table, positional, strlen(positional));
    BUG_ON(!p.positional || p.positional->kind != OPTION_TEXT);
    bool all_words = false;
    for (; p.at < argc; p.at++) {
        const char *arg = argv[p.at];
        if (!all_words && !strcmp(arg, "--"))
            all_words = true;
        else if (!(!all_words && arg[0] == '-' && arg[1] ? parse_option(&p)
                                                         : parse_positional(&p, arg)))
            return false;
    }
    return true;
}

void options_free(const struct option *table, void *into)
{
    for_each_option(o, table)
    {
        if (o->kind != OPTION_LIST)
            continue;
        struct option_list *l = (void *)((u8 *)into + o->offset);
        free(l->texts);
        *l = (struct option_list){0};
    }
}

static const char *dashes_of(const char *name, const char *dashes)
{
    return name[1] ? dashes : "-";
}

void option_print(const struct option *o, const char *dashes, FILE *to)
{
    fprintf(to, "  %s%s", dashes_of(o->name, dashes), o->name);
    if (o->other_name)
        fprintf(to, ", %s%s", dashes_of(o->other_name, dashes), o->other_name);
    fprintf(to, "%s%s\n        %s\n", o->argument ? " " : "", o->argument ? o->argument : "",
            o->doc);
}

void options_print(const struct option *table, const char *dashes, FILE *to)
{
    for (const struct option *o = table; !options_at_end(o); o++) {
        if (o->kind == OPTION_GROUP)
            fprintf(to, "\n%s:\n", o->name);
        else
            option_print(o, dashes, to);
    }
}
