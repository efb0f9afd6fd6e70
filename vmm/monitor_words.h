// SPDX-License-Identifier: Apache-2.0
// The words of a monitor's line, and what they mean. Whatever a person writes is understood or
// refused with one line that says what is wrong.
#pragma once

#include "base/err.h"
#include "base/types.h"

#define MONITOR_MAX_WORDS  8
#define MONITOR_MAX_FORMAT 1024 // units of one command

struct monitor_words {
    const char *word[MONITOR_MAX_WORDS]; // into the line, or `format`
    unsigned n;
    char format[16]; // what followed the command's name without a blank
};

// Cuts the line, which is changed, at blanks; "x/4gx" is two words, "x" and "/4gx".
bool monitor_split(char *line, struct monitor_words *w, struct err *e);

// What $NAME stands for; false if there is no such register.
struct monitor_registers {
    bool (*get)(void *opaque, const char *name, u64 *value);
    void *opaque;
};

// "0x1000", "4096", "$sp", "$sp+0x10-8".
bool monitor_number(const char *text, const struct monitor_registers *r, u64 *value, struct err *e);
// A plain number of at most `max`; `what` names it in the message.
bool monitor_count(const char *text, u64 max, const char *what, u64 *value, struct err *e);

// "/8xg": how many, how shown, how wide. What is not given stays.
struct monitor_format {
    unsigned count;
    char format;   // x d u o c, or i for instructions
    unsigned size; // bytes: 1, 2, 4 or 8
};

bool monitor_format_parse(const char *text, struct monitor_format *f, struct err *e);
