// SPDX-License-Identifier: Apache-2.0
// Standard input and output: a terminal in raw mode with an escape key, or pipes and files as they
// are.
//
// The descriptions behind standard input and output may be shared with other programs, so
// O_NONBLOCK must not be set on them. Output goes to a description of our own, opened anew.
#include "host/console/backend.h"
#include "host/console/escape.h"
#include "host/console/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct console_stdio {
    struct console c;
    struct escape escape;
    bool has_escape, has_terminal;
};

static void say(struct console *c, const char *text)
{
    console_write(c, text, strlen(text));
}

static void help(struct console *c)
{
    say(c, "\r\nCtrl-a h  this help\r\n"
           "Ctrl-a x  quit\r\n"
           "Ctrl-a b  send a break\r\n"
           "Ctrl-a c  switch between console and monitor\r\n"
           "Ctrl-a Ctrl-a  send Ctrl-a\r\n");
}

static void pressed(void *opaque, char key)
{
    struct console *c = opaque;
    const struct console_front *f = c->is_diverted ? &c->monitor : &c->front;
    if (key == 'h' || key == '?') {
        help(c);
    } else if (key == 'b') {
        if (f->line_break)
            f->line_break(f->opaque);
    } else if (key == 'x' || key == 'c') {
        if (!c->keys.pressed || !c->keys.pressed(c->keys.opaque, key))
            say(c, "\r\nnot available here\r\n");
    } else {
        say(c, "\r\nno such key; Ctrl-a h lists them, Ctrl-a Ctrl-a sends Ctrl-a\r\n");
    }
}

static size_t stdio_filter(struct console *c, u8 *bytes, size_t n)
{
    struct console_stdio *s = (struct console_stdio *)c;
    return s->has_escape ? escape_filter(&s->escape, bytes, n) : n;
}

// A descriptor for standard output on which writes do not block, if there can be one. A socket is
// written with MSG_DONTWAIT; a file opened anew would have an offset of its own.
static int own_output(bool *may_block)
{
    struct stat st;
    *may_block = false;
    if (fstat(STDOUT_FILENO, &st) < 0)
        return -1;
    if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
        int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0)
            return fd;
        *may_block = true;
    }
    return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

static bool stdio_parse(struct console *c, char *options, struct err *e)
{
    struct console_stdio *s = (struct console_stdio *)c;
    char *option;
    s->has_escape = true;
    s->escape = (struct escape){.pressed = pressed, .opaque = c};
    while ((option = console_next_option(&options)))
        if (!console_option_flag(option, "escape", &s->has_escape))
            return err_set(e, "option '%s' is not escape=on or escape=off", option);
    return true;
}

static bool stdio_open(struct console *c, struct err *e)
{
    struct console_stdio *s = (struct console_stdio *)c;
    if (!terminal_take(STDIN_FILENO, e))
        return false;
    s->has_terminal = true;
    c->is_interactive = isatty(STDIN_FILENO);
    // Closed standard input or output are ends of a line with nobody there.
    int error =
        console_serve(c, fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), own_output(&c->out_may_block));
    return !error || err_set(e, "%s", strerror(-error));
}

static void stdio_close(struct console *c)
{
    if (((struct console_stdio *)c)->has_terminal)
        terminal_give();
}

const struct console_type console_stdio = {
    .name = "stdio",
    .grammar = "stdio[,escape=off]",
    .doc = "this terminal; Ctrl-a h shows the keys",
    .size = sizeof(struct console_stdio),
    .parse = stdio_parse,
    .open = stdio_open,
    .filter = stdio_filter,
    .close = stdio_close,
};
