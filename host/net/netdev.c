// SPDX-License-Identifier: Apache-2.0
#include "host/net/netdev.h"
#include "host/net/port.h"
#include "base/bug.h"
#include "base/option.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#ifndef HAVE_SLIRP
struct netdev *user_open(char *options, char **id, struct err *e)
{
    err_set(e, "user networking is not in this program: it was built without libslirp");
    return NULL;
}
#endif

static const struct {
    const char *name, *grammar;
    struct netdev *(*open)(char *options, char **id, struct err *e); // options may be NULL
} types[] = {
    {"user",
     "user,id=ID[,hostfwd=[tcp|udp]:[HOST]:PORT-[GUEST]:PORT]...[,restrict=on]"
     "[,hostname=NAME][,ipv6=off]",
     user_open},
    {"tap", "tap,id=ID,ifname=NAME", tap_open},
};

const char *netdev_grammar(size_t index)
{
    return index < ARRAY_LEN(types) ? types[index].grammar : NULL;
}

static struct netdev *open_type(char *text, char **id, struct err *e)
{
    char *rest = text;
    const char *name = option_next(&rest);
    for (unsigned i = 0; i < ARRAY_LEN(types); i++)
        if (!strcmp(types[i].name, name))
            return types[i].open(rest, id, e);
    err_set(e, "there is no network '%s', only user and tap", name);
    return NULL;
}

struct netdev *netdev_open(const char *text, char **id, struct err *e)
{
    char *words = strdup(text);
    BUG_ON(!words);
    *id = NULL;
    struct netdev *n = open_type(words, id, e);
    if (!n) {
        err_context(e, "netdev%s%s", *id ? " " : "", *id ? *id : "");
        free(*id);
        *id = NULL;
    }
    free(words);
    return n;
}

void netdev_free(struct netdev *n)
{
    if (n)
        n->ops->free(n);
}

static void set_client(struct netdev *n, struct netdev_client c)
{
    BUG_ON(pthread_mutex_lock(n->device_lock));
    n->client = c;
    BUG_ON(pthread_mutex_unlock(n->device_lock));
}

void netdev_attach(struct netdev *n, const struct netdev_client *c, pthread_mutex_t *device_lock)
{
    BUG_ON(n->device_lock);
    n->device_lock = device_lock;
    set_client(n, *c);
    n->ops->start(n);
}

void netdev_detach(struct netdev *n)
{
    set_client(n, (struct netdev_client){0});
}

int netdev_send(struct netdev *n, const struct iovec *iov, int n_iov)
{
    u64 size = 0;
    for (int i = 0; i < n_iov; i++)
        size += iov[i].iov_len;
    if (size < NETDEV_MIN_FRAME || size > NETDEV_MAX_FRAME || n_iov > IOV_MAX)
        return 0;
    return n->ops->send(n, iov, n_iov);
}

void netdev_resume(struct netdev *n)
{
    n->ops->resume(n);
}
