// SPDX-License-Identifier: Apache-2.0
// `lh cell COMMAND`: each command gets its options and, if it needs the hypervisor, the way to it.
#pragma once

#include "base/err.h"
#include "vmm/cell_client.h"
#include "vmm/cell_options.h"

#include <stdio.h>

struct cell_job {
    const struct cell_options *o;
    struct cell_client *c; // NULL for commands that need none
    FILE *out;
    struct err *e;
    double patience_s; // --timeout
};

// False with a message.
#define COMMAND(name, function, where, arguments, doc) bool function(struct cell_job *j);
#include "vmm/cell_commands.def"
#undef COMMAND

struct cell_command {
    const char *name;
    bool (*run)(struct cell_job *j);
    bool is_anywhere; // needs no hypervisor
    const char *arguments, *doc;
};

extern const struct cell_command cell_commands[]; // ends with a NULL name

// The cell that the command names, with its present state.
bool cell_named(struct cell_job *j, u32 *cell, struct control_cell *info);
const char *cell_state_name(u32 state);
