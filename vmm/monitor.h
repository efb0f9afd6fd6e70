// SPDX-License-Identifier: Apache-2.0
// The monitor: commands of a person or a script that look into the machine and steer it.
//
//     console --bytes--> monitor_line --line--> (loop returns) monitor_serve --> command
//
// A console belongs to the monitor, or is diverted to it for a while (Ctrl-a c). Bytes come and go
// with the device lock held, as for any console; commands run in monitor_serve, between two turns
// of the event loop, without the lock and with the processors held, so that they may look at
// everything. One line of each console is answered per turn, and no more is read from a client that
// does not take its answers.
#pragma once

#include "host/console/console.h"
#include "mach/machine.h"
#include "vmm/pace.h"

struct jit;
struct monitor_session;

struct monitor {
    // Borrowed.
    struct loop *loop;
    struct machine *machine; // NULL until it is built; then pace is set, too
    struct pace *pace;
    struct jit *jit; // NULL: nothing is translated

    struct monitor_session *sessions; // owned
    bool wants_to_quit;               // a command says that the program is to end
};

enum monitor_kind {
    MONITOR_LINES,    // a socket: no echo
    MONITOR_TERMINAL, // a person types, and line ends are the terminal's affair
    MONITOR_RAW,      // likewise, and the other end wants a return with each line end
};

// A console of the monitor's own, not yet started; borrowed until monitor_free.
void monitor_attach(struct monitor *m, struct console *c, enum monitor_kind kind);
// A console that the machine has; it is asked for again and again.
struct monitor_session *monitor_guest_of(struct monitor *m, struct console *c);
// Switches such a console between machine and monitor. Device lock held.
void monitor_toggle(struct monitor_session *s);
// True while the session writes to its console: what is written is not the guest's.
bool monitor_writes(const struct monitor_session *s);

// Answers what came in. The thread of the event loop, without the device lock, while it does not
// run the loop.
void monitor_serve(struct monitor *m);
// After the consoles are closed.
void monitor_free(struct monitor *m);

// Answers one line, which is changed, at length; `cpu` is the selected processor. False: the
// message says why not. As monitor_serve.
bool monitor_execute(struct monitor *m, unsigned *cpu, char *line, struct text *to, struct err *e);
