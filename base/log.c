// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *doc;
} classes[LOG_N_CLASSES] = {
#define X(id, name, doc) {#name, doc},
    LOG_CLASSES(X)
#undef X
};

// True if this message of a guest's fault is still to be shown.
static bool guest_may_speak(struct log *l)
{
    return atomic_fetch_add_explicit(&l->n_guest, 1, memory_order_relaxed) < LOG_GUEST_LIMIT;
}

void log_write(struct log *l, enum log_class c, const char *format, ...)
{
    if (!l || !l->sink || ((c == LOG_GUEST || c == LOG_UNIMP) && !guest_may_speak(l)))
        return;
    char line[512];
    int n = snprintf(line, sizeof(line), "%s: ", classes[c].name);
    va_list ap;
    va_start(ap, format);
    vsnprintf(line + n, sizeof(line) - (size_t)n, format, ap);
    va_end(ap);
    l->sink(l->opaque, line);
}

int log_class_find(const char *name)
{
    for (int i = 0; i < LOG_N_CLASSES; i++)
        if (!strcmp(classes[i].name, name))
            return i;
    return -1;
}

const char *log_class_name(enum log_class c)
{
    return classes[c].name;
}

const char *log_class_doc(enum log_class c)
{
    return classes[c].doc;
}
