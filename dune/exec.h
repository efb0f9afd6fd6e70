// SPDX-License-Identifier: Apache-2.0
// Execution of another program. The kernel executes this monitor again, so that it ends the other
// threads, closes descriptors and lets go of memory; what the new monitor has to know is in its
// arguments: the state, the program's file, and its arguments and environment. The environment of
// the monitor itself is empty: what the program puts there is not for us.
#pragma once

#include "base/types.h"

struct settings;

// "--again=STATE" of the verb, where STATE is what exec_state_read takes.
#define EXEC_AGAIN "--again="

// Reads what the monitor before left in its arguments; false when it is not of that form.
bool exec_state_read(struct settings *s, const char *state);
