// SPDX-License-Identifier: Apache-2.0
#include "vmm/cell_console.h"

#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define POLL_MS 10
#define LEAVE   0x1d // Ctrl-]

struct session {
    struct cell_job *j;
    u32 cell, generation;
    u64 position;
    bool input_ended, has_left;
    u8 typed[256];
    size_t n_typed;
};

static bool read_out(struct session *s, bool *had_some)
{
    struct control_request *r = &s->j->c->reply;
    do {
        cell_client_begin_cell(s->j->c, s->cell, s->generation);
        r->args[0] = s->position;
        if (!cell_client_call(s->j->c, CONTROL_CONSOLE_READ, s->j->e))
            return false;
        s->position = r->args[0];
        fwrite(r->data, 1, r->size, s->j->out);
        *had_some = *had_some || r->size;
    } while (r->size == sizeof(r->data));
    fflush(s->j->out);
    return true;
}

static void take_input(struct session *s)
{
    ssize_t n = read(STDIN_FILENO, s->typed + s->n_typed, sizeof(s->typed) - s->n_typed);
    s->input_ended = n <= 0;
    const u8 *leave = n > 0 ? memchr(s->typed + s->n_typed, LEAVE, (size_t)n) : NULL;
    if (n > 0)
        s->n_typed = leave ? (size_t)(leave - s->typed) : s->n_typed + (size_t)n;
    s->has_left = leave != NULL;
}

static bool type(struct session *s)
{
    struct control_request *r = &s->j->c->reply;
    if (!s->n_typed)
        return true;
    cell_client_begin_cell(s->j->c, s->cell, s->generation);
    memcpy(r->data, s->typed, s->n_typed);
    r->size = (u32)s->n_typed;
    if (!cell_client_call(s->j->c, CONTROL_CONSOLE_WRITE, s->j->e))
        return false;
    memmove(s->typed, s->typed + r->args[0], s->n_typed - r->args[0]);
    s->n_typed -= r->args[0];
    return true;
}

static bool pump(struct session *s)
{
    struct control_cell info;
    for (bool had_some = false; !s->has_left; had_some = false) {
        struct pollfd p = {.fd = s->input_ended || s->n_typed ? -1 : STDIN_FILENO,
                           .events = POLLIN};
        if (!cell_client_info(s->j->c, s->cell, &info, s->j->e) || !read_out(s, &had_some))
            return false;
        if (info.state != CONTROL_CELL_RUNNING) {
            fprintf(s->j->out, "\ncell '%s' %s: %s\n", info.name, cell_state_name(info.state),
                    info.cause);
            return true;
        }
        if (poll(&p, 1, had_some ? 0 : POLL_MS) > 0)
            take_input(s);
        if (!type(s))
            return false;
    }
    fprintf(s->j->out, "\nleft the console; the cell goes on\n");
    return true;
}

bool cell_console_run(struct cell_job *j, u32 cell, u32 generation)
{
    struct session s = {.j = j, .cell = cell, .generation = generation};
    struct termios old, raw;
    bool is_terminal = !tcgetattr(STDIN_FILENO, &old);
    if (is_terminal) {
        raw = old;
        cfmakeraw(&raw);
        raw.c_oflag = old.c_oflag;
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        fprintf(j->out, "Ctrl-] leaves the console\n");
    }
    bool is_good = pump(&s);
    if (is_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &old);
    return is_good;
}

bool cell_console(struct cell_job *j)
{
    struct control_cell info;
    u32 cell;
    return cell_named(j, &cell, &info) && cell_console_run(j, cell, info.generation);
}

bool cell_output(struct cell_job *j)
{
    struct control_cell info;
    u32 cell;
    bool had_some = false;
    if (!cell_named(j, &cell, &info))
        return false;
    struct session s = {.j = j, .cell = cell, .generation = info.generation};
    return read_out(&s, &had_some);
}
