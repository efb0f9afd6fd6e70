// SPDX-License-Identifier: Apache-2.0
#include "dune/message.h"
#include "dune/raw.h"

static void put(struct line *t, char c)
{
    if (t->n + 1 < t->size)
        t->at[t->n++] = c;
}

static void put_number(struct line *t, u64 value, u32 base)
{
    char digits[24];
    u32 n = 0;
    do
        digits[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    while (n)
        put(t, digits[--n]);
}

static void put_signed(struct line *t, s64 value)
{
    if (value < 0)
        put(t, '-');
    put_number(t, value < 0 ? -(u64)value : (u64)value, 10);
}

static void put_string(struct line *t, const char *s)
{
    while (*s)
        put(t, *s++);
}

static const char *put_item(struct line *t, const char *format, va_list *ap)
{
    switch (*format) {
    case 's': put_string(t, va_arg(*ap, const char *)); break;
    case 'c': put(t, (char)va_arg(*ap, int)); break;
    case 'd': put_signed(t, va_arg(*ap, int)); break;
    case 'u': put_number(t, va_arg(*ap, u64), 10); break;
    case 'x':
        put_string(t, "0x");
        put_number(t, va_arg(*ap, u64), 16);
        break;
    case 'l':
        put_signed(t, va_arg(*ap, s64));
        format++;
        break;
    default: put(t, *format);
    }
    return format + 1;
}

void message_add_list(struct line *t, const char *format, va_list ap)
{
    va_list copy;
    va_copy(copy, ap);
    while (*format)
        if (*format == '%' && format[1])
            format = put_item(t, format + 1, &copy);
        else
            put(t, *format++);
    va_end(copy);
    if (t->size)
        t->at[t->n] = 0;
}

void message_add(struct line *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    message_add_list(t, format, ap);
    va_end(ap);
}

void message(const char *format, ...)
{
    char line[512];
    struct line t = {line, sizeof(line), 0};
    va_list ap;
    message_add(&t, "lh enter: ");
    va_start(ap, format);
    message_add_list(&t, format, ap);
    va_end(ap);
    message_add(&t, "\n");
    raw(SYS_write, 2, line, t.n);
}
