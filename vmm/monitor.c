// SPDX-License-Identifier: Apache-2.0
// Sessions: a console, the line that is being typed on it, and answers on their way out.
#include "vmm/monitor.h"
#include "base/bug.h"
#include "base/text.h"
#include "vmm/monitor_line.h"

#include <stdlib.h>
#include <string.h>

#define PROMPT "(lh) "
#define BANNER "Longhouse " LH_VERSION " monitor; 'help' lists the commands\n"

struct monitor_session {
    struct monitor *monitor;
    struct console *console; // borrowed
    struct monitor_session *next;
    enum monitor_kind kind;
    bool is_guest;    // the console is the machine's and diverted while is_open
    bool is_open;     // somebody is there
    bool has_line;    // line.text waits for monitor_serve, which answers
    bool is_too_long; // likewise, with a complaint
    bool has_ended;   // the client sends no more
    bool is_writing;
    struct monitor_line line;
    struct text out; // what the console has not taken yet, from out_at on
    size_t out_at;
    unsigned cpu;
};

static void add_output(struct monitor_session *s, const char *bytes, size_t n)
{
    if (s->kind != MONITOR_RAW) {
        text_add_bytes(&s->out, bytes, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        text_add_bytes(&s->out, bytes[i] == '\n' ? "\r\n" : &bytes[i], bytes[i] == '\n' ? 2 : 1);
}

static void say(struct monitor_session *s, const char *text)
{
    add_output(s, text, strlen(text));
}

static void push_output(struct monitor_session *s)
{
    size_t left = s->out.n - s->out_at;
    if (!left)
        return;
    s->is_writing = true;
    s->out_at += console_write(s->console, s->out.bytes + s->out_at, left);
    s->is_writing = false;
    if (s->out_at == s->out.n) {
        text_clear(&s->out);
        s->out_at = 0;
    }
}

static bool read_byte(struct monitor_session *s, u8 *byte)
{
    return s->is_guest ? console_read_diverted(s->console, byte, 1)
                       : console_read(s->console, byte, 1);
}

static void close_session(struct monitor_session *s)
{
    s->is_open = s->has_ended = false;
    if (s->is_guest)
        console_divert(s->console, NULL);
    else
        console_hang_up(s->console);
}

static void begin_line(struct monitor_session *s)
{
    monitor_line_clear(&s->line);
    say(s, PROMPT);
}

static void take_byte(struct monitor_session *s, u8 byte)
{
    struct text echo = {0};
    bool is_typed = s->kind != MONITOR_LINES;
    enum monitor_line_event event = monitor_line_take(&s->line, byte, is_typed ? &echo : NULL);
    add_output(s, text_string(&echo), echo.n);
    text_free(&echo);
    switch (event) {
    case LINE_NOTHING: break;
    case LINE_DONE: s->has_line = true; break;
    case LINE_TOO_LONG: s->has_line = s->is_too_long = true; break;
    case LINE_DROPPED: begin_line(s); break;
    case LINE_LEAVE:
        say(s, "\n");
        push_output(s);
        close_session(s);
        break;
    }
}

// Device lock held. Stops at a line, which is answered first, and where the client leaves its
// answers lying.
static void take_input(struct monitor_session *s)
{
    u8 byte;
    push_output(s);
    while (s->is_open && !s->has_line && !s->out.n && read_byte(s, &byte)) {
        take_byte(s, byte);
        push_output(s);
    }
    if (s->is_open && s->has_ended && !s->has_line && !s->out.n)
        close_session(s);
}

static void on_input(void *opaque)
{
    take_input(opaque);
}

static void drop_input(struct monitor_session *s)
{
    u8 byte;
    while (read_byte(s, &byte))
        ;
}

// What a client left that went away, its half line and its selected processor, is not the next
// one's.
static void on_opened(void *opaque)
{
    struct monitor_session *s = opaque;
    drop_input(s);
    text_clear(&s->out);
    s->out_at = 0;
    s->has_line = s->is_too_long = s->has_ended = false;
    s->cpu = 0;
    s->is_open = true;
    say(s, BANNER);
    begin_line(s);
    push_output(s);
}

static void on_ended(void *opaque)
{
    struct monitor_session *s = opaque;
    s->has_ended = true;
    take_input(s);
}

static struct monitor_session *add_session(struct monitor *m, struct console *c,
                                           enum monitor_kind kind, bool is_guest)
{
    struct monitor_session *s = calloc(1, sizeof(*s));
    BUG_ON(!s);
    *s = (struct monitor_session){
        .monitor = m, .console = c, .kind = kind, .is_guest = is_guest, .next = m->sessions};
    m->sessions = s;
    return s;
}

void monitor_attach(struct monitor *m, struct console *c, enum monitor_kind kind)
{
    struct monitor_session *s = add_session(m, c, kind, false);
    const struct console_front front = {.readable = on_input,
                                        .writable = on_input,
                                        .opened = on_opened,
                                        .ended = on_ended,
                                        .opaque = s};
    console_attach(c, &front);
}

struct monitor_session *monitor_guest_of(struct monitor *m, struct console *c)
{
    for (struct monitor_session *s = m->sessions; s; s = s->next)
        if (s->console == c)
            return s;
    return add_session(m, c, MONITOR_TERMINAL, true);
}

void monitor_toggle(struct monitor_session *s)
{
    const struct console_front front = {.readable = on_input, .writable = on_input, .opaque = s};
    if (s->is_open) {
        say(s, "\n");
        push_output(s);
        close_session(s);
        return;
    }
    s->is_open = true;
    drop_input(s);
    say(s, "\n");
    begin_line(s);
    push_output(s);
    console_divert(s->console, &front);
}

bool monitor_writes(const struct monitor_session *s)
{
    return s->is_writing;
}

static void answer(struct monitor_session *s)
{
    struct text answer = {0};
    struct err e = {0};
    if (s->is_too_long)
        err_set(&e, "the line is longer than %d bytes: it is ignored", MONITOR_LINE_MAX - 1);
    else
        monitor_execute(s->monitor, &s->cpu, s->line.text, &answer, &e);
    add_output(s, text_string(&answer), answer.n);
    if (err_is_set(&e)) {
        say(s, e.text);
        say(s, "\n");
    }
    text_free(&answer);
}

static void serve_session(struct monitor_session *s)
{
    struct mem_space *mem = &s->monitor->machine->mem;
    if (!s->has_line)
        return;
    answer(s);
    mem_lock(mem);
    s->has_line = s->is_too_long = false;
    begin_line(s);
    take_input(s);
    mem_unlock(mem);
    if (s->has_line) // the loop has other things to do in between
        loop_wake(s->monitor->loop);
}

void monitor_serve(struct monitor *m)
{
    for (struct monitor_session *s = m->sessions; s && !m->wants_to_quit; s = s->next)
        serve_session(s);
}

void monitor_free(struct monitor *m)
{
    while (m->sessions) {
        struct monitor_session *s = m->sessions;
        m->sessions = s->next;
        text_free(&s->out);
        free(s);
    }
}
