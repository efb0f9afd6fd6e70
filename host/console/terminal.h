// SPDX-License-Identifier: Apache-2.0
// The terminal that this program runs on, in raw mode while a console uses it.
//
// A process has one terminal, and signal handlers must find it: its state is the only mutable
// global of this folder.
#pragma once

#include "base/types.h"
#include "base/err.h"

// Makes the terminal behind `fd` raw: no echo, no line editing, Ctrl-c is a byte like any other.
// Output processing stays, so that messages of ours look right. Where `fd` is no terminal nothing
// happens. Old settings come back by terminal_restore, at exit, before one of the signals that end
// a program, and while the program is stopped. Signals that somebody handles already are left
// alone: such a handler calls terminal_restore itself. False if the terminal is in use already.
bool terminal_take(int fd, struct err *e);

// Back to the old settings; harmless when they are in force. Any thread, any signal handler.
void terminal_restore(void);

// Whether keys reach the machine as they are.
bool terminal_is_raw(void);

// The end of terminal_take: signal handlers are removed as well.
void terminal_give(void);
