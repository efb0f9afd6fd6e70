// SPDX-License-Identifier: Apache-2.0
#include "host/backends.h"
#include "host/block/block.h"
#include "host/net/netdev.h"
#include "base/bug.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct backend {
    enum backend_kind kind;
    char *id;
    void *object;
    const char *user; // NULL: free
    struct backend *next;
};

static const char *kind_name(enum backend_kind kind)
{
    static const char *const names[] = {"drive", "netdev", "chardev"};
    return names[kind];
}

static struct backend *find(const struct backends *b, enum backend_kind kind, const char *id)
{
    for (struct backend *x = b->first; x; x = x->next)
        if (x->kind == kind && !strcmp(x->id, id))
            return x;
    return NULL;
}

static bool add(struct backends *b, enum backend_kind kind, const char *id, void *object,
                struct err *e)
{
    if (!id || !*id)
        return err_set(e, "a %s needs an id=", kind_name(kind));
    if (find(b, kind, id))
        return err_set(e, "there are two %ss with id '%s'", kind_name(kind), id);
    struct backend *x = calloc(1, sizeof(*x));
    BUG_ON(!x);
    *x = (struct backend){.kind = kind, .id = strdup(id), .object = object};
    BUG_ON(!x->id);
    struct backend **last = &b->first;
    while (*last)
        last = &(*last)->next;
    *last = x;
    return true;
}

bool backends_add_drive(struct backends *b, const char *id, struct block *block, struct err *e)
{
    return add(b, BACKEND_DRIVE, id, block, e);
}

bool backends_add_netdev(struct backends *b, const char *id, struct netdev *n, struct err *e)
{
    return add(b, BACKEND_NETDEV, id, n, e);
}

bool backends_add_chardev(struct backends *b, const char *id, struct console *c, struct err *e)
{
    return add(b, BACKEND_CHARDEV, id, c, e);
}

static void no_such(const struct backends *b, enum backend_kind kind, const char *id, struct err *e)
{
    char list[256] = "";
    for (const struct backend *x = b ? b->first : NULL; x; x = x->next) {
        size_t n = strlen(list);
        if (x->kind == kind)
            snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "", x->id);
    }
    err_set(e, "there is no %s '%s'; there %s: %s", kind_name(kind), id,
            strchr(list, ',') ? "are" : "is", list[0] ? list : "none");
}

static void *take(struct backends *b, enum backend_kind kind, const char *id, const char *user,
                  struct err *e)
{
    if (!id) {
        err_set(e, "property '%s' is missing", kind_name(kind));
        return NULL;
    }
    struct backend *x = b ? find(b, kind, id) : NULL;
    if (!x) {
        no_such(b, kind, id, e);
        return NULL;
    }
    if (x->user) {
        err_set(e, "%s '%s' is already used by %s", kind_name(kind), id, x->user);
        return NULL;
    }
    x->user = user;
    return x->object;
}

struct block *backends_take_drive(struct backends *b, const char *id, const char *user,
                                  struct err *e)
{
    return take(b, BACKEND_DRIVE, id, user, e);
}

struct netdev *backends_take_netdev(struct backends *b, const char *id, const char *user,
                                    struct err *e)
{
    return take(b, BACKEND_NETDEV, id, user, e);
}

struct console *backends_take_chardev(struct backends *b, const char *id, const char *user,
                                      struct err *e)
{
    return take(b, BACKEND_CHARDEV, id, user, e);
}

bool backends_at(const struct backends *b, size_t index, struct backend_view *v)
{
    const struct backend *x = b->first;
    while (x && index--)
        x = x->next;
    if (x)
        *v = (struct backend_view){x->kind, x->id, x->user, x->object};
    return x;
}

void backends_free(struct backends *b)
{
    while (b->first) {
        struct backend *x = b->first;
        b->first = x->next;
        if (x->kind == BACKEND_DRIVE)
            block_free(x->object);
        else if (x->kind == BACKEND_NETDEV)
            netdev_free(x->object);
        free(x->id);
        free(x);
    }
}
