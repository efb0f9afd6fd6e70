// SPDX-License-Identifier: Apache-2.0
// A pseudo terminal. Programs come and go at its slave side; while there is none, output is
// dropped.
//
// The kernel reports a hang-up on the master as long as nobody has the slave open, and says nothing
// when somebody opens it. A watch on the slave's name tells that.
#include "host/console/backend.h"
#include "base/bug.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct console_pty {
    struct console c;
    int master;
    char slave[64];
    struct loop_fd watch;           // an inotify descriptor
    const char *wanted_link, *link; // link: NULL while none was made
};

static struct console_pty *pty_of(struct console *c)
{
    return container_of(c, struct console_pty, c);
}

static void on_open(void *opaque, unsigned events)
{
    struct console_pty *p = opaque;
    char buf[sizeof(struct inotify_event) + NAME_MAX + 1];
    while (read(p->watch.fd, buf, sizeof(buf)) > 0)
        ;
    if (p->c.out.fd < 0 && console_serve(&p->c, fcntl(p->master, F_DUPFD_CLOEXEC, 0),
                                         fcntl(p->master, F_DUPFD_CLOEXEC, 0)) < 0)
        fprintf(stderr, "console '%s': cannot be served\n", p->c.name);
}

static bool make_link(struct console_pty *p, struct err *e)
{
    struct stat st;
    if (!lstat(p->wanted_link, &st) && S_ISLNK(st.st_mode))
        unlink(p->wanted_link);
    if (symlink(p->slave, p->wanted_link) < 0)
        return err_set(e, "link: %s", strerror(errno));
    p->link = p->wanted_link;
    return true;
}

// No echo and no translation, so that nothing the machine prints comes back as its input. The
// watch begins after our own opening, which also brings the master into its hung-up state.
static bool set_up_slave(struct console_pty *p)
{
    struct termios mode;
    int fd = open(p->slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = !tcgetattr(fd, &mode);
    cfmakeraw(&mode);
    ok = ok && !tcsetattr(fd, TCSANOW, &mode);
    close(fd);
    return ok;
}

static bool start(struct console_pty *p)
{
    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (p->master < 0 || grantpt(p->master) || unlockpt(p->master) ||
        ptsname_r(p->master, p->slave, sizeof(p->slave)) || !set_up_slave(p))
        return false;
    p->watch = (struct loop_fd){
        .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .ready = on_open, .opaque = p};
    return p->watch.fd >= 0 && inotify_add_watch(p->watch.fd, p->slave, IN_OPEN) >= 0 &&
           !loop_add(p->c.loop, &p->watch, LOOP_READ);
}

static bool pty_parse(struct console *c, char *options, struct err *e)
{
    struct console_pty *p = pty_of(c);
    p->wanted_link = console_next_option(&options);
    char *option = console_next_option(&options);
    return !option || err_set(e, "unknown option '%s'", option);
}

static bool pty_open(struct console *c, struct err *e)
{
    struct console_pty *p = pty_of(c);
    p->master = p->watch.fd = -1;
    if (!start(p))
        return err_set(e, "%s", strerror(errno));
    if (p->wanted_link && *p->wanted_link && !make_link(p, e))
        return false;
    free(c->name);
    BUG_ON(asprintf(&c->name, "pty:%s", p->slave) < 0);
    fprintf(stderr, "console on %s\n", p->slave);
    return true;
}

static void pty_ended(struct console *c, enum console_side side, int error)
{
    console_end(c, CONSOLE_INPUT);
    console_end(c, CONSOLE_OUTPUT);
}

static void pty_close(struct console *c)
{
    struct console_pty *p = pty_of(c);
    loop_remove(c->loop, &p->watch);
    if (p->watch.fd >= 0)
        close(p->watch.fd);
    if (p->master >= 0)
        close(p->master);
    if (p->link)
        unlink(p->link);
}

const struct console_type console_pty = {
    .name = "pty",
    .grammar = "pty[:LINK]",
    .doc = "a new pseudo terminal, whose path is told on standard error; LINK becomes a symbolic "
           "link to it",
    .size = sizeof(struct console_pty),
    .parse = pty_parse,
    .open = pty_open,
    .ended = pty_ended,
    .close = pty_close,
};
