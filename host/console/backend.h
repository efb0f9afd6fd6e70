// SPDX-License-Identifier: Apache-2.0
// What the back ends of a console share. Only for the files of this folder.
#pragma once

#include "host/console/console.h"

// Bytes in order, always in one piece. Grows as needed up to `max`.
struct byte_queue {
    u8 *bytes; // owned
    size_t size, max, first, n;
};

#define CONSOLE_BUFFER 8192
// A paste must fit: it comes faster than a serial line takes it.
#define CONSOLE_INTERACTIVE_BUFFER (1 << 20)

enum console_side { CONSOLE_INPUT, CONSOLE_OUTPUT };

struct console_type {
    const char *name, *grammar, *doc;
    size_t size; // of the back end's struct, which begins with struct console
    // `options` is what follows the name and its colon or comma, or NULL; it may be written to, and
    // lives as long as the console. Nothing outside is touched.
    bool (*parse)(struct console *c, char *options, struct err *e);
    bool (*open)(struct console *c, struct err *e); // at most once; NULL: nothing to do
    // Looks at input before the machine does and may take bytes out of it; returns what is left.
    size_t (*filter)(struct console *c, u8 *bytes, size_t n);
    // The other end is gone: end of file, hang-up, or a write error. NULL: console_end(c, side).
    void (*ended)(struct console *c, enum console_side side, int error);
    void (*hang_up)(struct console *c); // the client is to go; may be NULL
    void (*close)(struct console *c); // after `open`, failed or not; may be NULL
};

extern const struct console_type console_stdio, console_pty, console_file, console_unix,
    console_null;

struct console {
    const struct console_type *type;
    struct loop *loop;
    char *name, *text; // text: what `parse` got, in pieces
    struct console_front front, monitor;
    bool is_diverted;
    struct console_keys keys;
    struct console_tap tap;

    struct loop_fd in, out; // fd is -1 while there is none; different descriptors
    struct loop_event flush;
    struct byte_queue input, output;
    struct byte_queue diverted; // input of the monitor
    bool is_started;
    bool awaits_client;  // until then the machine is not to run
    bool wants_writable; // the front end waits for room
    bool is_patient;     // it never has to
    bool hangs_up;       // when the output is out
    // A person types: input is read even when the buffer is full, and dropped then, so that the
    // escape key always works. Set before console_serve.
    bool is_interactive;
    // The sink may block: ask before each write, and write little.
    bool out_may_block;
};

// Begins to serve the descriptors, and owns them from now on; -1 for none. They must be two
// descriptors, if need be by dup. 0 or a negative errno, then both are closed.
int console_serve(struct console *c, int in, int out);
// Stops serving and closes; buffered output is dropped.
void console_end(struct console *c, enum console_side side);

// The next option of "a,b=c,d": cuts it off *rest, which becomes NULL after the last. A double
// comma stands for a comma.
char *console_next_option(char **rest);
// "on", "off" or no value at all (on).
bool console_option_flag(const char *option, const char *name, bool *flag);
