// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "base/bug.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reserve(struct text *t, size_t n)
{
    if (t->n + n < t->size)
        return;
    t->size = t->size ? t->size : 256;
    while (t->size <= t->n + n)
        t->size *= 2;
    t->bytes = realloc(t->bytes, t->size);
    BUG_ON(!t->bytes);
}

void text_add(struct text *t, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    BUG_ON(n < 0);
    reserve(t, (size_t)n);
    vsnprintf(t->bytes + t->n, (size_t)n + 1, format, again);
    t->n += (size_t)n;
    va_end(again);
    va_end(ap);
}

void text_add_bytes(struct text *t, const void *bytes, size_t n)
{
    reserve(t, n);
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
    t->bytes[t->n] = 0;
}

void text_pad(struct text *t, size_t column)
{
    size_t begin = t->n;
    while (begin && t->bytes[begin - 1] != '\n')
        begin--;
    while (t->n - begin < column)
        text_add_bytes(t, " ", 1);
}

const char *text_string(const struct text *t)
{
    return t->n ? t->bytes : "";
}

void text_clear(struct text *t)
{
    t->n = 0;
}

void text_free(struct text *t)
{
    free(t->bytes);
    *t = (struct text){0};
}
