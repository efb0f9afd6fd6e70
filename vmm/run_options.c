// SPDX-License-Identifier: Apache-2.0
#include "vmm/run_options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct option run_option_table[] = {
#define GROUP(heading) {.kind = OPTION_GROUP, .name = heading},
#define OPTION(field, name, other, argument, kind, values, doc, more) \
    {OPTION_##kind, name, other, argument, offsetof(struct run_options, field), values, doc, more},
#include "vmm/options.def"
#undef GROUP
#undef OPTION
    {.kind = OPTION_GROUP},
};

static const char *skip_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    return strncmp(text, word, n) ? text : text + n;
}

static bool parse_number(const char *text, u64 *number, char **rest)
{
    errno = 0;
    *number = strtoull(text, rest, 0);
    return isdigit((unsigned char)text[0]) && !errno;
}

bool run_memory_size(const char *text, u64 *bytes, struct err *e)
{
    u64 n;
    char *rest;
    if (parse_number(skip_word(text, "size="), &n, &rest)) {
        const char *suffixes = "KMGT", *s = strchr(suffixes, toupper((unsigned char)*rest));
        unsigned shift = *rest && s ? 10 * (unsigned)(s - suffixes + 1) : 20;
        rest += *rest && s;
        rest += shift != 20 && (*rest == 'B' || *rest == 'b');
        if (!*rest && n && (n << shift) >> shift == n) {
            *bytes = n << shift;
            return true;
        }
    }
    return err_set(e, "-m '%s': not a size; write 1G or 512M", text);
}

bool run_cpu_count(const char *text, unsigned *n, struct err *e)
{
    u64 count;
    char *rest;
    if (!parse_number(skip_word(text, "cpus="), &count, &rest) || *rest || !count || count > 1024)
        return err_set(e, "-smp '%s': not a number of processors; write 2", text);
    *n = (unsigned)count;
    return true;
}

static bool add_class(const char *name, u32 *enabled, struct err *e)
{
    int c = log_class_find(name);
    if (c >= 0) {
        *enabled |= 1u << c;
        return true;
    }
    const char *names[LOG_N_CLASSES + 1] = {NULL};
    for (int i = 0; i < LOG_N_CLASSES; i++)
        names[i] = log_class_name(i);
    err_set(e, "-d: no log class '%s'", name);
    return err_suggest(e, name, names, "-d help lists them");
}

bool run_log_classes(const char *text, u32 *enabled, struct err *e)
{
    char *copy = strdup(text), *rest = copy;
    bool ok = true;
    for (char *name; ok && (name = strsep(&rest, ","));)
        ok = !*name || add_class(name, enabled, e);
    free(copy);
    return ok;
}

const char *run_name(const char *text)
{
    return skip_word(text, "guest=");
}
