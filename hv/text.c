// SPDX-License-Identifier: Apache-2.0
#include "hv/text.h"

struct sink {
    char *to;
    u32 n, size;
};

static void put(struct sink *s, char c)
{
    if (s->n + 1 < s->size)
        s->to[s->n++] = c;
}

static void put_text(struct sink *s, const char *text, unsigned width)
{
    unsigned n = 0;
    for (; text[n]; n++)
        put(s, text[n]);
    for (; n < width; n++)
        put(s, ' ');
}

static void put_number(struct sink *s, u64 value, unsigned base, unsigned width, char fill)
{
    char digits[24];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (unsigned i = n; i < width; i++)
        put(s, fill);
    while (n)
        put(s, digits[--n]);
}

static void put_signed(struct sink *s, s64 value, unsigned width)
{
    if (value < 0)
        put(s, '-');
    put_number(s, value < 0 ? -(u64)value : (u64)value, 10, width, ' ');
}

// One conversion; `f` is behind the percent sign. Returns what is behind the conversion.
static const char *convert(struct sink *s, const char *f, va_list *args)
{
    char fill = *f == '0' ? '0' : ' ';
    unsigned width = 0;
    bool is_long = false;
    for (; *f >= '0' && *f <= '9'; f++)
        width = width * 10 + (unsigned)(*f - '0');
    for (; *f == 'l'; f++)
        is_long = true;
    switch (*f) {
    case 's': put_text(s, va_arg(*args, const char *), width); break;
    case 'c': put(s, (char)va_arg(*args, int)); break;
    case 'd': put_signed(s, is_long ? va_arg(*args, long) : va_arg(*args, int), width); break;
    case 'u':
    case 'x':
        put_number(s, is_long ? va_arg(*args, u64) : va_arg(*args, u32), *f == 'x' ? 16 : 10, width,
                   fill);
        break;
    case '%': put(s, '%'); break;
    default: return f;
    }
    return f + 1;
}

u32 text_format_list(char *to, u32 size, const char *format, va_list args)
{
    struct sink s = {to, 0, size};
    va_list rest;
    va_copy(rest, args);
    while (*format) {
        if (*format == '%')
            format = convert(&s, format + 1, &rest);
        else
            put(&s, *format++);
    }
    va_end(rest);
    if (size)
        to[s.n] = 0;
    return s.n;
}

u32 text_format(char *to, u32 size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    u32 n = text_format_list(to, size, format, args);
    va_end(args);
    return n;
}

void text_copy(char *to, u32 size, const char *from)
{
    u32 n = 0;
    for (; n + 1 < size && from[n]; n++)
        to[n] = from[n];
    if (size)
        to[n] = 0;
}
