// SPDX-License-Identifier: Apache-2.0
#include "dev/device.h"
#include "base/bug.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEV(name) extern const struct device_type name;
#include "dev/devices.def"
#undef DEV

static const struct device_type *const types[] = {
#define DEV(name) &name,
#include "dev/devices.def"
#undef DEV
    NULL,
};

const struct device_type *device_type_at(size_t index)
{
    return index < ARRAY_LEN(types) ? types[index] : NULL;
}

const struct device_type *device_type_find(const char *name)
{
    for (size_t i = 0; types[i]; i++)
        if (!strcmp(types[i]->name, name))
            return types[i];
    return NULL;
}

static void *field(struct device *d, const struct device_prop *p)
{
    return (u8 *)d + p->offset;
}

static bool set_bool(bool *to, const struct device_prop *p, const char *value, struct err *e)
{
    if (!strcmp(value, "on") || !strcmp(value, "true"))
        *to = true;
    else if (!strcmp(value, "off") || !strcmp(value, "false"))
        *to = false;
    else
        return err_set(e, "property '%s': '%s' is not on or off", p->name, value);
    return true;
}

static unsigned suffix_shift(char c)
{
    switch (toupper((unsigned char)c)) {
    case 'K': return 10;
    case 'M': return 20;
    case 'G': return 30;
    case 'T': return 40;
    default: return 0;
    }
}

static bool set_number(u64 *to, const struct device_prop *p, const char *value, struct err *e)
{
    char *end;
    errno = 0;
    u64 n = strtoull(value, &end, 0);
    unsigned shift = p->kind == PROP_SIZE ? suffix_shift(*end) : 0;
    end += shift != 0;
    if (errno || end == value || *end || !isdigit((unsigned char)value[0]) ||
        (n << shift) >> shift != n)
        return err_set(e, "property '%s': '%s' is not a %s", p->name, value,
                       p->kind == PROP_SIZE ? "size" : "number");
    *to = n << shift;
    return true;
}

static bool set_prop(struct device *d, const struct device_prop *p, const char *value,
                     struct err *e)
{
    switch (p->kind) {
    case PROP_BOOL: return set_bool(field(d, p), p, value, e);
    case PROP_U64:
    case PROP_SIZE: return set_number(field(d, p), p, value, e);
    case PROP_STRING: {
        char **text = field(d, p);
        free(*text);
        *text = strdup(value);
        BUG_ON(!*text);
        return true;
    }
    }
    BUG("property of unknown kind");
}

static const struct device_prop *prop_find(const struct device_type *t, const char *name)
{
    for (const struct device_prop *p = t->props; p && p->name; p++)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}

static bool no_such_prop(const struct device_type *t, const char *name, struct err *e)
{
    char list[256] = "";
    for (const struct device_prop *p = t->props; p && p->name; p++) {
        size_t n = strlen(list);
        snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", p->name);
    }
    return err_set(e, "%s has no property '%s'; it has: %s", t->name, name,
                   list[0] ? list : "none");
}

struct device *device_new(const struct device_type *type, struct device_env *env)
{
    struct device *d = calloc(1, type->size);
    BUG_ON(!d);
    d->type = type;
    d->env = env;
    struct err e = {0};
    for (const struct device_prop *p = type->props; p && p->name; p++)
        BUG_ON(p->initial && !set_prop(d, p, p->initial, &e));
    return d;
}

bool device_set(struct device *d, const char *prop, const char *value, struct err *e)
{
    const struct device_prop *p = prop_find(d->type, prop);
    return p ? set_prop(d, p, value, e) : no_such_prop(d->type, prop, e);
}

bool device_realize(struct device *d, struct err *e)
{
    return !d->type->realize || d->type->realize(d, e) || err_context(e, "%s", d->type->name);
}

void device_reset(struct device *d)
{
    if (d->type->reset)
        d->type->reset(d);
}

void device_free(struct device *d)
{
    if (!d)
        return;
    if (d->type->free)
        d->type->free(d);
    for (const struct device_prop *p = d->type->props; p && p->name; p++)
        if (p->kind == PROP_STRING)
            free(*(char **)field(d, p));
    free(d->id);
    free(d);
}
