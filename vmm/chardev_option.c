// SPDX-License-Identifier: Apache-2.0
#include "vmm/chardev_option.h"
#include "base/bug.h"
#include "base/option.h"
#include "vmm/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct type {
    const char *name, *console;
    enum { NO_PATH, PATH, NEEDS_PATH } path;
} types[] = {
    {"stdio", "stdio", NO_PATH},    {"pty", "pty", PATH},      {"file", "file", NEEDS_PATH},
    {"socket", "unix", NEEDS_PATH}, {"null", "null", NO_PATH},
};

static const struct type *find_type(const char *name, struct err *e)
{
    const char *names[ARRAY_LEN(types) + 1] = {NULL};
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        names[i] = types[i].name;
        if (!strcmp(names[i], name))
            return &types[i];
    }
    err_set(e, "no such console '%s'", name);
    err_suggest(e, name, names, "there are stdio, pty, file, socket and null");
    return NULL;
}

static char *copy(const char *text)
{
    char *c = strdup(text);
    BUG_ON(!c);
    return c;
}

// As part of a text that is taken apart at commas again.
static void put_escaped(FILE *to, const char *text)
{
    for (; *text; text++)
        fputs(*text == ',' ? ",," : (char[]){*text, 0}, to);
}

// Sorts the options: id and path are ours, the rest is added to `rest_to` as it is.
static void sort_options(char *options, char **id, char **path, FILE *rest_to)
{
    while (options) {
        const char *option = option_next(&options);
        if (!strncmp(option, "id=", 3)) {
            free(*id);
            *id = copy(option + 3);
        } else if (!strncmp(option, "path=", 5)) {
            free(*path);
            *path = copy(option + 5);
        } else {
            fputc(',', rest_to);
            put_escaped(rest_to, option);
        }
    }
}

static char *compose(const struct type *t, const char *path, const char *rest)
{
    char *text;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    BUG_ON(!to);
    fputs(t->console, to);
    if (path) {
        fputc(':', to);
        put_escaped(to, path);
    }
    fputs(rest, to);
    fclose(to);
    return text;
}

static bool parse(struct chardev_option *c, const struct type *t, char *options, struct err *e)
{
    char *rest, *path = NULL;
    size_t size;
    FILE *rest_to = open_memstream(&rest, &size);
    BUG_ON(!rest_to);
    sort_options(options, &c->id, &path, rest_to);
    fclose(rest_to);
    if (!c->id || !*c->id)
        err_set(e, "id= is missing");
    else if (path && t->path == NO_PATH)
        err_set(e, "%s has no path=", t->name);
    else if (!path && t->path == NEEDS_PATH)
        err_set(e, "path= is missing");
    else
        c->console = compose(t, path, rest);
    free(path);
    free(rest);
    return c->console;
}

bool chardev_option_parse(struct chardev_option *c, const char *text, struct err *e)
{
    *c = (struct chardev_option){0};
    char *words = copy(text), *rest = words;
    option_next(&rest);
    const struct type *t = find_type(words, e);
    bool ok = t && parse(c, t, rest, e);
    free(words);
    if (!ok)
        chardev_option_free(c);
    return ok || err_context(e, "-chardev %s", text);
}

void chardev_option_free(struct chardev_option *c)
{
    free(c->id);
    free(c->console);
    *c = (struct chardev_option){0};
}
