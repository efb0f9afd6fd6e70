// SPDX-License-Identifier: Apache-2.0
#include "mach/nic_option.h"

#include "base/bug.h"
#include "base/option.h"
#include "dev/device.h"
#include "mach/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MODEL "virtio-net-pci"

// Appends ",name=value", commas doubled.
static void put_option(struct bytes *b, const char *name, const char *value)
{
    bytes_put(b, ',', 1);
    bytes_add(b, name, strlen(name));
    bytes_put(b, '=', 1);
    for (; *value; value++) {
        bytes_put(b, (u8)*value, 1);
        if (*value == ',')
            bytes_put(b, ',', 1);
    }
}

static bool has_property(const struct device_type *t, const char *name)
{
    for (const struct device_prop *p = t->props; p && p->name; p++)
        if (!strcmp(p->name, name))
            return true;
    return !strcmp(name, "bootindex");
}

struct words {
    const char *model, *id;
    char *names[32], *values[32];
    unsigned n;
};

// Cuts `rest` into options; model= and id= are not among them.
static bool read_words(struct words *w, char *rest, struct err *e)
{
    while (rest) {
        char *name = option_next(&rest), *value = option_value(name);
        if (!strcmp(name, "model"))
            w->model = value;
        else if (!strcmp(name, "id"))
            w->id = value;
        else if (w->n == ARRAY_LEN(w->names))
            return err_set(e, "has too many options");
        else
            w->names[w->n] = name, w->values[w->n++] = value;
    }
    return true;
}

static char *finish(struct bytes *b)
{
    bytes_put(b, 0, 1);
    return (char *)b->data;
}

static bool compose(struct nic_option *n, const char *type, const struct words *w, size_t index,
                    struct err *e)
{
    const struct device_type *t = device_type_find(w->model);
    if (!t || !has_property(t, "netdev"))
        return err_set(e, "model=%s: there is no such network card", w->model);
    char id[32];
    snprintf(id, sizeof(id), "nic%zu", index);
    struct bytes net = {0}, card = {0};
    bytes_add(&net, type, strlen(type));
    bytes_add(&card, w->model, strlen(w->model));
    put_option(&net, "id", w->id ? w->id : id);
    put_option(&card, "netdev", w->id ? w->id : id);
    for (unsigned i = 0; i < w->n; i++)
        put_option(has_property(t, w->names[i]) ? &card : &net, w->names[i], w->values[i]);
    n->netdev = finish(&net);
    n->device = finish(&card);
    return true;
}

bool nic_option_parse(struct nic_option *n, const char *text, size_t index, struct err *e)
{
    *n = (struct nic_option){0};
    char *copy = strdup(text);
    BUG_ON(!copy);
    char *rest = copy, *type = option_next(&rest);
    struct words w = {.model = DEFAULT_MODEL};
    bool ok = true;
    if (!strcmp(type, "none") && !rest)
        n->is_none = true;
    else
        ok = read_words(&w, rest, e) && compose(n, type, &w, index, e);
    free(copy);
    return ok;
}

void nic_option_free(struct nic_option *n)
{
    free(n->netdev);
    free(n->device);
    *n = (struct nic_option){0};
}
