// SPDX-License-Identifier: Apache-2.0
// A tap interface of the host's: the frames are its neighbour's on an Ethernet.
#include "host/net/port.h"
#include "base/bug.h"
#include "base/option.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct tap {
    struct port p;
    int fd;
    u8 frame[NETDEV_MAX_FRAME];
};

static struct tap *tap_of(struct port *p)
{
    return (struct tap *)p;
}

static void tap_read(struct tap *t)
{
    for (int i = 0; i < PORT_MAX_IN / 4; i++) {
        ssize_t n = read(t->fd, t->frame, sizeof(t->frame));
        if (n <= 0)
            return;
        port_input(&t->p, t->frame, (size_t)n);
    }
}

static void tap_wait(struct port *p, bool may_input)
{
    struct tap *t = tap_of(p);
    struct pollfd fds[2] = {{.fd = p->wake_fd, .events = POLLIN}, {.fd = t->fd, .events = POLLIN}};
    if (poll(fds, may_input ? 2 : 1, -1) < 0)
        return;
    // An interface that is down or gone is in error and stays so: no reason to spin.
    if (fds[1].revents & (POLLERR | POLLHUP))
        poll(fds, 1, 100);
    else if (fds[1].revents)
        tap_read(t);
}

// Waits a little for a full queue, then drops, as a switch would.
static void tap_output(struct port *p, const struct frame *f)
{
    struct pollfd fd = {.fd = tap_of(p)->fd, .events = POLLOUT};
    if (write(fd.fd, f->bytes, f->size) < 0 && errno == EAGAIN && poll(&fd, 1, 100) > 0)
        (void)!write(fd.fd, f->bytes, f->size);
}

static void tap_free(struct port *p)
{
    if (tap_of(p)->fd >= 0)
        close(tap_of(p)->fd);
}

static const struct port_ops tap_ops = {tap_wait, tap_output, tap_free};

static bool parse(char *options, const char **name, char **id, struct err *e)
{
    for (char *rest = options; rest;) {
        char *option = option_next(&rest), *value = option_value(option);
        if (!strcmp(option, "id"))
            *id = strdup(value);
        else if (!strcmp(option, "ifname"))
            *name = value;
        else if ((!strcmp(option, "script") || !strcmp(option, "downscript")) &&
                 !strcmp(value, "no"))
            continue;
        else
            return err_set(e, "there is no '%s=%s'; see: %s", option, value, netdev_grammar(1));
    }
    if (!*name || !**name || strlen(*name) >= IFNAMSIZ)
        return err_set(e, "ifname= is missing, or longer than %d characters", IFNAMSIZ - 1);
    return true;
}

static bool open_interface(struct tap *t, const char *name, struct err *e)
{
    t->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (t->fd < 0)
        return err_set(e, "open /dev/net/tun: %s", strerror(errno));
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    strncpy(r.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(t->fd, TUNSETIFF, &r) < 0)
        return err_set(e, "interface '%s': %s%s", name, strerror(errno),
                       errno == EPERM ? " (an administrator can make it for you: ip tuntap add "
                                        "mode tap user NAME dev NAME)"
                                      : "");
    return true;
}

struct netdev *tap_open(char *options, char **id, struct err *e)
{
    struct tap *t = calloc(1, sizeof(*t));
    BUG_ON(!t);
    t->fd = -1;
    const char *name = NULL;
    if (port_init(&t->p, &tap_ops, e) && parse(options, &name, id, e) && open_interface(t, name, e))
        return &t->p.n;
    port_free(&t->p);
    return NULL;
}
