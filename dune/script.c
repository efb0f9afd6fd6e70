// SPDX-License-Identifier: Apache-2.0
#include "dune/script.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool script_parse(struct script *s, const u8 *head, u64 size)
{
    char line[SCRIPT_LINE];
    u64 limit = size < sizeof(line) - 1 ? size : sizeof(line) - 1;
    if (size < 2 || head[0] != '#' || head[1] != '!')
        return false;
    memcpy(line, head, limit);
    line[limit] = 0;
    char *end = memchr(line, '\n', limit);
    if (!end && size > limit) // as long as it may be: the interpreter's name must be whole
        end = strpbrk(line + 2 + strspn(line + 2, " \t"), " \t") ? line + limit : NULL;
    else if (!end)
        end = line + limit;
    if (!end)
        return false;
    *end = 0;
    char *name = line + 2 + strspn(line + 2, " \t");
    char *rest = name + strcspn(name, " \t");
    while (end > rest && is_blank(end[-1]))
        *--end = 0;
    if (*rest)
        *rest++ = 0;
    rest += strspn(rest, " \t");
    memcpy(s->interpreter, name, strlen(name) + 1);
    memcpy(s->argument, rest, strlen(rest) + 1);
    return *name;
}
