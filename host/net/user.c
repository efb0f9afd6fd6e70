// SPDX-License-Identifier: Apache-2.0
// User networking by libslirp: a small network 10.0.2.0/24 with a gateway and name server that
// need no rights on the host. DHCP gives the card 10.0.2.15.
//
// Slirp runs on the port's thread alone, so it needs no lock. Its time is the host's.
#include "host/net/port.h"
#include "base/bug.h"
#include "base/option.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_FORWARDS = 32, NEVER_MS = 0x7fffffff };

struct user_timer {
    SlirpTimerId id;
    void *opaque;
    s64 expires_ms; // negative: not armed
    struct user_timer *next;
};

struct user_net {
    struct port p;
    Slirp *slirp;
    struct pollfd *fds;
    unsigned n_fds, max_fds;
    struct user_timer *timers;
};

struct user_options {
    bool is_restricted, has_ipv6;
    const char *hostname;
    const char *forwards[MAX_FORWARDS];
    unsigned n_forwards;
};

static struct user_net *user_of(struct port *p)
{
    return (struct user_net *)p;
}

static s64 now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (s64)t.tv_sec * 1000000000 + t.tv_nsec;
}

static ssize_t cb_send_packet(const void *bytes, size_t size, void *opaque)
{
    struct user_net *u = opaque;
    port_input(&u->p, bytes, size);
    return (ssize_t)size;
}

// Frames that make no sense are the guest's business; they are dropped.
static void cb_guest_error(const char *text, void *opaque)
{
}

static s64 cb_clock(void *opaque)
{
    return now_ns();
}

static void *cb_timer_new(SlirpTimerId id, void *cb_opaque, void *opaque)
{
    struct user_net *u = opaque;
    struct user_timer *t = calloc(1, sizeof(*t));
    BUG_ON(!t);
    *t = (struct user_timer){id, cb_opaque, -1, u->timers};
    u->timers = t;
    return t;
}

static void cb_timer_free(void *timer, void *opaque)
{
    struct user_net *u = opaque;
    struct user_timer **t = &u->timers;
    while (*t && *t != timer)
        t = &(*t)->next;
    if (*t)
        *t = (*t)->next;
    free(timer);
}

static void cb_timer_mod(void *timer, int64_t expires_ms, void *opaque)
{
    ((struct user_timer *)timer)->expires_ms = expires_ms;
}

// We ask for the descriptors before each wait, and are never inside of one when slirp calls.
static void cb_poll_fd(int fd, void *opaque)
{
}

static void cb_notify(void *opaque)
{
}

static const SlirpCb callbacks = {.send_packet = cb_send_packet,
                                  .guest_error = cb_guest_error,
                                  .clock_get_ns = cb_clock,
                                  .timer_new_opaque = cb_timer_new,
                                  .timer_free = cb_timer_free,
                                  .timer_mod = cb_timer_mod,
                                  .register_poll_fd = cb_poll_fd,
                                  .unregister_poll_fd = cb_poll_fd,
                                  .notify = cb_notify};

static int add_fd(struct user_net *u, int fd, short events)
{
    if (u->n_fds == u->max_fds) {
        u->max_fds = u->max_fds ? 2 * u->max_fds : 16;
        u->fds = realloc(u->fds, u->max_fds * sizeof(*u->fds));
        BUG_ON(!u->fds);
    }
    u->fds[u->n_fds] = (struct pollfd){.fd = fd, .events = events};
    return (int)u->n_fds++;
}

static const struct {
    int slirp;
    short poll;
} event_bits[] = {{SLIRP_POLL_IN, POLLIN},
                  {SLIRP_POLL_OUT, POLLOUT},
                  {SLIRP_POLL_PRI, POLLPRI},
                  {SLIRP_POLL_ERR, POLLERR},
                  {SLIRP_POLL_HUP, POLLHUP}};

static int cb_add_poll(int fd, int events, void *opaque)
{
    short wanted = 0;
    for (unsigned i = 0; i < ARRAY_LEN(event_bits); i++)
        if (events & event_bits[i].slirp)
            wanted |= event_bits[i].poll;
    return add_fd(opaque, fd, wanted);
}

static int cb_get_revents(int index, void *opaque)
{
    struct user_net *u = opaque;
    int events = 0;
    for (unsigned i = 0; i < ARRAY_LEN(event_bits); i++)
        if (u->fds[index].revents & event_bits[i].poll)
            events |= event_bits[i].slirp;
    return events;
}

static s64 until_timer_ms(const struct user_net *u)
{
    s64 left = NEVER_MS, now = now_ns() / 1000000;
    for (const struct user_timer *t = u->timers; t; t = t->next)
        if (t->expires_ms >= 0 && t->expires_ms - now < left)
            left = t->expires_ms > now ? t->expires_ms - now : 0;
    return left;
}

static void fire_timers(struct user_net *u)
{
    s64 now = now_ns() / 1000000;
    for (struct user_timer *t = u->timers; t; t = t->next) {
        if (t->expires_ms < 0 || t->expires_ms > now)
            continue;
        t->expires_ms = -1;
        slirp_handle_timer(u->slirp, t->id, t->opaque);
    }
}

// Without room for input, slirp's sockets fill, and the senders beyond them wait.
static void user_wait(struct port *p, bool may_input)
{
    struct user_net *u = user_of(p);
    uint32_t slirp_ms = NEVER_MS;
    u->n_fds = 0;
    add_fd(u, p->wake_fd, POLLIN);
    if (may_input)
        slirp_pollfds_fill(u->slirp, &slirp_ms, cb_add_poll, u);
    s64 ms = until_timer_ms(u);
    ms = ms < (s64)slirp_ms ? ms : (s64)slirp_ms;
    int n = poll(u->fds, u->n_fds, ms < NEVER_MS ? (int)ms : -1);
    if (may_input)
        slirp_pollfds_poll(u->slirp, n < 0, cb_get_revents, u);
    fire_timers(u);
}

