// SPDX-License-Identifier: Apache-2.0
// SIGINT, SIGTERM and SIGHUP end the machine in an orderly way: the handler notes the signal and
// wakes the event loop. Signals belong to the process, so what the handler writes is global, and
// one loop at a time can be served. A signal that the process was told to ignore (nohup) stays
// ignored.
#pragma once

#include "host/loop.h"

#include <sys/types.h>

// While `hurry` is set, a second signal ends the process at once: nothing waits in the loop yet
// that could see the first.
void signals_install(struct loop *wake);
void signals_set_hurry(bool hurry);
void signals_remove(void);

// The first one seen, or 0; *sender (may be NULL) is the process that sent it, 0 for the terminal.
int signals_seen(pid_t *sender);
