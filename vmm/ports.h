// SPDX-License-Identifier: Apache-2.0
// The consoles of a machine: its serial ports, those that devices name by id, and the monitor's.
// They watch for the first output, for what is left on the terminal, for a panic, and for the keys
// that end the program and that switch to the monitor.
#pragma once

#include "host/console/console.h"
#include "mach/machine.h"
#include "vmm/monitor.h"
#include "vmm/panic_watch.h"
#include "vmm/run_options.h"
#include "vmm/screen.h"

#define PORTS_MAX_CHARDEVS 16
#define PORTS_MAX_MONITORS 4
#define PORTS_MAX          (MACHINE_N_SERIALS + PORTS_MAX_CHARDEVS + PORTS_MAX_MONITORS)

struct ports;

struct port {
    struct ports *ports;
    struct console *console; // owned
    const char *option;      // "-serial", for messages
    struct panic_place panic_place;
    struct monitor_session *session; // after Ctrl-a c; borrowed
    bool is_on_terminal, is_monitor;
};

struct ports {
    // Borrowed.
    struct loop *loop;
    struct clock *clock;
    struct screen *screen;
    struct panic_watch *panic;
    struct monitor *monitor;

    struct port list[PORTS_MAX];
    unsigned n;
    struct machine_chardev chardevs[PORTS_MAX_CHARDEVS];
    unsigned n_chardevs;
    bool wants_to_quit; // the user pressed the key
};

// Makes what the options say and puts it into the machine's configuration; the borrowed members are
// set. Nothing is opened yet. On failure `ports_close` is called as well.
bool ports_make(struct ports *p, const struct run_options *o, struct machine_config *c,
                struct err *e);
bool ports_start(struct ports *p, struct err *e);
// A client has to come before the machine may run.
bool ports_await_client(const struct ports *p);
// After the machine is gone.
void ports_close(struct ports *p);
