// SPDX-License-Identifier: Apache-2.0
// Fills a template with what the program's tables say: gen_docs TEMPLATE OUTPUT. Each @name@ in the
// template is one part.
#include "tools/gen_docs.h"
#include "base/types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void write_version(FILE *to)
{
    fputs(LH_VERSION, to);
}

static const struct doc_part own_parts[] = {{"version", write_version}, {0}};

static const struct doc_part *find_part(const char *name, size_t n)
{
    static const struct doc_part *const lists[] = {own_parts, man_parts, bash_parts};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (const struct doc_part *p = lists[i]; p->name; p++)
            if (strlen(p->name) == n && !memcmp(p->name, name, n))
                return p;
    return NULL;
}

// Length of the name if `at` is "@name@", else 0.
static size_t part_name(const char *at)
{
    size_t n = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz-");
    return *at == '@' && at[1 + n] == '@' ? n : 0;
}

// False if a part has no such name.
static bool fill_line(const char *at, FILE *to)
{
    while (*at) {
        size_t n = part_name(at);
        if (!n) {
            fputc(*at++, to);
            continue;
        }
        const struct doc_part *p = find_part(at + 1, n);
        if (!p) {
            fprintf(stderr, "gen_docs: no part '%.*s'\n", (int)n, at + 1);
            return false;
        }
        p->write(to);
        at += n + 2;
    }
    return true;
}

// The head of a template says how templates work; what is made of it is none.
static bool is_about_templates(const char *line, unsigned number)
{
    return number < 6 && (strstr(line, "@word@") || strstr(line, " tables."));
}

int main(int argc, char **argv)
{
    char line[1024];
    bool ok = true;
    FILE *from = argc == 3 ? fopen(argv[1], "re") : NULL, *to = from ? fopen(argv[2], "we") : NULL;
    if (!to) {
        fprintf(stderr, "usage: gen_docs TEMPLATE OUTPUT (%s)\n", strerror(errno));
        return 1;
    }
    for (unsigned i = 1; ok && fgets(line, sizeof(line), from); i++)
        ok = is_about_templates(line, i) || fill_line(line, to);
    ok = !fclose(to) && ok;
    fclose(from);
    return !ok;
}
