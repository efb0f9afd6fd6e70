// SPDX-License-Identifier: Apache-2.0
// What the program itself shows on the user's terminal: one status line until the guest prints, and
// order when the guest is gone. Nothing of it where there is no terminal.
#pragma once

#include "base/types.h"

#include <pthread.h>

struct screen {
    pthread_mutex_t lock;
    // Standard error is a terminal that the status line may still use, and it is there now.
    _Atomic bool has_status;
    bool is_shown;
    // Standard output is a terminal; what the guest left there.
    bool is_terminal, saw_escape, is_mid_line;
};

// `with_status`: nothing else will write to standard error.
void screen_init(struct screen *s, bool with_status);
void screen_free(struct screen *s);

// Puts the status line there or replaces it, cut to the terminal's width. Not for signal handlers.
void screen_status(struct screen *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Takes it away for now.
void screen_hide_status(struct screen *s);
// The status line goes and does not come back. Any thread.
void screen_end_status(struct screen *s);

// The guest writes this to the terminal. Any thread, in the order of the output.
void screen_note_output(struct screen *s, const void *bytes, size_t n);
// The guest's last output is out: the cursor goes to a line of its own, and what programs switch in
// terminals goes back: colours, cursor, wrapping, scroll region, keypad, mouse, alternate screen.
void screen_tidy(struct screen *s);
