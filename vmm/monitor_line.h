// SPDX-License-Identifier: Apache-2.0
// Lines from keys: what a person types, or a program sends, becomes lines and an echo.
//
// Backspace rubs out, Ctrl-u everything, Ctrl-c drops the line, Ctrl-d on an empty line leaves.
// Other control characters and the sequences that arrow keys send are ignored. Bytes may be
// anything.
#pragma once

#include "base/text.h"

#define MONITOR_LINE_MAX 1024 // with its terminator

enum monitor_line_event {
    LINE_NOTHING, // goes on
    LINE_DONE,    // `text` is a line
    LINE_TOO_LONG,
    LINE_DROPPED, // Ctrl-c
    LINE_LEAVE,   // Ctrl-d
};

struct monitor_line {
    char text[MONITOR_LINE_MAX]; // terminated
    size_t n;
    bool is_too_long, was_return;
    u8 escape; // how far into a sequence
};

// The next byte. `echo` gets what a terminal is to show; NULL: nobody looks. After anything but
// LINE_NOTHING the line is over, and monitor_line_clear begins the next.
enum monitor_line_event monitor_line_take(struct monitor_line *l, u8 byte, struct text *echo);
void monitor_line_clear(struct monitor_line *l);
