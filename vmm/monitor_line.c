// SPDX-License-Identifier: Apache-2.0
#include "vmm/monitor_line.h"

#include <string.h>

enum { CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 0x15, ESCAPE = 0x1b, DELETE = 0x7f };
enum { NO_ESCAPE, SAW_ESCAPE, IN_SEQUENCE };

static void show(struct text *echo, const char *what)
{
    if (echo)
        text_add(echo, "%s", what);
}

// Bytes 0x80 to 0xbf go on with a character of UTF-8.
static bool is_first_byte(u8 byte)
{
    return (byte & 0xc0) != 0x80;
}

static bool rub_out(struct monitor_line *l, struct text *echo)
{
    if (!l->n)
        return false;
    while (--l->n && !is_first_byte((u8)l->text[l->n]))
        ;
    l->text[l->n] = 0;
    show(echo, "\b \b");
    return true;
}

static void append(struct monitor_line *l, u8 byte, struct text *echo)
{
    if (l->n + 1 == sizeof(l->text)) {
        l->is_too_long = true;
        return;
    }
    l->text[l->n++] = (char)byte;
    l->text[l->n] = 0;
    if (echo)
        text_add_bytes(echo, &byte, 1);
}

// True: the byte belongs to a sequence, ESC [ ... letter or ESC and one byte.
static bool skip_sequence(struct monitor_line *l, u8 byte)
{
    if (l->escape == NO_ESCAPE && byte != ESCAPE)
        return false;
    if (byte == ESCAPE)
        l->escape = SAW_ESCAPE;
    else if (l->escape == SAW_ESCAPE)
        l->escape = byte == '[' || byte == 'O' ? IN_SEQUENCE : NO_ESCAPE;
    else if (byte >= 0x40 || byte < 0x20)
        l->escape = NO_ESCAPE;
    return true;
}

static enum monitor_line_event end(const struct monitor_line *l, struct text *echo)
{
    show(echo, "\n");
    return l->is_too_long ? LINE_TOO_LONG : LINE_DONE;
}

enum monitor_line_event monitor_line_take(struct monitor_line *l, u8 byte, struct text *echo)
{
    bool ends_pair = l->was_return && byte == '\n';
    if (skip_sequence(l, byte))
        return LINE_NOTHING;
    l->was_return = byte == '\r';
    switch (byte) {
    case '\n':
    case '\r': return ends_pair ? LINE_NOTHING : end(l, echo);
    case BACKSPACE:
    case DELETE: rub_out(l, echo); return LINE_NOTHING;
    case CTRL_U:
        while (rub_out(l, echo))
            ;
        l->is_too_long = false;
        return LINE_NOTHING;
    case CTRL_C: show(echo, "^C\n"); return LINE_DROPPED;
    case CTRL_D: return l->n ? LINE_NOTHING : LINE_LEAVE;
    case '\t': append(l, ' ', echo); return LINE_NOTHING;
    default:
        if (byte >= 0x20)
            append(l, byte, echo);
        return LINE_NOTHING;
    }
}

void monitor_line_clear(struct monitor_line *l)
{
    *l = (struct monitor_line){.was_return = l->was_return};
}
