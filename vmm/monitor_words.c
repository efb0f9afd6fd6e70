// SPDX-License-Identifier: Apache-2.0
#include "vmm/monitor_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME 32

static bool add_word(struct monitor_words *w, const char *word, struct err *e)
{
    if (w->n == MONITOR_MAX_WORDS)
        return err_set(e, "too many words: a command has at most %d", MONITOR_MAX_WORDS);
    w->word[w->n++] = word;
    return true;
}

static bool bad_format(const char *text, struct err *e)
{
    return err_set(e,
                   "'%.40s' is not a format; write /8xg: how many, one of x d u o c i (how shown), "
                   "one of b h w g (1, 2, 4, 8 bytes)",
                   text);
}

static bool add_command(struct monitor_words *w, char *word, struct err *e)
{
    char *slash = strchr(word, '/');
    if (!slash || slash == word)
        return add_word(w, word, e);
    if (strlen(slash) >= sizeof(w->format))
        return bad_format(slash, e);
    strcpy(w->format, slash);
    *slash = 0;
    return add_word(w, word, e) && add_word(w, w->format, e);
}

bool monitor_split(char *line, struct monitor_words *w, struct err *e)
{
    *w = (struct monitor_words){0};
    for (char *word; (word = strsep(&line, " "));)
        if (*word && !(w->n ? add_word(w, word, e) : add_command(w, word, e)))
            return false;
    return true;
}

// Decimal, or hexadecimal with 0x; a zero in front means nothing. *end is behind the number.
static bool plain_number(const char *text, u64 *value, const char **end)
{
    bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = is_hex ? text + 2 : text;
    char *rest;
    if (!(is_hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)))
        return false;
    errno = 0;
    *value = strtoull(digits, &rest, is_hex ? 16 : 10);
    *end = rest;
    return !errno;
}

static bool named_number(const char *text, const struct monitor_registers *r, u64 *value,
                         const char **end, struct err *e)
{
    char name[MAX_NAME];
    size_t n = strcspn(text, "+-");
    if (n < sizeof(name)) {
        memcpy(name, text, n);
        name[n] = 0;
        *end = text + n;
        if (r && r->get(r->opaque, name, value))
            return true;
    }
    return err_set(e, "'$%.40s': there is no such register; $pc, $sp, $a0 or $era are", text);
}

static bool not_a_number(const char *text, const struct monitor_registers *r, struct err *e)
{
    u64 value;
    if (r && r->get(r->opaque, text, &value))
        return err_set(e, "'%.60s' is not a number; the register is $%.60s", text, text);
    return err_set(e, "'%.60s' is not a number; write 0x1000, 4096, $sp or $sp+16", text);
}

bool monitor_number(const char *text, const struct monitor_registers *r, u64 *value, struct err *e)
{
    const char *at = text;
    char sign = '+';
    u64 sum = 0, term = 0;
    for (;;) {
        if (*at == '$') {
            if (!named_number(at + 1, r, &term, &at, e))
                return false;
        } else if (!plain_number(at, &term, &at)) {
            return not_a_number(text, r, e);
        }
        sum = sign == '+' ? sum + term : sum - term;
        if (!*at)
            break;
        if (*at != '+' && *at != '-')
            return not_a_number(text, r, e);
        sign = *at++;
    }
    *value = sum;
    return true;
}

bool monitor_count(const char *text, u64 max, const char *what, u64 *value, struct err *e)
{
    const char *end;
    if (plain_number(text, value, &end) && !*end && *value <= max)
        return true;
    return err_set(e, "'%.60s' is not %s; write a number up to %llu", text, what,
                   (unsigned long long)max);
}

static unsigned size_of(char letter)
{
    switch (letter) {
    case 'b': return 1;
    case 'h': return 2;
    case 'w': return 4;
    case 'g': return 8;
    default: return 0;
    }
}

static bool format_letter(struct monitor_format *f, char letter)
{
    if (size_of(letter))
        f->size = size_of(letter);
    else if (letter && strchr("xduoci", letter))
        f->format = letter;
    else
        return false;
    return true;
}

bool monitor_format_parse(const char *text, struct monitor_format *f, struct err *e)
{
    const char *at = text + 1;
    u64 count;
    if (text[0] != '/' || !*at)
        return bad_format(text, e);
    if (isdigit((unsigned char)*at)) {
        if (!plain_number(at, &count, &at) || !count || count > MONITOR_MAX_FORMAT)
            return err_set(e, "'%.40s': one command shows 1 to %d units", text, MONITOR_MAX_FORMAT);
        f->count = (unsigned)count;
    }
    for (; *at; at++)
        if (!format_letter(f, *at))
            return bad_format(text, e);
    return true;
}
