// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool err_set(struct err *e, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(e->text, sizeof(e->text), format, ap);
    va_end(ap);
    return false;
}

bool err_context(struct err *e, const char *format, ...)
{
    char front[sizeof(e->text)];
    va_list ap;
    va_start(ap, format);
    vsnprintf(front, sizeof(front), format, ap);
    va_end(ap);

    char whole[2 * sizeof(e->text) + 3];
    snprintf(whole, sizeof(whole), "%s: %s", front, e->text);
    memcpy(e->text, whole, sizeof(e->text) - 1);
    e->text[sizeof(e->text) - 1] = 0;
    return false;
}
