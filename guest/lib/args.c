// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/args.h"
#include "guest/lib/text.h"

static char line[512];

void args_init(const char *command_line)
{
    size_t n = 0;
    for (; n + 1 < sizeof(line) && command_line[n]; n++)
        line[n] = command_line[n];
    line[n] = 0;
}

static bool ends_word(char c)
{
    return c == 0 || c == ' ';
}

// What follows `start` where it begins a word, or NULL.
static const char *after(const char *start)
{
    size_t n = strlen(start);
    for (const char *p = line; *p; p++)
        if ((p == line || p[-1] == ' ') && !strncmp(p, start, n))
            return p + n;
    return NULL;
}

static const char *value_of(const char *name)
{
    const char *p = after(name);
    return p && *p == '=' ? p + 1 : NULL;
}

bool args_has(const char *word)
{
    const char *p = after(word);
    return p && ends_word(*p);
}

u64 args_number(const char *name, u64 missing)
{
    const char *p = value_of(name);
    if (!p)
        return missing;
    u64 n = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        n = n * 10 + (u64)(*p - '0');
    return n;
}

bool args_is(const char *name, const char *value)
{
    const char *p = value_of(name);
    size_t n = strlen(value);
    return p && !strncmp(p, value, n) && ends_word(p[n]);
}
