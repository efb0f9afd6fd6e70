// SPDX-License-Identifier: Apache-2.0
#include "guest/lib/print.h"
#include "base/types.h"

struct field {
    bool zero_padded, is_long;
    unsigned width;
};

static void put_padded(const char *text, unsigned n, struct field f)
{
    for (unsigned i = n; i < f.width; i++)
        console_put(f.zero_padded ? '0' : ' ');
    for (unsigned i = 0; i < n; i++)
        console_put(text[i]);
}

static void put_number(u64 value, unsigned base, bool is_negative, struct field f)
{
    char text[24];
    unsigned at = sizeof(text);
    do {
        text[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (is_negative)
        text[--at] = '-';
    put_padded(text + at, sizeof(text) - at, f);
}

static void put_text(const char *text, struct field f)
{
    unsigned n = 0;
    while (text[n])
        n++;
    put_padded(text, n, f);
}

static const char *read_field(const char *p, struct field *f)
{
    *f = (struct field){0};
    if (*p == '0') {
        f->zero_padded = true;
        p++;
    }
    for (; *p >= '0' && *p <= '9'; p++)
        f->width = f->width * 10 + (unsigned)(*p - '0');
    for (; *p == 'l'; p++)
        f->is_long = true;
    return p;
}

static void put_signed(s64 value, struct field f)
{
    put_number(value < 0 ? 0 - (u64)value : (u64)value, 10, value < 0, f);
}

// va_list is an array on some machines and a pointer on others; inside a struct it can be handed
// on.
struct arguments {
    va_list list;
};

static u64 next_unsigned(struct arguments *a, struct field f)
{
    return f.is_long ? va_arg(a->list, unsigned long) : va_arg(a->list, unsigned);
}

static s64 next_signed(struct arguments *a, struct field f)
{
    return f.is_long ? va_arg(a->list, long) : va_arg(a->list, int);
}

static void put_conversion(char kind, struct field f, struct arguments *a)
{
    switch (kind) {
    case 'd': put_signed(next_signed(a, f), f); break;
    case 'u': put_number(next_unsigned(a, f), 10, false, f); break;
    case 'x': put_number(next_unsigned(a, f), 16, false, f); break;
    case 'p': put_number((u64)va_arg(a->list, void *), 16, false, f); break;
    case 'c': console_put((char)va_arg(a->list, int)); break;
    case 's': put_text(va_arg(a->list, const char *), f); break;
    default: console_put(kind); break;
    }
}

void print_v(const char *format, va_list arguments)
{
    struct arguments a;
    va_copy(a.list, arguments);
    for (const char *p = format; *p; p++) {
        if (*p != '%') {
            console_put(*p);
            continue;
        }
        struct field f;
        p = read_field(p + 1, &f);
        put_conversion(*p, f, &a);
    }
    va_end(a.list);
}

void print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_v(format, arguments);
    va_end(arguments);
}
