// SPDX-License-Identifier: Apache-2.0
// The options of `lh guest fetch`, from the usage text that the script prints: lines "  --name ARG
// text", continued by lines that are indented further.
#include "tools/gen_docs.h"
#include "base/bug.h"
#include "vmm/guest.h"

#include <stdbool.h>
#include <string.h>

#define USAGE_BEGINS "usage() {\n    cat << 'END'\n"
#define USAGE_ENDS   "\nEND\n"

static void add_text(struct fetch_option *o, const char *at, size_t n)
{
    size_t have = strlen(o->text);
    BUG_ON(have + n + 2 > sizeof(o->text));
    snprintf(o->text + have, sizeof(o->text) - have, "%s%.*s", have ? " " : "", (int)n, at);
}

// "--name ARG   text": the text is two blanks or more away.
static void begin(struct fetch_option *o, const char *at, size_t n)
{
    *o = (struct fetch_option){0};
    size_t name = strcspn(at, " \n");
    snprintf(o->name, sizeof(o->name), "%.*s", (int)name, at);
    if (at[name] == ' ' && at[name + 1] != ' ') {
        const char *argument = at + name + 1;
        name += 1 + strcspn(argument, " \n");
        snprintf(o->argument, sizeof(o->argument), "%.*s", (int)(at + name - argument), argument);
    }
    name += strspn(at + name, " ");
    add_text(o, at + name, n - name);
}

void fetch_options(void (*each)(const struct fetch_option *o, FILE *to), FILE *to)
{
    const char *at = strstr(guest_fetch_script, USAGE_BEGINS);
    BUG_ON(!at);
    at += strlen(USAGE_BEGINS);
    const char *end = strstr(at, USAGE_ENDS);
    BUG_ON(!end);
    struct fetch_option option = {0};
    for (size_t n; at < end; at += n + 1) {
        n = strcspn(at, "\n");
        size_t indent = strspn(at, " ");
        bool is_option = !strncmp(at, "  --", 4), continues = option.name[0] && indent > 4;
        if (!continues && option.name[0])
            each(&option, to);
        if (is_option)
            begin(&option, at + indent, n - indent);
        else if (continues)
            add_text(&option, at + indent, n - indent);
        else
            option.name[0] = 0;
    }
    if (option.name[0])
        each(&option, to);
}
