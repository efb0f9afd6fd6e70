// SPDX-License-Identifier: Apache-2.0
#include "host/net/port.h"
#include "base/bug.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void frames_init(struct frames *l)
{
    *l = (struct frames){.last = &l->first};
}

static void frames_add(struct frames *l, struct frame *f)
{
    f->next = NULL;
    *l->last = f;
    l->last = &f->next;
    l->n++;
}

static void frames_drop_first(struct frames *l)
{
    struct frame *f = l->first;
    l->first = f->next;
    if (!l->first)
        l->last = &l->first;
    l->n--;
    free(f);
}

static void frames_move(struct frames *to, struct frames *from)
{
    *to = *from;
    if (!to->first)
        to->last = &to->first;
    frames_init(from);
}

static struct frame *frame_new(size_t size)
{
    struct frame *f = malloc(sizeof(*f) + size);
    BUG_ON(!f);
    f->size = size;
    return f;
}

static struct port *port_of(struct netdev *n)
{
    return (struct port *)n;
}

static void wake(struct port *p)
{
    u64 one = 1;
    BUG_ON(write(p->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN);
}

void port_input(struct port *p, const void *bytes, size_t size)
{
    if (p->in.n >= 4 * PORT_MAX_IN || size < NETDEV_MIN_FRAME || size > NETDEV_MAX_FRAME)
        return;
    struct frame *f = frame_new(size);
    memcpy(f->bytes, bytes, size);
    frames_add(&p->in, f);
}

static int port_send(struct netdev *n, const struct iovec *iov, int n_iov)
{
    struct port *p = port_of(n);
    size_t size = 0;
    for (int i = 0; i < n_iov; i++)
        size += iov[i].iov_len;
    struct frame *f = frame_new(size);
    u8 *to = f->bytes;
    for (int i = 0; i < n_iov; i++)
        to = (u8 *)mempcpy(to, iov[i].iov_base, iov[i].iov_len);

    pthread_mutex_lock(&p->lock);
    bool was_empty = !p->out.n;
    p->is_full = p->out.n >= PORT_MAX_OUT;
    bool taken = !p->is_full;
    if (taken)
        frames_add(&p->out, f);
    pthread_mutex_unlock(&p->lock);
    if (!taken)
        free(f);
    else if (was_empty)
        wake(p);
    return taken ? 0 : -EAGAIN;
}

static void port_resume(struct netdev *n)
{
    struct port *p = port_of(n);
    pthread_mutex_lock(&p->lock);
    p->is_resumed = true;
    pthread_mutex_unlock(&p->lock);
    wake(p);
}

// Device lock held. The card may go at any time between two frames.
static void deliver(struct port *p)
{
    struct netdev_client *c = &p->n.client;
    while (p->in.first) {
        const struct frame *f = p->in.first;
        if (c->receive && !c->receive(c->opaque, f->bytes, f->size)) {
            p->is_stalled = true;
            return;
        }
        frames_drop_first(&p->in);
    }
}

// What the other threads want of us, taken all at once.
static bool take_requests(struct port *p, struct frames *out, bool *was_full)
{
    u64 count;
    BUG_ON(read(p->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN);
    pthread_mutex_lock(&p->lock);
    frames_move(out, &p->out);
    *was_full = p->is_full;
    p->is_full = false;
    p->is_stalled = p->is_stalled && !p->is_resumed;
    p->is_resumed = false;
    bool goes_on = !p->must_stop;
    pthread_mutex_unlock(&p->lock);
    return goes_on;
}

static void talk_to_card(struct port *p, bool was_full)
{
    if (!was_full && (!p->in.first || p->is_stalled))
        return;
    BUG_ON(pthread_mutex_lock(p->n.device_lock));
    if (!p->is_stalled)
        deliver(p);
    if (was_full && p->n.client.writable)
        p->n.client.writable(p->n.client.opaque);
    BUG_ON(pthread_mutex_unlock(p->n.device_lock));
}

// A card that resumes while we are delivering sets is_resumed and wakes us again, so no refusal is
// forgotten.
static void *run(void *opaque)
{
    struct port *p = opaque;
    struct frames out;
    bool was_full;
    do {
        p->ops->wait(p, p->in.n < PORT_MAX_IN);
        bool goes_on = take_requests(p, &out, &was_full);
        for (; out.first; frames_drop_first(&out))
            if (goes_on)
                p->ops->output(p, out.first);
        if (!goes_on)
            return NULL;
        talk_to_card(p, was_full);
    } while (true);
}

static void port_start(struct netdev *n)
{
    struct port *p = port_of(n);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p->has_thread = !pthread_create(&p->thread, NULL, run, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    BUG_ON(!p->has_thread);
}

static void free_port(struct netdev *n)
{
    port_free(port_of(n));
}

static const struct netdev_ops netdev_ops = {port_send, port_resume, port_start, free_port};

bool port_init(struct port *p, const struct port_ops *ops, struct err *e)
{
    p->n.ops = &netdev_ops;
    p->ops = ops;
    pthread_mutex_init(&p->lock, NULL);
    frames_init(&p->in);
    frames_init(&p->out);
    p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return p->wake_fd >= 0 || err_set(e, "network: %s", strerror(errno));
}

static void stop_thread(struct port *p)
{
    pthread_mutex_lock(&p->lock);
    p->must_stop = true;
    pthread_mutex_unlock(&p->lock);
    wake(p);
    pthread_join(p->thread, NULL);
}

void port_free(struct port *p)
{
    if (p->has_thread)
        stop_thread(p);
    p->ops->free(p);
    while (p->in.first)
        frames_drop_first(&p->in);
    while (p->out.first)
        frames_drop_first(&p->out);
    if (p->wake_fd >= 0)
        close(p->wake_fd);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
