// SPDX-License-Identifier: Apache-2.0
// Consoles without a person: a file that keeps the output, and the one that keeps nothing.
#include "host/console/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct console_file {
    struct console c;
    const char *path;
    bool is_appended;
};

static struct console_file *file_of(struct console *c)
{
    return container_of(c, struct console_file, c);
}

static bool file_parse(struct console *c, char *options, struct err *e)
{
    struct console_file *f = file_of(c);
    char *option;
    f->path = console_next_option(&options);
    if (!f->path || !*f->path)
        return err_set(e, "no path; it is file:PATH");
    while ((option = console_next_option(&options)))
        if (!console_option_flag(option, "append", &f->is_appended))
            return err_set(e, "option '%s' is not append=on or append=off", option);
    return true;
}

static bool file_open(struct console *c, struct err *e)
{
    struct console_file *f = file_of(c);
    // O_NONBLOCK matters for FIFOs: without a reader the open fails instead of waiting.
    int fd = open(f->path,
                  O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
                      (f->is_appended ? O_APPEND : O_TRUNC),
                  0666);
    if (fd < 0)
        return err_set(e, "%s", strerror(errno));
    int error = console_serve(c, -1, fd);
    return !error || err_set(e, "%s", strerror(-error));
}

static void file_ended(struct console *c, enum console_side side, int error)
{
    fprintf(stderr, "console '%s': %s; further output is dropped\n", c->name, strerror(error));
    console_end(c, side);
}

static bool null_parse(struct console *c, char *options, struct err *e)
{
    return !options || err_set(e, "null takes no options");
}

const struct console_type console_file = {
    .name = "file",
    .grammar = "file:PATH[,append=on]",
    .doc = "writes the output to a file",
    .size = sizeof(struct console_file),
    .parse = file_parse,
    .open = file_open,
    .ended = file_ended,
};

const struct console_type console_null = {
    .name = "null",
    .grammar = "null",
    .doc = "drops the output and never has input",
    .size = sizeof(struct console),
    .parse = null_parse,
};
