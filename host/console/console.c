// SPDX-License-Identifier: Apache-2.0
// The two bounded buffers of a console, and the descriptors behind them.
//
// Output is collected and written by the event loop, so that a processor that prints pays for a
// copy, and a burst of bytes becomes one write.
#include "host/console/console.h"
#include "host/console/backend.h"
#include "base/bug.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// A terminal that polls as writable has at least this much room.
#define CAUTIOUS_WRITE 256

static size_t queue_room(const struct byte_queue *q)
{
    return q->max - q->n;
}

// Makes room for n more bytes behind those that are there.
static void queue_reserve(struct byte_queue *q, size_t n)
{
    if (q->first + q->n + n <= q->size)
        return;
    if (q->n)
        memmove(q->bytes, q->bytes + q->first, q->n);
    q->first = 0;
    if (q->n + n <= q->size)
        return;
    while (q->size < q->n + n)
        q->size = q->size ? 2 * q->size : 256;
    q->bytes = realloc(q->bytes, q->size);
    BUG_ON(!q->bytes);
}

static size_t queue_put(struct byte_queue *q, const u8 *bytes, size_t n)
{
    n = n < queue_room(q) ? n : queue_room(q);
    if (!n)
        return 0;
    queue_reserve(q, n);
    memcpy(q->bytes + q->first + q->n, bytes, n);
    q->n += n;
    return n;
}

static void queue_drop(struct byte_queue *q, size_t n)
{
    q->n -= n;
    q->first = q->n ? q->first + n : 0;
}

static void ended(struct console *c, enum console_side side, int error)
{
    if (c->type->ended)
        c->type->ended(c, side, error);
    else
        console_end(c, side);
}

static void tell_writable(struct console *c)
{
    if (!c->wants_writable || queue_room(&c->output) < c->output.max / 2)
        return;
    c->wants_writable = false;
    if (c->front.writable)
        c->front.writable(c->front.opaque);
    if (c->is_diverted && c->monitor.writable)
        c->monitor.writable(c->monitor.opaque);
}

static void tell_readable(struct console *c)
{
    if (c->input.n && c->front.readable)
        c->front.readable(c->front.opaque);
    if (c->is_diverted && c->diverted.n && c->monitor.readable)
        c->monitor.readable(c->monitor.opaque);
}

// Where input goes now.
static struct byte_queue *input_queue(struct console *c)
{
    return c->is_diverted ? &c->diverted : &c->input;
}

static void watch_input(struct console *c)
{
    bool has_room = c->is_interactive || queue_room(input_queue(c));
    if (c->in.is_added)
        loop_want(c->loop, &c->in, has_room ? LOOP_READ : 0);
}

// The filter may divert the line between two bytes.
static void take_input(struct console *c, u8 *bytes, size_t n)
{
    if (!c->type->filter)
        queue_put(input_queue(c), bytes, n);
    for (size_t i = 0; c->type->filter && i < n; i++)
        if (c->type->filter(c, &bytes[i], 1))
            queue_put(input_queue(c), &bytes[i], 1);
}

static void on_input(void *opaque, unsigned events)
{
    struct console *c = opaque;
    u8 bytes[2048];
    size_t room = queue_room(input_queue(c));
    size_t max = c->is_interactive || room > sizeof(bytes) ? sizeof(bytes) : room;
    ssize_t n = read(c->in.fd, bytes, max);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        ended(c, CONSOLE_INPUT, n < 0 ? errno : 0);
        return;
    }
    take_input(c, bytes, (size_t)n);
    watch_input(c);
    tell_readable(c);
}

static ssize_t sink_write(const struct console *c, const u8 *bytes, size_t n)
{
    struct pollfd p = {.fd = c->out.fd, .events = POLLOUT};
    if (c->out_may_block) {
        if (poll(&p, 1, 0) <= 0) {
            errno = EAGAIN;
            return -1;
        }
        n = n < CAUTIOUS_WRITE ? n : CAUTIOUS_WRITE;
    }
    ssize_t done = send(c->out.fd, bytes, n, MSG_DONTWAIT);
    return done < 0 && errno == ENOTSOCK ? write(c->out.fd, bytes, n) : done;
}

