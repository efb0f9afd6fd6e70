// SPDX-License-Identifier: Apache-2.0
#include "hv/efi/words.h"
#include "hv/hv.h"
#include "hv/text.h"

void words_init(struct words *w)
{
    *w = (struct words){.system = "system.cell"};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The value, if the word of this length has the name.
static const char *value_of(const char *word, u32 length, const char *name)
{
    u32 n = (u32)strlen(name);
    return length > n && !memcmp(word, name, n) && word[n] == '=' ? word + n + 1 : NULL;
}

static bool take_name(char *to, const char *from, const char *end)
{
    u32 n = (u32)(end - from);
    if (!n || n >= WORDS_NAME_SIZE)
        return false;
    text_copy(to, n + 1, from);
    return true;
}

// Digits and M or G; a multiple of what cells' memory is made of.
static bool take_size(u64 *to, const char *from, const char *end)
{
    u64 n = 0;
    const char *p = from;
    for (; p < end && *p >= '0' && *p <= '9' && n < 1 << 20; p++)
        n = n * 10 + (u64)(*p - '0');
    if (p == from || p + 1 != end || (*p != 'M' && *p != 'G'))
        return false;
    *to = n << (*p == 'M' ? 20 : 30);
    return *to && !(*to % HV_BLOCK);
}

static bool take_word(struct words *w, const char *word, const char *end)
{
    u32 length = (u32)(end - word);
    const char *value;
    if ((value = value_of(word, length, "system")))
        return take_name(w->system, value, end);
    if ((value = value_of(word, length, "next")))
        return take_name(w->next, value, end);
    if ((value = value_of(word, length, "pool")))
        return take_size(&w->pool_size, value, end);
    if ((value = value_of(word, length, "show")))
        return w->shows_cpu = end - value == 9 && !memcmp(value, "processor", 9);
    return false;
}

// The rest of the line. Returns where it ends.
static const char *take_options(struct words *w, const char *from)
{
    u32 n = 0;
    while (*from == ' ' || *from == '\t')
        from++;
    for (; *from && *from != '\r' && *from != '\n' && n + 1 < WORDS_OPTIONS_SIZE; from++)
        w->next_options[n++] = *from;
    w->next_options[n] = 0;
    return from;
}

bool words_parse(struct words *w, const char *text, char *why, u32 why_size)
{
    while (*text) {
        const char *end = text;
        if (is_blank(*text)) {
            text++;
            continue;
        }
        while (*end && (*text == '#' ? *end != '\n' : !is_blank(*end)))
            end++;
        if (*text != '#' && !take_word(w, text, end)) {
            char word[WORDS_NAME_SIZE];
            u32 n = (u32)(end - text) + 1;
            text_copy(word, n < sizeof(word) ? n : sizeof(word), text);
            text_format(why, why_size,
                        "'%s' is none of system=FILE, pool=SIZE (a multiple of 32M), next=FILE and "
                        "show=processor",
                        word);
            return false;
        }
        text = value_of(text, (u32)(end - text), "next") ? take_options(w, end) : end;
    }
    return true;
}

static bool has_value(const char *text)
{
    for (; *text && !is_blank(*text); text++)
        if (*text == '=')
            return true;
    return false;
}

bool words_of_options(char *to, u32 size, const u16 *options, u32 options_size)
{
    u32 n = 0, i = 0;
    for (; i < options_size / 2 && options[i] && n + 1 < size; i++) {
        if (options[i] > '~' || (options[i] < ' ' && options[i] != '\t'))
            return false;
        to[n++] = (char)options[i];
    }
    to[n] = 0;
    if (!has_value(to)) {
        for (n = 0; to[n] && !is_blank(to[n]);)
            to[n++] = ' ';
    }
    for (n = 0; is_blank(to[n]);)
        n++;
    return to[n];
}
