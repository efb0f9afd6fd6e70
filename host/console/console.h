// SPDX-License-Identifier: Apache-2.0
// The host's side of a serial line: a terminal, a pseudo terminal, a file, a socket or nothing.
//
//     device --console_write--> bounded buffer --event loop--> sink
//     device <--console_read--- bounded buffer <--event loop-- source
//
// Neither call ever waits: a full buffer takes less than it was given, and the front end is told
// when there is room. Output for which nobody listens (no client yet, reader gone) is dropped, like
// on a line without a terminal; nothing is lost while somebody listens.
//
// All functions are called with the device lock held, or before there is a machine or after it is
// gone. The callbacks run on the event-loop thread, which holds the lock.
#pragma once

#include "base/types.h"
#include "base/err.h"
#include "host/loop.h"

struct console;

// The machine's end of the line. Any callback may be NULL.
struct console_front {
    void (*readable)(void *opaque);   // there is input to console_read
    void (*writable)(void *opaque);   // after console_write took less than it was given
    void (*line_break)(void *opaque); // the user sent a break
    void (*opened)(void *opaque);     // somebody is there from now on
    // A client of a socket sends no more; what it sent may still be read. With this callback no
    // other client is let in before console_hang_up.
    void (*ended)(void *opaque);
    void *opaque;
};

// What the keys after the escape key (Ctrl-a) ask of the whole program: 'x' quit, 'c' switch to the
// monitor. Returns false for what it does not have. Event-loop thread, lock held.
struct console_keys {
    bool (*pressed)(void *opaque, char key);
    void *opaque;
};

// Sees what the machine writes, before the sink does, also what nobody will read. Called from
// within console_write: device lock held, any thread.
struct console_tap {
    void (*wrote)(void *opaque, const void *bytes, size_t n);
    void *opaque;
};

// Understands what `text` says; NULL with a message. The loop is borrowed and outlives the console.
//
//     stdio[,escape=off]            this terminal, or whatever standard input and output are
//     pty[:LINK]                    a new pseudo terminal, told on standard error
//     file:PATH[,append=on]         output only
//     unix:PATH[,server][,wait=off] a stream socket; a server waits for its first client
//     null                          nothing
//
// A comma within a path is written twice. SIGPIPE is ignored from now on if it was at its default.
struct console *console_new(const char *text, struct loop *loop, struct err *e);
// Opens it: only now files are made and terminals taken. Until then the console is a line without a
// terminal. False with a message; the console stays closed.
bool console_start(struct console *c, struct err *e);
// True until the client is there that the machine has to wait for. The loop has to run meanwhile.
bool console_awaits_client(const struct console *c);
// All of that, with nothing else to do while it waits.
struct console *console_open(const char *text, struct loop *loop, struct err *e);
// Gives the sink a second to take what is buffered. The front end is not called. Accepts NULL.
void console_close(struct console *c);

// "stdio", "pty:/dev/pts/3", "file:log": for messages.
const char *console_name(const struct console *c);

// One line per back end, e.g. "file:PATH[,append=on]" and a sentence; NULL after the last.
const char *console_grammar(size_t index, const char **doc);

// At most one front end; NULL detaches it. Input that waits already is told at once.
void console_attach(struct console *c, const struct console_front *front);
// While diverted, what comes in is for `monitor` and read with console_read_diverted; NULL ends it.
// Both may write. What came before or after is the machine's.
void console_divert(struct console *c, const struct console_front *monitor);
size_t console_read_diverted(struct console *c, void *bytes, size_t n);
// Ends the connection with the present client of a socket, after what is buffered is out, or has
// nobody to go to; then the next one may come. Nothing happens on other consoles.
void console_hang_up(struct console *c);
void console_set_keys(struct console *c, const struct console_keys *keys);
void console_set_tap(struct console *c, const struct console_tap *tap);

// From now on console_write waits for the sink rather than take less, so that the front end does the
// same in every run. A signal that is handled ends the wait, and that write is as without.
void console_set_patient(struct console *c);
// Takes as many of the n bytes as there is room for, and returns how many. If fewer, `writable`
// follows.
size_t console_write(struct console *c, const void *bytes, size_t n);
// Takes up to n bytes of input.
size_t console_read(struct console *c, void *bytes, size_t n);
bool console_has_input(const struct console *c);