// Writes until the buffer is empty (true) or the sink takes no more for now (false).
static bool drain(struct console *c)
{
    while (c->output.n) {
        ssize_t n = sink_write(c, c->output.bytes + c->output.first, c->output.n);
        if (n > 0)
            queue_drop(&c->output, (size_t)n);
        else if (n < 0 && errno == EAGAIN)
            return false;
        else if (n == 0 || errno != EINTR)
            ended(c, CONSOLE_OUTPUT, n < 0 ? errno : 0);
    }
    return true;
}

static void flush(void *opaque)
{
    struct console *c = opaque;
    bool is_done = drain(c);
    if (c->out.is_added)
        loop_want(c->loop, &c->out, is_done ? 0 : LOOP_WRITE);
    tell_writable(c);
    if (c->hangs_up && !c->output.n) {
        c->hangs_up = false;
        c->type->hang_up(c);
    }
}

static void on_room(void *opaque, unsigned events)
{
    flush(opaque);
}

int console_serve(struct console *c, int in, int out)
{
    c->in = (struct loop_fd){.fd = in, .ready = on_input, .opaque = c};
    c->out = (struct loop_fd){.fd = out, .ready = on_room, .opaque = c};
    c->input.max = c->is_interactive ? CONSOLE_INTERACTIVE_BUFFER : CONSOLE_BUFFER;
    c->diverted.max = c->input.max;
    int error = 0;
    if (in >= 0)
        error = loop_add(c->loop, &c->in, 0);
    if (!error && out >= 0)
        error = loop_add(c->loop, &c->out, 0);
    if (error) {
        console_end(c, CONSOLE_INPUT);
        console_end(c, CONSOLE_OUTPUT);
        return error;
    }
    watch_input(c);
    if (c->front.opened)
        c->front.opened(c->front.opaque);
    return 0;
}

void console_end(struct console *c, enum console_side side)
{
    struct loop_fd *f = side == CONSOLE_INPUT ? &c->in : &c->out;
    loop_remove(c->loop, f);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    if (side == CONSOLE_OUTPUT) {
        queue_drop(&c->output, c->output.n);
        // The front end is told by the loop, not from within its own write.
        if (c->wants_writable)
            loop_event_signal(&c->flush);
    }
}

static const struct console_type *const types[] = {&console_stdio, &console_pty, &console_file,
                                                   &console_unix, &console_null};

const char *console_grammar(size_t index, const char **doc)
{
    if (index >= ARRAY_LEN(types))
        return NULL;
    *doc = types[index]->doc;
    return types[index]->grammar;
}

static const struct console_type *type_find(const char *text, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (strlen(types[i]->name) == n && !memcmp(types[i]->name, text, n))
            return types[i];
    return NULL;
}

static bool no_such_type(const char *text, struct err *e)
{
    char list[256] = "";
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        strcat(list, i ? ", " : "");
        strcat(list, types[i]->name);
    }
    return err_set(e, "console '%s': no such back end; there are %s", text, list);
}

