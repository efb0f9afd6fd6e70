// SPDX-License-Identifier: Apache-2.0
// A stream socket with a name in the file system. A server has one client at a time and goes on
// listening when it leaves; a client connects once.
#include "host/console/backend.h"
#include "base/bug.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct console_unix {
    struct console c;
    struct loop_fd listener; // fd -1: a client
    struct sockaddr_un address;
    bool is_server, waits, is_bound;
};

static struct console_unix *unix_of(struct console *c)
{
    return container_of(c, struct console_unix, c);
}

static bool set_address(struct console_unix *u, const char *path, struct err *e)
{
    u->address.sun_family = AF_UNIX;
    if (!path || !*path)
        return err_set(e, "no path; it is unix:PATH");
    if (strlen(path) >= sizeof(u->address.sun_path))
        return err_set(e, "the path is longer than %zu bytes", sizeof(u->address.sun_path) - 1);
    strcpy(u->address.sun_path, path);
    return true;
}

static int new_socket(int flags)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

static bool connects(const struct console_unix *u, int fd)
{
    return !connect(fd, (const struct sockaddr *)&u->address, sizeof(u->address));
}

static int serve_connection(struct console_unix *u, int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    int out = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (out < 0) {
        close(fd);
        return -EMFILE;
    }
    return console_serve(&u->c, fd, out);
}

static void on_client(void *opaque, unsigned events)
{
    struct console_unix *u = opaque;
    int fd = accept4(u->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0 && !serve_connection(u, fd)) {
        loop_want(u->c.loop, &u->listener, 0);
        u->c.awaits_client = false;
    }
}

// True if the name belongs to a socket on which nobody listens any more.
static bool is_stale(const struct console_unix *u)
{
    struct stat st;
    if (lstat(u->address.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    int fd = new_socket(SOCK_NONBLOCK);
    bool stale = !connects(u, fd) && errno == ECONNREFUSED;
    close(fd);
    return stale;
}

static bool try_bind(struct console_unix *u)
{
    return !bind(u->listener.fd, (const struct sockaddr *)&u->address, sizeof(u->address));
}

static bool start_server(struct console_unix *u, struct err *e)
{
    u->listener =
        (struct loop_fd){.fd = new_socket(SOCK_NONBLOCK), .ready = on_client, .opaque = u};
    bool is_bound = try_bind(u);
    if (!is_bound && errno == EADDRINUSE && is_stale(u)) {
        unlink(u->address.sun_path);
        is_bound = try_bind(u);
    }
    if (!is_bound)
        return err_set(e, "%s", strerror(errno));
    u->is_bound = true;
    if (listen(u->listener.fd, 1) < 0)
        return err_set(e, "%s", strerror(errno));
    int error = loop_add(u->c.loop, &u->listener, LOOP_READ);
    return !error || err_set(e, "%s", strerror(-error));
}

static bool start_client(struct console_unix *u, struct err *e)
{
    int fd = new_socket(0);
    if (fd < 0 || !connects(u, fd)) {
        err_set(e, "%s", strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    int error = serve_connection(u, fd);
    return !error || err_set(e, "%s", strerror(-error));
}

static bool unix_parse(struct console *c, char *options, struct err *e)
{
    struct console_unix *u = unix_of(c);
    char *option;
    u->waits = true;
    if (!set_address(u, console_next_option(&options), e))
        return false;
    while ((option = console_next_option(&options)))
        if (!console_option_flag(option, "server", &u->is_server) &&
            !console_option_flag(option, "wait", &u->waits))
            return err_set(e, "option '%s' is not server or wait=on|off", option);
    return true;
}

static bool unix_open(struct console *c, struct err *e)
{
    struct console_unix *u = unix_of(c);
    u->listener.fd = -1;
    if (!u->is_server)
        return start_client(u, e);
    if (!start_server(u, e))
        return false;
    c->awaits_client = u->waits;
    if (u->waits)
        fprintf(stderr, "console '%s': waiting for a client\n", c->name);
    return true;
}

static void let_go(struct console *c)
{
    struct console_unix *u = unix_of(c);
    console_end(c, CONSOLE_INPUT);
    console_end(c, CONSOLE_OUTPUT);
    if (u->listener.is_added)
        loop_want(c->loop, &u->listener, LOOP_READ);
}

// A client that only shut down its sending side still gets output.
static void unix_ended(struct console *c, enum console_side side, int error)
{
    struct pollfd p = {.fd = c->out.fd, .events = POLLRDHUP};
    bool still_listens = side == CONSOLE_INPUT && !error && poll(&p, 1, 0) >= 0 &&
                         !(p.revents & (POLLHUP | POLLERR));
    console_end(c, CONSOLE_INPUT);
    if (!still_listens)
        console_end(c, CONSOLE_OUTPUT);
    if (c->front.ended)
        c->front.ended(c->front.opaque);
    else if (!still_listens)
        let_go(c);
}

static void unix_close(struct console *c)
{
    struct console_unix *u = unix_of(c);
    loop_remove(c->loop, &u->listener);
    if (u->listener.fd >= 0)
        close(u->listener.fd);
    if (u->is_bound)
        unlink(u->address.sun_path);
}

const struct console_type console_unix = {
    .name = "unix",
    .grammar = "unix:PATH[,server][,wait=off]",
    .doc = "a stream socket; as a server it waits for its first client unless wait=off",
    .size = sizeof(struct console_unix),
    .parse = unix_parse,
    .open = unix_open,
    .ended = unix_ended,
    .hang_up = let_go,
    .close = unix_close,
};
