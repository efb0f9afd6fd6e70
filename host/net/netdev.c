// SPDX-License-Identifier: Apache-2.0
#include "host/net/netdev.h"
#include "base/bug.h"

#include <limits.h>

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