// A reader that leaves is an ended line, not the end of the program.
static void ignore_broken_pipes(void)
{
    struct sigaction now;
    if (!sigaction(SIGPIPE, NULL, &now) && now.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
}

static void free_closed(struct console *c)
{
    loop_event_remove(&c->flush);
    free(c->input.bytes);
    free(c->diverted.bytes);
    free(c->output.bytes);
    free(c->name);
    free(c->text);
    free(c);
}

struct console *console_new(const char *text, struct loop *loop, struct err *e)
{
    ignore_broken_pipes();
    size_t n = strcspn(text, ":,");
    const struct console_type *t = type_find(text, n);
    if (!t) {
        no_such_type(text, e);
        return NULL;
    }
    struct console *c = calloc(1, t->size);
    BUG_ON(!c);
    c->type = t;
    c->loop = loop;
    c->name = strdup(text);
    c->text = strdup(text);
    BUG_ON(!c->name || !c->text);
    c->in.fd = c->out.fd = -1;
    c->input.max = c->output.max = c->diverted.max = CONSOLE_BUFFER;
    loop_event_add(loop, &c->flush, flush, c);
    if (t->parse(c, text[n] ? c->text + n + 1 : NULL, e))
        return c;
    err_context(e, "console '%s'", text);
    free_closed(c);
    return NULL;
}

bool console_start(struct console *c, struct err *e)
{
    c->is_started = true;
    return !c->type->open || c->type->open(c, e) || err_context(e, "console '%s'", c->name);
}

bool console_awaits_client(const struct console *c)
{
    return c->awaits_client;
}

struct console *console_open(const char *text, struct loop *loop, struct err *e)
{
    struct console *c = console_new(text, loop, e);
    if (c && !console_start(c, e)) {
        console_close(c);
        return NULL;
    }
    while (c && c->awaits_client)
        loop_run(loop, NS_PER_SEC);
    return c;
}

static void flush_for_the_last_time(struct console *c)
{
    for (int i = 0; i < 100 && c->out.fd >= 0 && !drain(c); i++) {
        struct pollfd p = {.fd = c->out.fd, .events = POLLOUT};
        poll(&p, 1, 10);
    }
}

void console_close(struct console *c)
{
    if (!c)
        return;
    c->front = c->monitor = (struct console_front){0};
    flush_for_the_last_time(c);
    if (c->type->close && c->is_started)
        c->type->close(c);
    console_end(c, CONSOLE_INPUT);
    console_end(c, CONSOLE_OUTPUT);
    free_closed(c);
}

const char *console_name(const struct console *c)
{
    return c->name;
}

void console_attach(struct console *c, const struct console_front *front)
{
    BUG_ON(front && c->front.opaque);
    c->front = front ? *front : (struct console_front){0};
    tell_readable(c);
}

void console_divert(struct console *c, const struct console_front *monitor)
{
    c->is_diverted = monitor;
    c->monitor = monitor ? *monitor : (struct console_front){0};
    watch_input(c);
    tell_readable(c);
}

void console_hang_up(struct console *c)
{
    if (!c->type->hang_up)
        return;
    c->hangs_up = true;
    loop_event_signal(&c->flush);
}

void console_set_keys(struct console *c, const struct console_keys *keys)
{
    c->keys = *keys;
}

void console_set_tap(struct console *c, const struct console_tap *tap)
{
    c->tap = *tap;
}

void console_set_patient(struct console *c)
{
    c->is_patient = true;
}

// Until the sink has taken all or is gone (true), or a signal came.
static bool wait_drained(struct console *c)
{
    while (c->out.fd >= 0 && !drain(c)) {
        struct pollfd p = {.fd = c->out.fd, .events = POLLOUT};
        if (poll(&p, 1, -1) < 0)
            return false;
    }
    return true;
}

static size_t put_patiently(struct console *c, const u8 *bytes, size_t n)
{
    size_t taken = queue_put(&c->output, bytes, n);
    while (taken < n && wait_drained(c))
        taken += c->out.fd < 0 ? n - taken : queue_put(&c->output, bytes + taken, n - taken);
    return taken;
}

static size_t put(struct console *c, const void *bytes, size_t n)
{
    if (c->out.fd < 0)
        return n;
    return c->is_patient ? put_patiently(c, bytes, n) : queue_put(&c->output, bytes, n);
}

size_t console_write(struct console *c, const void *bytes, size_t n)
{
    size_t taken = put(c, bytes, n);
    if (taken && c->tap.wrote)
        c->tap.wrote(c->tap.opaque, bytes, taken);
    if (c->out.fd < 0)
        return n;
    if (taken < n)
        c->wants_writable = true;
    if (!(c->out.wanted & LOOP_WRITE))
        loop_event_signal(&c->flush);
    return taken;
}

static size_t read_queue(struct console *c, struct byte_queue *q, void *bytes, size_t n)
{
    n = n < q->n ? n : q->n;
    if (!n)
        return 0;
    memcpy(bytes, q->bytes + q->first, n);
    queue_drop(q, n);
    watch_input(c);
    return n;
}

size_t console_read(struct console *c, void *bytes, size_t n)
{
    return read_queue(c, &c->input, bytes, n);
}

size_t console_read_diverted(struct console *c, void *bytes, size_t n)
{
    return read_queue(c, &c->diverted, bytes, n);
}

bool console_has_input(const struct console *c)
{
    return c->input.n;
}