static void user_output(struct port *p, const struct frame *f)
{
    slirp_input(user_of(p)->slirp, f->bytes, (int)f->size);
}

static void user_free(struct port *p)
{
    struct user_net *u = user_of(p);
    if (u->slirp)
        slirp_cleanup(u->slirp);
    while (u->timers)
        cb_timer_free(u->timers, u);
    free(u->fds);
}

static const struct port_ops user_ops = {user_wait, user_output, user_free};

static struct in_addr address(const char *text)
{
    struct in_addr a = {0};
    inet_pton(AF_INET, text, &a);
    return a;
}

static void configure(SlirpConfig *c, const struct user_options *o)
{
    *c = (SlirpConfig){.version = 4,
                       .restricted = o->is_restricted,
                       .in_enabled = true,
                       .vnetwork = address("10.0.2.0"),
                       .vnetmask = address("255.255.255.0"),
                       .vhost = address("10.0.2.2"),
                       .in6_enabled = o->has_ipv6,
                       .vprefix_len = 64,
                       .vhostname = o->hostname,
                       .vdhcp_start = address("10.0.2.15"),
                       .vnameserver = address("10.0.2.3")};
    inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
    inet_pton(AF_INET6, "fec0::2", &c->vhost6);
    inet_pton(AF_INET6, "fec0::3", &c->vnameserver6);
}

// A rule as it was written, taken apart.
struct forward {
    bool is_udp;
    struct in_addr host, guest;
    int host_port, guest_port;
};

// Cuts *rest at `end` and returns what was before it; NULL if it does not come.
static char *field(char **rest, char end)
{
    char *start = *rest, *at = start ? strchr(start, end) : NULL;
    if (!at)
        return NULL;
    *at = 0;
    *rest = at + 1;
    return start;
}

static bool parse_port(const char *text, int lowest, int *to)
{
    char *end;
    long n = text ? strtol(text, &end, 10) : -1;
    *to = (int)n;
    return text && end != text && !*end && n >= lowest && n <= 65535;
}

static bool parse_address(const char *text, const char *otherwise, struct in_addr *to)
{
    return text && inet_pton(AF_INET, *text ? text : otherwise, to) == 1;
}

// [tcp|udp]:[HOST]:PORT-[GUEST]:PORT
static bool parse_forward(char *text, struct forward *f)
{
    char *rest = text;
    const char *protocol = field(&rest, ':'), *host = field(&rest, ':');
    const char *host_port = field(&rest, '-'), *guest = field(&rest, ':');
    f->is_udp = protocol && !strcmp(protocol, "udp");
    return protocol && (f->is_udp || !*protocol || !strcmp(protocol, "tcp")) &&
           parse_address(host, "0.0.0.0", &f->host) && parse_port(host_port, 0, &f->host_port) &&
           parse_address(guest, "10.0.2.15", &f->guest) && parse_port(rest, 1, &f->guest_port);
}

static bool add_forward(struct user_net *u, const char *text, struct err *e)
{
    struct forward f;
    char *words = strdup(text);
    BUG_ON(!words);
    bool ok = parse_forward(words, &f);
    free(words);
    if (!ok)
        return err_set(e, "hostfwd=%s is not [tcp|udp]:[HOST]:PORT-[GUEST]:PORT", text);
    if (slirp_add_hostfwd(u->slirp, f.is_udp, f.host, f.host_port, f.guest, f.guest_port) < 0)
        return err_set(e, "hostfwd=%s: port %d of the host: %s", text, f.host_port,
                       strerror(errno));
    return true;
}

static bool set(struct user_options *o, const char *name, const char *value, char **id,
                struct err *e)
{
    if (!strcmp(name, "id"))
        return (*id = strdup(value)) != NULL;
    if (!strcmp(name, "hostname"))
        return (o->hostname = value) != NULL;
    if (!strcmp(name, "restrict"))
        return option_bool(name, value, &o->is_restricted, e);
    if (!strcmp(name, "ipv6"))
        return option_bool(name, value, &o->has_ipv6, e);
    if (strcmp(name, "hostfwd"))
        return err_set(e, "there is no '%s'; see: %s", name, netdev_grammar(0));
    if (o->n_forwards == MAX_FORWARDS)
        return err_set(e, "more than %d forwarded ports", MAX_FORWARDS);
    o->forwards[o->n_forwards++] = value;
    return true;
}

static bool parse(char *options, struct user_options *o, char **id, struct err *e)
{
    for (char *rest = options; rest;) {
        char *name = option_next(&rest);
        if (!set(o, name, option_value(name), id, e))
            return false;
    }
    return true;
}

static bool start(struct user_net *u, const struct user_options *o, struct err *e)
{
    SlirpConfig config;
    configure(&config, o);
    u->slirp = slirp_new(&config, &callbacks, u);
    if (!u->slirp)
        return err_set(e, "libslirp did not start");
    u->p.n.is_trusted = true;
    for (unsigned i = 0; i < o->n_forwards; i++)
        if (!add_forward(u, o->forwards[i], e))
            return false;
    return true;
}

struct netdev *user_open(char *options, char **id, struct err *e)
{
    struct user_options o = {.has_ipv6 = true};
    struct user_net *u = calloc(1, sizeof(*u));
    BUG_ON(!u);
    if (port_init(&u->p, &user_ops, e) && parse(options, &o, id, e) && start(u, &o, e))
        return &u->p.n;
    port_free(&u->p);
    return NULL;
}
